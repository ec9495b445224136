//! What bytes of a terminal mean: keys, pasted text, and its answers to what it was asked.

use std::collections::VecDeque;

use crate::ui::input::{Chord, Input, Key, Mouse};

/// The longest sequence that is waited for: what is longer is none of a terminal.
const LONGEST: usize = 64;
/// How much of a pasted text is kept: more than any field takes.
const PASTED: usize = 64 << 10;
/// What ends a pasted text.
const PASTE_END: &[u8] = b"\x1b[201~";
/// What begins a report of a mouse.
const MOUSE: &[u8] = b"\x1b[<";

/// One thing that a terminal said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// What its operator did.
    Input(Input),
    /// It is well: the answer to `ESC [ 5 n`.
    Well,
    /// Where its cursor stands, from 1: the answer to `ESC [ 6 n`.
    Cursor {
        /// The row.
        row: u16,
        /// The column.
        column: u16,
    },
}

/// Turns bytes into what they mean, in order, however they are cut into pieces.
#[derive(Debug, Default)]
pub struct Ear {
    /// The beginning of something that is not whole yet.
    begun: Vec<u8>,
    /// The text that is being pasted.
    pasting: Option<Vec<u8>>,
    heard: VecDeque<Heard>,
}

/// What became of the bytes so far.
enum Taken {
    /// More bytes are needed.
    More,
    /// They mean nothing that the room listens to.
    Nothing,
    /// They mean this.
    Meant(Heard),
    /// A text that is being pasted begins.
    Paste,
    /// The last byte begins something new; what stood before it meant this, or nothing.
    Anew(Option<Heard>),
}

impl Ear {
    /// The next thing that was said.
    pub fn next(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    /// Whether a lone Escape or the beginning of a sequence waits for its rest. The rest of what a mouse says is waited for however late
    /// it comes: no key begins so, and taken for keys its end would be some.
    pub fn waits(&self) -> bool {
        !self.begun.is_empty() && self.pasting.is_none() && !self.begun.starts_with(MOUSE)
    }

    /// No rest came: an Escape was the key of that name, and the beginning of anything else is dropped.
    pub fn give_up(&mut self) {
        if self.waits() {
            let alone = match self.begun.as_slice() {
                [ESC] => Some(Chord::plain(Key::Esc)),
                [ESC, second] => Some(Chord { alt: true, ..Chord::char(char::from(*second)) }),
                _ => None,
            };
            self.begun.clear();
            self.heard.extend(alone.map(|chord| Heard::Input(Input::Key(chord))));
        }
    }

    /// Takes bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
        }
    }

    fn byte(&mut self, byte: u8) {
        if let Some(text) = &mut self.pasting {
            self.begun.push(byte);
            if !PASTE_END.starts_with(&self.begun) {
                // What began like the end was none; only its last byte can begin one again.
                let kept = if byte == ESC { self.begun.len() - 1 } else { self.begun.len() };
                let room = PASTED.saturating_sub(text.len());
                text.extend(self.begun.drain(..kept).take(room));
            } else if self.begun == PASTE_END {
                let text = String::from_utf8_lossy(text).into_owned();
                self.pasting = None;
                self.begun.clear();
                self.heard.push_back(Heard::Input(Input::Paste(text)));
            }
            return;
        }
        self.begun.push(byte);
        match meaning(&self.begun) {
            Taken::More if self.begun.len() < LONGEST => {}
            Taken::More | Taken::Nothing => self.begun.clear(),
            Taken::Meant(heard) => {
                self.begun.clear();
                self.heard.push_back(heard);
            }
            Taken::Paste => {
                self.begun.clear();
                self.pasting = Some(Vec::new());
            }
            Taken::Anew(before) => {
                self.heard.extend(before);
                self.begun.clear();
                self.byte(byte);
            }
        }
    }
}

const ESC: u8 = 0x1b;

fn key(chord: Chord) -> Taken {
    Taken::Meant(Heard::Input(Input::Key(chord)))
}

/// The key, if the room has a name for it.
fn known(of: Option<Key>, modifiers: u16) -> Taken {
    // As xterm counts them: one, and one more for Shift, two for Alt, four for Control.
    let bits = modifiers.saturating_sub(1);
    of.map_or(Taken::Nothing, |of| key(Chord { key: of, ctrl: bits & 4 != 0, alt: bits & 2 != 0 }))
}

