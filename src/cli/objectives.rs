//! Objectives in words and as JSON.

use serde_json::{Value, json};

use crate::analysis::burn::budget::Outlook;
use crate::analysis::burn::rate::Burn;
use crate::analysis::burn::rules::{RuleState, Verdict};
use crate::config::duration;
use crate::control::objectives::time;
use crate::control::world::{Measured, ObjectiveView};
use crate::model::burn_rule::span_word;
use crate::model::time::{Moment, rfc3339};

/// A share in per cent with two decimals.
fn per_cent(share: f64) -> f64 {
    (share * 10_000.0).round() / 100.0
}

/// A figure with three decimals.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

/// A time in seconds since 1970, as JSON writes it.
pub(super) fn at(seconds: i64) -> String {
    rfc3339(&time(seconds))
}

/// One objective of one target.
pub(super) fn object(view: &ObjectiveView, now: &Moment) -> Value {
    let objective = &view.objective;
    let measured = view.measured.as_ref();
    let firing = view.firing(now).map(|(state, since_s)| {
        json!({ "severity": state.rule.severity, "rule": state.rule.words(), "since": at(since_s), "burn": state.long.rate.map(rounded) })
    });
    json!({
        "service": view.key.target.service,
        "environment": view.key.target.environment,
        "name": view.key.name,
        "description": objective.description,
        "objective": per_cent(objective.goal),
        "window": objective.period.to_string(),
        "kind": objective.indicator.word(),
        "counts": if objective.indicator.counts_events() { "events" } else { "seconds" },
        "backend": objective.backend,
        "state": view.state(now).word(),
        "firing": firing,
        "budget": measured.map(budget),
        "burns": measured.map(|measured| measured.burns.iter().map(burn).collect::<Vec<_>>()).unwrap_or_default(),
        "rules": measured.map(|measured| measured.rules.iter().map(rule).collect::<Vec<_>>()).unwrap_or_default(),
        "measured_until": measured.map(|measured| at(measured.until_s)),
        "age_s": view.age(now).map(|age| age.as_secs()),
        "stale": view.fresh(now).is_none(),
        "error": view.trouble.as_ref().map(ToString::to_string),
        "doubt": measured.and_then(|measured| measured.doubt.clone()),
        "query": measured.map(|measured| measured.sent.clone()),
    })
}

fn budget(measured: &Measured) -> Value {
    let budget = &measured.budget;
    let (outlook, gone_in_s) = match measured.outlook {
        Outlook::Gone => ("gone", None),
        Outlook::In(span) => ("ends", Some(span.as_secs())),
        Outlook::Lasts => ("lasts", None),
        Outlook::Unknown => ("unknown", None),
    };
    json!({
        "from": at(budget.from_s),
        "to": at(budget.to_s),
        "left": budget.left().map(per_cent),
        "spent": budget.spent.map(per_cent),
        "spent_today": measured.today.map(per_cent),
        "spent_if_alike": budget.spent_if_alike.map(per_cent),
        "coverage": per_cent(budget.coverage),
        "bad": rounded(budget.bad),
        "total": rounded(budget.total),
        "outlook": outlook,
        "gone_in_s": gone_in_s,
        "burn_down": budget.burn_down.iter().map(|left| left.map(per_cent)).collect::<Vec<_>>(),
    })
}

fn burn(burn: &Burn) -> Value {
    json!({
        "window": span_word(burn.window),
        "burn": burn.rate.map(rounded),
        "at_least": burn.at_least().map(rounded),
        "coverage": per_cent(burn.coverage()),
        "bad": rounded(burn.sum.bad),
        "total": rounded(burn.sum.total),
    })
}

