//! The rollout: is the new version as good as the old one, and what happens next?

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::control::advice;
use crate::control::beside;
use crate::control::planner::PlanError;
use crate::control::world::{SignalState, TargetView, World};
use crate::control::world::{said, told};
use crate::model::intent::{Arguments, Intent, Verb};
use crate::model::name::Target;
use crate::model::plan::Plan;
use crate::model::reading::Freshness;
use crate::model::share::{Percent, Share};
use crate::model::slot::{Slot, Track};
use crate::model::spec::Ending;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;
use crate::policy::rollout::Next;

use crate::ui::ahead;
use crate::ui::command::Command;
use crate::ui::needs;
use crate::ui::row::{Row, cells, fit, wrap};
use crate::ui::scene::Scene;
use crate::ui::signal;
use crate::ui::theme::{Mark, Role};
use crate::ui::widgets::chart::{self, Lens, Sheet};
use crate::ui::widgets::{budget, flags};
use crate::ui::words;

use super::board::by_itself_row;

mod agreed;
mod marks;
mod measures;
mod whole;
mod workload;

pub use marks::of as marks;

/// The fewest rows of a chart with its events.
const CHART: usize = 8;
/// The most.
const TALLEST: usize = 18;
/// The fewest rows of a chart without them.
const LOWEST: usize = 4;

/// What the key of the way back would do: the words, and whether this person may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    role: Role,
    may: bool,
    words: String,
}

/// What an answer hangs on beside rules that change within the day: the world, the ages of its sources, and the minute.
type Question = (u64, Target, Vec<Freshness>, i64);

/// The way back of the target that is looked at, planned and judged once for each world and minute and not at each drawing.
#[derive(Debug, Default)]
pub struct WayBack {
    known: RefCell<Option<(Question, Option<Answer>)>>,
}

impl WayBack {
    /// What a rollback would do now, and whether this person may: the same plan and verdict that the key would open.
    pub fn of(
        &self,
        scene: &Scene<'_>,
        target: &Target,
        plan: impl Fn(&World, Intent, &Moment, &str) -> Result<Plan, PlanError>,
        judge: impl Fn(&World, &Plan, &Moment) -> Verdict,
    ) -> Option<Answer> {
        let ages = scene.world.sources.values().map(|source| source.freshness(scene.now)).collect();
        let question = (scene.world.generation, target.clone(), ages, scene.now.wall.timestamp().div_euclid(60));
        if let Some((asked, answer)) = &*self.known.borrow()
            && *asked == question
        {
            return answer.clone();
        }
        let intent = Intent {
            verb: Verb::Rollback,
            target: target.clone(),
            args: Arguments::default(),
            requester: scene.world.actor.clone(),
            reason: Text::empty(),
        };
        let answer = plan(scene.world, intent, scene.now, "preview").ok().map(|plan| match judge(scene.world, &plan, scene.now) {
            Verdict::Permit(_) => Answer { role: Role::Plain, may: true, words: format!("{}; you may, no approval", plan.after) },
            Verdict::SecondPerson { needs, .. } => {
                Answer { role: Role::Waits, may: true, words: format!("{}; needs {needs} more to agree", plan.after) }
            }
            Verdict::Early(reason) => Answer { role: Role::Plain, may: false, words: format!("not yet: {}", reason.text) },
            Verdict::Deny(reasons) => {
                let words = reasons.first().map_or_else(|| "not possible".to_owned(), |reason| format!("not now: {}", reason.text));
                Answer { role: Role::Watched, may: false, words }
            }
        });
        *self.known.borrow_mut() = Some((question, answer.clone()));
        answer
    }
}

