//! Stands between a room and its outside: counts, keeps the order of things, refuses to write, and kills the process between two tasks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use gonogo::model::alert::AlertReading;
use gonogo::model::approval::{Attempt, Ruling, Waiting};
use gonogo::model::capability::Capability;
use gonogo::model::catalog::Catalog;
use gonogo::model::course::PastChange;
use gonogo::model::deed::{Deed, Effect, EffectKey, EntryKind, Recorded};
use gonogo::model::error::{PortError, SendError};
use gonogo::model::link::{LinkAsk, LinkReading};
use gonogo::model::name::{BackendName, PlanId, PoolName};
use gonogo::model::objective::{HistoryAsk, HistoryReading};
use gonogo::model::operator::Person;
use gonogo::model::pipeline::{LogPart, RunReading};
use gonogo::model::plan::{Plan, StepEffect};
use gonogo::model::presence::Presence;
use gonogo::model::reason::Reason;
use gonogo::model::review::{Finding, Review};
use gonogo::model::rollout::{StateChange, TargetState};
use gonogo::model::rules::{Naming, RuleStanding};
use gonogo::model::self_service::{Saying, SelfGrant};
use gonogo::model::signal::{Ask, SignalReading};
use gonogo::model::text::Text;
use gonogo::model::traffic::TrafficReading;
use gonogo::ports::alerts::Alerts;
use gonogo::ports::ci::{Ci, Found, RunReceipt};
use gonogo::ports::clock::Clock;
use gonogo::ports::ledger::{
    Adoption, Begun, EntryRow, JudgeAgain, Ledger, LedgerError, MayGrant, MayName, MayReview, MayRule, OpenDeed, Outcome, Verification,
};
use gonogo::ports::metrics::Metrics;
use gonogo::ports::signer::Signed;
use gonogo::ports::traffic::Traffic;
use gonogo::ports::{Pending, Port, Ports};

/// Which writes of the ledger are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refuse {
    Nothing,
    Begin,
    Sending,
    Record,
    Everything,
    /// Reads fail.
    Reads,
}

/// What goes through between a room and its outside.
pub struct Tap {
    clock: Arc<dyn Clock>,
    left: AtomicI64,
    points: AtomicU64,
    dead: AtomicBool,
    blown: tokio::sync::Notify,
    refuse: Mutex<Refuse>,
    sent: Mutex<BTreeMap<EffectKey, u32>>,
    order: Mutex<Vec<String>>,
    closes: AtomicBool,
    polls: Mutex<Vec<(BackendName, u64)>>,
}

