//! One row on its way to the glass: pieces of text with roles, laid out in cells, cut only between words.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::model::text::is_hidden;

use super::theme::{Mark, Role, Theme};

/// A piece of text with its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ink {
    text: String,
    role: Role,
    cells: usize,
}

impl Ink {
    fn new(role: Role, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cells: cells(&text), text, role }
    }
}

/// A row: what stands at its left end and what stands at its right end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    left: Vec<Ink>,
    right: Vec<Ink>,
    cells: usize,
    rule: bool,
}

/// Whether a character is one cell and joins nothing beside it. Nearly all on a glass are: for them no table of Unicode is looked into.
fn is_simple(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{2500}'..='\u{259f}' | '\u{2800}'..='\u{28ff}')
}

/// The cells that a text takes.
pub fn cells(text: &str) -> usize {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.len();
    }
    if text.chars().all(is_simple) { text.chars().count() } else { text.width() }
}

/// The extended grapheme clusters of a text (UAX 29).
pub fn clusters(text: &str) -> impl Iterator<Item = &str> {
    counted(text).map(|(cluster, _)| cluster)
}

/// The clusters of a text, each with its cells; none for one that is simple, which takes one.
fn counted(text: &str) -> impl Iterator<Item = (&str, Option<usize>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut chars = rest.chars();
        let first = chars.next().filter(|c| is_simple(*c));
        let simple = first.filter(|_| chars.next().is_none_or(is_simple));
        let length = simple.map_or_else(|| rest.graphemes(true).next().map(str::len), |c| Some(c.len_utf8()))?;
        let (cluster, behind) = rest.split_at_checked(length)?;
        rest = behind;
        Some((cluster, simple.is_none().then(|| cells(cluster))))
    })
}

impl Row {
    /// An empty row.
    pub fn new() -> Self {
        Self::default()
    }

    /// A row with one piece.
    pub fn of(role: Role, text: impl Into<String>) -> Self {
        let mut row = Self::new();
        row.add(role, text);
        row
    }

    /// A rule with a heading: `- needs you 3 -----`.
    pub fn rule(theme: &Theme, heading: &str) -> Self {
        let mut row = Self::new();
        row.rule = true;
        if !heading.is_empty() {
            row.add(Role::Rule, theme.glyph(Mark::Rule)).add(Role::Plain, format!(" {heading} "));
        }
        row
    }

    /// Adds a piece.
    pub fn add(&mut self, role: Role, text: impl Into<String>) -> &mut Self {
        let ink = Ink::new(role, text);
        self.cells += ink.cells;
        self.left.push(ink);
        self
    }

    /// Adds a piece and gives the row on.
    #[must_use]
    pub fn put(mut self, role: Role, text: impl Into<String>) -> Self {
        self.add(role, text);
        self
    }

    /// Goes to a column; one cell on when it is already passed.
    pub fn at(&mut self, column: usize) -> &mut Self {
        let pad = if self.cells < column { column - self.cells } else { usize::from(self.cells > 0) };
        self.add(Role::Plain, " ".repeat(pad))
    }

    /// Adds a piece at the right end.
    pub fn end(&mut self, role: Role, text: impl Into<String>) -> &mut Self {
        self.right.push(Ink::new(role, text));
        self
    }

    /// The cells that the left part takes.
    pub fn width(&self) -> usize {
        self.cells
    }

    /// Draws the row on line `y` of `area`.
    pub fn draw(&self, buffer: &mut Buffer, area: Rect, y: u16, theme: &Theme) {
        if y >= area.height || area.width == 0 {
            return;
        }
        let width = usize::from(area.width);
        let mut right: &[Ink] = &self.right;
        let mut taken = taken_by(right);
        while !right.is_empty() && (taken >= width || (self.cells + taken > width && taken > width / 2)) {
            right = right.get(1..).unwrap_or_default();
            taken = taken_by(right);
        }
        let room = if taken == 0 { width } else { width.saturating_sub(taken + usize::from(self.cells > 0)) };
        let mut pen = Pen { buffer, area, y, x: 0, theme };
        for ink in &self.left {
            let left = room.saturating_sub(pen.x);
            if ink.cells <= left {
                pen.write(&ink.text, ink.role);
                continue;
            }
            let (kept, cut) = keep_words(&ink.text, left);
            pen.write(kept, ink.role);
            if cut && pen.x < room {
                pen.write(theme.glyph(Mark::Cut), Role::Quiet);
            }
            break;
        }
        if self.rule {
            let gap = right.first().is_some_and(|ink| !ink.text.starts_with(' '));
            let until = width.saturating_sub(taken + usize::from(gap));
            let dashes = theme.glyph(Mark::Rule).repeat(until.saturating_sub(pen.x));
            pen.write(&dashes, Role::Rule);
        }
        pen.x = width.saturating_sub(taken);
        for ink in right {
            pen.write(&ink.text, ink.role);
        }
    }
}

