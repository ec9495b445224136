//! Which keys mean which command on which screen, as keymap files say it.

use crate::config::keymap as file;
use crate::config::{Place, Problem, Problems};
use crate::model::intent::Verb;
use crate::model::text::Text;

use super::command::{self, Command, TABLE, Where};
use super::input::{Chord, Key, Sequence};
use super::screen::Screen;

/// What keys mean on a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// A command.
    Command(Command),
    /// Nothing yet: the keys of some command begin with them.
    Begins,
    /// Nothing, whatever follows.
    Nothing,
}

/// The keys of one screen: for each command of the table its keys there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    bindings: Vec<(Command, Vec<Sequence>)>,
}

impl Keys {
    /// What was typed means.
    pub fn meaning(&self, typed: &Sequence) -> Meaning {
        if let Some((command, _)) = self.bindings.iter().find(|(_, keys)| keys.contains(typed)) {
            return Meaning::Command(*command);
        }
        let begins = self.bindings.iter().any(|(_, keys)| keys.iter().any(|keys| keys.after(typed).is_some()));
        if begins { Meaning::Begins } else { Meaning::Nothing }
    }

    /// The ways to go on after what was typed, each with the word of its command.
    pub fn after(&self, typed: &Sequence) -> Vec<(String, &'static str)> {
        let of = |(command, keys): &(Command, Vec<Sequence>)| {
            let label = command.entry().map_or("", |entry| entry.label);
            keys.iter().filter_map(|keys| Some((keys.after(typed)?.shown(), label))).collect::<Vec<_>>()
        };
        self.bindings.iter().flat_map(of).collect()
    }

    /// The keys of a command.
    pub fn keys(&self, command: Command) -> &[Sequence] {
        self.bindings.iter().find(|(bound, _)| *bound == command).map_or(&[], |(_, keys)| keys)
    }

    /// The first keys of a command as the glass writes them, empty when it has none.
    pub fn shown(&self, command: Command) -> String {
        self.keys(command).first().map(Sequence::shown).unwrap_or_default()
    }

    /// All keys of a command as the glass writes them: `Up k`, and `Home or g g`, so that a sequence is not read as more keys.
    pub fn all_shown(&self, command: Command) -> String {
        let keys = self.keys(command);
        let between = if keys.iter().any(|keys| keys.chords().len() > 1) { " or " } else { " " };
        keys.iter().map(Sequence::shown).collect::<Vec<_>>().join(between)
    }
}

/// A keymap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    /// Its name.
    pub name: String,
    board: Keys,
    pipeline: Keys,
    rollout: Keys,
    map: Keys,
    incident: Keys,
    changes: Keys,
    ledger: Keys,
}

/// The embedded default keymap. Tests prove that it can be read.
impl Default for Keymap {
    fn default() -> Self {
        let read = file::built_in("default", &command::ids()).and_then(|keymap| Self::from_config(&keymap));
        read.unwrap_or_else(|_| Self {
            name: "none".to_owned(),
            board: Keys::default(),
            pipeline: Keys::default(),
            rollout: Keys::default(),
            map: Keys::default(),
            incident: Keys::default(),
            changes: Keys::default(),
            ledger: Keys::default(),
        })
    }
}

/// Without a key for one of these an operator is lost, or cannot go back.
const NEEDED: [Command; 9] = [
    Command::Help,
    Command::Quit,
    Command::Leave,
    Command::Look,
    Command::Up,
    Command::Down,
    Command::Deed(Verb::Rollback),
    Command::Deed(Verb::Abort),
    Command::Deed(Verb::Hold),
];

/// The keys that no file can move: a plan is run, scheduled, copied and left by them alone.
const FIXED: [(&str, &str, &str); 5] = [
    ("plan", "run", "enter"),
    ("plan", "schedule", "ctrl-t"),
    ("plan", "take-role", "ctrl-g"),
    ("plan", "copy-commands", "ctrl-y"),
    ("plan", "leave", "esc"),
];

