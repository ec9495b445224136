//! Objectives of `OpenSLO` v1: `kind: SLO`, with its indicator inside or referred to.

use std::time::Duration;

use super::super::super::duration;
use super::super::super::file::Fields;
use super::super::super::nearest::instead;
use super::super::super::node::{Node, Value};
use super::super::super::problem::{At, Findings};
use super::super::slo::{self, Around};
use super::{Document, Frame, table, text, windowed};
use crate::model::burn_rule::usual;
use crate::model::name::{BackendName, ObjectiveName};
use crate::model::objective::{Count, Indicator, Objective, Period, Side};

const ROOT: &[&str] = &["apiVersion", "kind", "metadata", "spec"];
const SPEC: &[&str] =
    &["description", "service", "indicator", "indicatorRef", "timeWindow", "budgetingMethod", "objectives", "alertPolicies"];
const WINDOW: &[&str] = &["duration", "isRolling", "calendar"];
const OBJECTIVE: &[&str] = &[
    "displayName",
    "op",
    "value",
    "target",
    "targetPercent",
    "timeSliceTarget",
    "timeSliceWindow",
    "indicator",
    "indicatorRef",
    "compositeWeight",
];
const INDICATOR: &[&str] = &["description", "thresholdMetric", "ratioMetric"];
const RATIO: &[&str] = &["counter", "good", "bad", "total", "rawType", "raw"];
const METRIC: &[&str] = &["metricSource"];
const SOURCE: &[&str] = &["metricSourceRef", "type", "spec"];

/// The name and the document of an indicator that others may refer to.
pub(super) fn indicator(document: &Document) -> Option<(&str, &Document)> {
    let is_one = text(&document.table, "apiVersion") == Some("openslo/v1") && text(&document.table, "kind") == Some("SLI");
    let name = table(&document.table, "metadata").and_then(|metadata| text(metadata, "name"));
    name.filter(|_| is_one).map(|name| (name, document))
}

/// An indicator as an objective needs it: a value has its bound there, not here.
enum Measured {
    Ratio(Indicator),
    Value(String),
}

/// `kind: SLO`; one with several objectives becomes several.
pub(super) fn slo(
    document: &Document,
    indicators: &[(&str, &Document)],
    frame: &Frame,
    around: &Around<'_>,
    found: &mut Findings,
) -> Vec<(At, Objective)> {
    let root = Fields::root(&document.table, document.at, ROOT, found);
    let named = table(&document.table, "metadata").and_then(|metadata| metadata.get("name"));
    let Some(name) = named else {
        found.problem(document.at, "the objective has no name", "`metadata:` with `name`");
        return Vec::new();
    };
    let Some(spec_node) = root.required("spec", "`spec:`", found) else { return Vec::new() };
    let Some(spec) = Fields::open(spec_node, "`spec`", SPEC, found) else { return Vec::new() };
    if let Some(node) = spec.required("budgetingMethod", "`budgetingMethod: Occurrences`", found)
        && let Some(method) = node.text("budgetingMethod", found)
        && method != "Occurrences"
    {
        let what = format!("the budget of `{}` is counted by {method}, which is not done here", text_or_word(name));
        found.problem(node.at, &what, "`Occurrences`");
        return Vec::new();
    }
    let mut backend = None;
    let measured = measured(&spec, indicators, &mut backend, found);
    let period = period(&spec, frame, found);
    let whose = frame.whose(spec.get("service"), around, found);
    let named_backend = backend.and_then(|name: &str| {
        let is_known = around.known.is_backend(name);
        BackendName::new(name).ok().filter(|_| is_known)
    });
    let backend = named_backend.or_else(|| frame.backend(found));
    let items = spec.list("objectives", "a list of objectives", found);
    if items.is_empty() {
        found.problem(spec.at, "there is no objective", "`objectives:` with a `target`");
    }
    let (Some(measured), Some(period), Some((service, environments)), Some(backend)) = (measured, period, whose, backend) else {
        return Vec::new();
    };
    let description = spec.text("description", found).unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for (n, item) in items.iter().enumerate() {
        let Some(fields) = Fields::open(item, "an objective", OBJECTIVE, found) else { continue };
        let suffix = if items.len() > 1 { format!("-{}", n + 1) } else { String::new() };
        let own_name = name.text("name", found).and_then(|name| match ObjectiveName::new(&format!("{name}{suffix}")) {
            Ok(name) => Some(name),
            Err(error) => {
                found.problem(named.map_or(document.at, |node| node.at), &error.to_string(), "a name of letters, digits, `.`, `_`, `-`");
                None
            }
        });
        for key in ["indicator", "indicatorRef", "compositeWeight", "timeSliceTarget", "timeSliceWindow"] {
            if let Some(node) = fields.get(key) {
                found.problem(
                    node.at,
                    &format!("`{key}` of an objective is not read: neither composites nor time slices are"),
                    "it left out",
                );
            }
        }
        let indicator = match &measured {
            Measured::Ratio(indicator) => Some(indicator.clone()),
            Measured::Value(query) => bound(&fields, query, found),
        };
        let (Some(name), Some(indicator), Some(goal)) = (own_name, indicator, goal(&fields, found)) else { continue };
        let rules = usual(period.nominal());
        slo::warn_of_silence(item.at, &rules, goal, found);
        let objective = Objective {
            name,
            service: service.clone(),
            environments: environments.clone(),
            backend: backend.clone(),
            indicator,
            goal,
            period,
            rules,
            min_events: slo::MIN_EVENTS,
            min_coverage: slo::MIN_COVERAGE,
            description: description.clone(),
        };
        all.push((item.at, objective));
    }
    all
}

