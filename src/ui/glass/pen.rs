//! The terminal's own state as we left it: where its cursor stands and how its next character will look.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use crate::ui::row::cells;

/// How a cell looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    fore: Color,
    back: Color,
    modifier: Modifier,
}

impl Look {
    const PLAIN: Self = Self { fore: Color::Reset, back: Color::Reset, modifier: Modifier::empty() };

    fn of(cell: &Cell) -> Self {
        Self { fore: cell.fg, back: cell.bg, modifier: cell.modifier }
    }

    /// Whether a space of this look is seen.
    fn shows_spaces(self) -> bool {
        let seen = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);
        self.back != Color::Reset || self.modifier.intersects(seen)
    }

    /// Whether a cell looks right when it is written in this look.
    fn suits(self, cell: &Cell) -> bool {
        let wanted = Self::of(cell);
        wanted == self || (cell.symbol() == " " && !wanted.shows_spaces() && !self.shows_spaces())
    }
}

/// Where the cursor stands and how the next character will look.
#[derive(Debug)]
pub(super) struct Pen {
    at: Option<(u16, u16)>,
    look: Look,
}

impl Default for Pen {
    fn default() -> Self {
        Self { at: None, look: Look::PLAIN }
    }
}

impl Pen {
    /// The cursor stands at the top left.
    pub(super) fn home(&mut self) {
        self.at = Some((0, 0));
    }

    /// The cursor's column.
    pub(super) fn x(&self) -> Option<u16> {
        self.at.map(|(x, _)| x)
    }

    /// Terminals disagree where the cursor is now.
    pub(super) fn lose(&mut self) {
        self.at = None;
    }

    /// Brings the cursor to a place by the shortest way: writing over what is there, moving on, or going straight.
    pub(super) fn go(&mut self, out: &mut Vec<u8>, x: u16, y: u16, there: &[Cell], wished: &[Cell]) {
        if self.at == Some((x, y)) {
            return;
        }
        let straight = match (x, y) {
            (0, 0) => "\x1b[H".to_owned(),
            (0, y) => format!("\x1b[{}H", y + 1),
            (x, y) => format!("\x1b[{};{}H", y + 1, x + 1),
        };
        let near = match self.at {
            Some((from, row)) if row == y && from < x => {
                let gap = x - from;
                let between = there.iter().zip(wished).skip(usize::from(from)).take(usize::from(gap));
                let mut over = String::new();
                let same = between.into_iter().all(|(old, new)| {
                    over.push_str(new.symbol());
                    same(old, new) && self.look.suits(new) && new.symbol().is_ascii() && cells(new.symbol()) == 1
                });
                if same && over.len() <= 4 {
                    Some(over)
                } else if gap == 1 {
                    Some("\x1b[C".to_owned())
                } else {
                    Some(format!("\x1b[{gap}C"))
                }
            }
            Some((0, row)) if x == 0 && row + 1 == y => Some("\n".to_owned()),
            Some((_, row)) if x == 0 && row + 1 == y => Some("\r\n".to_owned()),
            Some((_, row)) if x == 0 && row == y => Some("\r".to_owned()),
            Some((column, row)) if column == x && row < y => Some(format!("\x1b[{}B", y - row)),
            Some((column, row)) if column == x && row > y => Some(format!("\x1b[{}A", row - y)),
            Some(_) | None => None,
        };
        let way = near.filter(|near| near.len() <= straight.len()).unwrap_or(straight);
        out.extend_from_slice(way.as_bytes());
        self.at = Some((x, y));
    }

    /// Prints a cell's symbol in its look.
    pub(super) fn print(&mut self, out: &mut Vec<u8>, cell: &Cell, wide: usize) {
        if !self.look.suits(cell) {
            self.look(out, Look::of(cell));
        }
        out.extend_from_slice(cell.symbol().as_bytes());
        let simple = wide == 1 && cell.symbol().chars().count() == 1;
        self.at = self.at.filter(|_| simple).map(|(x, y)| (x + 1, y));
    }

    /// Gives a space that shows nothing the plain look, so that it equals every other such space.
    pub(super) fn settle(cell: &mut Cell) {
        if cell.symbol() == " " && !Look::of(cell).shows_spaces() {
            (cell.fg, cell.modifier) = (Color::Reset, Modifier::empty());
        }
    }

    /// Erases from the cursor to the end of its row.
    pub(super) fn erase_to_end(&mut self, out: &mut Vec<u8>) {
        if self.look.shows_spaces() {
            self.look(out, Look::PLAIN);
        }
        out.extend_from_slice(b"\x1b[K");
    }

    /// Back to the plain look.
    pub(super) fn plain(&mut self, out: &mut Vec<u8>) {
        self.look(out, Look::PLAIN);
    }

    fn look(&mut self, out: &mut Vec<u8>, to: Look) {
        if to == self.look {
            return;
        }
        let gone = self.look.modifier.difference(to.modifier);
        let fresh = to == Look::PLAIN || !gone.is_empty();
        let from = if fresh { Look::PLAIN } else { self.look };
        let mut codes: Vec<String> = Vec::new();
        if fresh {
            codes.push(if to == Look::PLAIN { String::new() } else { "0".to_owned() });
        }
        for (modifier, code) in [
            (Modifier::BOLD, "1"),
            (Modifier::DIM, "2"),
            (Modifier::ITALIC, "3"),
            (Modifier::UNDERLINED, "4"),
            (Modifier::REVERSED, "7"),
            (Modifier::CROSSED_OUT, "9"),
        ] {
            if to.modifier.difference(from.modifier).contains(modifier) {
                codes.push(code.to_owned());
            }
        }
        if to.fore != from.fore {
            codes.push(colour(to.fore, 30));
        }
        if to.back != from.back {
            codes.push(colour(to.back, 40));
        }
        out.extend_from_slice(format!("\x1b[{}m", codes.join(";")).as_bytes());
        self.look = to;
    }
}

/// The code of a colour; `base` is 30 for the foreground, 40 for the background.
pub(in crate::ui) fn colour(colour: Color, base: u8) -> String {
    let plain = |n: u8| (base + n).to_string();
    let bright = |n: u8| (base + 60 + n).to_string();
    match colour {
        Color::Reset => (base + 9).to_string(),
        Color::Black => plain(0),
        Color::Red => plain(1),
        Color::Green => plain(2),
        Color::Yellow => plain(3),
        Color::Blue => plain(4),
        Color::Magenta => plain(5),
        Color::Cyan => plain(6),
        Color::Gray => plain(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(n) => format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

/// Whether a cell shows nothing.
pub(super) fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && Look::of(cell) == Look::PLAIN
}

/// Whether two cells show the same. Of each frame all are compared: what most of them differ in is compared first, and nothing is called.
pub(super) fn same(one: &Cell, other: &Cell) -> bool {
    let same_text = match (one.symbol().as_bytes(), other.symbol().as_bytes()) {
        ([one], [other]) => one == other,
        (one, other) => one == other,
    };
    same_text && Look::of(one) == Look::of(other)
}
