//! A seeded release: the traffic of a service, its surroundings, and what is wrong with the new version, scrape by scrape.
#![expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]

use super::chance::Chance;

/// Seconds between two scrapes.
pub const SCRAPE_S: i64 = 15;
/// The bounds of the histogram of durations, in seconds; one without a bound follows.
pub const BOUNDS: [f64; 6] = [0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Which of them is the limit of a good request.
pub const LIMIT: usize = 2;
/// The share of requests that fail without a fault.
const ERRORS: f64 = 0.003;
/// The share of requests that wait for something slow without a fault.
const WAITS: f64 = 0.002;
/// Half of the other requests take longer than this, in seconds, and their logarithm has this deviation.
const USUAL: (f64, f64) = (0.08, 0.55);
/// The same of those that wait.
const SLOW: (f64, f64) = (0.9, 0.6);

/// What both versions live in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Surroundings {
    /// Rates that stand still.
    Calm,
    /// One request a second or so.
    LowTraffic,
    /// Rates that swing up to threefold, for both alike.
    Swinging,
    /// Rates of each version by itself, autocorrelated by 0.5 from scrape to scrape.
    Leaning5,
    /// By 0.9.
    Leaning9,
    /// Bursts of failures: beta-binomial with half a per cent of correlation.
    Bursty,
    /// A walk and a jump of both together.
    Drifting,
}

impl Surroundings {
    /// Every one.
    pub const ALL: [Self; 7] = [Self::Calm, Self::LowTraffic, Self::Swinging, Self::Leaning5, Self::Leaning9, Self::Bursty, Self::Drifting];

    /// Its name in the tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::LowTraffic => "low traffic",
            Self::Swinging => "swinging together",
            Self::Leaning5 => "autocorrelated 0.5",
            Self::Leaning9 => "autocorrelated 0.9",
            Self::Bursty => "beta-binomial bursts",
            Self::Drifting => "drifting together",
        }
    }
}

/// What is wrong with the new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// 1 to 20 requests in a hundred more fail, from the first on.
    Errors,
    /// Its failures are 4 to 10 times those of the old version, whatever those are.
    Times,
    /// Each request takes 2.5 to 6 times as long.
    Latency,
    /// 2 to 20 in a hundred more fail once it has half of the traffic.
    AtHalf,
    /// From some minutes after it has all traffic it gets slower and fails more and more.
    Leak,
    /// One request in twenty takes a hundred times as long.
    OneInTwenty,
}

impl Fault {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Errors, Self::Times, Self::Latency, Self::AtHalf, Self::Leak, Self::OneInTwenty];

    /// Its name in the tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Errors => "errors at once",
            Self::Times => "errors times 4 to 10",
            Self::Latency => "latency only",
            Self::AtHalf => "only at 50 %",
            Self::Leak => "leak after promotion",
            Self::OneInTwenty => "one in twenty slow",
        }
    }
}

/// What was counted of one version between two scrapes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counted {
    /// Requests.
    pub total: f64,
    /// Those that failed.
    pub errors: f64,
    /// Those at or under each bound.
    pub within: [f64; BOUNDS.len()],
}

/// What was counted of both, and what the fault did.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Interval {
    /// Of the old and the new version.
    pub of: [Counted; 2],
    /// Requests that the fault made fail or take longer than the limit, as expected.
    pub harmed: f64,
}

/// One release. The same for every judge: chance depends on its seed and the scrape alone.
pub struct Release {
    seed: u64,
    /// What both versions live in.
    pub surroundings: Surroundings,
    /// What is wrong with the new one.
    pub fault: Option<Fault>,
    requests: f64,
    /// How great the fault is, in the unit of its kind.
    pub size: f64,
    delay: f64,
    /// What the rates of both are multiplied by, scrape by scrape.
    factors: Vec<[f64; 2]>,
}

impl Release {
    /// The release of a seed over so many scrapes: even seeds are good ones.
    pub fn new(seed: u64, scrapes: usize) -> Self {
        let kind = seed / 2;
        let surroundings = Surroundings::ALL[usize::try_from(kind % 7).unwrap_or(0)];
        let fault = (seed % 2 == 1).then(|| Fault::ALL[usize::try_from(kind % 6).unwrap_or(0)]);
        Self::with(seed, surroundings, fault, scrapes)
    }

    /// A release of a kind.
    pub fn with(seed: u64, surroundings: Surroundings, fault: Option<Fault>, scrapes: usize) -> Self {
        let mut chance = Chance::of(seed, 0);
        let requests = if surroundings == Surroundings::LowTraffic { chance.between(0.5, 2.0) } else { chance.between(20.0, 500.0) };
        let size = match fault {
            Some(Fault::Errors) => chance.between(0.01, 0.2),
            Some(Fault::Times) => chance.between(4.0, 10.0),
            Some(Fault::Latency) => chance.between(2.5, 6.0),
            Some(Fault::AtHalf) => chance.between(0.02, 0.2),
            Some(Fault::Leak | Fault::OneInTwenty) | None => 0.05,
        };
        let delay = chance.between(120.0, 600.0);
        let factors = factors(&mut chance, surroundings, scrapes);
        Self { seed, surroundings, fault, requests, size, delay, factors }
    }

