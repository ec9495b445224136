//! Kayenta's interval of the shift between two samples, and its estimate, found by search where the rank statistic changes its sign.

use super::root;
use crate::analysis::judge::Shift;
use crate::analysis::judge::normal;
use crate::analysis::judge::ranks::Ranks;

/// The shift of the canary against the baseline, both sorted, not empty and not both constant.
pub(super) fn shift(canary: &[f64], baseline: &[f64], confidence: f64) -> Option<Shift> {
    let search = Search::of(canary, baseline)?;
    let z = normal::quantile((1.0 - confidence) / 2.0);
    Some(Shift { estimate: search.estimate(), low: search.end(-z), high: search.end(z) })
}

struct Search<'a> {
    canary: &'a [f64],
    baseline: &'a [f64],
    least: f64,
    most: f64,
}

impl<'a> Search<'a> {
    fn of(canary: &'a [f64], baseline: &'a [f64]) -> Option<Self> {
        let least = canary.first()? - baseline.last()?;
        let most = canary.last()? - baseline.first()?;
        Some(Self { canary, baseline, least, most })
    }

    /// The statistic of the canary moved back by `shift`, against a level.
    fn statistic(&self, shift: f64, level: f64) -> f64 {
        Ranks::of(self.canary, self.baseline, shift).z().unwrap_or(f64::NAN) - level
    }

    /// Where the statistic passes a level; the end of all shifts where it never does.
    fn end(&self, level: f64) -> f64 {
        let (low, high) = (self.statistic(self.least, level), self.statistic(self.most, level));
        if low <= 0.0 {
            self.least
        } else if high >= 0.0 {
            self.most
        } else {
            self.search(low, high, level)
        }
    }

    /// Where the statistic is zero. The ends are not looked at, as they are not there.
    fn estimate(&self) -> f64 {
        self.search(self.statistic(self.least, 0.0), self.statistic(self.most, 0.0), 0.0)
    }

    fn search(&self, low: f64, high: f64, level: f64) -> f64 {
        root::between((self.least, low), (self.most, high), |shift| self.statistic(shift, level))
    }
}

#[cfg(test)]
mod vectors;
