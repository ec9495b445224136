//! Keys that are typed one after the other and mean one command: what was begun, and what may follow.

use super::input::{Chord, Key, Sequence};
use super::keymap::{Keys, Meaning};

/// The beginning of a sequence that was typed, where one was.
///
/// It lasts until the next key, whatever that is and however late. A key that does not go on from it is no key of its own: whoever
/// mistypes must not trigger anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Begun(Vec<Chord>);

/// What a key means after what was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// It leaves what was begun.
    Leaves,
    /// With what was begun it means this.
    Means(Meaning),
}

impl Begun {
    /// Whether a sequence was begun.
    pub fn is_one(&self) -> bool {
        !self.0.is_empty()
    }

    /// What a key would mean after it.
    pub fn with(&self, chord: Chord, keys: &Keys) -> Typed {
        self.typed(chord, keys).1
    }

    /// Takes a key: all that was typed, and what that means.
    pub fn take(&mut self, chord: Chord, keys: &Keys) -> (Sequence, Typed) {
        let (all, typed) = self.typed(chord, keys);
        self.0 = if typed == Typed::Means(Meaning::Begins) { all.chords().to_vec() } else { Vec::new() };
        (all, typed)
    }

    /// Forgets it.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    /// What was typed, and each way to go on with the word of its command; none where nothing was begun.
    pub fn next(&self, keys: &Keys) -> Option<(String, Vec<(String, &'static str)>)> {
        let begun = Sequence::of(&self.0)?;
        Some((begun.shown(), keys.after(&begun)))
    }

    fn typed(&self, chord: Chord, keys: &Keys) -> (Sequence, Typed) {
        let all = Sequence::then(&self.0, chord);
        let leaves = self.is_one() && chord.key == Key::Esc;
        let typed = if leaves { Typed::Leaves } else { Typed::Means(keys.meaning(&all)) };
        (all, typed)
    }
}
