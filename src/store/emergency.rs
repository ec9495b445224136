//! Break glass when the store cannot be written: recorded in the second place alone, taken over when the store is writable again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use base64ct::{Base64, Encoding as _};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::begin::{ends, personal_bodies};
use super::fault::{broken, unwritable};
use super::plans::check_identity;
use super::record::{about, canonical};
use super::reviews::{opened, owed};
use super::second::SecondPlace;
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
use crate::model::time::rfc3339;
use crate::model::verdict::Verdict;
use crate::ports::Pending;
use crate::ports::clock::Clock;
use crate::ports::ledger::{
    Adoption, AtCommit, Begun, CARRIED_OUT, EntryRow, JudgeAgain, Ledger, LedgerError, MayGrant, MayName, MayReview, MayRule, OpenDeed,
    Outcome, Verification,
};
use crate::ports::signer::Signed;

/// The format of a line that stands in the second place alone.
pub const LINE_FORMAT: &str = "break-glass/1";

/// A deed that is recorded in the second place alone.
struct Alone {
    plan: Plan,
    sent: BTreeSet<u32>,
}

/// A ledger with a second place: break glass goes on there when the ledger itself cannot be written. Without a lease: nothing but the
/// backend's own compare-and-set keeps another process of another machine away meanwhile.
pub struct SecondLedger {
    first: Arc<dyn Ledger>,
    second: SecondPlace,
    clock: Arc<dyn Clock>,
    alone: Mutex<BTreeMap<PlanId, Alone>>,
}

impl SecondLedger {
    /// Joins a ledger and its second place.
    pub fn new(first: Arc<dyn Ledger>, path: &std::path::Path, clock: Arc<dyn Clock>) -> Self {
        Self { first, second: SecondPlace::at(path), clock, alone: Mutex::new(BTreeMap::new()) }
    }

    async fn begin_deed(&self, plan: &Plan, signed: &[Signed], judge: JudgeAgain<'_>) -> Result<Begun, LedgerError> {
        match self.first.begin_signed(plan, signed, judge).await {
            Err(LedgerError::Unwritable(why)) if plan.order.break_glass.is_some() => self.begin_alone(plan, signed, judge, &why).await,
            other => other,
        }
    }