    /// What is counted in one interval while the new version has a share of the traffic; `full_s`: for how long it has all of it.
    pub fn interval(&self, at: usize, share: f64, full_s: Option<f64>) -> Interval {
        let mut chance = Chance::of(self.seed, 1 + at as u64);
        let mean = self.requests * SCRAPE_S as f64;
        // As many as come are drawn of ten times as many, so that their number is nearly that of independent arrivals.
        let total = chance.binomial((mean * 10.0).round(), 0.1);
        let to_new = chance.binomial(total, share);
        let factors = self.factors.get(at).copied().unwrap_or([1.0; 2]);
        let mut found = Interval::default();
        for (side, mut factor) in factors.into_iter().enumerate() {
            let count = if side == 1 { to_new } else { total - to_new };
            if self.surroundings == Surroundings::Bursty {
                let shape = ERRORS * 199.0;
                factor *= chance.gamma(shape) / shape;
            }
            let usual = Rates { errors: ERRORS * factor, waits: WAITS * factor, stretch: 1.0, stuck: 0.0 };
            let rates = if side == 1 { self.faulty(usual, share, full_s) } else { usual };
            found.of[side] = counted(&mut chance, count, rates);
            if side == 1 {
                found.harmed = count * (rates.bad() - usual.bad()).max(0.0);
            }
        }
        found
    }

    fn faulty(&self, usual: Rates, share: f64, full_s: Option<f64>) -> Rates {
        match self.fault {
            Some(Fault::Errors) => Rates { errors: usual.errors + self.size, ..usual },
            Some(Fault::Times) => Rates { errors: usual.errors * self.size, ..usual },
            Some(Fault::Latency) => Rates { stretch: self.size, ..usual },
            Some(Fault::AtHalf) if share >= 0.5 => Rates { errors: usual.errors + self.size, ..usual },
            None | Some(Fault::AtHalf) => usual,
            Some(Fault::OneInTwenty) => Rates { stuck: self.size, ..usual },
            Some(Fault::Leak) => {
                let leaked = (full_s.unwrap_or(0.0) - self.delay).max(0.0) / 300.0;
                Rates { errors: (usual.errors + 0.02 * leaked).min(0.3), stretch: (1.0 + leaked).min(8.0), ..usual }
            }
        }
    }
}

/// The rates of one version in one interval.
#[derive(Clone, Copy)]
struct Rates {
    errors: f64,
    waits: f64,
    stretch: f64,
    stuck: f64,
}

impl Rates {
    fn over(self, bound: f64) -> f64 {
        let waits = self.waits.min(0.5);
        let usual =
            self.stuck * tail(bound, (USUAL.0 * 100.0, USUAL.1)) + (1.0 - self.stuck) * tail(bound, (USUAL.0 * self.stretch, USUAL.1));
        waits * tail(bound, SLOW) + (1.0 - waits) * usual
    }

    /// The share that fails or takes longer than the limit.
    fn bad(self) -> f64 {
        let errors = self.errors.min(1.0);
        errors + (1.0 - errors) * self.over(BOUNDS[LIMIT])
    }
}

fn counted(chance: &mut Chance, total: f64, rates: Rates) -> Counted {
    let errors = chance.binomial(total, rates.errors.min(1.0));
    let mut within = [0.0; BOUNDS.len()];
    let (mut left, mut before) = (total, 1.0);
    for (bound, within) in BOUNDS.iter().zip(&mut within) {
        let over = rates.over(*bound);
        left = chance.binomial(left, (over / before).min(1.0));
        before = over.max(1e-12);
        *within = total - left;
    }
    Counted { total, errors, within }
}

/// The share of a lognormal distribution, of a median and a deviation of the logarithm, over a bound.
fn tail(bound: f64, (median, deviation): (f64, f64)) -> f64 {
    let z = (bound / median).ln() / deviation;
    // W. J. Cody's form is more than is needed: the approximation of M. Abramowitz, I. Stegun (1964), 26.2.17, is within 1e-7.
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let sum = t * (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = sum * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    if z > 0.0 { tail } else { 1.0 - tail }
}

fn factors(chance: &mut Chance, surroundings: Surroundings, scrapes: usize) -> Vec<[f64; 2]> {
    let (phase, jump) = (chance.unit() * std::f64::consts::TAU, 40.0 + 200.0 * chance.unit());
    let mut sides = [chance.normal(), chance.normal()];
    let mut walk = 0.0_f64;
    let kept = match surroundings {
        Surroundings::Leaning5 => 0.5_f64,
        Surroundings::Leaning9 => 0.9,
        Surroundings::Calm | Surroundings::LowTraffic | Surroundings::Swinging | Surroundings::Bursty | Surroundings::Drifting => 0.0,
    };
    let mut factor = |at: f64| {
        for side in &mut sides {
            *side = kept * *side + (1.0 - kept * kept).sqrt() * chance.normal();
        }
        walk = (walk + 0.1 * chance.normal()).clamp(-1.0, 1.0);
        match surroundings {
            Surroundings::Calm | Surroundings::LowTraffic | Surroundings::Bursty => [1.0; 2],
            Surroundings::Swinging => [(1.1 * (at / 20.0 + phase).sin()).exp(); 2],
            Surroundings::Leaning5 | Surroundings::Leaning9 => sides.map(|side| (0.5 * side - 0.125).exp()),
            Surroundings::Drifting => [(walk + if at > jump { 0.7 } else { 0.0 }).exp(); 2],
        }
    };
    (0..scrapes).map(|at| factor(at as f64)).collect()
}
