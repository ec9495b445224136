//! The table of services: one row a service, one column an environment; columns fall away where there is no room.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::control::standing::{Standing, standing};
use crate::control::world::{ObjectiveView, SignalState, SignalView, TargetView};
use crate::model::name::{EnvironmentName, ServiceName, Target};
use crate::model::reading::Freshness;
use crate::model::share::Percent;
use crate::model::workload::WorkloadSeen;

use crate::ui::row::{Row, cells, fit};
use crate::ui::scene::Scene;
use crate::ui::signal;
use crate::ui::theme::{Mark, Role, of_standing};
use crate::ui::widgets::budget;
use crate::ui::words;

/// One service in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The service.
    pub service: ServiceName,
    /// Its worst standing.
    pub standing: Standing,
    /// Where it stands so.
    pub environment: EnvironmentName,
}

/// The widths of the columns that are shown.
#[derive(Debug, Clone)]
pub struct Columns {
    name: usize,
    word: usize,
    environments: Vec<(EnvironmentName, usize)>,
    since: bool,
    /// The heading of the signals, which says over how long they are counted; none where there is no room for them.
    signal: Option<String>,
    /// The gravest objective of each service in sight; none where there is no room, or no objective at all.
    budgets: Option<(budget::Spans, BTreeMap<ServiceName, Arc<ObjectiveView>>)>,
    team: bool,
}

const SINCE: usize = 6;
const SIGNAL: usize = 24;
const TEAM: usize = 12;
const ENOUGH: usize = 24;

impl Columns {
    /// Chooses columns for the rows that are in sight. They fall away in the order team, environments far from production,
    /// signal, budget, since: a signal past its limit stands above with its figures.
    pub fn of(scene: &Scene<'_>, lines: &[Line], width: usize) -> Self {
        let name = lines.iter().map(|line| cells(line.service.as_str())).max().unwrap_or(0).clamp(7, (width / 3).max(7));
        let word = lines.iter().map(|line| line.standing.word().len()).max().unwrap_or(0);
        let mut all: Vec<_> = scene.world.catalog.environments.iter().collect();
        all.sort_by_key(|environment| std::cmp::Reverse(environment.order));
        let fixed = 4 + name + 1 + word + 1;
        let mut left = width.saturating_sub(fixed);
        let since = left >= ENOUGH + SINCE;
        left = left.saturating_sub(if since { SINCE } else { 0 });
        let budgets = (!scene.world.objectives.is_empty()).then(|| {
            let all = budget::gravest(scene, &lines.iter().map(|line| &line.service).collect::<Vec<_>>());
            (budget::Spans::of(all.values().map(|view| &**view)), all)
        });
        let budgets = budgets.filter(|(spans, _)| left >= ENOUGH + spans.width());
        left = left.saturating_sub(budgets.as_ref().map_or(0, |(spans, _)| spans.width()));
        let signal = left >= ENOUGH + SIGNAL;
        left = left.saturating_sub(if signal { SIGNAL } else { 0 });
        let signal = signal.then(|| signal_heading(scene, lines));
        let fits = ((left + 1) / (ENOUGH + 1)).max(1).min(all.len().max(1));
        let team = width >= 110
            && left >= fits * (ENOUGH + 1) + TEAM
            && scene.world.catalog.services.values().any(|service| service.team.is_some());
        left = left.saturating_sub(if team { TEAM } else { 0 });
        let each = left / fits;
        let mut environments: Vec<_> = all.into_iter().take(fits).map(|environment| (environment.name.clone(), each.min(34))).collect();
        environments.reverse();
        Self { name, word, environments, since, signal, budgets, team }
    }

    /// The row of headings.
    pub fn heading(&self) -> Row {
        let mut row = Row::new();
        row.at(4).add(Role::Quiet, "service").at(4 + self.name + 1).add(Role::Quiet, "state");
        let mut column = 4 + self.name + 1 + self.word + 1;
        for (name, width) in &self.environments {
            row.at(column).add(Role::Quiet, name.as_str());
            column += width;
        }
        if self.since {
            row.at(column).add(Role::Quiet, "since");
            column += SINCE;
        }
        if let Some((spans, _)) = &self.budgets {
            row.at(column).add(Role::Quiet, spans.heading());
            column += spans.width();
        }
        if let Some(heading) = &self.signal {
            row.at(column).add(Role::Quiet, heading);
            column += SIGNAL;
        }
        if self.team {
            row.at(column).add(Role::Quiet, "team");
        }
        row
    }

