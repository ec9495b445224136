//! Whole trials looked at after every scrape: how often equal versions are failed, and one with the margin's harm is passed.
#![expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "counts stay far below 2^52")]

use std::fmt::Write as _;

use gonogo::analysis::trial::{Outcome, Raw, Trial};
use gonogo::model::catalog::SignalKind;
use gonogo::model::name::SignalName;
use gonogo::model::signal::{Sample, Series};
use gonogo::model::trial::{MeasureKind, MeasureRules, TrialRules};

use super::chance::Chance;
use super::gonogo_::{buckets, of_ratio, one, signal, time};
use super::release::{BOUNDS, Counted, LIMIT, Release, SCRAPE_S, Surroundings};
use super::seeds::over;

/// Looks of each run: 10 minutes at 5 %, 10 at 20 %, 20 at 50 %.
const LOOKS: usize = 160;
/// The level of each trial.
const ALPHA: f64 = 0.05;
/// The margin of errors by the defaults: half of their limit.
const MARGIN: f64 = 0.005;
/// The quantile of the normal distribution for intervals of 95 %.
const Z: f64 = 1.959_963_985;

/// The streams that the level is shown over.
const STREAMS: [Surroundings; 6] = [
    Surroundings::Calm,
    Surroundings::Leaning5,
    Surroundings::Leaning9,
    Surroundings::Bursty,
    Surroundings::Drifting,
    Surroundings::Swinging,
];

/// One service: its errors and its latency.
struct Service {
    release: Release,
    names: [SignalName; 2],
    sums: [Counted; 2],
}

impl Service {
    fn new(number: usize, seed: u64, in_: Surroundings) -> Self {
        let name = |kind: &str| format!("{kind}{number}").parse().expect("a name");
        Self { release: Release::with(seed, in_, None, LOOKS), names: [name("errors"), name("latency")], sums: Default::default() }
    }

    fn measures(&self, margin: Option<f64>) -> [MeasureRules; 2] {
        let ratio = SignalKind::Ratio { bad: "".into(), total: "".into() };
        let histogram = SignalKind::Histogram { buckets: "".into(), quantile: 0.99 };
        let of = |name: &SignalName, kind, limit| MeasureRules::of(&signal(name.as_str(), kind, limit, ""), margin, None);
        [of(&self.names[0], ratio, 0.01), of(&self.names[1], histogram, BOUNDS[LIMIT])]
    }

    /// One scrape in which `more` of the canary's requests fail beyond the usual.
    fn scrape(&mut self, at: usize, more: f64, chance: &mut Chance, trial: &mut Trial) {
        let second = (at as i64 + 1) * SCRAPE_S;
        let mut interval = self.release.interval(at, share(at), None);
        let canary = &mut interval.of[1];
        canary.errors = (canary.errors + chance.binomial(canary.total - canary.errors, more)).min(canary.total);
        let before = self.sums;
        self.sums = [0, 1].map(|side| before[side].plus(&interval.of[side]));
        let samples = [0, 1].map(|side| [(second - SCRAPE_S, before[side]), (second, self.sums[side])]);
        let [old, new] = samples.map(|of| [one(&of, |counted| counted.errors), one(&of, |counted| counted.total)]);
        trial.take(&self.names[0], of_ratio(&old), of_ratio(&new));
        let [old, new] = samples.map(|of| buckets(&of));
        trial.take(&self.names[1], Raw::Buckets(&old), Raw::Buckets(&new));
    }
}

/// A queue's length: a number around 10 for each side, in the same surroundings.
struct Queue {
    name: SignalName,
    in_: Surroundings,
    sides: [f64; 2],
    spells: [bool; 2],
    common: f64,
}

impl Queue {
    fn new(in_: Surroundings) -> Self {
        Self { name: "queue".parse().expect("a name"), in_, sides: [0.0; 2], spells: [false; 2], common: 0.0 }
    }

    fn measure() -> MeasureRules {
        let kind = SignalKind::Value { query: "queue{slot=\"$slot\"}".into() };
        MeasureRules { kind: MeasureKind::Value { apart_s: 15 }, ..MeasureRules::of(&signal("queue", kind, 5.0, ""), Some(0.0), None) }
    }

