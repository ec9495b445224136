//! Multi-window, multi-burn-rate rules: whether one fires.

use super::history::History;
use super::rate::Burn;
use crate::model::burn_rule::BurnRule;
use crate::model::objective::Objective;

/// The share of a window that must be known before its silence is called quiet.
const QUIET: f64 = 0.9;
/// Ends of stretches that are looked back at for the beginning of an alarm.
const LOOKED_BACK: usize = 5_000;

/// What a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It fires, since that time in seconds since 1970.
    Fires {
        /// Since when, or earlier.
        since_s: i64,
    },
    /// Both windows are over it, but the long one saw too few events to believe it.
    TooFew,
    /// It does not fire, and enough is known to say so.
    Quiet,
    /// Nobody knows: too little was measured.
    Unknown,
}

impl Verdict {
    /// The word on screens and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fires { .. } => "fires",
            Self::TooFew => "too few",
            Self::Quiet => "quiet",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it fires.
    pub fn fires(self) -> bool {
        matches!(self, Self::Fires { .. })
    }
}

/// A rule with what its two windows measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleState {
    /// The rule.
    pub rule: BurnRule,
    /// The long window.
    pub long: Burn,
    /// The short window.
    pub short: Burn,
    /// What it says.
    pub verdict: Verdict,
}

impl RuleState {
    /// The rule at a time, in seconds since 1970. Of what happened after it nothing is read.
    pub fn at(objective: &Objective, rule: &BurnRule, history: &History, at_s: i64) -> Self {
        let seen = look(objective, rule, history, at_s);
        if !seen.verdict.fires() {
            return seen;
        }
        let since_s = history
            .ends_before(at_s)
            .take(LOOKED_BACK)
            .take_while(|end| look(objective, rule, history, *end).verdict.fires())
            .last()
            .unwrap_or(at_s);
        Self { verdict: Verdict::Fires { since_s }, ..seen }
    }
}

/// The rule at a time, without the search for since when.
pub(super) fn look(objective: &Objective, rule: &BurnRule, history: &History, at_s: i64) -> RuleState {
    let over = |window| Burn::over(objective, history, window, at_s);
    let (long, short) = (over(rule.long), over(rule.short));
    let both = |holds: &dyn Fn(&Burn) -> bool| holds(&long) && holds(&short);
    let is_over = |rate: Option<f64>| rate.is_some_and(|rate| rate > rule.burn);
    // One window that is known not to be over is enough: both must be.
    let is_quiet = |burn: &Burn| burn.coverage() >= QUIET && !is_over(burn.rate);
    let verdict = if both(&|burn| burn.coverage() >= objective.min_coverage && is_over(burn.at_least())) {
        if objective.wants_more(long.sum.bad, long.sum.total) { Verdict::TooFew } else { Verdict::Fires { since_s: at_s } }
    } else if is_quiet(&long) || is_quiet(&short) {
        Verdict::Quiet
    } else {
        Verdict::Unknown
    };
    RuleState { rule: *rule, long, short, verdict }
}
