//! One metric by Kayenta's rules: what is missing first, then what is the same, then the interval and the size of the change.

use super::interval;
use super::root::TOLERANCE;
use super::side::Side;
use crate::analysis::judge::figure::figure;
use crate::analysis::judge::ranks::Ranks;
use crate::analysis::judge::{Classification, Judged, Lack, Samples, Shift};
use crate::model::judging::{Measure, MetricRules, Missing};

/// A mean so many times the other that a Pass needs a word.
const MUCH: f64 = 2.0;
/// The range of values beside which the solver's tolerance is nothing.
const WIDE: f64 = 1e9;

/// Judges a metric.
pub(super) fn metric(rules: &MetricRules, samples: &Samples) -> Judged {
    let (baseline, canary) = (Side::of(&samples.baseline, rules), Side::of(&samples.canary, rules));
    let lack = match (baseline.measured, canary.measured) {
        (true, true) => None,
        (false, true) => Some(Lack::Baseline),
        (true, false) => Some(Lack::Canary),
        (false, false) => Some(Lack::Both),
    };
    let mut judged = Judged {
        name: samples.name.clone(),
        classification: Classification::Pass,
        critical: false,
        muted: rules.muted,
        u: None,
        p: None,
        shift: None,
        effect: None,
        lack,
        reason: String::new(),
    };
    if baseline.is_empty() || canary.is_empty() {
        absent(rules, lack, &mut judged);
    } else if baseline.is_finite() && canary.is_finite() {
        Pair { rules, baseline, canary }.compare(&mut judged);
    } else {
        judged.classification = Classification::NodataFail;
        judged.critical = rules.critical.is_some();
        "a value is infinite or too large to be compared".clone_into(&mut judged.reason);
    }
    if lack.is_some() && rules.missing == Missing::Replace {
        judged.reason = format!("no data, replaced by 0: {}", judged.reason);
    }
    if rules.muted {
        judged.reason.push_str("; muted, so it is not scored");
    }
    judged
}

/// A side is empty.
fn absent(rules: &MetricRules, lack: Option<Lack>, judged: &mut Judged) {
    let whose = match lack {
        Some(Lack::Baseline) => "the baseline has no data",
        Some(Lack::Canary) => "the canary has no data",
        Some(Lack::Both) | None => "neither side has data",
    };
    whose.clone_into(&mut judged.reason);
    match rules.missing {
        Missing::Replace => {
            judged.classification = Classification::Pass;
            judged.reason.push_str(", which Kayenta calls Pass; a rollout holds on it");
        }
        Missing::Remove if rules.critical.is_some() => {
            judged.classification = Classification::Nodata;
            judged.critical = true;
            judged.reason.push_str(", and it is critical");
        }
        Missing::Remove if rules.must_have_data => {
            judged.classification = Classification::NodataFail;
            judged.reason.push_str(", and it must have some");
        }
        Missing::Remove => judged.classification = Classification::Nodata,
    }
}

/// A metric with data on both sides.
struct Pair<'a> {
    rules: &'a MetricRules,
    baseline: Side,
    canary: Side,
}

