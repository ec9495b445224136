//! A site: one service in one environment, its two slots behind one pool, and what a second of traffic does to it.

use std::collections::VecDeque;

use sha2::{Digest as _, Sha256};

use super::number::{hex, real, seconds, whole};
use crate::config::scenario::{Behaviour, Measure};
use crate::model::name::{PoolName, ServerName, Target};
use crate::model::slot::Slot;
use crate::model::traffic::ServerState;

/// Upper bounds of the latency histogram in seconds, with their labels.
pub(super) const BOUNDS: [(f64, &str); 9] =
    [(0.01, "0.01"), (0.025, "0.025"), (0.05, "0.05"), (0.1, "0.1"), (0.25, "0.25"), (0.5, "0.5"), (1.0, "1"), (2.5, "2.5"), (5.0, "5")];

/// The weight that the servers of the stable slot have at the beginning.
pub(super) const FULL: u32 = 100;

/// The seconds over which an alerting rule can average.
const REMEMBERED: usize = 301;

/// The 99th percentile of the latency distribution over its median.
const P99_OVER_MEDIAN: f64 = 4.626;

/// What one scrape of one server saw.
#[derive(Debug, Clone)]
pub(super) struct Scrape {
    pub(super) tick: i64,
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) buckets: [u64; 9],
    pub(super) load: f64,
}

/// One server.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) name: ServerName,
    pub(super) weight: u32,
    pub(super) initial: u32,
    pub(super) state: ServerState,
    pub(super) requests: u64,
    pub(super) errors: u64,
    /// What the counters were when the router's process began.
    pub(super) base: (u64, u64),
    pub(super) current: u64,
    pub(super) load: f64,
    buckets: [f64; 9],
    credit: f64,
    error_carry: f64,
    pub(super) scrapes: VecDeque<Scrape>,
}

impl Machine {
    fn new(name: ServerName, weight: u32) -> Self {
        Self {
            name,
            weight,
            initial: weight,
            state: ServerState::Up,
            requests: 0,
            errors: 0,
            base: (0, 0),
            current: 0,
            load: 0.0,
            buckets: [0.0; 9],
            credit: 0.0,
            error_carry: 0.0,
            scrapes: VecDeque::new(),
        }
    }

    /// The weight that balancing uses now.
    pub(super) fn effective(&self) -> u32 {
        if self.state == ServerState::Up { self.weight } else { 0 }
    }
}

/// One slot.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) version: String,
    pub(super) digest: String,
    behaviour: Option<Behaviour>,
    /// Seconds for which the version stood at the share from which it fails, at most its ramp.
    exposure: f64,
    pub(super) machines: Vec<Machine>,
}

impl Side {
    /// Puts a version into the slot.
    pub(super) fn install(&mut self, service: &str, version: &str, behaviour: Option<Behaviour>) {
        version.clone_into(&mut self.version);
        self.digest = format!("sha256:{}", hex(&Sha256::digest(format!("{service}:{version}"))));
        self.behaviour = behaviour;
        self.exposure = 0.0;
    }

    fn weight(&self) -> u64 {
        self.machines.iter().map(|machine| u64::from(machine.effective())).sum()
    }

    /// How much of its bad behaviour the version shows, 0 to 1.
    fn shown(&self) -> f64 {
        match &self.behaviour {
            None => 0.0,
            Some(behaviour) => {
                let ramp = behaviour.ramp.as_secs_f64();
                if ramp > 0.0 { (self.exposure / ramp).min(1.0) } else { self.exposure.min(1.0) }
            }
        }
    }

    fn expose(&mut self, share: f64) {
        let Some(behaviour) = &self.behaviour else { return };
        let ramp = behaviour.ramp.as_secs_f64().max(1.0);
        let onset = (f64::from(behaviour.from_percent) - 0.5) / 100.0;
        let exposed = share > 0.0 && share >= onset;
        self.exposure = if exposed { (self.exposure + 1.0).min(ramp) } else { (self.exposure - 2.0).max(0.0) };
    }

    fn harm(&self) -> Harm {
        let shown = self.shown();
        let grown = |factor: f64| 1.0 + (factor - 1.0) * shown;
        let well = Harm { errors: 0.0, slower: 1.0, heavier: 1.0 };
        self.behaviour.as_ref().map_or(well, |bad| Harm {
            errors: bad.errors * shown,
            slower: grown(bad.latency),
            heavier: grown(bad.load),
        })
    }
}

/// What a version does that its service does not.
#[derive(Debug, Clone, Copy)]
struct Harm {
    /// The share of its requests that fail.
    errors: f64,
    /// The factor of its latency.
    slower: f64,
    /// The factor of the load that its requests are.
    heavier: f64,
}

