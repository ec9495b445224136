//! The plan's page: labelled text that wraps under its label, marks, reasons.

use crate::model::reason::Reason;
use crate::model::verdict::Verdict;
use crate::ui::row::{Row, cells, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};

/// Rows that grow.
#[derive(Debug)]
pub struct Page<'a, 's> {
    /// The surroundings.
    pub scene: &'a Scene<'s>,
    /// In cells.
    pub width: usize,
    /// What was said so far.
    pub rows: Vec<Row>,
}

impl Page<'_, '_> {
    /// A labelled text, broken between words under its own beginning.
    pub fn say(&mut self, label_role: Role, label: &str, role: Role, text: &str) {
        let indent = if self.width >= 100 { 18 } else { 10 }.max(cells(label) + 2);
        for (n, line) in wrap(text, self.width.saturating_sub(indent + 1)).into_iter().enumerate() {
            let mut row = Row::new();
            row.add(label_role, if n == 0 { format!(" {label}") } else { String::new() }).at(indent).add(role, line);
            self.rows.push(row);
        }
    }

    /// A text behind a mark.
    pub fn mark(&mut self, mark: Mark, role: Role, text: &str) {
        for (n, line) in wrap(text, self.width.saturating_sub(4)).into_iter().enumerate() {
            let glyph = if n == 0 { self.scene.glyph(mark) } else { " " };
            self.rows.push(Row::of(role, format!(" {glyph} ")).put(if role == Role::Abnormal { Role::Strong } else { role }, line));
        }
    }

    /// Why not, and what would change it.
    pub fn reason(&mut self, reason: &Reason) {
        self.mark(Mark::Failed, Role::Watched, &format!("{}: {}", reason.rule, reason.text));
        if !reason.fix.is_empty() {
            self.text(5, Role::Plain, &format!("to change it: {}", reason.fix));
        }
    }

    /// A text from a column on.
    pub fn text(&mut self, indent: usize, role: Role, text: &str) {
        for line in wrap(text, self.width.saturating_sub(indent + 1)) {
            let mut row = Row::new();
            row.at(indent).add(role, line);
            self.rows.push(row);
        }
    }
}

impl super::PlanDialog {
    /// Whether `B` breaks the glass: the plan may not be carried out as it is, and nothing was typed yet.
    pub fn offers_glass(&self, verdict: &Verdict) -> bool {
        let permitted = matches!(verdict, Verdict::Permit(_));
        self.armed() && !self.sent() && !permitted && self.asking.reason().is_empty() && self.plan.order.break_glass.is_none()
    }
}
