//! What happens to a deed after it began: outcomes, renewed leases, deeds taken over from the dead.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::begin::{ends, proves_way_back, told};
use super::deeds::DeedRow;
use super::parts;
use super::plans::no_plan;
use super::reviews;
use super::sqlite::SqliteStore;
use super::state::{self, Lease};
use crate::model::deed::{DeedState, EntryKind};
use crate::model::name::PlanId;
use crate::model::rollout::StateChange;
use crate::model::text::Text;
use crate::model::time::rfc3339;
use crate::ports::ledger::{Adoption, LedgerError, Outcome};

impl SqliteStore {
    pub(super) async fn record_outcome(&self, plan: PlanId, outcome: &Outcome) -> Result<DateTime<Utc>, LedgerError> {
        check(outcome)?;
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        let mut row = DeedRow::load(&mut write.tx, plan).await?.ok_or_else(|| no_plan(&plan.to_string()))?;
        let target = row.deed.target.clone();
        if row.owner != self.owner.name() || row.deed.state == DeedState::Superseded {
            return Err(LedgerError::LostLease(target));
        }
        if outcome.step.is_some_and(|step| usize::try_from(step).is_ok_and(|step| step >= row.deed.steps.len())) {
            return Err(LedgerError::Denied(Text::clean("the order has no such step")));
        }
        let mut changes = outcome.changes.clone();
        if outcome.kind == EntryKind::Effective && outcome.step.is_none() {
            changes.extend(parts::reached(&row.plan, write.at));
            changes.extend(ends(&row.plan, write.at));
            changes.extend(proves_way_back(&row.plan, write.at));
            reviews::took_effect(&mut write.tx, plan, write.at).await?;
        }
        if outcome.kind == EntryKind::NotBegun {
            // From now on the step may be sent: an observation showed that it did not happen.
            sqlx::query("DELETE FROM sending WHERE deed = ?1 AND (?2 IS NULL OR step = ?2)")
                .bind(plan.to_string())
                .bind(outcome.step.map(i64::from))
                .execute(&mut *write.tx)
                .await?;
        }
        changes.extend(parts::fell(&mut write.tx, &row, outcome, write.at).await?);
        state::change(&mut write.tx, &changes).await?;
        row.settle(outcome, write.at);
        let mut more = told(&changes)?;
        more.insert("held_due".to_owned(), Value::from(outcome.held_due.as_ref().map(rfc3339)));
        if outcome.step.is_some() && !outcome.releases && matches!(outcome.kind, EntryKind::Failed | EntryKind::NotBegun) {
            // The deed is not over: it takes back what it moved, or goes on to the next router.
            more.insert("goes_on".to_owned(), Value::from(true));
        }
        more.insert("error".to_owned(), Value::from(outcome.error.as_ref().map(|error| error.kind.name())));
        row.append(&mut write, outcome.kind, outcome.step, &outcome.words, more).await?;
        parts::page(&mut write.tx, &row, outcome, write.at).await?;
        if outcome.releases {
            let mut lease = Lease::load(&mut write.tx, &target).await?;
            if lease.deed == Some(plan.to_string()) {
                lease.deed = None;
                lease.save(&mut write.tx, &target).await?;
            }
        }
        write.commit().await
    }

    pub(super) async fn renew_lease(&self, plan: PlanId, epoch: u64) -> Result<(), LedgerError> {
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        let row = DeedRow::load(&mut write.tx, plan).await?.ok_or_else(|| no_plan(&plan.to_string()))?;
        let target = row.deed.target;
        let mut lease = Lease::load(&mut write.tx, &target).await?;
        if lease.deed != Some(plan.to_string()) || lease.epoch != epoch || lease.owner != self.owner.name() {
            return Err(LedgerError::LostLease(target));
        }
        lease.renew(&write.moment, self.clock.boot_id());
        lease.save(&mut write.tx, &target).await?;
        write.commit().await.map(drop)
    }

    pub(super) async fn adopt_deed(&self, plan: PlanId) -> Result<Adoption, LedgerError> {
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        let mut row = DeedRow::load(&mut write.tx, plan).await?.ok_or_else(|| no_plan(&plan.to_string()))?;
        let target = row.deed.target.clone();
        let mut lease = Lease::load(&mut write.tx, &target).await?;
        let leased = lease.deed == Some(plan.to_string());
        if row.owner == self.owner.name() {
            return Ok(if leased && lease.owner == row.owner { Adoption::Leased(lease.epoch) } else { Adoption::Observed });
        }
        if !row.open || self.owner.alive(&row.owner) {
            return Ok(Adoption::NotOurs);
        }
        // A later deed may have taken the lease meanwhile: then this one is only settled by observing.
        if leased {
            lease.take(plan, self.owner.name());
            lease.renew(&write.moment, self.clock.boot_id());
            lease.save(&mut write.tx, &target).await?;
        }
        self.owner.name().clone_into(&mut row.owner);
        row.save(&mut write.tx, 0).await?;
        write.commit().await?;
        Ok(if leased { Adoption::Leased(lease.epoch) } else { Adoption::Observed })
    }

    pub(super) async fn remember_changes(&self, changes: &[StateChange]) -> Result<(), LedgerError> {
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        state::change(&mut write.tx, changes).await?;
        write.commit().await.map(drop)
    }
}

/// Only what can happen to a deed under way or watched is an outcome.
fn check(outcome: &Outcome) -> Result<(), LedgerError> {
    match outcome.kind {
        EntryKind::Accepted
        | EntryKind::Effective
        | EntryKind::Held
        | EntryKind::Slipped
        | EntryKind::Unwatched
        | EntryKind::Superseded
        | EntryKind::Failed
        | EntryKind::Unknown
        | EntryKind::NotBegun => Ok(()),
        EntryKind::Signers
        | EntryKind::Intent
        | EntryKind::Denied
        | EntryKind::Approval
        | EntryKind::Rejection
        | EntryKind::Withdrawal
        | EntryKind::Sending
        | EntryKind::Hold
        | EntryKind::Resume
        | EntryKind::Note
        | EntryKind::Policy
        | EntryKind::BreakGlass
        | EntryKind::Imported => Err(LedgerError::Denied(Text::clean(&format!("`{}` is no outcome of a deed", outcome.kind.word())))),
    }
}
