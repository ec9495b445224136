//! The gate's checks and the type of a change, looked at in the world.

use chrono::{DateTime, Utc};

use std::time::Duration;

use crate::control;
use crate::control::world::{ObjectiveState, ObjectiveView, SignalState, TargetView, World};
use crate::model::authorship::Authorship;
use crate::model::catalog::{PipelineRef, Service};
use crate::model::gate::{Check, CheckKind, Counts, Finding, Gates, Typed};
use crate::model::intent::{Direction, Intent, Verb};
use crate::model::name::Target;
use crate::model::operator::Person;
use crate::model::pipeline::Run;
use crate::model::plan::StepEffect;
use crate::model::share::Percent;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::policy;
use crate::policy::gate::{self, Facts};

/// What a check found: the finding, its evidence, what would change it, its source and its age in seconds.
#[derive(Debug, Clone)]
pub(super) struct Found {
    finding: Finding,
    text: String,
    fix: String,
    source: String,
    age_s: Option<u64>,
}

impl Found {
    fn new(finding: Finding, text: String, fix: &str) -> Self {
        Self { finding, text, fix: fix.to_owned(), source: String::new(), age_s: None }
    }

    /// The check that it is the finding of.
    pub(super) fn into_check(self, kind: CheckKind, counts: Counts) -> Check {
        let Self { finding, text, fix, source, age_s } = self;
        let fix = if finding == Finding::Holds { Text::empty() } else { Text::clean(&fix) };
        Check { kind, counts, finding, text: Text::clean(&text), fix, source, age_s }
    }

    fn from(self, source: &str, age_s: Option<u64>) -> Self {
        Self { source: source.to_owned(), age_s, ..self }
    }
}

/// The type of a change by the rules of its environment, as the world stands.
pub(super) fn typed(
    world: &World,
    intent: &Intent,
    direction: Direction,
    percent: Option<Percent>,
    reversible: bool,
    now: &Moment,
) -> Typed {
    // A rollout is what it ends in.
    let percent = if intent.verb == Verb::Rollout { Some(Percent::ALL) } else { super::flag::share(intent).or(percent) };
    let none = Gates::default();
    let gates = world.catalog.environment(&intent.target.environment).map_or(&none, |environment| &environment.gates);
    let view = world.target(&intent.target);
    let severities: Vec<String> = view
        .into_iter()
        .flat_map(|view| &view.alerts)
        .filter(|alert| alert.silenced_by.is_empty() && alert.inhibited_by.is_empty())
        .map(|alert| alert.severity.to_string())
        .collect();
    let way_back_age = view.and_then(|view| view.state.way_back.as_ref()).and_then(|back| (now.wall - back.at).to_std().ok());
    gate::derive(gates, &Facts { verb: intent.verb, direction, percent, is_reversible: reversible, way_back_age, severities: &severities })
}

/// Whether the gate's checks are asked: of what goes forward by a person's word. The steps of a rollout were asked about when it began.
pub(super) fn are_asked(intent: &Intent, direction: Direction) -> bool {
    direction == Direction::Forward && intent.args.of.is_none()
}

/// The checks of the target's environment, in the order of [`CheckKind::ALL`].
pub(super) fn checks(world: &World, target: &Target, brings: Brings<'_>, now: &Moment) -> Vec<Check> {
    let Some(environment) = world.catalog.environment(&target.environment) else { return Vec::new() };
    let counts = |kind: CheckKind| environment.gates.checks.iter().find(|(known, _)| *known == kind).map(|(_, counts)| *counts);
    CheckKind::ALL.into_iter().filter_map(|kind| Some(one(world, (target, brings), &environment.gates, kind, counts(kind)?, now))).collect()
}

/// What a plan brings: its effects, and the version that it sets where it says one.
type Brings<'a> = (&'a [StepEffect], Option<&'a Text>);