/// The rows of the screen, at least `height` when there is a chart to fill it.
pub fn rows(scene: &Scene<'_>, target: &Target, way_back: Option<&Answer>, lens: &Lens, (width, height): (usize, usize)) -> Vec<Row> {
    let Some(view) = scene.world.target(target) else {
        return vec![
            Row::rule(scene.theme, "nothing configured"),
            Row::of(Role::Plain, format!("  {target} is not deployed there; Esc goes back")),
        ];
    };
    if lens.is_open() {
        return whole::rows(scene, view, lens, (width, height));
    }
    let mut rows = Vec::new();
    verdict(scene, view, way_back, width, &mut rows);
    steps(scene, view, width, &mut rows);
    rows.extend(flags::rows(scene, target, width));
    let objectives = budget::by_gravity(scene.world, target, scene);
    let plain = measures::rows(scene, view, width, false);
    let table = measures::rows(scene, view, width, true);
    let in_short = budgets(scene, &objectives, width);
    let in_full: Vec<Row> = objectives.iter().flat_map(|objective| budget::rows(scene, objective, width)).collect();
    // What decides comes first; sentences and whole budgets have their turn where there is room, else below.
    let room = height.saturating_sub(rows.len());
    let roomy = |table: &[Row], budgets: &[Row]| table.len() + budgets.len() + CHART <= room;
    let mut below = Vec::new();
    if roomy(&table, &in_full) {
        rows.extend(table.into_iter().chain(in_full));
    } else if roomy(&table, &in_short) {
        rows.extend(table.into_iter().chain(in_short));
        below.extend(in_full);
    } else {
        rows.extend(plain.into_iter().chain(in_short));
        below.extend(measures::reasons(scene, view, width).into_iter().chain(in_full));
    }
    let left = height.saturating_sub(rows.len()).min(TALLEST);
    if let Some((signal, points)) = lens.signal(view).and_then(|signal| view.chart(&signal.name).map(|points| (signal, points))) {
        let (points, events): (Vec<_>, _) = (points.points().collect(), marks::of(scene.world, view));
        let sheet = Sheet { view, signal, points: &points, events: &events, lens };
        rows.extend(chart::rows(scene, &sheet, (width, left.max(LOWEST))));
    }
    rows.extend(below);
    rows
}

/// Each objective in one row, the gravest first.
fn budgets(scene: &Scene<'_>, objectives: &[&std::sync::Arc<crate::control::world::ObjectiveView>], width: usize) -> Vec<Row> {
    if objectives.is_empty() {
        return Vec::new();
    }
    let name = objectives.iter().map(|view| cells(view.key.name.as_str())).max().unwrap_or(0).min(width / 4);
    let rows = objectives.iter().map(|view| budget::compact(scene, view, name, width));
    let periods: BTreeSet<String> = objectives.iter().map(|view| format!(" over {}", view.objective.period)).collect();
    let over = periods.first().filter(|_| periods.len() == 1).map(String::as_str).unwrap_or_default();
    std::iter::once(Row::rule(scene.theme, &format!("error budgets of the whole service{over}"))).chain(rows).collect()
}

/// What will happen to a target without a person, first; where nothing will, that only a person moves it.
pub fn by_itself(scene: &Scene<'_>, view: &TargetView, width: usize, rows: &mut Vec<Row>) {
    let before = rows.len();
    for event in needs::by_itself(scene.world, scene.now).iter().filter(|event| event.target == view.target) {
        rows.push(by_itself_row(scene, event));
    }
    if ahead::is_walked(view) {
        walked(scene, view, width, rows);
        return;
    }
    let here = view.wished().map(Share::nearest);
    let next =
        scene.world.catalog.deploy(&view.target).and_then(|deploy| deploy.steps.iter().find(|step| here.is_some_and(|here| **step > here)));
    let key = scene.keymap.shown(Command::Deed(Verb::Promote));
    let traffic = if rows.len() == before { "nothing happens by itself" } else { "no traffic moves by itself" };
    rows.push(match next.filter(|_| here.is_some_and(|here| here != Percent::NONE) && view.state.hold.is_none()) {
        Some(next) => {
            let waits = format!("   {traffic}; the next step, {next} %, waits for a person");
            let key = if key.is_empty() { key } else { format!(" ({key})") };
            Row::of(Role::Quiet, waits).put(Role::Key, key)
        }
        None => Row::of(Role::Quiet, format!("   {traffic}")),
    });
    if let Some(hold) = &view.state.hold {
        let mut row = Row::of(
            Role::Waits,
            format!(
                " {} HELD by {} since {}: no step up; a way back is not stopped",
                scene.glyph(Mark::Held),
                hold.by,
                scene.zone.time(&hold.since)
            ),
        );
        if !hold.reason.is_empty() {
            row.add(Role::Plain, format!(" ({})", hold.reason));
        }
        rows.push(row);
    }
}