fn taken_by(inks: &[Ink]) -> usize {
    inks.iter().map(|ink| ink.cells).sum()
}

/// The words at the front of `text` that fit into `room` cells with one to spare for the mark of the cut, and whether ink was cut off.
fn keep_words(text: &str, room: usize) -> (&str, bool) {
    let mut kept = 0;
    let mut used = 0;
    for (at, word) in text.split_word_bound_indices_by_space() {
        used += cells(word);
        if used + 1 > room {
            return (text.get(..kept).unwrap_or_default(), !text.get(kept..).unwrap_or_default().trim().is_empty());
        }
        kept = at + word.len();
    }
    (text.get(..kept).unwrap_or_default(), false)
}

trait BySpace {
    fn split_word_bound_indices_by_space(&self) -> impl Iterator<Item = (usize, &str)>;
}

impl BySpace for str {
    /// Runs of spaces and runs of anything else, in turn: a number or identifier is one run.
    fn split_word_bound_indices_by_space(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut rest = 0;
        std::iter::from_fn(move || {
            let tail = self.get(rest..).filter(|tail| !tail.is_empty())?;
            let space = tail.starts_with(' ');
            let length = tail.find(|c: char| (c == ' ') != space).unwrap_or(tail.len());
            let at = rest;
            rest += length;
            Some((at, tail.get(..length).unwrap_or_default()))
        })
    }
}

struct Pen<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    y: u16,
    x: usize,
    theme: &'a Theme,
}

impl Pen<'_> {
    /// Writes clusters; what the theme cannot show, and what no terminal should be sent, becomes `?` in each of its cells. Spaces around words
    /// get no line beneath them.
    fn write(&mut self, text: &str, role: Role) {
        let style = self.theme.style(role);
        if style.add_modifier.contains(Modifier::UNDERLINED) && !text.trim().is_empty() {
            let words = text.trim_matches(' ');
            let (before, after) = text.split_once(words).unwrap_or_default();
            for (part, style) in [
                (before, style.remove_modifier(Modifier::UNDERLINED)),
                (words, style),
                (after, style.remove_modifier(Modifier::UNDERLINED)),
            ] {
                self.set(part, style);
            }
            return;
        }
        self.set(text, style);
    }

    fn set(&mut self, text: &str, style: Style) {
        let width = usize::from(self.area.width);
        let (fore, back) = (style.fg.unwrap_or_default(), style.bg.unwrap_or_default());
        let (x, y) = (self.area.x, self.area.y.saturating_add(self.y));
        if !self.buffer.area.contains((x, y).into()) {
            return;
        }
        let begin = self.buffer.index_of(x, y);
        let end = begin + width.min(usize::from(self.buffer.area.right() - x));
        let Some(row) = self.buffer.content.get_mut(begin..end) else { return };
        for (cluster, counted) in counted(text) {
            let wide = counted.unwrap_or(1);
            if wide == 0 {
                continue;
            }
            let Some(cells) = row.get_mut(self.x..self.x + wide) else {
                self.x = width;
                return;
            };
            // Backends are cleaned at their ports; a name of a file that nobody cleaned is no sequence of a terminal either.
            let plain = (cluster.is_ascii() || self.theme.unicode) && (counted.is_none() || !cluster.chars().any(is_hidden));
            for (part, cell) in cells.iter_mut().enumerate() {
                cell.set_symbol(match (plain, part) {
                    (false, _) => "?",
                    (true, 0) => cluster,
                    (true, _) => " ",
                });
                (cell.fg, cell.bg, cell.modifier) = (fore, back, style.add_modifier);
            }
            self.x += wide;
        }
    }
}

/// The first of `forms`, from long to short, that fits into `room` cells; the last when none does.
pub fn fit(forms: &[String], room: usize) -> String {
    forms.iter().find(|form| cells(form) <= room).or_else(|| forms.last()).cloned().unwrap_or_default()
}

