//! What an operator's terminal says, as plain types that know no terminal library.

use std::fmt;
use std::str::FromStr;

/// A key without its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A printable character, upper case as typed.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Erases to the left.
    Backspace,
    /// Erases to the right.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// A function key, from 1.
    F(u8),
}

/// A key with its modifiers. Shift is part of the character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chord {
    /// The key.
    pub key: Key,
    /// Control is down.
    pub ctrl: bool,
    /// Alt (Meta) is down.
    pub alt: bool,
}

/// One thing that the terminal said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Chord),
    /// Text that was pasted in one piece; it never counts as keys.
    Paste(String),
    /// The terminal's new size, columns and rows.
    Resize(u16, u16),
    /// What a mouse did; it never counts as a key.
    Mouse(Mouse),
}

/// What a mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    /// Its left button was pressed on this cell, counted from 0.
    Press {
        /// The column.
        column: u16,
        /// The row.
        row: u16,
    },
    /// Its wheel was turned a notch up.
    WheelUp,
    /// Its wheel was turned a notch down.
    WheelDown,
}

impl Chord {
    /// The key alone.
    pub const fn plain(key: Key) -> Self {
        Self { key, ctrl: false, alt: false }
    }

    /// A character alone.
    pub const fn char(c: char) -> Self {
        Self::plain(Key::Char(c))
    }

    /// A character with Control.
    pub const fn ctrl(c: char) -> Self {
        Self { key: Key::Char(c), ctrl: true, alt: false }
    }
}

/// Keys that have a name instead of a character, with the name in keymap files and the name on the glass.
const NAMED: [(Key, &str, &str); 16] = [
    (Key::Enter, "<ret>", "Enter"),
    (Key::Esc, "<esc>", "Esc"),
    (Key::Tab, "<tab>", "Tab"),
    (Key::BackTab, "<backtab>", "Shift-Tab"),
    (Key::Backspace, "<backspace>", "Backspace"),
    (Key::Delete, "<del>", "Delete"),
    (Key::Up, "<up>", "Up"),
    (Key::Down, "<down>", "Down"),
    (Key::Left, "<left>", "Left"),
    (Key::Right, "<right>", "Right"),
    (Key::Home, "<home>", "Home"),
    (Key::End, "<end>", "End"),
    (Key::PageUp, "<pageup>", "PgUp"),
    (Key::PageDown, "<pagedown>", "PgDn"),
    (Key::Char(' '), "<space>", "Space"),
    (Key::Char('<'), "<lt>", "<"),
];

impl Chord {
    /// The name on the glass: `R`, `Enter`, `Ctrl-D`.
    pub fn shown(&self) -> String {
        let mut out = String::new();
        if self.ctrl {
            out.push_str("Ctrl-");
        }
        if self.alt {
            out.push_str("Alt-");
        }
        match (NAMED.iter().find(|(key, _, _)| key == &self.key), self.key) {
            (Some((_, _, name)), _) => out.push_str(name),
            (None, Key::Char(c)) if self.ctrl => out.extend(c.to_uppercase()),
            (None, Key::Char(c)) => out.push(c),
            (None, Key::F(n)) => out.push_str(&format!("F{n}")),
            (None, _) => {}
        }
        out
    }
}

/// The name in keymap files: `R`, `<ret>`, `C-d`, `A-x`, `<f1>`.
impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("C-")?;
        }
        if self.alt {
            f.write_str("A-")?;
        }
        match (NAMED.iter().find(|(key, _, _)| key == &self.key), self.key) {
            (Some((_, name, _)), _) => f.write_str(name),
            (None, Key::Char(c)) => write!(f, "{c}"),
            (None, Key::F(n)) => write!(f, "<f{n}>"),
            (None, _) => Ok(()),
        }
    }
}

