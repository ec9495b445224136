//! One screen as text, with or without colours, or as a picture, for `gonogo render` and for documents.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::world::World;
use crate::model::name::Target;
use crate::model::time::Moment;

use super::glass::Glass;
use super::keymap::Keymap;
use super::picture;
use super::screen::Screen;
use super::session::{Session, SessionOptions};
use super::theme::Theme;

fn session(screen: Screen, target: Option<&Target>, size: (u16, u16), theme: &Theme) -> Session {
    Session::new(SessionOptions {
        theme: theme.clone(),
        keymap: Keymap::default(),
        size,
        nonce: Box::new(String::new),
        screen,
        target: target.cloned(),
    })
}

fn buffer(world: &World, now: &Moment, screen: Screen, target: Option<&Target>, size: (u16, u16), theme: &Theme) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    session(screen, target, size, theme).draw(world, now, &mut buffer);
    buffer
}

/// The screen as plain text, one line a row, without spaces at the ends.
pub fn text(world: &World, now: &Moment, screen: Screen, target: Option<&Target>, size: (u16, u16), theme: &Theme) -> String {
    of_buffer(&buffer(world, now, screen, target, size, theme))
}

/// How each row looks: for each run of cells of one style a letter, for tests of style beside text.
#[cfg(test)]
pub fn styles(world: &World, now: &Moment, screen: Screen, target: Option<&Target>, size: (u16, u16), theme: &Theme) -> String {
    let buffer = buffer(world, now, screen, target, size, theme);
    let plain = ratatui::buffer::Cell::EMPTY.style();
    let mut legend: Vec<ratatui::style::Style> = Vec::new();
    let mut out = String::new();
    for row in buffer.content.chunks(usize::from(size.0)) {
        let line: String = row
            .iter()
            .map(|cell| {
                let style = cell.style();
                if style == plain {
                    return ' ';
                }
                let place = legend.iter().position(|known| *known == style).unwrap_or_else(|| {
                    legend.push(style);
                    legend.len() - 1
                });
                char::from(b'a' + u8::try_from(place).unwrap())
            })
            .collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    for (letter, style) in ('a'..).zip(&legend) {
        out.push_str(&format!("{letter} {:?} {:?} {:?}\n", style.fg, style.bg, style.add_modifier));
    }
    out
}

/// A drawn picture as plain text.
pub fn of_buffer(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let mut out = String::new();
    for row in buffer.content.chunks(width) {
        let mut line = String::new();
        let mut skip = 0;
        for cell in row {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            skip = super::row::cells(cell.symbol()).saturating_sub(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The screen as text with colours: each line ends in the plain look, so it can be printed anywhere.
pub fn ansi(world: &World, now: &Moment, screen: Screen, target: Option<&Target>, size: (u16, u16), theme: &Theme) -> String {
    Glass::paint(&buffer(world, now, screen, target, size, theme))
}

/// The screen as an SVG.
pub fn svg(world: &World, now: &Moment, screen: Screen, target: Option<&Target>, size: (u16, u16), theme: &Theme) -> String {
    picture::svg(&buffer(world, now, screen, target, size, theme))
}