    fn scrape(&mut self, at: usize, chance: &mut Chance, trial: &mut Trial) {
        let kept: f64 = match self.in_ {
            Surroundings::Leaning5 => 0.5,
            Surroundings::Leaning9 => 0.9,
            Surroundings::Calm | Surroundings::LowTraffic | Surroundings::Swinging | Surroundings::Bursty | Surroundings::Drifting => 0.0,
        };
        for (side, spell) in self.sides.iter_mut().zip(&mut self.spells) {
            *side = kept * *side + (1.0 - kept * kept).sqrt() * chance.normal();
            *spell = self.in_ == Surroundings::Bursty && chance.unit() < if *spell { 0.9 } else { 0.02 };
        }
        if matches!(self.in_, Surroundings::Drifting | Surroundings::Swinging) {
            self.common += 0.3 * chance.normal();
        }
        let at_ms = time((at as i64 + 1) * SCRAPE_S).timestamp_millis();
        let value = |side: usize| {
            let side = if self.spells[side] { 10.0 * self.sides[side].abs() } else { self.sides[side] };
            vec![Series { labels: [].into(), samples: vec![Sample { at_ms, value: 10.0 + side + self.common }] }]
        };
        trial.take(&self.name, Raw::Value(&value(0)), Raw::Value(&value(1)));
    }
}

/// What the canary has of the traffic at a scrape.
fn share(at: usize) -> f64 {
    match at {
        0..40 => 0.05,
        40..80 => 0.2,
        _ => 0.5,
    }
}

fn trial(measures: Vec<MeasureRules>) -> Trial {
    Trial::new(TrialRules { alpha: ALPHA, power: 0.8, measures })
}

/// Whether five measures of two equal services, at a margin of 0, were ever failed, and whether one was ever past its limit.
fn equal(seed: u64, in_: Surroundings) -> [bool; 2] {
    let mut services = [0, 1].map(|number| Service::new(number, seed * 2 + number as u64, in_));
    let (mut queue, mut chance) = (Queue::new(in_), Chance::of(seed, 7_777));
    let mut measures = services.iter().flat_map(|service| service.measures(Some(0.0))).collect::<Vec<_>>();
    measures.push(Queue::measure());
    let mut trial = trial(measures);
    let mut found = [false; 2];
    for at in 0..LOOKS {
        for service in &mut services {
            service.scrape(at, 0.0, &mut chance, &mut trial);
        }
        queue.scrape(at, &mut chance, &mut trial);
        found[0] |= trial.outcome(time((at as i64 + 1) * SCRAPE_S)) == Outcome::Fail;
        let past = |name: &SignalName| trial.past_limit(name).is_some_and(|past| past.alone && past.beside);
        found[1] |= services.iter().flat_map(|service| &service.names).any(past);
    }
    found
}

/// Whether the errors of one service, worse by the margin of the defaults, were ever passed: a trial of this measure alone.
fn at_margin(seed: u64, in_: Surroundings) -> bool {
    let mut service = Service::new(0, seed, in_);
    let mut chance = Chance::of(seed, 7_778);
    let [errors, _] = service.measures(Some(MARGIN));
    let mut trial = trial(vec![errors]);
    (0..LOOKS).any(|at| {
        service.scrape(at, MARGIN, &mut chance, &mut trial);
        trial.outcome(time((at as i64 + 1) * SCRAPE_S)) == Outcome::Pass
    })
}

/// The shares of both false verdicts over so many runs of each stream, with their intervals.
pub fn tables(first: u64, runs: u64) -> String {
    let mut text = format!("{runs} trials of each stream, seeds {first} to {}, {LOOKS} looks each, alpha {ALPHA}:\n\n", first + runs - 1);
    text += "| streams | equal ones failed, margin 0 | 95 % interval | equal ones past a limit | 95 % interval | passed at the margin's harm | 95 % interval |\n";
    text += "| --- | --- | --- | --- | --- | --- | --- |\n";
    for in_ in STREAMS {
        let equals = over(first, runs, |seed| equal(seed, in_));
        let passed = over(first, runs, |seed| at_margin(seed, in_));
        let count = |is: &dyn Fn(&[bool; 2]) -> bool| equals.iter().filter(|found| is(found)).count();
        let cells = [count(&|found| found[0]), count(&|found| found[1]), passed.iter().filter(|passed| **passed).count()];
        let _ = writeln!(text, "| {} | {} |", in_.word(), cells.map(|found| part(found, runs)).join(" | "));
    }
    text
}

/// A count as a share, with the interval of E. B. Wilson (1927).
fn part(found: usize, of: u64) -> String {
    let (n, p) = (of as f64, found as f64 / of as f64);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let ends = [-spread, spread].map(|end| (100.0 * (p + Z * Z / (2.0 * n) + end) / (1.0 + Z * Z / n)).max(0.0));
    format!("{found} ({:.2} %) | {:.2} to {:.2} %", 100.0 * p, ends[0], ends[1])
}
