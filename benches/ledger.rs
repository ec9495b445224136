//! Measures the ledger beside the bare libraries under it, in the same run: only ratios of one run compare.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use chrono::{TimeDelta, Utc};
use gonogo::adapters::clock::SystemClock;
use gonogo::model::change::ChangeType;
use gonogo::model::intent::{Arguments, Direction, Intent, Verb};
use gonogo::model::operator::Actor;
use gonogo::model::plan::{ORDER_FORMAT, Order, OrderTarget, Plan};
use gonogo::model::text::Text;
use gonogo::model::time::rfc3339;
use gonogo::ports::ledger::Ledger as _;
use gonogo::store::{Export, Identity, SqliteStore};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use ssh_key::encoding::Decode as _;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, PrivateKey, PublicKey, SshSig};

/// What can go wrong while measuring.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// Commits of each kind in a round, and rounds, of which the middle one counts.
const COMMITS: u32 = 200;
const ROUNDS: usize = 5;
/// Entries that are verified.
const ENTRIES: u32 = 100_000;

fn main() -> Outcome<()> {
    let entries = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(ENTRIES);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(append())?;
    verify(&runtime, entries)
}

fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A plan whose denial is one entry.
fn plan(installation: &str, nonce: u32) -> Outcome<Plan> {
    let now = Utc::now();
    let expires = now + TimeDelta::hours(10);
    let target =
        OrderTarget { service: "checkout".to_owned(), environment: "prod".to_owned(), slot: None, digest: None, run: None, attempt: None };
    let order = Order {
        break_glass: None,
        change_type: ChangeType::Normal,
        effects: Vec::new(),
        ends: None,
        expires: rfc3339(&expires),
        format: ORDER_FORMAT,
        installation: installation.to_owned(),
        nonce: nonce.to_string(),
        percent: None,
        requester: "ana".to_owned(),
        rules: "00".to_owned(),
        targets: vec![target],
        text: Some(Text::clean("a note")),
        ticket: None,
        verb: Verb::Note,
    };
    let intent = Intent {
        verb: Verb::Note,
        target: "checkout@prod".parse()?,
        args: Arguments::default(),
        requester: Actor::Person("ana".parse()?),
        reason: Text::empty(),
    };
    Ok(Plan {
        id: order.id()?,
        intent,
        direction: Direction::Still,
        order,
        made: now,
        expires,
        preconditions: Vec::new(),
        checks: Vec::new(),
        typed: None,
        evidence: Vec::new(),
        now: Text::empty(),
        after: Text::empty(),
        costs: Vec::new(),
        reach: Vec::new(),
        undo: None,
        commands: Vec::new(),
        impossible: Vec::new(),
        waived: Vec::new(),
    })
}

/// A commit of one entry beside a bare insert with WAL and FULL and one synchronised, renamed file; the signatures apart.
async fn append() -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let bare_dir = tempfile::tempdir()?;
    let store = SqliteStore::open(dir.path(), Arc::new(SystemClock), None).await?;
    let options = SqliteConnectOptions::new().filename(bare_dir.path().join("bare.db")).create_if_missing(true);
    let mut bare = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full).connect().await?;
    sqlx::raw_sql("CREATE TABLE entry (n INTEGER PRIMARY KEY, line BLOB NOT NULL)").execute(&mut bare).await?;
    let (line, note) = (vec![b'x'; 900], vec![b'x'; 170]);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let plans: Vec<Plan> = (0..COMMITS)
            .map(|n| plan(&store.installation(), n + COMMITS * u32::try_from(round).unwrap_or_default()))
            .collect::<Outcome<_>>()?;
        let begun = Instant::now();
        for plan in &plans {
            store.deny(plan, &[]).await?;
        }
        ours.push(begun.elapsed());
        let begun = Instant::now();
        for _ in 0..COMMITS {
            sqlx::query("INSERT INTO entry (line) VALUES (?)").bind(&line).execute(&mut bare).await?;
            beside(bare_dir.path(), &note)?;
        }
        theirs.push(begun.elapsed());
    }
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]));
    let begun = Instant::now();
    for _ in 0..COMMITS * 2 {
        key.sign("gonogo-deed@v1", HashAlg::Sha512, &line)?;
    }
    let (ours, theirs, signing) = (middle(ours), middle(theirs), begun.elapsed());
    let ratio = ours.saturating_sub(signing).as_secs_f64() / theirs.as_secs_f64();
    let each = |time: Duration| time / COMMITS;
    say(&format!("append: {:?} each, of which signatures {:?}; bare insert and file {:?}", each(ours), each(signing), each(theirs)));
    say(&format!("append: {ratio:.2} times the bare one, signatures apart; at most 1.2 is wanted"));
    Ok(())
}

/// Puts a file in the place of the former one, as the checkpoint is.
fn beside(dir: &Path, note: &[u8]) -> Outcome<()> {
    let draft = dir.join("draft");
    let mut file = std::fs::File::create(&draft)?;
    file.write_all(note)?;
    file.sync_data()?;
    Ok(std::fs::rename(&draft, dir.join("note"))?)
}

/// The check of an export beside the signature library alone on two threads.
fn verify(runtime: &tokio::runtime::Runtime, entries: u32) -> Outcome<()> {
    let identity = Identity { installation: "bench".to_owned(), seed: [7; 32] };
    let file = runtime.block_on(async {
        let store = SqliteStore::memory(Arc::new(SystemClock), identity).await?;
        for n in 1..entries {
            store.deny(&plan("bench", n)?, &[]).await?;
        }
        Ok::<_, Box<dyn Error>>(store.export(None).await?)
    })?;
    let mut signed = Vec::new();
    for line in file.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{\"n\":")) {
        let line: serde_json::Value = serde_json::from_slice(line)?;
        let bytes = |name: &str| Base64::decode_vec(line.get(name).and_then(serde_json::Value::as_str).unwrap_or_default());
        let sig = bytes("sig").map_err(|error| error.to_string())?;
        signed.push((bytes("body").map_err(|error| error.to_string())?, SshSig::decode(&mut &*sig)?));
    }
    let key = PublicKey::from(PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32])).public_key().key_data().clone());
    let part = signed.len().div_ceil(2);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let found = Export::read(&file).verify(None, None);
        ours.push(begun.elapsed());
        if !found.intact || found.entries != u64::from(entries) {
            return Err(format!("the export does not hold: {found:?}").into());
        }
        let begun = Instant::now();
        let bad: usize = std::thread::scope(|scope| {
            let key = &key;
            let check = move |(body, sig): &&(Vec<u8>, SshSig)| key.verify("gonogo-deed@v1", body, sig).is_err();
            let running: Vec<_> = signed.chunks(part).map(|part| scope.spawn(move || part.iter().filter(check).count())).collect();
            running.into_iter().map(|thread| thread.join().unwrap_or(1)).sum()
        });
        theirs.push(begun.elapsed());
        if bad > 0 {
            return Err("a signature does not hold".into());
        }
    }
    let (ours, theirs) = (middle(ours), middle(theirs));
    let rate = |time: Duration| f64::from(entries) / time.as_secs_f64();
    say(&format!("verify: {:.0} entries a second; the signature library alone on two threads {:.0}", rate(ours), rate(theirs)));
    say(&format!("verify: {:.2} of its rate; at least 0.8 is wanted", theirs.as_secs_f64() / ours.as_secs_f64()));
    Ok(())
}
