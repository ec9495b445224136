//! The whole room under simulated faults: real store, real engine, simulated backends, virtual clock, fixed seeds, no real time.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod advice;
mod both;
mod checks;
mod deeds;
mod grants;
mod kept;
mod kills;
mod pairs;
mod promises;
mod rollouts;
mod scheduled;
mod sets;
mod stale;
mod stories;
mod tap;
mod told;
mod ways_back;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use futures_util::FutureExt as _;
use gonogo::adapters::simulated::prober::Asker;
use gonogo::adapters::simulated::{Injection, SimulatedWorld, ports};
use gonogo::config::scenario::Scenario;
use gonogo::control::driver::outside::{Outside, Switchboard, abilities};
use gonogo::control::driver::rehearse::{Nonces, Rehearsal, VirtualClock};
use gonogo::control::driver::script::Script;
use gonogo::control::event::Event;
use gonogo::control::planner;
use gonogo::control::record::Told;
use gonogo::control::update::Opening;
use gonogo::control::world::{RulesView, World};
use gonogo::model::alert::Silence;
use gonogo::model::catalog::Catalog;
use gonogo::model::deed::{Deed, DeedState, EffectKey, EntryKind};
use gonogo::model::intent::{Arguments, Intent, Verb};
use gonogo::model::name::{BackendName, PlanId, ServerName, Target};
use gonogo::model::operator::Actor;
use gonogo::model::pipeline::RunReading;
use gonogo::model::plan::{Plan, StepEffect};
use gonogo::model::share::Percent;
use gonogo::model::strategy::RolloutRules;
use gonogo::model::text::Text;
use gonogo::model::time::Moment;
use gonogo::model::timeline::HappeningKind;
use gonogo::model::traffic::{Server, ServerState, Weights};
use gonogo::ports::ci::Found;
use gonogo::ports::clock::Clock as _;
use gonogo::ports::ledger::{EntryRow, Ledger};
use gonogo::ports::{Port, Ports};
use gonogo::store::{Identity, SqliteStore};

use tap::Tap;

/// One service in two environments, small enough for thousands of stories: 2.0.0 waits in the second slot.
const SMALL: &str = r#"
name = "small"
title = "one service, 2.0.0 deployed beside 1.0.0"
warm_up = "40s"
scrape = "5s"
every = "5s"
history = "130s"

[[person]]
name = "ana"
operator = true
teams = ["payments"]
roles = [{ role = "release-captain" }]

[[person]]
name = "bo"
teams = ["payments"]
roles = [{ role = "release-captain" }]

[[environment]]
name = "dev"
order = 1
hold_time = "20s"
effective_within = "10s"
min_requests = 20

[[environment]]
name = "prod"
order = 2
hold_time = "20s"
effective_within = "10s"
min_requests = 20
protection = { actor_roles = ["release-captain"], typed_confirmation = true }

[[service]]
name = "shop"
team = "payments"
tier = 1
requests = 60.0
latency = "20ms"
version = "1.0.0"
steps = [5, 20, 50, 100]
pushes = 0.0
build = "12s"
failing = 0.0

[[event]]
kind = "deploy"
at = "-35s"
by = "bo"
target = "shop@prod"
slot = "second"
version = "2.0.0"
"#;

/// The target of nearly every story.
fn prod() -> Target {
    "shop@prod".parse().unwrap()
}

fn weights(pairs: &[(&str, u32)]) -> Weights {
    pairs.iter().map(|(name, weight)| (ServerName::new(name).unwrap(), *weight)).collect()
}

fn backend(name: &str) -> BackendName {
    name.parse().unwrap()
}

/// What outlives a process: the simulated backends, the clock, the store's directory.
struct Stage {
    clock: Arc<VirtualClock>,
    world: Arc<SimulatedWorld>,
    ports: Ports,
    catalog: Arc<Catalog>,
    dir: tempfile::TempDir,
    prober: Arc<checks::Scripted>,
    seed: u64,
}

