//! Fixed thresholds as Argo Rollouts and Flagger look at them: the new version alone, a share of good requests and a P99, every minute.
//!
//! Argo Rollouts: the analysis runs in the background of the steps and ends with the last one; a measurement fails when its success
//! condition is false (a comparison with NaN is), and the run when more than `failureLimit` have (docs/features/analysis.md,
//! analysis/analysis.go). Flagger: at each interval it goes back when `threshold` checks failed so far, else looks; a check without values fails; a
//! good one moves the weight, and at `maxWeight` promotes, after which nothing is measured (pkg/controller/scheduler.go).
#![expect(clippy::cast_possible_wrap, reason = "a few scrapes")]

use std::collections::VecDeque;

use super::judges::{Judge, Moves};
use super::release::{BOUNDS, Counted, Interval, SCRAPE_S};

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Thresholds {
    /// The least share of requests that do not fail.
    pub success: f64,
    /// The greatest P99, in seconds.
    pub p99: f64,
    /// How far back the query looks, in seconds.
    pub window_s: i64,
    /// Seconds between two looks.
    pub interval_s: i64,
}

#[derive(Default)]
struct Window(VecDeque<Counted>);

impl Window {
    fn takes(&mut self, interval: &Interval, window_s: i64) {
        self.0.push_back(interval.of[1]);
        while self.0.len() as i64 * SCRAPE_S > window_s {
            self.0.pop_front();
        }
    }

    /// Whether all is within the thresholds; what has no value is not.
    fn is_good(&self, of: &Thresholds) -> bool {
        let sum = self.0.iter().fold(Counted::default(), |sum, more| sum.plus(more));
        1.0 - sum.errors / sum.total >= of.success && quantile(&sum, 0.99) <= of.p99
    }
}

/// As Prometheus' `histogram_quantile` has it; NaN without requests.
fn quantile(counted: &Counted, share: f64) -> f64 {
    let rank = share * counted.total;
    let (mut bound, mut below) = (0.0, 0.0);
    for (next, within) in BOUNDS.iter().zip(counted.within) {
        if within >= rank && within > below {
            return bound + (next - bound) * (rank - below) / (within - below);
        }
        (bound, below) = (*next, within);
    }
    if counted.total > 0.0 { bound } else { f64::NAN }
}

/// Argo Rollouts: steps with pauses, a background analysis.
pub struct Argo {
    of: Thresholds,
    steps: Vec<(f64, i64)>,
    failure_limit: u32,
    failed: u32,
    window: Window,
    at: usize,
    since_s: i64,
}

impl Argo {
    /// Before its first step; each step is a share and the pause after it in seconds.
    pub fn new(of: Thresholds, steps: &[(f64, i64)], failure_limit: u32) -> Self {
        Self { of, steps: steps.to_vec(), failure_limit, failed: 0, window: Window::default(), at: 0, since_s: 0 }
    }
}

impl Judge for Argo {
    fn begins(&mut self) -> f64 {
        self.steps[0].0
    }

    fn takes(&mut self, at_s: i64, interval: &Interval) -> Moves {
        self.window.takes(interval, self.of.window_s);
        if at_s % self.of.interval_s == 0 && !self.window.is_good(&self.of) {
            self.failed += 1;
            if self.failed > self.failure_limit {
                return Moves::Back("analysis");
            }
        }
        if at_s - self.since_s < self.steps[self.at].1 {
            return Moves::Stays;
        }
        (self.at, self.since_s) = (self.at + 1, at_s);
        self.steps.get(self.at).map_or(Moves::Promoted, |(share, _)| Moves::To(*share))
    }
}

/// Flagger: a weight that grows with each good check.
pub struct Flagger {
    of: Thresholds,
    weights: Vec<f64>,
    threshold: u32,
    failed: u32,
    window: Window,
    at: usize,
}

impl Flagger {
    /// Before its first weight.
    pub fn new(of: Thresholds, weights: &[f64], threshold: u32) -> Self {
        Self { of, weights: weights.to_vec(), threshold, failed: 0, window: Window::default(), at: 0 }
    }
}

impl Judge for Flagger {
    fn begins(&mut self) -> f64 {
        self.weights[0]
    }

    fn takes(&mut self, at_s: i64, interval: &Interval) -> Moves {
        self.window.takes(interval, self.of.window_s);
        if at_s % self.of.interval_s != 0 {
            return Moves::Stays;
        }
        if self.failed >= self.threshold {
            return Moves::Back("checks");
        }
        if !self.window.is_good(&self.of) {
            self.failed += 1;
            return Moves::Stays;
        }
        self.at += 1;
        self.weights.get(self.at).map_or(Moves::Promoted, |weight| Moves::To(*weight))
    }
}