impl Keymap {
    /// Takes over what a keymap's file says.
    ///
    /// # Errors
    /// Keys of what lies over a screen (plan, prompt, help, detail), which are fixed; a key that terminals do not tell; another
    /// meaning for Ctrl-C; a fixed key within a sequence; and a screen on which a command has no key without which an operator is lost.
    pub fn from_config(keymap: &file::Keymap) -> Result<Self, Problems> {
        let mut wrong: Vec<Problem> =
            keymap.bindings.iter().filter_map(|binding| against(binding).or_else(|| hidden(keymap, binding))).collect();
        let made = Self {
            name: keymap.name.clone(),
            board: keys_of(keymap, Screen::Board),
            pipeline: keys_of(keymap, Screen::Pipeline),
            rollout: keys_of(keymap, Screen::Rollout),
            map: keys_of(keymap, Screen::Map),
            incident: keys_of(keymap, Screen::Incident),
            changes: keys_of(keymap, Screen::Changes),
            ledger: keys_of(keymap, Screen::Ledger),
        };
        for command in NEEDED {
            let without = Screen::ALL.into_iter().filter(|screen| made.on(*screen).keys(command).is_empty());
            let without: Vec<&str> = without.map(Screen::word).collect();
            if !without.is_empty() {
                let what = format!("`{}` has no key on {}", id(command), without.join(", "));
                wrong.push(problem(&start_of(keymap), &what, "a key for it, or `base = \"default\"`"));
            }
        }
        if wrong.is_empty() { Ok(made) } else { Err(Problems(wrong)) }
    }

    /// The keys of a screen.
    pub fn on(&self, screen: Screen) -> &Keys {
        match screen {
            Screen::Board => &self.board,
            Screen::Pipeline => &self.pipeline,
            Screen::Rollout => &self.rollout,
            Screen::Map => &self.map,
            Screen::Incident => &self.incident,
            Screen::Changes => &self.changes,
            Screen::Ledger => &self.ledger,
        }
    }
}

fn keys_of(keymap: &file::Keymap, screen: Screen) -> Keys {
    let of = |id| keymap.keys(screen.word(), id).filter_map(|keys| keys.parse().ok()).collect();
    Keys { bindings: TABLE.iter().map(|entry| (entry.command, of(entry.id))).collect() }
}

/// What is wrong with one binding.
fn against(binding: &file::Binding) -> Option<Problem> {
    let file::Binding { context, keys, command, place } = binding;
    let fixed = FIXED.iter().find(|(_, fixed, _)| fixed == command);
    let over_screens = context != file::GLOBAL && Screen::named(context).is_none();
    let wrong = |what: String, expected: &str| Some(problem(place, &what, expected));
    match (over_screens, fixed) {
        (true, Some((_, _, key))) => {
            (key != keys).then(|| problem(place, &format!("`{command}` lies on `{keys}`"), &format!("`{key}`: this key is fixed")))
        }
        (true, None) => wrong(format!("[{context}] binds `{command}`"), "no binding there: its keys are fixed"),
        (false, Some((place_of, _, _))) => wrong(format!("[{context}] binds `{command}`"), &format!("it in [{place_of}]")),
        (false, None) => match (keys.parse::<Sequence>(), Command::named(command)) {
            (Err(_), _) => wrong(format!("`{keys}` is a key that terminals do not tell"), "another key"),
            (Ok(_), None) => wrong(format!("no command is called `{command}`"), "one that the help screen lists"),
            (Ok(typed), Some(meant)) => against_keys(binding, &typed, meant),
        },
    }
}

/// What is wrong with the keys of a command on a screen.
fn against_keys(file::Binding { context, keys, command, place }: &file::Binding, typed: &Sequence, meant: Command) -> Option<Problem> {
    let wrong = |what: String, expected: &str| Some(problem(place, &what, expected));
    if let Some(why) = typed.chords().iter().find_map(|chord| unheard(*chord)) {
        return wrong(format!("`{command}` lies on `{keys}`, which {why}"), "another key");
    }
    if is_deed(meant) && typed.chords().iter().any(|chord| is_pressed_blindly(chord.key)) {
        return wrong(format!("`{command}` lies on `{keys}`"), "a key of its own: this one is pressed without looking");
    }
    if works_not(meant, context) {
        let there = meant.entry().map(|entry| words_of(entry.place)).unwrap_or_default();
        return wrong(format!("[{context}] binds `{command}`, which works on {there}"), "it there, or in [global]");
    }
    match typed.chords() {
        [last] if *last == Chord::ctrl('c') && meant != Command::Quit => {
            wrong(format!("ctrl-c is `{command}`"), "`quit`: ctrl-c always ends the session")
        }
        [] | [_] => None,
        [before @ .., last] => {
            let quits = *last == Chord::ctrl('c') && meant == Command::Quit;
            if before.contains(&Chord::ctrl('c')) || (*last == Chord::ctrl('c') && !quits) {
                return wrong(format!("`{command}` lies on `{keys}`"), "ctrl-c at the end of `quit` alone: it always ends the session");
            }
            let fixed = keys.split(' ').find(|key| FIXED.iter().any(|(_, _, fixed)| fixed == key))?;
            wrong(format!("`{command}` lies on `{keys}`"), &format!("no `{fixed}` in a sequence: that key is fixed"))
        }
    }
}