fn meaning(bytes: &[u8]) -> Taken {
    match bytes {
        [] | [ESC] | [ESC, b'O'] => Taken::More,
        [ESC, ESC] => Taken::Anew(Some(Heard::Input(Input::Key(Chord::plain(Key::Esc))))),
        [ESC, b'[', rest @ ..] => control(rest),
        [ESC, b'O', last] => known(arrow(*last), 1),
        [ESC, rest @ ..] => match plain(rest) {
            Taken::Meant(Heard::Input(Input::Key(chord))) => key(Chord { alt: true, ..chord }),
            other @ (Taken::More | Taken::Nothing | Taken::Meant(_) | Taken::Paste | Taken::Anew(_)) => other,
        },
        _ => plain(bytes),
    }
}

/// A character or a control byte.
fn plain(bytes: &[u8]) -> Taken {
    match bytes {
        [b'\r'] => key(Chord::plain(Key::Enter)),
        [b'\t'] => key(Chord::plain(Key::Tab)),
        [0x7f] => key(Chord::plain(Key::Backspace)),
        [0] => key(Chord::ctrl(' ')),
        [byte @ 0x01..=0x1a] => key(Chord::ctrl(char::from(byte - 1 + b'a'))),
        [byte @ 0x1c..=0x1f] => key(Chord::ctrl(char::from(byte - 0x1c + b'4'))),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.chars().next().map_or(Taken::Nothing, |c| key(Chord::char(c))),
            // The beginning of a character, or no character at all.
            Err(wrong) if wrong.error_len().is_none() => Taken::More,
            Err(_) if bytes.len() > 1 => Taken::Anew(None),
            Err(_) => Taken::Nothing,
        },
    }
}

/// What follows `ESC [`.
fn control(rest: &[u8]) -> Taken {
    let Some((last, before)) = rest.split_last() else { return Taken::More };
    match (before, last) {
        // The Linux console says F1 to F5 as `ESC [ [ A`.
        ([b'['], b'A'..=b'E') => return known(Some(Key::F(last - b'A' + 1)), 1),
        // A mouse that tells of itself in three bytes of its own.
        ([b'M', ..], _) => return if before.len() == 3 { Taken::Nothing } else { Taken::More },
        ([], b'[' | b'M') | (_, 0x20..=0x3f) => return Taken::More,
        (_, 0x40..=0x7e) => {}
        (_, &ESC) => return Taken::Anew(None),
        _ => return Taken::Nothing,
    }
    let Ok(text) = std::str::from_utf8(before) else { return Taken::Nothing };
    let mut numbers = text.split(';').map(|number| number.split(':').next().unwrap_or_default().parse::<u16>().unwrap_or(1));
    let (first, second) = (numbers.next().unwrap_or(1), numbers.next());
    let modifiers = second.unwrap_or(1);
    match (last, second) {
        (b'M', _) if text.starts_with('<') => mouse(text.get(1..).unwrap_or_default()).map_or(Taken::Nothing, Taken::Meant),
        _ if text.starts_with(['?', '<', '>', '=']) => Taken::Nothing,
        (b'n', _) => Taken::Meant(Heard::Well),
        (b'R', Some(column)) => Taken::Meant(Heard::Cursor { row: first, column }),
        (b'Z', _) => key(Chord::plain(Key::BackTab)),
        (b'u', _) => known(unicode(first), modifiers),
        (b'~', _) if first == 200 => Taken::Paste,
        (b'~', _) => known(numbered(first), modifiers),
        (other, _) => known(arrow(*other), modifiers),
    }
}

/// A press of the left button or a turn of the wheel, without a modifier: `button;column;row`, from 1.
fn mouse(said: &str) -> Option<Heard> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u16>().ok()).flatten();
    let mut numbers = said.split(';').map(number);
    let (button, column, row) = (numbers.next()??, numbers.next()??.checked_sub(1)?, numbers.next()??.checked_sub(1)?);
    let did = match button {
        0 => Mouse::Press { column, row },
        64 => Mouse::WheelUp,
        65 => Mouse::WheelDown,
        _ => return None,
    };
    numbers.next().is_none().then_some(Heard::Input(Input::Mouse(did)))
}

fn arrow(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'P'..=b'S' => Key::F(last - b'P' + 1),
        _ => return None,
    })
}

fn numbered(number: u16) -> Option<Key> {
    let f = |n: u16| u8::try_from(n).ok().map(Key::F);
    match number {
        1 | 7 => Some(Key::Home),
        4 | 8 => Some(Key::End),
        3 => Some(Key::Delete),
        5 => Some(Key::PageUp),
        6 => Some(Key::PageDown),
        11..=15 => f(number - 10),
        17..=21 => f(number - 11),
        23..=24 => f(number - 12),
        _ => None,
    }
}

