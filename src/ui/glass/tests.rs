//! What the terminal shows after a list moved, read back from a terminal's own mind.

use std::num::NonZero;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use super::pen::Pen;
use super::row;
use super::shift::{Shift, apply, find};

/// A heading, a list of numbered rows from `first` on with a mark on the last, and a row of keys.
fn picture(first: usize, rows: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 60, rows));
    buffer.set_string(0, 0, format!("services {first} to .."), Style::new().fg(Color::Blue));
    for y in 1..rows - 1 {
        let n = first + usize::from(y);
        let mark = if y == rows - 2 { ">" } else { " " };
        let look = if n.is_multiple_of(3) { Style::new().bg(Color::Red) } else { Style::new() };
        buffer.set_string(0, y, format!("{mark} service-{n:05}  {:>20} steady 日本", n * 7919), look);
    }
    buffer.set_string(0, rows - 1, "q quit", Style::new().fg(Color::Black).bg(Color::White));
    buffer
}

/// The bytes from one picture to the other, and what a terminal then shows.
fn drawn(from: &Buffer, to: &Buffer) -> (usize, vt100::Parser) {
    let (width, height) = (to.area.width, to.area.height);
    let mut terminal = vt100::Parser::new(NonZero::new(height).unwrap(), NonZero::new(width).unwrap(), 0);
    let (mut pen, mut there) = (Pen::default(), Buffer::empty(to.area));
    let mut length = 0;
    for wished in [from, to] {
        let mut out = Vec::new();
        apply(&mut pen, &mut out, &mut there, wished);
        let rows = there.content.chunks(usize::from(width)).zip(wished.content.chunks(usize::from(width)));
        for (y, (old, new)) in (0..).zip(rows) {
            if old != new {
                row(&mut pen, &mut out, y, old, new);
            }
        }
        there = wished.clone();
        terminal.process(&out);
        length = out.len();
    }
    (length, terminal)
}

fn shows(terminal: &vt100::Parser, wished: &Buffer) {
    for y in 0..wished.area.height {
        for x in 0..wished.area.width {
            let (cell, seen) = (&wished[(x, y)], terminal.screen().cell(y, x).unwrap());
            let text = if seen.contents().is_empty() { " " } else { seen.contents() };
            if !seen.is_wide_continuation() {
                assert_eq!(text, cell.symbol(), "{x},{y}");
            }
            let red = seen.bgcolor() == vt100::Color::Idx(1);
            assert_eq!(red, cell.bg == Color::Red, "{x},{y}");
        }
    }
}

#[test]
fn a_list_that_moved_is_moved_by_the_terminal() {
    for (from, to) in [(10, 11), (11, 10), (10, 12), (13, 10), (10, 10), (10, 40)] {
        let (before, after) = (picture(from, 24), picture(to, 24));
        let (bytes, terminal) = drawn(&before, &after);
        shows(&terminal, &after);
        if from.abs_diff(to) == 1 {
            assert!(bytes < 200, "{from} to {to}: {bytes} B");
        }
    }
}

#[test]
fn what_stands_around_the_list_does_not_move() {
    let (before, after) = (picture(10, 24), picture(11, 24));
    let found = find(&before, &after, 60).unwrap();
    assert_eq!(found, Shift { top: 1, bottom: 22, by: 1, up: true });
}

#[test]
fn one_changed_row_moves_nothing() {
    let before = picture(10, 24);
    let mut after = before.clone();
    after.set_string(2, 5, "something else altogether stands here", Style::new());
    assert_eq!(find(&before, &after, 60), None);
}
