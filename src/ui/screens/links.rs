//! The links of a target: where other tools show the same version, measure and time; each with its address in full, to open or to copy.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::handoff::Way;

use crate::ui::hyperlink::Hyperlink;
use crate::ui::input::{Chord, Key};
use crate::ui::row::{Row, cells, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};

/// Where an address begins.
const INDENT: usize = 5;

/// The list of links.
#[derive(Debug, Clone)]
pub struct LinksDialog {
    heading: String,
    ways: Vec<Way>,
    marked: usize,
}

/// What a key did to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It goes on.
    Open,
    /// It was left.
    Left,
    /// This address goes onto the clipboard; its name beside it.
    Copy(String, String),
    /// The marked one cannot be had, and why.
    Refused(String),
}

impl LinksDialog {
    /// Opens the list.
    pub fn new(heading: String, ways: Vec<Way>) -> Self {
        let marked = ways.iter().position(|way| way.url.is_ok()).unwrap_or(0);
        Self { heading, ways, marked }
    }

    /// Takes a key.
    pub fn on(&mut self, chord: Chord) -> Reply {
        match chord.key {
            Key::Esc => return Reply::Left,
            Key::Up | Key::BackTab | Key::Char('k') => self.step(-1),
            Key::Down | Key::Tab | Key::Char('j') => self.step(1),
            Key::Enter | Key::Char('y') => {
                return match self.ways.get(self.marked) {
                    Some(Way { name, url: Ok(url) }) => Reply::Copy(name.clone(), url.clone()),
                    Some(Way { name, url: Err(why) }) => Reply::Refused(format!("no link to {name}: {why}")),
                    None => Reply::Left,
                };
            }
            Key::Char(_)
            | Key::Backspace
            | Key::Delete
            | Key::Left
            | Key::Right
            | Key::Home
            | Key::End
            | Key::PageUp
            | Key::PageDown
            | Key::F(_) => {}
        }
        Reply::Open
    }

    /// Moves the mark by rows.
    pub fn step(&mut self, by: isize) {
        self.marked = self.marked.saturating_add_signed(by).min(self.ways.len().saturating_sub(1));
    }

    /// Draws the list; where it leads.
    pub fn draw(&self, scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) -> Vec<Hyperlink> {
        let mut rows = vec![(Row::rule(scene.theme, &self.heading), None)];
        let room = usize::from(area.width).saturating_sub(INDENT + 1);
        let names = self.ways.iter().map(|way| cells(&way.name)).max().unwrap_or(0);
        let mut marked_at = 0;
        for (n, way) in self.ways.iter().enumerate() {
            let is_marked = n == self.marked;
            let lead = if is_marked { scene.glyph(Mark::Cursor) } else { " " };
            let role = if is_marked { Role::Strong } else { Role::Plain };
            let mut row = Row::of(Role::Strong, format!(" {lead} "));
            row.add(if way.url.is_ok() { role } else { Role::Quiet }, way.name.clone());
            match &way.url {
                Ok(url) => {
                    if is_marked {
                        marked_at = rows.len();
                    }
                    rows.push((row, Some((3, cells(&way.name), url))));
                    // The address of the marked one in full: who clicks should know where it leads.
                    let pieces = if is_marked { wrap(url, room) } else { Vec::new() };
                    for piece in pieces {
                        let place = (INDENT, cells(&piece), url);
                        let mut row = Row::new();
                        row.at(INDENT).add(Role::Quiet, piece);
                        rows.push((row, Some(place)));
                    }
                }
                Err(why) => {
                    row.at(names + 5).add(Role::Quiet, why.clone());
                    rows.push((row, None));
                }
            }
        }
        let height = usize::from(area.height);
        let skip = (marked_at + 2).saturating_sub(height);
        let mut links = Vec::new();
        for (y, (row, place)) in (0..area.height).zip(rows.iter().skip(skip)) {
            row.draw(buffer, area, y, scene.theme);
            let Some((from, wide, url)) = place else { continue };
            let (Ok(from), Ok(wide)) = (u16::try_from(*from), u16::try_from(*wide)) else { continue };
            let from = area.x.saturating_add(from);
            links.push(Hyperlink { y: area.y.saturating_add(y), from, to: from.saturating_add(wide), url: (*url).clone() });
        }
        links
    }

    /// Its row of keys.
    pub fn keys() -> Row {
        let mut row = Row::of(Role::Plain, " ");
        for (key, label) in [("Enter", " copies the address   "), ("Up Down", " another   "), ("Esc", " back")] {
            row.add(Role::Key, key).add(Role::Plain, label);
        }
        row
    }
}
