//! Unit tests of the exported rules, for `promtool test rules`: an hour in which everything fails, between good ones.

use super::slo_rules::{EVENTS, RATIO, UNMEASURED, alert_name, firing, matchers, quoted, recorded};
use crate::adapters::signals::objective::{Expressions, expressions, selector_of};
use crate::adapters::signals::specimen::Specimen;
use crate::model::burn_rule::Severity;
use crate::model::name::Target;
use crate::model::objective::{Count, Indicator, Objective, Side};

/// Minutes of good traffic before everything fails.
const GOOD: u32 = 70;
/// Minutes in which everything fails.
const BAD: u32 = 60;
/// Minutes of good traffic after it.
const AFTER: u32 = 100;

/// A file of tests of the rules in `rules`.
pub fn file(rules: &str, objectives: &[(&Objective, Target)]) -> String {
    let mut out = format!("# Written by `gonogo slo rules --tests`.\nrule_files: [{}]\nevaluation_interval: 1m\ntests:\n", quoted(rules));
    for (objective, target) in objectives {
        out.push_str(&one(objective, target));
    }
    out
}

fn one(objective: &Objective, target: &Target) -> String {
    let each = (objective.min_events / 5.0).max(10.0).ceil();
    let series = fed(objective, target, each).unwrap_or_else(|| recorded_directly(objective, target, each));
    let lines: Vec<String> =
        series.iter().map(|(series, values)| format!("  - {{series: {}, values: {}}}\n", quoted(series), quoted(values))).collect();
    let mut checks = Vec::new();
    for severity in [Severity::Page, Severity::Ticket].into_iter().filter(|severity| firing(objective, *severity).next().is_some()) {
        let name = alert_name(severity);
        checks.push(at(objective, target, GOOD - 1, name, false));
        // Detection takes burn x long window x what may be bad.
        let after = firing(objective, severity)
            .map(|rule| (rule.long.max(rule.short).as_secs_f64() / 60.0 * rule.burn * objective.allowed()).ceil())
            .fold(f64::INFINITY, f64::min);
        if after + 6.0 < f64::from(BAD) {
            checks.push(at(objective, target, GOOD + BAD - 1, name, true));
            // The longest short window that a page has is over by then, and with it the page.
            if severity == Severity::Page && firing(objective, severity).all(|rule| rule.short.as_secs() < 60 * u64::from(AFTER - 10)) {
                checks.push(at(objective, target, GOOD + BAD + AFTER - 5, name, false));
            }
        }
    }
    let quiet = [Severity::Page, Severity::Ticket].map(|severity| at(objective, target, 60, alert_name(severity), false));
    format!(
        "- name: {}\n  interval: 1m\n  input_series:\n{}  promql_expr_test:\n{}- name: {}\n  interval: 1m\n  input_series: []\n  promql_expr_test:\n{}{}",
        quoted(&format!("{} of {target} burns while everything fails", objective.name)),
        lines.concat(),
        checks.concat(),
        quoted(&format!("{} of {target} is not measured", objective.name)),
        quiet.concat(),
        at(objective, target, 60, UNMEASURED, true)
    )
}

/// Whether an alert of the objective fires at a minute. Alerts of all objectives have the same names: the series that Prometheus writes
/// of them tells them apart.
fn at(objective: &Objective, target: &Target, minute: u32, name: &str, fires: bool) -> String {
    let by = matchers(objective, target);
    let of = by.trim_start_matches('{').trim_end_matches('}');
    let expr = format!("count(ALERTS{{alertname=\"{name}\",alertstate=\"firing\",{of}}})");
    let expected = if fires { "{labels: \"{}\", value: 1}" } else { "" };
    format!("  - {{eval_time: {minute}m, expr: {}, exp_samples: [{expected}]}}\n", quoted(&expr))
}

/// A counter that grows by `good` a minute, then by `bad`, then by `good` again.
fn counter(good: f64, bad: f64) -> String {
    let first = good * f64::from(GOOD);
    let second = first + bad * f64::from(BAD);
    format!("0+{good}x{GOOD} {}+{bad}x{} {}+{good}x{AFTER}", first + bad, BAD - 1, second + good)
}

/// Series of what the objective is measured by; none where its queries are not plain enough to know which.
fn fed(objective: &Objective, target: &Target, each: f64) -> Option<Vec<(String, String)>> {
    let values = objective.values(target);
    let specimen = |count: &Count| Specimen::of(&filled(&selector_of(count)?, &values));
    match &objective.indicator {
        Indicator::Bad { bad, total } => {
            let (bad, total) = (specimen(bad)?, specimen(total)?);
            // Where both are of one metric what is bad is counted in all by itself.
            let (own, all) =
                if bad.is_of_metric(&total) { (0.0, total.series_beside(&bad).or_else(|| total.series())) } else { (each, total.series()) };
            Some(vec![(bad.series()?, counter(0.0, each)), (all?, counter(each, own))])
        }
        Indicator::Good { good, total } => {
            let (good, total) = (specimen(good)?, specimen(total)?);
            if good.is_of_metric(&total) {
                return Some(vec![(good.series()?, counter(each, 0.0)), (total.series_beside(&good)?, counter(0.0, each))]);
            }
            Some(vec![(good.series()?, counter(each, 0.0)), (total.series()?, counter(each, each))])
        }
        Indicator::Histogram { .. } => {
            let Expressions::Events { part, total, .. } = expressions(&objective.indicator, &values, "5m").ok()? else { return None };
            let series = |expression: &str| Specimen::of(expression.strip_prefix("sum(increase(")?.strip_suffix("[5m]))")?)?.series();
            Some(vec![(series(&part)?, counter(each, 0.0)), (series(&total)?, counter(each, each))])
        }
        Indicator::Value { query, side, bound } => {
            let series = Specimen::of(&filled(query, &values))?.series()?;
            let past = match side {
                Side::Under => bound + bound.abs().max(1.0),
                Side::Over => bound - bound.abs().max(1.0),
            };
            Some(vec![(series, format!("{bound}x{GOOD} {past}x{} {bound}x{AFTER}", BAD - 1))])
        }
        Indicator::Share { .. } => None,
    }
}

fn filled(text: &str, values: &[(String, String)]) -> String {
    crate::config::placeholder::fill(text, |name| values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()))
}

/// Where the queries are not plain, what they would have recorded.
fn recorded_directly(objective: &Objective, target: &Target, each: f64) -> Vec<(String, String)> {
    let by = matchers(objective, target);
    let windows: std::collections::BTreeSet<_> = objective.rules.iter().flat_map(|rule| [rule.long, rule.short]).collect();
    windows
        .into_iter()
        .flat_map(|window| {
            let minutes = u32::try_from(window.as_secs() / 60).unwrap_or(u32::MAX).min(AFTER);
            let ratio = format!("0x{GOOD} 1x{} 1x{minutes} 0x{}", BAD - 1, AFTER - minutes);
            [
                (format!("{}{by}", recorded(RATIO, window)), ratio),
                (format!("{}{by}", recorded(EVENTS, window)), format!("{}x400", each * 100.0)),
            ]
        })
        .collect()
}