impl Tap {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            left: AtomicI64::new(0),
            points: AtomicU64::new(0),
            dead: AtomicBool::new(false),
            blown: tokio::sync::Notify::new(),
            refuse: Mutex::new(Refuse::Nothing),
            sent: Mutex::default(),
            order: Mutex::default(),
            closes: AtomicBool::new(false),
            polls: Mutex::default(),
        })
    }

    /// From now on the process dies at the `n`-th boundary, from 1.
    pub fn kill_at(&self, n: i64) {
        self.left.store(n, Ordering::SeqCst);
    }

    /// Boundaries passed so far.
    pub fn points(&self) -> u64 {
        self.points.load(Ordering::SeqCst)
    }

    pub async fn died(&self) {
        if !self.dead.load(Ordering::SeqCst) {
            self.blown.notified().await;
        }
    }

    pub fn refuse(&self, what: Refuse) {
        *self.refuse.lock().unwrap() = what;
    }

    /// From now on what a CI system made of an effect ended in its queue.
    pub fn close_all(&self) {
        self.closes.store(true, Ordering::SeqCst);
    }

    /// How often each effect reached its backend.
    pub fn sent(&self) -> BTreeMap<EffectKey, u32> {
        self.sent.lock().unwrap().clone()
    }

    /// What was done outside, in order, polls left out.
    pub fn order(&self) -> Vec<String> {
        self.order.lock().unwrap().clone()
    }

    /// When each backend was polled, in milliseconds of the machine's clock.
    pub fn polls(&self, backend: &BackendName) -> Vec<u64> {
        self.polls.lock().unwrap().iter().filter(|(of, _)| of == backend).map(|(_, at)| *at).collect()
    }

    async fn boundary(&self) {
        self.points.fetch_add(1, Ordering::SeqCst);
        if self.left.load(Ordering::SeqCst) > 0 && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.dead.store(true, Ordering::SeqCst);
            self.blown.notify_one();
            std::future::pending::<()>().await;
        }
    }

    fn note(&self, what: String) {
        self.order.lock().unwrap().push(what);
    }

    fn poll(&self, backend: &BackendName) {
        self.polls.lock().unwrap().push((backend.clone(), self.clock.now().boot.0));
    }

    fn writable(&self, what: Refuse) -> Result<(), LedgerError> {
        let refuse = *self.refuse.lock().unwrap();
        if refuse == what || refuse == Refuse::Everything {
            return Err(LedgerError::Unwritable(Text::clean("disk full")));
        }
        Ok(())
    }

    fn readable(&self) -> Result<(), LedgerError> {
        if *self.refuse.lock().unwrap() == Refuse::Reads {
            return Err(LedgerError::Broken(Text::clean("the disk does not answer")));
        }
        Ok(())
    }

    pub fn ports(self: &Arc<Self>, ports: &Ports) -> Ports {
        let tapped = |(name, port): (&BackendName, &Port)| {
            let (tap, name) = (self.clone(), name.clone());
            let port = match port.clone() {
                Port::Traffic(inner) => Port::Traffic(Arc::new(Tapped { inner, tap, name: name.clone() })),
                Port::Metrics(inner) => Port::Metrics(Arc::new(Tapped { inner, tap, name: name.clone() })),
                Port::Alerts(inner) => Port::Alerts(Arc::new(Tapped { inner, tap, name: name.clone() })),
                // No simulated backend keeps flags.
                Port::Flags(inner) => Port::Flags(inner),
                Port::Ci(inner) => Port::Ci(Arc::new(Tapped { inner, tap, name: name.clone() })),
                Port::Orchestrator(_) => panic!("no story has an orchestrator"),
            };
            (name, port)
        };
        ports.iter().map(tapped).collect()
    }

    pub fn ledger(self: &Arc<Self>, inner: Arc<dyn Ledger>) -> Arc<dyn Ledger> {
        Arc::new(TappedLedger { inner, tap: self.clone() })
    }

    async fn effect<T>(&self, effect: &Effect, sending: Pending<'_, Result<T, SendError>>) -> Result<T, SendError> {
        self.boundary().await;
        self.note(format!("send {}", effect.key()));
        *self.sent.lock().unwrap().entry(effect.key()).or_default() += 1;
        let result = sending.await;
        self.boundary().await;
        result
    }
}

struct Tapped<P: ?Sized> {
    inner: Arc<P>,
    tap: Arc<Tap>,
    name: BackendName,
}

impl<P: ?Sized> Tapped<P> {
    async fn read<T>(&self, reading: Pending<'_, T>) -> T {
        self.tap.poll(&self.name);
        let result = reading.await;
        self.tap.boundary().await;
        result
    }
}

impl Traffic for Tapped<dyn Traffic> {
    fn capabilities(&self) -> &'static [Capability] {
        self.inner.capabilities()
    }
    fn read<'a>(&'a self, pools: &'a [PoolName]) -> Pending<'a, Result<TrafficReading, PortError>> {
        Box::pin(self.read(self.inner.read(pools)))
    }
    fn set_weights<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(self.tap.effect(effect, self.inner.set_weights(effect)))
    }
    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        self.inner.commands(effect)
    }
}

impl Metrics for Tapped<dyn Metrics> {
    fn capabilities(&self) -> &'static [Capability] {
        self.inner.capabilities()
    }
    fn read<'a>(&'a self, asks: &'a [Ask]) -> Pending<'a, Result<SignalReading, PortError>> {
        Box::pin(self.read(self.inner.read(asks)))
    }
    fn history<'a>(&'a self, ask: &'a HistoryAsk) -> Pending<'a, Result<HistoryReading, PortError>> {
        Box::pin(self.read(self.inner.history(ask)))
    }
    fn links<'a>(&'a self, ask: &'a LinkAsk) -> Pending<'a, Result<LinkReading, PortError>> {
        Box::pin(self.read(self.inner.links(ask)))
    }
}

impl Alerts for Tapped<dyn Alerts> {
    fn capabilities(&self) -> &'static [Capability] {
        self.inner.capabilities()
    }
    fn read(&self) -> Pending<'_, Result<AlertReading, PortError>> {
        Box::pin(self.read(self.inner.read()))
    }
    fn silence<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(self.tap.effect(effect, self.inner.silence(effect)))
    }
    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        self.inner.commands(effect)
    }
}

