//! The seam of the method `gonogo`: until its statistics are here it finds no evidence, and the configuration refuses it.

use super::{CanaryVerdict, Judgement, Samples};
use crate::model::judging::{JudgeRules, MetricRules};

/// Judges nothing.
pub(super) fn judge(_rules: &JudgeRules, _pairs: &[(MetricRules, Samples)]) -> Judgement {
    Judgement {
        score: None,
        verdict: CanaryVerdict::Nodata,
        reason: "this gonogo has no method `gonogo` yet, so nothing was judged".to_owned(),
        metrics: Vec::new(),
    }
}