/// Whether a row never ends between two words: a number stays with its unit, and a share with what it is of.
fn stays(word: &str, next: &str) -> bool {
    let bare = word.trim_start_matches(['(', '+', '-', '~']);
    let is_number = bare.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with(|c: char| c.is_ascii_digit());
    let next = next.trim_end_matches([',', ';', ':', '.', ')']);
    (is_number && matches!(next, "%" | "x" | "s" | "ms" | "points" | "req/s")) || (word == "%" && next == "fail")
}

/// The words of a text; those that stay together, and fit a row together, as one.
fn words(text: &str, room: usize) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut before = "";
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match all.last_mut().filter(|last| stays(before, word) && cells(last) + 1 + cells(word) <= room) {
            Some(last) => {
                last.push(' ');
                last.push_str(word);
            }
            None => all.push(word.to_owned()),
        }
        before = word;
    }
    all
}

/// Breaks text into rows of at most `room` cells, between words; a word longer than a row is broken where it must be.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(1);
    let mut rows = Vec::new();
    let mut row = String::new();
    for word in &words(text, room) {
        let gap = usize::from(!row.is_empty());
        if cells(&row) + gap + cells(word) <= room {
            if gap == 1 {
                row.push(' ');
            }
            row.push_str(word);
            continue;
        }
        if !row.is_empty() {
            rows.push(std::mem::take(&mut row));
        }
        for cluster in clusters(word) {
            if cells(&row) + cells(cluster) > room {
                rows.push(std::mem::take(&mut row));
            }
            row.push_str(cluster);
        }
    }
    if !row.is_empty() || rows.is_empty() {
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(row: &Row, width: u16, theme: &Theme) -> String {
        let area = Rect::new(0, 0, width, 1);
        let mut buffer = Buffer::empty(area);
        row.draw(&mut buffer, area, 0, theme);
        buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn no_character_that_a_terminal_obeys_gets_into_a_cell() {
        let row = Row::of(Role::Plain, "a\u{1b}]0;x\u{7}\u{9b}2J\u{202e}b\u{7f}\u{8}\tc");
        for theme in [Theme::standard(), Theme::ascii()] {
            let text = drawn(&row, 40, &theme);
            assert!(text.contains("]0;x") && !text.chars().any(is_hidden), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_needs_no_table_is_parted_and_counted_as_the_tables_say(text in "([ -~]|[─-▟]|[⠀-⣿]|\\PC|\u{301}|\u{200d}|\r|\n|🇩|👩|क|्|ि){0,24}") {
            prop_assert_eq!(clusters(&text).collect::<Vec<_>>(), text.graphemes(true).collect::<Vec<_>>());
            prop_assert_eq!(cells(&text), text.width());
        }
    }

    #[test]
    fn a_row_ends_where_its_area_and_its_buffer_do() {
        let text = |area: Rect| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 2));
            Row::of(Role::Plain, "abcdefgh").draw(&mut buffer, area, 0, &Theme::ascii());
            buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect::<String>()
        };
        assert_eq!(text(Rect::new(4, 0, 8, 1)), "    ab      ");
        assert_eq!(text(Rect::new(0, 5, 8, 1)), "            ");
    }

    #[test]
    fn a_number_is_never_cut_in_its_middle() {
        let row = Row::of(Role::Plain, "errors 1,281 of 5,255");
        assert_eq!(drawn(&row, 16, &Theme::ascii()), "errors 1,281 of~");
        assert_eq!(drawn(&row, 12, &Theme::ascii()), "errors ~    ");
    }

    #[test]
    fn the_right_end_stays_and_the_left_gives_way() {
        let mut row = Row::of(Role::Plain, "checkout@prod errors");
        row.end(Role::Key, "R now");
        assert_eq!(drawn(&row, 21, &Theme::ascii()), "checkout@prod ~ R now");
    }

    #[test]
    fn a_theme_without_unicode_shows_question_marks() {
        assert_eq!(drawn(&Row::of(Role::Plain, "grün 日本"), 10, &Theme::ascii()), "gr?n ???? ");
    }

    #[test]
    fn wrapping_keeps_words_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
    }

    #[test]
    fn wrapping_parts_no_number_from_its_unit() {
        assert_eq!(wrap("gets 190 req/s, 0.0 % fail by mesh", 20), ["gets 190 req/s,", "0.0 % fail by mesh"]);
        assert_eq!(wrap("old 5,255), +1.7 points (0.9 to 2.5)", 16), ["old 5,255),", "+1.7 points (0.9", "to 2.5)"]);
        assert_eq!(wrap("limit 300 ms", 4), ["limi", "t", "300", "ms"], "what fits no row is parted");
    }
}