/// Why a key never arrives as itself; none when it does.
fn unheard(chord: Chord) -> Option<&'static str> {
    let Key::Char(c) = chord.key else { return None };
    match (chord.ctrl, chord.alt, c) {
        (true, _, 'i') => Some("terminals tell as tab"),
        (true, _, 'm') => Some("terminals tell as enter"),
        (true, _, '[') => Some("terminals tell as esc"),
        (true, _, 'a'..='z' | ' ' | '4'..='7') | (false, false, _) => None,
        (true, ..) => Some("terminals do not tell from the key without ctrl"),
        (false, true, '[' | 'O') => Some("begins what terminals send for other keys"),
        (false, true, _) => None,
    }
}

/// That keys of every screen give their command on none, since each screen on which that works has another meaning for them.
fn hidden(keymap: &file::Keymap, binding: &file::Binding) -> Option<Problem> {
    let file::Binding { context, keys, command, place } = binding;
    let works: Vec<Screen> = match Command::named(command)?.entry()?.place {
        Where::Everywhere => Screen::ALL.to_vec(),
        Where::On(screens) => screens.to_vec(),
    };
    let reached = |screen: &Screen| keymap.command(screen.word(), keys) == Some(command);
    (context == file::GLOBAL && !works.iter().any(reached)).then(|| {
        let other = works.first().and_then(|screen| keymap.hides(screen.word(), keys));
        let (hides, other) = other.map(|own| (own.keys.as_str(), own.command.as_str())).unwrap_or_default();
        let hides = if hides == keys { "it".to_owned() } else { format!("`{hides}`") };
        problem(place, &format!("`{keys}` never gives `{command}`: where that works {hides} is `{other}`"), "another key for one of them")
    })
}

/// Whether it changes something beyond the glass.
fn is_deed(command: Command) -> bool {
    matches!(command, Command::Deed(_) | Command::Rule(_) | Command::Execute | Command::RetryFailed | Command::Policy)
}

/// Whether a key is one that hands press without a look at the screen: to go on, to leave, to move.
fn is_pressed_blindly(key: Key) -> bool {
    !matches!(key, Key::Char('!'..) | Key::F(_))
}

/// Whether a command works nowhere in a context.
fn works_not(command: Command, context: &str) -> bool {
    let place = command.entry().map(|entry| entry.place);
    matches!((Screen::named(context), place), (Some(screen), Some(Where::On(screens))) if !screens.contains(&screen))
}

fn words_of(place: Where) -> String {
    match place {
        Where::Everywhere => "every screen".to_owned(),
        Where::On(screens) => screens.iter().map(|screen| screen.word()).collect::<Vec<_>>().join(", "),
    }
}

fn start_of(keymap: &file::Keymap) -> Place {
    let file = keymap.bindings.last().map_or_else(|| format!("{}.toml", keymap.name).into(), |binding| binding.place.file.clone());
    Place { file, line: 1, column: 1 }
}

fn problem(place: &Place, what: &str, expected: &str) -> Problem {
    Problem { place: place.clone(), what: Text::clean_within(what, 600), expected: Text::clean_within(expected, 600) }
}