impl Stage {
    fn new(scenario: &str, seed: u64) -> Self {
        Self::of(Scenario::parse(scenario).unwrap(), seed)
    }

    /// The small story with more lines: events and faults.
    fn small_with(more: &str, seed: u64) -> Self {
        Self::new(&format!("{SMALL}\n{more}"), seed)
    }

    fn small(seed: u64) -> Self {
        Self::new(SMALL, seed)
    }

    fn of(scenario: Scenario, seed: u64) -> Self {
        let clock = Arc::new(VirtualClock::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap()));
        let catalog = Arc::new(scenario.catalog("ana").unwrap());
        let world = SimulatedWorld::new(scenario, seed, Arc::<VirtualClock>::clone(&clock)).unwrap();
        let ports = ports(&world).unwrap();
        // Memory is quicker than a disk, and a killed process is not a lost disk.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self { clock, world, ports, catalog, dir, prober: Arc::default(), seed }
    }

    /// The same with other rules of the rollouts of [`prod`].
    fn ruled(mut self, change: impl FnOnce(&mut RolloutRules)) -> Self {
        let service = Arc::make_mut(&mut self.catalog).services.get_mut(&prod().service).unwrap();
        change(&mut service.deploy.get_mut(&prod().environment).unwrap().rollout);
        self
    }

    /// Starts a process on the store of this stage.
    async fn open(&self) -> Room {
        self.open_as("ana").await
    }

    /// Starts a process whose keys are in the hands of another person.
    async fn open_as(&self, person: &str) -> Room {
        self.opened(person, true).await
    }

    /// The same; `conducts`: whether rollouts go on by themselves in it.
    async fn opened(&self, person: &str, conducts: bool) -> Room {
        let identity = Identity { installation: "rehearsal".to_owned(), seed: [7; 32] };
        let store = SqliteStore::open(self.dir.path(), self.clock.clone(), Some(identity)).await.unwrap();
        let store = Arc::new(store);
        let tap = Tap::new(self.clock.clone());
        let ports = tap.ports(&self.ports);
        let opening = Opening {
            catalog: self.catalog.clone(),
            actor: Actor::Person(person.parse().unwrap()),
            read_only: false,
            installation: store.installation(),
            has_second_place: false,
            record_trouble: store.condition().map(|why| Text::clean(&why.to_string())),
            abilities: abilities(&ports),
            seed: self.seed,
            tends: true,
            conducts,
            rules: RulesView::default(),
            seat: gonogo::control::update::Seat::None,
        };
        let switchboard = Arc::new(Switchboard::new(ports));
        // A story that asks something asks its own world.
        if self.world.scenario().check.is_empty() {
            switchboard.probing(self.prober.clone());
        } else {
            switchboard.probing(Arc::new(Asker::new(&self.world)));
        }
        let outside = Outside::over(switchboard, tap.ledger(store.clone()), Some(store.clone()), self.clock.clone());
        let salt = person.len() as u64 + self.clock.now().boot.0;
        Room {
            rehearsal: Rehearsal::open(self.clock.clone(), outside, opening).following(Script::of(self.world.scenario(), self.seed)),
            clock: self.clock.clone(),
            nonces: Nonces::of(self.seed ^ (salt << 20)),
            store,
            tap,
            events: Vec::new(),
        }
    }

    fn inject(&self, at: &str, injection: Injection) {
        self.world.inject(&backend(at), injection);
    }

    /// Another hand.
    fn by_hand(&self, pairs: &[(&str, u32)]) {
        assert!(self.world.set_weights_by_hand(&prod(), &weights(pairs)));
    }

    /// The servers as the router would tell anyone now.
    fn servers(&self) -> Vec<Server> {
        let pool = "be_shop_prod".parse().unwrap();
        let Some(Port::Traffic(port)) = self.ports.get(&backend("edge")) else { panic!("no router") };
        let reading = port.read(std::slice::from_ref(&pool)).now_or_never().unwrap().unwrap();
        reading.pools[&pool].servers.clone()
    }

    /// Their weights.
    fn weights(&self) -> Weights {
        self.servers().into_iter().map(|server| (server.name, server.weight)).collect()
    }

    /// The state of one of them.
    fn state_of(&self, name: &str) -> ServerState {
        self.servers().into_iter().find(|server| server.name.as_str() == name).unwrap().state
    }

    /// What the CI system would tell anyone now.
    fn runs(&self) -> RunReading {
        let Some(Port::Ci(port)) = self.ports.get(&backend("ci")) else { panic!("no CI") };
        port.read(&["shop".to_owned(), "shop-deploy".to_owned()], &[]).now_or_never().unwrap().unwrap()
    }

    /// The silences that the alerting system would tell anyone now.
    fn silences(&self) -> Vec<Silence> {
        let Some(Port::Alerts(port)) = self.ports.get(&backend("alerts")) else { panic!("no alerting system") };
        port.read().now_or_never().unwrap().unwrap().silences
    }

    /// Runs and requests that bear an effect's key.
    fn with_key(&self, plan: PlanId, step: u32) -> usize {
        let key = format!("{plan}-{step}");
        let reading = self.runs();
        let bears = |properties: &BTreeMap<String, Text>| properties.values().any(|value| value.as_str() == key);
        reading
            .builders
            .values()
            .map(|builder| {
                builder.runs.iter().filter(|run| bears(&run.properties) && run.retry_of.is_none()).count()
                    + builder.queued.iter().filter(|run| bears(&run.properties)).count()
            })
            .sum()
    }

    /// Answers at a gate that bear an effect's key.
    fn answers(&self, key: EffectKey, effect: &StepEffect) -> usize {
        let Some(Port::Ci(port)) = self.ports.get(&backend("ci")) else { panic!("no CI") };
        usize::from(matches!(port.find(effect, key, None).now_or_never().unwrap().unwrap(), Some(Found::Run(_))))
    }

    /// Repetitions of a run.
    fn repetitions(&self, run: u64) -> usize {
        self.runs().builders.values().flat_map(|builder| &builder.runs).filter(|one| one.retry_of == Some(run)).count()
    }
}