    async fn begin_alone(&self, plan: &Plan, signed: &[Signed], judge: JudgeAgain<'_>, why: &Text) -> Result<Begun, LedgerError> {
        check_identity(plan, &self.first.installation())?;
        let at = self.now();
        if at >= plan.expires {
            return Err(LedgerError::Expired(plan.expires));
        }
        let id = plan.id.to_string();
        let lines = self.second.lines().map_err(|error| unwritable(format!("{why}; second place: {error}")))?;
        if lines
            .iter()
            .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
            .any(|line| line.pointer("/body/deed") == Some(&Value::from(id.as_str())))
        {
            return Err(LedgerError::Spent(Text::clean(CARRIED_OUT)));
        }
        if plan.order.rollout.is_some() || plan.order.of.is_some() {
            let text = "a rollout that goes on by itself needs its record; shift by hand while the store cannot be written";
            return Err(LedgerError::Denied(Text::clean(text)));
        }
        // What can still be read of the store counts; what cannot, cannot.
        let open = self.first.open_deeds().await.unwrap_or_default();
        if let Some(other) = open.iter().find(|open| open.deed.target == *plan.target() && open.deed.state.is_under_way()) {
            let (deed, by) = (other.deed.plan.to_string(), other.deed.requester.clone());
            return Err(LedgerError::Busy { target: plan.target().clone(), deed, by });
        }
        let states = self.first.states().await.unwrap_or_default();
        let state =
            states.into_iter().find(|state| state.target == *plan.target()).unwrap_or_else(|| TargetState::new(plan.target().clone()));
        let owed_now = self.first.reviews().await.unwrap_or_default();
        let grants = self.first.grants().await.unwrap_or_default();
        let rules = self.first.rules().await.unwrap_or_default();
        let is_own_key = !signed.is_empty();
        let found = AtCommit { state, at, approvals: Vec::new(), waiting: Vec::new(), owed: owed_now, grants, is_own_key, rules };
        let permit = match judge(&found) {
            Verdict::Permit(permit) if permit.plan() == plan.id => permit,
            Verdict::Permit(_) => return Err(LedgerError::Denied(Text::clean("the permit is for another plan; plan again"))),
            Verdict::Early(reason) => return Err(LedgerError::Refused(vec![reason])),
            Verdict::SecondPerson { reasons, .. } | Verdict::Deny(reasons) => return Err(LedgerError::Refused(reasons)),
        };
        let review = owed(plan, &permit, at).ok_or_else(|| LedgerError::Denied(Text::clean("break glass owes a review; plan again")))?;
        let mut body: Map<String, Value> = serde_json::from_slice(&opened(plan, permit.waived())?).map_err(broken)?;
        body.insert("store".to_owned(), Value::from(why.as_str()));
        let mut lines = vec![line(&at, EntryKind::BreakGlass, body, Some(&review), &[])?];
        let mut body = self.about(plan, EntryKind::Intent, None);
        body.insert("order".to_owned(), serde_json::to_value(&plan.order).map_err(broken)?);
        // Nobody checks them here, where the signers cannot be read; whoever reads the line can.
        let blobs = signed.iter().map(|signed| Value::from(Base64::encode_string(&signed.blob)));
        body.insert("signatures".to_owned(), blobs.collect());
        lines.push(line(&at, EntryKind::Intent, body, None, &[])?);
        if plan.order.effects.is_empty() {
            let body = self.about(plan, EntryKind::Effective, None);
            lines.push(line(&at, EntryKind::Effective, body, None, ends(plan, at).as_slice())?);
        }
        self.append(&lines, why.as_str()).await?;
        self.lock().insert(plan.id, Alone { plan: plan.clone(), sent: BTreeSet::new() });
        Ok(Begun { permit, plan: plan.clone(), epoch: 0, at })
    }

    async fn record_sending(&self, begun: &Begun, step: u32) -> Result<Recorded, LedgerError> {
        let plan = begun.plan.id;
        let sent = self.lock().get_mut(&plan).map(|alone| alone.sent.insert(step));
        match sent {
            None => return self.first.sending(begun, step).await,
            Some(false) => return Err(LedgerError::AlreadySent(step)),
            Some(true) => {}
        }
        let mut body = self.about(&begun.plan, EntryKind::Sending, Some(step));
        body.insert("key".to_owned(), Value::from(format!("{plan}-{step}")));
        let line = line(&self.now(), EntryKind::Sending, body, None, &[])?;
        if let Err(error) = self.append(&[line], "").await {
            self.lock().entry(plan).and_modify(|alone| {
                alone.sent.remove(&step);
            });
            return Err(error);
        }
        Ok(Recorded::attest(plan, step, begun.epoch))
    }

    async fn record_outcome(&self, plan: PlanId, outcome: &Outcome) -> Result<DateTime<Utc>, LedgerError> {
        let Some(of) = self.lock().get(&plan).map(|alone| alone.plan.clone()) else {
            return self.first.record(plan, outcome).await;
        };
        let at = self.now();
        let mut body = self.about(&of, outcome.kind, outcome.step);
        body.insert("words".to_owned(), Value::from(outcome.words.as_str()));
        let mut changes = outcome.changes.clone();
        if outcome.kind == EntryKind::Effective && outcome.step.is_none() {
            changes.extend(ends(&of, at));
        }
        let line = line(&at, outcome.kind, body, None, &changes)?;
        self.append(&[line], "").await?;
        if outcome.kind == EntryKind::NotBegun {
            self.lock().entry(plan).and_modify(|alone| alone.sent.retain(|sent| outcome.step.is_some_and(|step| step != *sent)));
        }
        Ok(at)
    }