fn id(command: Command) -> &'static str {
    command.entry().map_or("", |entry| entry.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::intent::Direction;

    /// A keymap with these bindings instead of the default ones of the same commands.
    fn with(moved: &[(&str, &str, &str)]) -> Result<Keymap, Problems> {
        let mut keymap = file::built_in("default", &command::ids()).unwrap();
        keymap
            .bindings
            .retain(|binding| !moved.iter().any(|(context, _, command)| binding.context == *context && binding.command == *command));
        let place = Place { file: "mine.toml".into(), line: 3, column: 1 };
        keymap.bindings.extend(moved.iter().filter(|(_, keys, _)| !keys.is_empty()).map(|(context, keys, command)| file::Binding {
            context: (*context).to_owned(),
            keys: (*keys).to_owned(),
            command: (*command).to_owned(),
            place: place.clone(),
        }));
        Keymap::from_config(&keymap)
    }

    #[test]
    fn the_default_file_and_the_table_name_the_same_commands() {
        let keymap = file::built_in("default", &command::ids()).unwrap();
        for entry in TABLE {
            assert!(keymap.bindings.iter().any(|binding| binding.command == entry.id), "{} has no key in keymaps/default.toml", entry.id);
        }
        for id in command::ids() {
            assert!(keymap.bindings.iter().any(|binding| binding.command == id), "{id} is nowhere in keymaps/default.toml");
        }
        for (name, _) in file::BUILT_IN {
            let made = Keymap::from_config(&file::built_in(name, &command::ids()).unwrap()).unwrap();
            for (screen, entry) in Screen::ALL.into_iter().flat_map(|screen| TABLE.iter().map(move |entry| (screen, entry))) {
                let keys = made.on(screen).keys(entry.command);
                assert!(!keys.is_empty(), "{name}: {} has no key on {}", entry.id, screen.word());
                assert!(keys.iter().all(|key| made.on(screen).meaning(key) == Meaning::Command(entry.command)), "{name}: {}", entry.id);
            }
        }
        assert_eq!(Keymap::default().name, "default");
    }

    fn built_in(name: &str) -> Keymap {
        Keymap::from_config(&file::built_in(name, &command::ids()).unwrap()).unwrap()
    }

    #[test]
    fn one_hand_reaches_everything() {
        let keymap = built_in("one-hand");
        let under = "yuiophjklnmYUIOPHJKLNM7890-=_+[]{}|;':\",.<>/?()*&^\\123456 ";
        for (screen, entry) in Screen::ALL.into_iter().flat_map(|screen| TABLE.iter().map(move |entry| (screen, entry))) {
            let under_it = |chord: &Chord| match chord.key {
                Key::Char(c) => !chord.ctrl && !chord.alt && under.contains(c),
                Key::Tab | Key::BackTab | Key::Esc => false,
                Key::F(n) => n > 6,
                Key::Enter
                | Key::Backspace
                | Key::Delete
                | Key::Up
                | Key::Down
                | Key::Left
                | Key::Right
                | Key::Home
                | Key::End
                | Key::PageUp
                | Key::PageDown => true,
            };
            let reached = keymap.on(screen).keys(entry.command).iter().any(|keys| keys.chords().iter().all(under_it));
            assert!(reached, "{} on {}", entry.id, screen.word());
        }
    }

    #[test]
    fn what_destroys_or_returns_has_an_upper_case_key() {
        for (name, _) in file::BUILT_IN {
            let keymap = built_in(name);
            for entry in TABLE.iter().filter(|entry| entry.direction == Some(Direction::Back)) {
                for key in keymap.board.keys(entry.command) {
                    assert!(key.shown().chars().next_back().is_some_and(char::is_uppercase), "{name}: {}", entry.id);
                }
            }
        }
    }

    #[test]
    fn a_key_that_a_screen_binds_again_is_told_once() {
        let keymap = with(&[]).unwrap();
        for screen in Screen::ALL {
            for entry in TABLE {
                let keys = keymap.on(screen).keys(entry.command);
                let different: std::collections::BTreeSet<_> = keys.iter().collect();
                assert_eq!(different.len(), keys.len(), "{} on {}: {keys:?}", entry.id, screen.word());
            }
        }
    }

    #[test]
    fn a_key_of_a_screen_is_one_of_that_screen_only() {
        let means = |keymap: &Keymap, screen, keys: &str| keymap.on(screen).meaning(&keys.parse().unwrap());
        let keymap = with(&[("ledger", "y", "verify")]).unwrap();
        assert_eq!(means(&keymap, Screen::Ledger, "y"), Meaning::Command(Command::Verify));
        assert_eq!(means(&keymap, Screen::Board, "y"), Meaning::Nothing);
        let keymap = with(&[("pipeline", "s", "logs")]).unwrap();
        assert_eq!(means(&keymap, Screen::Pipeline, "s"), Meaning::Command(Command::Logs));
        assert_eq!(means(&keymap, Screen::Board, "s"), Meaning::Command(Command::Deed(Verb::Shift)));
        assert_eq!(keymap.on(Screen::Pipeline).keys(Command::Deed(Verb::Shift)), []);
    }

    #[test]
    fn what_would_leave_an_operator_lost_is_refused_with_its_place() {
        for (moved, says) in [
            (
                ("global", "", "rollback"),
                "mine.toml:1:1: `rollback` has no key on board, pipeline, rollout, map, incident, changes, ledger",
            ),
            (("pipeline", "R", "logs"), "`rollback` has no key on pipeline"),
            (("plan", "y", "run"), "mine.toml:3:1: `run` lies on `y`; expected `enter`: this key is fixed"),
            (("global", "y", "run"), "[global] binds `run`; expected it in [plan]"),
            (("help", "x", "quit"), "[help] binds `quit`"),
            (("global", "insert", "note"), "`insert` is a key that terminals do not tell"),
            (("board", "ctrl-c", "note"), "ctrl-c always ends the session"),
            (("global", "ctrl-i", "note"), "mine.toml:3:1: `note` lies on `ctrl-i`, which terminals tell as tab; expected another key"),
            (("global", "ctrl-m", "note"), "which terminals tell as enter"),
            (("global", "alt-[", "note"), "which begins what terminals send for other keys"),
            (("global", "ctrl-;", "note"), "which terminals do not tell from the key without ctrl"),
            (("global", "enter", "promote"), "mine.toml:3:1: `promote` lies on `enter`; expected a key of its own"),
            (("ledger", "space", "approve"), "is pressed without looking"),
            (("ledger", "v", "note"), "`v` never gives `verify`: where that works it is `note`; expected another key for one of them"),
            (("board", "L", "logs"), "mine.toml:3:1: [board] binds `logs`, which works on pipeline; expected it there"),
            (
                ("global", "y enter", "links"),
                "mine.toml:3:1: `links` lies on `y enter`; expected no `enter` in a sequence: that key is fixed",
            ),
            (("global", "y ctrl-t y", "note"), "no `ctrl-t` in a sequence"),
            (("global", "esc y", "back"), "no `esc` in a sequence"),
            (("global", "y ctrl-c", "note"), "expected ctrl-c at the end of `quit` alone: it always ends the session"),
            (("global", "ctrl-c y", "quit"), "expected ctrl-c at the end of `quit` alone"),
            (("global", "ctrl-c ctrl-c", "quit"), "expected ctrl-c at the end of `quit` alone"),
            (("global", "y insert", "note"), "`y insert` is a key that terminals do not tell"),
            (("global", "y ctrl-i", "note"), "mine.toml:3:1: `note` lies on `y ctrl-i`, which terminals tell as tab; expected another key"),
            (("global", "space y", "promote"), "mine.toml:3:1: `promote` lies on `space y`; expected a key of its own"),
            (("plan", "y y", "run"), "mine.toml:3:1: `run` lies on `y y`; expected `enter`: this key is fixed"),
        ] {
            let wrong = with(&[moved]).unwrap_err().to_string();
            let says = says.trim_start_matches(if moved.1.is_empty() { "mine.toml:1:1: " } else { "" });
            assert!(wrong.contains(says), "{moved:?}: {wrong}");
        }
    }

    #[test]
    fn a_sequence_that_every_screen_hides_is_refused_and_so_is_one_that_is_needed_and_hidden_anywhere() {
        let refused = |moved: &[(&str, &str, &str)]| with(moved).unwrap_err().to_string();
        let wrong = refused(&[("map", "y", "note"), ("global", "y y", "neighbours")]);
        assert!(
            wrong.contains("mine.toml:3:1: `y y` never gives `neighbours`: where that works `y` is `note`; expected another"),
            "{wrong}"
        );
        let wrong = refused(&[("map", "y", "note"), ("global", "y R", "rollback")]);
        assert!(wrong.contains("`rollback` has no key on map; expected"), "{wrong}");
        let keymap = with(&[("map", "y", "note"), ("global", "y t", "last")]).unwrap();
        assert_eq!(
            (keymap.on(Screen::Map).shown(Command::Last), keymap.on(Screen::Board).shown(Command::Last)),
            (String::new(), "y t".to_owned())
        );
    }

    #[test]
    fn the_built_in_keymaps_have_the_sequences_that_their_people_know() {
        for (name, keys, command) in [
            ("vim", "g g", Command::First),
            ("vim", "G", Command::Last),
            ("vim", "Z Z", Command::Quit),
            ("vim", "ctrl-w w", Command::NextPane),
            ("emacs", "ctrl-x ctrl-c", Command::Quit),
            ("emacs", "ctrl-x k", Command::Leave),
            ("emacs", "ctrl-x o", Command::NextPane),
            ("emacs", "alt-<", Command::First),
        ] {
            let keymap = built_in(name);
            for screen in Screen::ALL {
                assert_eq!(keymap.on(screen).meaning(&keys.parse().unwrap()), Meaning::Command(command), "{name}: {keys}");
            }
        }
        let keymap = built_in("vim");
        assert_eq!(
            (keymap.board.all_shown(Command::First), keymap.board.all_shown(Command::Up)),
            ("Home or g g".to_owned(), "Up k".to_owned())
        );
    }
}