/// The words of keymap files: `enter`, `esc`, `pageup`; a name of one character is the character.
fn word(name: &str, typed: &str) -> bool {
    let bare = name.trim_start_matches('<').trim_end_matches('>');
    let bare = match bare {
        "ret" => "enter",
        "del" => "delete",
        "lt" => return false,
        other => other,
    };
    bare == typed
}

fn function(text: &str) -> Option<&str> {
    let bare = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text);
    bare.strip_prefix('f').filter(|digits| !digits.is_empty())
}

impl FromStr for Chord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no key; expected a character, C-x, A-x, or one of <ret> <esc> <tab> <space> <up> <f1> ..");
        let (ctrl, rest) = match text.strip_prefix("C-").or_else(|| text.strip_prefix("ctrl-")) {
            Some(rest) if !rest.is_empty() => (true, rest),
            Some(_) | None => (false, text),
        };
        let (alt, rest) = match rest.strip_prefix("A-").or_else(|| rest.strip_prefix("alt-")) {
            Some(rest) if !rest.is_empty() => (true, rest),
            Some(_) | None => (false, rest),
        };
        if let Some((key, _, _)) = NAMED.iter().find(|(_, name, _)| *name == rest || word(name, rest)) {
            return Ok(Self { key: *key, ctrl, alt });
        }
        if let Some(number) = function(rest).and_then(|n| n.parse().ok()) {
            return Ok(Self { key: Key::F(number), ctrl, alt });
        }
        let mut chars = rest.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() => Ok(Self { key: Key::Char(c), ctrl, alt }),
            _ => Err(wrong()),
        }
    }
}

/// The keys of a command: one chord, or several that are typed one after the other. Never none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence(Vec<Chord>);

impl Sequence {
    /// These chords; none of none.
    pub fn of(chords: &[Chord]) -> Option<Self> {
        (!chords.is_empty()).then(|| Self(chords.to_vec()))
    }

    /// A chord after others.
    pub fn then(before: &[Chord], last: Chord) -> Self {
        Self(before.iter().copied().chain([last]).collect())
    }

    /// Its chords, in order.
    pub fn chords(&self) -> &[Chord] {
        &self.0
    }

    /// What it goes on with after others; none when it does not begin with them, or ends with them.
    pub fn after(&self, beginning: &Self) -> Option<Self> {
        self.0.strip_prefix(beginning.chords()).and_then(Self::of)
    }

    /// As the glass writes it: `R`, `g g`, `Ctrl-X Ctrl-C`.
    pub fn shown(&self) -> String {
        self.0.iter().map(Chord::shown).collect::<Vec<_>>().join(" ")
    }
}

/// Reads what keymaps hold in its normal form.
impl FromStr for Sequence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(' ').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_key_reads_back_as_it_was_written() {
        for text in ["R", "<ret>", "C-d", "A-x", "<f12>", "<space>", "<lt>", "/", "?"] {
            assert_eq!(text.parse::<Chord>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_word_is_no_key() {
        assert!("ab".parse::<Chord>().is_err());
        assert!("".parse::<Chord>().is_err());
    }

    #[test]
    fn the_glass_names_keys_as_keyboards_do() {
        assert_eq!("C-d".parse::<Chord>().unwrap().shown(), "Ctrl-D");
        assert_eq!("<ret>".parse::<Chord>().unwrap().shown(), "Enter");
    }

    #[test]
    fn a_sequence_goes_on_after_its_beginning_and_never_after_all_of_it() {
        let keys = |text: &str| text.parse::<Sequence>().unwrap();
        assert_eq!((keys("g g").shown(), keys("ctrl-x ctrl-c").shown()), ("g g".to_owned(), "Ctrl-X Ctrl-C".to_owned()));
        assert_eq!(keys("g g x").after(&keys("g")), Some(keys("g x")));
        assert_eq!((keys("g g").after(&keys("g g")), keys("g g").after(&keys("x")), keys("g").after(&keys("g g"))), (None, None, None));
        assert_eq!(Sequence::of(&[]), None);
        assert!("g  g".parse::<Sequence>().is_err());
    }
}
