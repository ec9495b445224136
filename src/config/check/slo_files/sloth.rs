//! Objectives of Sloth: its plain files, and its resource for Kubernetes, which differs in how words are put together.

use super::super::super::file::Fields;
use super::super::super::node::Node;
use super::super::super::problem::{At, Findings};
use super::super::slo::{self, Around};
use super::{Document, Frame, windowed};
use crate::model::burn_rule::{BurnRule, Severity, usual};
use crate::model::name::ObjectiveName;
use crate::model::objective::{Indicator, Objective};

/// How one of the two forms writes its keys.
struct Words {
    spec: &'static [&'static str],
    slo: &'static [&'static str],
    events: &'static [&'static str; 2],
    raw: &'static [&'static str],
    alerting: &'static [&'static str],
    page: &'static str,
    ticket: &'static str,
}

const PLAIN: Words = Words {
    spec: &["version", "service", "labels", "slo_plugins", "slos"],
    slo: &["name", "description", "objective", "plugins", "labels", "sli", "alerting"],
    events: &["error_query", "total_query"],
    raw: &["error_ratio_query"],
    alerting: &["name", "labels", "annotations", "page_alert", "ticket_alert"],
    page: "page_alert",
    ticket: "ticket_alert",
};

const RESOURCE: Words = Words {
    spec: &["service", "labels", "sloPlugins", "slos"],
    slo: &["name", "description", "objective", "plugins", "labels", "sli", "alerting"],
    events: &["errorQuery", "totalQuery"],
    raw: &["errorRatioQuery"],
    alerting: &["name", "labels", "annotations", "pageAlert", "ticketAlert"],
    page: "pageAlert",
    ticket: "ticketAlert",
};

const SLI: &[&str] = &["events", "raw", "plugin"];
const ALERT: &[&str] = &["disable", "labels", "annotations"];

/// `version: prometheus/v1`.
pub(super) fn plain(document: &Document, frame: &Frame, around: &Around<'_>, found: &mut Findings) -> Vec<(At, Objective)> {
    let fields = Fields::root(&document.table, document.at, PLAIN.spec, found);
    spec(&fields, &PLAIN, frame, around, found)
}

/// `kind: PrometheusServiceLevel`.
pub(super) fn resource(document: &Document, frame: &Frame, around: &Around<'_>, found: &mut Findings) -> Vec<(At, Objective)> {
    let fields = Fields::root(&document.table, document.at, &["apiVersion", "kind", "metadata", "spec", "status"], found);
    let spec_node = fields.required("spec", "`spec:` with `service` and `slos`", found);
    let Some(inner) = spec_node.and_then(|node| Fields::open(node, "`spec`", RESOURCE.spec, found)) else { return Vec::new() };
    spec(&inner, &RESOURCE, frame, around, found)
}

fn spec(fields: &Fields<'_>, words: &Words, frame: &Frame, around: &Around<'_>, found: &mut Findings) -> Vec<(At, Objective)> {
    let items = fields.list("slos", "a list of objectives", found);
    items.iter().filter_map(|node| Some((node.at, slo(node, fields.get("service"), words, frame, around, found)?))).collect()
}

fn slo(node: &Node, service: Option<&Node>, words: &Words, frame: &Frame, around: &Around<'_>, found: &mut Findings) -> Option<Objective> {
    let what = super::super::label("slo", node);
    let fields = Fields::open(node, &what, words.slo, found)?;
    let name = fields.name(ObjectiveName::new, found);
    let goal =
        fields.required("objective", "a share in per cent, such as 99.9", found).and_then(|node| slo::goal(node, "objective", found));
    let indicator = fields.required("sli", "`sli:` with `events` or `raw`", found).and_then(|node| indicator(node, words, found));
    let rules = rules(&fields, words, frame, found);
    let (service, environments) = frame.whose(service, around, found)?;
    let backend = frame.backend(found);
    if let Some(goal) = goal {
        slo::warn_of_silence(node.at, &rules, goal, found);
    }
    Some(Objective {
        name: name?,
        service,
        environments,
        backend: backend?,
        indicator: indicator?,
        goal: goal?,
        period: frame.period,
        rules,
        min_events: slo::MIN_EVENTS,
        min_coverage: slo::MIN_COVERAGE,
        description: fields.text("description", found).unwrap_or_default().to_owned(),
    })
}

fn indicator(node: &Node, words: &Words, found: &mut Findings) -> Option<Indicator> {
    let fields = Fields::open(node, "`sli`", SLI, found)?;
    if let Some(plugin) = fields.get("plugin") {
        found.problem(plugin.at, "plugins of Sloth are programs, which are not run here", "`events` or `raw`");
        return None;
    }
    if let Some(events) = fields.get("events") {
        let inner = Fields::open(events, "`events`", words.events, found)?;
        let mut query = |key: &'static str| {
            let node = inner.required(key, format_args!("`{key}:`, a query over {{{{.window}}}}"), found)?;
            let text = windowed(node.text(key, found)?);
            slo::count(node.at, key, text, found)
        };
        let [bad, total] = words.events;
        let (bad, total) = (query(bad), query(total));
        return Some(Indicator::Bad { bad: bad?, total: total? });
    }
    let raw = fields.required("raw", "`events` or `raw`", found)?;
    let inner = Fields::open(raw, "`raw`", words.raw, found)?;
    let key = words.raw.first()?;
    let node = inner.required(key, format_args!("`{key}:`, a query over {{{{.window}}}}"), found)?;
    Some(Indicator::Share { query: windowed(node.text(key, found)?) })
}

/// The usual rules without those of a severity that is switched off. Labels and annotations belong to the rules that Sloth writes.
fn rules(fields: &Fields<'_>, words: &Words, frame: &Frame, found: &mut Findings) -> Vec<BurnRule> {
    let mut rules = usual(frame.period.nominal());
    let Some(alerting) = fields.get("alerting").and_then(|node| Fields::open(node, "`alerting`", words.alerting, found)) else {
        return rules;
    };
    for (key, severity) in [(words.page, Severity::Page), (words.ticket, Severity::Ticket)] {
        let Some(alert) = alerting.get(key).and_then(|node| Fields::open(node, "an alert", ALERT, found)) else { continue };
        if alert.flag("disable", found) == Some(true) {
            rules.retain(|rule| rule.severity != severity);
        }
    }
    rules
}
