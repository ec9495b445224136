//! The incident: how bad, what happens by itself, what do I do, what happened?

use crate::control::silences;
use crate::model::alert::Alert;
use crate::model::name::Target;
use crate::model::share::Percent;

use crate::ui::command::Command;
use crate::ui::offer::{self, Standpoint};
use crate::ui::row::{Row, cells, wrap};
use crate::ui::scene::Scene;
use crate::ui::screen::Screen;
use crate::ui::signal;
use crate::ui::theme::{Mark, Role};
use crate::ui::widgets::events;
use crate::ui::words;

use super::rollout::by_itself;

/// By whom an alert is silenced, until when and why.
fn silenced(scene: &Scene<'_>, target: &Target, alert: &Alert) -> String {
    let matched = scene.world.catalog.services.get(&target.service).and_then(|service| service.alerts.as_ref());
    let mut by = matched.into_iter().flat_map(|matched| silences::of(scene.world, &matched.backend, alert));
    let Some(silence) = by.by_ref().max_by_key(|silence| silence.ends) else { return ", silenced".to_owned() };
    let why = silence.comment.as_str().split(" [gonogo ").next().unwrap_or_default();
    let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
    let left = scene.left(&silence.ends);
    format!(", SILENCED until {} ({left}) by {}{why}", scene.zone.minute(&silence.ends, &scene.now.wall), silence.by)
}

/// The rows of the screen.
pub fn rows(scene: &Scene<'_>, target: &Target, width: usize) -> Vec<Row> {
    let Some(view) = scene.world.target(target) else {
        return vec![
            Row::rule(scene.theme, "nothing configured"),
            Row::of(Role::Plain, format!("  {target} is not deployed there; Esc goes back")),
        ];
    };
    let mut rows = vec![Row::rule(scene.theme, "harm now")];
    let on = view.wished().filter(|share| share.nearest() != Percent::NONE).map(words::share);
    let on = on.map(|share| format!(", on {share} % of traffic")).unwrap_or_default();
    let before = rows.len();
    for signal in view.signals.iter().filter(|signal| signal::is_past(signal)) {
        let fresh = scene.freshness(&signal.backend).is_fresh();
        let (mark, role) = if fresh { (Mark::Abnormal, Role::Abnormal) } else { (Mark::Unknown, Role::Quiet) };
        let whole = signal.whole.value.map(|value| format!("; whole service {}", words::value(value, &signal.unit))).unwrap_or_default();
        let stale = if fresh { "" } else { " STALE" };
        for (n, line) in wrap(
            &format!("{} {}: {}{on}{whole}{stale}", signal.name, signal::word(signal.state), signal::evidence(view, signal)),
            width.saturating_sub(4),
        )
        .into_iter()
        .enumerate()
        {
            rows.push(Row::of(role, format!(" {} ", if n == 0 { scene.glyph(mark) } else { " " })).put(Role::Plain, line));
        }
    }
    if rows.len() == before {
        rows.push(Row::of(Role::Quiet, "   no signal is past its limit"));
    }
    rows.push(Row::rule(scene.theme, "what happens by itself, what you can do"));
    by_itself(scene, view, width, &mut rows);
    let at = Standpoint { world: scene.world, screen: Screen::Incident, target: Some(target), run: None, marked: None, now: scene.now };
    for entry in offer::deeds(&at).into_iter().filter(|entry| !offer::is_of_runs(entry.command)).take(4) {
        let key = scene.keymap.shown(entry.command);
        if !key.is_empty() {
            let mut row = Row::of(Role::Waits, format!(" {} ", scene.glyph(Mark::Waits)));
            row.add(Role::Key, key).at(6).add(Role::Strong, entry.label);
            for line in wrap(entry.does, width.saturating_sub(19)) {
                row.at(18).add(Role::Plain, line);
                rows.push(std::mem::take(&mut row));
            }
        }
    }
    let mut rule = Row::rule(scene.theme, &format!("alerts {}", view.alerts.len()));
    rule.end(Role::Quiet, format!(" {} shows where from ", scene.keymap.shown(Command::Detail)));
    rows.push(rule);
    if view.alerts.is_empty() {
        rows.push(Row::of(Role::Quiet, "   no alert fires for it"));
    }
    for alert in &view.alerts {
        let quiet = !alert.silenced_by.is_empty() || !alert.inhibited_by.is_empty();
        let (mark, role) = if quiet { (Mark::None, Role::Quiet) } else { (Mark::Abnormal, Role::Abnormal) };
        let lead = format!(" {} {}", scene.glyph(mark), alert.name);
        let mut said = format!("{} for {}", alert.severity, scene.ago(&alert.since));
        if !alert.silenced_by.is_empty() {
            said.push_str(&silenced(scene, &view.target, alert));
        } else if quiet {
            said.push_str(", inhibited by another alert");
        }
        if let Some(summary) = alert.annotation("summary") {
            said = format!("{said}: {summary}");
        }
        let indent = cells(&lead) + 2;
        for (n, line) in wrap(&said, width.saturating_sub(indent + 1)).into_iter().enumerate() {
            let start = if n == 0 { format!("{lead}  ") } else { " ".repeat(indent) };
            rows.push(Row::of(role, start).put(Role::Plain, line));
        }
    }
    rows.push(Row::rule(scene.theme, "timeline, newest first"));
    rows.extend(events::rows(scene, Some(target), 200, width));
    rows
}
