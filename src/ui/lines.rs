//! Which item each line of a list shows, as it was drawn last: what a mouse points at.

use std::cell::RefCell;

use ratatui::layout::{Position, Rect};

/// The lines of a list on the glass, each with the item that it shows.
#[derive(Debug, Clone)]
pub struct Lines<T> {
    drawn: RefCell<Vec<(Rect, T)>>,
}

impl<T> Default for Lines<T> {
    fn default() -> Self {
        Self { drawn: RefCell::default() }
    }
}

impl<T: Clone> Lines<T> {
    /// The list is drawn anew, or not drawn at all.
    pub fn forget(&self) {
        self.drawn.borrow_mut().clear();
    }

    /// This line of an area shows an item; a line below the area shows none.
    pub fn show(&self, area: Rect, line: usize, item: T) {
        self.show_part(area, line, (0, usize::from(area.width)), item);
    }

    /// The cells of a line of an area from one column to before another show an item.
    pub fn show_part(&self, area: Rect, line: usize, (from, to): (usize, usize), item: T) {
        let [line, from, to] = [line, from, to].map(|cells| u16::try_from(cells).unwrap_or(u16::MAX));
        let place = Rect { x: area.x.saturating_add(from), y: area.y.saturating_add(line), width: to.saturating_sub(from), height: 1 };
        self.drawn.borrow_mut().push((place.intersection(area), item));
    }

    /// The item that is shown there.
    pub fn at(&self, there: Position) -> Option<T> {
        self.drawn.borrow().iter().find(|(place, _)| place.contains(there)).map(|(_, item)| item.clone())
    }
}

/// What a press on a list did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressed {
    /// Nothing: no item is shown there, or none that is still there.
    Nothing,
    /// It marked an item.
    Marked,
    /// It was on the marked item.
    Again,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_where_it_was_drawn_and_nowhere_else() {
        let lines = Lines::default();
        let area = Rect::new(2, 3, 10, 4);
        lines.show(area, 0, "first");
        lines.show_part(area, 1, (4, 6), "part");
        lines.show(area, 4, "below");
        lines.show_part(area, 2, (8, 40), "cut");
        let at = |x, y| lines.at(Position { x, y });
        assert_eq!([at(2, 3), at(11, 3), at(12, 3), at(1, 3), at(2, 2)], [Some("first"), Some("first"), None, None, None]);
        assert_eq!([at(5, 4), at(6, 4), at(7, 4), at(8, 4)], [None, Some("part"), Some("part"), None]);
        assert_eq!([at(2, 7), at(10, 5), at(11, 5), at(12, 5)], [None, Some("cut"), Some("cut"), None]);
        lines.forget();
        assert_eq!(lines.at(Position { x: 2, y: 3 }), None);
    }
}