fn rule(state: &RuleState) -> Value {
    let since = match state.verdict {
        Verdict::Fires { since_s } => Some(at(since_s)),
        Verdict::TooFew | Verdict::Quiet | Verdict::Unknown => None,
    };
    json!({
        "severity": state.rule.severity,
        "long": span_word(state.rule.long),
        "short": span_word(state.rule.short),
        "factor": rounded(state.rule.burn),
        "verdict": state.verdict.word(),
        "since": since,
        "burn_long": state.long.rate.map(rounded),
        "burn_short": state.short.rate.map(rounded),
        "coverage_long": per_cent(state.long.coverage()),
        "coverage_short": per_cent(state.short.coverage()),
    })
}

/// One objective in a few lines.
pub(super) fn words(view: &ObjectiveView, now: &Moment) -> String {
    let objective = &view.objective;
    let mut out = format!(
        "{} {}  {} % over {}  {}\n",
        view.key.target,
        view.key.name,
        per_cent(objective.goal),
        objective.period,
        view.state(now).word().to_uppercase()
    );
    if let Some(trouble) = &view.trouble {
        out.push_str(&format!("  not read: {trouble}\n"));
    }
    let Some(measured) = &view.measured else {
        out.push_str("  nothing was measured yet\n");
        return out;
    };
    let budget = &measured.budget;
    let events = if objective.indicator.counts_events() { "events" } else { "s" };
    let left = match (budget.left(), budget.spent_if_alike) {
        (Some(left), _) if left <= 0.0 => format!("{} % spent", per_cent(1.0 - left)),
        (Some(left), Some(alike)) if budget.coverage < 0.99 => {
            format!("at most {} % left; {} % if the rest was like it", per_cent(left), per_cent((1.0 - alike).max(0.0)))
        }
        (Some(left), _) => format!("{} % left", per_cent(left)),
        (None, _) => "not known".to_owned(),
    };
    let today = measured.today.map(|today| format!("; {} % spent today", per_cent(today))).unwrap_or_default();
    out.push_str(&format!(
        "  budget  {left}{today}; {:.0} bad of {:.0} {events}, {} % of the window measured; {}\n",
        budget.bad,
        budget.total,
        per_cent(budget.coverage),
        outlook(measured.outlook)
    ));
    let burns: Vec<String> = measured
        .burns
        .iter()
        .map(|burn| {
            let rate = burn.rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.2}x"));
            let gap = if burn.coverage() < 0.99 { format!(" ({} % measured)", per_cent(burn.coverage())) } else { String::new() };
            format!("{} {rate}{gap}", span_word(burn.window))
        })
        .collect();
    out.push_str(&format!("  burn    {}\n", burns.join("  ")));
    for state in &measured.rules {
        let since = match state.verdict {
            Verdict::Fires { since_s } => format!(" since {}", time(since_s).format("%Y-%m-%d %H:%MZ")),
            Verdict::TooFew => format!(": {:.0} of {:.0} events that it wants", state.long.sum.total, objective.min_events),
            Verdict::Unknown => ": too little was measured".to_owned(),
            Verdict::Quiet => String::new(),
        };
        out.push_str(&format!("  rule    {}  {}{since}\n", state.rule.words(), state.verdict.word()));
    }
    if let Some(doubt) = &measured.doubt {
        out.push_str(&format!("  doubt   {doubt}\n"));
    }
    if view.fresh(now).is_none() {
        let age = view.age(now).unwrap_or_default();
        out.push_str(&format!("  STALE: measured {} ago\n", duration::write(std::time::Duration::from_secs(age.as_secs()))));
    }
    out
}

/// When the budget is gone, in words.
pub(super) fn outlook(outlook: Outlook) -> String {
    match outlook {
        Outlook::Gone => "it is gone".to_owned(),
        Outlook::In(span) => {
            let minutes = std::time::Duration::from_secs(span.as_secs() / 60 * 60);
            format!("gone in {} at the rate of the last hour", duration::write(minutes))
        }
        Outlook::Lasts => "it lasts at the rate of the last hour".to_owned(),
        Outlook::Unknown => "how long it lasts is not known".to_owned(),
    }
}
