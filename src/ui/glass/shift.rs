//! A list that moved by a row or a few: the terminal moves it itself, and only what came into sight is written.

use ratatui::buffer::{Buffer, Cell};

use super::pen::{Pen, is_blank, same};

/// The farthest that a list is moved.
const FARTHEST: usize = 3;
/// Rows count as the same if so many cells differ: the cursor's mark, an age.
const NEAR: usize = 6;
/// Rows that must have moved, so that many at least must differ.
pub(super) const LEAST: usize = 4;
/// Cells that must be saved: what it costs to say so.
const WORTH: usize = 40;

/// A part of the screen that moves: its first and last row, how far, and whether upwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    pub(super) top: usize,
    pub(super) bottom: usize,
    pub(super) by: usize,
    pub(super) up: bool,
}

impl Shift {
    /// The row that comes to stand in a row of the run, and the one it comes from.
    fn rows(self, y: usize) -> (usize, usize) {
        if self.up { (y, y + self.by) } else { (y + self.by, y) }
    }
}

/// Lets the terminal move what only moved, and does the same to the picture of it; false when nothing is worth it.
pub(super) fn apply(pen: &mut Pen, out: &mut Vec<u8>, there: &mut Buffer, wished: &Buffer) -> bool {
    let width = usize::from(wished.area.width).max(1);
    let Some(Shift { top, bottom, by, up }) = find(there, wished, width) else { return false };
    // What comes into sight is erased in the look of the moment.
    pen.plain(out);
    let count = if by == 1 { String::new() } else { by.to_string() };
    let verb = if up { 'M' } else { 'L' };
    // Deleting and inserting lines is understood by every terminal, a scroll by count is not.
    out.extend_from_slice(format!("\x1b[{};{}r\x1b[{}H\x1b[{count}{verb}\x1b[r", top + 1, bottom + 1, top + 1).as_bytes());
    pen.lose();
    if let Some(part) = there.content.get_mut(top * width..(bottom + 1) * width) {
        let cells = by * width;
        let fresh = if up {
            part.rotate_left(cells);
            part.len().saturating_sub(cells)..part.len()
        } else {
            part.rotate_right(cells);
            0..cells
        };
        part.get_mut(fresh).into_iter().flatten().for_each(Cell::reset);
    }
    true
}

/// The shift that saves most.
pub(super) fn find(there: &Buffer, wished: &Buffer, width: usize) -> Option<Shift> {
    let old: Vec<&[Cell]> = there.content.chunks(width).collect();
    let new: Vec<&[Cell]> = wished.content.chunks(width).collect();
    let mut best: Option<(usize, Shift)> = None;
    for by in 1..=FARTHEST {
        for up in [true, false] {
            for shift in runs(&old, &new, by, up) {
                let saved = saved(&old, &new, shift);
                if saved >= WORTH && best.is_none_or(|(most, _)| saved > most) {
                    best = Some((saved, shift));
                }
            }
        }
    }
    best.map(|(_, shift)| shift)
}

/// All runs of rows that stand the same way elsewhere.
fn runs(old: &[&[Cell]], new: &[&[Cell]], by: usize, up: bool) -> Vec<Shift> {
    let mut runs: Vec<Shift> = Vec::new();
    let mut begun = None;
    let last = old.len().saturating_sub(by);
    for y in 0..=last {
        let (to, from) = Shift { top: 0, bottom: 0, by, up }.rows(y);
        let same = y < last && new.get(to).zip(old.get(from)).is_some_and(|(new, old)| differing(new, old, NEAR) <= NEAR);
        match (begun, same) {
            (None, true) => begun = Some(y),
            (Some(top), false) => {
                begun = None;
                if y - top >= LEAST {
                    runs.push(Shift { top, bottom: y - 1 + by, by, up });
                }
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    runs
}

/// Cells that need not be written after the shift.
fn saved(old: &[&[Cell]], new: &[&[Cell]], shift: Shift) -> usize {
    let pair = |y: usize, z: usize| new.get(y).zip(old.get(z)).map_or(0, |(new, old)| differing(new, old, usize::MAX));
    let before: usize = (shift.top..=shift.bottom).map(|y| pair(y, y)).sum();
    let moved: usize = (shift.top..=shift.bottom - shift.by).map(|y| shift.rows(y)).map(|(to, from)| pair(to, from)).sum();
    let fresh = if shift.up { shift.bottom + 1 - shift.by..shift.bottom + 1 } else { shift.top..shift.top + shift.by };
    let ink = |y: usize| new.get(y).map_or(0, |row| row.iter().filter(|cell| !is_blank(cell)).count());
    before.saturating_sub(moved + fresh.map(ink).sum::<usize>())
}

/// How many cells differ; counting ends past `most`.
fn differing(one: &[Cell], other: &[Cell], most: usize) -> usize {
    one.iter().zip(other).filter(|(one, other)| !same(one, other)).take(most.saturating_add(1)).count()
}