fn text_or_word<'a>(node: &'a Node<'a>) -> &'a str {
    match &node.value {
        Value::Text(text) => text,
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => "the objective",
    }
}

fn goal(fields: &Fields<'_>, found: &mut Findings) -> Option<f64> {
    match (fields.get("target"), fields.get("targetPercent")) {
        (Some(target), None) => {
            let share = target.number("target", found)?;
            if !(share > 0.0 && share < 1.0) {
                found.problem(target.at, &format!("`target` is {share}"), "a share over 0 and under 1, such as 0.999");
                return None;
            }
            Some(share)
        }
        (None, Some(percent)) => slo::goal(percent, "targetPercent", found),
        (Some(_), Some(_)) | (None, None) => {
            found.problem(fields.at, "an objective has one target", "`target: 0.999` or `targetPercent: 99.9`");
            None
        }
    }
}

fn bound(fields: &Fields<'_>, query: &str, found: &mut Findings) -> Option<Indicator> {
    const OPS: [(&str, Side); 4] = [("lte", Side::Under), ("lt", Side::Under), ("gte", Side::Over), ("gt", Side::Over)];
    let op = fields.required("op", "one of lte, lt, gte, gt", found)?;
    let word = op.text("op", found)?;
    let Some((_, side)) = OPS.into_iter().find(|(known, _)| *known == word) else {
        found.problem(op.at, &format!("`op` cannot be `{word}`"), &instead(word, OPS.map(|(known, _)| known)));
        return None;
    };
    let bound = fields.required("value", "the bound", found)?.number("value", found)?;
    Some(Indicator::Value { query: query.to_owned(), side, bound })
}

fn period(spec: &Fields<'_>, frame: &Frame, found: &mut Findings) -> Option<Period> {
    const RIGHT: &str = "a rolling window of 1d to 92d such as 30d or 4w, or a calendar's 1M or 1Q";
    let items = spec.list("timeWindow", "a list with one window", found);
    let Some(item) = items.first() else { return Some(frame.period) };
    let fields = Fields::open(item, "a window", WINDOW, found)?;
    let node = fields.required("duration", RIGHT, found)?;
    let word = node.text("duration", found)?;
    let rolling = fields.flag("isRolling", found).unwrap_or(fields.get("calendar").is_none());
    let period = match (word, rolling) {
        ("1M", false) => Some(Period::Month),
        ("1Q", false) => Some(Period::Quarter),
        (_, true) => {
            let weeks = word.strip_suffix('w').and_then(|count| count.parse::<u32>().ok()).map(|count| Duration::from_hours(168) * count);
            let span = weeks.or_else(|| duration::parse(word));
            span.filter(|span| (Duration::from_hours(24)..=Duration::from_hours(92 * 24)).contains(span)).map(Period::Rolling)
        }
        (_, false) => None,
    };
    if period.is_none() {
        found.problem(node.at, &format!("the window `{word}` is not known here"), RIGHT);
    }
    if let Some(calendar) = fields.get("calendar").filter(|_| !rolling) {
        found.warning(calendar.at, "the calendar of a window is that of the room", "`timezone` in [room]");
    }
    period
}

