//! `[[slo]]`: what share of a service's events, or of its time, must be good over a period, and what raises an alarm.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::file::Fields;
use super::super::nearest::instead;
use super::super::node::{Node, Value};
use super::super::placeholder;
use super::super::problem::{At, Findings};
use super::known::Known;
use crate::model::burn_rule::{BurnRule, Severity, burn_of_budget, can_fire, usual};
use crate::model::catalog::{BackendKind, Environment, Service};
use crate::model::name::{BackendName, EnvironmentName, ObjectiveName, ServiceName};
use crate::model::objective::{Count, Counting, Indicator, Objective, Period, Side};

pub(super) const SLO: &[&str] = &[
    "name",
    "service",
    "environment",
    "objective",
    "window",
    "kind",
    "backend",
    "bad",
    "good",
    "total",
    "buckets",
    "query",
    "under",
    "over",
    "min_events",
    "min_coverage",
    "alerts",
    "description",
];
pub(super) const ALERT: &[&str] = &["severity", "long", "short", "burn", "budget"];
const KINDS: [&str; 3] = ["ratio", "histogram", "value"];
const OWN: [&[&str]; 3] = [&["bad", "good", "total"], &["buckets"], &["query", "over"]];
/// A query of an objective is about a service in an environment, never about a slot.
pub(in super::super) const IN_QUERY: &[&str] = &["service", "environment", "window"];
/// Events that the long window must have seen unless it is configured.
pub(in super::super) const MIN_EVENTS: f64 = 100.0;
/// The share of each window that must have been measured unless it is configured.
pub(in super::super) const MIN_COVERAGE: f64 = 0.5;
const DAY: Duration = Duration::from_hours(24);
/// The period of an objective unless it is configured.
pub(in super::super) const PERIOD: Period = Period::Rolling(Duration::from_hours(30 * 24));

/// What objectives refer to.
pub(in super::super) struct Around<'a> {
    pub(in super::super) known: &'a Known<'a>,
    pub(in super::super) services: &'a [Service],
    pub(in super::super) environments: &'a [Environment],
}

impl Around<'_> {
    /// The environments of an objective that names none: those in which the service is deployed.
    pub(in super::super) fn deployed(&self, at: At, service: &ServiceName, found: &mut Findings) -> Vec<EnvironmentName> {
        let deploys = self.services.iter().find(|one| &one.name == service).map(|service| &service.deploy);
        let names: Vec<EnvironmentName> = self
            .environments
            .iter()
            .map(|environment| &environment.name)
            .filter(|name| deploys.is_some_and(|deploys| deploys.contains_key(*name)))
            .cloned()
            .collect();
        if names.is_empty() {
            found.problem(
                at,
                &format!("`{service}` is deployed nowhere, so it is not known where this objective is to be met"),
                "`environment = \"..\"`",
            );
        }
        names
    }
}

/// All objectives of the file, in its order; two of one name for one service are refused.
pub(super) fn slos(nodes: &[Node], around: &Around<'_>, found: &mut Findings) -> Vec<(At, Objective)> {
    nodes.iter().filter_map(|node| Some((node.at, slo(node, around, found)?))).collect()
}

/// Refuses two objectives of one name for one service and environment, and puts all in order.
pub(super) fn in_order(mut all: Vec<(At, Objective)>, found: &mut Findings) -> Vec<Objective> {
    let mut seen: BTreeMap<(ServiceName, EnvironmentName, ObjectiveName), At> = BTreeMap::new();
    for (at, objective) in &all {
        for environment in &objective.environments {
            let key = (objective.service.clone(), environment.clone(), objective.name.clone());
            if let Some(first) = seen.get(&key) {
                let place = found.place(*first);
                let what = format!(
                    "two objectives of {}@{environment} are named `{}`, the first in {} on line {}",
                    objective.service, objective.name, place.file, place.line
                );
                found.problem(*at, &what, "a name of its own");
                break;
            }
            seen.insert(key, *at);
        }
    }
    all.sort_by(|(_, a), (_, b)| (&a.service, &a.name, &a.environments).cmp(&(&b.service, &b.name, &b.environments)));
    all.into_iter().map(|(_, objective)| objective).collect()
}

