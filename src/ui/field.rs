//! A one-line field in which an operator types.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget as _;
use tui_textarea::{Input as AreaInput, Key as AreaKey, TextArea};

use super::input::{Chord, Key};
use super::row::{Row, cells};
use super::theme::{Role, Theme};
use crate::model::text::Text;

/// The longest text that a field takes, in characters.
pub const LONGEST: usize = 400;

/// A one-line field.
#[derive(Debug, Clone)]
pub struct Field {
    area: TextArea<'static>,
}

impl Default for Field {
    fn default() -> Self {
        let mut area = TextArea::default();
        area.set_cursor_line_style(Style::new());
        Self { area }
    }
}

impl Field {
    /// A field that already holds a text.
    pub fn with(text: &str) -> Self {
        let mut field = Self::default();
        field.paste(text);
        field
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// Takes a key; false when it means nothing in a field.
    pub fn on(&mut self, chord: Chord) -> bool {
        let key = match chord.key {
            Key::Char(c) if c.is_control() || (!chord.ctrl && self.text().chars().count() >= LONGEST) => return false,
            Key::Char(c) if !chord.ctrl && !chord.alt && Text::clean(&c.to_string()).as_str() != c.to_string() => return false,
            Key::Char('a' | 'e' | 'b' | 'f' | 'h' | 'd' | 'k' | 'j' | 'w' | 'u') if chord.ctrl => match chord.key {
                Key::Char(c) => AreaKey::Char(c),
                Key::Enter
                | Key::Esc
                | Key::Tab
                | Key::BackTab
                | Key::Backspace
                | Key::Delete
                | Key::Up
                | Key::Down
                | Key::Left
                | Key::Right
                | Key::Home
                | Key::End
                | Key::PageUp
                | Key::PageDown
                | Key::F(_) => return false,
            },
            Key::Char(_) if chord.ctrl || chord.alt => return false,
            Key::Char(c) => AreaKey::Char(c),
            Key::Backspace => AreaKey::Backspace,
            Key::Delete => AreaKey::Delete,
            Key::Left => AreaKey::Left,
            Key::Right => AreaKey::Right,
            Key::Home => AreaKey::Home,
            Key::End => AreaKey::End,
            Key::Enter | Key::Esc | Key::Tab | Key::BackTab | Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::F(_) => {
                return false;
            }
        };
        self.area.input(AreaInput { key, ctrl: chord.ctrl, alt: chord.alt, shift: false });
        true
    }

    /// Takes pasted text: cleaned, on one line.
    pub fn paste(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.text().chars().count());
        let line: String = text.split(['\r', '\n']).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        self.area.insert_str(Text::clean_within(&line, room).as_str());
    }

    /// Draws the field on a row of its own, between a label and a word about what is wanted.
    pub fn draw_row(&self, buffer: &mut Buffer, area: Rect, theme: &Theme, (label, end): (&str, &str), focused: bool) {
        let mut row = Row::of(if focused { Role::Strong } else { Role::Quiet }, format!(" {label}"));
        row.end(Role::Quiet, format!(" {end} "));
        row.draw(buffer, area, 0, theme);
        let x = u16::try_from(cells(label) + 3).unwrap_or(10);
        let taken = x.saturating_add(u16::try_from(cells(end) + 2).unwrap_or(0));
        self.draw(buffer, Rect { x: area.x + x, width: area.width.saturating_sub(taken), ..area }, theme, focused);
    }

    /// Draws the field with its cursor.
    pub fn draw(&self, buffer: &mut Buffer, place: Rect, theme: &Theme, focused: bool) {
        let place = place.intersection(buffer.area);
        if place.is_empty() {
            return;
        }
        let mut area = self.area.clone();
        area.set_style(theme.style(Role::Field));
        area.set_cursor_style(theme.style(if focused { Role::Caret } else { Role::Field }));
        (&area).render(place, buffer);
    }
}
