//! Rows with places that lead somewhere: written whole, each place between the two marks by which a terminal knows a link.

use ratatui::buffer::Cell;

use super::pen::Pen;
use crate::ui::hyperlink::Hyperlink;
use crate::ui::row::cells;

/// Whether what leads somewhere on a row is another than before.
pub(super) fn differs(there: &[Hyperlink], wished: &[Hyperlink], y: u16) -> bool {
    let of = |all: &'_ [Hyperlink]| all.iter().filter(|link| link.y == y).cloned().collect::<Vec<_>>();
    of(there) != of(wished)
}

/// Writes a row whole, with its links. No link is ever open between two rows, nor after a frame.
pub(super) fn row(pen: &mut Pen, out: &mut Vec<u8>, y: u16, wished: &[Cell], links: &[Hyperlink]) {
    pen.lose();
    pen.go(out, 0, y, wished, wished);
    let mut open: Option<&Hyperlink> = None;
    let mut skip = 0;
    for (x, cell) in (0_u16..).zip(wished) {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let here = Hyperlink::at(links, x, y);
        if here != open {
            if open.is_some_and(|link| link.opening().is_some()) {
                out.extend_from_slice(Hyperlink::CLOSING.as_bytes());
            }
            out.extend_from_slice(here.and_then(Hyperlink::opening).unwrap_or_default().as_bytes());
            open = here;
        }
        let wide = cells(cell.symbol());
        pen.print(out, cell, wide);
        skip = wide.saturating_sub(1);
    }
    if open.is_some_and(|link| link.opening().is_some()) {
        out.extend_from_slice(Hyperlink::CLOSING.as_bytes());
    }
    pen.lose();
}
