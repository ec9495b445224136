//! A log of a step: it stays at its end, or stands still where it is read; no line is cut, long ones go on in the next row.

use std::cell::Cell;

use crate::control::world::{LogView, World};
use crate::model::name::BackendName;
use crate::model::pipeline::{LogRef, RunId, RunStep};

use crate::ui::command::Command;
use crate::ui::row::{Row, cells, clusters};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

/// An open log.
#[derive(Debug)]
pub struct LogPane {
    backend: BackendName,
    log: u64,
    title: String,
    /// The number of the first line while it stands still; none: it follows the end.
    top: Option<u64>,
    shown: Cell<(u64, usize)>,
}

impl LogPane {
    /// Opens the log of a step at its end.
    pub fn new(run: &RunId, step: &RunStep, log: &LogRef) -> Self {
        Self {
            backend: run.backend.clone(),
            log: log.id,
            title: format!("{} of {}, {run}", log.name, step.name),
            top: None,
            shown: Cell::new((0, 10)),
        }
    }

    /// Whether it is this log.
    pub fn is(&self, backend: &BackendName, log: u64) -> bool {
        &self.backend == backend && self.log == log
    }

    /// The log that must be read.
    pub fn key(&self) -> (BackendName, u64) {
        (self.backend.clone(), self.log)
    }

    /// Lines that a page moves by.
    pub fn page(&self) -> isize {
        isize::try_from(self.shown.get().1.max(2) - 1).unwrap_or(1)
    }

    /// Stands still where it is, or follows the end again.
    pub fn toggle(&mut self) {
        self.top = if self.top.is_some() { None } else { Some(self.shown.get().0) };
    }

    /// Moves by lines and stands still there; beyond the end it follows again.
    pub fn scroll(&mut self, world: &World, by: isize) {
        let Some(view) = world.logs.get(&(self.backend.clone(), self.log)) else { return };
        if by == isize::MAX {
            self.top = None;
            return;
        }
        let (top, page) = self.shown.get();
        let end = last_line(view).saturating_add(1);
        let most = end.saturating_sub(u64::try_from(page).unwrap_or(0)).max(view.part.first);
        let here = self.top.unwrap_or(top);
        let by = i64::try_from(by).unwrap_or(i64::MIN);
        self.top = Some(here.saturating_add_signed(by).clamp(view.part.first, most.max(here.min(end.saturating_sub(1)))));
    }

    /// The pane, exactly `height` rows.
    pub fn rows(&self, scene: &Scene<'_>, has_keys: bool, width: usize, height: usize) -> Vec<Row> {
        let Some(view) = scene.world.logs.get(&self.key()) else {
            return vec![Row::rule(scene.theme, &format!("log {}: loading", self.title))];
        };
        let room = height.saturating_sub(1 + usize::from(view.trouble.is_some()));
        let digits = view.part.total.to_string().len();
        let (first, lines) = self.window(view, width.saturating_sub(digits + 3), room);
        self.shown.set((first, lines.iter().filter(|(number, _)| number.is_some()).count()));
        let mut rows = vec![self.rule(scene, view, has_keys)];
        if let Some(trouble) = &view.trouble {
            rows.push(Row::of(Role::Watched, format!(" {} {trouble}; it is read again", scene.glyph(Mark::Unknown))));
        }
        if view.part.lines.is_empty() {
            let text = match (view.part.complete, view.part.total) {
                (true, 0) => "nothing there: the log is empty and complete",
                (false, 0) => "nothing there yet",
                (true | false, _) => "loading",
            };
            rows.push(Row::of(Role::Quiet, format!("   {text}")));
        }
        rows.extend(lines.into_iter().map(|(number, text)| {
            let number = number.map(|number| (number + 1).to_string()).unwrap_or_default();
            Row::of(Role::Quiet, format!(" {number:>digits$} ")).put(Role::Plain, text)
        }));
        rows.truncate(height);
        rows
    }

    fn rule(&self, scene: &Scene<'_>, view: &LogView, has_keys: bool) -> Row {
        let mut rule = Row::rule(scene.theme, &format!("log {}", self.title));
        let (follow, tab) = (scene.keymap.shown(Command::Follow), scene.keymap.shown(Command::NextPane));
        let lines = words::count(view.part.total);
        let state = match (self.top, view.part.complete) {
            (Some(_), _) => (Role::Watched, format!(" of {lines} lines, stands still, {follow} to follow ")),
            (None, true) => (Role::Quiet, format!(" {lines} lines, complete ")),
            (None, false) => (Role::Moving, format!(" {lines} lines, follows ")),
        };
        rule.end(state.0, state.1);
        if !has_keys {
            rule.end(Role::Quiet, format!("{tab} to here "));
        }
        rule
    }

    /// The rows in sight: the number of the first line, and each row with the number of the line that begins in it.
    fn window(&self, view: &LogView, width: usize, room: usize) -> (u64, Vec<(Option<u64>, String)>) {
        let part = &view.part;
        let lines = (part.first..).zip(&part.lines);
        let mut rows: Vec<(Option<u64>, String)> = Vec::new();
        if let Some(top) = self.top {
            let top = top.clamp(part.first, last_line(view));
            for (number, line) in lines.skip_while(|(number, _)| *number < top) {
                rows.extend(numbered(number, folded(line.as_str(), width)));
                if rows.len() >= room {
                    break;
                }
            }
            rows.truncate(room);
            return (top, rows);
        }
        let mut first = last_line(view);
        let newest_first = part.lines.iter().rev().zip((part.first..=first).rev());
        for (line, number) in newest_first {
            let mut block: Vec<_> = numbered(number, folded(line.as_str(), width)).collect();
            if !rows.is_empty() && rows.len() + block.len() > room {
                break;
            }
            // The end of a line that alone is longer than the pane is what is newest.
            let over = block.len().saturating_sub(room);
            block.drain(..over);
            block.append(&mut rows);
            rows = block;
            first = number;
        }
        (first, rows)
    }
}

fn last_line(view: &LogView) -> u64 {
    let count = u64::try_from(view.part.lines.len()).unwrap_or(u64::MAX);
    view.part.first.saturating_add(count.saturating_sub(1))
}

fn numbered(number: u64, rows: Vec<String>) -> impl Iterator<Item = (Option<u64>, String)> {
    rows.into_iter().enumerate().map(move |(n, text)| ((n == 0).then_some(number), text))
}

/// A line in rows of `width` cells, its spaces kept.
fn folded(line: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut rows = vec![String::new()];
    let mut used = 0;
    for cluster in clusters(line) {
        let wide = cells(cluster);
        if used + wide > width {
            rows.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(row) = rows.last_mut() {
            row.push_str(cluster);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_and_loses_nothing() {
        assert_eq!(folded("  ab cd", 3), ["  a", "b c", "d"]);
        assert_eq!(folded("", 3), [""]);
        assert_eq!(folded("日本語", 3), ["日", "本", "語"]);
    }
}