/// One process.
struct Room {
    rehearsal: Rehearsal,
    clock: Arc<VirtualClock>,
    nonces: Nonces,
    store: Arc<SqliteStore>,
    tap: Arc<Tap>,
    events: Vec<(Moment, Event)>,
}

impl Room {
    fn world(&self) -> &World {
        self.rehearsal.room().world()
    }

    fn now(&self) -> Moment {
        self.rehearsal.now()
    }

    fn give(&mut self, event: Event) {
        self.rehearsal.give(event);
    }

    /// Runs on for a while; true when the process died on the way.
    async fn pass_or_die(&mut self, span: Duration) -> bool {
        let until = self.clock.elapsed() + span;
        let Self { rehearsal, tap, events, .. } = self;
        rehearsal.give(Event::Woke);
        let mut keep = |now: &Moment, told: Told| {
            if let Told::Event(event @ Event::Polled { .. }) = told {
                events.push((*now, event));
            }
        };
        tokio::select! {
            biased;
            () = tap.died() => true,
            () = rehearsal.run_until(until, &mut keep) => false,
        }
    }

    async fn pass(&mut self, span: Duration) {
        assert!(!self.pass_or_die(span).await, "the process died unasked");
    }

    async fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds)).await;
    }

    /// Runs on in small steps until something is so.
    async fn until(&mut self, what: &str, within_s: u64, so: impl Fn(&World) -> bool) {
        for _ in 0..within_s * 10 {
            if so(self.world()) {
                return;
            }
            self.pass(Duration::from_millis(100)).await;
        }
        panic!("not within {within_s} s: {what}; deeds: {}", self.story());
    }

    fn plan_with(&mut self, target: Target, verb: Verb, args: Arguments) -> Plan {
        let intent = Intent { verb, target, args, requester: self.world().actor.clone(), reason: Text::clean("because") };
        let (now, nonce) = (self.now(), self.nonces.next());
        planner::plan(self.world(), intent, &now, &nonce).unwrap()
    }

    fn plan(&mut self, verb: Verb) -> Plan {
        let args = Arguments { text: (verb == Verb::Note).then(|| Text::clean("a note")), ..Arguments::default() };
        self.plan_with(prod(), verb, args)
    }

    fn plan_shift(&mut self, percent: u8) -> Plan {
        self.plan_with(prod(), Verb::Shift, Arguments { percent: Percent::new(percent), ..Arguments::default() })
    }

    /// A shift that breaks the glass for a quarter of an hour.
    fn plan_broken(&mut self, percent: u8) -> Plan {
        let args = Arguments { percent: Percent::new(percent), break_glass: Some(Duration::from_mins(15)), ..Arguments::default() };
        let reason = Text::clean("nothing is sold any more");
        let intent = Intent { verb: Verb::Shift, target: prod(), args, requester: self.world().actor.clone(), reason };
        let (now, nonce) = (self.now(), self.nonces.next());
        planner::plan(self.world(), intent, &now, &nonce).unwrap()
    }

    fn confirm(&mut self, plan: Plan) -> PlanId {
        let id = plan.id;
        self.give(Event::Confirmed { plan: Box::new(plan) });
        id
    }

    /// Plans and confirms.
    fn order(&mut self, verb: Verb) -> PlanId {
        let plan = self.plan(verb);
        self.confirm(plan)
    }

    fn shift(&mut self, percent: u8) -> PlanId {
        let plan = self.plan_shift(percent);
        self.confirm(plan)
    }

    /// Orders, and waits until it is in this state.
    async fn order_until(&mut self, verb: Verb, state: DeedState) -> PlanId {
        let id = self.order(verb);
        self.reach(id, state).await;
        id
    }

    async fn shift_until(&mut self, percent: u8, state: DeedState) -> PlanId {
        let id = self.shift(percent);
        self.reach(id, state).await;
        id
    }

    async fn reach(&mut self, id: PlanId, state: DeedState) {
        self.until(state.word(), 90, |world| world.deeds.get(&id).is_some_and(|deed| deed.state == state)).await;
    }

    fn deed(&self, id: PlanId) -> Deed {
        let known = self.world().deeds.get(&id);
        known.map_or_else(|| panic!("no deed {}: {}", id.short(), self.story()), |deed| (**deed).clone())
    }

    fn state(&self, id: PlanId) -> DeedState {
        self.deed(id).state
    }

    /// Every deed in a line, for messages.
    fn story(&self) -> String {
        let line = |deed: &Deed| {
            let reasons: Vec<_> = deed.reasons.iter().map(|reason| format!("{}: {}", reason.rule, reason.text)).collect();
            format!("\n  {} {} {:?}: {} {reasons:?}", deed.plan.short(), deed.verb.word(), deed.state, deed.words)
        };
        self.world().newest_deeds().into_iter().map(|deed| line(deed)).collect()
    }

    /// The rules of the reasons of a refusal.
    fn rules(&self, id: PlanId) -> Vec<String> {
        self.deed(id).reasons.iter().map(|reason| reason.rule.clone()).collect()
    }

    async fn entries(&self) -> Vec<EntryRow> {
        self.store.entries(0, 9_999).await.unwrap()
    }

    /// The kinds of a deed's entries in their order.
    async fn kinds(&self, id: PlanId) -> Vec<&'static str> {
        self.entries().await.iter().filter(|entry| entry.deed == Some(id)).map(|entry| entry.kind.word()).collect()
    }

    async fn count(&self, id: PlanId, kind: EntryKind) -> usize {
        self.entries().await.iter().filter(|entry| entry.deed == Some(id) && entry.kind == kind).count()
    }

    /// The lines of the timeline of a kind.
    fn lines(&self, kind: HappeningKind) -> Vec<String> {
        self.world().timeline.iter().filter(|line| line.kind == kind).map(|line| line.text.to_string()).collect()
    }
}
