//! The always-valid processes of one measure: what has been bet on its harm from the beginning, and on what is recent.

use serde::{Deserialize, Serialize};

use super::side::Counted;
use crate::analysis::evidence::Worse;
use crate::analysis::evidence::sequential::counts::Counts;
use crate::analysis::evidence::sequential::extremes::Extremes;
use crate::analysis::evidence::sequential::spikes::Spikes;
use crate::analysis::evidence::sequential::values::Values;
use crate::analysis::evidence::sequential::{Look, Standing};

/// After so many pairs a process begins anew beside the first one ..
const RENEWED: u64 = 40;
/// .. and so many of those are kept.
const KEPT: usize = 2;
/// The part of the level that the first process has; the others share the rest.
const FIRST: f64 = 0.8;
/// The wealth (its logarithm) of a recent process from which on the first one does not pass: one in ten.
const DOUBT: f64 = std::f64::consts::LN_10;

/// The pair of one interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pair {
    /// Events.
    Counts {
        /// Of the new version.
        canary: Counted,
        /// Of the old one.
        baseline: Counted,
    },
    /// Numbers.
    Values {
        /// Of the new version.
        canary: f64,
        /// Of the old one.
        baseline: f64,
    },
}

/// What is bet on one kind of measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Bets {
    Counts(Box<Counts>),
    Values(Box<Trio>),
}

/// The middle of the differences, and two ways to see what is rare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Trio {
    middle: Values,
    extremes: Extremes,
    spikes: Spikes,
}

/// What convicts of harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// The rate, or the middle of the values.
    Usual,
    /// The greatest differences: rare, and for the worse.
    Extremes,
    /// What was seen lately, by itself.
    Lately,
}

impl Bets {
    fn counts(margin: f64) -> Option<Self> {
        Counts::new(margin).map(|counts| Self::Counts(Box::new(counts)))
    }

    fn values(worse: Worse, margin: f64) -> Option<Self> {
        let trio =
            Trio { middle: Values::new(worse, margin)?, extremes: Extremes::new(worse, margin, 1.0)?, spikes: Spikes::new(worse, margin)? };
        Some(Self::Values(Box::new(trio)))
    }

    fn take(&mut self, pair: Pair) -> bool {
        match (self, pair) {
            (Self::Counts(counts), Pair::Counts { canary, baseline }) => {
                counts.take((canary.bad, canary.total), (baseline.bad, baseline.total))
            }
            (Self::Values(trio), Pair::Values { canary, baseline }) => {
                let taken = trio.middle.take(canary, baseline);
                // What is a pair of the one is a pair of the others, but for a margin at the end of the numbers.
                trio.extremes.take(canary, baseline);
                trio.spikes.take(canary, baseline);
                taken
            }
            (Self::Counts(_), Pair::Values { .. }) | (Self::Values(_), Pair::Counts { .. }) => false,
        }
    }

    /// What convicts at a level, if anything; two ways to do so share it.
    fn convicts(&self, alpha: f64) -> Option<Ground> {
        match self {
            Self::Counts(counts) => (counts.standing(alpha) == Standing::Fail).then_some(Ground::Usual),
            Self::Values(trio) if trio.middle.standing(alpha / 2.0) == Standing::Fail => Some(Ground::Usual),
            Self::Values(trio) => (trio.extremes.standing(alpha / 2.0) == Standing::Fail).then_some(Ground::Extremes),
        }
    }

    /// Whether harm of the margin is excluded at a level, that which is rare too.
    fn acquits(&self, alpha: f64) -> bool {
        match self {
            Self::Counts(counts) => counts.standing(alpha) == Standing::Pass,
            Self::Values(trio) => trio.middle.standing(alpha) == Standing::Pass && trio.spikes.standing(alpha) == Standing::Pass,
        }
    }

    /// Whether it leans to harm at a level: one in ten.
    fn doubts(&self, alpha: f64) -> bool {
        match self {
            Self::Counts(counts) => counts.doubts(alpha, DOUBT),
            Self::Values(trio) => trio.middle.doubts(alpha, DOUBT),
        }
    }

    fn look(&self, alpha: f64) -> Look {
        match self {
            Self::Counts(counts) => counts.look(alpha),
            Self::Values(trio) => trio.middle.look(alpha),
        }
    }

