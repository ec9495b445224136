//! The state of the world, and what one second does to it: events, runs, traffic, scrapes, rules, in this order.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::builds::{BY_ITSELF, Builds, Done, Request};
use super::number::{Dice, hex, real};
use super::rules::{self, RuleState};
use super::silences;
use super::site::{FULL, Nature, Site, Weather};
use crate::config::scenario::catalog::{pool_name, server_names};
use crate::config::scenario::{Event, Scenario, ScenarioService};
use crate::model::alert::Silence;
use crate::model::name::{EnvironmentName, NameError, ServiceName, Target};
use crate::model::share::Percent;
use crate::model::slot::Slot;
use crate::model::traffic::ServerState;

/// Subjects of commits that people push by themselves.
const SUBJECTS: [&str; 8] = [
    "Say why a request was refused",
    "Fold two queries into one",
    "Bound the queue",
    "Remove a flag that everyone has",
    "Raise the deadline of the slow path",
    "Test the empty basket",
    "Update dependencies",
    "Log the order's number",
];

/// Earlier runs of each builder that are there at the beginning.
const EARLIER: i64 = 6;

/// The world at one tick.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) scenario: Arc<Scenario>,
    seed: u64,
    /// The wall's time at tick 0.
    origin: DateTime<Utc>,
    /// Seconds that the world slept since.
    pub(super) slept: i64,
    /// Seconds since the beginning, negative while it warms up.
    pub(super) tick: i64,
    pub(super) sites: Vec<Site>,
    places: BTreeMap<Target, usize>,
    /// The places of the sites that each site calls.
    calls: Vec<Vec<usize>>,
    pub(super) rules: Vec<RuleState>,
    pub(super) builds: Builds,
    /// The newest version that was built of each service.
    latest: BTreeMap<String, String>,
    next_event: usize,
    /// Silences that were made, and not ended by a hand.
    pub(super) silences: Vec<Silence>,
    /// Processes that the router had.
    pub(super) reloads: u32,
}

impl State {
    pub(super) fn new(scenario: Arc<Scenario>, seed: u64, origin: DateTime<Utc>) -> Result<Self, NameError> {
        let warm_up = i64::try_from(scenario.warm_up.as_secs()).unwrap_or(0);
        let mut sites = Vec::new();
        let mut builds = Builds::new(seed, scenario.workers);
        let mut latest = BTreeMap::new();
        for (n, service) in scenario.service.iter().enumerate() {
            let phase = real(u64::try_from(n).unwrap_or(0)) * 1.7;
            for environment in &scenario.environment {
                if service.environments.is_empty() || service.environments.contains(&environment.name) {
                    sites.push(site(&scenario, service, &environment.name, environment.traffic, phase)?);
                }
            }
            builds.add(service.name.as_str(), i64::try_from(service.build.as_secs()).unwrap_or(50), service.failing);
            latest.insert(service.name.to_string(), service.version.clone());
        }
        let places: BTreeMap<Target, usize> = sites.iter().enumerate().map(|(place, site)| (site.target.clone(), place)).collect();
        let calls = sites
            .iter()
            .map(|site| {
                let others = scenario.service(&site.target.service).map(|service| service.depends_on.as_slice()).unwrap_or_default();
                let there = |other: &ServiceName| places.get(&Target::new(other.clone(), site.target.environment.clone())).copied();
                others.iter().filter_map(there).collect()
            })
            .collect();
        let rules = rules::instances(&scenario, &sites);
        let tick = -warm_up - 1;
        let silences = silences::begun(&scenario, origin);
        let mut state = Self {
            scenario,
            seed,
            origin,
            slept: 0,
            tick,
            sites,
            places,
            calls,
            rules,
            builds,
            latest,
            next_event: 0,
            silences,
            reloads: 0,
        };
        state.earlier_runs();
        Ok(state)
    }

    /// The sites that a site calls.
    pub(super) fn called_by(&self, site: &Site) -> impl Iterator<Item = &Site> {
        let calls = self.places.get(&site.target).and_then(|place| self.calls.get(*place));
        calls.into_iter().flatten().filter_map(|place| self.sites.get(*place))
    }