/// What an objective measures, and the source that it names.
fn measured<'a>(
    spec: &Fields<'a>,
    indicators: &[(&str, &'a Document)],
    backend: &mut Option<&'a str>,
    found: &mut Findings,
) -> Option<Measured> {
    let node = match (spec.get("indicator"), spec.get("indicatorRef")) {
        (Some(inline), None) => {
            let inner = Fields::open(inline, "`indicator`", &["metadata", "spec"], found)?;
            inner.required("spec", "`spec:` of the indicator", found)?
        }
        (None, Some(reference)) => {
            let name = reference.text("indicatorRef", found)?;
            let Some((_, document)) = indicators.iter().find(|(known, _)| *known == name) else {
                let known: Vec<&str> = indicators.iter().map(|(known, _)| *known).collect();
                found.problem(reference.at, &format!("no indicator is named `{name}` in `slo_files`"), &instead(name, known));
                return None;
            };
            document.table.get("spec")?
        }
        (Some(_), Some(_)) | (None, None) => {
            found.problem(spec.at, "an objective has one indicator", "`indicator` or `indicatorRef`");
            return None;
        }
    };
    let fields = Fields::open(node, "an indicator", INDICATOR, found)?;
    if let Some(threshold) = fields.get("thresholdMetric") {
        return query(threshold, "thresholdMetric", backend, found).map(|(_, query)| Measured::Value(query));
    }
    let ratio = fields.required("ratioMetric", "`ratioMetric` or `thresholdMetric`", found)?;
    let fields = Fields::open(ratio, "`ratioMetric`", RATIO, found)?;
    if let Some(raw) = fields.get("raw") {
        let (_, query) = query(raw, "raw", backend, found)?;
        let kind = fields.required("rawType", "success or failure", found)?;
        let share = match kind.text("rawType", found)? {
            "failure" => format!("avg_over_time(({query})[$window:1m])"),
            "success" => format!("1 - avg_over_time(({query})[$window:1m])"),
            other => {
                found.problem(kind.at, &format!("`rawType` cannot be `{other}`"), "success or failure");
                return None;
            }
        };
        return Some(Measured::Ratio(Indicator::Share { query: share }));
    }
    if fields.flag("counter", found) != Some(true) {
        found.problem(ratio.at, "events are counted by counters alone", "`counter: true`");
        return None;
    }
    let mut counts = |key: &'static str, found: &mut Findings| -> Option<Count> {
        let node = fields.required(key, format_args!("`{key}:`"), found)?;
        let (at, query) = query(node, key, backend, found)?;
        slo::count(at, key, without_sum(&query), found)
    };
    let total = counts("total", found);
    let ratio = match (fields.get("good"), fields.get("bad")) {
        (Some(_), Some(bad)) => {
            found.problem(bad.at, "`bad` stands beside `good`", "one of them");
            return None;
        }
        (Some(_), None) => Indicator::Good { good: counts("good", found)?, total: total? },
        (None, _) => Indicator::Bad { bad: counts("bad", found)?, total: total? },
    };
    Some(Measured::Ratio(ratio))
}

/// The query of a metric, and where it stands.
fn query<'a>(node: &'a Node<'a>, what: &'static str, backend: &mut Option<&'a str>, found: &mut Findings) -> Option<(At, String)> {
    let fields = Fields::open(node, what, METRIC, found)?;
    let source = Fields::open(fields.required("metricSource", "`metricSource:`", found)?, "`metricSource`", SOURCE, found)?;
    if let Some(kind) = source.get("type")
        && let Some(word) = kind.text("type", found)
        && !word.eq_ignore_ascii_case("prometheus")
    {
        found.problem(kind.at, &format!("a metric comes from {word}"), "`type: Prometheus`");
        return None;
    }
    *backend = source.text("metricSourceRef", found).or(*backend);
    let Node { value: Value::Table(inner), .. } = source.required("spec", "`spec:` with `query`", found)? else {
        found.problem(source.at, "`spec` is no table", "`spec:` with `query`");
        return None;
    };
    let Some(query) = inner.get("query") else {
        found.problem(source.at, "the metric has no query", "`spec:` with `query`");
        return None;
    };
    Some((query.at, windowed(query.text("query", found)?)))
}

/// A sum of a counter is read as the counter: a sum falls when one of its parts begins anew, and its increase would be anything.
fn without_sum(query: &str) -> String {
    let inner = query.strip_prefix("sum").map(str::trim_start).and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')'));
    inner.filter(|inner| !inner.contains(['(', '['])).unwrap_or(query).trim().to_owned()
}
