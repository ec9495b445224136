//! What stands in for a port or a ledger that could not be opened: it answers everything with the reason.

use chrono::{DateTime, Utc};

use super::ledger::{
    Adoption, Begun, EntryRow, JudgeAgain, Ledger, LedgerError, MayGrant, MayName, MayReview, MayRule, OpenDeed, Outcome, Verification,
};
use super::signer::Signed;
use super::{Pending, alerts::Alerts, ci, flags::Flags, metrics::Metrics, orchestrator::Orchestrator, traffic::Traffic};
use crate::model::alert::AlertReading;
use crate::model::approval::{Attempt, Ruling, Waiting};
use crate::model::capability::Capability;
use crate::model::catalog::Catalog;
use crate::model::course::PastChange;
use crate::model::deed::{Deed, Effect, EffectKey, EntryKind, Recorded};
use crate::model::error::{PortError, SendError};
use crate::model::flag::{FlagReading, FlagRef};
use crate::model::link::{LinkAsk, LinkReading};
use crate::model::name::{PlanId, PoolName};
use crate::model::objective::{HistoryAsk, HistoryReading};
use crate::model::operator::Person;
use crate::model::pipeline::{LogPart, RunReading};
use crate::model::plan::{Plan, StepEffect};
use crate::model::reason::Reason;
use crate::model::review::{Finding, Review};
use crate::model::rollout::{StateChange, TargetState};
use crate::model::rules::{Naming, RuleStanding};
use crate::model::self_service::{Saying, SelfGrant};
use crate::model::signal::{Ask, SignalReading};
use crate::model::text::Text;
use crate::model::traffic::TrafficReading;
use crate::model::workload::{WorkloadAsk, WorkloadReading};

/// A port or ledger that could not be opened, and why.
#[derive(Debug, Clone)]
pub struct Broken<E>(E);

impl<E: Clone + Send + Sync + 'static> Broken<E> {
    /// Stands in with a reason.
    pub fn new(why: E) -> Self {
        Self(why)
    }

    fn say<'a, T: Send + 'a>(&'a self) -> Pending<'a, Result<T, E>> {
        let why = self.0.clone();
        Box::pin(std::future::ready(Err(why)))
    }
}

impl Traffic for Broken<PortError> {
    fn capabilities(&self) -> &'static [Capability] {
        &[]
    }
    fn read<'a>(&'a self, _: &'a [PoolName]) -> Pending<'a, Result<TrafficReading, PortError>> {
        self.say()
    }
    fn set_weights<'a>(&'a self, _: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        let why = self.0.clone();
        Box::pin(std::future::ready(Err(SendError::NotDone(why))))
    }
    fn drain<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        self.set_weights(effect)
    }
    fn commands(&self, _: &StepEffect) -> Vec<String> {
        Vec::new()
    }
}

impl Flags for Broken<PortError> {
    fn capabilities(&self) -> &'static [Capability] {
        &[]
    }
    fn read<'a>(&'a self, _: &'a [FlagRef]) -> Pending<'a, Result<FlagReading, PortError>> {
        self.say()
    }
    fn set<'a>(&'a self, _: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        let why = self.0.clone();
        Box::pin(std::future::ready(Err(SendError::NotDone(why))))
    }
    fn commands(&self, _: &StepEffect) -> Vec<String> {
        Vec::new()
    }
}

impl Metrics for Broken<PortError> {
    fn capabilities(&self) -> &'static [Capability] {
        &[]
    }
    fn read<'a>(&'a self, _: &'a [Ask]) -> Pending<'a, Result<SignalReading, PortError>> {
        self.say()
    }
    fn history<'a>(&'a self, _: &'a HistoryAsk) -> Pending<'a, Result<HistoryReading, PortError>> {
        self.say()
    }
    fn links<'a>(&'a self, _: &'a LinkAsk) -> Pending<'a, Result<LinkReading, PortError>> {
        self.say()
    }
}

impl Alerts for Broken<PortError> {
    fn capabilities(&self) -> &'static [Capability] {
        &[]
    }
    fn read(&self) -> Pending<'_, Result<AlertReading, PortError>> {
        self.say()
    }
    fn silence<'a>(&'a self, _: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        let why = self.0.clone();
        Box::pin(std::future::ready(Err(SendError::NotDone(why))))
    }
}

impl ci::Ci for Broken<PortError> {
    fn capabilities(&self) -> &'static [Capability] {
        &[]
    }
    fn read<'a>(&'a self, _: &'a [String], _: &'a [u64]) -> Pending<'a, Result<RunReading, PortError>> {
        self.say()
    }
    fn log(&self, _: u64, _: u64, _: u32) -> Pending<'_, Result<LogPart, PortError>> {
        self.say()
    }
    fn send<'a>(&'a self, _: &'a Effect) -> Pending<'a, Result<ci::RunReceipt, SendError>> {
        let why = self.0.clone();
        Box::pin(std::future::ready(Err(SendError::NotDone(why))))
    }
    fn find<'a>(&'a self, _: &'a StepEffect, _: EffectKey, _: Option<u64>) -> Pending<'a, Result<Option<ci::Found>, PortError>> {
        self.say()
    }
    fn commands(&self, _: &StepEffect) -> Vec<String> {
        Vec::new()
    }
}

