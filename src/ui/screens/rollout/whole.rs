//! One measure on the whole screen: its chart, what the crosshair says, what happened meanwhile, and the keys that move it.

use crate::control::chart::Point;
use crate::control::world::TargetView;

use crate::ui::command::Command;
use crate::ui::row::{Row, cells};
use crate::ui::scene::Scene;
use crate::ui::theme::Role;
use crate::ui::widgets::chart::{self, Lens, Readout, Sheet};

use super::marks;

/// What stands below the chart: a rule, a row for each version, a mark, the keys.
const BELOW: usize = 5;

/// The rows of the screen.
pub fn rows(scene: &Scene<'_>, view: &TargetView, lens: &Lens, (width, height): (usize, usize)) -> Vec<Row> {
    let Some(signal) = lens.signal(view) else {
        return vec![Row::rule(scene.theme, "no measure"), Row::of(Role::Quiet, "   no signal is configured for this service")];
    };
    let points: Vec<Point> = view.chart(&signal.name).map(|points| points.points().collect()).unwrap_or_default();
    let events = marks::of(scene.world, view);
    let sheet = Sheet { view, signal, points: &points, events: &events, lens };
    let mut rows = vec![measures(scene, view, lens, width)];
    let chart = chart::rows(scene, &sheet, (width, height.saturating_sub(BELOW + 1)));
    if chart.is_empty() {
        let words = match points.len() {
            0 | 1 => "too little was measured yet to draw it",
            _ => "there is no room to draw it",
        };
        rows.push(Row::rule(scene.theme, signal.name.as_str()));
        rows.push(Row::of(Role::Quiet, format!("   {words}")));
    }
    rows.extend(chart);
    let here = lens.cross().map_or_else(|| points.last(), |at| points.get(chart::nearest(&points, at)));
    if let Some(point) = here {
        let said = Readout::of(scene, &sheet, point);
        let heading = if lens.cross().is_some() { format!("at {}", said.at) } else { format!("newest, {}", said.at) };
        rows.push(Row::rule(scene.theme, &heading));
        let room = said.sides.iter().map(|(name, ..)| cells(name)).max().unwrap_or(0);
        let values = said.sides.iter().map(|(_, value, _)| cells(value)).max().unwrap_or(0);
        for (name, value, surely) in &said.sides {
            let mut row = Row::new();
            row.at(3).add(Role::Plain, name.clone()).at(room + 6).add(Role::Strong, value.clone());
            row.at(room + values + 9).add(Role::Quiet, surely.clone());
            rows.push(row);
        }
        let mark = said.mark.map_or_else(|| "nothing is marked".to_owned(), |mark| format!("nearest: {mark}"));
        rows.push(Row::of(Role::Quiet, format!("   {mark}")));
    }
    rows.push(keys(scene, width));
    rows
}

/// The measures that can be looked at, the shown one apart.
fn measures(scene: &Scene<'_>, view: &TargetView, lens: &Lens, width: usize) -> Row {
    let shown = lens.signal(view).map(|signal| &signal.name);
    let place = view.signals.iter().position(|signal| Some(&signal.name) == shown).unwrap_or(0);
    let mut row = Row::of(Role::Quiet, format!(" measure {} of {}:", place + 1, view.signals.len()));
    for signal in view.signals.iter().skip(place.saturating_sub(2)) {
        if row.width() + cells(signal.name.as_str()) + 4 > width {
            break;
        }
        let (role, text) = if Some(&signal.name) == shown {
            (Role::Strong, format!("  [{}]", signal.name))
        } else {
            (Role::Quiet, format!("  {}", signal.name))
        };
        row.add(role, text);
    }
    row.end(Role::Quiet, format!("{} ", scene.world.catalog.room.timezone));
    row
}

fn keys(scene: &Scene<'_>, width: usize) -> Row {
    let key = |command| scene.keymap.shown(command);
    let pairs = [
        (vec![Command::Left, Command::Right], "crosshair"),
        (vec![Command::ZoomIn, Command::ZoomOut], "zoom"),
        (vec![Command::NextPane], "mark"),
        (vec![Command::Live], "live"),
        (vec![Command::Up, Command::Down], "measure"),
        (vec![Command::Links], "links"),
    ];
    let mut row = Row::of(Role::Plain, " ");
    for (commands, label) in pairs {
        let shown: Vec<String> = commands.into_iter().map(key).filter(|key| !key.is_empty()).collect();
        if shown.is_empty() || row.width() + cells(&shown.join(" ")) + label.len() + 3 > width {
            continue;
        }
        row.add(Role::Key, shown.join(" ")).add(Role::Quiet, format!(" {label}  "));
    }
    row
}
