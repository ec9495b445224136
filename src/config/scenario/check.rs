//! What must hold in a scenario beyond its form: names that exist, no circle, one operator; each finding with its line.

use std::collections::BTreeSet;

use crate::model::name::{BackendName, ServiceName, Target};

use super::{ALERTS, CI, Event, METRICS, Scenario, ScenarioError, TRAFFIC};

/// Turns an error of the TOML reader into one with line and column.
pub(super) fn located(source: &str, error: &toml::de::Error) -> ScenarioError {
    let start = error.span().map_or(0, |span| span.start);
    let (line, column) = position(source, start);
    ScenarioError { line, column, what: error.message().replace('\n', "; ") }
}

fn position(source: &str, byte: usize) -> (usize, usize) {
    let before: String = source.char_indices().take_while(|(at, _)| *at < byte).map(|(_, c)| c).collect();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

/// A finding at the first line that begins with a key.
pub(super) fn at_key(source: &str, key: &str, what: &str) -> ScenarioError {
    let line = source.lines().position(|line| line.trim_start().starts_with(key)).map_or(1, |at| at + 1);
    ScenarioError { line, column: 1, what: what.to_owned() }
}

/// A finding at the `n`th table of a kind.
fn at_table(source: &str, table: &str, n: usize, what: String) -> ScenarioError {
    let header = format!("[[{table}]]");
    let mut lines = source.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with(&header));
    ScenarioError { line: lines.nth(n).map_or(1, |(at, _)| at + 1), column: 1, what }
}

/// Checks everything that the form cannot.
pub(super) fn everything(source: &str, scenario: &Scenario) -> Result<(), ScenarioError> {
    let here = |table: &str, n: usize, what: String| Err(at_table(source, table, n, what));
    if scenario.scrape.as_secs() == 0 || scenario.workers == 0 || scenario.warm_up.as_secs() > 7200 {
        return Err(at_key(source, "scrape", "expected scrape of at least 1s, at least 1 worker, and warm_up of at most 2h"));
    }
    if scenario.environment.is_empty() || scenario.service.is_empty() {
        return Err(at_key(source, "name", "expected at least one [[environment]] and one [[service]]"));
    }
    let operators = scenario.person.iter().filter(|person| person.operator).count();
    if operators != 1 {
        return Err(at_key(source, "[[person]]", &format!("expected one person with operator = true, found {operators}")));
    }
    let mut names = BTreeSet::new();
    for (n, service) in scenario.service.iter().enumerate() {
        if !names.insert(service.name.as_str()) {
            return here("service", n, format!("there are two services `{}`", service.name));
        }
        for other in &service.depends_on {
            if scenario.service(other).is_none() {
                return here("service", n, format!("`{}` depends on `{other}`, which is no service here", service.name));
            }
        }
        let wanted = service.environments.iter().chain(service.protection.keys());
        if let Some(missing) = wanted.into_iter().find(|wanted| !scenario.environment.iter().any(|known| &known.name == *wanted)) {
            return here("service", n, format!("`{}` names `{missing}`, which is no environment here", service.name));
        }
        let bad = [service.errors, service.coupling, service.failing].into_iter().any(|share| !(0.0..=1.0).contains(&share));
        if bad || !(0.0..=100_000.0).contains(&service.requests) || !(0.0..=3600.0).contains(&service.pushes) {
            return here("service", n, format!("a number of `{}` is out of range; expected shares of 0 to 1", service.name));
        }
        if !(1..=16).contains(&service.servers) {
            return here("service", n, format!("`{}` has {} servers a slot; expected 1 to 16", service.name, service.servers));
        }
        if let Some(circle) = circle(scenario, &service.name) {
            return here("service", n, format!("the dependencies go in a circle: {circle}"));
        }
    }
    let mut environments = BTreeSet::new();
    for (n, environment) in scenario.environment.iter().enumerate() {
        if !environments.insert(environment.name.as_str()) || !(0.0..=100.0).contains(&environment.traffic) {
            return here("environment", n, format!("`{}` is there twice, or its traffic is not 0 to 100", environment.name));
        }
    }
    for (n, version) in scenario.version.iter().enumerate() {
        if scenario.service(&version.service).is_none() {
            return here("version", n, format!("`{}` is no service here", version.service));
        }
        let factors = [version.latency, version.load];
        if !(0.0..=1.0).contains(&version.errors)
            || factors.iter().any(|factor| !(0.0..=1000.0).contains(factor))
            || version.from_percent > 100
        {
            return here("version", n, "a number is out of range; expected errors of 0 to 1".to_owned());
        }
    }
    for (n, rule) in scenario.alert.iter().enumerate() {
        if let Some(missing) = rule.services.iter().find(|service| scenario.service(service).is_none()) {
            return here("alert", n, format!("`{missing}` is no service here"));
        }
    }
    for (n, silence) in scenario.silence.iter().enumerate() {
        known(scenario, &silence.target).or_else(|what| here("silence", n, what))?;
    }
    for (n, event) in scenario.event.iter().enumerate() {
        event_is_known(scenario, event).or_else(|what| here("event", n, what))?;
    }
    rollouts(source, scenario)?;
    for (n, fault) in scenario.fault.iter().enumerate() {
        if !is_backend(&fault.backend) || fault.from >= fault.to || fault.by.as_secs() == 0 {
            let what = format!("expected one of {METRICS}, {ALERTS}, {TRAFFIC}, {CI}, from before to, and by of at least 1s");
            return here("fault", n, what);
        }
    }
    Ok(())
}

