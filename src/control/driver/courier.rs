//! Couriers: each brings one receiver what waits for it in the outbox, in order, until the receiver has it or refuses it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::clerk;
use crate::model::name::BackendName;
use crate::model::outbox::{Line, Notice, Opens, Wants};
use crate::model::text::Text;
use crate::ports::clock::Clock;
use crate::ports::desk::Desk;
use crate::ports::ledger::LedgerError;
use crate::ports::notify::{Notify, NotifyError};
use crate::ports::outbox::Outbox;

/// Lines that are looked at together.
const LINES: u32 = 64;
/// One try ends within this time, before the right to deliver does.
const TRY: Duration = Duration::from_secs(20);
/// The pause after the first failed try; it doubles.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause between two tries.
const LONGEST: Duration = Duration::from_mins(5);
/// A receiver that refuses the same so often has it set aside.
pub const REFUSALS: u32 = 5;
/// A pause that is longer than this was written by a clock that was wrong.
const TRUSTED: TimeDelta = TimeDelta::minutes(61);
/// How often an idle courier looks although nothing seems to have happened.
const LOOK: Duration = Duration::from_secs(10);
/// How often anything is asked whether something was committed.
const GLANCE: Duration = Duration::from_millis(250);
/// How often time itself is looked at.
const TICK: Duration = Duration::from_secs(1);

/// A source of chance between 0 and 1.
pub type Chance = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Chance as the system has it.
pub fn chance() -> Chance {
    Arc::new(|| f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX))
}

/// One receiver, as configured.
#[derive(Clone)]
pub struct Courier {
    /// Its name.
    pub name: BackendName,
    /// What it wants.
    pub wants: Wants,
    /// The way to it.
    pub way: Way,
}

/// How a receiver is told.
#[derive(Clone)]
pub enum Way {
    /// It takes notices as they are.
    Notices(Arc<dyn Notify>),
    /// It keeps a change for each plan.
    Changes(Arc<dyn Desk>, Opens),
}

/// The couriers in force: a reload of the configuration replaces them all at once.
pub struct Couriers {
    list: watch::Sender<Vec<Courier>>,
    /// Taken while they are at work, so that one process delivers once.
    at_work: tokio::sync::Mutex<()>,
    pace: Duration,
}

impl Default for Couriers {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Couriers {
    /// These.
    pub fn new(couriers: Vec<Courier>) -> Self {
        Self { list: watch::channel(couriers).0, at_work: tokio::sync::Mutex::new(()), pace: FIRST }
    }

    /// With another pause after the first failed try.
    #[must_use]
    pub fn paced(self, pace: Duration) -> Self {
        Self { pace, ..self }
    }

    /// From now on these. What is under way on an old one is broken off and tried anew.
    pub fn replace(&self, couriers: Vec<Courier>) {
        self.list.send_replace(couriers);
    }

    /// Those in force.
    pub fn now(&self) -> Vec<Courier> {
        self.list.borrow().clone()
    }

    /// Delivers until the task that does it is ended, each receiver by a task of its own. Where it is being done already nothing is.
    pub async fn deliver(self: Arc<Self>, outbox: Arc<dyn Outbox>, clock: Arc<dyn Clock>, chance: Chance) {
        let Ok(_at_work) = self.at_work.try_lock() else { return };
        let mut changed = self.list.subscribe();
        loop {
            let couriers = changed.borrow_and_update().clone();
            if couriers.is_empty() {
                if changed.changed().await.is_err() {
                    return;
                }
                continue;
            }
            let names: Vec<BackendName> = couriers.iter().map(|courier| courier.name.clone()).collect();
            if let Err(error) = outbox.know(&names).await {
                tracing::warn!(%error, "receivers were not made known; tried again");
                tokio::time::sleep(LOOK).await;
                continue;
            }
            let (told, news) = watch::channel(0);
            let mut tasks = tokio::task::JoinSet::new();
            for courier in couriers {
                let run = Run { outbox: outbox.clone(), clock: clock.clone(), chance: chance.clone(), pace: self.pace, courier };
                tasks.spawn(run.serve(news.clone()));
            }
            tokio::select! {
                () = look(&outbox, &told) => {},
                more = changed.changed() => if more.is_err() { return },
            }
        }
    }
}

/// Wakes the couriers when something was committed, and has recorded what time brought.
async fn look(outbox: &Arc<dyn Outbox>, told: &watch::Sender<i64>) {
    let mut since = TICK;
    loop {
        if since >= TICK {
            since = Duration::ZERO;
            if let Err(error) = outbox.tick().await {
                tracing::debug!(%error, "what time brought was not recorded; tried again");
            }
        }
        if let Ok(generation) = outbox.generation().await {
            told.send_if_modified(|before| std::mem::replace(before, generation) != generation);
        }
        tokio::time::sleep(GLANCE).await;
        since += GLANCE;
    }
}

/// What a courier does next.
enum Then {
    /// Looks again at once.
    On,
    /// Waits until something is committed.
    Idle,
    /// Waits so long.
    Pause(Duration),
}

/// One courier at work.
struct Run {
    outbox: Arc<dyn Outbox>,
    clock: Arc<dyn Clock>,
    chance: Chance,
    pace: Duration,
    courier: Courier,
}

impl Run {
    async fn serve(self, mut news: watch::Receiver<i64>) {
        loop {
            let then = self.step().await.unwrap_or_else(|error| {
                tracing::debug!(%error, receiver = %self.courier.name, "the outbox was not read or written; tried again");
                Then::Pause(Duration::from_secs(5))
            });
            match then {
                Then::On => {}
                Then::Pause(span) => tokio::time::sleep(span).await,
                Then::Idle => {
                    let _ = tokio::time::timeout(LOOK, news.changed()).await;
                }
            }
        }
    }