/// A key of the kitty keyboard protocol, which a terminal may still speak that a program left so.
fn unicode(code: u16) -> Option<Key> {
    Some(match code {
        13 => Key::Enter,
        27 => Key::Esc,
        9 => Key::Tab,
        127 => Key::Backspace,
        other => Key::Char(char::from_u32(other.into()).filter(|c| !c.is_control())?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn all(ear: &mut Ear) -> Vec<Heard> {
        std::iter::from_fn(|| ear.next()).collect()
    }

    fn heard(bytes: &[u8]) -> Vec<Heard> {
        let mut ear = Ear::default();
        ear.take(bytes);
        ear.give_up();
        all(&mut ear)
    }

    fn keys(bytes: &[u8]) -> String {
        let shown = heard(bytes).into_iter().map(|one| match one {
            Heard::Input(Input::Key(chord)) => chord.shown(),
            other @ (Heard::Input(_) | Heard::Well | Heard::Cursor { .. }) => format!("{other:?}"),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[rstest]
    #[case(b"aR\r\t\x7f \x03", "a R Enter Tab Backspace Space Ctrl-C")]
    #[case(b"\x1b[A\x1b[B\x1bOC\x1bOD\x1b[H\x1b[4~", "Up Down Right Left Home End")]
    #[case(b"\x1b[5~\x1b[6~\x1b[3~\x1b[Z\x1bOP\x1b[15~\x1b[24~\x1b[[B", "PgUp PgDn Delete Shift-Tab F1 F5 F12 F2")]
    #[case(b"\x1b[1;5A\x1b[1;3D\x1bx\x1b<", "Ctrl-Up Alt-Left Alt-x Alt-<")]
    #[case(b"\x1b", "Esc")]
    #[case(b"\x1b\x1b[A", "Esc Up")]
    #[case("é界\u{301}".as_bytes(), "é 界 \u{301}")]
    #[case(b"a\xffb\xe7\x95cd", "a b c d")]
    #[case(b"\x1b[2~x\x1b[I\x1b[O\x1b[?62;4cy", "x y")]
    #[case(b"\x1b[<0;10;5mx\x1b[M !!y", "x y")]
    #[case(b"\x1b[97;5u\x1b[13u", "Ctrl-A Enter")]
    #[case(b"\x1b[12\x1b[Aq", "Up q")]
    fn keys_mean_what_is_on_them(#[case] bytes: &[u8], #[case] said: &str) {
        assert_eq!(keys(bytes), said);
    }

    /// What a mouse did, in short.
    fn mice(bytes: &[u8]) -> String {
        let shown = heard(bytes).into_iter().map(|one| match one {
            Heard::Input(Input::Mouse(Mouse::Press { column, row })) => format!("press {column} {row}"),
            Heard::Input(Input::Mouse(Mouse::WheelUp)) => "up".to_owned(),
            Heard::Input(Input::Mouse(Mouse::WheelDown)) => "down".to_owned(),
            other @ (Heard::Input(_) | Heard::Well | Heard::Cursor { .. }) => format!("{other:?}"),
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    #[rstest]
    #[case::press(b"\x1b[<0;10;5M", "press 9 4")]
    #[case::first_cell(b"\x1b[<0;1;1M\x1b[<0;1;1m", "press 0 0")]
    #[case::far_away(b"\x1b[<0;65535;65535M", "press 65534 65534")]
    #[case::wheel(b"\x1b[<64;3;3M\x1b[<65;3;3M\x1b[<65;3;3M", "up, down, down")]
    #[case::other_buttons(b"\x1b[<1;3;3M\x1b[<2;3;3M\x1b[<66;3;3M\x1b[<67;3;3M\x1b[<128;3;3M", "")]
    #[case::modifiers_and_drags(b"\x1b[<4;3;3M\x1b[<8;3;3M\x1b[<16;3;3M\x1b[<32;3;3M\x1b[<35;3;3M\x1b[<68;3;3M", "")]
    #[case::releases(b"\x1b[<0;3;3m\x1b[<3;3;3m\x1b[<64;3;3m", "")]
    #[case::no_cell(b"\x1b[<0;0;3M\x1b[<0;3;0M\x1b[<0;65536;3M\x1b[<0;-1;3M\x1b[<0;3:4;3M", "")]
    #[case::too_few(b"\x1b[<M\x1b[<0M\x1b[<0;3M\x1b[<;3;3M\x1b[<0;;3M\x1b[<0;3;M", "")]
    #[case::too_many(b"\x1b[<0;3;3;3M\x1b[<0;3;3;M\x1b[<<0;3;3M\x1b[<0;+3;3M\x1b[< 0;3;3M", "")]
    #[case::no_mouse(b"\x1b[0;3;3M\x1b[?0;3;3M\x1b[>0;3;3M\x1b[<0;3;3A\x1b[<0;3;3~\x1b[<200~", "")]
    fn a_mouse_is_heard_where_it_says_what_is_listened_to(#[case] bytes: &[u8], #[case] said: &str) {
        assert_eq!(mice(bytes), said);
    }

    #[test]
    fn the_late_rest_of_what_a_mouse_said_is_no_key() {
        let mut ear = Ear::default();
        ear.take(b"\x1b[<65;5");
        assert!(!ear.waits(), "nobody is woken for it");
        ear.give_up();
        ear.take(b"0;5M");
        assert_eq!(all(&mut ear), [Heard::Input(Input::Mouse(Mouse::WheelDown))]);
        // What never comes whole is forgotten with the next sequence, or once it is too long.
        ear.take(b"\x1b[<65;5");
        ear.give_up();
        ear.take(b"\x1b[A");
        assert_eq!(all(&mut ear), [Heard::Input(Input::Key(Chord::plain(Key::Up)))]);
        ear.take(b"\x1b[<");
        ear.take(&vec![b'1'; 100_000]);
        assert!(ear.begun.len() < LONGEST);
    }

    #[test]
    fn answers_are_no_keys() {
        let said = heard(b"a\x1b[0nb\x1b[1;19Rc");
        let key = |c| Heard::Input(Input::Key(Chord::char(c)));
        assert_eq!(said, [key('a'), Heard::Well, key('b'), Heard::Cursor { row: 1, column: 19 }, key('c')]);
    }

    #[test]
    fn an_answer_that_comes_in_two_pieces_is_no_escape_and_no_key() {
        let mut ear = Ear::default();
        ear.take(b"\x1b");
        assert!(ear.waits() && ear.next().is_none());
        ear.take(b"[0n");
        assert_eq!(all(&mut ear), [Heard::Well]);
        assert!(!ear.waits());
    }

    #[test]
    fn pasted_text_never_counts_as_keys_and_is_bounded() {
        let text = "R\ry\r\u{1b}[20\u{1b}[A".repeat(20_000);
        let bytes = format!("\x1b[200~{text}\x1b[201~q");
        let said = heard(bytes.as_bytes());
        let [Heard::Input(Input::Paste(pasted)), Heard::Input(Input::Key(last))] = said.as_slice() else { panic!("{} things", said.len()) };
        assert_eq!((pasted.as_str(), last.shown().as_str()), (text.get(..PASTED).unwrap(), "q"));
    }

    #[test]
    fn a_flood_that_never_ends_a_sequence_is_forgotten() {
        let mut ear = Ear::default();
        ear.take(b"\x1b[");
        ear.take(&vec![b'1'; 100_000]);
        assert!(ear.begun.len() < LONGEST);
    }

    proptest! {
        #[test]
        fn however_it_is_cut_it_means_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..60), cut in 0..60_usize) {
            let (mut whole, mut halves) = (Ear::default(), Ear::default());
            whole.take(&bytes);
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            halves.take(first);
            halves.take(second);
            prop_assert_eq!(all(&mut whole), all(&mut halves));
        }

        #[test]
        fn a_mouse_means_the_same_wherever_it_is_cut_and_however_long_its_rest_takes(
            said in proptest::collection::vec((0..130_u16, 0..300_u16, 0..300_u16, any::<bool>(), any::<bool>()), 1..8),
            cut in 0..200_usize,
        ) {
            let mut bytes = Vec::new();
            let mut wished = Vec::new();
            let mut inside = Vec::new();
            for (button, column, row, is_press, key) in said {
                let from = bytes.len() + MOUSE.len();
                bytes.extend(format!("\x1b[<{button};{column};{row}{}", if is_press { 'M' } else { 'm' }).into_bytes());
                inside.extend(from..bytes.len());
                let did = match (button, column.checked_sub(1), row.checked_sub(1), is_press) {
                    (0, Some(column), Some(row), true) => Some(Mouse::Press { column, row }),
                    (64, Some(_), Some(_), true) => Some(Mouse::WheelUp),
                    (65, Some(_), Some(_), true) => Some(Mouse::WheelDown),
                    _ => None,
                };
                wished.extend(did.map(|did| Heard::Input(Input::Mouse(did))));
                if key {
                    bytes.push(b'M');
                    wished.push(Heard::Input(Input::Key(Chord::char('M'))));
                }
            }
            let cut = cut % bytes.len();
            let (first, second) = bytes.split_at(cut);
            let mut ear = Ear::default();
            ear.take(first);
            if inside.contains(&cut) {
                ear.give_up();
            }
            ear.take(second);
            prop_assert_eq!(all(&mut ear), wished);
        }
    }
}