fn slo(node: &Node, around: &Around<'_>, found: &mut Findings) -> Option<Objective> {
    let what = super::label("slo", node);
    let fields = Fields::open(node, &what, SLO, found)?;
    let name = fields.name(ObjectiveName::new, found);
    let service = fields.required("service", "the name of a service", found).and_then(|node| {
        let text = node.text("service", found)?;
        around.known.service(node.at, text, found)
    });
    let environments = match fields.get("environment") {
        Some(node) => {
            let text = node.text("environment", found);
            text.and_then(|text| around.known.environment(node.at, text, found)).into_iter().collect()
        }
        None => service.as_ref().map(|service| around.deployed(node.at, service, found)).unwrap_or_default(),
    };
    let backend = backend(&fields, around.known, found);
    let goal = fields.required("objective", "a share in per cent, such as 99.9", found).and_then(|node| goal(node, "objective", found));
    let indicator = indicator(&fields, found);
    let period = fields.get("window").map_or(Some(PERIOD), |node| period(node, found));
    let min_events = number(&fields, "min_events", (0.0, 1e12), MIN_EVENTS, found);
    let min_coverage = number(&fields, "min_coverage", (0.01, 1.0), MIN_COVERAGE, found);
    let rules = period.map(|period| rules(&fields, period, found)).unwrap_or_default();
    let description = fields.text("description", found).unwrap_or_default().to_owned();
    if let Some(goal) = goal {
        let at = fields.get("alerts").or(fields.get("objective")).map_or(node.at, |node| node.at);
        warn_of_silence(at, &rules, goal, found);
    }
    Some(Objective {
        name: name?,
        service: service?,
        environments,
        backend: backend?,
        indicator: indicator?,
        goal: goal?,
        period: period?,
        rules,
        min_events,
        min_coverage,
        description,
    })
}

/// Warns of rules that no error rate can reach.
pub(in super::super) fn warn_of_silence(at: At, rules: &[BurnRule], goal: f64, found: &mut Findings) {
    for rule in rules.iter().filter(|rule| !can_fire(rule, goal)) {
        let what = format!(
            "the rule `{}` can never fire: when everything fails the budget burns {} times",
            rule.words(),
            crate::model::burn_rule::factor(1.0 / (1.0 - goal))
        );
        found.warning(at, &what, "`alerts` with a smaller `burn` or a shorter `long`");
    }
}

/// The backend; the only Prometheus where none is named.
fn backend(fields: &Fields<'_>, known: &Known<'_>, found: &mut Findings) -> Option<BackendName> {
    match known.only(BackendKind::Prometheus).filter(|_| fields.get("backend").is_none()) {
        Some(name) => BackendName::new(name).ok(),
        None => known.backend(fields, &[BackendKind::Prometheus], found).map(|(name, _)| name),
    }
}

/// A share in per cent as a fraction. One that was written as a fraction is refused: 0.999 % is nobody's objective.
pub(in super::super) fn goal(node: &Node, key: &str, found: &mut Findings) -> Option<f64> {
    let number = node.number(key, found)?;
    if number > 1.0 && number < 100.0 {
        // 99.9 / 100 is not 0.999 in binary.
        return Some((number * 1e7).round() / 1e9);
    }
    let right = if number > 0.0 && number < 1.0 {
        format!("per cent, such as {}", crate::model::burn_rule::factor(number * 100.0))
    } else {
        "a share in per cent over 1 and under 100, such as 99.9; 100 leaves nothing to spend".to_owned()
    };
    found.problem(node.at, &format!("`{key}` is {number}"), &right);
    None
}

fn number(fields: &Fields<'_>, key: &str, (low, high): (f64, f64), usual: f64, found: &mut Findings) -> f64 {
    let Some(node) = fields.get(key) else { return usual };
    let Some(number) = node.number(key, found) else { return usual };
    if !(low..=high).contains(&number) {
        found.problem(node.at, &format!("`{key}` is {number}"), &format!("a number from {low} to {high}"));
    }
    number
}

