//! The point of no return: everything that must be true at once before a deed begins.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::deeds::DeedRow;
use super::fault::broken;
use super::grants;
use super::parts;
use super::plans::{insert, spent};
use super::reviews;
use super::rulings;
use super::sqlite::SqliteStore;
use super::state::{self, Lease};
use super::write::Write;
use crate::model::deed::{EntryKind, Recorded};
use crate::model::intent::{Direction, Verb};
use crate::model::plan::{Plan, StepEffect};
use crate::model::rollout::{Hold, StateChange, WayBack};
use crate::model::text::Text;
use crate::model::verdict::Verdict;
use crate::ports::ledger::{AtCommit, Begun, CARRIED_OUT, JudgeAgain, LedgerError, Outcome};
use crate::ports::signer::Signed;

impl SqliteStore {
    pub(super) async fn begin_deed(&self, plan: &Plan, signed: &[Signed], judge: JudgeAgain<'_>) -> Result<Begun, LedgerError> {
        self.check_identity(plan)?;
        self.check_read_only()?;
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        if let Some(how) = spent(&mut write.tx, plan.id).await? {
            return Err(LedgerError::Spent(Text::clean(&how)));
        }
        if write.at >= plan.expires {
            return Err(LedgerError::Expired(plan.expires));
        }
        let before = DeedRow::load_open_on(&mut write.tx, plan.target()).await?;
        let mut lease = Lease::load(&mut write.tx, plan.target()).await?;
        let takes = !plan.order.effects.is_empty() || !matches!(plan.order.verb, Verb::Hold | Verb::Resume | Verb::Note);
        if takes {
            self.check_free(plan, &lease, &before, &write)?;
        }
        let now = state::load(&mut write.tx, plan.target()).await?;
        let approvals = rulings::given(&mut write.tx, plan.id).await?;
        let owed = reviews::owed_on(&mut write.tx, plan.target()).await?;
        let grants = grants::lately(&mut write.tx, &plan.target().environment, write.at).await?;
        write.name_rules().await?;
        let rules = write.rules_standing().await?;
        if !signed.is_empty() {
            write.take_signatures(&plan.order.requester, personal_bodies(plan)?, signed).await?;
        }
        // Bookings stand in the way of what goes forward alone.
        let forward = plan.direction == Direction::Forward;
        let waiting = if forward { rulings::all_waiting(&mut write.tx, write.at).await? } else { Vec::new() };
        let found = AtCommit { state: now, at: write.at, approvals, waiting, owed, grants, is_own_key: !signed.is_empty(), rules };
        let permit = match judge(&found) {
            Verdict::Permit(permit) if permit.plan() == plan.id => permit,
            Verdict::Permit(_) => return Err(LedgerError::Denied(Text::clean("the permit is for another plan; plan again"))),
            other @ (Verdict::SecondPerson { .. } | Verdict::Early(_) | Verdict::Deny(_)) => {
                let reasons = other.reasons().to_vec();
                write.deny(plan, &reasons).await?;
                write.commit().await?;
                return Err(LedgerError::Refused(reasons));
            }
        };
        if takes {
            lease.take(plan.id, self.owner.name());
            lease.renew(&write.moment, self.clock.boot_id());
        }
        insert(&mut write.tx, plan, Some(CARRIED_OUT)).await?;
        parts::take(&mut write.tx, plan).await?;
        if !plan.order.effects.is_empty() {
            self.supersede(before, plan, &mut write).await?;
        }
        self.owe(&mut write, plan, &permit, !signed.is_empty()).await?;
        let mut row = DeedRow::begin(plan, self.owner.name(), write.at);
        write.saw(EntryKind::Intent, plan)?;
        row.append(&mut write, EntryKind::Intent, None, &plan.intent.reason, Map::new()).await?;
        if plan.order.effects.is_empty() {
            Self::take_effect(&mut row, &mut write).await?;
            lease.deed = None;
        } else {
            // A hold holds from its intent on, whatever becomes of what it pauses.
            let changes = Self::stand(&mut row, &mut write).await?;
            state::change(&mut write.tx, &changes).await?;
        }
        if takes {
            lease.save(&mut write.tx, plan.target()).await?;
        }
        let at = write.commit().await?;
        Ok(Begun { permit, plan: plan.clone(), epoch: lease.epoch, at })
    }