fn one(world: &World, (target, brings): (&Target, Brings<'_>), gates: &Gates, kind: CheckKind, counts: Counts, now: &Moment) -> Check {
    let view = world.target(target);
    let service = world.catalog.services.get(&target.service);
    let found = match (kind, view, service) {
        (_, None, _) | (_, _, None) => Found::new(Finding::NotKnown, format!("{target} is not configured"), "configure it"),
        (CheckKind::Freshness, Some(_), _) => freshness(world, target, now),
        (CheckKind::Alerts, Some(view), Some(service)) => alerts(world, view, service, now),
        (CheckKind::Signals, Some(view), _) => signals(world, view, now),
        (CheckKind::Pipeline, Some(view), Some(service)) => pipeline(world, view, service.pipeline.as_ref(), now),
        (CheckKind::Soak, Some(view), _) => soak(world, view, gates, now),
        (CheckKind::Budget, Some(_), _) => budget(world, target, now),
        (CheckKind::WayBack, Some(view), _) => way_back(view, gates, now),
        (CheckKind::Authors, Some(_), _) => {
            let known = control::authors::of(world, target, Direction::Forward, brings, now);
            let (made, age) = known.map_or((None, None), |(made, age)| (Some(made), age));
            authors(made.as_ref(), age, gates, &world.catalog.people)
        }
        (CheckKind::Signature | CheckKind::Provenance | CheckKind::Tests | CheckKind::Scan | CheckKind::Contract, Some(_), _) => {
            Found::new(
                Finding::NoSource,
                format!("{}: no source is configured for it", kind.word()),
                "configure one, or take the check out",
            )
        }
    };
    found.into_check(kind, counts)
}

/// Who made what a plan brings, and whether that is known of everybody.
pub(super) fn authors(made: Option<&Authorship>, age: Option<Duration>, gates: &Gates, people: &[Person]) -> Found {
    let known = policy::authors::known(made, people, &gates.authors);
    let Some(made) = made else {
        let (why, fix) = known.unknown.unwrap_or_else(|| (Text::empty(), Text::empty()));
        return Found::new(Finding::NoSource, why.to_string(), fix.as_str());
    };
    let (finding, text, fix) = match &known.unknown {
        None => (Finding::Holds, format!("{}: {}", known.words(), made.range_words()), Text::empty()),
        Some((why, fix)) => {
            let words = if known.people.is_empty() && known.unmapped.is_empty() { String::new() } else { format!("{}: ", known.words()) };
            (Finding::NotKnown, format!("{words}{}: {why}", made.range_words()), fix.clone())
        }
    };
    let source = made.span().map(|span| span.backend.to_string()).unwrap_or_default();
    Found::new(finding, text, fix.as_str()).from(&source, age.map(|age| age.as_secs()))
}

fn freshness(world: &World, target: &Target, now: &Moment) -> Found {
    let all = world.catalog.backends_of(target);
    let stale: Vec<String> = all.iter().filter(|backend| !world.freshness(backend, now).is_fresh()).map(ToString::to_string).collect();
    if all.is_empty() {
        return Found::new(Finding::NoSource, "no source tells of it".to_owned(), "configure its traffic, pipeline or signals");
    }
    if stale.is_empty() {
        return Found::new(Finding::Holds, format!("all {} sources are fresh", all.len()), "");
    }
    Found::new(Finding::Fails, format!("not fresh: {}", stale.join(", ")), "wait for fresh readings; `gonogo doctor` says what is wrong")
}

fn alerts(world: &World, view: &TargetView, service: &Service, now: &Moment) -> Found {
    let Some(matched) = &service.alerts else {
        return Found::new(
            Finding::NoSource,
            "no alerts are configured for it".to_owned(),
            "add alerts = { backend, match } to its service",
        );
    };
    let backend = matched.backend.as_str();
    let age = world.sources.get(&matched.backend).and_then(|source| source.age(now)).map(|age| age.as_secs());
    if !world.freshness(&matched.backend, now).is_fresh() {
        return Found::new(Finding::NotKnown, format!("{backend} is not fresh, so alerts are not known"), "wait for a fresh reading")
            .from(backend, age);
    }
    let firing: Vec<String> = view
        .alerts
        .iter()
        .filter(|alert| alert.silenced_by.is_empty() && alert.inhibited_by.is_empty())
        .map(|alert| alert.name.to_string())
        .collect();
    let found = if firing.is_empty() {
        Found::new(Finding::Holds, "no alert fires on it".to_owned(), "")
    } else {
        Found::new(Finding::Fails, format!("fires: {}", firing.join(", ")), "end what it tells of, or silence it with a reason")
    };
    found.from(backend, age)
}

fn signals(world: &World, view: &TargetView, now: &Moment) -> Found {
    let Some(first) = view.signals.first() else {
        return Found::new(Finding::NoSource, "no signals were read for it".to_owned(), "add [[service.signal]] tables");
    };
    let age = world.sources.get(&first.backend).and_then(|source| source.age(now)).map(|age| age.as_secs());
    let of = |states: &[SignalState]| -> Vec<String> {
        view.signals.iter().filter(|signal| states.contains(&signal.state)).map(|signal| signal.sentence.to_string()).collect()
    };
    let bad = of(&[SignalState::Past, SignalState::Worse]);
    let unknown: Vec<String> = view
        .signals
        .iter()
        .filter(|signal| signal.state == SignalState::NoData || !world.freshness(&signal.backend, now).is_fresh())
        .map(|signal| signal.name.to_string())
        .collect();
    let found = if !bad.is_empty() {
        Found::new(Finding::Fails, bad.join("; "), "the way back is open; find the cause before the next step")
    } else if unknown.is_empty() {
        Found::new(Finding::Holds, format!("{} signals are within their limits", view.signals.len()), "")
    } else {
        Found::new(Finding::NotKnown, format!("no data: {}", unknown.join(", ")), "wait for data; no data is no pass")
    };
    found.from(first.backend.as_str(), age)
}

/// The error budgets of a target: none is gone, none burns so that a person is called at once, and each is known.
fn budget(world: &World, target: &Target, now: &Moment) -> Found {
    let all: Vec<&ObjectiveView> = world.objectives_of(target).map(AsRef::as_ref).collect();
    let Some(first) = all.first() else {
        return Found::new(Finding::NoSource, format!("no objective is configured for {target}"), "add a [[slo]] for it");
    };
    let age = all.iter().filter_map(|one| one.age(now)).max().map(|age| age.as_secs());
    let in_state = |states: &[ObjectiveState]| -> Vec<String> {
        let meant = all.iter().filter(|one| states.contains(&one.state(now)));
        meant.map(|one| format!("{} {}", one.key.name, one.state(now).word())).collect()
    };
    let (bad, unknown) = (in_state(&[ObjectiveState::Page, ObjectiveState::Gone]), in_state(&[ObjectiveState::Unknown]));
    let found = if !bad.is_empty() {
        Found::new(Finding::Fails, bad.join(", "), "mend what burns it; only what lowers the burn should go out now")
    } else if unknown.is_empty() {
        Found::new(Finding::Holds, format!("{} error budgets are not gone, and none calls a person", all.len()), "")
    } else {
        Found::new(Finding::NotKnown, unknown.join(", "), "wait for data; what is not known is no pass")
    };
    found.from(first.objective.backend.as_str(), age)
}

/// The newest run that built the version on trial; where runs do not tell what they built, the newest that is over, and it says so.
fn pipeline(world: &World, view: &TargetView, pipeline: Option<&PipelineRef>, now: &Moment) -> Found {
    let Some(pipeline) = pipeline else {
        return Found::new(
            Finding::NoSource,
            "no pipeline is configured for it".to_owned(),
            "add pipeline = { backend, .. } to its service",
        );
    };
    let backend = pipeline.backend.as_str();
    let age = world.sources.get(&pipeline.backend).and_then(|source| source.age(now)).map(|age| age.as_secs());
    if !world.freshness(&pipeline.backend, now).is_fresh() {
        return Found::new(Finding::NotKnown, format!("{backend} is not fresh"), "wait for a fresh reading").from(backend, age);
    }
    let runs: &[Run] = world
        .runs(&pipeline.backend)
        .and_then(|fact| fact.value.as_ref())
        .and_then(|reading| reading.builders.get(&pipeline.builder))
        .map_or(&[], |builder| &builder.runs);
    let seen = view.version(view.canary_slot());
    let built = |run: &&Run| {
        seen.is_some_and(|seen| {
            let said = ["digest", "version"].map(|name| run.properties.get(name));
            said[0].is_some_and(|digest| Some(digest) == seen.digest.as_ref()) || said[1] == Some(&seen.version)
        })
    };
    let what = seen.map_or_else(|| "the version on trial".to_owned(), |seen| seen.version.to_string());
    let found = match runs.iter().find(built) {
        Some(run) if run.state.is_good() => Found::new(Finding::Holds, format!("run {} built {what}: {}", run.id, run.state.word()), ""),
        Some(run) if run.state.is_over() => {
            Found::new(Finding::Fails, format!("run {} built {what}: {}", run.id, run.state.word()), "mend it and build again")
        }
        Some(run) => Found::new(Finding::NotKnown, format!("run {} builds {what}: {}", run.id, run.state.word()), "wait until it is over"),
        None => Found::new(
            Finding::NotKnown,
            format!("no run of {} says that it built {what}", pipeline.builder),
            "let the pipeline set the property version or digest on its runs",
        ),
    };
    found.from(backend, age)
}

fn soak(world: &World, view: &TargetView, gates: &Gates, now: &Moment) -> Found {
    let Some(wanted) = gates.soak_time else {
        return Found::new(Finding::NoSource, "no soak_time is configured".to_owned(), "set soak_time in the environment");
    };
    let own = view.target.environment.clone();
    let place = world.catalog.environments.iter().position(|environment| environment.name == own).unwrap_or_default();
    let service = world.catalog.services.get(&view.target.service);
    let before = world
        .catalog
        .environments
        .iter()
        .take(place)
        .rev()
        .find(|environment| service.is_some_and(|service| service.deploy.contains_key(&environment.name)));
    let Some(before) = before else {
        return Found::new(Finding::NoSource, format!("no environment comes before {own}"), "take the check out of the first environment");
    };
    let Some(seen) = view.version(view.canary_slot()) else {
        return Found::new(Finding::NotKnown, "the version on trial is not known".to_owned(), "configure version = { backend, query }");
    };
    let there = world.target(&Target::new(view.target.service.clone(), before.name.clone()));
    let stable = there.and_then(|view| view.version(view.state.stable));
    let same = stable.filter(|stable| stable.version == seen.version && (stable.digest.is_none() || stable.digest == seen.digest));
    let wanted_min = wanted.as_secs() / 60;
    match same {
        None => Found::new(
            Finding::Fails,
            format!("{} is not the stable version in {}", seen.version, before.name),
            &format!("make it stable in {} for {wanted_min} min first", before.name),
        ),
        Some(stable) => {
            let soaked = (now.wall - stable.since).to_std().unwrap_or_default();
            let text =
                format!("{} is stable in {} since {} min, asked for are {wanted_min}", seen.version, before.name, soaked.as_secs() / 60);
            if soaked >= wanted {
                Found::new(Finding::Holds, text, "")
            } else {
                Found::new(Finding::Fails, text, "wait until the soak time is over")
            }
        }
    }
}

fn way_back(view: &TargetView, gates: &Gates, now: &Moment) -> Found {
    let Some(within) = gates.way_back_proven_within else {
        let fix = "set way_back_proven_within in the environment";
        return Found::new(Finding::NoSource, "no way_back_proven_within is configured".to_owned(), fix);
    };
    let wanted = gate::days(within);
    let fix = "carry out a way back in a quiet hour (shift up one step and abort): that proves it";
    match &view.state.way_back {
        None => Found::new(Finding::Fails, format!("no way back was seen to work on {}", view.target), fix).from("store", None),
        Some(back) => {
            let age = age(now, back.at);
            let text = format!("its way back worked on {}, {} days ago, asked for are {wanted}", back.at.format("%Y-%m-%d"), age / 86_400);
            let finding = if age <= within.as_secs() { Finding::Holds } else { Finding::Fails };
            Found::new(finding, text, fix).from("store", Some(age))
        }
    }
}

fn age(now: &Moment, at: DateTime<Utc>) -> u64 {
    (now.wall - at).to_std().unwrap_or_default().as_secs()
}