/// A rolling period in days, or one of the calendar.
pub(in super::super) fn period(node: &Node, found: &mut Findings) -> Option<Period> {
    const RIGHT: &str = "a rolling one from \"1d\" to \"92d\" such as \"30d\", or \"month\", \"quarter\"";
    let text = node.text("window", found)?;
    match text {
        "month" => return Some(Period::Month),
        "quarter" => return Some(Period::Quarter),
        _ => {}
    }
    match super::super::duration::parse(text) {
        Some(span) if span >= DAY && span <= DAY * 92 => Some(Period::Rolling(span)),
        Some(_) | None => {
            found.problem(node.at, &format!("`window` cannot be `{text}`"), RIGHT);
            None
        }
    }
}

fn indicator(fields: &Fields<'_>, found: &mut Findings) -> Option<Indicator> {
    let node = fields.required("kind", "one of ratio, histogram, value", found)?;
    let word = node.text("kind", found)?;
    if !KINDS.contains(&word) {
        found.problem(node.at, &format!("no kind of objective is called `{word}`"), &instead(word, KINDS));
        return None;
    }
    for (kind, keys) in KINDS.into_iter().zip(OWN).filter(|(kind, _)| *kind != word) {
        for node in keys.iter().filter_map(|key| Some((key, fields.get(key)?))) {
            let own = KINDS.into_iter().zip(OWN).find(|(kind, _)| *kind == word).map_or(String::new(), |(_, keys)| keys.join(", "));
            found.problem(node.1.at, &format!("`{}` belongs to an objective of the kind {kind}", node.0), &own);
        }
    }
    if word == "ratio"
        && let Some(node) = fields.get("under")
    {
        found.problem(node.at, "`under` belongs to an objective of the kind histogram or value", "bad, good, total");
    }
    match word {
        "ratio" => ratio(fields, found),
        "histogram" => {
            let buckets = selector(fields, "buckets", found);
            let under = fields.required("under", "the bound of a bucket, such as 0.3", found).and_then(|node| node.number("under", found));
            Some(Indicator::Histogram { buckets: buckets?, under: under? })
        }
        _ => {
            let query = expression(fields, "query", found);
            let bound = match (fields.get("under"), fields.get("over")) {
                (Some(under), None) => under.number("under", found).map(|bound| (Side::Under, bound)),
                (None, Some(over)) => over.number("over", found).map(|bound| (Side::Over, bound)),
                (Some(_), Some(over)) => {
                    found.problem(over.at, "`over` stands beside `under`", "one of them: the side on which the value is good");
                    None
                }
                (None, None) => {
                    found.problem(
                        fields.at,
                        &format!("{} has no bound", fields.what),
                        "`under = ..` or `over = ..`: where the value is good",
                    );
                    None
                }
            };
            let (side, bound) = bound?;
            Some(Indicator::Value { query: query?, side, bound })
        }
    }
}

fn ratio(fields: &Fields<'_>, found: &mut Findings) -> Option<Indicator> {
    let total = counts(fields, "total", found);
    match (fields.get("bad"), fields.get("good")) {
        (Some(_), Some(good)) => {
            found.problem(good.at, "`good` stands beside `bad`", "one of them: what is bad, or what is good, of `total`");
            None
        }
        (None, Some(_)) => counts(fields, "good", found).zip(total).map(|(good, total)| Indicator::Good { good, total }),
        (Some(_) | None, None) => counts(fields, "bad", found).zip(total).map(|(bad, total)| Indicator::Bad { bad, total }),
    }
}

/// A query that counts events.
fn counts(fields: &Fields<'_>, key: &str, found: &mut Findings) -> Option<Count> {
    let text = expression(fields, key, found)?;
    let at = fields.get(key)?.at;
    count(at, key, text, found)
}

/// How a query counts: a plain selector of counters, or an expression over `$window`.
pub(in super::super) fn count(at: At, key: &str, text: String, found: &mut Findings) -> Option<Count> {
    let counting = if text.contains("$window") {
        if text.contains("rate(") { Counting::Rate } else { Counting::Increase }
    } else if is_plain(&text) {
        Counting::Counter
    } else {
        let what = format!("`{key}` is neither a plain selector of counters nor an expression over `$window`");
        found.problem(at, &what, "such as http_requests_total{service=\"$service\"} or sum(rate(http_requests_total[$window]))");
        return None;
    };
    Some(Count { text, counting })
}

