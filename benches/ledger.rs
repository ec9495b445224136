//! Measures the ledger beside the bare libraries under it, in the same run: only ratios of one run compare.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use ssh_key::encoding::Decode as _;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, PrivateKey, PublicKey, SshSig};

/// What can go wrong while measuring.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// Commits of each kind in turn, of which the middle one counts.
const COMMITS: u32 = 1_000;
/// The size of a write-ahead log that has gone into its database once: 1,000 pages.
const WHOLE_LOG: u64 = 1_000 * 4_096;
/// Rounds of the check, of which the middle one counts.
const ROUNDS: usize = 5;
/// Signatures in a part.
const PART: usize = 1_000;
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
        begins: None,
        train: None,
        back: Vec::new(),
        left: Vec::new(),
        break_glass: None,
        change_type: ChangeType::Normal,
        effects: Vec::new(),
        ends: None,
        expires: rfc3339(&expires),
        format: ORDER_FORMAT,
        installation: installation.to_owned(),
        nonce: nonce.to_string(),
        of: None,
        rollout: None,
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
        authors: None,
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
        released: gonogo::model::released::Released::default(),
        now: Text::empty(),
        after: Text::empty(),
        costs: Vec::new(),
        reach: Vec::new(),
        undo: None,
        commands: Vec::new(),
        impossible: Vec::new(),
        asked_by: None,
        waived: Vec::new(),
    })
}

/// A commit of one entry beside a bare insert and one synchronised, renamed file, in turn; the signatures apart.
///
/// Both databases have the settings that the store gives its own, both commits write one row of the same bytes and synchronise one
/// log and one file of the same size. A log that still grows costs the disk more than one that is written over: so both grow first,
/// until their pages have once gone into the database.
async fn append() -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let bare_dir = tempfile::tempdir()?;
    let store = SqliteStore::open(dir.path(), Arc::new(SystemClock), None).await?;
    let options = SqliteConnectOptions::new().filename(bare_dir.path().join("bare.db")).create_if_missing(true);
    let options = options.busy_timeout(Duration::from_secs(5)).disable_statement_logging().auto_vacuum(SqliteAutoVacuum::None);
    let mut bare = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full).connect().await?;
    sqlx::raw_sql("CREATE TABLE entry (n INTEGER PRIMARY KEY, line BLOB NOT NULL)").execute(&mut bare).await?;
    store.deny(&plan(&store.installation(), 0)?, &[]).await?;
    let line = store.lines().await?.1.pop().unwrap_or_default();
    let note = store.checkpoint()?.unwrap_or_default();
    let mut insert = async |fill: usize| {
        let mut line = line.clone();
        line.resize(line.len() * fill, b'x');
        sqlx::query("INSERT INTO entry (line) VALUES (?)").bind(line).execute(&mut bare).await
    };
    let size = |dir: &Path, name: &str| std::fs::metadata(dir.join(name)).map_or(0, |meta| meta.len());
    let mut nonce = 1;
    while size(dir.path(), "ledger.db-wal") < WHOLE_LOG || size(bare_dir.path(), "bare.db-wal") < WHOLE_LOG {
        store.deny(&plan(&store.installation(), nonce)?, &[]).await?;
        insert(16).await?;
        nonce += 1;
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for nonce in nonce..nonce + COMMITS {
        let plan = plan(&store.installation(), nonce)?;
        let begun = Instant::now();
        store.deny(&plan, &[]).await?;
        ours.push(begun.elapsed());
        let begun = Instant::now();
        insert(1).await?;
        beside(bare_dir.path(), note.as_bytes())?;
        theirs.push(begun.elapsed());
    }
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]));
    let mut signing = Vec::new();
    for _ in 0..COMMITS {
        let begun = Instant::now();
        // An entry and a checkpoint.
        key.sign("gonogo-deed@v1", HashAlg::Sha512, &line)?;
        key.sign("gonogo-deed@v1", HashAlg::Sha512, note.as_bytes())?;
        signing.push(begun.elapsed());
    }
    let (ours, theirs, signing) = (middle(ours), middle(theirs), middle(signing));
    let ratio = ours.saturating_sub(signing).as_secs_f64() / theirs.as_secs_f64();
    say(&format!("append: {ours:?} each, of which signatures {signing:?}; bare insert and file {theirs:?}"));
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
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut intact = false;
        ours.push(timed(|| intact = Export::read(&file).verify(None, None).intact));
        if !intact {
            return Err("the export does not hold".into());
        }
        // As many threads as the check has, which share the work in as small parts.
        let (next, bad) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            while let Some(part) = signed.chunks(PART).nth(next.fetch_add(1, Ordering::Relaxed)) {
                let wrong = part.iter().filter(|(body, sig)| key.verify("gonogo-deed@v1", body, sig).is_err()).count();
                bad.fetch_add(wrong, Ordering::Relaxed);
            }
        };
        theirs.push(timed(|| {
            std::thread::scope(|scope| {
                scope.spawn(work);
                scope.spawn(work);
            });
        }));
        if bad.load(Ordering::Relaxed) > 0 {
            return Err("a signature does not hold".into());
        }
    }
    let walls = |times: &[(Duration, Duration)]| middle(times.iter().map(|(wall, _)| *wall).collect());
    let works = |times: &[(Duration, Duration)]| middle(times.iter().map(|(_, work)| *work).collect());
    let rate = |time: Duration| f64::from(entries) / time.as_secs_f64();
    say(&format!(
        "verify: {:.0} entries a second; the signature library alone on two threads {:.0}",
        rate(walls(&ours)),
        rate(walls(&theirs))
    ));
    let ratio = |ours: Duration, theirs: Duration| theirs.as_secs_f64() / ours.as_secs_f64();
    say(&format!(
        "verify: {:.2} of its rate, {:.2} by processor time (what a busy machine leaves of it); at least 0.8 is wanted",
        ratio(walls(&ours), walls(&theirs)),
        ratio(works(&ours), works(&theirs))
    ));
    Ok(())
}

/// How long it takes by the wall and in processor time of this process.
fn timed(work: impl FnOnce()) -> (Duration, Duration) {
    let processor = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
    };
    let (wall, used) = (Instant::now(), processor());
    work();
    (wall.elapsed(), processor().saturating_sub(used))
}
