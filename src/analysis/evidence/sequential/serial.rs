//! What successive readings that lean on each other count for: their autocorrelation, and the variance that it hides.

use serde::{Deserialize, Serialize};

use super::super::normal;

/// Readings below this number say nothing of their dependence; before them nothing is judged.
pub const FEWEST: f64 = 4.0;
/// The greatest autocorrelation from one reading to the next that is assumed.
const MOST: f64 = 0.95;

/// By how much more than the normal law asks for is assumed. Found by simulation.
const WARY: f64 = 1.2;

/// How many standard errors above the found autocorrelation is assumed, for a level: 1.2 times the normal quantile that leaves half of it.
pub fn caution(alpha: f64) -> f64 {
    WARY * normal::quantile(1.0 - alpha / 2.0).unwrap_or(0.0).max(0.0)
}

/// By how much dependence inflates the variance of the sum of `count` readings: from 1 (independent) to `count` (all the same).
///
/// `found` is their autocorrelation at lag one about their mean. It is taken up by its bias, (1 + 4 found) / count, and by `caution`
/// standard errors, to `most` at most, and the readings are taken as a first-order autoregression with that coefficient.
///
/// Source: the variance of a mean under autocorrelation, G. V. Bayley, J. M. Hammersley, "The 'effective' number of independent
/// observations in an autocorrelated time series", Supplement to the JRSS 8 (1946) 184-197; the bias is that of first order in 1 / count.
pub fn inflation(found: f64, count: f64, caution: f64, most: f64) -> f64 {
    let found = if found.is_finite() { found.clamp(-1.0, 1.0) } else { 0.0 };
    let bias = (1.0 + 4.0 * found).max(0.0) / count;
    let error = ((1.0 - found * found) / count).max(0.0).sqrt();
    let assumed = (found + bias + caution * error).clamp(0.0, MOST.min(most));
    let rest = 1.0 - assumed;
    (1.0 + 2.0 * (assumed / rest - assumed * (1.0 - assumed.powf(count)) / (count * rest * rest))).clamp(1.0, count.max(1.0))
}

/// Running sums of readings with weights, for their autocorrelation at lag one about a common rate per weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Serial {
    /// How many readings.
    pub count: f64,
    readings: f64,
    weights: f64,
    squares: f64,
    products: f64,
    weights_squared: f64,
    lagged: f64,
    lagged_products: f64,
    lagged_weights: f64,
    last: Option<(f64, f64)>,
}

impl Serial {
    /// Takes the next reading, of a weight.
    pub fn take(&mut self, reading: f64, weight: f64) {
        if let Some((last, of)) = self.last {
            self.lagged += last * reading;
            self.lagged_products += last * weight + reading * of;
            self.lagged_weights += of * weight;
        }
        self.count += 1.0;
        self.readings += reading;
        self.weights += weight;
        self.squares += reading * reading;
        self.products += reading * weight;
        self.weights_squared += weight * weight;
        self.last = Some((reading, weight));
    }

    /// The sum of squares of what the common rate does not explain.
    pub fn spread(&self) -> f64 {
        let rate = self.readings / self.weights;
        (self.squares - 2.0 * rate * self.products + rate * rate * self.weights_squared).max(0.0)
    }

    /// The autocorrelation at lag one; 0 where nothing varies.
    pub fn autocorrelation(&self) -> f64 {
        let rate = self.readings / self.weights;
        let spread = self.spread();
        if spread <= 1e-12 * self.squares {
            return 0.0;
        }
        (self.lagged - rate * self.lagged_products + rate * rate * self.lagged_weights) / spread
    }
}

/// How many scales of time the variance is looked at on: one interval, two, four, and so on.
const SCALES: usize = 8;
/// Blocks of equal weight from which on a scale beyond the first is heard: fewer, as after a step that multiplies the traffic, tell of
/// nothing but themselves.
const BLOCKS: f64 = 8.0;

/// What readings are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Ranks among those before: all of their variance may hang together.
    Ranks,
    /// Counts of events: that part of their variance that is due to the number of single events does not.
    Events,
}

/// By how much of themselves rates are taken to swing from interval to interval where a swing lasts: the square of their deviation over
/// their mean.
const SWING: f64 = 1.0;

impl Kind {
    /// The greatest part of the variance of readings that may hang together, when single events make up `single`.
    ///
    /// Of a rate with a variance of `SWING` times its square, n events have the variance n + SWING n^2.
    fn excess(self, single: f64) -> f64 {
        match self {
            Self::Ranks => 1.0,
            Self::Events => SWING * single / (1.0 + SWING * single),
        }
    }
}

/// Readings and their variance on several scales of time: what is hidden by noise from one interval to the next shows over blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Scales([Scale; SCALES]);

/// What one scale says about the variance of the sum of all readings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// By how much blocks vary more than independent readings would; at least 1.
    pub dispersion: f64,
    /// By how much dependence between blocks inflates the variance of their sum; at least 1.
    pub serial: f64,
    /// By how much dependence makes blocks seem to vary less than they do; at least 1.
    pub hidden: f64,
    /// How many independent readings of equal weight this rests on, less one (the effective number of L. Kish, "Survey sampling", 1965).
    pub readings: f64,
    /// The greatest part of their variance that may hang together from block to block: the rest is that of single events.
    pub excess: f64,
}

