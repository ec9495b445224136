//! Objectives as Prometheus rules: recorded error ratios, and one alert a severity over several windows and burn rates.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::adapters::signals::objective::{Expressions, expressions};
use crate::model::burn_rule::{BurnRule, Severity, can_fire, span_word};
use crate::model::name::Target;
use crate::model::objective::{LONE, Objective};

/// The recorded share of bad events over a window.
pub const RATIO: &str = "slo:error_ratio";
/// The recorded number of events over a window.
pub const EVENTS: &str = "slo:events";
const BAD_5M: &str = "slo:bad:increase5m";
const EVENTS_5M: &str = "slo:events:increase5m";
/// The name of the alert that says that nothing is measured.
pub const UNMEASURED: &str = "SloUnmeasured";
/// Longer windows are put together from recorded five minutes: read raw, a window of days would be read again at each evaluation.
const DIRECT: Duration = Duration::from_hours(6);
const FIVE: Duration = Duration::from_mins(5);

/// The name of the alert of a severity.
pub fn alert_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "SloBudgetBurnPage",
        Severity::Ticket => "SloBudgetBurnTicket",
    }
}

/// Names of recorded series bear their window in their unit.
pub fn recorded(metric: &str, window: Duration) -> String {
    format!("{metric}:{}", span_word(window))
}

/// The labels of everything recorded for an objective, as matchers.
pub fn matchers(objective: &Objective, target: &Target) -> String {
    let quoted = |text: &str| Value::String(text.to_owned()).to_string();
    format!(
        "{{service={},environment={},slo={}}}",
        quoted(target.service.as_str()),
        quoted(target.environment.as_str()),
        quoted(objective.name.as_str())
    )
}

/// A text between double quotes, as YAML and JSON both read it.
pub fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// The name of the group of an objective.
pub fn group(objective: &Objective, target: &Target) -> String {
    format!("gonogo-slo-{target}-{}", objective.name)
}

