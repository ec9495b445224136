//! Multi-window, multi-burn-rate rules: the usual ones for a period, and whether one fires.

use std::time::Duration;

use super::history::History;
use super::rate::{Burn, burn_of_budget};
use crate::model::objective::{BurnRule, Objective, Period, Severity};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The share of a window that must be known before its silence is called quiet.
const QUIET: f64 = 0.9;
/// Ends of stretches that are looked back at for the beginning of an alarm.
const LOOKED_BACK: usize = 5_000;

/// Severity, long and short window, and the budget in per cent that the long window has spent when it fires: the workbook's table 5-8
/// and its example rules, for periods of four weeks and longer.
const LONG_PERIOD: [(Severity, u64, u64, f64); 4] = [
    (Severity::Page, HOUR, 5 * MINUTE, 2.0),
    (Severity::Page, 6 * HOUR, 30 * MINUTE, 5.0),
    (Severity::Ticket, DAY, 2 * HOUR, 10.0),
    (Severity::Ticket, 3 * DAY, 6 * HOUR, 10.0),
];

/// The same for shorter periods, of which the same windows are a larger part: with the budgets above a rule would fire on a burn that
/// keeps the objective. The figures are those that Sloth ships for a week.
const SHORT_PERIOD: [(Severity, u64, u64, f64); 4] = [
    (Severity::Page, HOUR, 5 * MINUTE, 8.0),
    (Severity::Page, 6 * HOUR, 30 * MINUTE, 12.5),
    (Severity::Ticket, DAY, 2 * HOUR, 20.0),
    (Severity::Ticket, 3 * DAY, 6 * HOUR, 42.0),
];

/// The usual rules for a period: the windows stay, the burn rates are those that spend the same budget. A window that is no smaller than
/// half of the period has no rule.
pub fn usual(period: Period) -> Vec<BurnRule> {
    let nominal = period.nominal();
    let table = if nominal >= Duration::from_secs(28 * DAY) { &LONG_PERIOD } else { &SHORT_PERIOD };
    table
        .iter()
        .map(|(severity, long, short, budget)| {
            let (long, short) = (Duration::from_secs(*long), Duration::from_secs(*short));
            BurnRule { severity: *severity, long, short, burn: burn_of_budget(budget / 100.0, long, nominal) }
        })
        .filter(|rule| rule.long.saturating_mul(2) < nominal)
        .collect()
}

/// Whether a rule can ever fire: a burn cannot be higher than one over the share that may be bad.
pub fn can_fire(rule: &BurnRule, goal: f64) -> bool {
    rule.burn * (1.0 - goal) < 1.0 - 1e-9
}

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
        if objective.indicator.counts_events() && long.sum.total < objective.min_events {
            Verdict::TooFew
        } else {
            Verdict::Fires { since_s: at_s }
        }
    } else if is_quiet(&long) || is_quiet(&short) {
        Verdict::Quiet
    } else {
        Verdict::Unknown
    };
    RuleState { rule: *rule, long, short, verdict }
}
