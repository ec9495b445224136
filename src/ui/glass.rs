//! The present step: two pictures of cells, and the fewest bytes that turn the one on the terminal into the one that is wished.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use crate::control::world::World;
use crate::model::time::Moment;

use super::hyperlink::Hyperlink;
use super::row::cells;
use super::session::Session;
use super::theme::{Mark, Theme};

mod linked;
mod pen;
mod shift;

use pen::{Pen, is_blank, same};

/// One terminal as far as we have written it.
#[derive(Debug)]
pub struct Glass {
    there: Buffer,
    wished: Buffer,
    pen: Pen,
    bytes: Vec<u8>,
    blank: bool,
    /// What leads somewhere on the terminal, and in the wished picture.
    links: [Vec<Hyperlink>; 2],
    /// The column at which the cursor stands behind the probed glyphs if each is one cell; none when nothing was probed.
    behind: Option<u16>,
}

/// Alternate screen, cursor hidden, pasted text bracketed.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// Everything given back, in the opposite order.
const LEAVE: &[u8] = b"\x1b[0m\x1b[r\x1b[?2004l\x1b[?25h\x1b[?1049l";
const SYNC: &[u8] = b"\x1b[?2026h";
/// Glyphs of charts and of the map, one of each block of Unicode that is drawn.
const CHARTED: [&str; 4] = ["⣿", "▁", "█", "┌"];
const END_SYNC: &[u8] = b"\x1b[?2026l";

impl Glass {
    /// A terminal of this size of which nothing is known: the first frame clears it.
    pub fn new(width: u16, height: u16) -> Self {
        let area = Rect::new(0, 0, width, height);
        Self {
            there: Buffer::empty(area),
            wished: Buffer::empty(area),
            pen: Pen::default(),
            bytes: Vec::new(),
            blank: true,
            behind: None,
            links: [Vec::new(), Vec::new()],
        }
    }

    /// What is sent before the first frame.
    pub fn enter() -> Vec<u8> {
        ENTER.to_vec()
    }

    /// Keeps the window's title, to be given back.
    pub const KEEP_TITLE: &[u8] = b"\x1b[22;2t";
    /// Gives the window's title back.
    pub const TITLE_BACK: &[u8] = b"\x1b[23;2t";

    /// Has the terminal tell of presses and the wheel of a mouse, in numbers of any size (SGR).
    pub const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
    /// Gives the mouse back to the terminal, in the opposite order.
    pub const MOUSE_BACK: &[u8] = b"\x1b[?1006l\x1b[?1000l";

    /// What gives the terminal back.
    pub fn leave() -> Vec<u8> {
        LEAVE.to_vec()
    }

    /// Asks the terminal whether it is well: its answer says that it has read everything before.
    pub const QUESTION: &[u8] = b"\x1b[5n";

    /// What is sent before the first frame, to learn how wide the terminal makes our glyphs: the frame wipes them away, and nobody waits
    /// for the answer. Nothing where no glyph beyond ASCII is drawn, or the row is too short for them.
    pub fn probe(&mut self, theme: &Theme) -> Option<Vec<u8>> {
        let glyphs: String = Mark::ALL.into_iter().map(|mark| mark.glyphs().0).chain(CHARTED).collect();
        let columns = u16::try_from(glyphs.chars().count()).ok()?;
        if !theme.unicode || columns >= self.wished.area.width {
            return None;
        }
        self.behind = Some(columns + 1);
        Some([SYNC, b"\x1b[H", glyphs.as_bytes(), b"\x1b[6n"].concat())
    }

    /// Where the cursor stands, from 1: whether each glyph that was probed is one cell; none when nothing was asked.
    pub fn probed(&mut self, column: u16) -> Option<bool> {
        self.behind.take().map(|behind| behind == column)
    }

    /// Nothing is known of the terminal any more: the next frame clears it and draws everything.
    pub fn forget(&mut self) {
        self.blank = true;
    }

    /// The bytes of one frame, for one write; none when nothing changed.
    pub fn frame(&mut self, session: &Session, world: &World, now: &Moment) -> Option<&[u8]> {
        let (width, height) = session.size();
        let area = Rect::new(0, 0, width, height);
        if self.wished.area != area {
            self.there = Buffer::empty(area);
            self.wished = Buffer::empty(area);
            self.blank = true;
        }
        self.wished.reset();
        session.draw(world, now, &mut self.wished);
        session.shown();
        self.wished.content.iter_mut().for_each(Pen::settle);
        let [there, _] = std::mem::take(&mut self.links);
        self.links = [if self.blank { Vec::new() } else { there }, session.hyperlinks()];
        self.encode();
        self.links.reverse();
        std::mem::swap(&mut self.there, &mut self.wished);
        (!self.bytes.is_empty()).then_some(&self.bytes)
    }

