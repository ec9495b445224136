//! The rollout: is the new version as good as the old one, and what happens next?

use crate::control::world::{SignalState, SignalView, TargetView};
use crate::control::{gate, planner};
use crate::model::intent::{Arguments, Intent, Verb};
use crate::model::name::Target;
use crate::model::text::Text;
use crate::model::verdict::Verdict;

use crate::ui::command::Command;
use crate::ui::needs;
use crate::ui::row::{Row, cells, fit, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::widgets::{chart, estate};
use crate::ui::words;

use super::board::by_itself_row;

/// The rows of the screen, at least `height` when there is a chart to fill it.
pub fn rows(scene: &Scene<'_>, target: &Target, width: usize, height: usize) -> Vec<Row> {
    let Some(view) = scene.world.target(target) else {
        return vec![
            Row::rule(scene.theme, "nothing configured"),
            Row::of(Role::Plain, format!("  {target} is not deployed there; Esc goes back")),
        ];
    };
    let mut rows = Vec::new();
    verdict(scene, view, width, &mut rows);
    steps(scene, view, &mut rows);
    measures(scene, view, width, &mut rows);
    let left = height.saturating_sub(rows.len()).min(18);
    if let Some((signal, points)) = estate::leading(view).and_then(|signal| view.chart(&signal.name).map(|points| (signal, points))) {
        let points: Vec<_> = points.points().collect();
        rows.extend(chart::rows(scene, signal, &points, width, left.max(6)));
    }
    rows
}

/// What will happen to a target without a person, first.
pub fn by_itself(scene: &Scene<'_>, view: &TargetView, rows: &mut Vec<Row>) {
    let mut none = true;
    for event in needs::by_itself(scene.world, scene.now).iter().filter(|event| event.target == view.target) {
        rows.push(by_itself_row(scene, event));
        none = false;
    }
    if none {
        rows.push(Row::of(Role::Quiet, "   nothing happens by itself"));
    }
    if let Some(hold) = &view.state.hold {
        let mut row = Row::of(
            Role::Waits,
            format!(
                " {} HELD by {} since {}: no step up; the way back stays open",
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

fn verdict(scene: &Scene<'_>, view: &TargetView, width: usize, rows: &mut Vec<Row>) {
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
    let past: Vec<_> = view.signals.iter().filter(|signal| matches!(signal.state, SignalState::Past | SignalState::Worse)).collect();
    for signal in &past {
        let fresh = scene.freshness(&signal.backend).is_fresh();
        let (mark, role) = if fresh { (Mark::Abnormal, Role::Abnormal) } else { (Mark::Unknown, Role::Quiet) };
        let word = if signal.state == SignalState::Worse { "WORSE" } else { "PAST ITS LIMIT" };
        // The sentence says the word too, for lists; here it stands in front.
        let sentence = signal.sentence.as_str().replacen(" WORSE:", ":", 1).replacen(" past limit:", ":", 1);
        let lead = format!(" {} {word}: ", scene.glyph(mark));
        let indent = cells(&lead);
        let plain = if fresh { Role::Plain } else { Role::Quiet };
        for (index, line) in wrap(&sentence, width.saturating_sub(indent + 1)).into_iter().enumerate() {
            let mut row = if index == 0 { Row::of(role, lead.clone()) } else { Row::new() };
            row.at(indent).add(plain, line);
            rows.push(row);
        }
    }
    if past.is_empty() {
        let none = view.signals.iter().filter(|signal| signal.state == SignalState::NoData).count();
        rows.push(match (view.signals.len(), none) {
            (0, _) => Row::of(Role::Quiet, "   no signal is configured: nothing is said about this version"),
            (_, 0) => Row::of(Role::Plain, format!(" {} every signal is within its limit", scene.glyph(Mark::Proven))),
            (all, none) => Row::of(
                Role::Quiet,
                format!(" {} {none} of {all} signals have no data; the others are within their limits", scene.glyph(Mark::Unknown)),
            ),
        });
    }
    by_itself(scene, view, rows);
    way_back(scene, view, width, rows);
}

/// What a rollback would do now, and whether this person may: the same plan and verdict that the key would open.
fn way_back(scene: &Scene<'_>, view: &TargetView, width: usize, rows: &mut Vec<Row>) {
    let intent = Intent {
        verb: Verb::Rollback,
        target: view.target.clone(),
        args: Arguments::default(),
        requester: scene.world.actor.clone(),
        reason: Text::empty(),
    };
    let Ok(plan) = planner::plan(scene.world, intent, scene.now, "preview") else { return };
    let key = scene.keymap.shown(Command::Deed(Verb::Rollback));
    let (key, role, words) = match gate::judge(scene.world, &plan, scene.now) {
        Verdict::Permit(_) => (key, Role::Plain, format!("{}; you may, no approval", plan.after)),
        Verdict::SecondPerson { needs, .. } => (key, Role::Waits, format!("{}; needs {needs} more to agree", plan.after)),
        Verdict::Deny(reasons) => {
            let why = reasons.first().map_or_else(|| "not possible".to_owned(), |reason| format!("no: {}", reason.text));
            (String::new(), Role::Watched, why)
        }
    };
    let indent = 13 + if key.is_empty() { 0 } else { cells(&key) + 1 };
    for (n, line) in wrap(&words, width.saturating_sub(indent + 1)).into_iter().enumerate() {
        let mut row = Row::new();
        if n == 0 {
            row.add(Role::Quiet, "   way back:").at(13).add(Role::Key, key.clone());
        }
        if row.width() < indent {
            row.at(indent);
        }
        row.add(role, line);
        rows.push(row);
    }
}

fn steps(scene: &Scene<'_>, view: &TargetView, rows: &mut Vec<Row>) {
    let mut rule = Row::rule(scene.theme, "steps");
    let wished = view.wished().map_or_else(|| "not known".to_owned(), |share| format!("{} %", words::share(share)));
    let seen = match view.measured() {
        Some((share, requests)) => format!("seen {} % of {} requests", words::share(share), words::count(requests)),
        None => "not measured: no requests".to_owned(),
    };
    rule.end(Role::Quiet, format!(" wished {wished}, {seen} "));
    rows.push(rule);
    let mut row = Row::new();
    row.at(2);
    let here = view.wished().map(crate::model::share::Share::nearest);
    for step in scene.world.catalog.deploy(&view.target).into_iter().flat_map(|deploy| &deploy.steps) {
        match here {
            Some(here) if step < &here => row.add(Role::Quiet, format!(" {step} {} ", scene.glyph(Mark::Proven))),
            Some(here) if step == &here => {
                let mark = if view.state.hold.is_some() { Mark::Held } else { Mark::Moving };
                row.add(Role::Strong, format!(" {step} {} ", scene.glyph(mark)))
            }
            Some(_) | None => row.add(Role::Plain, format!(" {step}  ")),
        };
    }
    if let Some(since) = &view.since {
        row.add(Role::Quiet, format!("   here for {}", scene.ago(since)));
    }
    rows.push(row);
    for entry in &view.traffic {
        let ([first, second], [all_first, all_second]) = (entry.up, entry.servers);
        let rate = entry.rate.map(|rate| format!(", {rate:.0} requests a second")).unwrap_or_default();
        rows.push(Row::of(
            Role::Quiet,
            format!("   {} {}: servers up {first} of {all_first} and {second} of {all_second}{rate}", entry.backend, entry.pool),
        ));
        for missing in &entry.missing {
            rows.push(Row::of(Role::Watched, format!(" {} {} does not know server {missing}", scene.glyph(Mark::Abnormal), entry.backend)));
        }
    }
}

fn measures(scene: &Scene<'_>, view: &TargetView, width: usize, rows: &mut Vec<Row>) {
    let version = |slot| view.version(slot).map_or_else(|| "version unknown".to_owned(), |seen| seen.version.to_string());
    let (old, new) = (version(view.state.stable), version(view.canary_slot()));
    rows.push(Row::rule(scene.theme, "measure"));
    if view.signals.is_empty() {
        return;
    }
    let name = view.signals.iter().map(|signal| signal.name.as_str().len()).max().unwrap_or(0).clamp(6, width / 4);
    let columns = if width >= 110 { [0, 16, 32, 60, 72] } else { [0, 12, 24, 46, 56] }.map(|column| column + name + 4);
    let mut heading = Row::new();
    let [first, second, third, fourth, fifth] = columns;
    heading.at(first).add(Role::Quiet, fit(&[old, "old".to_owned()], 11)).at(second).add(Role::Quiet, fit(&[new, "new".to_owned()], 11));
    heading.at(third).add(Role::Quiet, "difference").at(fourth).add(Role::Quiet, "limit").at(fifth).add(Role::Quiet, "state");
    rows.push(heading);
    for signal in &view.signals {
        rows.push(measure(scene, signal, columns));
    }
}

fn measure(scene: &Scene<'_>, signal: &SignalView, [first, second, third, fourth, fifth]: [usize; 5]) -> Row {
    let fresh = scene.freshness(&signal.backend).is_fresh();
    let (mark, role, word) = match (fresh, signal.state) {
        (false, _) => (Mark::Unknown, Role::Quiet, "STALE"),
        (true, SignalState::Within) => (Mark::None, Role::Plain, "within"),
        (true, SignalState::Past) => (Mark::Abnormal, Role::Abnormal, "PAST"),
        (true, SignalState::Worse) => (Mark::Abnormal, Role::Abnormal, "WORSE"),
        (true, SignalState::NoData) => (Mark::Unknown, Role::Quiet, "NO DATA"),
    };
    let value = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| words::value(value, &signal.unit));
    let mut row = Row::new();
    row.add(role, format!(" {} ", scene.glyph(mark))).add(Role::Plain, signal.name.as_str());
    row.at(first).add(Role::Plain, value(signal.stable.value)).at(second).add(role, value(signal.canary.value));
    row.at(third);
    if let Some((middle, low, high)) = signal.difference {
        row.add(Role::Plain, format!("{:+.1} ({:.1} to {:.1})", middle * 100.0, low * 100.0, high * 100.0));
    } else if let Some(why) = &signal.canary.missing {
        row.add(Role::Quiet, why.as_str());
    }
    row.at(fourth).add(Role::Plain, value(signal.limit)).at(fifth).add(role, word);
    row
}