    /// No other deed may be under way. A way back takes an expired lease, and does not wait for the effect of what was sent: it is never
    /// harder than the way forward.
    fn check_free(&self, plan: &Plan, lease: &Lease, before: &[DeedRow], write: &Write<'_>) -> Result<(), LedgerError> {
        let back = plan.direction == Direction::Back;
        let expired = lease.expired(&write.moment, &self.clock.boot_id());
        let holder = match &lease.deed {
            Some(_) if back && expired => None,
            Some(deed) if back && before.iter().any(|row| row.deed.plan.to_string() == *deed && row.only_awaits_effect()) => None,
            Some(deed) => Some(deed.clone()),
            None if back => None,
            None => before.iter().find(|row| row.deed.state.is_under_way()).map(|row| row.deed.plan.to_string()),
        };
        let Some(deed) = holder else { return Ok(()) };
        let by = before.iter().find(|row| row.deed.plan.to_string() == deed).map_or_else(String::new, |row| row.deed.requester.clone());
        Err(LedgerError::Busy { target: plan.target().clone(), deed, by })
    }

    /// A deed with effects takes over: earlier watches end, nobody waits for earlier effects any more, and an UNKNOWN that nobody pursues is settled by this decision.
    async fn supersede(&self, before: Vec<DeedRow>, plan: &Plan, write: &mut Write<'_>) -> Result<(), LedgerError> {
        for mut row in before {
            // A hold pauses what was sent and takes nothing back: the effect is seen all the same.
            let awaits = row.only_awaits_effect() && plan.order.verb != Verb::Hold;
            if row.deed.state.is_under_way() && !awaits || !plan.takes_over(&row.plan) {
                continue;
            }
            if awaits || row.deed.facts.effective.is_some() {
                let words = Text::clean(&format!("{} by {} took over", plan.order.verb.word(), plan.order.requester));
                row.settle(&outcome(EntryKind::Superseded, words.clone()), write.at);
                let more = Map::from_iter([("by".to_owned(), Value::from(plan.id.to_string()))]);
                row.append(write, EntryKind::Superseded, None, &words, more).await?;
            } else {
                row.open = false;
                row.save(&mut write.tx, 0).await?;
            }
        }
        Ok(())
    }

    /// What has no effect on a backend is effective at once.
    async fn take_effect(row: &mut DeedRow, write: &mut Write<'_>) -> Result<(), LedgerError> {
        let mut changes = Self::stand(row, write).await?;
        let mut begins = Vec::new();
        match row.deed.verb {
            Verb::Note => {
                let text = row.plan.order.text.clone().unwrap_or_else(Text::empty);
                row.append(write, EntryKind::Note, None, &text, Map::new()).await?;
            }
            Verb::Rollout => begins.extend(parts::started(&row.plan, write.at)),
            Verb::Hold
            | Verb::Resume
            | Verb::Shift
            | Verb::Flag
            | Verb::Drain
            | Verb::Ready
            | Verb::Silence
            | Verb::Unsilence
            | Verb::Promote
            | Verb::Abort
            | Verb::Rollback
            | Verb::Start
            | Verb::Retry
            | Verb::Cancel
            | Verb::Approve
            | Verb::Reject => {}
        }
        // What the entry of its effect tells.
        begins.extend(ends(&row.plan, write.at));
        changes.extend(begins.clone());
        state::change(&mut write.tx, &changes).await?;
        reviews::took_effect(&mut write.tx, row.plan.id, write.at).await?;
        row.settle(&outcome(EntryKind::Effective, Text::empty()), write.at);
        row.append(write, EntryKind::Effective, None, &Text::empty(), told(&begins)?).await
    }

    /// Sets or lifts a hold, with its entry.
    async fn stand(row: &mut DeedRow, write: &mut Write<'_>) -> Result<Vec<StateChange>, LedgerError> {
        let target = row.deed.target.clone();
        let mut changes = Vec::new();
        match row.deed.verb {
            Verb::Hold => {
                let hold = Hold {
                    by: row.deed.requester.clone(),
                    since: write.at,
                    reason: row.deed.reason.clone(),
                    deed: row.deed.plan,
                    share: row.plan.order.percent,
                };
                changes.push(StateChange::Hold { target: target.clone(), hold });
                row.append(write, EntryKind::Hold, None, &row.deed.reason, told(&changes)?).await?;
            }
            Verb::Resume => {
                parts::again(&mut write.tx, &target).await?;
                changes.push(StateChange::Resume { target: target.clone() });
                row.append(write, EntryKind::Resume, None, &row.deed.reason, told(&changes)?).await?;
            }
            Verb::Note
            | Verb::Rollout
            | Verb::Shift
            | Verb::Promote
            | Verb::Abort
            | Verb::Rollback
            | Verb::Start
            | Verb::Flag
            | Verb::Drain
            | Verb::Ready
            | Verb::Silence
            | Verb::Unsilence
            | Verb::Retry
            | Verb::Cancel
            | Verb::Approve
            | Verb::Reject => {}
        }
        Ok(changes)
    }

