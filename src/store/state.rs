//! Rows that change together with the ledger: what is remembered of targets, and leases.

use sqlx::{Row as _, SqliteConnection};

use super::LEASE;
use super::fault::broken;
use crate::model::name::{PlanId, Target};
use crate::model::part::Part;
use crate::model::rollout::{Rollout, StateChange, TargetState};
use crate::model::share::Percent;
use crate::model::spec::{Course, Ended, Ending};
use crate::model::time::{Boot, Moment};
use crate::ports::ledger::LedgerError;

/// How many proven versions are remembered of a target.
const MOST_PROVEN: usize = 20;

/// What is remembered of a target.
pub async fn load(conn: &mut SqliteConnection, target: &Target) -> Result<TargetState, LedgerError> {
    let row = sqlx::query("SELECT json FROM state WHERE target = ?").bind(target.to_string()).fetch_optional(conn).await?;
    match row {
        Some(row) => serde_json::from_str(row.try_get(0)?).map_err(broken),
        None => Ok(TargetState::new(target.clone())),
    }
}

/// What is remembered of every target, by name.
pub async fn load_all(conn: &mut SqliteConnection) -> Result<Vec<TargetState>, LedgerError> {
    let rows = sqlx::query("SELECT json FROM state ORDER BY target").fetch_all(conn).await?;
    rows.iter().map(|row| serde_json::from_str(row.try_get(0)?).map_err(broken)).collect()
}

