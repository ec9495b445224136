//! Whole trials of several measures, looked at after every scrape: how often an equal canary is failed, and how soon a worse one is.
#![expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "counts stay far below 2^52")]

use chrono::{DateTime, Utc};
use gonogo::analysis::trial::{Outcome, Raw, Trial};
use gonogo::model::catalog::SignalKind;
use gonogo::model::signal::{Sample, Series};
use gonogo::model::trial::{MeasureKind, MeasureRules, TrialRules};

use super::chance::Chance;
use super::gonogo_::{buckets, of_ratio, one, signal, time};
use super::release::{BOUNDS, Counted, LIMIT, Release, SCRAPE_S, Surroundings};

/// One trial: errors and latency of two services, and a queue's length; its level is divided over all five.
pub struct Run {
    releases: [Release; 2],
    trial: Trial,
    sums: [[Counted; 2]; 2],
    queue: Chance,
    sides: [f64; 2],
    common: f64,
}

impl Run {
    /// A trial of a seed. `margin`: 0, or none for that of the defaults.
    pub fn new(seed: u64, in_: Surroundings, margin: Option<f64>, scrapes: usize) -> Self {
        let measure = |name: &str, kind: SignalKind, limit: f64| MeasureRules::of(&signal(name, kind, limit, ""), margin, None);
        let ratio = || SignalKind::Ratio { bad: String::new(), total: String::new() };
        let histogram = || SignalKind::Histogram { buckets: String::new(), quantile: 0.99 };
        let queue = SignalKind::Value { query: "queue{slot=\"$slot\"}".to_owned() };
        let measures = vec![
            measure("errors0", ratio(), 0.01),
            measure("latency0", histogram(), BOUNDS[LIMIT]),
            measure("errors1", ratio(), 0.01),
            measure("latency1", histogram(), BOUNDS[LIMIT]),
            // Half a deviation of one reading.
            MeasureRules { kind: MeasureKind::Value { apart_s: 15 }, ..measure("queue", queue, 5.0) },
        ];
        let release = |stream: u64| Release::with(seed * 2 + stream, in_, None, scrapes);
        Self {
            releases: [release(0), release(1)],
            trial: Trial::new(TrialRules { alpha: 0.05, power: 0.8, measures }),
            sums: Default::default(),
            queue: Chance::of(seed, 7_777),
            sides: [0.0; 2],
            common: 0.0,
        }
    }

    /// One scrape: the canary has `share` of the traffic, and of service 0 `more` of its requests fail beyond the usual.
    fn scrape(&mut self, at: usize, share: f64, more: f64) {
        let second = (at as i64 + 1) * SCRAPE_S;
        for of in 0..2 {
            let mut interval = self.releases[of].interval(at, share, None);
            if of == 0 && more > 0.0 {
                let canary = &mut interval.of[1];
                canary.errors = (canary.errors + self.queue.binomial(canary.total, more)).min(canary.total);
            }
            let before = self.sums[of];
            let now = [0, 1].map(|side| before[side].plus(&interval.of[side]));
            self.sums[of] = now;
            let samples = [0, 1].map(|side| [(second - SCRAPE_S, before[side]), (second, now[side])]);
            let [old, new] = samples.map(|of| [one(&of, |counted| counted.errors), one(&of, |counted| counted.total)]);
            self.trial.take(&format!("errors{of}").parse().expect("a name"), of_ratio(&old), of_ratio(&new));
            let [old, new] = samples.map(|of| buckets(&of));
            self.trial.take(&format!("latency{of}").parse().expect("a name"), Raw::Buckets(&old), Raw::Buckets(&new));
        }
        let surroundings = self.releases[0].surroundings;
        let kept: f64 = match surroundings {
            Surroundings::Leaning5 => 0.5,
            Surroundings::Leaning9 => 0.9,
            Surroundings::Calm | Surroundings::LowTraffic | Surroundings::Swinging | Surroundings::Bursty | Surroundings::Drifting => 0.0,
        };
        for side in &mut self.sides {
            *side = kept * *side + (1.0 - kept * kept).sqrt() * self.queue.normal();
        }
        if matches!(surroundings, Surroundings::Drifting | Surroundings::Swinging) {
            self.common += 0.3 * self.queue.normal();
        }
        let value =
            |value: f64| vec![Series { labels: Vec::new(), samples: vec![Sample { at_ms: time(second).timestamp_millis(), value }] }];
        let [old, new] = self.sides.map(|side| value(10.0 + side + self.common));
        self.trial.take(&"queue".parse().expect("a name"), Raw::Value(&old), Raw::Value(&new));
    }