    /// That environments have no column, from long to short; nothing where all have one.
    pub fn hidden(&self, scene: &Scene<'_>) -> Vec<String> {
        match scene.world.catalog.environments.len().saturating_sub(self.environments.len()) {
            0 => Vec::new(),
            1 => vec!["1 environment not shown ".to_owned(), "+1 env ".to_owned()],
            more => vec![format!("{more} environments not shown "), format!("+{more} env ")],
        }
    }

    /// The row of a service.
    pub fn row(&self, scene: &Scene<'_>, line: &Line, cursor: Option<&Target>) -> Row {
        let (mark, role) = of_standing(line.standing);
        let here = cursor.filter(|target| target.service == line.service);
        let mut row = Row::new();
        row.add(Role::Strong, scene.glyph(if here.is_some() { Mark::Cursor } else { Mark::None }));
        row.add(role, scene.glyph(mark)).add(Role::Strong, scene.chosen(&line.service)).at(4).add(Role::Plain, line.service.as_str());
        row.at(4 + self.name + 1).add(if line.standing == Standing::Quiet { Role::Quiet } else { role }, line.standing.word());
        let mut column = 4 + self.name + 1 + self.word + 1;
        let mut shown = Target::new(line.service.clone(), line.environment.clone());
        for (name, width) in &self.environments {
            let target = Target::new(line.service.clone(), name.clone());
            row.at(column);
            let on = here.is_some_and(|target| &target.environment == name) && self.environments.len() > 1;
            let (role, text) = cell(scene, &target, width.saturating_sub(2));
            row.add(if on { Role::Key } else { role }, text);
            column += width;
        }
        if let Some(target) = here {
            shown = target.clone();
        }
        let view = scene.world.target(&shown);
        if self.since {
            row.at(column);
            if let Some(since) = view.and_then(|view| view.since.or(view.state.rollout.as_ref().map(|rollout| rollout.begun))) {
                row.add(Role::Quiet, scene.ago(&since));
            }
            column += SINCE;
        }
        if let Some((spans, budgets)) = &self.budgets {
            row.at(column);
            if let Some(objective) = budgets.get(&line.service) {
                let (role, text) = spans.row(scene, objective);
                row.add(role, text);
            }
            column += spans.width();
        }
        if self.signal.is_some() {
            row.at(column);
            if let Some(signal) = view.and_then(|view| leading(view)) {
                let (role, text) = signal_cell(scene, signal, SIGNAL - 1);
                row.add(role, text);
            }
            column += SIGNAL;
        }
        if let (true, Some(team)) = (self.team, scene.world.catalog.services.get(&line.service).and_then(|service| service.team.as_ref())) {
            row.at(column).add(Role::Quiet, team.clone());
        }
        row
    }
}

/// The heading of the signals of the rows in sight: `signal in 2m, limit`.
fn signal_heading(scene: &Scene<'_>, lines: &[Line]) -> String {
    let view = |line: &Line| scene.world.target(&Target::new(line.service.clone(), line.environment.clone()));
    let told = lines.iter().filter_map(view).filter_map(|view| leading(view)).filter(|signal| value_of(signal).is_some());
    let windows = told.map(signal::window).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let forms = [windows.join(" or "), windows.join("/").replace("in ", "")].map(|windows| format!("  signal {windows}, limit"));
    let plain = "  signal, limit".to_owned();
    if windows.is_empty() { plain } else { fit(&[forms.as_slice(), &[plain]].concat(), SIGNAL - 1) }
}

/// The signal that says most: past its limit, else one that alone decides, else the first.
pub fn leading(view: &TargetView) -> Option<&SignalView> {
    let past = view.signals.iter().find(|signal| matches!(signal.state, SignalState::Past | SignalState::Worse));
    past.or_else(|| view.signals.iter().find(|signal| signal.critical)).or_else(|| view.signals.first()).map(Arc::as_ref)
}

/// What is told of a signal where one figure must do.
fn value_of(signal: &SignalView) -> Option<f64> {
    signal.canary.value.or(signal.whole.value).or(signal.stable.value)
}

