//! Tests of the store on real directories, with a clock that only moves when told.

mod bits;
mod by_hand;
mod cut;
mod deeds;
mod dossiers;
mod evidence;
mod export;
mod forged;
mod format;
mod glass;
mod kept;
mod killed;
mod loss;
mod order;
mod outbox;
mod parts;
mod race;
mod rulings;
mod schema;
mod witness;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};

use super::{Identity, SqliteStore};
use crate::model::deed::{EntryKind, Permit};
use crate::model::intent::{Arguments, Direction, Intent, Verb};
use crate::model::long_text::LongText;
use crate::model::name::PlanId;
use crate::model::operator::Actor;
use crate::model::plan::{ORDER_FORMAT, Order, OrderTarget, Plan, StepEffect};
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment, rfc3339};
use crate::model::verdict::Verdict;
use crate::ports::clock::Clock;
use crate::ports::journal::Line;
use crate::ports::ledger::{AtCommit, Outcome};

/// A line of the journal.
pub fn line(family: &'static str, at: DateTime<chrono::Utc>, json: &impl serde::Serialize) -> Line {
    Line { at_ms: at.timestamp_millis(), family, again: false, json: LongText::json(json).unwrap() }
}

/// A clock that stands still until it is moved.
pub struct Still {
    wall: AtomicI64,
    boot: AtomicU64,
    starts: AtomicU64,
}

impl Still {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { wall: AtomicI64::new(1_700_000_000_000), boot: AtomicU64::new(1_000_000), starts: AtomicU64::new(1) })
    }

    pub fn pass(&self, span: Duration) {
        let ms = u64::try_from(span.as_millis()).unwrap();
        self.boot.fetch_add(ms, Ordering::SeqCst);
        self.wall.fetch_add(i64::try_from(ms).unwrap(), Ordering::SeqCst);
    }

    /// The machine is started again: the boot clock begins anew.
    pub fn reboot(&self) {
        self.starts.fetch_add(1, Ordering::SeqCst);
        self.boot.store(0, Ordering::SeqCst);
    }

    pub fn set_back(&self, span: Duration) {
        self.wall.fetch_sub(i64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Still {
    fn now(&self) -> Moment {
        let wall = DateTime::from_timestamp_millis(self.wall.load(Ordering::SeqCst)).unwrap();
        Moment { wall, boot: Boot(self.boot.load(Ordering::SeqCst)) }
    }

    fn awake(&self) -> Boot {
        self.now().boot
    }

    fn boot_id(&self) -> String {
        format!("boot-{}", self.starts.load(Ordering::SeqCst))
    }
}

pub fn identity() -> Identity {
    Identity { installation: "test".to_owned(), seed: [7; 32] }
}

pub async fn store(dir: &Path, clock: &Arc<Still>) -> SqliteStore {
    let clock: Arc<dyn Clock> = Arc::<Still>::clone(clock);
    SqliteStore::open(dir, clock, Some(identity())).await.unwrap()
}

/// A plan of `verb` on `checkout@prod`; `nonce` makes it another one.
pub fn plan(clock: &Still, verb: Verb, nonce: &str) -> Plan {
    plan_with(clock, verb, nonce, usize::from(!matches!(verb, Verb::Hold | Verb::Resume | Verb::Note)), None)
}

pub fn plan_with(clock: &Still, verb: Verb, nonce: &str, effects: usize, ends: Option<Slot>) -> Plan {
    let now = clock.now().wall;
    let expires = now + TimeDelta::minutes(10);
    let effect = |pool: usize| StepEffect::Weights {
        backend: "edge".parse().unwrap(),
        pool: format!("be_{pool}").parse().unwrap(),
        weights: [("v1".parse().unwrap(), 80), ("v2".parse().unwrap(), 20)].into(),
    };
    let target = OrderTarget {
        service: "checkout".to_owned(),
        environment: "prod".to_owned(),
        slot: Some(Slot::Second),
        digest: None,
        run: None,
        attempt: None,
    };
    let order = Order {
        begins: None,
        train: None,
        back: Vec::new(),
        left: Vec::new(),
        break_glass: None,
        change_type: crate::model::change::ChangeType::Normal,
        effects: (0..effects).map(effect).collect(),
        ends,
        expires: rfc3339(&expires),
        format: ORDER_FORMAT,
        installation: "test".to_owned(),
        nonce: nonce.to_owned(),
        of: None,
        rollout: None,
        percent: None,
        requester: "ana".to_owned(),
        rules: "00".to_owned(),
        targets: vec![target],
        text: (verb == Verb::Note).then(|| Text::clean("a note")),
        ticket: None,
        verb,
    };
    let direction = match verb {
        Verb::Hold | Verb::Note => Direction::Still,
        Verb::Resume => Direction::Release,
        Verb::Abort | Verb::Rollback | Verb::Cancel | Verb::Reject => Direction::Back,
        Verb::Shift
        | Verb::Promote
        | Verb::Flag
        | Verb::Drain
        | Verb::Ready
        | Verb::Silence
        | Verb::Unsilence
        | Verb::Rollout
        | Verb::Start
        | Verb::Retry
        | Verb::Approve => Direction::Forward,
    };
    Plan {
        id: order.id().unwrap(),
        intent: Intent {
            verb,
            target: "checkout@prod".parse().unwrap(),
            args: Arguments::default(),
            requester: Actor::Person("ana".parse().unwrap()),
            reason: Text::clean("because \u{1b}[2J"),
        },
        direction,
        order,
        made: now,
        expires,
        checks: Vec::new(),
        typed: None,
        authors: None,
        preconditions: Vec::new(),
        evidence: Vec::new(),
        released: crate::model::released::Released::default(),
        now: Text::empty(),
        after: Text::empty(),
        costs: Vec::new(),
        reach: Vec::new(),
        undo: None,
        commands: Vec::new(),
        impossible: Vec::new(),
        asked_by: None,
        waived: Vec::new(),
    }
}

/// A judge that says yes to this plan.
pub fn yes(plan: PlanId) -> impl Fn(&AtCommit) -> Verdict + Send + Sync {
    move |_| Verdict::Permit(Permit::grant(plan))
}

pub fn outcome(kind: EntryKind, step: Option<u32>) -> Outcome {
    let releases = step.is_none() && matches!(kind, EntryKind::Effective | EntryKind::Failed);
    Outcome { kind, step, words: Text::clean("seen"), error: None, changes: Vec::new(), releases, held_due: None, no_help: false }
}