    fn about(&self, plan: &Plan, kind: EntryKind, step: Option<u32>) -> Map<String, Value> {
        let mut body = about(&plan.id.to_string(), &self.first.installation(), kind, &plan.order.requester, step);
        body.insert("target".to_owned(), Value::from(plan.target().to_string()));
        body.insert("verb".to_owned(), Value::from(plan.order.verb.word()));
        body
    }

    async fn append(&self, lines: &[Vec<u8>], why: &str) -> Result<(), LedgerError> {
        let joined = if why.is_empty() { String::new() } else { format!("{why}; ") };
        self.second.append(lines).await.map_err(|trouble| unwritable(format!("{joined}second place: {trouble}")))
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now().wall
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<PlanId, Alone>> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line: what an entry would have been, with what must be remembered when it is taken over.
fn line(
    at: &DateTime<Utc>,
    kind: EntryKind,
    body: Map<String, Value>,
    review: Option<&Review>,
    changes: &[StateChange],
) -> Result<Vec<u8>, LedgerError> {
    let mut line = Map::new();
    line.insert("at".to_owned(), Value::from(rfc3339(at)));
    line.insert("body".to_owned(), Value::Object(body));
    line.insert("changes".to_owned(), serde_json::to_value(changes).map_err(broken)?);
    line.insert("gonogo".to_owned(), Value::from(LINE_FORMAT));
    line.insert("kind".to_owned(), Value::from(kind.word()));
    line.insert("review".to_owned(), serde_json::to_value(review).map_err(broken)?);
    canonical(&line)
}

impl Ledger for SecondLedger {
    fn installation(&self) -> String {
        self.first.installation()
    }
    fn name_people(&self, people: &[Person]) {
        self.first.name_people(people);
    }
    fn name_rules(&self, catalog: &Arc<Catalog>) {
        self.first.name_rules(catalog);
    }
    fn rules(&self) -> Pending<'_, Result<RuleStanding, LedgerError>> {
        self.first.rules()
    }
    fn accept_rules<'a>(
        &'a self,
        naming: &'a Naming,
        signed: Option<&'a Signed>,
        may: MayName<'a>,
    ) -> Pending<'a, Result<RuleStanding, LedgerError>> {
        self.first.accept_rules(naming, signed, may)
    }
    fn store_plan<'a>(&'a self, plan: &'a Plan) -> Pending<'a, Result<(), LedgerError>> {
        self.first.store_plan(plan)
    }
    fn plan<'a>(&'a self, prefix: &'a str) -> Pending<'a, Result<Plan, LedgerError>> {
        self.first.plan(prefix)
    }
    fn waiting(&self) -> Pending<'_, Result<Vec<Waiting>, LedgerError>> {
        self.first.waiting()
    }

    fn past(&self) -> Pending<'_, Result<Vec<PastChange>, LedgerError>> {
        self.first.past()
    }
    fn rule<'a>(
        &'a self,
        ruling: &'a Ruling,
        signed: Option<&'a Signed>,
        may: MayRule<'a>,
    ) -> Pending<'a, Result<DateTime<Utc>, LedgerError>> {
        self.first.rule(ruling, signed, may)
    }
    fn reviews(&self) -> Pending<'_, Result<Vec<Review>, LedgerError>> {
        self.first.reviews()
    }
    fn review<'a>(
        &'a self,
        finding: &'a Finding,
        signed: Option<&'a Signed>,
        may: MayReview<'a>,
    ) -> Pending<'a, Result<Review, LedgerError>> {
        self.first.review(finding, signed, may)
    }
    fn appear(&self, presence: &Presence) {
        self.first.appear(presence);
    }
    fn here(&self) -> Vec<Presence> {
        self.first.here()
    }
    fn grants(&self) -> Pending<'_, Result<Vec<SelfGrant>, LedgerError>> {
        self.first.grants()
    }
    fn grant<'a>(
        &'a self,
        saying: &'a Saying,
        signed: Option<&'a Signed>,
        may: MayGrant<'a>,
    ) -> Pending<'a, Result<SelfGrant, LedgerError>> {
        self.first.grant(saying, signed, may)
    }
    fn said_body<'a>(&'a self, saying: &'a Saying) -> Pending<'a, Result<(EntryKind, Vec<u8>), LedgerError>> {
        self.first.said_body(saying)
    }
    fn wait_for(&self, plan: PlanId) -> Pending<'_, Result<(), LedgerError>> {
        self.first.wait_for(plan)
    }
    fn refuse<'a>(&'a self, attempt: &'a Attempt) -> Pending<'a, Result<(), LedgerError>> {
        self.first.refuse(attempt)
    }

    fn deny<'a>(&'a self, plan: &'a Plan, reasons: &'a [Reason]) -> Pending<'a, Result<(), LedgerError>> {
        self.first.deny(plan, reasons)
    }
    fn begin_signed<'a>(&'a self, plan: &'a Plan, signed: &'a [Signed], judge: JudgeAgain<'a>) -> Pending<'a, Result<Begun, LedgerError>> {
        Box::pin(self.begin_deed(plan, signed, judge))
    }
    fn personal_bodies(&self, plan: &Plan) -> Result<Vec<(EntryKind, Vec<u8>)>, LedgerError> {
        // The bodies are the plan's own: a store that cannot be opened signs the same.
        personal_bodies(plan)
    }
    fn sending<'a>(&'a self, begun: &'a Begun, step: u32) -> Pending<'a, Result<Recorded, LedgerError>> {
        Box::pin(self.record_sending(begun, step))
    }
    fn record<'a>(&'a self, plan: PlanId, outcome: &'a Outcome) -> Pending<'a, Result<DateTime<Utc>, LedgerError>> {
        Box::pin(self.record_outcome(plan, outcome))
    }
    fn renew(&self, plan: PlanId, epoch: u64) -> Pending<'_, Result<(), LedgerError>> {
        if self.lock().contains_key(&plan) {
            return Box::pin(std::future::ready(Ok(())));
        }
        self.first.renew(plan, epoch)
    }
    fn open_deeds(&self) -> Pending<'_, Result<Vec<OpenDeed>, LedgerError>> {
        self.first.open_deeds()
    }
    fn deed<'a>(&'a self, prefix: &'a str) -> Pending<'a, Result<Deed, LedgerError>> {
        self.first.deed(prefix)
    }
    fn recent_deeds(&self, most: u32) -> Pending<'_, Result<Vec<Deed>, LedgerError>> {
        self.first.recent_deeds(most)
    }
    fn adopt(&self, plan: PlanId) -> Pending<'_, Result<Adoption, LedgerError>> {
        self.first.adopt(plan)
    }
    fn states(&self) -> Pending<'_, Result<Vec<TargetState>, LedgerError>> {
        self.first.states()
    }
    fn remember<'a>(&'a self, changes: &'a [StateChange]) -> Pending<'a, Result<(), LedgerError>> {
        self.first.remember(changes)
    }
    fn generation(&self) -> Pending<'_, Result<i64, LedgerError>> {
        self.first.generation()
    }
    fn entries(&self, from: u64, most: u32) -> Pending<'_, Result<Vec<EntryRow>, LedgerError>> {
        self.first.entries(from, most)
    }
    fn size(&self) -> Pending<'_, Result<u64, LedgerError>> {
        self.first.size()
    }
    fn witnesses(&self) -> Vec<Text> {
        self.first.witnesses()
    }
    fn verify(&self) -> Pending<'_, Result<Verification, LedgerError>> {
        self.first.verify()
    }
}