/// What a rollout that goes on by itself does next, where no time is known for it or a person is waited for.
fn walked(scene: &Scene<'_>, view: &TargetView, width: usize, rows: &mut Vec<Row>) {
    let Some(ahead) = scene.world.ahead.get(&view.target) else {
        rows.push(Row::of(Role::Quiet, "   its rollout goes on by itself where a room is open; this one has not looked at it yet"));
        return;
    };
    let row = match &ahead.next {
        Next::Holds(_) => Some((Mark::Unknown, Role::Watched)),
        Next::Person(_) => Some((Mark::Waits, Role::Waits)),
        Next::Held(_) | Next::Together(_) => Some((Mark::Held, Role::Waits)),
        Next::Back { .. } => Some((Mark::Back, Role::Abnormal)),
        Next::Moving(_) | Next::Checking(_) | Next::Step { .. } | Next::Evidence { .. } | Next::End => Some((Mark::Moving, Role::Moving)),
        // It stands first already.
        Next::Rolls(_) | Next::StepAt { .. } | Next::Bakes { .. } | Next::BackAt { .. } => None,
    };
    if let Some((mark, role)) = row {
        for (n, line) in wrap(&told(&ahead.next).1, width.saturating_sub(4)).into_iter().enumerate() {
            let lead = if n == 0 { scene.glyph(mark) } else { " " };
            rows.push(Row::of(role, format!(" {lead} ")).put(Role::Plain, line));
        }
    }
    let evidence = match &view.workload {
        Some(_) => "nothing is judged: a workload has no second slot beside it".to_owned(),
        None => format!("the evidence says: {}", said(&ahead.says).1),
    };
    rows.extend(wrap(&evidence, width.saturating_sub(4)).into_iter().map(|line| Row::of(Role::Quiet, format!("   {line}"))));
}

