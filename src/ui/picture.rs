//! One screen as a picture: an SVG with one text element for each run of cells of one style, for documents and messages.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Modifier;

use super::colours::{Rgb, rgb};
use super::row::cells;

/// The size of one cell in pixels: about that of a monospaced font of [`FONT`] pixels.
const CELL: (f64, f64) = (8.4, 17.0);
/// The height of the font, in pixels.
const FONT: f64 = 14.0;
/// Around the cells, in pixels.
const MARGIN: f64 = 10.0;
/// What stands for the terminal's own colours, as `#rrggbb`.
const FORE: (u8, u8, u8) = (0xd0, 0xd0, 0xd0);
const BACK: (u8, u8, u8) = (0x16, 0x18, 0x1c);
/// How a run of cells looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    fore: Rgb,
    back: Rgb,
    modifier: Modifier,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (mut fore, mut back) = (rgb(cell.fg, FORE), rgb(cell.bg, BACK));
        if cell.modifier.contains(Modifier::REVERSED) {
            (fore, back) = (back, fore);
        }
        Self { fore, back, modifier: cell.modifier }
    }

    fn attributes(self) -> String {
        let mut said = format!("fill=\"{}\"", hex(self.fore));
        let decorations: Vec<_> = [(Modifier::UNDERLINED, "underline"), (Modifier::CROSSED_OUT, "line-through")]
            .into_iter()
            .filter(|(modifier, _)| self.modifier.contains(*modifier))
            .map(|(_, word)| word)
            .collect();
        if self.modifier.contains(Modifier::BOLD) {
            said.push_str(" font-weight=\"bold\"");
        }
        if self.modifier.contains(Modifier::ITALIC) {
            said.push_str(" font-style=\"italic\"");
        }
        if self.modifier.contains(Modifier::DIM) {
            said.push_str(" fill-opacity=\"0.6\"");
        }
        if !decorations.is_empty() {
            said.push_str(&format!(" text-decoration=\"{}\"", decorations.join(" ")));
        }
        said
    }
}

/// A drawn screen as an SVG of its own: no script, no link, and no font but the reader's own monospaced one. Each run of cells is as
/// wide as its cells, whatever that font is, so that columns stand.
pub fn svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (width, height) = (f64::from(area.width).mul_add(CELL.0, 2.0 * MARGIN), f64::from(area.height).mul_add(CELL.1, 2.0 * MARGIN));
    // The margin is of the ground that a theme lays under its cells.
    let ground = buffer.content.first().map_or(BACK, |cell| rgb(cell.bg, BACK));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"{FONT}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
        hex(ground)
    );
    for (row, cells) in (0_u16..).zip(buffer.content.chunks(usize::from(area.width).max(1))) {
        for run in runs(cells) {
            run.write(row, ground, &mut out);
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Cells of one style beside each other.
struct Run {
    at: usize,
    cells: usize,
    text: String,
    look: Look,
}

impl Run {
    fn write(&self, row: u16, ground: Rgb, out: &mut String) {
        let (x, y) = (place(self.at, CELL.0), f64::from(row).mul_add(CELL.1, MARGIN));
        let width = place(self.at + self.cells, CELL.0) - x;
        let mut element = String::new();
        if self.look.back != ground {
            let _ = writeln!(
                element,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
                CELL.1,
                hex(self.look.back)
            );
        }
        if !self.text.trim().is_empty() {
            let _ = writeln!(
                element,
                "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\" {}>{}</text>",
                y + FONT - 1.0,
                self.look.attributes(),
                escaped(&self.text)
            );
        }
        out.push_str(&element);
    }
}

fn place(cell: usize, size: f64) -> f64 {
    let cell = u32::try_from(cell).unwrap_or(u32::MAX);
    f64::from(cell).mul_add(size, MARGIN)
}

/// The runs of a row. A wide character takes the cells behind it; one that is not ASCII stands alone or with its like, since its glyph
/// may come from another font, of another width.
fn runs(row: &[Cell]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut skip = 0;
    for (at, cell) in row.iter().enumerate() {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let (symbol, look) = (cell.symbol(), Look::of(cell));
        let wide = cells(symbol).max(1);
        skip = wide - 1;
        let alike = |text: &str| if symbol.is_ascii() { text.is_ascii() } else { text.starts_with(symbol) };
        let joins = |run: &&mut Run| run.look == look && alike(&run.text);
        match runs.last_mut().filter(joins) {
            Some(run) => {
                run.cells += wide;
                run.text.push_str(symbol);
            }
            None => runs.push(Run { at, cells: wide, text: symbol.to_owned(), look }),
        }
    }
    runs
}

fn hex((red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// What stands for itself in a text of XML. Control characters never reach a cell, and XML has no form for them.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            one if one.is_control() => out.push('\u{fffd}'),
            one => out.push(one),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::{Color, Style};

    #[test]
    fn runs_of_one_style_are_one_element_and_hostile_text_is_text() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 2));
        buffer.set_string(0, 0, "ok <script>", Style::new());
        buffer.set_string(12, 0, "bad", Style::new().fg(Color::Indexed(203)).add_modifier(Modifier::BOLD));
        buffer.set_string(0, 1, "x", Style::new().fg(Color::Rgb(1, 2, 3)).add_modifier(Modifier::REVERSED));
        buffer.set_string(2, 1, "界b", Style::new());
        let svg = svg(&buffer);
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"222\" height=\"54\""), "{svg}");
        assert!(svg.contains(">ok &lt;script&gt; </text>") && !svg.contains("<script"), "{svg}");
        assert!(svg.contains("fill=\"#ff5f5f\" font-weight=\"bold\">bad</text>"), "{svg}");
        // Reversed: what was the character's colour is behind it.
        assert!(svg.contains("fill=\"#010203\"/>") && svg.contains("fill=\"#16181c\">x</text>"), "{svg}");
        // A wide character alone, over two cells, and what follows stands behind both.
        assert!(svg.contains("<text x=\"26.8\" y=\"40.0\" textLength=\"16.8\"") && svg.contains(">界</text>"), "{svg}");
        assert!(svg.contains("<text x=\"43.6\"") && svg.trim_end().ends_with("</svg>"), "{svg}");
    }
}