    fn estimate(&self) -> Option<f64> {
        match self {
            Self::Counts(counts) => counts.estimate(),
            Self::Values(trio) => trio.middle.estimate(),
        }
    }

    /// How many more pairs decide.
    fn more(&self, alpha: f64) -> Option<u64> {
        match self {
            Self::Counts(counts) => counts.look(alpha).more,
            Self::Values(trio) => match (trio.middle.look(alpha), trio.spikes.look(alpha)) {
                (middle, spikes) if middle.standing == Standing::Pass => spikes.more,
                // It is decided for the worse by the one, for the better by both.
                (middle, spikes) => {
                    middle.more.map(|more| if middle.against > middle.for_it { more } else { more.max(spikes.more.unwrap_or(0)) })
                }
            },
        }
    }
}

/// Everything that is bet on one measure.
///
/// One process has all pairs since the rollout began. Harm that comes late is hidden from it by what was good before, so after every
/// 40 pairs another begins beside it; the two newest are kept. The first may convict at 0.8 of the level, the k-th after it at 0.2 of it times
/// 6 / (pi k)^2: together they are no more than the level (Boole), so that this holds at all looks as they do.
///
/// Source: the restart of tests against a change that comes late, J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a nonparametric framework
/// for sequential change detection", New England Journal of Statistics in Data Science 2 (2024); the shares of the level are this module's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Process {
    first: Bets,
    recent: Vec<(u64, Bets)>,
    empty: Bets,
    pairs: u64,
}

/// What follows, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Harm over the margin, on a ground.
    Worse(Ground),
    /// No harm of the margin.
    NoWorse,
    /// Neither; `turned`: there would be none but for what was seen lately.
    Open {
        /// What was seen lately speaks against what was seen before.
        turned: bool,
    },
}

impl Process {
    /// Nothing yet, of events. None unless the margin lies between -1 and 1.
    pub fn counts(margin: f64) -> Option<Self> {
        Bets::counts(margin).map(Self::of)
    }

    /// Nothing yet, of values. None unless the margin is finite.
    pub fn values(worse: Worse, margin: f64) -> Option<Self> {
        Bets::values(worse, margin).map(Self::of)
    }

    fn of(empty: Bets) -> Self {
        Self { first: empty.clone(), recent: Vec::new(), empty, pairs: 0 }
    }

    /// Takes the pair of one interval; false where it is none.
    pub fn take(&mut self, pair: Pair) -> bool {
        if !self.first.take(pair) {
            return false;
        }
        self.pairs += 1;
        if self.pairs.is_multiple_of(RENEWED) {
            self.recent.push((self.pairs / RENEWED, self.empty.clone()));
            if self.recent.len() > KEPT {
                self.recent.remove(0);
            }
        }
        // The pair that ends a stretch is not in the next.
        for (begun, bets) in &mut self.recent {
            if *begun * RENEWED < self.pairs {
                bets.take(pair);
            }
        }
        true
    }

    /// How many pairs there are.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// What follows at a level.
    pub fn follows(&self, alpha: f64) -> Follows {
        if let Some(ground) = self.first.convicts(alpha * FIRST) {
            return Follows::Worse(ground);
        }
        if self.recent.iter().any(|(begun, bets)| bets.convicts(share(alpha, *begun)).is_some()) {
            return Follows::Worse(Ground::Lately);
        }
        let turned = || self.recent.iter().any(|(_, bets)| bets.doubts(alpha));
        match self.first.acquits(alpha) {
            true if turned() => Follows::Open { turned: true },
            true => Follows::NoWorse,
            false => Follows::Open { turned: false },
        }
    }

    /// The bounds of harm at a level, over all pairs.
    pub fn look(&self, alpha: f64) -> Look {
        self.first.look(alpha)
    }

    /// The harm as it was seen, over all pairs.
    pub fn estimate(&self) -> Option<f64> {
        self.first.estimate()
    }

    /// How many more pairs decide if they are as those so far were.
    pub fn more(&self, alpha: f64) -> Option<u64> {
        self.first.more(alpha)
    }
}

/// The part of a level that the k-th process after the first has.
#[expect(clippy::cast_precision_loss, reason = "intervals stay far below 2^52")]
fn share(alpha: f64, k: u64) -> f64 {
    alpha * (1.0 - FIRST) * 6.0 / (std::f64::consts::PI * k.max(1) as f64).powi(2)
}
