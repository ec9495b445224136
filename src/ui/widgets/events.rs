//! The timeline as a list: what happened to a target, newest first.

use crate::model::name::Target;
use crate::model::timeline::{Happening, HappeningKind};

use crate::ui::row::{Row, cells, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};

/// The rows of at most `most` happenings of a target, and of those that concern no target, newest first.
pub fn rows(scene: &Scene<'_>, target: Option<&Target>, most: usize, width: usize) -> Vec<Row> {
    let of_it = |happening: &&Happening| happening.target.is_none() || target.is_none() || happening.target.as_ref() == target;
    let mut rows = Vec::new();
    for happening in scene.world.timeline.iter().rev().filter(of_it).take(most) {
        let (mark, role) = looks(happening.kind);
        let tail = format!(" {}", happening.source);
        let indent = 12;
        for (n, line) in wrap(happening.text.as_str(), width.saturating_sub(indent + cells(&tail) + 1)).into_iter().enumerate() {
            let mut row = Row::new();
            if n == 0 {
                row.add(Role::Quiet, format!(" {} ", scene.zone.time(&happening.at))).add(role, scene.glyph(mark));
                row.end(Role::Quiet, format!("{tail} "));
            }
            row.at(indent).add(Role::Plain, line);
            rows.push(row);
        }
    }
    if rows.is_empty() {
        rows.push(Row::of(Role::Quiet, " nothing has happened since this room was opened"));
    }
    rows
}

fn looks(kind: HappeningKind) -> (Mark, Role) {
    match kind {
        HappeningKind::Alert | HappeningKind::Alarm => (Mark::Abnormal, Role::Abnormal),
        HappeningKind::Deed => (Mark::Proven, Role::Strong),
        HappeningKind::Change => (Mark::Moving, Role::Moving),
        HappeningKind::Source => (Mark::Unknown, Role::Quiet),
        HappeningKind::Run | HappeningKind::Note => (Mark::None, Role::Plain),
    }
}
