//! The ledger's port on [`SqliteStore`]: each method is one transaction, told in the file of its family.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::begin::personal_bodies;
use super::sqlite::SqliteStore;
use super::state;
use crate::model::approval::{Attempt, Ruling, Waiting};
use crate::model::catalog::Catalog;
use crate::model::course::PastChange;
use crate::model::deed::{Deed, EntryKind, Recorded};
use crate::model::name::PlanId;
use crate::model::operator::Person;
use crate::model::plan::Plan;
use crate::model::presence::Presence;
use crate::model::reason::Reason;
use crate::model::review::{Finding, Review};
use crate::model::rollout::{StateChange, TargetState};
use crate::model::rules::{Naming, RuleStanding};
use crate::model::self_service::{Saying, SelfGrant};
use crate::model::text::Text;
use crate::ports::Pending;
use crate::ports::ledger::{
    Adoption, Begun, EntryRow, JudgeAgain, Ledger, LedgerError, MayGrant, MayName, MayReview, MayRule, OpenDeed, Outcome, Verification,
};
use crate::ports::signer::Signed;

impl Ledger for SqliteStore {
    fn installation(&self) -> String {
        self.name().to_owned()
    }

    fn name_people(&self, people: &[Person]) {
        self.set_people(people);
    }

    fn name_rules(&self, catalog: &Arc<Catalog>) {
        self.set_rules(catalog);
    }

    fn rules(&self) -> Pending<'_, Result<RuleStanding, LedgerError>> {
        Box::pin(self.rules_standing())
    }

    fn accept_rules<'a>(
        &'a self,
        naming: &'a Naming,
        signed: Option<&'a Signed>,
        may: MayName<'a>,
    ) -> Pending<'a, Result<RuleStanding, LedgerError>> {
        Box::pin(self.put_name(naming, signed, may))
    }

    fn store_plan<'a>(&'a self, plan: &'a Plan) -> Pending<'a, Result<(), LedgerError>> {
        Box::pin(self.put_plan(plan))
    }

    fn plan<'a>(&'a self, prefix: &'a str) -> Pending<'a, Result<Plan, LedgerError>> {
        Box::pin(self.find_plan(prefix))
    }

    fn waiting(&self) -> Pending<'_, Result<Vec<Waiting>, LedgerError>> {
        Box::pin(self.plans_waiting())
    }

    fn past(&self) -> Pending<'_, Result<Vec<PastChange>, LedgerError>> {
        Box::pin(self.past_changes())
    }

    fn rule<'a>(
        &'a self,
        ruling: &'a Ruling,
        signed: Option<&'a Signed>,
        may: MayRule<'a>,
    ) -> Pending<'a, Result<DateTime<Utc>, LedgerError>> {
        Box::pin(self.record_ruling(ruling, signed, may))
    }

    fn reviews(&self) -> Pending<'_, Result<Vec<Review>, LedgerError>> {
        Box::pin(self.list_reviews())
    }

    fn review<'a>(
        &'a self,
        finding: &'a Finding,
        signed: Option<&'a Signed>,
        may: MayReview<'a>,
    ) -> Pending<'a, Result<Review, LedgerError>> {
        Box::pin(self.close_review(finding, signed, may))
    }

    fn appear(&self, presence: &Presence) {
        self.appears(presence);
    }

    fn here(&self) -> Vec<Presence> {
        self.seen_here()
    }

    fn grants(&self) -> Pending<'_, Result<Vec<SelfGrant>, LedgerError>> {
        Box::pin(self.list_grants())
    }

    fn grant<'a>(
        &'a self,
        saying: &'a Saying,
        signed: Option<&'a Signed>,
        may: MayGrant<'a>,
    ) -> Pending<'a, Result<SelfGrant, LedgerError>> {
        Box::pin(self.record_grant(saying, signed, may))
    }

    fn said_body<'a>(&'a self, saying: &'a Saying) -> Pending<'a, Result<(EntryKind, Vec<u8>), LedgerError>> {
        Box::pin(self.body_of(saying))
    }

    fn wait_for(&self, plan: PlanId) -> Pending<'_, Result<(), LedgerError>> {
        Box::pin(self.mark_waiting(plan))
    }

    fn refuse<'a>(&'a self, attempt: &'a Attempt) -> Pending<'a, Result<(), LedgerError>> {
        Box::pin(self.record_attempt(attempt))
    }

    fn deny<'a>(&'a self, plan: &'a Plan, reasons: &'a [Reason]) -> Pending<'a, Result<(), LedgerError>> {
        Box::pin(self.record_denial(plan, reasons))
    }

    fn personal_bodies(&self, plan: &Plan) -> Result<Vec<(EntryKind, Vec<u8>)>, LedgerError> {
        personal_bodies(plan)
    }

    fn begin_signed<'a>(&'a self, plan: &'a Plan, signed: &'a [Signed], judge: JudgeAgain<'a>) -> Pending<'a, Result<Begun, LedgerError>> {
        Box::pin(self.begin_deed(plan, signed, judge))
    }

    fn sending<'a>(&'a self, begun: &'a Begun, step: u32) -> Pending<'a, Result<Recorded, LedgerError>> {
        Box::pin(self.record_sending(begun, step))
    }

    fn record<'a>(&'a self, plan: PlanId, outcome: &'a Outcome) -> Pending<'a, Result<DateTime<Utc>, LedgerError>> {
        Box::pin(self.record_outcome(plan, outcome))
    }

    fn renew(&self, plan: PlanId, epoch: u64) -> Pending<'_, Result<(), LedgerError>> {
        Box::pin(self.renew_lease(plan, epoch))
    }

    fn open_deeds(&self) -> Pending<'_, Result<Vec<OpenDeed>, LedgerError>> {
        Box::pin(self.list_open())
    }

    fn deed<'a>(&'a self, prefix: &'a str) -> Pending<'a, Result<Deed, LedgerError>> {
        Box::pin(self.find_deed(prefix))
    }

    fn recent_deeds(&self, most: u32) -> Pending<'_, Result<Vec<Deed>, LedgerError>> {
        Box::pin(self.list_recent(most))
    }

    fn adopt(&self, plan: PlanId) -> Pending<'_, Result<Adoption, LedgerError>> {
        Box::pin(self.adopt_deed(plan))
    }

    fn states(&self) -> Pending<'_, Result<Vec<TargetState>, LedgerError>> {
        Box::pin(async { state::load_all(&mut *self.conn.lock().await).await })
    }

    fn remember<'a>(&'a self, changes: &'a [StateChange]) -> Pending<'a, Result<(), LedgerError>> {
        Box::pin(self.remember_changes(changes))
    }

    fn generation(&self) -> Pending<'_, Result<i64, LedgerError>> {
        Box::pin(self.newest_generation())
    }

    fn entries(&self, from: u64, most: u32) -> Pending<'_, Result<Vec<EntryRow>, LedgerError>> {
        Box::pin(self.list_entries(from, most))
    }

    fn size(&self) -> Pending<'_, Result<u64, LedgerError>> {
        Box::pin(self.count())
    }

    fn witnesses(&self) -> Vec<Text> {
        self.witness_troubles()
    }

    fn verify(&self) -> Pending<'_, Result<Verification, LedgerError>> {
        Box::pin(self.verify_with(None, None))
    }
}