impl Ci for Tapped<dyn Ci> {
    fn capabilities(&self) -> &'static [Capability] {
        self.inner.capabilities()
    }
    fn read<'a>(&'a self, builders: &'a [String], detail: &'a [u64]) -> Pending<'a, Result<RunReading, PortError>> {
        Box::pin(self.read(self.inner.read(builders, detail)))
    }
    fn log(&self, log: u64, first: u64, limit: u32) -> Pending<'_, Result<LogPart, PortError>> {
        self.inner.log(log, first, limit)
    }
    fn send<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<RunReceipt, SendError>> {
        Box::pin(self.tap.effect(effect, self.inner.send(effect)))
    }
    fn find<'a>(&'a self, effect: &'a StepEffect, key: EffectKey, after: Option<u64>) -> Pending<'a, Result<Option<Found>, PortError>> {
        Box::pin(async move {
            let mut found = self.inner.find(effect, key, after).await;
            if self.tap.closes.load(Ordering::SeqCst) {
                found = Ok(Some(Found::Closed { request: 7, why: Text::clean("it was cancelled while it waited") }));
            }
            self.tap.boundary().await;
            found
        })
    }
    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        self.inner.commands(effect)
    }
}

struct TappedLedger {
    inner: Arc<dyn Ledger>,
    tap: Arc<Tap>,
}

impl TappedLedger {
    fn write<'a, T: Send + 'a>(
        &'a self,
        what: Refuse,
        told: String,
        writing: Pending<'a, Result<T, LedgerError>>,
    ) -> Pending<'a, Result<T, LedgerError>> {
        Box::pin(async move {
            self.tap.boundary().await;
            self.tap.writable(what)?;
            let result = writing.await;
            if result.is_ok() {
                self.tap.note(told);
            }
            self.tap.boundary().await;
            result
        })
    }
}

