//! A trial: the running judgement of a canary while its rollout runs, pair by pair, that may be looked at after each.
//!
//! After each poll the raw answers about both sides go in, as the port gives them. Answers overlap; what was counted once is not counted
//! again: there is one increment per scrape, paired with the baseline's of the same interval. The first answers are where counting begins.
//! Falls of counters are resets; what was not seen for long is left out, on both sides. The evidence of a rollout is one: steps do not
//! begin it anew, and what comes late is looked at by itself too (see [`process`]). All of it can be written down and gone on with.

mod beyond;
mod bucket;
mod conclude;
mod follow;
mod measure;
pub mod process;
mod sentence;
mod side;
pub mod standing;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::beyond::PastLimit;
use self::measure::Measure;
pub use self::measure::Raw;
pub use self::sentence::written;
pub use self::side::Counted;
pub use self::standing::{Harm, MeasureStanding, More, Outcome, Score, TrialStanding};
use crate::model::name::SignalName;
use crate::model::trial::TrialRules;

/// To be raised with every change of what a trial keeps, or of what follows from that: one that another judge began is not gone on with.
const FORM: u32 = 1;

/// The running judgement of one rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    alpha: f64,
    power: f64,
    measures: Vec<Measure>,
}

impl Trial {
    /// A trial of which nothing was seen.
    pub fn new(rules: TrialRules) -> Self {
        Self { alpha: rules.alpha, power: rules.power, measures: rules.measures.into_iter().map(Measure::new).collect() }
    }

    /// The rules that it goes by.
    pub fn rules(&self) -> TrialRules {
        let measures = self.measures.iter().map(|measure| measure.rules.clone()).collect();
        TrialRules { alpha: self.alpha, power: self.power, measures }
    }

    /// Who judges: what is kept of a trial is gone on with by the same alone.
    pub fn judge() -> String {
        format!("{} {FORM}", env!("CARGO_PKG_VERSION"))
    }

    /// How many intervals were compared, over all measures.
    pub fn pairs(&self) -> u64 {
        self.measures.iter().map(Measure::pairs).sum()
    }

    /// The time of the newest sample of all measures, in milliseconds since 1970.
    pub fn newest_ms(&self) -> Option<i64> {
        self.measures.iter().flat_map(Measure::newest_ms).flatten().max()
    }

    /// Takes the answers of one poll about one measure. One that the rules do not name is none of it.
    pub fn take(&mut self, name: &SignalName, stable: Raw<'_>, canary: Raw<'_>) {
        for measure in self.measures.iter_mut().filter(|measure| &measure.rules.name == name) {
            measure.take(stable, canary);
        }
    }

    /// What follows now; the level is divided over the measures that decide. It changes nothing, and may be asked as often as one likes.
    ///
    /// `now` is compared with the times of samples: where the backend's clock is known to differ, give that one's.
    pub fn standing(&self, now: DateTime<Utc>) -> TrialStanding {
        let alpha = self.divided();
        let of = |measure: &Measure| MeasureStanding {
            past_limit: measure.beyond.as_ref().map(|beyond| beyond.past(self.of_limits())),
            ..conclude::of_measure(measure, alpha, self.power, now.timestamp_millis())
        };
        conclude::of_all(self.measures.iter().map(of).collect())
    }

    /// What is known of a measure's limit, as in [`Trial::standing`].
    pub fn past_limit(&self, name: &SignalName) -> Option<PastLimit> {
        let measure = self.measures.iter().find(|measure| &measure.rules.name == name)?;
        measure.beyond.as_ref().map(|beyond| beyond.past(self.of_limits()))
    }

    /// The level of each limit: a fifth of the trial's, divided over those that have one.
    fn of_limits(&self) -> f64 {
        let limits = self.measures.iter().filter(|measure| measure.beyond.is_some()).count();
        #[expect(clippy::cast_precision_loss, reason = "measures are few")]
        let limits = limits.max(1) as f64;
        self.alpha / 5.0 / limits
    }

    /// The outcome of [`Trial::standing`] alone: no bounds, no words, a hundredth of its cost.
    pub fn outcome(&self, now: DateTime<Utc>) -> Outcome {
        let alpha = self.divided();
        let of = |measure: &Measure| conclude::outcome_of(measure, alpha, now.timestamp_millis());
        let scored = self.measures.iter().filter(|measure| measure.rules.weight > 0.0);
        conclude::outcome_of_all(&scored.map(of).collect::<Vec<Outcome>>())
    }

    /// The level of each measure that decides.
    fn divided(&self) -> f64 {
        let scored = self.measures.iter().filter(|measure| measure.rules.weight > 0.0).count();
        #[expect(clippy::cast_precision_loss, reason = "measures are few")]
        let scored = scored.max(1) as f64;
        self.alpha / scored
    }
}
