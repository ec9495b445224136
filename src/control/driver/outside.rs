//! Does the tasks: the one place in which control touches ports, ledger and journal.
// long because: each task has its arm here, so that one sees what of them is written in order and what is not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::courier::Couriers;
pub use super::switchboard::{Switchboard, abilities};
use super::switchboard::{timed_out, unsupported};
use super::{picture, said};
use crate::control::event::{Event, Reading, StorePicture};
use crate::control::gate::{self, AtBegin, Said};
use crate::control::record;
use crate::control::saying::By;
use crate::control::task::{Query, Task};
use crate::control::world::ByHand;
use crate::model::authorship::Span;
use crate::model::capability::Capability;
use crate::model::deed::{Effect, EffectKey, EntryKind};
use crate::model::error::{PortError, SendError};
use crate::model::name::{BackendName, PlanId};
use crate::model::origin::Range;
use crate::model::plan::{Plan, StepEffect};
use crate::model::presence::Presence;
use crate::model::reason::Reason;
use crate::model::rules::RuleStanding;
use crate::model::text::Text;
use crate::model::traffic::Weights;
use crate::policy::judge;
use crate::ports::clock::Clock;
use crate::ports::journal::{Journal, Retention};
use crate::ports::ledger::{Adoption, AtCommit, Begun, Ledger, LedgerError};
use crate::ports::outbox::Outbox;
use crate::ports::signer::{SignError, Signed, Signer};
use crate::ports::{Port, Ports};

/// Lines of the journal that are read at the start.
const LINES: u32 = 500;
/// Lines of a log that are read at once.
const LOG_LINES: u32 = 500;

/// Everything outside.
pub struct Outside {
    ports: Arc<Switchboard>,
    ledger: Arc<dyn Ledger>,
    journal: Option<Arc<dyn Journal>>,
    retention: Retention,
    signer: Option<Arc<dyn Signer>>,
    outbox: Option<Arc<dyn Outbox>>,
    couriers: Arc<Couriers>,
    clock: Arc<dyn Clock>,
    begun: Mutex<BTreeMap<PlanId, Arc<Begun>>>,
    /// Epochs of the leases that this process has, of deeds that it began and of those that it took over.
    leases: Mutex<BTreeMap<PlanId, u64>>,
    generation: Mutex<Option<i64>>,
    /// Who was here when it was looked at last.
    here: Mutex<Vec<Presence>>,
}

/// An effect on its way to a backend.
pub struct Outgoing {
    effect: Effect,
    plan: PlanId,
    step: u32,
    deadline: Duration,
}

/// What a task of the ledger brought: events in order, and the effect that may be sent now.
#[derive(Default)]
pub struct Written {
    /// What happened.
    pub events: Vec<Event>,
    /// What may be sent now.
    pub outgoing: Option<Outgoing>,
}

impl Written {
    fn event(event: Event) -> Self {
        Self { events: vec![event], outgoing: None }
    }
}

impl Outside {
    /// Joins ports, ledger, journal and clock.
    pub fn new(ports: Ports, ledger: Arc<dyn Ledger>, journal: Option<Arc<dyn Journal>>, clock: Arc<dyn Clock>) -> Self {
        Self::over(Arc::new(Switchboard::new(ports)), ledger, journal, clock)
    }

    /// The same over ports that a reload of the configuration may replace.
    pub fn over(ports: Arc<Switchboard>, ledger: Arc<dyn Ledger>, journal: Option<Arc<dyn Journal>>, clock: Arc<dyn Clock>) -> Self {
        Self {
            ports,
            ledger,
            journal,
            retention: Retention::default(),
            signer: None,
            outbox: None,
            couriers: Arc::default(),
            clock,
            begun: Mutex::default(),
            leases: Mutex::default(),
            generation: Mutex::new(None),
            here: Mutex::default(),
        }
    }

    /// What holds the operator's keys.
    #[must_use]
    pub fn signing(self, signer: Arc<dyn Signer>) -> Self {
        Self { signer: Some(signer), ..self }
    }