    /// The wall's time at a tick.
    pub(super) fn wall(&self, tick: i64) -> DateTime<Utc> {
        self.origin.checked_add_signed(TimeDelta::seconds(tick.saturating_add(self.slept))).unwrap_or(self.origin)
    }

    /// The wall's time now, as every backend's clock tells it.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.wall(self.tick)
    }

    pub(super) fn site(&self, target: &Target) -> Option<&Site> {
        self.sites.get(*self.places.get(target)?)
    }

    pub(super) fn site_mut(&mut self, target: &Target) -> Option<&mut Site> {
        self.sites.get_mut(*self.places.get(target)?)
    }

    /// Lets the next second happen.
    pub(super) fn step(&mut self) {
        self.tick += 1;
        let scenario = Arc::clone(&self.scenario);
        while let Some(event) = scenario.event.get(self.next_event).filter(|event| event.at() <= self.tick) {
            self.next_event += 1;
            self.happen(event);
        }
        let mut dice = Dice::of_tick(self.seed, self.tick);
        for service in &scenario.service {
            let (push, who, what) = (dice.throw(), dice.throw(), dice.throw());
            if push < service.pushes / 3600.0 {
                let by = self.someone(service, who);
                let what = SUBJECTS.get(usize::from(what > 0.5) * 4 + usize::from(what * 4.0 % 1.0 > 0.5) * 2 + usize::from(who > 0.5));
                self.push(service.name.as_str(), &by, what.copied().unwrap_or("Tidy"), None);
            }
        }
        self.run_builds();
        self.traffic(&mut dice);
        let scrape = i64::try_from(scenario.scrape.as_secs()).unwrap_or(1).max(1);
        if self.tick.rem_euclid(scrape) == 0 {
            let oldest = self.tick - i64::try_from(scenario.history.as_secs()).unwrap_or(600);
            self.sites.iter_mut().for_each(|site| site.scrape(self.tick, oldest));
        }
        for state in &mut self.rules {
            if let (Some(rule), Some(site)) = (scenario.alert.get(state.rule), self.sites.get(state.site)) {
                state.evaluate(rule, site, self.tick);
            }
        }
    }

    fn traffic(&mut self, dice: &mut Dice) {
        let failing: Vec<f64> = self.sites.iter().map(|site| (site.failing() - site.nature.errors).max(0.0)).collect();
        for (site, calls) in self.sites.iter_mut().zip(&self.calls) {
            let coupling = self.scenario.service(&site.target.service).map_or(0.0, |service| service.coupling);
            let borrowed = coupling * calls.iter().filter_map(|place| failing.get(*place)).sum::<f64>();
            site.step(&Weather { tick: self.tick, crowd: dice.throw(), luck: dice.throw(), borrowed });
        }
    }

    fn run_builds(&mut self) {
        let (sites, places) = (&self.sites, &self.places);
        let done = self.builds.step(self.tick, |service, properties| {
            let property = |name: &str| properties.get(name).map(String::as_str).unwrap_or_default();
            let target = target(service, property("environment"));
            let site = target.and_then(|target| places.get(&target)).and_then(|place| sites.get(*place));
            let version = property("version");
            site.is_some_and(|site| slot(site, property("slot")).is_some()) && !version.is_empty() && !version.starts_with('$')
        });
        for done in done {
            self.take_effect(done);
        }
    }

    fn take_effect(&mut self, done: Done) {
        match done {
            Done::Replacing { service, environment, slot: wanted } => {
                let Some(site) = target(&service, &environment).and_then(|target| self.site_mut(&target)) else { return };
                let Some(slot) = slot(site, &wanted) else { return };
                let idle = site.side(slot).machines.iter().all(|machine| machine.effective() == 0);
                for machine in site.side_mut(slot).machines.iter_mut().filter(|machine| idle && machine.state == ServerState::Up) {
                    machine.state = ServerState::Starting;
                }
            }
            Done::Replaced { service, environment, slot: wanted, version } => {
                let Some(target) = target(&service, &environment) else { return };
                let behaviour = self.scenario.behaviour(&target, &version).cloned();
                let Some(site) = self.site_mut(&target) else { return };
                let Some(slot) = slot(site, &wanted) else { return };
                let side = site.side_mut(slot);
                side.install(&service, &version, behaviour);
                for machine in side.machines.iter_mut().filter(|machine| machine.state == ServerState::Starting) {
                    machine.state = ServerState::Up;
                }
            }
            Done::Built { service, version } => self.deploy_after(&service, None, &version),
            Done::Healthy { service, environment, version } => self.deploy_after(&service, Some(&environment), &version),
        }
    }

    /// The CI system deploys a version to the next environment by itself, all but the last.
    fn deploy_after(&mut self, service: &str, after: Option<&str>, version: &str) {
        let Some(last) = self.scenario.environment.iter().map(|environment| environment.order).max() else { return };
        let order = |name: &str| self.scenario.environment.iter().find(|known| known.name.as_str() == name).map(|known| known.order);
        let from = after.and_then(order);
        let mut later: Vec<_> = self
            .scenario
            .environment
            .iter()
            .filter(|known| known.order < last && from.is_none_or(|from| known.order > from))
            .filter(|known| target(service, known.name.as_str()).is_some_and(|target| self.places.contains_key(&target)))
            .map(|known| (known.order, known.name.to_string()))
            .collect();
        later.sort();
        if let Some((_, environment)) = later.into_iter().next() {
            self.deploy(service, &environment, "first", version, BY_ITSELF);
        }
    }

    fn deploy(&mut self, service: &str, environment: &str, slot: &str, version: &str, by: &str) {
        let properties = [("environment", environment), ("slot", slot), ("version", version)];
        let request = Request {
            id: 0,
            asked: self.tick,
            reason: format!("{by} deploys {version} to {environment}"),
            by: by.to_owned(),
            revision: String::new(),
            branch: String::new(),
            properties: properties.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            retry_of: None,
            gate: None,
        };
        self.builds.ask(&format!("{service}-deploy"), request);
    }

    fn someone(&self, service: &ScenarioService, throw: f64) -> String {
        let team: Vec<_> = self.scenario.person.iter().filter(|person| !person.operator && person.teams.contains(&service.team)).collect();
        let place = super::number::whole(throw * real(u64::try_from(team.len()).unwrap_or(0)));
        let person = usize::try_from(place).ok().and_then(|place| team.get(place));
        person.map_or_else(|| BY_ITSELF.to_owned(), |person| person.name.to_string())
    }

    /// Someone pushes a commit, so a build is asked for.
    fn push(&mut self, service: &str, by: &str, subject: &str, gate: Option<&EnvironmentName>) {
        let request = self.commit(service, by, subject, self.tick);
        self.builds.ask(service, Request { gate: gate.map(ToString::to_string), ..request });
    }

    /// A build request for a new commit, with the next version.
    pub(super) fn commit(&mut self, service: &str, by: &str, subject: &str, asked: i64) -> Request {
        let version = self.latest.get(service).map_or_else(|| "0.0.1".to_owned(), |version| next_version(version));
        self.latest.insert(service.to_owned(), version.clone());
        let revision = Sha256::digest(format!("{}:{service}:{version}:{subject}", self.seed));
        Request {
            id: 0,
            asked,
            reason: subject.to_owned(),
            by: by.to_owned(),
            revision: hex(revision.get(..20).unwrap_or_default()),
            branch: "main".to_owned(),
            properties: BTreeMap::from([("version".to_owned(), version)]),
            retry_of: None,
            gate: None,
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Shift { target, percent, .. } => {
                if let Some(site) = self.site_mut(target).filter(|site| !site.taken_over) {
                    set_share(site, *percent);
                }
            }
            Event::Deploy { by, target, slot, version, .. } => {
                let slot = match slot {
                    Slot::First => "first",
                    Slot::Second => "second",
                };
                self.latest.insert(target.service.to_string(), version.clone());
                self.deploy(target.service.as_str(), target.environment.as_str(), slot, version, by.as_str());
            }
            Event::Push { by, service, message, gate, .. } => self.push(service.as_str(), by.as_str(), message, gate.as_ref()),
            Event::Load { target, factor, .. } => {
                if let Some(site) = self.site_mut(target) {
                    site.crowd = *factor;
                }
            }
            Event::Errors { target, ratio, .. } => {
                if let Some(site) = self.site_mut(target) {
                    site.forced = *ratio;
                }
            }
            Event::Server { target, server, state, .. } => {
                if let Some(machine) = self.site_mut(target).and_then(|site| site.machine_mut(server)) {
                    machine.state = *state;
                }
            }
            Event::Reload { .. } => self.reload(),
        }
    }

    /// The router gets a new process: counters from 0, weights as configured.
    pub(super) fn reload(&mut self) {
        self.reloads += 1;
        for machine in self.sites.iter_mut().flat_map(Site::machines_mut) {
            machine.base = (machine.requests, machine.errors);
            machine.weight = machine.initial;
        }
    }

    /// Runs that were over before the world began, the oldest first.
    fn earlier_runs(&mut self) {
        let scenario = Arc::clone(&self.scenario);
        let mut dice = Dice::of_tick(self.seed, self.tick);
        let last = scenario.environment.iter().max_by_key(|environment| environment.order).map(|environment| environment.name.to_string());
        for round in (1..=EARLIER).rev() {
            for (n, service) in scenario.service.iter().enumerate() {
                let offset = i64::try_from(n).unwrap_or(0) * 97;
                let asked = self.tick - round * 1800 + offset;
                let by = self.someone(service, dice.throw());
                let subject = SUBJECTS.get(dice.place(SUBJECTS.len())).copied().unwrap_or("Tidy");
                let mut request = self.commit(service.name.as_str(), &by, subject, asked);
                request.properties.insert("version".to_owned(), service.version.clone());
                self.builds.remember(service.name.as_str(), request.clone(), asked + 2);
                if let (1, Some(last)) = (round, &last) {
                    let properties = [("environment", last.as_str()), ("slot", "first"), ("version", service.version.as_str())];
                    request.properties = properties.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                    request.reason = format!("{by} deploys {} to {last}", service.version);
                    (request.revision, request.branch) = (String::new(), String::new());
                    self.builds.remember(&format!("{}-deploy", service.name), request, asked + 300);
                }
            }
        }
        for service in &scenario.service {
            self.latest.insert(service.name.to_string(), service.version.clone());
        }
    }
}