fn signal_cell(scene: &Scene<'_>, signal: &SignalView, room: usize) -> (Role, String) {
    let value = value_of(signal);
    let fresh = scene.freshness(&signal.backend).is_fresh();
    let unknown = scene.glyph(Mark::Unknown);
    let Some(value) = value else {
        return (Role::Quiet, fit(&[format!("{unknown} {} no data", signal.name), format!("{unknown} no data")], room));
    };
    let value = words::value(value, &signal.unit);
    let limit = signal.limit.map(|limit| format!(", {}", words::limit(limit, &signal.unit))).unwrap_or_default();
    let (role, mark) = match (fresh, signal.state) {
        (true, SignalState::Past | SignalState::Worse) => (Role::Abnormal, Mark::Abnormal),
        (true, SignalState::Within) => (Role::Plain, Mark::None),
        (false, _) => (Role::Stale, Mark::Unknown),
        (true, SignalState::NoData) => (Role::Quiet, Mark::None),
    };
    // The mark has its own cell, so that names stand under each other.
    let mark = format!("{} ", scene.glyph(mark));
    (role, fit(&[format!("{mark}{} {value}{limit}", signal.name), format!("{mark}{value}{limit}"), format!("{mark}{value}")], room))
}

/// How far the instances of a workload are replaced, from long to short; none where all of them are of one version and no rollout is
/// under way.
fn replaced(view: &TargetView, seen: &WorkloadSeen, between: &str) -> Option<Vec<String>> {
    let rollout = view.state.rollout.as_ref();
    if rollout.is_none() && seen.is_done() {
        return None;
    }
    let (new, all) = (seen.replicas.updated.min(seen.replicas.wished), seen.replicas.wished);
    let of = |slot| view.version(slot).map(|seen| seen.version.to_string());
    let to = rollout.and_then(|_| of(view.canary_slot())).or_else(|| of(view.state.stable)).unwrap_or_else(|| "?".to_owned());
    // Before the first step nothing of it is new.
    let new = if rollout.and_then(|rollout| rollout.course.as_ref()).is_some_and(|course| course.step.is_none()) { 0 } else { new };
    let short = vec![format!("{between} {to} {new} of {all}"), format!("{between} {new} of {all}")];
    let from = rollout.and_then(|_| of(view.state.stable));
    Some(from.map(|from| format!("{from} {between} {to} {new} of {all}")).into_iter().chain(short).collect())
}

/// A target in one cell: versions and shares, in the longest form that fits.
pub fn cell(scene: &Scene<'_>, target: &Target, room: usize) -> (Role, String) {
    if scene.world.catalog.deploy(target).is_none() {
        return (Role::Quiet, "-".to_owned());
    }
    let Some(view) = scene.world.target(target) else { return (Role::Quiet, "-".to_owned()) };
    let freshness = crate::control::standing::freshness(scene.world, view, scene.now);
    let stable = view.version(view.state.stable).map(|seen| seen.version.to_string());
    let canary = view.version(view.canary_slot()).map(|seen| seen.version.to_string());
    let (mark, role) = of_standing(standing(scene.world, view, scene.now));
    let between = scene.glyph(if view.state.hold.is_some() {
        Mark::Held
    } else if matches!(mark, Mark::None | Mark::Abnormal) {
        Mark::Moving
    } else {
        mark
    });
    let share = view.wished();
    let unknown = scene.glyph(Mark::Unknown);
    let replaced = view.workload.as_ref().and_then(|seen| replaced(view, seen, between));
    let forms = match share {
        _ if replaced.is_some() => replaced.unwrap_or_default(),
        Some(share) if share.nearest() != Percent::NONE => {
            let (rest, part) = (words::share(share.rest()), words::share(share));
            let (from, to) = (stable.clone().unwrap_or_else(|| "?".to_owned()), canary.unwrap_or_else(|| "?".to_owned()));
            vec![
                format!("{from} {rest} {between} {to} {part} %"),
                format!("{from} {between} {to} {part} %"),
                format!("{between} {to} {part} %"),
                format!("{between} {part} %"),
            ]
        }
        Some(_) => vec![stable.clone().unwrap_or_else(|| "version unknown".to_owned()), "100 %".to_owned()],
        None => match (&stable, freshness) {
            (Some(version), _) => vec![version.clone()],
            (None, Freshness::Never) => vec![format!("{unknown} loading")],
            (None, Freshness::Fresh) => vec![format!("{unknown} no version"), format!("{unknown}")],
            (None, Freshness::Stale | Freshness::Unreachable | Freshness::Unauthorised) => {
                vec![format!("{unknown} {}", freshness.word()), format!("{unknown}")]
            }
        },
    };
    if freshness.is_fresh() {
        let role = if role == Role::Quiet { Role::Plain } else { role };
        return (role, fit(&forms, room));
    }
    let stale: Vec<String> =
        forms.iter().map(|form| if form.starts_with(unknown) { form.clone() } else { format!("{unknown} {form}") }).collect();
    (Role::Stale, fit(&stale, room))
}