/// Whether a query is a plain selector, as far as one can see without the language: no parenthesis, bracket or operator outside quotes.
fn is_plain(text: &str) -> bool {
    let mut quote = None;
    let mut braces = 0_i32;
    let mut before = ' ';
    for c in text.chars() {
        match quote {
            Some(end) if c == end && before != '\\' => quote = None,
            Some(_) => {}
            None => match c {
                '"' | '\'' | '`' => quote = Some(c),
                '{' => braces += 1,
                '}' => braces -= 1,
                '(' | ')' | '[' | ']' => return false,
                '+' | '-' | '*' | '/' | '%' | '^' | '@' if braces == 0 => return false,
                _ => {}
            },
        }
        before = c;
    }
    true
}

/// A query with known placeholders.
fn expression(fields: &Fields<'_>, key: &str, found: &mut Findings) -> Option<String> {
    let node = fields.required(key, format_args!("`{key} = '..'`, a query"), found)?;
    let text = node.text(key, found)?;
    if let Some((wrong, right)) = placeholder::unknown(text, IN_QUERY) {
        found.problem(node.at, &format!("unknown placeholder `{wrong}`"), &right);
    }
    Some(text.to_owned())
}

fn selector(fields: &Fields<'_>, key: &str, found: &mut Findings) -> Option<String> {
    let text = expression(fields, key, found)?;
    if !is_plain(&text) || text.contains("$window") {
        let at = fields.get(key).map_or(fields.at, |node| node.at);
        found.problem(at, &format!("`{key}` is no plain selector"), "such as http_request_duration_seconds_bucket{service=\"$service\"}");
    }
    Some(text)
}

fn rules(fields: &Fields<'_>, period: Period, found: &mut Findings) -> Vec<BurnRule> {
    let Some(node) = fields.get("alerts") else { return usual(period.nominal()) };
    let Value::List(items) = &node.value else {
        found.problem(node.at, &format!("`alerts` is {}", node.value.kind()), "a list of tables; empty for none");
        return Vec::new();
    };
    items.iter().filter_map(|item| rule(item, period, found)).collect()
}

fn rule(node: &Node, period: Period, found: &mut Findings) -> Option<BurnRule> {
    const LEAST: Duration = Duration::from_mins(1);
    let fields = Fields::open(node, "an alert", ALERT, found)?;
    let word = fields.required_text("severity", "\"page\" or \"ticket\"", found);
    let severity = word.and_then(|word| {
        let known = [Severity::Page, Severity::Ticket].into_iter().find(|severity| severity.word() == word);
        if known.is_none() {
            found.problem(node.at, &format!("`severity` cannot be `{word}`"), &instead(word, ["page", "ticket"]));
        }
        known
    });
    let long = fields.required("long", "the long window, such as \"1h\"", found).and_then(|node| node.duration("long", LEAST, found));
    let short = match fields.get("short") {
        Some(node) => node.duration("short", LEAST, found),
        None => long.map(|long| (long / 12).max(LEAST)),
    };
    let (long, short) = (long?, short?);
    if short >= long {
        found.problem(node.at, "the short window is no shorter than the long one", "`short` a twelfth of `long`, as the workbook has it");
    }
    if long >= period.nominal() {
        found.problem(node.at, "the long window is no shorter than the objective's own", "a shorter `long`");
    }
    let positive = |key: &str, high: f64, found: &mut Findings| {
        let node = fields.get(key)?;
        let number = node.number(key, found)?;
        if !(number > 0.0 && number <= high) {
            found.problem(node.at, &format!("`{key}` is {number}"), &format!("a number over 0 and at most {high}"));
        }
        Some(number)
    };
    let burn = match (fields.get("burn"), fields.get("budget")) {
        (Some(_), None) => positive("burn", 1e6, found),
        (None, Some(_)) => positive("budget", 100.0, found).map(|share| burn_of_budget(share / 100.0, long, period.nominal())),
        (Some(_), Some(_)) | (None, None) => {
            found.problem(
                node.at,
                "an alert says once at which burn it fires",
                "`burn = 14.4`, or `budget = 2`: per cent of the budget that the long window has spent",
            );
            None
        }
    };
    Some(BurnRule { severity: severity?, long, short, burn: burn? })
}
