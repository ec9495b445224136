//! What the terminal answers: for the frame that shows a plan, and how wide its glyphs are.

use crate::model::time::Boot;

use super::super::arming::Arming;
use super::super::limits::Limits;
use super::super::line::{End, Line};
use super::{Over, Session};

impl Session {
    /// The same session at the end of a line, at which somebody is asked to answer for the frames.
    #[must_use]
    pub fn over_line_to(mut self, end: End) -> Self {
        self.line = Line::to(end);
        self
    }

    /// The same session within what its terminal can show.
    #[must_use]
    pub fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self.theme = self.theme.within(limits);
        self
    }

    /// It is this time now at the terminal, by a clock that runs as the machine's does, whatever time the room plays.
    pub fn line_at(&mut self, now: Boot) {
        self.line.at(now);
        self.past_over_line();
    }

    /// What lies over the screen and counts keys only once it was seen.
    fn arming(&self) -> Option<&Arming> {
        match &self.over {
            Over::Plan(dialog) => Some(dialog.arming()),
            Over::Ruling(dialog) => Some(dialog.arming()),
            Over::Roles(sheet, _) => Some(sheet.arming()),
            Over::Many(dialog) => Some(dialog.arming()),
            Over::Nothing | Over::Prompt(_) | Over::Palette(_) | Over::Links(_) | Over::Schedule(..) | Over::Help | Over::Detail => None,
        }
    }

    /// The frame that was drawn last is on its way to the terminal.
    pub fn shown(&self) {
        if let Some(arming) = self.arming() {
            arming.shown(&self.line);
        }
    }

    /// Whether a question goes to the terminal behind the frame that was drawn last.
    pub fn asks(&mut self) -> bool {
        let needed = self.waits_for_answer();
        let asks = self.line.asks(needed);
        if let (true, Some(arming)) = (asks, self.arming()) {
            arming.ask();
        }
        asks
    }

    /// Whether the terminal must still be asked for a frame that it got.
    pub fn waits_for_answer(&self) -> bool {
        self.arming().is_some_and(Arming::wants)
    }

    /// The terminal answered. Whether that changes anything: keys count from now on, or it must be asked again at once, for a frame that
    /// went out while the question was under way.
    pub fn terminal_answered(&mut self) -> bool {
        let counts = |session: &Self| session.arming().is_some_and(Arming::armed);
        let before = counts(self);
        if self.line.answered()
            && let Some(arming) = self.arming()
        {
            arming.answer();
        }
        counts(self) != before || self.waits_for_answer()
    }

    /// The terminal makes some glyph wider or narrower than one cell: from now on only ASCII is drawn.
    pub fn draw_in_ascii(&mut self) {
        (self.limits.unicode, self.theme.unicode) = (false, false);
        self.past_over_line();
    }

    /// A key came, before it is given to what lies over the screen.
    pub(super) fn key_came(&self) {
        if let Some(arming) = self.arming() {
            arming.key(&self.line);
        }
    }
}