    /// With an outbox, and those who deliver what is in it.
    #[must_use]
    pub fn telling(self, outbox: Option<Arc<dyn Outbox>>, couriers: Arc<Couriers>) -> Self {
        Self { outbox, couriers, ..self }
    }

    /// Who delivers what, where there is an outbox.
    pub fn couriers(&self) -> Option<(Arc<Couriers>, Arc<dyn Outbox>)> {
        self.outbox.clone().map(|outbox| (self.couriers.clone(), outbox))
    }

    /// What the journal keeps.
    #[must_use]
    pub fn retaining(self, retention: Retention) -> Self {
        Self { retention, ..self }
    }

    /// The journal, and what it keeps.
    pub fn journal(&self) -> Option<(Arc<dyn Journal>, Retention)> {
        self.journal.clone().map(|journal| (journal, self.retention))
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The ledger.
    pub fn ledger(&self) -> &Arc<dyn Ledger> {
        &self.ledger
    }

    /// The ports.
    pub fn ports(&self) -> &Arc<Switchboard> {
        &self.ports
    }

    /// What each backend can do, and how a person would do it by hand.
    pub fn abilities(&self) -> BTreeMap<BackendName, (&'static [Capability], ByHand)> {
        self.ports.abilities()
    }

    /// Whether a task is the ledger's: those are done one after another, in order.
    pub fn is_written(task: &Task) -> bool {
        match task {
            Task::Begin { .. }
            | Task::Send { .. }
            | Task::Record { .. }
            | Task::Adopt { .. }
            | Task::Renew { .. }
            | Task::Deny { .. }
            | Task::StoreWaiting { .. }
            | Task::Rule { .. }
            | Task::NameRules { .. }
            | Task::Speak { .. }
            | Task::Appear { .. }
            | Task::Remember { .. }
            | Task::ReadStore
            | Task::Verify => true,
            Task::Poll { .. }
            | Task::ReadLog { .. }
            | Task::ReadCalendar { .. }
            | Task::ReadAuthors { .. }
            | Task::ReadObjective { .. }
            | Task::Probe { .. }
            | Task::ReadJournal
            | Task::KeepTrial { .. }
            | Task::Look { .. }
            | Task::Sign { .. }
            | Task::SignRuling { .. }
            | Task::SignNaming { .. }
            | Task::SignSaying { .. }
            | Task::Journal { .. } => false,
        }
    }

    /// Does a task that reads a backend or the journal.
    pub async fn read(&self, task: Task) -> Option<Event> {
        match task {
            Task::Poll { backend, seq, query, deadline } => {
                let asked = self.clock.now();
                let result = match tokio::time::timeout(deadline, self.poll(&backend, &query)).await {
                    Ok(result) => result,
                    Err(_) => Err(timed_out(&backend, "read it", deadline)),
                };
                Some(Event::Polled { backend, seq, asked, result })
            }
            Task::ReadCalendar { calendar } => {
                let asked = self.clock.now();
                let result = self.ports.calendar(&calendar).await;
                Some(Event::CalendarRead { calendar, asked, result })
            }
            Task::ReadAuthors { span, deadline } => {
                let asked = self.clock.now();
                let result = match tokio::time::timeout(deadline, self.authors(&span)).await {
                    Ok(result) => result.map(Arc::new),
                    Err(_) => Err(timed_out(&span.backend, "read who made it", deadline)),
                };
                Some(Event::AuthorsRead { span, asked, result })
            }
            Task::ReadObjective { backend, ask, deadline } => Some(self.ports.history(&self.clock, &backend, &ask, deadline).await),
            Task::Probe { target, rollout, slot, check, values } => {
                let asked = self.clock.now();
                let answer = self.ports.probe(&asked, &target, slot, &check, values).await;
                Some(Event::Probed { target, rollout, name: check.name, asked, answer })
            }
            Task::ReadLog { backend, log, first } => {
                let result = match self.ports.get(&backend) {
                    Some(Port::Ci(port)) => port.log(log, first, LOG_LINES).await,
                    _ => Err(unsupported(&backend, "read a log")),
                };
                Some(Event::LogRead { backend, log, result })
            }
            Task::Look { plan, step, effect, after } => {
                let key = EffectKey { plan, step };
                let result = match self.ports.get(effect.backend()) {
                    Some(Port::Ci(port)) => port.find(&effect, key, after).await,
                    _ => Err(unsupported(effect.backend(), "look for a run")),
                };
                Some(Event::Looked { plan, step, result })
            }
            Task::ReadJournal => {
                let Some(journal) = &self.journal else {
                    return Some(Event::JournalRead { happenings: Vec::new(), trials: Ok(Vec::new()) });
                };
                let happenings = journal.happenings(LINES).await.unwrap_or_default();
                let trials = journal.kept_trials().await.map_err(|error| Text::clean(&error.to_string()));
                Some(Event::JournalRead { happenings, trials })
            }
            Task::KeepTrial { kept, over } => {
                if let Some(journal) = &self.journal
                    && let Err(error) = journal.keep_trial(&kept, over).await
                {
                    tracing::warn!(%error, "the running judgement was not kept: after a restart it would go on from the one before");
                }
                None
            }
            Task::Journal { happenings, elsewhere: false } => {
                let journal = self.journal.as_ref()?;
                let now = self.clock.now();
                let lines: Vec<_> = happenings.iter().filter_map(|line| record::happening(&now, line)).collect();
                if let Err(error) = journal.append(&lines).await {
                    tracing::warn!(%error, "the journal was not written; history has a hole, no deed is lost");
                }
                None
            }
            Task::Sign { plan, keys } => {
                let result = self.signatures(&plan, &keys).await;
                Some(Event::Signed { plan: plan.id, result })
            }
            Task::SignRuling { ruling, keys } => {
                let statement = ruling.statement(&self.ledger.installation()).canonical();
                let result = match statement {
                    Ok(bytes) => self.signature(&keys, ruling.decision.kind(), &bytes).await,
                    Err(error) => Err(SignError::Broken(Text::clean(&error.to_string()))),
                };
                Some(Event::RulingSigned { ruling, result })
            }
            Task::SignNaming { naming, keys } => {
                let result = match naming.body(&self.ledger.installation()) {
                    Ok(bytes) => self.signature(&keys, EntryKind::Policy, &bytes).await,
                    Err(error) => Err(SignError::Broken(Text::clean(&error.to_string()))),
                };
                Some(Event::NamingSigned { naming, result })
            }
            Task::SignSaying { saying, keys } => {
                let result = match self.ledger.said_body(&saying).await {
                    Ok((kind, body)) => self.signature(&keys, kind, &body).await,
                    Err(error) => Err(SignError::Broken(Text::clean(&error.to_string()))),
                };
                Some(Event::SayingSigned { saying, result })
            }
            Task::Journal { elsewhere: true, .. }
            | Task::Begin { .. }
            | Task::Send { .. }
            | Task::Record { .. }
            | Task::Adopt { .. }
            | Task::Renew { .. }
            | Task::Deny { .. }
            | Task::StoreWaiting { .. }
            | Task::Rule { .. }
            | Task::NameRules { .. }
            | Task::Speak { .. }
            | Task::Appear { .. }
            | Task::Remember { .. }
            | Task::ReadStore
            | Task::Verify => None,
        }
    }

    async fn poll(&self, backend: &BackendName, query: &Query) -> Result<Reading, PortError> {
        if let Query::Links(of, ask) = query {
            let Some(Port::Metrics(port)) = self.ports.get(of) else { return Err(unsupported(of, "read who uses whom")) };
            return port.links(ask).await.map(|reading| Reading::Links(Arc::new(reading)));
        }
        match (self.ports.get(backend), query) {
            (Some(Port::Traffic(port)), Query::Pools(pools)) => port.read(pools).await.map(|reading| Reading::Traffic(Arc::new(reading))),
            (Some(Port::Metrics(port)), Query::Asks(asks)) => port.read(asks).await.map(|reading| Reading::Signals(Arc::new(reading))),
            (Some(Port::Alerts(port)), Query::Alerts) => port.read().await.map(|reading| Reading::Alerts(Arc::new(reading))),
            (Some(Port::Orchestrator(port)), Query::Workloads(workloads)) => {
                port.read(workloads).await.map(|reading| Reading::Workloads(Arc::new(reading)))
            }
            (Some(Port::Ci(port)), Query::Builders(builders, detail)) => {
                port.read(builders, detail).await.map(|reading| Reading::Runs(Arc::new(reading)))
            }
            (Some(Port::Flags(port)), Query::Flags(flags)) => port.read(flags).await.map(|reading| Reading::Flags(Arc::new(reading))),
            _ => Err(unsupported(backend, "read it")),
        }
    }

    async fn authors(&self, span: &Span) -> Result<Range, PortError> {
        let Some(Port::Ci(port)) = self.ports.get(&span.backend) else { return Err(unsupported(&span.backend, "read who made it")) };
        match port.source() {
            Some(source) => source.authors(&span.repository, &span.from, &span.to).await,
            None => Err(unsupported(&span.backend, "read who made it")),
        }
    }

    /// The signatures of a person's own key over everything of a plan that it signs.
    async fn signatures(&self, plan: &Plan, keys: &[String]) -> Result<Vec<Signed>, SignError> {
        let bodies = self.ledger.personal_bodies(plan).map_err(|error| SignError::Broken(Text::clean(&error.to_string())))?;
        let mut signed = Vec::with_capacity(bodies.len());
        for (kind, body) in &bodies {
            signed.push(self.signature(keys, *kind, body).await?);
        }
        Ok(signed)
    }

    async fn signature(&self, keys: &[String], kind: EntryKind, body: &[u8]) -> Result<Signed, SignError> {
        match &self.signer {
            Some(signer) => signer.sign(keys, kind.namespace(), body).await,
            None => Err(SignError::NoAgent(Text::clean("this room was opened without one"))),
        }
    }

    /// Does a task of the ledger.
    pub async fn write(&self, task: Task) -> Written {
        match task {
            Task::Begin { plan, catalog, read_only, signed, spans, asked, older } => {
                let by = AtBegin { catalog: &catalog, spans: &spans, asked: &asked, read_only, older: older.as_deref() };
                let judge = |found: &AtCommit| gate::judge_at_commit(&by, &plan, found);
                let result = self.ledger.begin_signed(&plan, &signed, &judge).await;
                let result = match result {
                    Ok(begun) => {
                        let at = begun.at;
                        self.leases.lock().await.insert(plan.id, begun.epoch);
                        self.begun.lock().await.insert(plan.id, Arc::new(begun));
                        Ok(at)
                    }
                    Err(error) => Err(error),
                };
                Written::event(Event::Began { plan: plan.id, result })
            }
            Task::Send { plan, step, expect, deadline } => self.sending(plan, step, expect, deadline).await,
            Task::Record { plan, outcome } => {
                let result = self.ledger.record(plan, &outcome).await;
                if outcome.releases && result.is_ok() {
                    self.begun.lock().await.remove(&plan);
                    self.leases.lock().await.remove(&plan);
                }
                Written::event(Event::Recorded { plan, step: outcome.step, kind: outcome.kind, result })
            }
            Task::Adopt { plan } => {
                let adoption = self.ledger.adopt(plan).await.unwrap_or(Adoption::NotOurs);
                if let Adoption::Leased(epoch) = adoption {
                    self.leases.lock().await.insert(plan, epoch);
                    self.may_take_back(plan, epoch).await;
                }
                Written::event(Event::Adopted { plan, ours: adoption != Adoption::NotOurs })
            }
            Task::Renew { plan } => {
                let epoch = self.leases.lock().await.get(&plan).copied();
                if let Some(epoch) = epoch
                    && let Err(error) = self.ledger.renew(plan, epoch).await
                {
                    tracing::warn!(%error, plan = %plan.short(), "the lease was not renewed");
                }
                Written::default()
            }
            Task::Deny { plan, reasons } => Written::event(Event::Noted { plan: plan.id, result: self.ledger.deny(&plan, &reasons).await }),
            Task::StoreWaiting { plan, refused } => {
                let stored = self.store_waiting(&plan, &refused).await;
                Written::event(Event::Noted { plan: plan.id, result: stored })
            }
            Task::Rule { ruling, actor, signed, catalog, read_only, older } => {
                let said = Said { decision: ruling.decision, actor: &actor, read_only };
                let may = |plan: &Plan, found: &AtCommit| {
                    // Judged by the authors that the person saw, which the person's evidence names.
                    let plan = &Plan { authors: ruling.authors.as_deref().cloned(), ..plan.clone() };
                    gate::against_at_commit(&catalog, older.as_deref(), &said, plan, found)
                };
                let result = self.ledger.rule(&ruling, signed.as_ref(), &may).await;
                Written::event(Event::Ruled { ruling, result })
            }
            Task::NameRules { naming, signed, by } => {
                let may = |stands: &RuleStanding, is_own_key: bool| by.may(stands, Some(is_own_key));
                let result = self.ledger.accept_rules(&naming, signed.as_ref(), &may).await;
                Written::event(Event::RulesNamed { naming, result })
            }
            Task::Speak { saying, actor, signed, catalog, read_only, accepted } => {
                let by = By { actor: &actor, catalog: &catalog, read_only, accepted: accepted.map(|accepted| *accepted) };
                Written::event(said::speak(self.ledger.as_ref(), saying, signed.as_ref(), &by).await)
            }
            Task::Remember { changes } => {
                if let Err(error) = self.ledger.remember(&changes).await {
                    tracing::warn!(%error, "what was seen could not be remembered");
                }
                *self.generation.lock().await = None;
                Written::default()
            }
            Task::Appear { presence } => {
                self.ledger.appear(&presence);
                Written { events: self.look_around().await.into_iter().collect(), outgoing: None }
            }
            Task::ReadStore => {
                let here = self.look_around().await;
                Written { events: here.into_iter().chain(self.read_store().await).collect(), outgoing: None }
            }
            Task::Verify => Written::event(Event::Verified { result: self.ledger.verify().await }),
            Task::Poll { .. }
            | Task::ReadLog { .. }
            | Task::ReadCalendar { .. }
            | Task::ReadAuthors { .. }
            | Task::ReadObjective { .. }
            | Task::Probe { .. }
            | Task::ReadJournal
            | Task::KeepTrial { .. }
            | Task::Look { .. }
            | Task::Sign { .. }
            | Task::SignRuling { .. }
            | Task::SignNaming { .. }
            | Task::SignSaying { .. }
            | Task::Journal { .. } => Written::default(),
        }
    }

    /// A deed that was taken over may take back what it moved, and do nothing else: its Order, which was permitted when it began, says what.
    async fn may_take_back(&self, plan: PlanId, epoch: u64) {
        let open = self.ledger.open_deeds().await.unwrap_or_default();
        let Some(open) = open.into_iter().find(|open| open.deed.plan == plan && !open.plan.order.back.is_empty()) else { return };
        let permit = judge::to_take_back(&open.plan);
        let begun = Begun { permit, plan: open.plan, epoch, at: self.clock.now().wall };
        self.begun.lock().await.insert(plan, Arc::new(begun));
    }

    /// Stores a plan that waits; that somebody would have carried it out on approvals that do not count is recorded first.
    async fn store_waiting(&self, plan: &Plan, refused: &[Reason]) -> Result<(), LedgerError> {
        if !refused.is_empty() {
            self.ledger.deny(plan, refused).await?;
        }
        self.ledger.store_plan(plan).await?;
        self.ledger.wait_for(plan.id).await
    }

    /// Records `sending` and joins the two proofs to an effect.
    async fn sending(&self, plan: PlanId, step: u32, expect: Option<Weights>, deadline: Duration) -> Written {
        let refused = |error: LedgerError| Written::event(Event::Sending { plan, step, result: Err(error) });
        let Some(begun) = self.begun.lock().await.get(&plan).cloned() else {
            return refused(LedgerError::NoPlan(crate::model::text::Text::clean(&plan.short())));
        };
        let recorded = match self.ledger.sending(&begun, step).await {
            Ok(recorded) => recorded,
            Err(error) => return refused(error),
        };
        let at = self.clock.now().wall;
        let Some(effect) = Effect::join(&begun.permit, recorded, &begun.plan.order, expect) else {
            return refused(LedgerError::Denied(crate::model::text::Text::clean("the permit is not for this order")));
        };
        Written { events: vec![Event::Sending { plan, step, result: Ok(at) }], outgoing: Some(Outgoing { effect, plan, step, deadline }) }
    }

    /// Sends an effect; a deadline that passes leaves its outcome unknown.
    pub async fn send(&self, outgoing: Outgoing) -> Event {
        let Outgoing { effect, plan, step, deadline } = outgoing;
        let backend = effect.what().backend().clone();
        let sending = async {
            match (self.ports.get(&backend), effect.what()) {
                (Some(Port::Traffic(port)), StepEffect::Weights { .. }) => port.set_weights(&effect).await,
                (Some(Port::Traffic(port)), StepEffect::Drain { .. }) => port.drain(&effect).await,
                (Some(Port::Alerts(port)), StepEffect::Silence { .. }) => port.silence(&effect).await,
                (Some(Port::Orchestrator(port)), StepEffect::Workload { .. }) => port.change(&effect).await,
                (Some(Port::Flags(port)), StepEffect::Flag { .. }) => port.set(&effect).await,
                (
                    Some(Port::Ci(port)),
                    StepEffect::Start { .. }
                    | StepEffect::Retry { .. }
                    | StepEffect::Repeat { .. }
                    | StepEffect::Answer { .. }
                    | StepEffect::Cancel { .. },
                ) => port.send(&effect).await.map(|_| ()),
                _ => Err(SendError::NotDone(unsupported(&backend, "send the effect"))),
            }
        };
        let result = match tokio::time::timeout(deadline, sending).await {
            Ok(result) => result,
            Err(_) => Err(SendError::Unknown(timed_out(&backend, "send the effect", deadline))),
        };
        Event::Answered { plan, step, result }
    }

    /// Who is here, when it is otherwise than it was seen last: a few system calls, with each reading of the store.
    async fn look_around(&self) -> Option<Event> {
        let here = self.ledger.here();
        let mut seen = self.here.lock().await;
        (*seen != here).then(|| {
            seen.clone_from(&here);
            Event::Here { here }
        })
    }

    /// Reads the store, unless nothing was committed since it was read last.
    async fn read_store(&self) -> Option<Event> {
        let mut last = self.generation.lock().await;
        let generation = match self.ledger.generation().await {
            Ok(generation) => generation,
            Err(error) => {
                *last = None;
                return Some(Event::StoreRead { result: Err(error) });
            }
        };
        if *last == Some(generation) {
            return None;
        }
        let result = picture::read(self.ledger.as_ref(), self.outbox.as_deref()).await.map(Box::new);
        // Whoever has an open deed now may die without another commit: until that is over each look is a whole one.
        let is_watched = |picture: &StorePicture| picture.open.iter().any(|open| open.owner_alive && !open.ours);
        *last = result.as_ref().is_ok_and(|picture| !is_watched(picture)).then_some(generation);
        Some(Event::StoreRead { result })
    }
}