/// What an alert says.
fn annotations(objective: &Objective, target: &Target, severity: Severity) -> [(&'static str, String); 2] {
    let rules: Vec<String> = firing(objective, severity).map(BurnRule::words).collect();
    let summary = format!("{target} burns the error budget of {}", objective.name);
    let goal = trimmed(objective.goal * 100.0);
    let description = format!("objective {goal} % over {}; fires on {}. {}", objective.period, rules.join(", or "), objective.description);
    [("summary", summary), ("description", description.trim_end().to_owned())]
}

/// The rules of a severity that can fire at all.
pub fn firing(objective: &Objective, severity: Severity) -> impl Iterator<Item = &BurnRule> {
    let goal = objective.goal;
    objective.rules.iter().filter(move |rule| rule.severity == severity && can_fire(rule, goal))
}

/// A number without a tail of zeros, to six decimals.
pub fn trimmed(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A file of rules.
///
/// # Errors
/// The objective whose queries cannot be asked, and why.
pub fn file(objectives: &[(&Objective, Target)]) -> Result<String, String> {
    let mut out = String::from("# Written by `gonogo slo rules`; change the configuration of gonogo instead.\ngroups:\n");
    for (objective, target) in objectives {
        out.push_str(&one(objective, target).map_err(|why| format!("{} of {target}: {why}", objective.name))?);
    }
    Ok(out)
}

fn one(objective: &Objective, target: &Target) -> Result<String, String> {
    let mut out = format!("- name: {}\n  rules:\n", quoted(&group(objective, target)));
    let labels = format!(
        "    labels: {{service: {}, environment: {}, slo: {}}}\n",
        quoted(target.service.as_str()),
        quoted(target.environment.as_str()),
        quoted(objective.name.as_str())
    );
    let windows: BTreeSet<Duration> = objective.rules.iter().flat_map(|rule| [rule.long, rule.short]).chain([FIVE]).collect();
    let mut record = |name: &str, expr: &str| out.push_str(&format!("  - record: {name}\n    expr: {}\n{labels}", quoted(expr)));
    let counts = |window: Duration| expressions(&objective.indicator, &objective.values(target), &span_word(window));
    let by = matchers(objective, target);
    if let Expressions::Events { bad, part, total, .. } = counts(FIVE)? {
        record(BAD_5M, &if bad { bad_or_none(&part, &total) } else { format!("{total} - {part}") });
        record(EVENTS_5M, &total);
    }
    for window in windows {
        let name = recorded(RATIO, window);
        let long = format!("[{}:5m]", span_word(window));
        match counts(window)? {
            Expressions::Events { .. } if window > DIRECT => {
                let over = |metric: &str| format!("sum_over_time({metric}{by}{long})");
                record(&name, &format!("{} / {}", over(BAD_5M), over(EVENTS_5M)));
                record(&recorded(EVENTS, window), &over(EVENTS_5M));
            }
            Expressions::Events { bad, part, total, .. } => {
                let ratio = if bad { format!("({}) / ({total})", bad_or_none(&part, &total)) } else { format!("1 - ({part}) / ({total})") };
                record(&name, &ratio);
                record(&recorded(EVENTS, window), &total);
            }
            Expressions::Share(_) if window > DIRECT => {
                record(&name, &format!("avg_over_time({}{by}{long})", recorded(RATIO, FIVE)));
            }
            Expressions::Share(share) => record(&name, &share),
        }
    }
    for severity in [Severity::Page, Severity::Ticket] {
        let parts: Vec<String> = firing(objective, severity).map(|rule| condition(objective, rule, &by)).collect();
        if !parts.is_empty() {
            out.push_str(&alert(objective, target, (alert_name(severity), severity.word()), &parts.join(" or ")));
        }
    }
    // Silence is no health: the rules above say nothing when nothing is measured.
    let absent = format!("absent_over_time({}{by}[30m])", recorded(RATIO, FIVE));
    out.push_str(&alert(objective, target, (UNMEASURED, "ticket"), &absent));
    Ok(out)
}

/// Bad events; none where there are events and no series of bad ones yet.
fn bad_or_none(bad: &str, total: &str) -> String {
    format!("{bad} or ({total}) * 0")
}

fn condition(objective: &Objective, rule: &BurnRule, by: &str) -> String {
    let over = |window: Duration| {
        let bound = format!("({} * (1 - {}))", trimmed(rule.burn), trimmed(objective.goal));
        format!("max by (service, environment, slo) ({}{by}) > {bound}", recorded(RATIO, window))
    };
    let mut parts = vec![over(rule.long), over(rule.short)];
    if objective.indicator.counts_events() && objective.min_events > 0.0 {
        let events = recorded(EVENTS, rule.long);
        let most = |metric: &str| format!("max by (service, environment, slo) ({metric}{by})");
        parts.push(format!("{} >= {}", most(&events), trimmed(objective.min_events)));
        parts.push(format!("{} * {} >= {LONE}", most(&recorded(RATIO, rule.long)), most(&events)));
    }
    format!("({})", parts.join(" and "))
}

fn alert(objective: &Objective, target: &Target, (name, severity): (&str, &str), expr: &str) -> String {
    let texts = match [Severity::Page, Severity::Ticket].into_iter().find(|one| alert_name(*one) == name) {
        Some(severity) => annotations(objective, target, severity),
        None => unmeasured(objective, target),
    };
    let texts: Vec<String> = texts.iter().map(|(key, text)| format!("      {key}: {}\n", quoted(&escaped(text)))).collect();
    format!(
        "  - alert: {name}\n    expr: {}\n    labels: {{severity: {severity}, service: {}, environment: {}, slo: {}}}\n    annotations:\n{}",
        quoted(expr),
        quoted(target.service.as_str()),
        quoted(target.environment.as_str()),
        quoted(objective.name.as_str()),
        texts.concat()
    )
}

/// What the alert says when nothing is measured.
fn unmeasured(objective: &Objective, target: &Target) -> [(&'static str, String); 2] {
    [
        ("summary", format!("nothing is measured of {} of {target}", objective.name)),
        ("description", "no burn rule can fire: the queries of the objective found nothing for 30 minutes".to_owned()),
    ]
}

/// What Prometheus would take for a template is written out as text.
fn escaped(text: &str) -> String {
    text.replace("{{", "{{ \"{{\" }}")
}