/// Remembers changes.
pub async fn change(conn: &mut SqliteConnection, changes: &[StateChange]) -> Result<(), LedgerError> {
    for change in changes {
        let target = match change {
            StateChange::Begin { target, .. }
            | StateChange::Start { target, .. }
            | StateChange::Take { target, .. }
            | StateChange::Release { target, .. }
            | StateChange::Reach { target, .. }
            | StateChange::Rolled { target, .. }
            | StateChange::Stop { target, .. }
            | StateChange::End { target, .. }
            | StateChange::Hold { target, .. }
            | StateChange::Resume { target }
            | StateChange::WayBack { target, .. }
            | StateChange::Prove { target, .. } => target,
        };
        let mut state = load(conn, target).await?;
        apply(&mut state, change);
        sqlx::query("INSERT INTO state (target, json) VALUES (?, ?) ON CONFLICT (target) DO UPDATE SET json = excluded.json")
            .bind(target.to_string())
            .bind(serde_json::to_string(&state).map_err(broken)?)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

fn apply(state: &mut TargetState, change: &StateChange) {
    match change {
        StateChange::Begin { ended, rollout, .. } => {
            if state.ended == *ended && state.rollout.is_none() {
                state.rollout = Some(Box::new(rollout.clone()));
            }
        }
        StateChange::Start { rollout, .. } => state.rollout = Some(rollout.clone()),
        StateChange::Take { rollout, part: Part::WayBack, deed, .. } => {
            if let Some(course) = course_of(state, *rollout) {
                course.way_back = Some(*deed);
            }
        }
        StateChange::Take { part: Part::Step { .. } | Part::End, .. } => {}
        StateChange::Release { rollout, deed, .. } => {
            if let Some(course) = course_of(state, *rollout).filter(|course| course.way_back == Some(*deed)) {
                course.way_back = None;
            }
        }
        StateChange::Reach { percent, unshared, scaled, stopped, at, .. } => {
            if let Some(course) = state.rollout.as_mut().and_then(|rollout| rollout.course.as_deref_mut()) {
                let spec = &course.spec;
                let before = match (*percent, *unshared, *scaled) {
                    (Percent::NONE, true, true) => spec.scaling(),
                    (Percent::NONE, true, false) => spec.unshared(),
                    // Nobody gets the version on trial any more, and what was brought up for it stands.
                    (Percent::NONE, false, _) => spec.scaling().filter(|_| course.step.is_some()),
                    _ => None,
                };
                course.step = spec.at_share(*percent).or(before);
                course.since = *at;
                course.rolled = None;
                course.stopped.clone_from(stopped);
            }
        }
        StateChange::Rolled { rollout, step, at, .. } => {
            // Whoever saw it first said so.
            if let Some(course) = course_of(state, *rollout).filter(|course| course.step == Some(*step) && course.rolled.is_none()) {
                course.rolled = Some(*at);
            }
        }
        StateChange::Stop { rollout, stopped, .. } => {
            if let Some(course) = course_of(state, *rollout) {
                course.stopped = Some(stopped.clone());
            }
        }
        StateChange::End { stable, at, .. } => {
            if let (Some(rollout), Some(at)) = (&state.rollout, at) {
                let went_back = rollout.course.as_ref().is_some_and(|course| course.way_back.is_some());
                let how = match (state.stable == *stable, went_back) {
                    (false, _) => Ending::Promoted,
                    (true, true) => Ending::WentBack,
                    (true, false) => Ending::Aborted,
                };
                let Rollout { plan, from, to, course, .. } = (**rollout).clone();
                let set = course.and_then(|course| course.spec.together).map(|together| together.nonce);
                state.last = Some(Box::new(Ended { plan, how, at: *at, from, to, set }));
            }
            state.rollout = None;
            state.stable = *stable;
            state.ended = state.ended.saturating_add(1);
        }
        StateChange::Hold { hold, .. } => state.hold = Some(hold.clone()),
        StateChange::Resume { .. } => {
            state.hold = None;
            // A way back that did not come about is not tried by itself again.
            if let Some(course) = state.rollout.as_mut().and_then(|rollout| rollout.course.as_deref_mut())
                && course.stopped.as_ref().is_some_and(|stopped| !stopped.stranded)
            {
                course.stopped = None;
            }
        }
        StateChange::WayBack { way_back, .. } => state.way_back = Some(way_back.clone()),
        StateChange::Prove { proven, .. } => {
            state.proven.retain(|old| (&old.version, &old.digest, old.slot) != (&proven.version, &proven.digest, proven.slot));
            state.proven.insert(0, proven.clone());
            state.proven.truncate(MOST_PROVEN);
        }
    }
}

/// The course of a rollout that is under way.
fn course_of(state: &mut TargetState, rollout: PlanId) -> Option<&mut Course> {
    let under_way = state.rollout.as_mut().filter(|under_way| under_way.plan == Some(rollout))?;
    under_way.course.as_deref_mut()
}

/// The lease on a target. Its epoch only grows and outlives the deeds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lease {
    /// The epoch of the last owner.
    pub epoch: u64,
    /// The deed for which it is held; none when it is free.
    pub deed: Option<String>,
    /// The owner.
    pub owner: String,
    boot: String,
    ends: Boot,
}

impl Lease {
    /// Reads the lease on a target.
    pub async fn load(conn: &mut SqliteConnection, target: &Target) -> Result<Self, LedgerError> {
        let row = sqlx::query("SELECT epoch, deed, owner, boot, ends FROM lease WHERE target = ?").bind(target.to_string());
        let Some(row) = row.fetch_optional(conn).await? else { return Ok(Self::default()) };
        Ok(Self {
            epoch: u64::try_from(row.try_get::<i64, _>(0)?).map_err(broken)?,
            deed: row.try_get(1)?,
            owner: row.try_get(2)?,
            boot: row.try_get(3)?,
            ends: Boot(u64::try_from(row.try_get::<i64, _>(4)?).map_err(broken)?),
        })
    }

    /// Whether it ended: its time is over, or the machine was started again since.
    pub fn expired(&self, now: &Moment, boot: &str) -> bool {
        self.boot != boot || now.boot >= self.ends
    }

    /// Takes it for a deed, under the next epoch.
    pub fn take(&mut self, deed: PlanId, owner: &str) {
        self.epoch = self.epoch.saturating_add(1);
        self.deed = Some(deed.to_string());
        owner.clone_into(&mut self.owner);
    }

    /// Makes it last from now.
    pub fn renew(&mut self, now: &Moment, boot: String) {
        self.boot = boot;
        self.ends = now.boot.plus(LEASE);
    }

    /// Stores it.
    pub async fn save(&self, conn: &mut SqliteConnection, target: &Target) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO lease (target, epoch, deed, owner, boot, ends) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (target) DO UPDATE \
             SET epoch = excluded.epoch, deed = excluded.deed, owner = excluded.owner, boot = excluded.boot, ends = excluded.ends \
             WHERE excluded.epoch >= lease.epoch",
        )
        .bind(target.to_string())
        .bind(i64::try_from(self.epoch).map_err(broken)?)
        .bind(&self.deed)
        .bind(&self.owner)
        .bind(&self.boot)
        .bind(i64::try_from(self.ends.0).map_err(broken)?)
        .execute(conn)
        .await?;
        Ok(())
    }
}
