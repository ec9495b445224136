//! Always-valid inference: evidence that may be looked at after every increment.
//!
//! One increment per scrape, the canary paired with the baseline of the same interval; intervals never overlap. Wealth is bet against two
//! hypotheses, that the harm is at most the margin and that it is at least the margin; when a first wealth of 1 has become `1 / alpha`,
//! the hypothesis falls. While a hypothesis holds its wealth is a supermartingale, so that the chance of ever failing an equal canary,
//! or of ever passing one with the margin's harm, is at most alpha at all looks together (Ville's inequality). That is exact for pairs
//! independent given the past. For streams that lean on their past the caution of `serial` is added; what it achieves is measured, not
//! proven. `evidence::simulation` makes these tables again from the same seeds. Two figures are those at alpha 0.05 and 0.005 (one of
//! ten measures); counts are errors of requests in each interval, canary and baseline 1000:1000 or 50:950, at a rate of 1 %. AR(1) is
//! that of each side by itself (of the logarithm of its rate, deviation a half); bursty is beta-binomial with 2 % correlation, for
//! values spells of ten times the deviation; what drifts is a walk, a wave and a jump of both sides.
//!
//! False Fail of equal streams in 10,000 runs of 300 looks each, margin 0 (the worst margin):
//!
//! | stream | values | extremes | spikes | counts 1000:1000 | counts 50:950 |
//! | --- | --- | --- | --- | --- | --- |
//! | independent | .0030 / .0000 | .0026 / .0000 | .0000 / .0000 | .0001 / .0000 | .0000 / .0000 |
//! | AR(1) 0.5 | .0073 / .0001 | .0000 / .0000 | .0000 / .0000 | .0020 / .0001 | .0014 / .0000 |
//! | AR(1) 0.9 | .0282 / .0005 | .0000 / .0000 | .0000 / .0000 | .0432 / .0033 | .0207 / .0013 |
//! | bursty | .0247 / .0026 | .0002 / .0000 | .0000 / .0000 | .0014 / .0002 | .0014 / .0000 |
//! | drifting together | .0030 / .0000 | .0026 / .0000 | .0000 / .0000 | .0000 / .0000 | .0000 / .0000 |
//!
//! The constants of the caution of values were chosen by looking at some of these seeds. The columns of counts are those of seeds 500,000
//! to 509,999, by which nothing was chosen (that of
//! drifting together, and of spikes, is older: from before the caution of counts was eased); every row is under its alpha. Not covered: autocorrelation above 0.95, and bursts rarer than a run.
//!
//! Median intervals to Fail of values (harm in deviations) and extremes (every twentieth interval a hundred deviations worse), and to Pass
//! of values (margin one deviation) and spikes when equal; `-` is over 1000:
//!
//! | stream | 0.5 | 1 | 2 | 10 | Pass | extremes | spikes Pass |
//! | --- | --- | --- | --- | --- | --- | --- | --- |
//! | independent | 177 / 293 | 52 / 102 | 20 / 45 | 15 / 32 | 52 / 97 | 316 / 480 | 234 / 487 |
//! | AR(1) 0.5 | 407 / 745 | 146 / 249 | 50 / 112 | 38 / 87 | 117 / 228 | 599 / 896 | 234 / 487 |
//! | AR(1) 0.9 | - / - | 749 / - | 254 / 558 | 187 / 377 | 664 / - | - / - | 234 / 487 |
//! | bursty | - / - | 162 / 504 | 31 / 111 | 19 / 51 | 192 / 607 | - / - | - / - |
//! | drifting together | 177 / 293 | 52 / 102 | 20 / 45 | 15 / 32 | 52 / 97 | 316 / 480 | 234 / 487 |
//!
//! The same of counts 1000:1000 (harm as a factor of the rate; Pass when equal, margin one rate):
//!
//! | stream | 1.5 | 2 | 5 | 50 | Pass |
//! | --- | --- | --- | --- | --- | --- |
//! | independent | 43 / 74 | 25 / 52 | 13 / 30 | 9 / 21 | 25 / 52 |
//! | AR(1) 0.5 | 209 / 416 | 88 / 162 | 46 / 88 | 26 / 55 | 69 / 122 |
//! | AR(1) 0.9 | 944 / - | 283 / 704 | 62 / 212 | 31 / 143 | 106 / 432 |
//! | bursty | 480 / 960 | 141 / 298 | 51 / 89 | 22 / 40 | 98 / 192 |
//! | drifting together | 46 / 77 | 27 / 56 | 18 / 40 | 13 / 27 | 36 / 68 |
//!
//! The same of counts 50:950:
//!
//! | stream | 1.5 | 2 | 5 | 50 | Pass |
//! | --- | --- | --- | --- | --- | --- |
//! | independent | 209 / 416 | 75 / 114 | 22 / 44 | 10 / 22 | 88 / 126 |
//! | AR(1) 0.5 | 291 / 640 | 111 / 208 | 39 / 80 | 25 / 48 | 96 / 200 |
//! | AR(1) 0.9 | 785 / - | 240 / 736 | 44 / 116 | 18 / 132 | 104 / 416 |
//! | bursty | 544 / 943 | 209 / 387 | 49 / 88 | 24 / 48 | 165 / 293 |
//! | drifting together | 193 / 395 | 76 / 188 | 31 / 68 | 17 / 88 | 124 / 344 |
//!
//! False Pass of canaries whose harm is the margin (one deviation, every twentieth interval, twice the rate), in 2,000 runs:
//!
//! | stream | values | spikes | counts 1000:1000 | counts 50:950 |
//! | --- | --- | --- | --- | --- |
//! | independent | .0050 / .0005 | .0000 / .0000 | .0000 / .0000 | .0005 / .0000 |
//! | AR(1) 0.5 | .0105 / .0000 | .0000 / .0000 | .0055 / .0000 | .0025 / .0000 |
//! | AR(1) 0.9 | .0240 / .0005 | .0000 / .0000 | .0440 / .0005 | .0435 / .0030 |
//! | bursty | .0315 / .0040 | .0000 / .0000 | .0055 / .0000 | .0030 / .0000 |
//! | drifting together | .0050 / .0005 | .0000 / .0000 | .0000 / .0000 | .0000 / .0000 |
//!
//! Spikes need some hundred intervals to acquit: what comes once in twenty intervals cannot be excluded sooner with this caution.

