//! One measure of a trial: its answers taken in, pair by pair.

use std::iter::once;

use serde::{Deserialize, Serialize};

use super::beyond::Beyond;
use super::bucket::{self, Bound};
use super::process::{Pair, Process};
use super::side::{Counted, Side};
use crate::analysis::evidence::Worse;
use crate::analysis::judge::Lack;
use crate::model::signal::{Better, Sample, Series};
use crate::model::text::Text;
use crate::model::trial::{MeasureKind, MeasureRules};

/// The lengths of so many intervals are kept.
const LENGTHS: usize = 32;
/// Readings of two sides that are further apart than this, and than what the rules say, are of different times; in milliseconds.
const SKEW_MS: i64 = 60_000;

/// The raw answer about one side, as the port gave it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Raw<'a> {
    /// The counters of a ratio.
    Ratio {
        /// Bad events; no series is none so far, for such a counter is born with the first.
        bad: &'a [Series],
        /// All events.
        total: &'a [Series],
    },
    /// The buckets of a histogram.
    Buckets(&'a [Series]),
    /// A value: one series, the newest sample of which counts.
    Value(&'a [Series]),
    /// No answer, and why.
    Nothing(&'a str),
}

/// What one side lacks for now.
type Missing = Option<Text>;

/// A measure, and all that was made of its answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Its rules.
    pub rules: MeasureRules,
    /// What is bet on its harm; none where its margin is none.
    pub process: Option<Process>,
    /// The events of the baseline and of the canary in all pairs.
    pub sums: [Counted; 2],
    /// Why the last answer about the baseline, and about the canary, had nothing.
    pub missing: [Missing; 2],
    /// The bound beyond which events of a histogram are bad.
    pub bound: Option<Bound>,
    /// What is bet on its limit; none where it has none, or is not counted.
    pub beyond: Option<Beyond>,
    /// How often so much was not seen that an interval was left out.
    pub gaps: u32,
    sides: [Side; 2],
    newest_ms: [Option<i64>; 2],
    paired_ms: Option<i64>,
    lengths: Vec<i64>,
}

impl Measure {
    /// A measure of which nothing was seen.
    pub fn new(rules: MeasureRules) -> Self {
        let process = match rules.kind {
            MeasureKind::Ratio | MeasureKind::Histogram { .. } => Process::counts(rules.margin),
            MeasureKind::Value { .. } => {
                let worse = match rules.better {
                    Better::Lower => Worse::Higher,
                    Better::Higher => Worse::Lower,
                };
                Process::values(worse, rules.margin)
            }
        };
        Self {
            beyond: Beyond::of(&rules),
            rules,
            process,
            sums: Default::default(),
            missing: Default::default(),
            bound: None,
            gaps: 0,
            sides: Default::default(),
            newest_ms: [None; 2],
            paired_ms: None,
            lengths: Vec::new(),
        }
    }

    /// Takes the answers of one poll. Only what both sides have is compared.
    pub fn take(&mut self, stable: Raw<'_>, canary: Raw<'_>) {
        match self.rules.kind {
            MeasureKind::Ratio => self.ratio([stable, canary]),
            MeasureKind::Histogram { quantile } => self.histogram([stable, canary], quantile),
            MeasureKind::Value { apart_s } => self.value([stable, canary], i64::from(apart_s) * 1000),
        }
    }

    fn ratio(&mut self, raw: [Raw<'_>; 2]) {
        let of = raw.map(|raw| match raw {
            Raw::Ratio { total: [], .. } => Err(Text::clean("no series")),
            Raw::Ratio { bad, total } => Ok((bad, total)),
            Raw::Buckets(_) | Raw::Value(_) | Raw::Nothing(_) => Err(strange(raw)),
        });
        self.missing = [0, 1].map(|at| of.get(at).and_then(|of| of.as_ref().err()).cloned());
        let [Ok(baseline), Ok(canary)] = of else { return };
        let turned = self.rules.better == Better::Higher;
        let [old, new] = &mut self.sides;
        let gaps = [(old, baseline), (new, canary)].map(|(side, (bad, total))| side.take(once((1.0, bad.iter())), total.iter(), turned));
        if let Some(beyond) = &mut self.beyond {
            beyond.take(once((1.0, canary.0.iter())), canary.1.iter(), turned);
        }
        self.pair(gaps.contains(&true));
    }

    fn histogram(&mut self, raw: [Raw<'_>; 2], quantile: f64) {
        let of = raw.map(|raw| match raw {
            Raw::Buckets([]) => Err(Text::clean("no series")),
            Raw::Buckets(series) => Ok(series),
            Raw::Ratio { .. } | Raw::Value(_) | Raw::Nothing(_) => Err(strange(raw)),
        });
        self.missing = [0, 1].map(|at| of.get(at).and_then(|of| of.as_ref().err()).cloned());
        let [Ok(baseline), Ok(canary)] = of else { return };
        if self.bound.is_none() {
            match bucket::threshold(baseline, self.rules.better, self.rules.limit, quantile) {
                Ok(bound) => self.bound = Some(bound),
                Err(why) => {
                    self.missing = [Some(Text::clean(&why)), None];
                    return;
                }
            }
        }
        let Some(bound) = &self.bound else { return };
        self.missing = [baseline, canary].map(|series| {
            let none = bound.ends().chain([f64::INFINITY]).find(|end| bucket::of(series, *end).next().is_none())?;
            Some(Text::clean(&format!("its histogram has no bucket with the bound {none}")))
        });
        if self.missing.iter().any(Option::is_some) {
            return;
        }
        // The bucket counts what is at or below its bound.
        let turned = self.rules.better == Better::Lower;
        let [old, new] = &mut self.sides;
        let gaps = [(old, baseline), (new, canary)]
            .map(|(side, series)| side.take(bound.within(series), bucket::of(series, f64::INFINITY), turned));
        if let Some(beyond) = &mut self.beyond {
            beyond.take(bound.within(canary), bucket::of(canary, f64::INFINITY), turned);
        }
        self.pair(gaps.contains(&true));
    }

    /// Makes a pair of what both sides counted, once both have counted all anew.
    fn pair(&mut self, gap: bool) {
        let [baseline, canary] = &mut self.sides;
        self.newest_ms = [baseline.newest_ms(), canary.newest_ms()];
        if gap {
            self.gaps += 1;
            baseline.drop_open();
            canary.drop_open();
            return;
        }
        if !(baseline.is_ripe() && canary.is_ripe()) {
            return;
        }
        let span_ms = baseline.span_ms().max(canary.span_ms());
        let pair = [baseline.close(), canary.close()];
        let [baseline, canary] = pair;
        if let Some(beyond) = &mut self.beyond {
            beyond.pair(canary, baseline);
        }
        if self.process.as_mut().is_some_and(|process| process.take(Pair::Counts { canary, baseline })) {
            for (sum, more) in self.sums.iter_mut().zip(pair) {
                sum.bad += more.bad;
                sum.total += more.total;
            }
            self.lasted(span_ms);
        }
    }

    fn value(&mut self, raw: [Raw<'_>; 2], apart_ms: i64) {
        let of = raw.map(|raw| match raw {
            Raw::Value([]) => Err(Text::clean("no series")),
            Raw::Value([one]) => one.samples.last().copied().ok_or_else(|| Text::clean("no sample")),
            Raw::Value(_) => Err(Text::clean("the query gives several series, one is expected")),
            Raw::Ratio { .. } | Raw::Buckets(_) | Raw::Nothing(_) => Err(strange(raw)),
        });
        self.missing = [0, 1].map(|at| of.get(at).and_then(|of| of.as_ref().err()).cloned());
        let [Ok(baseline), Ok(canary)]: [Result<Sample, Text>; 2] = of else { return };
        let before = self.newest_ms;
        self.newest_ms = [baseline, canary].map(|sample| Some(sample.at_ms));
        let at_ms = baseline.at_ms.max(canary.at_ms);
        let skew_ms = at_ms.saturating_sub(baseline.at_ms.min(canary.at_ms));
        let Some(paired_ms) = self.paired_ms else {
            // Where the trial begins nobody knows how old what a value is made of is: the first readings are where it begins.
            self.paired_ms = Some(at_ms);
            return;
        };
        let is_new = [baseline, canary].iter().all(|sample| sample.at_ms.saturating_sub(paired_ms) > 0)
            && at_ms.saturating_sub(paired_ms) >= apart_ms
            && before != self.newest_ms;
        if !is_new || skew_ms > SKEW_MS.max(apart_ms) {
            return;
        }
        let pair = Pair::Values { canary: canary.value, baseline: baseline.value };
        if self.process.as_mut().is_some_and(|process| process.take(pair)) {
            self.lasted(at_ms.saturating_sub(paired_ms));
            self.paired_ms = Some(at_ms);
        }
    }

    fn lasted(&mut self, span_ms: i64) {
        if self.lengths.len() >= LENGTHS {
            self.lengths.remove(0);
        }
        self.lengths.push(span_ms);
    }

    /// How many pairs there are.
    pub fn pairs(&self) -> u64 {
        self.process.as_ref().map_or(0, Process::pairs)
    }

    /// The median length of an interval, in milliseconds.
    pub fn interval_ms(&self) -> Option<i64> {
        let mut lengths = self.lengths.clone();
        let middle = lengths.len() / 2;
        (!lengths.is_empty()).then(|| *lengths.select_nth_unstable(middle).1)
    }

    /// The newest samples of the baseline and of the canary, in milliseconds since 1970.
    pub fn newest_ms(&self) -> [Option<i64>; 2] {
        self.newest_ms
    }

    /// Who has counted nothing since the last pair; none where both have, or nothing is counted.
    pub fn idle(&self) -> Option<Lack> {
        if let MeasureKind::Value { .. } = self.rules.kind {
            return None;
        }
        match [0, 1].map(|at| self.sides.get(at).is_some_and(Side::is_idle)) {
            [true, true] => Some(Lack::Both),
            [true, false] => Some(Lack::Baseline),
            [false, true] => Some(Lack::Canary),
            [false, false] => None,
        }
    }

    /// How often counters of the baseline and of the canary began again at 0.
    pub fn resets(&self) -> [u32; 2] {
        let [baseline, canary] = &self.sides;
        [baseline.resets, canary.resets]
    }
}

/// Why an answer in another form has nothing.
fn strange(raw: Raw<'_>) -> Text {
    match raw {
        Raw::Nothing(why) => Text::clean_within(why, 200),
        Raw::Ratio { .. } | Raw::Buckets(_) | Raw::Value(_) => Text::clean("the answer has another form than the measure"),
    }
}
