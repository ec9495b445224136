//! What the tests of the outbox share: a store with notes in it, couriers to receivers, and orders of ids.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use gonogo::adapters::clock::SystemClock;
use gonogo::adapters::notify::webhook::{Resolved, Webhook};
use gonogo::config::secret::Secret;
use gonogo::config::settings::{Format, WebhookAddress, WebhookSettings};
use gonogo::control::driver::courier::{Courier, Couriers, Way, chance};
use gonogo::model::deed::Permit;
use gonogo::model::intent::{Arguments, Direction, Intent, Verb};
use gonogo::model::operator::Actor;
use gonogo::model::outbox::{Progress, Wants};
use gonogo::model::plan::{ORDER_FORMAT, Order, OrderTarget, Plan};
use gonogo::model::released::Released;
use gonogo::model::text::Text;
use gonogo::model::time::rfc3339;
use gonogo::model::verdict::Verdict;
use gonogo::ports::clock::Clock;
use gonogo::ports::ledger::Ledger as _;
use gonogo::ports::outbox::Outbox;
use gonogo::store::SqliteStore;

use crate::servers::receiver::Receiver;

/// What notices are signed with: 32 bytes.
pub const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDazfgxTaTTUM=";

/// Opens the store of a directory.
pub async fn store(dir: &Path) -> Arc<SqliteStore> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Arc::new(SqliteStore::open(dir, clock, None).await.unwrap())
}

/// A plan of a note.
pub fn plan(store: &SqliteStore, text: &str, nonce: &str) -> Plan {
    let now = SystemClock.now().wall;
    let expires = now + TimeDelta::minutes(10);
    let target =
        OrderTarget { service: "checkout".to_owned(), environment: "prod".to_owned(), slot: None, digest: None, run: None, attempt: None };
    let order = Order {
        begins: None,
        train: None,
        back: Vec::new(),
        left: Vec::new(),
        break_glass: None,
        change_type: gonogo::model::change::ChangeType::Normal,
        effects: Vec::new(),
        ends: None,
        expires: rfc3339(&expires),
        format: ORDER_FORMAT,
        installation: store.installation(),
        nonce: nonce.to_owned(),
        of: None,
        rollout: None,
        percent: None,
        requester: "ana".to_owned(),
        rules: "00".to_owned(),
        targets: vec![target],
        text: Some(Text::clean(text)),
        ticket: None,
        verb: Verb::Note,
    };
    Plan {
        id: order.id().unwrap(),
        intent: Intent {
            verb: Verb::Note,
            target: "checkout@prod".parse().unwrap(),
            args: Arguments { text: Some(Text::clean(text)), ..Arguments::default() },
            requester: Actor::Person("ana".parse().unwrap()),
            reason: Text::clean("because"),
        },
        direction: Direction::Still,
        order,
        made: now,
        expires,
        checks: Vec::new(),
        typed: None,
        preconditions: Vec::new(),
        evidence: Vec::new(),
        now: Text::empty(),
        after: Text::empty(),
        costs: Vec::new(),
        reach: Vec::new(),
        undo: None,
        commands: Vec::new(),
        impossible: Vec::new(),
        waived: Vec::new(),
        authors: None,
        asked_by: None,
        released: Released::default(),
    }
}

/// Records a note: intent, note, effective.
pub async fn note(store: &SqliteStore, text: &str) {
    let plan = plan(store, text, text);
    let id = plan.id;
    store.begin(&plan, &move |_: &_| Verdict::Permit(Permit::grant(id))).await.unwrap();
}

/// Records as many notes, `note 0` and so on.
pub async fn notes(store: &SqliteStore, count: usize) {
    for n in 0..count {
        note(store, &format!("note {n}")).await;
    }
}

/// Settings of a webhook that wants everything.
pub fn settings(name: &str, receiver: &Receiver) -> WebhookSettings {
    WebhookSettings {
        name: name.parse().unwrap(),
        address: WebhookAddress::Plain(receiver.url()),
        wants: Wants::default(),
        format: Format::Structured,
        secret: None,
        token: None,
        ca_file: None,
        insecure: false,
        deadline: Duration::from_millis(700),
    }
}

/// A courier to a receiver.
pub fn courier(settings: &WebhookSettings, receiver: &Receiver) -> Courier {
    let resolved = Resolved { url: receiver.url(), secret: Some(Secret::new(SECRET.to_owned())), token: None };
    let webhook = Webhook::new(settings, &resolved, "shop", Arc::new(SystemClock)).unwrap();
    Courier { name: settings.name.clone(), wants: settings.wants.clone(), way: Way::Notices(Arc::new(webhook)) }
}

/// Couriers at work, until they are dropped.
pub struct Work(tokio::task::JoinHandle<()>);

impl Work {
    /// Sets them to work with quick second tries.
    pub fn of(store: &Arc<SqliteStore>, couriers: Vec<Courier>) -> Self {
        let couriers = Arc::new(Couriers::new(couriers).paced(Duration::from_millis(20)));
        let outbox: Arc<dyn Outbox> = Arc::<SqliteStore>::clone(store);
        Self(tokio::spawn(couriers.deliver(outbox, Arc::new(SystemClock), chance())))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Makes a receiver known, so that what is recorded from now on waits for it.
pub async fn know(store: &SqliteStore, names: &[&str]) {
    let names: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
    store.know(&names).await.unwrap();
}

/// Waits for a condition in real time.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), waiting).await.is_ok(), "waited for {what}");
}

/// Waits until the only receiver stands so, as the store tells it.
pub async fn stands<T>(store: &SqliteStore, what: &str, so: impl Fn(&Progress) -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = so(&store.progress().await.unwrap()[0]) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap_or_else(|_| panic!("waited for {what}"))
}

/// Waits until a receiver has everything that it wants, and the store knows.
pub async fn passed(store: &SqliteStore, name: &str) {
    let name = name.parse().unwrap();
    let waiting = async {
        while !store.before(&name, 1).await.unwrap().lines.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), waiting).await.is_ok(), "notices wait on");
}

/// The number of the entry that an id names.
pub fn number(id: &str) -> u64 {
    id.rsplit_once('/').unwrap().1.parse().unwrap()
}

/// Fails unless every entry from `first` to `last` came, in order; one may have come again only right after itself.
#[track_caller]
pub fn in_order(ids: &[String], first: u64, last: u64) {
    let mut numbers: Vec<u64> = ids.iter().map(|id| number(id)).collect();
    numbers.dedup();
    assert_eq!(numbers, (first..=last).collect::<Vec<_>>());
}