fn verdict(scene: &Scene<'_>, view: &TargetView, back: Option<&Answer>, width: usize, rows: &mut Vec<Row>) {
    let mut rule = Row::rule(scene.theme, "verdict");
    match &view.state.rollout {
        Some(rollout) => {
            let plan = rollout.plan.map(|plan| format!(", plan {}", plan.short())).unwrap_or_default();
            let begun = scene.zone.minute(&rollout.begun, &scene.now.wall);
            // A rollout that was found running was begun by hands that gonogo does not know.
            let words = if rollout.by == "unknown" {
                format!(" not begun through gonogo, seen since {begun} ")
            } else {
                format!(" begun {begun} by {}{plan} ", rollout.by)
            };
            rule.end(Role::Quiet, words);
        }
        None => {
            rule.end(Role::Quiet, " no rollout under way ");
        }
    }
    rows.push(rule);
    if let (None, Some(last)) = (&view.state.rollout, &view.state.last) {
        let (mark, how) = match last.how {
            Ending::Promoted => (Mark::Proven, "became the stable version"),
            Ending::WentBack => (Mark::Back, "went back by itself"),
            Ending::Aborted => (Mark::Back, "was taken back by a person"),
        };
        let version = last.to.as_ref().map_or_else(|| "the last version on trial".to_owned(), ToString::to_string);
        let at = scene.zone.minute(&last.at, &scene.now.wall);
        rows.push(Row::of(Role::Plain, format!(" {} {version} {how} at {at}", scene.glyph(mark))));
    }
    let past: Vec<_> = view.signals.iter().filter(|signal| signal::is_past(signal)).collect();
    for signal in &past {
        let fresh = scene.freshness(&signal.backend).is_fresh();
        let (mark, role) = if fresh { (Mark::Abnormal, Role::Abnormal) } else { (Mark::Unknown, Role::Quiet) };
        let stale = if fresh { "" } else { " STALE" };
        let sentence = format!("{}{stale}", signal::evidence(view, signal));
        let lead = format!(" {} {} {}: ", scene.glyph(mark), signal.name, signal::word(signal.state));
        let indent = cells(&lead);
        let plain = if fresh { Role::Plain } else { Role::Quiet };
        for (index, line) in wrap(&sentence, width.saturating_sub(indent + 1)).into_iter().enumerate() {
            let start = if index == 0 { lead.clone() } else { " ".repeat(indent) };
            rows.push(Row::of(role, start).put(plain, line));
        }
    }
    if past.is_empty() {
        let none = view.signals.iter().filter(|signal| signal.state == SignalState::NoData).count();
        for alert in view.alerts.iter().filter(|alert| alert.silenced_by.is_empty() && alert.inhibited_by.is_empty()) {
            let text = format!(" {} alert {} fires since {}", scene.glyph(Mark::Abnormal), alert.name, alert.since.format("%H:%M:%SZ"));
            rows.push(Row::of(Role::Abnormal, text));
        }
        rows.push(match (view.signals.len(), none) {
            (0, _) => Row::of(Role::Quiet, "   no signal is configured: nothing is said about this version"),
            (_, 0) => Row::of(Role::Plain, format!(" {} every signal is within its limit now", scene.glyph(Mark::Proven))),
            (all, none) => Row::of(
                Role::Quiet,
                format!(" {} {none} of {all} signals have no data; the others are within their limits", scene.glyph(Mark::Unknown)),
            ),
        });
    }
    by_itself(scene, view, width, rows);
    rows.extend(advised(scene, view, width));
    rows.extend(back.into_iter().flat_map(|answer| way_back(scene, answer, width)));
    rows.extend(agreed::rows(scene, view, width));
}

/// Which strategy is advised where no rollout is under way, in one row.
fn advised(scene: &Scene<'_>, view: &TargetView, width: usize) -> Option<Row> {
    let (_, advice) = advice::advice(scene.world, &view.target, scene.now).filter(|_| view.state.rollout.is_none())?;
    let words = advice.choice.words();
    let forms = [format!("advised: {words}: {}", advice.because), format!("advised: {words}")];
    Some(Row::of(Role::Quiet, "   ").put(Role::Quiet, fit(&forms, width.saturating_sub(3))))
}

fn way_back(scene: &Scene<'_>, answer: &Answer, width: usize) -> Vec<Row> {
    let key = if answer.may { scene.keymap.shown(Command::Deed(Verb::Rollback)) } else { String::new() };
    let indent = 13 + if key.is_empty() { 0 } else { cells(&key) + 1 };
    let mut rows = Vec::new();
    for (n, line) in wrap(&answer.words, width.saturating_sub(indent + 1)).into_iter().enumerate() {
        let mut row = Row::new();
        if n == 0 {
            row.add(Role::Quiet, "   way back:").at(13).add(Role::Key, key.clone());
        }
        if row.width() < indent {
            row.at(indent);
        }
        row.add(answer.role, line);
        rows.push(row);
    }
    rows
}

