//! Which keys mean which command on which screen, as keymap files say it.

use crate::config::keymap as file;
use crate::config::{Place, Problem, Problems};
use crate::model::intent::Verb;
use crate::model::text::Text;

use super::command::{self, Command, TABLE, Where};
use super::input::{Chord, Key};
use super::screen::Screen;

/// The keys of one screen: for each command of the table its keys there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    bindings: Vec<(Command, Vec<Chord>)>,
}

impl Keys {
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
    /// meaning for Ctrl-C; and a screen on which a command has no key without which an operator is lost.
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
    let of = |id| keymap.chords(screen.word(), id).filter_map(|chord| chord.parse().ok()).collect();
    Keys { bindings: TABLE.iter().map(|entry| (entry.command, of(entry.id))).collect() }
}

/// What is wrong with one binding.
fn against(binding: &file::Binding) -> Option<Problem> {
    let file::Binding { context, chord, command, place } = binding;
    let fixed = FIXED.iter().find(|(_, fixed, _)| fixed == command);
    let over_screens = context != file::GLOBAL && Screen::named(context).is_none();
    match (over_screens, fixed) {
        (true, Some((_, _, key))) => {
            (key != chord).then(|| problem(place, &format!("`{command}` lies on `{chord}`"), &format!("`{key}`: this key is fixed")))
        }
        (true, None) => Some(problem(place, &format!("[{context}] binds `{command}`"), "no binding there: its keys are fixed")),
        (false, Some((place_of, _, _))) => Some(problem(place, &format!("[{context}] binds `{command}`"), &format!("it in [{place_of}]"))),
        (false, None) => match (chord.parse::<Chord>(), Command::named(command)) {
            (Err(_), _) => Some(problem(place, &format!("`{chord}` is a key that terminals do not tell"), "another key")),
            (Ok(chord), _) if unheard(chord).is_some() => {
                let why = unheard(chord).unwrap_or_default();
                Some(problem(place, &format!("`{command}` lies on `{}`, which {why}", binding.chord), "another key"))
            }
            (Ok(chord), Some(meant)) if is_deed(meant) && is_pressed_blindly(chord.key) => {
                let expected = "a key of its own: this one is pressed without looking";
                Some(problem(place, &format!("`{command}` lies on `{}`", binding.chord), expected))
            }
            (Ok(_), Some(meant)) if works_not(meant, context) => {
                let there = meant.entry().map(|entry| words_of(entry.place)).unwrap_or_default();
                Some(problem(place, &format!("[{context}] binds `{command}`, which works on {there}"), "it there, or in [global]"))
            }
            (Ok(chord), Some(meant)) if chord == Chord::ctrl('c') && meant != Command::Quit => {
                Some(problem(place, &format!("ctrl-c is `{command}`"), "`quit`: ctrl-c always ends the session"))
            }
            (Ok(_), Some(_)) => None,
            (Ok(_), None) => Some(problem(place, &format!("no command is called `{command}`"), "one that the help screen lists")),
        },
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

/// That a key of every screen gives its command on none, since each screen on which that works has another meaning for it.
fn hidden(keymap: &file::Keymap, binding: &file::Binding) -> Option<Problem> {
    let file::Binding { context, chord, command, place } = binding;
    let works: Vec<Screen> = match Command::named(command)?.entry()?.place {
        Where::Everywhere => Screen::ALL.to_vec(),
        Where::On(screens) => screens.to_vec(),
    };
    let reached = |screen: &Screen| keymap.command(screen.word(), chord) == Some(command);
    (context == file::GLOBAL && !works.iter().any(reached)).then(|| {
        let other = works.first().and_then(|screen| keymap.command(screen.word(), chord)).unwrap_or_default();
        problem(place, &format!("`{chord}` never gives `{command}`: where that works it is `{other}`"), "another key for one of them")
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
        keymap.bindings.extend(moved.iter().filter(|(_, chord, _)| !chord.is_empty()).map(|(context, chord, command)| file::Binding {
            context: (*context).to_owned(),
            chord: (*chord).to_owned(),
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
                assert!(keys.iter().all(|key| made.on(screen).command(*key) == Some(entry.command)), "{name}: {}", entry.id);
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
            let reached = keymap.on(screen).keys(entry.command).iter().any(|chord| match chord.key {
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
            });
            assert!(reached, "{} on {}", entry.id, screen.word());
        }
    }

    #[test]
    fn what_destroys_or_returns_has_an_upper_case_key() {
        for (name, _) in file::BUILT_IN {
            let keymap = built_in(name);
            for entry in TABLE.iter().filter(|entry| entry.direction == Some(Direction::Back)) {
                for key in keymap.board.keys(entry.command) {
                    assert!(key.shown().chars().all(char::is_uppercase), "{name}: {}", entry.id);
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
        let keymap = with(&[("ledger", "y", "verify")]).unwrap();
        let y: Chord = "y".parse().unwrap();
        assert_eq!(keymap.on(Screen::Ledger).command(y), Some(Command::Verify));
        assert_eq!(keymap.on(Screen::Board).command(y), None);
        let keymap = with(&[("pipeline", "s", "logs")]).unwrap();
        assert_eq!(keymap.on(Screen::Pipeline).command(Chord::char('s')), Some(Command::Logs));
        assert_eq!(keymap.on(Screen::Board).command(Chord::char('s')), Some(Command::Deed(Verb::Shift)));
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
        ] {
            let wrong = with(&[moved]).unwrap_err().to_string();
            let says = says.trim_start_matches(if moved.1.is_empty() { "mine.toml:1:1: " } else { "" });
            assert!(wrong.contains(says), "{moved:?}: {wrong}");
        }
    }
}