/// What does not change about a site.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nature {
    /// Requests a second.
    pub(super) requests: f64,
    /// The share that fails on a good day.
    pub(super) errors: f64,
    /// The median latency in seconds without load.
    pub(super) latency: f64,
    /// Requests a second that one server can do.
    pub(super) capacity: f64,
    /// Where in the wave of the day it stands.
    pub(super) phase: f64,
}

/// What a second brings from outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    pub(super) tick: i64,
    /// Noise of the number of requests, 0 to 1.
    pub(super) crowd: f64,
    /// Noise of the number of errors, 0 to 1.
    pub(super) luck: f64,
    /// The share that fails because of what it calls.
    pub(super) borrowed: f64,
}

/// Sums since the beginning, and how it was in that second.
#[derive(Debug, Clone, Copy)]
struct Past {
    requests: u64,
    errors: u64,
    latency: f64,
    load: f64,
}

/// One service in one environment.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) target: Target,
    pub(super) pool: PoolName,
    pub(super) first: Side,
    pub(super) second: Side,
    pub(super) nature: Nature,
    /// The factor of its traffic.
    pub(super) crowd: f64,
    /// The share that fails in addition, whatever the version.
    pub(super) forced: f64,
    /// Whether the operator has set weights here, so that nobody else does any more.
    pub(super) taken_over: bool,
    carry: f64,
    sums: (u64, u64),
    past: VecDeque<Past>,
}

impl Site {
    pub(super) fn new(target: Target, pool: PoolName, first: Vec<ServerName>, second: Vec<ServerName>, nature: Nature) -> Self {
        let side = |names: Vec<ServerName>, weight| Side {
            version: String::new(),
            digest: String::new(),
            behaviour: None,
            exposure: 0.0,
            machines: names.into_iter().map(|name| Machine::new(name, weight)).collect(),
        };
        Self {
            target,
            pool,
            first: side(first, FULL),
            second: side(second, 0),
            nature,
            crowd: 1.0,
            forced: 0.0,
            taken_over: false,
            carry: 0.0,
            sums: (0, 0),
            past: VecDeque::new(),
        }
    }

    pub(super) fn side(&self, slot: Slot) -> &Side {
        match slot {
            Slot::First => &self.first,
            Slot::Second => &self.second,
        }
    }

    pub(super) fn side_mut(&mut self, slot: Slot) -> &mut Side {
        match slot {
            Slot::First => &mut self.first,
            Slot::Second => &mut self.second,
        }
    }

    pub(super) fn machines(&self) -> impl Iterator<Item = &Machine> {
        self.first.machines.iter().chain(&self.second.machines)
    }

    pub(super) fn machines_mut(&mut self) -> impl Iterator<Item = &mut Machine> {
        self.first.machines.iter_mut().chain(&mut self.second.machines)
    }

    pub(super) fn machine_mut(&mut self, name: &ServerName) -> Option<&mut Machine> {
        self.machines_mut().find(|machine| &machine.name == name)
    }

    /// The versions that get requests.
    pub(super) fn serving(&self) -> Vec<String> {
        let serves = |side: &&Side| side.machines.iter().any(|machine| machine.effective() > 0);
        [&self.first, &self.second].into_iter().filter(serves).map(|side| side.version.clone()).collect()
    }

    /// The slot to which a server belongs.
    pub(super) fn slot_of(&self, server: &str) -> Option<Slot> {
        Slot::BOTH.into_iter().find(|slot| self.side(*slot).machines.iter().any(|machine| machine.name.as_str() == server))
    }

    /// The share of failing requests in the last second.
    pub(super) fn failing(&self) -> f64 {
        self.average(Measure::Errors, 1).unwrap_or(0.0)
    }

    /// A measure over the last `over` seconds; none without a request.
    pub(super) fn average(&self, measure: Measure, over: usize) -> Option<f64> {
        let newest = self.past.back()?;
        let span = over.clamp(1, REMEMBERED - 1).min(self.past.len().saturating_sub(1));
        let oldest = self.past.get(self.past.len().checked_sub(span + 1)?)?;
        let inside = || self.past.iter().rev().take(span.max(1));
        let mean = |of: fn(&Past) -> f64| inside().map(of).sum::<f64>() / real(u64::try_from(span.max(1)).unwrap_or(1));
        match measure {
            Measure::Errors => {
                let requests = newest.requests - oldest.requests;
                (requests > 0).then(|| real(newest.errors - oldest.errors) / real(requests))
            }
            Measure::Latency => Some(mean(|past| past.latency)),
            Measure::Saturation => Some(mean(|past| past.load)),
        }
    }

