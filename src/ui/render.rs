//! One screen as text, with or without colours, for `gonogo render` and for documents.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::world::World;
use crate::model::name::Target;
use crate::model::time::Moment;

use super::glass::Glass;
use super::keymap::Keymap;
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
