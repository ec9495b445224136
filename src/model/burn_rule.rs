//! Rules of alarms on burning budgets: multi-window, multi-burn-rate, and the usual ones for a period.

use std::time::Duration;

use serde::{Deserialize, Serialize};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A span as alarms write it, in its largest whole unit: `5m`, `1h`, `3d`.
pub fn span_word(span: Duration) -> String {
    let seconds = span.as_secs();
    let whole = |unit: u64| seconds >= unit && seconds.is_multiple_of(unit);
    if whole(DAY) {
        format!("{}d", seconds / DAY)
    } else if whole(HOUR) {
        format!("{}h", seconds / HOUR)
    } else if whole(60) {
        format!("{}m", seconds / 60)
    } else {
        format!("{seconds}s")
    }
}

/// Whom an alarm calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A person, now.
    Page,
    /// A person, within working hours.
    Ticket,
}

impl Severity {
    /// The word on screens, in rules and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
        }
    }
}

/// One rule: the budget burns faster than `burn` over the long window, and over the short one still.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BurnRule {
    /// Whom it calls.
    pub severity: Severity,
    /// The window that shows how much was burnt.
    pub long: Duration,
    /// The window that shows that it still burns.
    pub short: Duration,
    /// The burn rate over which it fires: 1 spends the budget in exactly the period.
    pub burn: f64,
}

impl BurnRule {
    /// Its name: `page 14.4x over 1h and 5m`.
    pub fn words(&self) -> String {
        format!("{} {}x over {} and {}", self.severity.word(), factor(self.burn), span_word(self.long), span_word(self.short))
    }
}

/// A burn rate with as many digits as say something.
pub fn factor(burn: f64) -> String {
    let text = format!("{burn:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

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
pub fn usual(period: Duration) -> Vec<BurnRule> {
    let table = if period >= Duration::from_secs(28 * DAY) { &LONG_PERIOD } else { &SHORT_PERIOD };
    table
        .iter()
        .map(|(severity, long, short, budget)| {
            let (long, short) = (Duration::from_secs(*long), Duration::from_secs(*short));
            BurnRule { severity: *severity, long, short, burn: burn_of_budget(budget / 100.0, long, period) }
        })
        .filter(|rule| rule.long.saturating_mul(2) < period)
        .collect()
}

/// Whether a rule can ever fire: a burn cannot be higher than one over the share that may be bad.
pub fn can_fire(rule: &BurnRule, goal: f64) -> bool {
    rule.burn * (1.0 - goal) < 1.0 - 1e-9
}

/// The burn over a window that spends this share of a period's budget in it: what the workbook names 2 %, 5 % and 10 %.
pub fn burn_of_budget(share: f64, long: Duration, period: Duration) -> f64 {
    share * period.as_secs_f64() / long.as_secs_f64()
}
