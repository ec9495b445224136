//! What comes from outside, as TOML writes it.

use crate::model::text::Text;

/// The forge that gonogo has an adapter for.
pub(super) const GITHUB: &str = "github.com";

/// A string as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // What would hide, move or reorder text in an editor is written by its number.
            c if Text::clean(c.encode_utf8(&mut [0; 4])).as_str() != c.encode_utf8(&mut [0; 4]) => {
                out.push_str(&format!("\\U{:08X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