fn steps(scene: &Scene<'_>, view: &TargetView, width: usize, rows: &mut Vec<Row>) {
    let mut rule = Row::rule(scene.theme, "steps");
    let seen = match view.measured() {
        Some((share, requests)) => format!("seen {} % of {} requests at the router", words::share(share), words::count(requests)),
        None => "not measured: no requests".to_owned(),
    };
    let idle = view.measured().is_none_or(|(share, _)| share.fraction() <= 0.0);
    let words = match view.wished() {
        None if view.workload.is_some() => view.workload.as_ref().map(|seen| workload::instances(seen)).unwrap_or_default(),
        None => format!("wished not known, {seen}"),
        Some(share) if share.nearest() == Percent::NONE && idle => {
            format!("all traffic on {} at the router, as wished", signal::named(view, Track::Stable))
        }
        Some(share) => format!("wished {} %, {seen}", words::share(share)),
    };
    rule.end(Role::Quiet, format!(" {words} "));
    rows.push(rule);
    let mut row = Row::new();
    row.at(2);
    let reached =
        view.state.rollout.as_ref().and_then(|rollout| rollout.course.as_deref()).and_then(|course| course.spec.step(course.step?));
    let here = match &view.workload {
        Some(_) => reached.map(|step| step.percent),
        None => view.wished().map(crate::model::share::Share::nearest),
    };
    let deploy = scene.world.catalog.deploy(&view.target);
    let mut of_ramp = false;
    for step in deploy.into_iter().flat_map(|deploy| &deploy.steps) {
        // Of a ramp only where it stands is shown.
        if here != Some(*step) && deploy.is_some_and(|deploy| deploy.rollout.paces.contains_key(step)) {
            if !of_ramp {
                row.add(Role::Quiet, " ..");
            }
            of_ramp = true;
            continue;
        }
        of_ramp = false;
        match here {
            Some(here) if step < &here => row.add(Role::Quiet, format!(" {step} {} ", scene.glyph(Mark::Proven))),
            Some(here) if step == &here => {
                let mark = if view.state.hold.is_some() { Mark::Held } else { Mark::Moving };
                row.add(Role::Strong, format!(" {step} {} ", scene.glyph(mark)))
            }
            Some(_) | None => row.add(Role::Plain, format!(" {step}  ")),
        };
    }
    let course = view.state.rollout.as_ref().and_then(|rollout| rollout.course.as_deref());
    match (course, &view.since) {
        (Some(course), _) => {
            let (spec, here) = (&course.spec, scene.ago(&course.since));
            let last = course.step.is_some_and(|step| spec.is_last(step));
            let words = if let Some(seen) = &view.workload {
                workload::times(scene, course, seen)
            } else if let Some(words) = workload::coming_up(scene, course) {
                words
            } else if last {
                format!("   here for {here}, watched {}", words::span(spec.bake_s))
            } else {
                format!(
                    "   here for {here}, at least {}, stuck after {}",
                    words::span(course.step.map_or(spec.wait_s, |step| spec.lasts_s(step))),
                    words::span(spec.deadline_s)
                )
            };
            row.add(Role::Quiet, words);
        }
        (None, Some(since)) => {
            row.add(Role::Quiet, format!("   here for {}", scene.ago(since)));
        }
        (None, None) => {}
    }
    rows.push(row);
    if let Some(words) = beside::words(scene.world, view) {
        let room = width.saturating_sub(3);
        rows.extend(wrap(&words, room).into_iter().map(|line| Row::of(Role::Plain, format!("   {line}"))));
    }
    rows.extend(view.workload.iter().flat_map(|seen| workload::rows(scene, seen, width)));
    rows.extend(workload::slots(scene, view, width));
    for entry in &view.traffic {
        let ups: Vec<String> = Slot::BOTH
            .into_iter()
            .zip(entry.up.into_iter().zip(entry.servers))
            .map(|(slot, (up, all))| format!("{} {up} of {all}", signal::named(view, Track::of(slot, view.state.stable))))
            .collect();
        let (name, ups) = (format!("{} {}", entry.backend, entry.pool), ups.join(", "));
        let rate = |word: &str| entry.rate.map(|rate| format!("; {rate:.0}{word}")).unwrap_or_default();
        let forms = [
            format!("router {name}: servers up {ups}{}", rate(" requests a second")),
            format!("router {name}: up {ups}{}", rate(" requests/s")),
            format!("router {name}: up {ups}{}", rate("/s")),
            format!("{name}: up {ups}{}", rate("/s")),
        ];
        let room = width.saturating_sub(3);
        rows.extend(wrap(&fit(&forms, room), room).into_iter().map(|line| Row::of(Role::Quiet, format!("   {line}"))));
        for missing in &entry.missing {
            rows.push(Row::of(Role::Watched, format!(" {} {} does not know server {missing}", scene.glyph(Mark::Abnormal), entry.backend)));
        }
    }
}