/// Sets, checks of rollouts and their starts: each names what there is.
fn rollouts(source: &str, scenario: &Scenario) -> Result<(), ScenarioError> {
    let here = |table: &str, n: usize, what: String| Err(at_table(source, table, n, what));
    for (n, set) in scenario.set.iter().enumerate() {
        if set.targets.len() < 2 || scenario.set.iter().take(n).any(|other| other.name == set.name) {
            return here("set", n, format!("`{}` is there twice, or has less than two targets", set.name));
        }
        set.targets.iter().try_for_each(|target| known(scenario, target)).or_else(|what| here("set", n, what))?;
    }
    for (n, check) in scenario.check.iter().enumerate() {
        if check.every.as_secs() == 0 {
            return here("check", n, "expected every of at least 1s".to_owned());
        }
        known(scenario, &check.target).or_else(|what| here("check", n, what))?;
    }
    for (n, start) in scenario.start.iter().enumerate() {
        if !scenario.person.iter().any(|person| person.name == start.by) {
            return here("start", n, format!("there is nobody called `{}` here", start.by));
        }
        match (&start.target, &start.set) {
            (Some(target), None) => known(scenario, target).or_else(|what| here("start", n, what))?,
            (None, Some(set)) if scenario.set.iter().any(|known| known.name == *set) => {}
            (None, Some(set)) => return here("start", n, format!("`{set}` is no set here")),
            (Some(_), Some(_)) | (None, None) => return here("start", n, "expected a target, or a set".to_owned()),
        }
    }
    Ok(())
}

fn is_backend(name: &BackendName) -> bool {
    [METRICS, ALERTS, TRAFFIC, CI].contains(&name.as_str())
}

fn event_is_known(scenario: &Scenario, event: &Event) -> Result<(), String> {
    match event {
        Event::Shift { target, .. } | Event::Deploy { target, .. } | Event::Server { target, .. } => known(scenario, target),
        Event::Load { target, factor, .. } => {
            known(scenario, target)?;
            (0.0..=1000.0).contains(factor).then_some(()).ok_or_else(|| "factor is out of range; expected 0 to 1000".to_owned())
        }
        Event::Errors { target, ratio, .. } => {
            known(scenario, target)?;
            (0.0..=1.0).contains(ratio).then_some(()).ok_or_else(|| "ratio is out of range; expected 0 to 1".to_owned())
        }
        Event::Push { service, gate, .. } => {
            if let Some(missing) = gate.as_ref().filter(|gate| !scenario.environment.iter().any(|known| &known.name == *gate)) {
                return Err(format!("`{missing}` is no environment here"));
            }
            scenario.service(service).map(|_| ()).ok_or_else(|| format!("`{service}` is no service here"))
        }
        Event::Reload { .. } => Ok(()),
    }
}

fn known(scenario: &Scenario, target: &Target) -> Result<(), String> {
    let environment = scenario.environment.iter().any(|environment| environment.name == target.environment);
    let here = |service: &super::ScenarioService| service.environments.is_empty() || service.environments.contains(&target.environment);
    let service = scenario.service(&target.service).is_some_and(here);
    (environment && service).then_some(()).ok_or_else(|| format!("`{target}` is not in this scenario"))
}

fn circle(scenario: &Scenario, from: &ServiceName) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut next = vec![(from, from.to_string())];
    while let Some((name, path)) = next.pop() {
        for other in scenario.service(name).map(|service| service.depends_on.as_slice()).unwrap_or_default() {
            let path = format!("{path} > {other}");
            if other == from {
                return Some(path);
            }
            if seen.insert(other) {
                next.push((other, path));
            }
        }
    }
    None
}
