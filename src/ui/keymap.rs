//! Which keys mean which command.

use super::command::{Command, TABLE};
use super::input::Chord;

/// A keymap: for each command of the table its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    /// Its name.
    pub name: String,
    bindings: Vec<(Command, Vec<Chord>)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let keys = |keys: &[&str]| keys.iter().filter_map(|key| key.parse().ok()).collect();
        Self { name: "default".to_owned(), bindings: TABLE.iter().map(|entry| (entry.command, keys(entry.keys))).collect() }
    }
}

/// A keymap file's bindings; commands that the file leaves out keep their keys where these mean nothing else.
impl From<&crate::config::keymap::Keymap> for Keymap {
    fn from(file: &crate::config::keymap::Keymap) -> Self {
        let screens = |context: &str| context != "plan" && context != "filter" && context != "help";
        let mut bindings: Vec<(Command, Vec<Chord>)> = TABLE.iter().map(|entry| (entry.command, Vec::new())).collect();
        for binding in file.bindings.iter().filter(|binding| screens(&binding.context)) {
            let (Some(command), Ok(chord)) = (Command::named(&binding.command), binding.chord.parse::<Chord>()) else { continue };
            if let Some((_, keys)) = bindings.iter_mut().find(|(bound, keys)| *bound == command && !keys.contains(&chord)) {
                keys.push(chord);
            }
        }
        let taken: Vec<Chord> = bindings.iter().flat_map(|(_, keys)| keys.clone()).collect();
        for ((_, keys), (_, usual)) in bindings.iter_mut().zip(Self::default().bindings).filter(|((_, keys), _)| keys.is_empty()) {
            keys.extend(usual.into_iter().filter(|key| !taken.contains(key)));
        }
        Self { name: file.name.clone(), bindings }
    }
}

impl Keymap {
    /// The default keymap with the commands of `moved` bound to other keys; unknown names and keys are told, not taken.
    ///
    /// # Errors
    /// Every entry that names no command or no key, and every key that two commands would share.
    pub fn with<'a>(name: &str, moved: impl IntoIterator<Item = (&'a str, Vec<&'a str>)>) -> Result<Self, Vec<String>> {
        let mut map = Self { name: name.to_owned(), ..Self::default() };
        let mut wrong = Vec::new();
        for (id, keys) in moved {
            let Some(command) = Command::named(id) else {
                wrong.push(format!("`{id}` is no command"));
                continue;
            };
            match keys.iter().map(|key| key.parse()).collect::<Result<Vec<Chord>, _>>() {
                Ok(chords) => map.bindings.iter_mut().filter(|(bound, _)| *bound == command).for_each(|(_, keys)| keys.clone_from(&chords)),
                Err(message) => wrong.push(message),
            }
        }
        let mut seen: Vec<(Chord, Command)> = Vec::new();
        for (command, chord) in map.bindings.iter().flat_map(|(command, keys)| keys.iter().map(move |key| (*command, *key))) {
            match seen.iter().find(|(taken, _)| *taken == chord) {
                Some((_, other)) => wrong.push(format!("`{chord}` is bound to both {} and {}", id(*other), id(command))),
                None => seen.push((chord, command)),
            }
        }
        if wrong.is_empty() { Ok(map) } else { Err(wrong) }
    }

    /// What a key means.
    pub fn command(&self, chord: Chord) -> Option<Command> {
        self.bindings.iter().find(|(_, keys)| keys.contains(&chord)).map(|(command, _)| *command)
    }

    /// The keys of a command.
    pub fn keys(&self, command: Command) -> &[Chord] {
        self.bindings.iter().find(|(bound, _)| *bound == command).map_or(&[], |(_, keys)| keys)
    }

    /// The first key of a command as the glass writes it, empty when it has none.
    pub fn shown(&self, command: Command) -> String {
        self.keys(command).first().map(Chord::shown).unwrap_or_default()
    }
}

fn id(command: Command) -> &'static str {
    command.entry().map_or("", |entry| entry.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_binds_no_key_twice() {
        assert_eq!(Keymap::with("same", []).map(|map| map.name), Ok("same".to_owned()));
    }

    #[test]
    fn a_key_for_two_commands_is_refused() {
        let wrong = Keymap::with("bad", [("hold", vec!["R"]), ("fly", vec!["f"]), ("note", vec!["nn"])]).unwrap_err();
        assert_eq!(wrong.len(), 3, "{wrong:?}");
    }
}
