//! Colours as numbers: what each looks like, and the nearest one that a terminal with fewer of them has.

use ratatui::style::Color;

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// The first sixteen colours as xterm has them by default (`XTerm-col.ad`).
pub const SIXTEEN: [Rgb; 16] = [
    (0x00, 0x00, 0x00),
    (0xcd, 0x00, 0x00),
    (0x00, 0xcd, 0x00),
    (0xcd, 0xcd, 0x00),
    (0x00, 0x00, 0xee),
    (0xcd, 0x00, 0xcd),
    (0x00, 0xcd, 0xcd),
    (0xe5, 0xe5, 0xe5),
    (0x7f, 0x7f, 0x7f),
    (0xff, 0x00, 0x00),
    (0x00, 0xff, 0x00),
    (0xff, 0xff, 0x00),
    (0x5c, 0x5c, 0xff),
    (0xff, 0x00, 0xff),
    (0x00, 0xff, 0xff),
    (0xff, 0xff, 0xff),
];

/// How many colours a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None, or none is wished.
    None,
    /// The first sixteen.
    Sixteen,
    /// 256.
    Indexed,
    /// All.
    True,
}

/// A colour as it is shown; `own` stands for the terminal's own one.
pub fn rgb(colour: Color, own: Rgb) -> Rgb {
    match colour {
        Color::Reset => own,
        Color::Black => indexed(0),
        Color::Red => indexed(1),
        Color::Green => indexed(2),
        Color::Yellow => indexed(3),
        Color::Blue => indexed(4),
        Color::Magenta => indexed(5),
        Color::Cyan => indexed(6),
        Color::Gray => indexed(7),
        Color::DarkGray => indexed(8),
        Color::LightRed => indexed(9),
        Color::LightGreen => indexed(10),
        Color::LightYellow => indexed(11),
        Color::LightBlue => indexed(12),
        Color::LightMagenta => indexed(13),
        Color::LightCyan => indexed(14),
        Color::White => indexed(15),
        Color::Rgb(red, green, blue) => (red, green, blue),
        Color::Indexed(n) => indexed(n),
    }
}

/// One of the 256: sixteen, a cube of six levels a side, and 24 greys (xterm's `256colres.pl`).
pub fn indexed(n: u8) -> Rgb {
    let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    match n {
        0..16 => SIXTEEN.get(usize::from(n)).copied().unwrap_or_default(),
        16..232 => (level((n - 16) / 36), level((n - 16) / 6 % 6), level((n - 16) % 6)),
        232.. => {
            let grey = 8 + 10 * (n - 232);
            (grey, grey, grey)
        }
    }
}

/// The colour within a depth: itself, else the nearest one; none without colours.
pub fn within(colour: Color, depth: Depth) -> Option<Color> {
    let of = rgb(colour, (0, 0, 0));
    match (depth, colour) {
        (Depth::None, _) => None,
        (Depth::True, _) | (_, Color::Reset) | (Depth::Indexed, Color::Indexed(_)) => Some(colour),
        (Depth::Sixteen, Color::Indexed(n)) if n < 16 => Some(colour),
        // The first sixteen are what each person made of them, so none of them is nearest to anything among the 256.
        (Depth::Indexed, _) => Some(Color::Indexed(nearest_of(of, 16..=255))),
        (Depth::Sixteen, _) => Some(Color::Indexed(nearest_of(of, alike(of)))),
    }
}

fn nearest_of(of: Rgb, among: impl IntoIterator<Item = u8>) -> u8 {
    among.into_iter().min_by_key(|n| distance(of, indexed(*n))).unwrap_or_default()
}

/// Those of the sixteen that mean the same: of the same hue, or the greys. By distance alone a light red is a grey, and amber a red.
fn alike(of: Rgb) -> Vec<u8> {
    let (most, least) = (of.0.max(of.1).max(of.2), of.0.min(of.1).min(of.2));
    let spread = f64::from(most - least);
    if spread * 3.0 < f64::from(most) || most == 0 {
        return vec![0, 7, 8, 15];
    }
    let [red, green, blue] = [of.0, of.1, of.2].map(f64::from);
    let hue = if most == of.0 {
        (green - blue) / spread
    } else if most == of.1 {
        2.0 + (blue - red) / spread
    } else {
        4.0 + (red - green) / spread
    };
    // In degrees. Azure, between cyan and blue, is a blue to most eyes; orange, between red and yellow, a yellow.
    let dark = match hue * 60.0 {
        hue if hue < -30.0 => 5,
        hue if hue < 20.0 => 1,
        hue if hue < 75.0 => 3,
        hue if hue < 150.0 => 2,
        hue if hue < 200.0 => 6,
        hue if hue < 270.0 => 4,
        _ => 5,
    };
    vec![dark, dark + 8]
}

/// How far two colours are apart to an eye: by the "redmean" formula (T. Riemersma), which weighs red and blue by how red both are.
fn distance(one: Rgb, other: Rgb) -> u32 {
    let apart = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    let red = u32::midpoint(one.0.into(), other.0.into());
    (512 + red) * apart(one.0, other.0) + 1024 * apart(one.1, other.1) + (767 - red) * apart(one.2, other.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cube_and_the_greys_are_xterm_s() {
        assert_eq!(
            [16, 21, 196, 231, 232, 255].map(indexed),
            [(0, 0, 0), (0, 0, 255), (255, 0, 0), (255, 255, 255), (8, 8, 8), (238, 238, 238)]
        );
    }

    #[test]
    fn a_colour_that_a_terminal_has_not_becomes_its_nearest() {
        let of = |colour, depth| within(colour, depth);
        assert_eq!(of(Color::Rgb(255, 95, 95), Depth::True), Some(Color::Rgb(255, 95, 95)));
        assert_eq!(of(Color::Rgb(255, 95, 95), Depth::Indexed), Some(Color::Indexed(203)));
        assert_eq!(of(Color::Rgb(254, 90, 99), Depth::Indexed), Some(Color::Indexed(203)));
        assert_eq!(of(Color::Rgb(138, 138, 138), Depth::Indexed), Some(Color::Indexed(245)));
        assert_eq!(of(Color::Indexed(3), Depth::Sixteen), Some(Color::Indexed(3)));
        assert_eq!(of(Color::Indexed(203), Depth::None), None);
        assert_eq!(of(Color::Reset, Depth::Sixteen), Some(Color::Reset));
        // The four of the default theme stay four among sixteen.
        assert_eq!(of(Color::Rgb(0x8a, 0x4b, 0), Depth::Sixteen), Some(Color::Indexed(3)), "a brown is a dark amber, no red");
        assert_eq!(of(Color::Indexed(245), Depth::Sixteen), Some(Color::Indexed(8)));
        let four = [203, 214, 75, 80].map(|n| of(Color::Indexed(n), Depth::Sixteen));
        assert_eq!(four, [9, 3, 12, 6].map(|n| Some(Color::Indexed(n))));
    }
}
