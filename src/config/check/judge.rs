//! `[judge]`, and `judge` of a service: how canaries are judged.

use std::collections::BTreeSet;

use super::super::file::Fields;
use super::super::nearest::instead;
use super::super::node::{Node, Value};
use super::super::problem::{At, Findings};
use super::label;
use crate::model::judging::{
    ALL, Bounds, Direction, JudgeRules, Measure, Method, MetricRules, Missing, Outliers, SampleKind, ServiceJudge,
};

pub(super) const JUDGE: &[&str] = &["method", "pass", "marginal", "alpha", "power", "weights", "metric"];
pub(super) const OF_SERVICE: &[&str] = &["method", "alpha", "power"];
pub(super) const METRIC: &[&str] = &[
    "name",
    "direction",
    "tolerance",
    "confidence",
    "missing",
    "outliers",
    "outlier_factor",
    "effect",
    "critical",
    "must_have_data",
    "muted",
    "margin",
    "group",
    "kind",
];
pub(super) const EFFECT: &[&str] = &["measure", "low", "high"];
pub(super) const BOUNDS: &[&str] = &["low", "high"];
/// Beyond it no share, factor or bound means anything.
const LARGEST: f64 = 1e12;

/// `[judge]`; the usual rules where there is none.
pub(super) fn judge(root: &Fields<'_>, found: &mut Findings) -> JudgeRules {
    let mut rules = JudgeRules::default();
    let Some(fields) = root.get("judge").and_then(|node| Fields::open(node, "[judge]", JUDGE, found)) else { return rules };
    rules.method = fields.choice("method", &[("kayenta", Method::Kayenta), ("gonogo", Method::Gonogo)], found);
    let mut number = |key, low, high, place: &mut f64| set(&fields, key, (low, high), place, found);
    number("pass", 0.0, 100.0, &mut rules.pass);
    number("marginal", 0.0, 100.0, &mut rules.marginal);
    number("alpha", 1e-9, 0.5, &mut rules.alpha);
    number("power", 0.01, 0.999_999, &mut rules.power);
    if rules.marginal > rules.pass {
        let at = fields.get("marginal").or(fields.get("pass")).map_or(fields.at, |node| node.at);
        let what = format!("`marginal` is {} and over `pass`, which is {}", rules.marginal, rules.pass);
        found.problem(at, &what, "at most what `pass` is");
    }
    let mut names = BTreeSet::new();
    for node in fields.list("metric", "[[judge.metric]] tables", found) {
        let Some(metric) = metric(node, found) else { continue };
        if !names.insert(metric.name.clone()) {
            found.problem(node.at, &format!("two metrics are named `{}`", metric.name), "a name of its own");
        }
        rules.metrics.push(metric);
    }
    weights(&fields, &mut rules, found);
    rules
}

/// `judge` of a service: which method judges its canaries, and how strictly.
pub(super) fn of_service(service: &Fields<'_>, found: &mut Findings) -> ServiceJudge {
    let mut judge = ServiceJudge::default();
    let Some(fields) = service.get("judge").and_then(|node| Fields::open(node, "`judge`", OF_SERVICE, found)) else { return judge };
    let method = fields.get("method").and_then(|node| Some((node.at, node.text("method", found)?)));
    if let Some((at, word)) = method.filter(|(_, word)| *word != "gonogo") {
        let judges = if word == "kayenta" { ", which judges two files (`gonogo canary judge`)" } else { "" };
        found.problem(
            at,
            &format!("a rollout cannot be judged by the method `{word}`{judges}"),
            "`gonogo`, which may be looked at after each poll",
        );
    }
    set(&fields, "alpha", (1e-9, 0.5), &mut judge.alpha, found);
    set(&fields, "power", (0.01, 0.999_999), &mut judge.power, found);
    judge
}

/// `margin` and `weight` of a signal; a `share` is less than 1.
pub(super) fn of_signal(fields: &Fields<'_>, share: bool, found: &mut Findings) -> (Option<f64>, Option<f64>) {
    let mut number = |key, high| {
        let mut place = f64::NAN;
        set(fields, key, (0.0, high), &mut place, found);
        Some(place).filter(|number| number.is_finite())
    };
    (number("margin", if share { 0.999 } else { LARGEST }), number("weight", LARGEST))
}

/// A number between two bounds, into its place.
fn set(fields: &Fields<'_>, key: &str, (low, high): (f64, f64), place: &mut f64, found: &mut Findings) {
    let Some(node) = fields.get(key) else { return };
    let Some(number) = node.number(key, found) else { return };
    if (low..=high).contains(&number) {
        *place = number;
    } else if high < LARGEST {
        found.problem(node.at, &format!("`{key}` is {number}"), &format!("a number from {low} to {high}"));
    } else {
        found.problem(node.at, &format!("`{key}` is {number}"), &format!("a number from {low}"));
    }
}

