//! What was counted of an objective, stretch by stretch: fine for the last hours, coarse before, summed over any time.

use crate::model::objective::{HistoryReading, Tally};

/// One stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bin {
    from_s: i64,
    to_s: i64,
    tally: Option<Tally>,
}

/// Sums over a time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sum {
    /// Bad events, or bad seconds.
    pub bad: f64,
    /// All events, or seconds that were looked at.
    pub total: f64,
    /// Seconds of which anything is known.
    pub covered_s: f64,
    /// Seconds that it spans.
    pub span_s: f64,
}

impl Sum {
    /// The share of the time of which anything is known.
    pub fn coverage(&self) -> f64 {
        if self.span_s > 0.0 { (self.covered_s / self.span_s).clamp(0.0, 1.0) } else { 0.0 }
    }

    fn plus(self, bin: &Bin, part: f64) -> Self {
        let Some(tally) = bin.tally else { return self };
        Self {
            bad: self.bad + tally.bad * part,
            total: self.total + tally.total * part,
            covered_s: self.covered_s + tally.covered.clamp(0.0, 1.0) * seconds(bin.to_s - bin.from_s) * part,
            span_s: self.span_s,
        }
    }
}

/// Seconds as floating point; they stay far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "seconds of a calendar stay far below 2^52")]
pub(super) fn seconds(span: i64) -> f64 {
    span as f64
}

/// What was counted, in order of time. What lies between two stretches, or in none, is not known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    bins: Vec<Bin>,
    /// Sums of everything before each stretch, and of everything.
    sums: Vec<Sum>,
}

impl History {
    /// Takes a reading in: from its beginning on it replaces what was known, as samples may come late.
    pub fn take(&mut self, reading: &HistoryReading) {
        let from = reading.stretch.from_s;
        let kept = self.bins.partition_point(|bin| bin.from_s < from);
        self.bins.truncate(kept);
        if let Some(last) = self.bins.last_mut().filter(|last| last.to_s > from) {
            let part = seconds(from - last.from_s) / seconds(last.to_s - last.from_s);
            last.tally = last.tally.map(|tally| Tally { bad: tally.bad * part, total: tally.total * part, ..tally });
            last.to_s = from;
        }
        let step = i64::from(reading.stretch.step_s.max(1));
        let mut at = from;
        for tally in &reading.tallies {
            let sound = |tally: &Tally| tally.bad >= 0.0 && tally.total >= 0.0 && tally.bad.is_finite() && tally.total.is_finite();
            // More bad events than events is two counters read at different times.
            let tally = tally.filter(sound).map(|tally| Tally { bad: tally.bad.min(tally.total), ..tally });
            self.bins.push(Bin { from_s: at, to_s: at + step, tally });
            at += step;
        }
        self.sum_up();
    }

    /// Folds what lies before a time into stretches of this length, and forgets what ended before another.
    pub fn thin(&mut self, before_s: i64, step_s: u32, forget_s: i64) {
        let step = i64::from(step_s.max(1));
        let mut thin: Vec<Bin> = Vec::with_capacity(self.bins.len());
        for bin in self.bins.iter().filter(|bin| bin.to_s > forget_s) {
            match thin.last_mut() {
                Some(last)
                    if bin.to_s <= before_s
                        && last.to_s == bin.from_s
                        && last.from_s.div_euclid(step) == (bin.to_s - 1).div_euclid(step) =>
                {
                    *last = folded(last, bin);
                }
                _ => thin.push(*bin),
            }
        }
        self.bins = thin;
        self.sum_up();
    }

    fn sum_up(&mut self) {
        let mut sum = Sum::default();
        self.sums.clear();
        for bin in &self.bins {
            self.sums.push(sum);
            sum = sum.plus(bin, 1.0);
        }
        self.sums.push(sum);
    }

    /// The end of the newest stretch, in seconds since 1970.
    pub fn newest(&self) -> Option<i64> {
        self.bins.last().map(|bin| bin.to_s)
    }

    /// The beginning of the oldest stretch.
    pub fn oldest(&self) -> Option<i64> {
        self.bins.first().map(|bin| bin.from_s)
    }

    /// How many stretches are kept.
    pub fn len(&self) -> usize {
        self.bins.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.bins.is_empty()
    }

    /// The ends of stretches up to a time, the newest first.
    pub fn ends_before(&self, at_s: i64) -> impl Iterator<Item = i64> + '_ {
        let past = self.bins.partition_point(|bin| bin.to_s <= at_s);
        self.bins.iter().take(past).rev().map(|bin| bin.to_s)
    }

    /// Sums from one time to another. Of a stretch that only partly lies between, its events are taken as even.
    pub fn between(&self, from_s: i64, to_s: i64) -> Sum {
        let span_s = seconds(to_s.saturating_sub(from_s).max(0));
        if span_s <= 0.0 {
            return Sum::default();
        }
        let (before, until) = (self.until(from_s), self.until(to_s));
        let rest = |a: f64, b: f64| (a - b).max(0.0);
        Sum {
            bad: rest(until.bad, before.bad),
            total: rest(until.total, before.total),
            covered_s: rest(until.covered_s, before.covered_s).min(span_s),
            span_s,
        }
    }

    /// Sums of everything up to a time.
    fn until(&self, at_s: i64) -> Sum {
        let past = self.bins.partition_point(|bin| bin.to_s <= at_s);
        let sum = self.sums.get(past).copied().unwrap_or_default();
        match self.bins.get(past) {
            Some(bin) if bin.from_s < at_s => sum.plus(bin, seconds(at_s - bin.from_s) / seconds(bin.to_s - bin.from_s)),
            Some(_) | None => sum,
        }
    }
}

/// Two stretches that follow each other as one.
fn folded(one: &Bin, other: &Bin) -> Bin {
    let length = |bin: &Bin| seconds(bin.to_s - bin.from_s);
    let tally = match (one.tally, other.tally) {
        (None, None) => None,
        (first, second) => {
            let part = |tally: Option<Tally>, bin: &Bin| {
                tally.map_or((0.0, 0.0, 0.0), |tally| (tally.bad, tally.total, tally.covered * length(bin)))
            };
            let ((bad, total, known), (more_bad, more, more_known)) = (part(first, one), part(second, other));
            let covered = (known + more_known) / (length(one) + length(other));
            Some(Tally { bad: bad + more_bad, total: total + more, covered })
        }
    };
    Bin { from_s: one.from_s, to_s: other.to_s, tally }
}