    /// After how many scrapes it came to an outcome, if it did within so many.
    pub fn until(mut self, wanted: Outcome, more: f64, scrapes: usize) -> Option<usize> {
        (0..scrapes).find(|at| {
            self.scrape(*at, share(*at), more);
            let now: DateTime<Utc> = time((*at as i64 + 1) * SCRAPE_S);
            self.trial.outcome(now) == wanted
        })
    }
}

/// Streams that the level is shown over.
const STREAMS: [Surroundings; 6] = [
    Surroundings::Calm,
    Surroundings::Leaning5,
    Surroundings::Leaning9,
    Surroundings::Bursty,
    Surroundings::Drifting,
    Surroundings::Swinging,
];

/// Looks of each run: 10 minutes at 5 %, 10 at 20 %, the rest of 40 at 50 %.
const LOOKS: usize = 160;

/// What the canary has of the traffic at a scrape.
fn share(at: usize) -> f64 {
    match at {
        0..40 => 0.05,
        40..80 => 0.2,
        _ => 0.5,
    }
}

/// The level over so many runs of each stream, and the time to a verdict against the size of the harm.
pub fn tables(first: u64, runs: u64) -> String {
    let mut text = format!("Whole trials of five measures, {runs} of each stream from seed {first} on, {LOOKS} looks each:\n\n");
    text += "| streams | false fail, margin 0 | past a limit, falsely | pass of equals | fail at +0.7 points | +1 | +2 | +5 | +20 |\n";
    text += "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
    for in_ in STREAMS {
        let (mut failed, mut limited) = (0, 0);
        for seed in first..first + runs {
            let mut run = Run::new(seed, in_, Some(0.0), LOOKS);
            let (mut fails, mut over) = (false, false);
            for at in 0..LOOKS {
                run.scrape(at, share(at), 0.0);
                fails |= run.trial.outcome(time((at as i64 + 1) * SCRAPE_S)) == Outcome::Fail;
                over |= ["errors0", "latency0", "errors1", "latency1"].iter().any(|name| {
                    let past = run.trial.past_limit(&name.parse().expect("a name"));
                    past.is_some_and(|past| past.alone && past.beside)
                });
            }
            failed += u64::from(fails);
            limited += u64::from(over);
        }
        let part = |found: u64| format!("{:.4}", found as f64 / runs as f64);
        text += &format!("| {} | {} | {} |", in_.word(), part(failed), part(limited));
        text += &format!(" {} |", median(first, in_, Outcome::Pass, 0.0));
        for more in [0.007, 0.01, 0.02, 0.05, 0.2] {
            text += &format!(" {} |", median(first, in_, Outcome::Fail, more));
        }
        text.push('\n');
    }
    text
}

/// The median time to an outcome at the margins of the defaults, of 31 runs.
fn median(first: u64, in_: Surroundings, wanted: Outcome, more: f64) -> String {
    const WITHIN: usize = 960;
    let mut found: Vec<usize> =
        (first..first + 31).map(|seed| Run::new(seed, in_, None, WITHIN).until(wanted, more, WITHIN).unwrap_or(usize::MAX)).collect();
    found.sort_unstable();
    match found[15] {
        usize::MAX => "over 4 h".to_owned(),
        scrapes => format!("{:.1} min", scrapes as f64 * SCRAPE_S as f64 / 60.0),
    }
}
