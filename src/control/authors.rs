//! Who made what a plan brings: which two versions that is between, and what the source of changes said of them last.
//!
//! A version becomes a commit by the run that built it, where a run says that it did; else by its tag, or by its own name.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::control::world::{TargetView, VersionSeen, World};
use crate::model::authorship::{Authorship, Span};
use crate::model::catalog::{BackendKind, Repository, Service};
use crate::model::intent::Direction;
use crate::model::name::Target;
use crate::model::origin::Range;
use crate::model::pipeline::{Run, RunId};
use crate::model::plan::{Plan, StepEffect};
use crate::model::reading::Fact;
use crate::model::text::Text;
use crate::model::time::Moment;

/// How old what was read may be before authors count as not known.
pub const OLD_AFTER: Duration = Duration::from_mins(10);
/// What the source names the newest commit.
const NEWEST: &str = "HEAD";

/// The authors of a plan as the world stands, with the age of what was read. None where the service has no source of changes, and for
/// what does not go forward: the way back asks for no authors.
pub fn of_plan(world: &World, plan: &Plan, now: &Moment) -> Option<(Authorship, Option<Duration>)> {
    of(world, plan.target(), plan.direction, (&plan.order.effects, plan.intent.args.version.as_ref()), now)
}

/// The same of what is planned: a plan's target and direction, its effects, and the version that it brings where it says one.
pub fn of(
    world: &World,
    target: &Target,
    direction: Direction,
    (effects, brings): (&[StepEffect], Option<&Text>),
    now: &Moment,
) -> Option<(Authorship, Option<Duration>)> {
    if direction != Direction::Forward {
        return None;
    }
    let service = world.catalog.services.get(&target.service)?;
    let (repository, kind) = source(world, service)?;
    let between = match between(world, service, repository, target, (effects, brings)) {
        Ok(Some(span)) => span,
        Ok(None) => return Some((Authorship::Nothing, None)),
        Err(why) => return Some((Authorship::not_read(None, &why.0, &why.1), None)),
    };
    let Some(fact) = world.ranges.get(&between) else {
        let fix = format!("wait until {} was asked", between.backend);
        return Some((Authorship::not_read(Some(between), "what lies between was not read yet", &fix), None));
    };
    let age = fact.age(now);
    Some((said(fact, between, kind, age), age))
}

fn said(fact: &Fact<Range>, span: Span, kind: BackendKind, age: Option<Duration>) -> Authorship {
    let trouble = || fact.trouble.as_ref().map_or_else(|| "it was read too long ago".to_owned(), ToString::to_string);
    let remedy = fact.trouble.as_ref().map_or("wait until it is read again", |error| error.remedy());
    match (&fact.value, age) {
        (Some(range), Some(age)) if age <= OLD_AFTER => Authorship::Read { kind, span, range: (**range).clone() },
        (Some(_) | None, _) => Authorship::not_read(Some(span), &trouble(), remedy),
    }
}

/// Where a service's changes come from, when a backend is configured for its repository.
fn source<'a>(world: &World, service: &'a Service) -> Option<(&'a Repository, BackendKind)> {
    let repository = service.repository.as_ref()?;
    Some((repository, world.sources.get(repository.backend.as_ref()?)?.kind()))
}

/// Why no range can be named, and what would change it.
type Unnamed = (String, String);

/// The range whose authors count: from what is stable to what comes. None: nothing lies between.
fn between(
    world: &World,
    service: &Service,
    repository: &Repository,
    target: &Target,
    (effects, brings): (&[StepEffect], Option<&Text>),
) -> Result<Option<Span>, Unnamed> {
    let backend = repository.backend.clone().ok_or_else(|| unnamed("no source of its changes is configured"))?;
    let view = world.target(target).ok_or_else(|| unnamed("its target is not configured"))?;
    let stable = view.version(view.state.stable).ok_or_else(|| unnamed("the version that runs is not known"))?;
    let from = commit_of(world, service, repository, stable)?;
    let to = if let Some(brought) = effects.iter().find_map(|effect| brought(world, effect)) {
        brought
    } else if let Some(version) = brings {
        // What stands in the other slot is an older one, which it replaces.
        let comes = VersionSeen { version: version.clone(), digest: None, since: stable.since };
        if comes.version == stable.version {
            return Ok(None);
        }
        commit_of(world, service, repository, &comes)?
    } else {
        let trial = view.version(view.canary_slot()).ok_or_else(|| unnamed("the version on trial is not known"))?;
        if is_same(stable, trial)? {
            return Ok(None);
        }
        commit_of(world, service, repository, trial)?
    };
    Ok((from != to).then(|| Span { backend, repository: repository.name.clone(), from, to }))
}

fn unnamed(why: &str) -> Unnamed {
    (why.to_owned(), "configure version = { backend, query, label, digest } for its deployment".to_owned())
}