pub mod counts;
pub mod extremes;
pub mod over;
mod serial;
pub mod spikes;
pub mod values;
mod wealth;

/// What is known of a measure's harm at one look, at the level that the look was taken with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// What follows.
    pub standing: Standing,
    /// How many pairs of increments it rests on.
    pub pairs: u64,
    /// The lower bound of harm; it holds at all looks together but with the level's chance.
    pub low: f64,
    /// The upper bound of harm; likewise.
    pub high: f64,
    /// The natural logarithm of the e-value against "the harm is at most the margin": 0 is no evidence, 3 is one in twenty.
    pub against: f64,
    /// The natural logarithm of the e-value against "the harm is at least the margin".
    pub for_it: f64,
    /// How many more pairs decide if they are as those so far were. None when already decided, or nothing would in a thousand times
    /// as many.
    pub more: Option<u64>,
}

/// What follows from the bounds of harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The upper bound of harm is under the margin.
    Pass,
    /// The lower bound of harm is over the margin.
    Fail,
    /// The margin lies between them, or nothing is known.
    Early,
}

/// Which hypothesis wealth is bet against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// That the harm is at most so much: wealth speaks against the canary.
    Harm,
    /// That the harm is at least so much: wealth speaks for it.
    Safety,
}

/// A process of bets on harm, as seen at one level.
trait Bets {
    /// Pairs so far.
    fn pairs(&self) -> f64;

    /// The logarithm of the wealth against harm on a `side` of `margin` if there were `stretch` times as many pairs as those so far.
    /// Where it is less than `wanted`, any number less than that will do.
    fn wealth(&self, side: Side, margin: f64, stretch: f64, wanted: f64) -> f64;
}

/// The logarithm of the wealth that decides at a level. None unless it lies between 0 and 1.
fn enough(alpha: f64) -> Option<f64> {
    (alpha > 0.0 && alpha < 1.0).then(|| -alpha.ln())
}

/// The standing at a level; without one, or without data, it is early.
fn standing(bets: &impl Bets, margin: f64, alpha: f64, stretch: f64) -> Standing {
    let Some(enough) = enough(alpha).filter(|_| bets.pairs() > 0.0) else { return Standing::Early };
    if bets.wealth(Side::Harm, margin, stretch, enough) >= enough {
        Standing::Fail
    } else if bets.wealth(Side::Safety, margin, stretch, enough) >= enough {
        Standing::Pass
    } else {
        Standing::Early
    }
}

/// How many more pairs like those so far decide.
fn more(bets: &impl Bets, margin: f64, alpha: f64) -> Option<u64> {
    let early = |stretch: f64| standing(bets, margin, alpha, stretch) == Standing::Early;
    if !early(1.0) {
        return None;
    }
    let mut high = 2.0;
    while early(high) {
        high *= 2.0;
        if high > 1024.0 {
            return None;
        }
    }
    let mut low = high / 2.0;
    for _ in 0..24 {
        let middle = f64::midpoint(low, high);
        if early(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive count, at most a thousand times one that was taken"
    )]
    Some((bets.pairs() * (high - 1.0)).ceil() as u64)
}