    /// Lets a second of traffic happen.
    pub(super) fn step(&mut self, weather: &Weather) {
        let (first, second) = (self.first.weight(), self.second.weight());
        let all = first + second;
        if all > 0 {
            self.first.expose(real(first) / real(all));
            self.second.expose(real(second) / real(all));
        }
        let wave = 1.0 + 0.1 * (seconds(weather.tick) / 95.0 + self.nature.phase).sin();
        let wanted = self.nature.requests * self.crowd * wave * (0.9 + 0.2 * weather.crowd) + self.carry;
        let requests = whole(wanted);
        self.carry = wanted - real(requests);
        self.sums.0 += requests;
        if all == 0 {
            self.sums.1 += requests;
            self.machines_mut().for_each(|machine| (machine.current, machine.load) = (0, machine.load * 0.8));
        } else {
            let given = self.split(requests, all);
            let (nature, forced) = (self.nature, self.forced);
            let mut given = given.into_iter();
            let mut failed = 0;
            for side in [&mut self.first, &mut self.second] {
                let harm = side.harm();
                for machine in &mut side.machines {
                    failed += serve(machine, given.next().unwrap_or(0), &nature, forced, harm, weather);
                }
            }
            self.sums.1 += failed;
        }
        self.remember();
    }

    /// Gives requests to servers by weight, exactly in the long run and within one request in the short.
    fn split(&mut self, requests: u64, all: u64) -> Vec<u64> {
        let mut given: Vec<u64> = self
            .machines_mut()
            .map(|machine| {
                let weight = machine.effective();
                machine.credit = if weight == 0 { 0.0 } else { machine.credit + real(requests) * f64::from(weight) / real(all) };
                let whole = whole(machine.credit);
                machine.credit -= real(whole);
                whole
            })
            .collect();
        let mut left = requests.saturating_sub(given.iter().sum());
        while left > 0 {
            let next = self.machines_mut().zip(&mut given).filter(|(machine, _)| machine.effective() > 0);
            let Some((machine, given)) = next.max_by(|(one, _), (other, _)| one.credit.total_cmp(&other.credit)) else { break };
            machine.credit -= 1.0;
            *given += 1;
            left -= 1;
        }
        let mut over = given.iter().sum::<u64>().saturating_sub(requests);
        for (machine, given) in self.machines_mut().zip(&mut given) {
            let back = over.min(*given);
            *given -= back;
            machine.credit += real(back);
            over -= back;
        }
        given
    }

    fn remember(&mut self) {
        let mut load: f64 = 0.0;
        let mut latency: f64 = 0.0;
        for side in [&self.first, &self.second] {
            for machine in side.machines.iter().filter(|machine| machine.effective() > 0) {
                load = load.max(machine.load);
                latency = latency.max(median(&self.nature, machine.load, side.harm().slower) * P99_OVER_MEDIAN);
            }
        }
        self.past.push_back(Past { requests: self.sums.0, errors: self.sums.1, latency, load });
        if self.past.len() > REMEMBERED {
            self.past.pop_front();
        }
    }

    /// Lets the monitoring system look at every server, and forget what is older than `oldest`.
    pub(super) fn scrape(&mut self, tick: i64, oldest: i64) {
        for machine in self.machines_mut() {
            let buckets = machine.buckets.map(whole);
            let scrape = Scrape { tick, requests: machine.requests, errors: machine.errors, buckets, load: machine.load };
            machine.scrapes.push_back(scrape);
            while machine.scrapes.front().is_some_and(|scrape| scrape.tick < oldest) {
                machine.scrapes.pop_front();
            }
        }
    }
}

/// The median latency under a load, in seconds.
fn median(nature: &Nature, load: f64, slower: f64) -> f64 {
    let queueing = load.powi(4) / (1.0 - load.min(0.95));
    nature.latency * slower * (1.0 + queueing)
}

/// One server takes `given` requests; tells how many of them failed.
fn serve(machine: &mut Machine, given: u64, nature: &Nature, forced: f64, harm: Harm, weather: &Weather) -> u64 {
    let count = real(given);
    machine.load = machine.load * 0.8 + 0.2 * count * harm.heavier / nature.capacity.max(0.001);
    let typical = median(nature, machine.load, harm.slower);
    for (bucket, (bound, _)) in machine.buckets.iter_mut().zip(BOUNDS) {
        *bucket += count / (1.0 + (typical / bound).powi(3));
    }
    let overload = if machine.load > 1.0 { 0.5 * (machine.load - 1.0) / machine.load } else { 0.0 };
    let own = (nature.errors + weather.borrowed) * (0.5 + weather.luck);
    let failing = (own + overload + forced + harm.errors * (0.9 + 0.2 * weather.luck)).min(1.0);
    let wanted = count * failing + machine.error_carry;
    let failed = whole(wanted).min(given);
    machine.error_carry = (wanted - real(failed)).min(1.0);
    machine.requests += given;
    machine.errors += failed;
    machine.current = whole(count * typical).max(u64::from(given > 0));
    failed
}
