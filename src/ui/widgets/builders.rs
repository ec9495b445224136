//! The builders of a target: what builds it and what deploys it, why one of them says nothing, and what waits for them.

use crate::control::world::{SourceFact, World};
use crate::model::name::{BackendName, Target};
use crate::model::pipeline::{Builder, QueuedRun};
use crate::model::reading::Freshness;

use crate::model::intent::Verb;
use crate::ui::command::Command;
use crate::ui::row::{Row, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};

/// One builder of a target.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// What it is for: `builds` or `deploys`.
    pub does: &'static str,
    /// The CI backend.
    pub backend: &'a BackendName,
    /// The configured name.
    pub builder: &'a str,
    /// What was read of it last.
    pub known: Option<&'a Builder>,
}

/// The builders of a target, each once.
pub fn of<'a>(world: &'a World, target: &Target) -> Vec<Line<'a>> {
    let service = world.catalog.services.get(&target.service).and_then(|service| service.pipeline.as_ref());
    let deploy = world.catalog.deploy(target).and_then(|deploy| deploy.deploy.as_ref());
    let mut lines: Vec<Line<'a>> = Vec::new();
    for (does, pipeline) in service.map(|one| ("builds", one)).into_iter().chain(deploy.map(|one| ("deploys", one))) {
        let (backend, builder) = (&pipeline.backend, pipeline.builder.as_str());
        if lines.iter().any(|line| line.backend == backend && line.builder == builder) {
            continue;
        }
        let reading = world.runs(backend).and_then(|fact| fact.value.as_deref());
        lines.push(Line { does, backend, builder, known: reading.and_then(|reading| reading.builders.get(builder)) });
    }
    lines
}

/// What stands in the way of seeing its runs, each with what to do; nothing when all is well.
pub fn troubles(scene: &Scene<'_>, target: &Target, lines: &[Line<'_>], width: usize) -> Vec<Row> {
    let mut said: Vec<(Role, String)> = Vec::new();
    if lines.is_empty() {
        said.push((Role::Plain, format!("nothing configured: {target} has no pipeline.")));
        let todo = format!(
            "Write `pipeline` into the service {} (what builds it), or `deploy` into its deploy in {} (what deploys it); `gonogo config example` shows both.",
            target.service, target.environment
        );
        said.push((Role::Quiet, todo));
    }
    for line in lines {
        let text = of_source(scene, line.backend).or_else(|| of_builder(scene, line));
        said.extend(text.filter(|text| !said.contains(text)));
    }
    said.iter().flat_map(|(role, text)| shown(scene, *role, text, width)).collect()
}

fn shown(scene: &Scene<'_>, role: Role, text: &str, width: usize) -> Vec<Row> {
    let mark = if role == Role::Watched { scene.glyph(Mark::Unknown) } else { " " };
    let lines = wrap(text, width.saturating_sub(4)).into_iter().enumerate();
    lines.map(|(n, line)| Row::of(role, format!(" {} {line}", if n == 0 { mark } else { " " }))).collect()
}

/// Why its backend says nothing, or nothing new.
fn of_source(scene: &Scene<'_>, backend: &BackendName) -> Option<(Role, String)> {
    let Some(source) = scene.world.sources.get(backend) else {
        return Some((Role::Watched, format!("{backend} is not configured: write [backends.{backend}]")));
    };
    if matches!(source.fact, SourceFact::Unsupported) {
        return Some((
            Role::Watched,
            format!("{backend}: this version cannot read runs of {}; look at {}", source.kind().word(), source.backend.address),
        ));
    }
    let why = || source.trouble().map(|error| format!(": {error}; {}", error.remedy())).unwrap_or_default();
    let age = source.age(scene.now).map(|age| scene.age(age));
    let text = match (scene.standing_of(source), age) {
        (Freshness::Fresh, _) => return None,
        (Freshness::Never, _) => return Some((Role::Quiet, format!("loading: {backend} was not read yet"))),
        (Freshness::Unauthorised, None) => format!("forbidden{}", why()),
        (Freshness::Stale | Freshness::Unreachable, None) => format!("unreachable{}", why()),
        (Freshness::Stale | Freshness::Unreachable | Freshness::Unauthorised, Some(age)) => {
            format!("what {backend} says here is {age} old{}", why())
        }
    };
    Some((Role::Watched, text))
}

/// Why a builder shows nothing though its backend answers.
fn of_builder(scene: &Scene<'_>, line: &Line<'_>) -> Option<(Role, String)> {
    let Line { does, backend, builder, known } = line;
    match known {
        None => {
            let reading = scene.world.runs(backend).and_then(|fact| fact.value.as_deref());
            let missing = reading.is_some_and(|reading| reading.missing.iter().any(|name| name.as_str() == *builder));
            Some(if missing {
                (
                    Role::Watched,
                    format!(
                        "{backend} has no builder `{builder}`, which {does} it: compare the name in the configuration with those of {backend}"
                    ),
                )
            } else {
                (Role::Quiet, format!("loading: `{builder}`, which {does} it, was not read yet"))
            })
        }
        Some(found) if found.runs.is_empty() && found.queued.is_empty() => {
            let key = scene.keymap.shown(Command::Deed(Verb::Start));
            let todo = if *does == "builds" { format!("; {key} starts it") } else { String::new() };
            Some((Role::Quiet, format!("nothing there: `{builder}`, which {does} it, never ran{todo}")))
        }
        Some(_) => None,
    }
}

/// What waits for its builders, oldest first; what does not fit is counted.
pub fn queue(scene: &Scene<'_>, lines: &[Line<'_>], most: usize) -> Vec<Row> {
    let mut waiting: Vec<&QueuedRun> = lines.iter().filter_map(|line| line.known).flat_map(|builder| &builder.queued).collect();
    waiting.sort_by_key(|one| one.asked);
    let mut rows: Vec<Row> = waiting.iter().take(most).map(|one| queued(scene, one)).collect();
    if let (Some(last), true) = (rows.last_mut(), waiting.len() > most) {
        last.end(Role::Quiet, format!(" and {} more wait ", waiting.len() - most));
    }
    rows
}

fn queued(scene: &Scene<'_>, one: &QueuedRun) -> Row {
    let mut row = Row::new();
    row.add(Role::Waits, format!(" {} ", scene.glyph(Mark::Waits))).add(Role::Plain, format!("in the queue of {}", one.builder));
    if let Some(asked) = &one.asked {
        row.add(Role::Plain, format!(" for {}", scene.ago(asked)));
    }
    if !one.reason.is_empty() {
        row.add(Role::Quiet, format!("  {}", one.reason));
    }
    row
}