    /// Looks at what lies before the receiver and deals with the first of it.
    async fn step(&self) -> Result<Then, LedgerError> {
        let name = &self.courier.name;
        let before = self.outbox.before(name, LINES).await?;
        let Some(last) = before.lines.last() else { return Ok(Then::Idle) };
        let wanted = before.lines.iter().find(|line| line.again || self.courier.wants.takes(line.kind, line.target.as_deref()));
        let now = self.clock.now().wall;
        if let Some(at) = before.again_at.filter(|at| wanted.is_some() && *at > now && *at - now < TRUSTED) {
            return Ok(Then::Pause((at - now).to_std().unwrap_or(FIRST).min(Duration::from_secs(5))));
        }
        if !self.outbox.lease(name).await? {
            return Ok(Then::Pause(Duration::from_secs(1)));
        }
        let Some(line) = wanted else {
            self.outbox.passed(name, last, false).await?;
            return Ok(Then::On);
        };
        let Some(notice) = self.outbox.notice(line.seq).await? else {
            self.outbox.passed(name, line, false).await?;
            return Ok(Then::On);
        };
        match tokio::time::timeout(TRY, self.tell(&notice)).await {
            Ok(Ok(())) => self.outbox.passed(name, line, true).await?,
            Ok(Err(error)) => return self.not_taken(line, before.tries, &error).await,
            Err(_) => {
                let why = Text::clean(&format!("{name} did not answer within {} s", TRY.as_secs()));
                self.outbox.failed(name, &why, self.after(before.tries, None)).await?;
            }
        }
        Ok(Then::On)
    }

    async fn tell(&self, notice: &Notice) -> Result<(), NotifyError> {
        match &self.courier.way {
            Way::Notices(port) => port.tell(notice).await,
            Way::Changes(desk, opens) => clerk::tell(&self.outbox, (&self.courier.name, desk.as_ref(), *opens), notice).await,
        }
    }

    async fn not_taken(&self, line: &Line, tries: u32, error: &NotifyError) -> Result<Then, LedgerError> {
        let name = &self.courier.name;
        let why = Text::clean_within(&error.to_string(), 600);
        let enough = match error {
            NotifyError::Final(_) => true,
            NotifyError::Refused(_) => tries.saturating_add(1) >= REFUSALS,
            NotifyError::Later(_) => false,
        };
        if enough {
            self.outbox.park(name, line, &why).await?;
        } else {
            self.outbox.failed(name, &why, self.after(tries, error.until())).await?;
        }
        Ok(Then::On)
    }

    /// When the next try may be made: later each time, a little by chance, and never before the receiver asked.
    fn after(&self, tries: u32, asked: Option<DateTime<Utc>>) -> DateTime<Utc> {
        let pause = self.pace.saturating_mul(1 << tries.min(10)).min(LONGEST).mul_f64(0.75 + 0.5 * (self.chance)().clamp(0.0, 1.0));
        due(self.clock.now().plus(pause).wall, asked)
    }
}

/// When the next try is due: as usual, and not before the receiver asked.
fn due(usual: DateTime<Utc>, asked: Option<DateTime<Utc>>) -> DateTime<Utc> {
    asked.map_or(usual, |asked| asked.max(usual))
}

/// What one receiver has not got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its name.
    pub name: BackendName,
    /// How many notices that it wants, up to 64.
    pub count: usize,
    /// Why the last try failed.
    pub trouble: Option<Text>,
    /// Whether another living process delivers to it.
    pub elsewhere: bool,
}

/// What the receivers of a configuration have not got yet.
///
/// # Errors
/// When the store cannot be read.
pub async fn left(outbox: &Arc<dyn Outbox>, couriers: &[Courier]) -> Result<Vec<Left>, LedgerError> {
    let progress = outbox.progress().await?;
    let mut all = Vec::new();
    for courier in couriers {
        let before = outbox.before(&courier.name, LINES).await?;
        let wants = |line: &&Line| line.again || courier.wants.takes(line.kind, line.target.as_deref());
        let count = before.lines.iter().filter(wants).count();
        let trouble = progress.iter().find(|one| one.name == courier.name).and_then(|one| one.trouble.clone());
        let elsewhere = outbox.is_elsewhere(&courier.name).await?;
        all.push(Left { name: courier.name.clone(), count, trouble, elsewhere });
    }
    Ok(all)
}

/// Waits until every receiver has what it wants, was tried in vain, or is another process's; at most `within`. What is left then.
///
/// # Errors
/// When the store cannot be read.
pub async fn settled(outbox: &Arc<dyn Outbox>, couriers: &[Courier], within: Duration) -> Result<Vec<Left>, LedgerError> {
    let waiting = async {
        loop {
            let left = left(outbox, couriers).await?;
            if left.iter().all(|one| one.count == 0 || one.trouble.is_some() || one.elsewhere) {
                return Ok(left);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(within, waiting).await {
        Ok(left) => left,
        Err(_) => left(outbox, couriers).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_is_made_as_usual_and_never_before_the_receiver_asked() {
        let at = |seconds: i64| DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap();
        assert_eq!(due(at(1), None), at(1));
        assert_eq!(due(at(1), Some(at(30))), at(30));
        assert_eq!(due(at(60), Some(at(30))), at(60), "who fails for long is asked less often than it wishes");
    }
}