fn site(
    scenario: &Scenario,
    service: &ScenarioService,
    environment: &EnvironmentName,
    traffic: f64,
    phase: f64,
) -> Result<Site, NameError> {
    let requests = service.requests * traffic;
    let nature = Nature {
        requests,
        errors: service.errors,
        latency: service.latency.as_secs_f64(),
        capacity: requests * 1.7 / f64::from(service.servers.max(1)),
        phase,
    };
    let (first, second) = (server_names(service, Slot::First)?, server_names(service, Slot::Second)?);
    let target = Target::new(service.name.clone(), environment.clone());
    let behaviour = scenario.behaviour(&target, &service.version).cloned();
    let mut site = Site::new(target, pool_name(&service.name, environment)?, first, second, nature);
    for slot in Slot::BOTH {
        site.side_mut(slot).install(service.name.as_str(), &service.version, behaviour.clone());
    }
    Ok(site)
}

fn target(service: &str, environment: &str) -> Option<Target> {
    Some(Target::new(service.parse().ok()?, environment.parse().ok()?))
}

/// The slot that a deploy run's property means: `first`, `second`, or the name of a server of it.
fn slot(site: &Site, wanted: &str) -> Option<Slot> {
    match wanted {
        "first" => Some(Slot::First),
        "second" => Some(Slot::Second),
        server => site.slot_of(server),
    }
}

fn set_share(site: &mut Site, percent: Percent) {
    let share = u32::from(percent.get());
    site.first.machines.iter_mut().for_each(|machine| machine.weight = FULL - share);
    site.second.machines.iter_mut().for_each(|machine| machine.weight = share);
}

/// The version after this one: its last number plus one.
fn next_version(version: &str) -> String {
    match version.rsplit_once('.') {
        Some((rest, last)) => format!("{rest}.{}", last.parse::<u64>().map_or(1, |last| last.saturating_add(1))),
        None => format!("{version}.1"),
    }
}