/// Blocks of intervals, and the block that is being filled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Scale {
    blocks: Serial,
    /// The variance of all blocks together if readings were independent.
    variance: f64,
    open: Block,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Block {
    reading: f64,
    weight: f64,
    variance: f64,
    intervals: u32,
}

impl Scales {
    /// Takes the next reading, of a weight, with the variance that it would have if it were independent.
    pub fn take(&mut self, reading: f64, weight: f64, variance: f64) {
        let mut size = 1;
        for scale in &mut self.0 {
            scale.take(reading, weight, variance, size);
            size *= 2;
        }
    }

    /// What all readings come to for a unit of weight. None without weight.
    pub fn rate(&self) -> Option<f64> {
        let finest = &self.0.first()?.blocks;
        (finest.weights > 0.0).then(|| finest.readings / finest.weights)
    }

    /// For how many independent readings one counts, for bounded readings: the greatest over the scales.
    pub fn inflation(&self, stretch: f64, caution: f64) -> f64 {
        let by_scale = self.heard(stretch, caution, Kind::Ranks).enumerate();
        by_scale.map(|(at, found)| found.dispersion * found.serial * if at == 0 { 1.0 } else { found.hidden }).fold(1.0, f64::max)
    }

    /// What the scales say for `stretch` times as many readings: the finest with caution about its autocorrelation, others once they
    /// have blocks enough, without.
    pub fn heard(&self, stretch: f64, caution: f64, kind: Kind) -> impl Iterator<Item = Found> {
        let heard = self.0.iter().enumerate().filter(|(at, scale)| *at == 0 || scale.telling() >= BLOCKS);
        heard.map(move |(at, scale)| scale.found(stretch, if at == 0 { caution } else { 0.0 }, kind))
    }
}

/// The variance of a rank among those before, as a share of their number.
pub const OF_A_RANK: f64 = 1.0 / 12.0;

impl Scale {
    fn take(&mut self, reading: f64, weight: f64, variance: f64, size: u32) {
        self.open.reading += reading;
        self.open.weight += weight;
        self.open.variance += variance;
        self.open.intervals += 1;
        if self.open.intervals == size {
            self.blocks.take(self.open.reading, self.open.weight);
            self.variance += self.open.variance;
            self.open = Block::default();
        }
    }

    fn telling(&self) -> f64 {
        self.blocks.weights * self.blocks.weights / self.blocks.weights_squared.max(f64::MIN_POSITIVE)
    }

    fn found(&self, stretch: f64, caution: f64, kind: Kind) -> Found {
        let count = self.blocks.count;
        let seen = self.blocks.spread() / (count - 1.0);
        let dispersion = if self.variance > 0.0 { (seen / (self.variance / count)).max(1.0) } else { 1.0 };
        // One block that outweighs all others tells of nothing but itself.
        let telling = self.telling();
        let telling = (telling * stretch).min(count * stretch);
        let count = count * stretch;
        let excess = kind.excess(self.variance / count);
        let serial = inflation(self.blocks.autocorrelation(), count, caution, excess);
        let hidden = (count - 1.0) / (count - serial).max(1e-9);
        Found { dispersion, serial, hidden, readings: (telling / serial - 1.0).max(0.0), excess }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variance_of_a_mean_is_that_of_its_correlations() {
        // Four readings, 0.5 from one to the next: 1 + 2 (3/4 0.5 + 2/4 0.25 + 1/4 0.125).
        let (found, count): (f64, f64) = (0.5, 4.0);
        let wanted = 1.0 + 2.0 * (0.75 * found + 0.5 * found * found + 0.25 * found * found * found);
        // What is taken up to 0.5 by its bias, (1 + 4 x) / 4.
        let before = (found - 1.0 / count) / (1.0 + 4.0 / count);
        assert!((inflation(before, count, 0.0, 1.0) - wanted).abs() < 1e-9);
    }

    #[test]
    fn it_stays_between_one_and_the_count() {
        for count in 1..200 {
            for found in [-1.0, -0.4, 0.0, 0.3, 0.9, 1.0, f64::NAN] {
                let factor = inflation(found, f64::from(count), 2.0, 1.0);
                assert!(factor >= 1.0 && factor <= f64::from(count), "{found} of {count}: {factor}");
            }
        }
    }

    #[test]
    fn it_is_the_textbook_autocorrelation_at_equal_weights() {
        let readings = [1.0, 3.0, 2.0, 5.0, 4.0, 4.5];
        let mut serial = Serial::default();
        for reading in readings {
            serial.take(reading, 1.0);
        }
        let mean = readings.iter().sum::<f64>() / 6.0;
        let lagged: f64 = readings.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
        let spread: f64 = readings.iter().map(|reading| (reading - mean).powi(2)).sum();
        assert!((serial.autocorrelation() - lagged / spread).abs() < 1e-12);
    }
}
