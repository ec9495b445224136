//! What is asked on a sheet over a screen: a reason, and where it must be, a text typed in full; from when on its keys count, and how the
//! fields are drawn beneath what decides.

use std::cell::Cell;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::text::Text;

use super::arming::Arming;
use super::field::{self, Field};
use super::input::{Chord, Key};
use super::row::Row;
use super::scene::Scene;
use super::theme::Role;

/// Rows that a page key moves.
const PAGE: usize = 8;

/// The fields of a sheet, and where it is scrolled to.
#[derive(Debug, Default)]
pub struct Asking {
    reason: Field,
    confirm: Option<Field>,
    /// Whether the keys go to the text that confirms.
    confirming: bool,
    arming: Arming,
    /// Nothing more is asked: what was asked for is on its way.
    closed: bool,
    scroll: usize,
    longest: Cell<usize>,
    wrong: Option<String>,
}

/// What a key was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// The sheet is left.
    Left,
    /// It came before the sheet was seen, and was dropped.
    Dropped,
    /// It moved or typed something.
    Taken,
    /// What is asked for is to be done.
    Enter,
}

/// What stands at the ends of the fields.
#[derive(Debug, Clone, Copy)]
pub struct Hints<'a> {
    /// What is wanted of the reason.
    pub reason: &'a str,
    /// What is typed in full.
    pub confirm: &'a str,
}

impl Asking {
    /// Asks for a reason, of which some may stand there already; `confirms`: also for a text.
    pub fn new(reason: &str, confirms: bool) -> Self {
        Self { reason: Field::with(reason), confirm: confirms.then(Field::default), ..Self::default() }
    }

    /// From when on its keys count.
    pub fn arming(&self) -> &Arming {
        &self.arming
    }

    /// Shown again after something lay over it: its keys count once it was seen again.
    pub fn again(&mut self) {
        self.arming.again();
    }

    /// The reason as it is typed so far.
    pub fn reason(&self) -> Text {
        Text::clean_within(self.reason.text().trim(), field::LONGEST)
    }

    /// Whether a text must be typed in full.
    pub fn confirms(&self) -> bool {
        self.confirm.is_some()
    }

    /// Whether the text that confirms is still to be typed.
    pub fn lacks_confirmation(&self) -> bool {
        self.confirm.as_ref().is_some_and(|confirm| confirm.text().trim().is_empty())
    }

    /// Says above the fields why Enter did nothing, until the next key.
    pub fn refuse(&mut self, why: String) {
        self.wrong = Some(why);
    }

    /// Back to the first row.
    pub fn to_top(&mut self) {
        self.scroll = 0;
    }

    /// What was asked for is on its way: nothing is typed any more.
    pub fn close(&mut self) {
        self.closed = true;
        self.scroll = 0;
    }

    /// Whether it is on its way.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes a key.
    pub fn on(&mut self, chord: Chord) -> Stroke {
        if chord.key == Key::Esc {
            return Stroke::Left;
        }
        if !self.arming.armed() {
            self.arming.drop_key();
            return Stroke::Dropped;
        }
        self.wrong = None;
        match chord.key {
            Key::Up => self.scroll = self.scroll.saturating_sub(1),
            Key::Down => self.scroll = (self.scroll + 1).min(self.longest.get()),
            Key::PageUp => self.scroll = self.scroll.saturating_sub(PAGE),
            Key::PageDown => self.scroll = (self.scroll + PAGE).min(self.longest.get()),
            Key::Char(_) | Key::Enter if self.closed => {}
            Key::Tab | Key::BackTab if self.confirm.is_some() => self.confirming = !self.confirming,
            Key::Enter => return Stroke::Enter,
            Key::Char(_)
            | Key::Backspace
            | Key::Delete
            | Key::Left
            | Key::Right
            | Key::Home
            | Key::End
            | Key::Esc
            | Key::Tab
            | Key::BackTab
            | Key::F(_) => {
                self.field().on(chord);
            }
        }
        Stroke::Taken
    }

    /// Scrolls by rows: no key, so it arms nothing, is never dropped, and leaves what was said of the last key.
    pub fn scroll(&mut self, by: isize) {
        let longest = self.longest.get();
        self.scroll = self.scroll.min(longest).saturating_add_signed(by).min(longest);
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        if self.arming.armed() && !self.closed {
            self.field().paste(text);
        }
    }

    fn field(&mut self) -> &mut Field {
        match &mut self.confirm {
            Some(confirm) if self.confirming => confirm,
            Some(_) | None => &mut self.reason,
        }
    }

    /// Whether the text was typed that confirms, where one must be; else its field has the keys, or it is said what is missing.
    pub fn confirmed(&mut self, wanted: &str) -> bool {
        let Some(confirm) = &self.confirm else { return true };
        if !self.confirming {
            self.confirming = true;
            return false;
        }
        if confirm.text().trim() == wanted {
            return true;
        }
        self.wrong = Some(format!("type {wanted} in full"));
        false
    }

    /// Adds what Enter does to a row of keys, and what the other keys of the fields do; before it counts, that it does not yet.
    pub fn keys(&self, scene: &Scene<'_>, row: &mut Row, enter: Option<&str>) {
        self.arming.enter(scene, row, enter);
        row.add(Role::Key, "Esc").add(Role::Plain, " leave");
        if self.confirms() {
            row.add(Role::Plain, "   ").add(Role::Key, "Tab").add(Role::Plain, " next field");
        }
    }

    /// Draws rows as far as there is room, and the fields beneath; `over`: what is said in place of why Enter did nothing, as that is over.
    pub fn draw(&self, scene: &Scene<'_>, rows: &[Row], hints: Hints<'_>, over: Option<&str>, buffer: &mut Buffer, area: Rect) {
        let fields = if self.closed { 0 } else { 2 + u16::from(self.confirm.is_some()) };
        let height = usize::from(area.height.saturating_sub(fields));
        let hidden = rows.len().saturating_sub(height);
        let first = self.scroll.min(hidden);
        self.longest.set(hidden);
        for (y, row) in (0..area.height.saturating_sub(fields)).zip(rows.iter().skip(first)) {
            row.draw(buffer, area, y, scene.theme);
        }
        self.arming.draw(area.height > fields + 2);
        if self.closed {
            return;
        }
        let mut rule = Row::rule(scene.theme, if hidden > 0 { "Up and Down show the rest" } else { "" });
        let end = match (&self.wrong, self.arming.dropped(), hidden) {
            (Some(_), ..) if over.is_some() => over.unwrap_or_default().to_owned(),
            (Some(wrong), ..) => wrong.clone(),
            (None, Some(dropped), _) => dropped,
            (None, None, 1..) => format!("{} to {} of {}", first + 1, (first + height).min(rows.len()), rows.len()),
            (None, None, 0) => String::new(),
        };
        if !end.is_empty() {
            rule.end(Role::Watched, format!(" {end} "));
        }
        let y = area.height.saturating_sub(fields);
        rule.draw(buffer, area, y, scene.theme);
        let at = |y: u16| Rect { y: area.y + y, height: 1, ..area };
        self.reason.draw_row(buffer, at(y + 1), scene.theme, ("reason ", hints.reason), !self.confirming);
        if let Some(confirm) = &self.confirm {
            confirm.draw_row(buffer, at(y + 2), scene.theme, ("confirm", &format!("type {}", hints.confirm)), self.confirming);
        }
    }
}