fn weights(fields: &Fields<'_>, rules: &mut JudgeRules, found: &mut Findings) {
    // Without metrics of their own the rules are for all, in the one group that there is then.
    let groups: BTreeSet<&str> = if rules.metrics.is_empty() {
        BTreeSet::from([ALL])
    } else {
        rules.metrics.iter().flat_map(|metric| &metric.groups).map(String::as_str).collect()
    };
    let mut last = None;
    for (key, node) in fields.table("weights", found) {
        if !groups.contains(key.name.as_ref()) {
            let what = format!("a weight is given to the group `{}`, in which no metric is", key.name);
            found.problem(key.at, &what, &instead(&key.name, groups.iter().copied()));
        }
        let Some(weight) = node.number(&key.name, found) else { continue };
        if !(0.0..=100.0).contains(&weight) {
            found.problem(node.at, &format!("the weight of `{}` is {weight}", key.name), "a number from 0 to 100");
            continue;
        }
        rules.weights.insert(key.name.to_string(), weight);
        last = Some(node.at);
    }
    let Some(at) = last else { return };
    let sum: f64 = rules.weights.values().sum();
    let open = groups.iter().any(|group| !rules.weights.contains_key(*group));
    if sum > 100.0 {
        found.problem(at, &format!("the weights come to {sum}"), "at most 100; groups without a weight share what is left");
    } else if sum < 100.0 && !open {
        let more = if sum < rules.pass { ", so no canary can pass" } else { "" };
        found.warning(at, &format!("the weights of all groups come to {sum}, and no score can be more{more}"), "100 in all");
    } else if sum >= 100.0 && open {
        let light: Vec<&str> = groups.iter().copied().filter(|group| !rules.weights.contains_key(*group)).collect();
        found.warning(at, &format!("nothing is left for the groups without a weight: {}", light.join(", ")), "less than 100 in all");
    }
}

fn metric(node: &Node, found: &mut Findings) -> Option<MetricRules> {
    let what = label("metric", node);
    let fields = Fields::open(node, &what, METRIC, found)?;
    let name = fields.required_text("name", "`name = \"..\"`: as the samples call it", found)?;
    let mut rules = MetricRules::named(name);
    let directions = [("increase", Direction::Increase), ("decrease", Direction::Decrease), ("either", Direction::Either)];
    rules.direction = fields.choice("direction", &directions, found);
    rules.missing = fields.choice("missing", &[("remove", Missing::Remove), ("replace", Missing::Replace)], found);
    rules.outliers = fields.choice("outliers", &[("keep", Outliers::Keep), ("remove", Outliers::Remove)], found);
    rules.kind = fields.choice("kind", &[("values", SampleKind::Values), ("counts", SampleKind::Counts)], found);
    let mut number = |key, low, high, place: &mut f64| set(&fields, key, (low, high), place, found);
    number("tolerance", 0.0, LARGEST, &mut rules.tolerance);
    number("confidence", 0.5, 0.999_999, &mut rules.confidence);
    number("outlier_factor", 0.001, LARGEST, &mut rules.outlier_factor);
    number("margin", 0.0, LARGEST, &mut rules.margin);
    rules.must_have_data = fields.flag("must_have_data", found).unwrap_or(false);
    rules.muted = fields.flag("muted", found).unwrap_or(false);
    if let Some(effect) = fields.get("effect").and_then(|node| Fields::open(node, "`effect`", EFFECT, found)) {
        let measures = [("mean-ratio", Measure::MeanRatio), ("common-language", Measure::CommonLanguage)];
        rules.measure = effect.choice("measure", &measures, found);
        rules.allowed = bounds(&effect, rules.measure, found);
    }
    rules.critical = fields.get("critical").and_then(|node| critical(node, rules.measure, found));
    if let Some(node) = fields.get("group") {
        rules.groups = groups(node, found).into_iter().map(|(_, group)| group.to_owned()).collect();
    }
    Some(rules)
}

/// `low` and `high`, each where nothing changed unless it is given.
fn bounds(fields: &Fields<'_>, measure: Measure, found: &mut Findings) -> Bounds {
    let mut bounds = Bounds::of(measure);
    let most = match measure {
        Measure::MeanRatio => LARGEST,
        Measure::CommonLanguage => 1.0,
    };
    for (key, place) in [("low", &mut bounds.low), ("high", &mut bounds.high)] {
        set(fields, key, (0.0, most), place, found);
    }
    bounds
}

/// `true` is a table without bounds of its own.
fn critical(node: &Node, measure: Measure, found: &mut Findings) -> Option<Bounds> {
    match &node.value {
        Value::Flag(false) => None,
        Value::Flag(true) => Some(Bounds::of(measure)),
        Value::Table(_) => {
            let fields = Fields::open(node, "`critical`", BOUNDS, found)?;
            Some(bounds(&fields, measure, found))
        }
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Date | Value::List(_) => {
            found.problem(
                node.at,
                &format!("`critical` is {}", node.value.kind()),
                "true, false, or bounds such as { low = 0.8, high = 1.2 }",
            );
            None
        }
    }
}

/// One group, or a list of them; none twice, for it would count twice.
fn groups<'a>(node: &'a Node<'a>, found: &mut Findings) -> Vec<(At, &'a str)> {
    let groups = match &node.value {
        Value::List(_) => node.texts("group", found),
        Value::Text(_) => node.text("group", found).map(|group| (node.at, group)).into_iter().collect(),
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::Table(_) => {
            found.problem(node.at, &format!("`group` is {}", node.value.kind()), "a name, or an array of names");
            Vec::new()
        }
    };
    let mut seen = BTreeSet::new();
    for (at, group) in &groups {
        if !seen.insert(*group) {
            found.problem(*at, &format!("the group `{group}` is named twice"), "each group once");
        }
    }
    groups
}
