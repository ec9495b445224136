//! Always-valid inference: evidence that may be looked at after every increment.

pub mod counts;
pub mod extremes;
mod serial;
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
