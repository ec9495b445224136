//! Places on the glass that lead somewhere: a terminal opens them by a click (OSC 8); their address stands beside them in plain text.

/// Cells of one row that lead to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hyperlink {
    /// The row.
    pub y: u16,
    /// The first cell.
    pub from: u16,
    /// The cell behind the last one.
    pub to: u16,
    /// The address.
    pub url: String,
}

/// The longest address that terminals take.
const LONGEST: usize = 2_000;

impl Hyperlink {
    /// The link of a cell, if any.
    pub fn at(all: &[Self], x: u16, y: u16) -> Option<&Self> {
        all.iter().find(|link| link.y == y && (link.from..link.to).contains(&x))
    }

    /// What begins it: nothing that a terminal could take for the end of it, or for anything else, ever stands in there.
    pub fn opening(&self) -> Option<String> {
        let plain = !self.url.is_empty() && self.url.len() <= LONGEST && self.url.bytes().all(|byte| byte.is_ascii_graphic());
        let id = self.url.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
        plain.then(|| format!("\x1b]8;id={id:x};{}\x1b\\", self.url))
    }

    /// What ends any.
    pub const CLOSING: &'static str = "\x1b]8;;\x1b\\";
}