impl Ledger for TappedLedger {
    fn installation(&self) -> String {
        self.inner.installation()
    }
    fn name_people(&self, people: &[Person]) {
        self.inner.name_people(people);
    }
    fn name_rules(&self, catalog: &Arc<Catalog>) {
        self.inner.name_rules(catalog);
    }
    fn rules(&self) -> Pending<'_, Result<RuleStanding, LedgerError>> {
        self.inner.rules()
    }
    fn accept_rules<'a>(
        &'a self,
        naming: &'a Naming,
        signed: Option<&'a Signed>,
        may: MayName<'a>,
    ) -> Pending<'a, Result<RuleStanding, LedgerError>> {
        self.write(Refuse::Everything, "accept-rules".to_owned(), self.inner.accept_rules(naming, signed, may))
    }
    fn store_plan<'a>(&'a self, plan: &'a Plan) -> Pending<'a, Result<(), LedgerError>> {
        self.write(Refuse::Everything, "store".to_owned(), self.inner.store_plan(plan))
    }
    fn plan<'a>(&'a self, prefix: &'a str) -> Pending<'a, Result<Plan, LedgerError>> {
        self.inner.plan(prefix)
    }
    fn waiting(&self) -> Pending<'_, Result<Vec<Waiting>, LedgerError>> {
        self.inner.waiting()
    }

    fn past(&self) -> Pending<'_, Result<Vec<PastChange>, LedgerError>> {
        self.inner.past()
    }

    fn rule<'a>(
        &'a self,
        ruling: &'a Ruling,
        signed: Option<&'a Signed>,
        may: MayRule<'a>,
    ) -> Pending<'a, Result<DateTime<Utc>, LedgerError>> {
        self.inner.rule(ruling, signed, may)
    }
    fn reviews(&self) -> Pending<'_, Result<Vec<Review>, LedgerError>> {
        self.inner.reviews()
    }
    fn review<'a>(
        &'a self,
        finding: &'a Finding,
        signed: Option<&'a Signed>,
        may: MayReview<'a>,
    ) -> Pending<'a, Result<Review, LedgerError>> {
        self.inner.review(finding, signed, may)
    }
    fn appear(&self, presence: &Presence) {
        self.inner.appear(presence);
    }
    fn here(&self) -> Vec<Presence> {
        self.inner.here()
    }
    fn grants(&self) -> Pending<'_, Result<Vec<SelfGrant>, LedgerError>> {
        self.inner.grants()
    }
    fn grant<'a>(
        &'a self,
        saying: &'a Saying,
        signed: Option<&'a Signed>,
        may: MayGrant<'a>,
    ) -> Pending<'a, Result<SelfGrant, LedgerError>> {
        self.inner.grant(saying, signed, may)
    }
    fn said_body<'a>(&'a self, saying: &'a Saying) -> Pending<'a, Result<(EntryKind, Vec<u8>), LedgerError>> {
        self.inner.said_body(saying)
    }
    fn wait_for(&self, plan: PlanId) -> Pending<'_, Result<(), LedgerError>> {
        self.write(Refuse::Everything, "wait".to_owned(), self.inner.wait_for(plan))
    }
    fn refuse<'a>(&'a self, attempt: &'a Attempt) -> Pending<'a, Result<(), LedgerError>> {
        self.inner.refuse(attempt)
    }
    fn deny<'a>(&'a self, plan: &'a Plan, reasons: &'a [Reason]) -> Pending<'a, Result<(), LedgerError>> {
        self.write(Refuse::Everything, format!("deny {}", plan.id), self.inner.deny(plan, reasons))
    }
    fn personal_bodies(&self, plan: &Plan) -> Result<Vec<(EntryKind, Vec<u8>)>, LedgerError> {
        self.inner.personal_bodies(plan)
    }
    fn begin_signed<'a>(&'a self, plan: &'a Plan, signed: &'a [Signed], judge: JudgeAgain<'a>) -> Pending<'a, Result<Begun, LedgerError>> {
        self.write(Refuse::Begin, format!("begin {}", plan.id), self.inner.begin_signed(plan, signed, judge))
    }
    fn sending<'a>(&'a self, begun: &'a Begun, step: u32) -> Pending<'a, Result<Recorded, LedgerError>> {
        self.write(Refuse::Sending, format!("sending {}-{step}", begun.plan.id), self.inner.sending(begun, step))
    }
    fn record<'a>(&'a self, plan: PlanId, outcome: &'a Outcome) -> Pending<'a, Result<DateTime<Utc>, LedgerError>> {
        self.write(Refuse::Record, format!("record {} {plan}", outcome.kind.word()), self.inner.record(plan, outcome))
    }
    fn renew(&self, plan: PlanId, epoch: u64) -> Pending<'_, Result<(), LedgerError>> {
        self.write(Refuse::Everything, format!("renew {plan}"), self.inner.renew(plan, epoch))
    }
    fn open_deeds(&self) -> Pending<'_, Result<Vec<OpenDeed>, LedgerError>> {
        self.inner.open_deeds()
    }
    fn deed<'a>(&'a self, prefix: &'a str) -> Pending<'a, Result<Deed, LedgerError>> {
        self.inner.deed(prefix)
    }
    fn recent_deeds(&self, most: u32) -> Pending<'_, Result<Vec<Deed>, LedgerError>> {
        self.inner.recent_deeds(most)
    }
    fn adopt(&self, plan: PlanId) -> Pending<'_, Result<Adoption, LedgerError>> {
        self.write(Refuse::Everything, format!("adopt {plan}"), self.inner.adopt(plan))
    }
    fn states(&self) -> Pending<'_, Result<Vec<TargetState>, LedgerError>> {
        self.inner.states()
    }
    fn remember<'a>(&'a self, changes: &'a [StateChange]) -> Pending<'a, Result<(), LedgerError>> {
        self.write(Refuse::Everything, "remember".to_owned(), self.inner.remember(changes))
    }
    fn generation(&self) -> Pending<'_, Result<i64, LedgerError>> {
        Box::pin(async move {
            self.tap.readable()?;
            self.inner.generation().await
        })
    }
    fn entries(&self, from: u64, most: u32) -> Pending<'_, Result<Vec<EntryRow>, LedgerError>> {
        self.inner.entries(from, most)
    }
    fn size(&self) -> Pending<'_, Result<u64, LedgerError>> {
        self.inner.size()
    }
    fn witnesses(&self) -> Vec<Text> {
        self.inner.witnesses()
    }

    fn verify(&self) -> Pending<'_, Result<Verification, LedgerError>> {
        Box::pin(async move {
            self.tap.readable()?;
            self.inner.verify().await
        })
    }
}
