//! `gonogo slo rules`: objectives as rules of Prometheus, with their unit tests.

use std::path::Path;

use serde_json::{Value, json};

use super::selected;
use crate::adapters::formats::slo_rules::{self, UNMEASURED, alert_name, firing, group};
use crate::adapters::formats::slo_tests;
use crate::cli::args::SloRules;
use crate::cli::exit::Exit;
use crate::cli::{json as shapes, out, settle};
use crate::config::surroundings::{Flags, Surroundings};
use crate::model::burn_rule::{BurnRule, Severity, can_fire};
use crate::model::name::Target;
use crate::model::objective::Objective;

/// Writes the rules.
pub(super) fn run(around: &Surroundings, flags: &Flags, args: &SloRules) -> Result<Exit, Exit> {
    let loaded = settle::needed(around, flags)?;
    let chosen = selected(&loaded.config.catalog, args.selector.as_deref())?;
    let rules = slo_rules::file(&chosen).map_err(|why| {
        out::words(&format!("gonogo: failed to write the rules: {why}"));
        Exit::Failed
    })?;
    for (objective, target) in &chosen {
        for rule in objective.rules.iter().filter(|rule| !can_fire(rule, objective.goal)) {
            out::words(&format!("gonogo: {} of {target}: `{}` can never fire and is left out", objective.name, rule.words()));
        }
    }
    if let Some(to) = &args.out {
        write(to, &rules)?;
    }
    if let (Some(to), Some(rules)) = (&args.tests, &args.out) {
        write(to, &slo_tests::file(&beside(rules, to), &chosen))?;
    }
    if args.json {
        let groups: Vec<Value> = chosen.iter().map(|(objective, target)| object(objective, target)).collect();
        let text = if args.out.is_none() { Value::String(rules) } else { Value::Null };
        out::json(&json!({ "schema": shapes::SCHEMA, "out": args.out, "tests": args.tests, "rules": text, "groups": groups }));
    } else if args.out.is_none() {
        out::line(rules.trim_end());
    }
    Ok(Exit::Done)
}

fn object(objective: &Objective, target: &Target) -> Value {
    let alerts: Vec<&str> = [Severity::Page, Severity::Ticket]
        .into_iter()
        .filter(|severity| firing(objective, *severity).next().is_some())
        .map(alert_name)
        .chain([UNMEASURED])
        .collect();
    let silent: Vec<String> = objective.rules.iter().filter(|rule| !can_fire(rule, objective.goal)).map(BurnRule::words).collect();
    json!({
        "group": group(objective, target),
        "service": target.service,
        "environment": target.environment,
        "slo": objective.name,
        "alerts": alerts,
        "left_out": silent,
    })
}

/// How the tests name the rules: promtool starts from the directory of the tests.
fn beside(rules: &Path, tests: &Path) -> String {
    let whole = |path: &Path| path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).canonicalize().ok();
    let same = whole(rules).is_some_and(|directory| whole(tests).is_some_and(|other| directory == other));
    let name = rules.file_name().map(|name| name.to_string_lossy().into_owned());
    match name.filter(|_| same) {
        Some(name) => name,
        None => rules.canonicalize().unwrap_or_else(|_| rules.to_owned()).display().to_string(),
    }
}

fn write(to: &Path, text: &str) -> Result<(), Exit> {
    std::fs::write(to, text).map_err(|error| {
        out::words(&format!("gonogo: failed to write {}: {error}; name a file in a directory that you may write", to.display()));
        Exit::Failed
    })
}