    pub(super) async fn record_sending(&self, begun: &Begun, step: u32) -> Result<Recorded, LedgerError> {
        self.check_read_only()?;
        let plan = &begun.plan;
        let target = plan.target();
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        let mut lease = Lease::load(&mut write.tx, target).await?;
        let ours = lease.deed == Some(plan.id.to_string()) && lease.epoch == begun.epoch && lease.owner == self.owner.name();
        let lost = || LedgerError::LostLease(target.clone());
        if !ours || begun.permit.plan() != plan.id {
            return Err(lost());
        }
        let mut row = DeedRow::load(&mut write.tx, plan.id).await?.ok_or_else(lost)?;
        if usize::try_from(step).is_ok_and(|step| step >= row.deed.steps.len()) {
            return Err(LedgerError::Denied(Text::clean(&format!("the order has no step {step}"))));
        }
        let at = usize::try_from(step).unwrap_or(usize::MAX);
        if !begun.permit.covers(&plan.order, at) {
            return Err(LedgerError::Denied(Text::clean("a deed that was taken over is not sent on")));
        }
        // What is taken back is no way forward.
        if row.plan.direction == Direction::Forward
            && !plan.order.is_back(at)
            && let Some(hold) = state::load(&mut write.tx, target).await?.hold
        {
            return Err(LedgerError::HeldBy { target: target.clone(), by: hold.by });
        }
        let sent = sqlx::query("INSERT OR IGNORE INTO sending (deed, step, epoch) VALUES (?, ?, ?)")
            .bind(plan.id.to_string())
            .bind(i64::from(step))
            .bind(i64::try_from(begun.epoch).map_err(broken)?)
            .execute(&mut *write.tx)
            .await?;
        if sent.rows_affected() != 1 {
            return Err(LedgerError::AlreadySent(step));
        }
        lease.renew(&write.moment, self.clock.boot_id());
        lease.save(&mut write.tx, target).await?;
        row.send(step, write.at);
        let more =
            Map::from_iter([("epoch".to_owned(), json!(begun.epoch)), ("key".to_owned(), Value::from(format!("{}-{step}", plan.id)))]);
        row.append(&mut write, EntryKind::Sending, Some(step), &Text::empty(), more).await?;
        write.commit().await?;
        Ok(Recorded::attest(plan.id, step, begun.epoch))
    }

    fn check_read_only(&self) -> Result<(), LedgerError> {
        if self.read_only.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(LedgerError::Denied(Text::clean("the room is read-only")));
        }
        Ok(())
    }
}

/// The end of the rollout that an effective deed brings.
pub fn ends(plan: &Plan, at: DateTime<Utc>) -> Option<StateChange> {
    plan.order.ends.map(|stable| StateChange::End { target: plan.target().clone(), stable, at: Some(at) })
}

/// What the requester's own key signs of a plan from tier T1 on.
pub fn personal_bodies(plan: &Plan) -> Result<Vec<(EntryKind, Vec<u8>)>, LedgerError> {
    let row = DeedRow::begin(plan, "", plan.made);
    let mut bodies = vec![(EntryKind::Intent, row.body(EntryKind::Intent, None, &plan.intent.reason, Map::new())?)];
    if plan.order.break_glass.is_some() {
        bodies.push((EntryKind::BreakGlass, reviews::opened(plan, &plan.waived)?));
    }
    if plan.order.verb == Verb::Note {
        let text = plan.order.text.clone().unwrap_or_else(Text::empty);
        bodies.push((EntryKind::Note, row.body(EntryKind::Note, None, &text, Map::new())?));
    }
    Ok(bodies)
}

/// That a way back works is proven by one that did.
pub fn proves_way_back(plan: &Plan, at: DateTime<Utc>) -> Option<StateChange> {
    let moves = plan.order.effects.iter().any(|effect| matches!(effect, StepEffect::Weights { .. } | StepEffect::Workload { .. }));
    let way_back = WayBack { at, deed: plan.id };
    (plan.direction == Direction::Back && moves).then(|| StateChange::WayBack { target: plan.target().clone(), way_back })
}

/// The member `changes` of a body.
pub fn told(changes: &[StateChange]) -> Result<Map<String, Value>, LedgerError> {
    Ok(Map::from_iter([("changes".to_owned(), serde_json::to_value(changes).map_err(broken)?)]))
}

fn outcome(kind: EntryKind, words: Text) -> Outcome {
    Outcome { kind, step: None, words, error: None, changes: Vec::new(), releases: true, held_due: None, no_help: false }
}