/// Whether two slots run the same. The same name for different digests is no name at all.
fn is_same(one: &VersionSeen, other: &VersionSeen) -> Result<bool, Unnamed> {
    match (one.version == other.version, &one.digest, &other.digest) {
        (true, Some(first), Some(second)) if first != second => {
            Err((format!("{} is in both slots with different digests", one.version), "give every build a version of its own".to_owned()))
        }
        (same, ..) => Ok(same),
    }
}

/// What a run that an effect starts, repeats or lets go on builds; none for an effect that builds nothing.
fn brought(world: &World, effect: &StepEffect) -> Option<String> {
    let run = |backend, builder: &str, number| {
        let run = runs(world, backend, builder).iter().find(|run| run.id == RunId { backend: backend.clone(), number });
        Some(run.map(|run| run.revision.to_string()).filter(|revision| !revision.is_empty()).unwrap_or_else(|| NEWEST.to_owned()))
    };
    match effect {
        StepEffect::Weights { .. }
        | StepEffect::Workload { .. }
        | StepEffect::Flag { .. }
        | StepEffect::Drain { .. }
        | StepEffect::Silence { .. }
        | StepEffect::Cancel { .. } => None,
        StepEffect::Answer { revision, .. } => Some(revision.clone()),
        StepEffect::Retry { backend, builder, run: number } | StepEffect::Repeat { backend, builder, run: number, .. } => {
            run(backend, builder, *number)
        }
        StepEffect::Start { backend, scheduler, properties, .. } => {
            let said = properties.get("revision").or_else(|| properties.get("branch")).cloned();
            // At GitHub it is the branch or tag that a workflow is started from.
            let kind = world.sources.get(backend).map(|source| source.kind());
            Some(said.unwrap_or_else(|| match kind {
                Some(BackendKind::Github) => scheduler.clone(),
                Some(_) | None => NEWEST.to_owned(),
            }))
        }
    }
}

fn runs<'a>(world: &'a World, backend: &crate::model::name::BackendName, builder: &str) -> &'a [Run] {
    let reading = world.runs(backend).and_then(|fact| fact.value.as_ref());
    reading.and_then(|reading| reading.builders.get(builder)).map_or(&[], |builder| &builder.runs)
}

/// The commit, tag or branch that a version is of.
fn commit_of(world: &World, service: &Service, repository: &Repository, seen: &VersionSeen) -> Result<String, Unnamed> {
    let runs = service.pipeline.as_ref().map_or(&[][..], |pipeline| runs(world, &pipeline.backend, &pipeline.builder));
    let said = |run: &Run, name: &str| run.properties.get(name).cloned();
    let built = |run: &&Run| !run.revision.is_empty() && said(run, "digest").is_some() && said(run, "digest") == seen.digest;
    if let Some(run) = runs.iter().find(built) {
        return Ok(run.revision.to_string());
    }
    let named = |run: &&Run| said(run, "version").as_ref() == Some(&seen.version) && !run.revision.is_empty();
    let revisions: BTreeSet<&Text> = runs.iter().filter(named).map(|run| &run.revision).collect();
    let mut digests = runs.iter().filter(named).filter_map(|run| said(run, "digest"));
    // A run built this version, and what it built is not what runs.
    if seen.digest.is_some() && digests.next().is_some() {
        let why = format!("no run says that it built {} with the digest that runs", seen.version);
        return Err((why, "deploy what the pipeline built".to_owned()));
    }
    match (revisions.len(), revisions.first()) {
        (0, _) => {
            Ok(repository.tag.as_ref().map_or_else(|| seen.version.to_string(), |tag| tag.replace("$version", seen.version.as_str())))
        }
        (1, Some(revision)) => Ok(revision.to_string()),
        (n, _) => Err((
            format!("{n} runs of different commits say that they built {}", seen.version),
            "give every build a version of its own, or let its runs say the digest".to_owned(),
        )),
    }
}

/// What is to be asked for a target's own rollout, as the world stands; none when there is nothing to ask.
pub fn wanted(world: &World, view: &TargetView) -> Option<Span> {
    let service = world.catalog.services.get(&view.target.service)?;
    let (repository, _) = source(world, service)?;
    between(world, service, repository, &view.target, (&[], None)).ok().flatten()
}

/// The plan with its authors as they are known now.
#[must_use]
pub fn looked_at(world: &World, plan: &Plan, now: &Moment) -> Plan {
    Plan { authors: of_plan(world, plan, now).map(|(authors, _)| authors), ..plan.clone() }
}

/// Whether what a plan's authors depend on was asked for at `since` or later, or need not be asked at all.
pub fn is_read_since(world: &World, plan: &Plan, since: &Moment, now: &Moment) -> bool {
    let Some((authors, _)) = of_plan(world, plan, now) else { return true };
    let Some(span) = authors.span() else { return true };
    world.ranges.get(span).and_then(|fact| fact.tried).is_some_and(|tried| tried.boot >= since.boot)
}