impl Orchestrator for Broken<PortError> {
    fn capabilities(&self) -> &'static [Capability] {
        &[]
    }
    fn read<'a>(&'a self, _: &'a [WorkloadAsk]) -> Pending<'a, Result<WorkloadReading, PortError>> {
        self.say()
    }
    fn change<'a>(&'a self, _: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        let why = self.0.clone();
        Box::pin(std::future::ready(Err(SendError::NotDone(why))))
    }
    fn commands(&self, _: &StepEffect) -> Vec<String> {
        Vec::new()
    }
}

impl Ledger for Broken<LedgerError> {
    fn installation(&self) -> String {
        "none".to_owned()
    }
    fn name_people(&self, _: &[Person]) {}
    fn name_rules(&self, _: &std::sync::Arc<Catalog>) {}
    fn rules(&self) -> Pending<'_, Result<RuleStanding, LedgerError>> {
        self.say()
    }
    fn accept_rules<'a>(&'a self, _: &'a Naming, _: Option<&'a Signed>, _: MayName<'a>) -> Pending<'a, Result<RuleStanding, LedgerError>> {
        self.say()
    }
    fn store_plan<'a>(&'a self, _: &'a Plan) -> Pending<'a, Result<(), LedgerError>> {
        self.say()
    }
    fn plan<'a>(&'a self, _: &'a str) -> Pending<'a, Result<Plan, LedgerError>> {
        self.say()
    }
    fn waiting(&self) -> Pending<'_, Result<Vec<Waiting>, LedgerError>> {
        self.say()
    }
    fn past(&self) -> Pending<'_, Result<Vec<PastChange>, LedgerError>> {
        self.say()
    }
    fn rule<'a>(&'a self, _: &'a Ruling, _: Option<&'a Signed>, _: MayRule<'a>) -> Pending<'a, Result<DateTime<Utc>, LedgerError>> {
        self.say()
    }
    fn reviews(&self) -> Pending<'_, Result<Vec<Review>, LedgerError>> {
        self.say()
    }
    fn review<'a>(&'a self, _: &'a Finding, _: Option<&'a Signed>, _: MayReview<'a>) -> Pending<'a, Result<Review, LedgerError>> {
        self.say()
    }
    fn grants(&self) -> Pending<'_, Result<Vec<SelfGrant>, LedgerError>> {
        self.say()
    }
    fn grant<'a>(&'a self, _: &'a Saying, _: Option<&'a Signed>, _: MayGrant<'a>) -> Pending<'a, Result<SelfGrant, LedgerError>> {
        self.say()
    }
    fn said_body<'a>(&'a self, _: &'a Saying) -> Pending<'a, Result<(EntryKind, Vec<u8>), LedgerError>> {
        self.say()
    }
    fn wait_for(&self, _: PlanId) -> Pending<'_, Result<(), LedgerError>> {
        self.say()
    }
    fn refuse<'a>(&'a self, _: &'a Attempt) -> Pending<'a, Result<(), LedgerError>> {
        self.say()
    }
    fn deny<'a>(&'a self, _: &'a Plan, _: &'a [Reason]) -> Pending<'a, Result<(), LedgerError>> {
        self.say()
    }
    fn personal_bodies(&self, _: &Plan) -> Result<Vec<(EntryKind, Vec<u8>)>, LedgerError> {
        Err(self.0.clone())
    }
    fn begin_signed<'a>(&'a self, _: &'a Plan, _: &'a [Signed], _: JudgeAgain<'a>) -> Pending<'a, Result<Begun, LedgerError>> {
        self.say()
    }
    fn sending<'a>(&'a self, _: &'a Begun, _: u32) -> Pending<'a, Result<Recorded, LedgerError>> {
        self.say()
    }
    fn record<'a>(&'a self, _: PlanId, _: &'a Outcome) -> Pending<'a, Result<DateTime<Utc>, LedgerError>> {
        self.say()
    }
    fn renew(&self, _: PlanId, _: u64) -> Pending<'_, Result<(), LedgerError>> {
        self.say()
    }
    fn open_deeds(&self) -> Pending<'_, Result<Vec<OpenDeed>, LedgerError>> {
        self.say()
    }
    fn deed<'a>(&'a self, _: &'a str) -> Pending<'a, Result<Deed, LedgerError>> {
        self.say()
    }
    fn recent_deeds(&self, _: u32) -> Pending<'_, Result<Vec<Deed>, LedgerError>> {
        self.say()
    }
    fn adopt(&self, _: PlanId) -> Pending<'_, Result<Adoption, LedgerError>> {
        self.say()
    }
    fn states(&self) -> Pending<'_, Result<Vec<TargetState>, LedgerError>> {
        self.say()
    }
    fn remember<'a>(&'a self, _: &'a [StateChange]) -> Pending<'a, Result<(), LedgerError>> {
        self.say()
    }
    fn generation(&self) -> Pending<'_, Result<i64, LedgerError>> {
        self.say()
    }
    fn entries(&self, _: u64, _: u32) -> Pending<'_, Result<Vec<EntryRow>, LedgerError>> {
        self.say()
    }
    fn size(&self) -> Pending<'_, Result<u64, LedgerError>> {
        self.say()
    }
    fn witnesses(&self) -> Vec<Text> {
        Vec::new()
    }

    fn verify(&self) -> Pending<'_, Result<Verification, LedgerError>> {
        self.say()
    }
}