    /// A picture as lines of text with colours, each ending in the plain look.
    pub(super) fn paint(buffer: &Buffer) -> String {
        let mut out = Vec::new();
        for line in buffer.content.chunks(usize::from(buffer.area.width).max(1)) {
            let mut pen = Pen::default();
            let ink = line.iter().rposition(|cell| !is_blank(cell)).map_or(0, |x| x + 1);
            let mut skip = 0;
            for cell in line.iter().take(ink) {
                if skip == 0 {
                    skip = cells(cell.symbol());
                    pen.print(&mut out, cell, skip);
                }
                skip = skip.saturating_sub(1);
            }
            pen.plain(&mut out);
            out.push(b'\n');
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    fn encode(&mut self) {
        self.bytes.clear();
        let mut out = std::mem::take(&mut self.bytes);
        out.extend_from_slice(SYNC);
        if self.blank {
            self.there.reset();
            self.pen = Pen::default();
            out.extend_from_slice(b"\x1b[0m\x1b[r\x1b[H\x1b[2J");
            self.pen.home();
        }
        let head = out.len();
        let [linked, links] = &self.links;
        let mut changed = differing(&self.there, &self.wished);
        // A scrolled row would take its links along.
        let may_move = !self.blank && linked.is_empty() && links.is_empty() && changed.iter().filter(|row| **row).count() >= shift::LEAST;
        let moved = may_move && shift::apply(&mut self.pen, &mut out, &mut self.there, &self.wished);
        if moved {
            changed = differing(&self.there, &self.wished);
        }
        let width = usize::from(self.wished.area.width).max(1);
        let mut rows = 0_u32;
        let pictures = self.there.content.chunks(width).zip(self.wished.content.chunks(width));
        for (y, ((there, wished), changed)) in (0_u16..).zip(pictures.zip(changed)) {
            let leads = links.iter().any(|link| link.y == y);
            if linked::differs(linked, links, y) || (leads && changed) {
                rows += 1;
                linked::row(&mut self.pen, &mut out, y, wished, links);
            } else if changed {
                rows += 1;
                row(&mut self.pen, &mut out, y, there, wished);
            }
        }
        if self.blank || moved || rows > 1 {
            out.extend_from_slice(END_SYNC);
        } else {
            out.drain(..head.min(SYNC.len()));
        }
        if rows == 0 && !self.blank && !moved {
            out.clear();
        }
        self.blank = false;
        self.bytes = out;
    }
}

/// Which rows differ.
fn differing(there: &Buffer, wished: &Buffer) -> Vec<bool> {
    let width = usize::from(wished.area.width).max(1);
    there
        .content
        .chunks(width)
        .zip(wished.content.chunks(width))
        .map(|(there, wished)| !there.iter().zip(wished).all(|(old, new)| same(old, new)))
        .collect()
}

/// Writes what differs in one row.
fn row(pen: &mut Pen, out: &mut Vec<u8>, y: u16, there: &[Cell], wished: &[Cell]) {
    let last_ink = wished.iter().rposition(|cell| !is_blank(cell)).map_or(0, |x| x + 1);
    let last_old = there.iter().rposition(|cell| !is_blank(cell)).map_or(0, |x| x + 1);
    let erase = last_old > last_ink && last_old - last_ink > 4;
    let mut skip = 0_usize;
    let mut torn = false;
    for (x, (old, new)) in (0_u16..).zip(there.iter().zip(wished)) {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        if erase && usize::from(x) >= last_ink {
            pen.go(out, x, y, there, wished);
            pen.erase_to_end(out);
            return;
        }
        let wide = cells(new.symbol());
        let changed = !same(old, new) || torn;
        torn = changed && cells(old.symbol()) > 1;
        if !changed {
            skip = wide.saturating_sub(1);
            continue;
        }
        pen.go(out, x, y, there, wished);
        pen.print(out, new, wide);
        skip = wide.saturating_sub(1);
        if pen.x() == Some(u16::try_from(wished.len()).unwrap_or(u16::MAX)) {
            pen.lose();
        }
    }
}

#[cfg(test)]
mod tests;
