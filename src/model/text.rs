//! Text from outside, made safe to print once, at the port that received it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest [`Text`] in characters that [`Text::clean`] lets through.
pub const LONGEST: usize = 4096;

/// Text from outside after cleaning: one line, no control, escape, bidirectional or zero-width characters.
///
/// Only [`Text::clean`] and [`Text::clean_within`] make one, so a terminal that is sent nothing but `Text` and our own
/// words can never be sent an escape sequence by a backend (promise 17).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Text(Arc<str>);

impl Text {
    /// Makes hostile characters visible and cuts after [`LONGEST`] characters.
    pub fn clean(raw: &str) -> Self {
        Self::clean_within(raw, LONGEST)
    }

    /// Makes hostile characters visible and cuts after `most` characters, with `…` in place of what was cut.
    ///
    /// Control characters become their Unicode control pictures (`ESC` becomes `␛`), C1 controls, bidirectional
    /// overrides, zero-width and other invisible characters become `<U+XXXX>`; a tab becomes a space.
    pub fn clean_within(raw: &str, most: usize) -> Self {
        let mut out = String::with_capacity(raw.len().min(most.saturating_mul(4)));
        for (count, c) in raw.chars().enumerate() {
            if count >= most {
                out.push('…');
                break;
            }
            push_visible(&mut out, c);
        }
        Self(out.into())
    }

    /// The empty text.
    pub fn empty() -> Self {
        Self(Arc::from(""))
    }

    /// The cleaned characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn push_visible(out: &mut String, c: char) {
    match c {
        '\t' => out.push(' '),
        '\u{0}'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('?')),
        '\u{7f}' => out.push('\u{2421}'),
        _ if is_hidden(c) => {
            out.push_str("<U+");
            out.push_str(&format!("{:04X}", u32::from(c)));
            out.push('>');
        }
        _ => out.push(c),
    }
}

/// Whether a character moves, hides or reorders others without showing itself.
pub fn is_hidden(c: char) -> bool {
    // Nearly every character is one of these.
    if matches!(c, ' '..='~') {
        return false;
    }
    c.is_control()
        || matches!(c,
            '\u{80}'..='\u{9f}'          // C1 controls: a terminal may obey them
            | '\u{ad}'                   // soft hyphen
            | '\u{34f}' | '\u{61c}'
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'    // zero width, direction marks
            | '\u{2028}'..='\u{202e}'    // separators, embeddings, overrides
            | '\u{2060}'..='\u{206f}'    // invisible operators, isolates
            | '\u{3164}' | '\u{ffa0}'
            | '\u{fe00}'..='\u{fe0f}'    // variation selectors
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'  // tags, variation selectors
            | '\u{e000}'..='\u{f8ff}'    // private use: its width is anyone's guess
        )
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::clean(&String::deserialize(from)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_escape_sequence_becomes_something_to_read() {
        assert_eq!(Text::clean("a\u{1b}[2Jb\r\n").as_str(), "a␛[2Jb␍␊");
    }

    #[test]
    fn a_bidirectional_override_is_shown_by_its_number() {
        assert_eq!(Text::clean("abc\u{202e}fed").as_str(), "abc<U+202E>fed");
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        assert_eq!(Text::clean_within("abcdef", 3).as_str(), "abc…");
    }

    proptest! {
        #[test]
        fn no_control_or_hidden_character_survives(raw in any::<String>()) {
            let text = Text::clean(&raw);
            prop_assert!(!text.as_str().chars().any(|c| c.is_control() || is_hidden(c)));
        }

        #[test]
        fn cleaning_twice_changes_nothing(raw in any::<String>()) {
            let once = Text::clean(&raw);
            prop_assert_eq!(Text::clean(once.as_str()), once);
        }
    }
}