impl Pair<'_> {
    fn compare(&self, judged: &mut Judged) {
        let ranks = Ranks::of(&self.canary.sorted, &self.baseline.sorted, 0.0);
        let found = ranks.significance();
        (judged.u, judged.p) = (Some(found.u), Some(found.p));
        let ratio = self.mean_ratio();
        judged.effect = match self.rules.measure {
            Measure::MeanRatio => ratio,
            Measure::CommonLanguage => Some(ranks.common_language()),
        };
        if self.canary.sorted == self.baseline.sorted {
            "both sides have the same values".clone_into(&mut judged.reason);
            return;
        }
        let constants = (self.canary.constant(), self.baseline.constant());
        if let (Some(canary), Some(baseline)) = constants
            && canary <= baseline
            && canary >= baseline
        {
            "all values of both sides are the same".clone_into(&mut judged.reason);
            return;
        }
        let constant = match constants {
            (Some(canary), Some(baseline)) => Some(canary - baseline),
            (Some(_), None) | (None, Some(_) | None) => None,
        };
        let shift = match constant {
            Some(estimate) => Some(Shift { estimate, low: estimate, high: estimate }),
            None => interval::shift(&self.canary.sorted, &self.baseline.sorted, self.rules.confidence),
        };
        // Only two constant sides have none, and those were compared above.
        let Some(shift) = shift else { return };
        judged.shift = Some(shift);
        judged.classification = self.class(shift, judged.effect);
        judged.critical = self.is_critical(judged.classification, judged.effect);
        judged.reason = self.reason(shift, judged, ratio);
        if constant.is_some() {
            judged.reason.push_str(&self.of_constants());
        } else if let Some(other) = self.in_another_unit(shift, judged) {
            judged.reason.push_str(&format!(
                "; Kayenta's search stops within {TOLERANCE} in any unit: in a smaller unit the same data would be {}",
                other.word()
            ));
        }
        if judged.classification == Classification::Pass {
            judged.reason.push_str(&self.unseen(ratio));
        }
    }

    /// The canary's mean over the baseline's; none when either is zero.
    fn mean_ratio(&self) -> Option<f64> {
        let (canary, baseline) = (self.canary.mean(), self.baseline.mean());
        (canary.abs() > 0.0 && baseline.abs() > 0.0).then(|| canary / baseline)
    }

    /// Harm is an interval that is further from zero than the tolerated share of the estimate, on the side that is minded, by a
    /// change of a size that counts. A size that is not defined is not asked.
    fn class(&self, shift: Shift, effect: Option<f64>) -> Classification {
        let rules = self.rules;
        let bound = rules.tolerance * shift.estimate.abs();
        if rules.direction.minds_more() && shift.low > bound && effect.is_none_or(|effect| effect >= rules.allowed.high) {
            Classification::High
        } else if rules.direction.minds_less() && shift.high < -bound && effect.is_none_or(|effect| effect <= rules.allowed.low) {
            Classification::Low
        } else {
            Classification::Pass
        }
    }

    fn is_critical(&self, class: Classification, effect: Option<f64>) -> bool {
        let Some(bounds) = self.rules.critical else { return false };
        match class {
            Classification::High => effect.is_none_or(|effect| effect >= bounds.high),
            Classification::Low => effect.is_none_or(|effect| effect <= bounds.low),
            Classification::Pass | Classification::Nodata | Classification::NodataFail | Classification::Early => false,
        }
    }

    fn reason(&self, shift: Shift, judged: &Judged, ratio: Option<f64>) -> String {
        let rules = self.rules;
        let [estimate, low, high] = [shift.estimate, shift.low, shift.high].map(figure);
        let level = figure(rules.confidence * 100.0);
        let moved = format!("shift {estimate} ({low} to {high} at {level} %)");
        let size = match (judged.effect, rules.measure) {
            (Some(effect), Measure::MeanRatio) => format!("the mean is {} times the baseline's", figure(effect)),
            (Some(effect), Measure::CommonLanguage) => format!("above the baseline in {} % of pairs", figure(effect * 100.0)),
            (None, _) => "a mean is 0, so the size of the change was not asked".to_owned(),
        };
        let critical = if judged.critical { ", critical" } else { "" };
        match judged.classification {
            Classification::High => format!("the canary is higher{critical}: {moved}; {size}"),
            Classification::Low => format!("the canary is lower{critical}: {moved}; {size}"),
            Classification::Pass | Classification::Nodata | Classification::NodataFail | Classification::Early => {
                format!("{}: {moved}", self.why_not(shift, judged.effect.or(ratio)))
            }
        }
    }

    /// Why a change is no harm.
    fn why_not(&self, shift: Shift, effect: Option<f64>) -> String {
        let rules = self.rules;
        let bound = rules.tolerance * shift.estimate.abs();
        let size = effect.map(figure).unwrap_or_default();
        if shift.low > bound {
            if rules.direction.minds_more() {
                return format!("higher, but its effect {size} is under the allowed {}", figure(rules.allowed.high));
            }
            return "higher, which is no harm here".to_owned();
        }
        if shift.high < -bound {
            if rules.direction.minds_less() {
                return format!("lower, but its effect {size} is over the allowed {}", figure(rules.allowed.low));
            }
            return "lower, which is no harm here".to_owned();
        }
        if shift.low > 0.0 || shift.high < 0.0 {
            return format!("a change within the tolerance of {} of itself", figure(rules.tolerance));
        }
        "no change was found".to_owned()
    }

    /// What two constant sides are in Kayenta.
    fn of_constants(&self) -> String {
        let one = self.canary.values.len() == 1 && self.baseline.values.len() == 1;
        if one {
            "; one value a side was compared by value, where Kayenta ends in an error that no score counts".to_owned()
        } else {
            "; two constants were compared by value, where Kayenta adds random noise".to_owned()
        }
    }

    /// What the same data would be if its unit were so small that the solver's tolerance is nothing, where that is something else.
    /// It is tried only where an end of the interval is so near its bound that the tolerance could decide.
    fn in_another_unit(&self, shift: Shift, judged: &Judged) -> Option<Classification> {
        let bound = self.rules.tolerance * shift.estimate.abs();
        let reach = 2.0 * TOLERANCE * (1.0 + self.rules.tolerance);
        if (shift.low - bound).abs() > reach && (shift.high + bound).abs() > reach {
            return None;
        }
        let range = self.canary.sorted.iter().chain(&self.baseline.sorted).fold(0.0_f64, |most, value| most.max(value.abs()));
        // A power of two, so that no digit changes.
        let scale = (WIDE / range).log2().ceil().clamp(0.0, 1000.0).exp2();
        let scaled = |side: &Side| side.sorted.iter().map(|value| value * scale).collect::<Vec<_>>();
        let fine = interval::shift(&scaled(&self.canary), &scaled(&self.baseline), self.rules.confidence)?;
        let class = self.class(fine, judged.effect);
        (class != judged.classification).then_some(class)
    }

    /// What a test of ranks does not see.
    fn unseen(&self, ratio: Option<f64>) -> String {
        let direction = self.rules.direction;
        let Some(ratio) = ratio else { return String::new() };
        let much = (direction.minds_more() && ratio >= MUCH) || (direction.minds_less() && (0.0..=1.0 / MUCH).contains(&ratio));
        if much {
            format!("; its mean is {} times the baseline's, which ranks do not weigh: Kayenta passes it all the same", figure(ratio))
        } else {
            String::new()
        }
    }
}
