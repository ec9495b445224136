//! Keymaps: which key gives which command in which context, from a file each.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::file::Fields;
use super::names::names_in;
use super::nearest::instead;
use super::node::{self, Node, Value};
use super::problem::{At, Findings, Place, Problems};
use super::surroundings::Surroundings;

/// Every built-in keymap: its name and its file.
pub const BUILT_IN: [(&str, &str); 4] = [
    ("default", include_str!("../../keymaps/default.toml")),
    ("vim", include_str!("../../keymaps/vim.toml")),
    ("emacs", include_str!("../../keymaps/emacs.toml")),
    ("one-hand", include_str!("../../keymaps/one-hand.toml")),
];

/// The context whose keys work wherever a context has no other meaning for them.
pub const GLOBAL: &str = "global";

/// Every context.
pub const CONTEXTS: [&str; 12] =
    [GLOBAL, "board", "pipeline", "rollout", "map", "incident", "changes", "ledger", "detail", "plan", "filter", "help"];

/// Commands that destroy or return: they lie on upper-case letters.
const UPPER: &[&str] = &["abort", "rollback", "cancel", "break-glass"];

const NAMED_KEYS: &[&str] = &[
    "enter",
    "esc",
    "tab",
    "backtab",
    "space",
    "backspace",
    "delete",
    "insert",
    "up",
    "down",
    "left",
    "right",
    "home",
    "end",
    "pageup",
    "pagedown",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "f6",
    "f7",
    "f8",
    "f9",
    "f10",
    "f11",
    "f12",
];

/// One key of one context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The context, one of [`CONTEXTS`].
    pub context: String,
    /// The chord in its normal form, as [`chord`] gives it.
    pub chord: String,
    /// The command.
    pub command: String,
    /// Where it is written.
    pub place: Place,
}

/// A keymap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keymap {
    /// Its name.
    pub name: String,
    /// The keys in the order of the file, those of its base first.
    pub bindings: Vec<Binding>,
}

impl Keymap {
    /// What a chord in normal form means in a context: there, else everywhere.
    pub fn command(&self, context: &str, chord: &str) -> Option<&str> {
        let in_context = |context: &str| self.bindings.iter().find(|binding| binding.context == context && binding.chord == chord);
        in_context(context).or_else(|| in_context(GLOBAL)).map(|binding| binding.command.as_str())
    }

    /// The chords that give a command in a context: its own, and those of everywhere that it does not bind anew.
    pub fn chords<'a>(&'a self, context: &'a str, command: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let own = move |chord: &str| self.bindings.iter().any(|binding| binding.context == context && binding.chord == chord);
        self.bindings
            .iter()
            .filter(move |binding| binding.command == command)
            .filter(move |binding| binding.context == context || (binding.context == GLOBAL && !own(&binding.chord)))
            .map(|binding| binding.chord.as_str())
    }
}

/// The normal form of a chord: `j`, `A`, `ctrl-d`, `alt-x`, `enter`, `f1`. None when it is no chord.
///
/// Modifiers come as `ctrl-`, then `alt-`; a letter with `ctrl-` is lower case; `shift-` is the upper-case letter itself,
/// and `shift-tab` is `backtab`.
pub fn chord(text: &str) -> Option<String> {
    let mut rest = text;
    let (mut ctrl, mut alt, mut shift) = (false, false, false);
    while let Some((modifier, behind)) = rest.split_once('-').filter(|(_, behind)| !behind.is_empty()) {
        let flag = match modifier.to_ascii_lowercase().as_str() {
            "ctrl" => &mut ctrl,
            "alt" => &mut alt,
            "shift" => &mut shift,
            _ => return None,
        };
        if *flag {
            return None;
        }
        *flag = true;
        rest = behind;
    }
    let mut characters = rest.chars();
    let key = match (characters.next(), characters.next()) {
        (None, _) => return None,
        (Some(c), None) if shift && c.is_ascii_alphabetic() && !ctrl => c.to_ascii_uppercase().to_string(),
        (Some(_), None) if shift => return None,
        (Some(c), None) if ctrl => c.to_ascii_lowercase().to_string(),
        (Some(' '), None) => "space".to_owned(),
        (Some(c), None) if c.is_control() => return None,
        (Some(c), None) => c.to_string(),
        (Some(_), Some(_)) => {
            let name = rest.to_ascii_lowercase();
            if !NAMED_KEYS.contains(&name.as_str()) {
                return None;
            }
            match (shift, name.as_str()) {
                (true, "tab") => "backtab".to_owned(),
                (true, _) => return None,
                (false, _) => name,
            }
        }
    };
    Some(format!("{}{}{key}", if ctrl { "ctrl-" } else { "" }, if alt { "alt-" } else { "" }))
}

/// The keymaps that there are: built-in ones, and `keymaps/NAME.toml` in the user's configuration directory.
pub fn names(around: &Surroundings) -> Vec<String> {
    names_in(&around.config_dir.join("keymaps"), &BUILT_IN.map(|(name, _)| name))
}

/// Loads a keymap by name. The user's file of that name goes before the built-in one; `commands` are all that there are.
///
/// # Errors
/// When there is no such keymap, and everything that is wrong in its file: a key with two meanings, a command that is not
/// in `commands`, a destroying command on a key that is no upper-case letter.
pub fn load(name: &str, around: &Surroundings, commands: &[&str]) -> Result<Keymap, Problems> {
    let mut found = Findings::default();
    let keymap = keymap(name, &around.config_dir.join("keymaps"), commands, &mut found);
    let (problems, _) = found.into_parts();
    match keymap {
        Some(keymap) if problems.is_empty() => Ok(keymap),
        Some(_) | None => Err(Problems(problems)),
    }
}

/// A built-in keymap, whatever files the user has.
///
/// # Errors
/// When there is no such keymap, or when it names a command that is not in `commands`.
pub fn built_in(name: &str, commands: &[&str]) -> Result<Keymap, Problems> {
    let mut found = Findings::default();
    let keymap = keymap(name, Path::new(""), commands, &mut found);
    let (problems, _) = found.into_parts();
    keymap.filter(|_| problems.is_empty()).ok_or(Problems(problems))
}

/// The text of a named file: the user's, else the built-in one.
pub(super) fn text_of(name: &str, directory: &Path, word: &str, built_in: &[(&str, &str)], found: &mut Findings) -> Option<(At, String)> {
    let path = directory.join(format!("{name}.toml"));
    let shown = path.display().to_string();
    if crate::model::name::check(name).is_ok() && !directory.as_os_str().is_empty() {
        match fs::read_to_string(&path) {
            Ok(text) => return Some((found.source(&shown, directory, text.clone()), text)),
            Err(error) if error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::NotADirectory => {}
            Err(error) => {
                let at = found.source(&shown, directory, String::new());
                found.problem(at, &format!("the file cannot be read: {error}"), &format!("a {word}"));
                return None;
            }
        }
    }
    if let Some((_, text)) = built_in.iter().find(|(known, _)| *known == name) {
        return Some((found.source(&format!("{word}s/{name}.toml"), directory, (*text).to_owned()), (*text).to_owned()));
    }
    let at = found.source(&shown, directory, String::new());
    let names = names_in(directory, &built_in.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    found.problem(at, &format!("no {word} is called `{name}`"), &instead(name, names.iter().map(String::as_str)));
    None
}

fn keymap(name: &str, directory: &Path, commands: &[&str], found: &mut Findings) -> Option<Keymap> {
    let (start, text) = text_of(name, directory, "keymap", &BUILT_IN, found)?;
    let table = node::parse(&text, start, found)?;
    let known: Vec<&str> = ["base"].into_iter().chain(CONTEXTS).collect();
    let fields = Fields::root(&table, start, &known, found);
    let mut keymap = Keymap { name: name.to_owned(), bindings: Vec::new() };
    if let Some(node) = fields.get("base") {
        let base = node.text("base", found)?;
        let built_in = BUILT_IN.map(|(name, _)| name);
        if !built_in.contains(&base) {
            found.problem(node.at, &format!("`{base}` is no keymap to begin from"), &instead(base, built_in));
            return None;
        }
        // The directory is left out: a base is always the built-in one, and none of those is its own base.
        keymap.bindings = self::keymap(base, Path::new(""), commands, found)?.bindings;
    }
    for context in CONTEXTS {
        for (key, node) in fields.table(context, found) {
            if !commands.contains(&key.name.as_str()) {
                found.problem(key.at, &format!("no command is called `{}`", key.name), &instead(&key.name, commands.iter().copied()));
            }
            // A command that stands here has exactly these keys, whatever its base says.
            keymap.bindings.retain(|binding| binding.context != context || binding.command != key.name);
            for (at, written) in chords_of(node, found) {
                add(&mut keymap, context, &key.name, at, written, found);
            }
        }
    }
    refuse_conflicts(&keymap, found, start);
    Some(keymap)
}

fn chords_of<'a>(node: &'a Node, found: &mut Findings) -> Vec<(At, &'a str)> {
    match &node.value {
        Value::Text(text) => vec![(node.at, text)],
        Value::List(_) => node.texts("keys", found),
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::Table(_) => {
            found.problem(node.at, &format!("the keys are {}", node.value.kind()), "a string or an array of strings");
            Vec::new()
        }
    }
}

fn add(keymap: &mut Keymap, context: &str, command: &str, at: At, written: &str, found: &mut Findings) {
    let Some(chord) = chord(written) else {
        found.problem(at, &format!("`{written}` is no key"), "a key such as \"j\", \"A\", \"ctrl-d\", \"enter\", \"f1\"");
        return;
    };
    if UPPER.contains(&command) && !chord.chars().next_back().is_some_and(|c| c.is_ascii_uppercase()) {
        found.problem(at, &format!("`{command}` lies on `{chord}`"), "an upper-case letter for what destroys or returns");
    }
    keymap.bindings.push(Binding { context: context.to_owned(), chord, command: command.to_owned(), place: found.place(at) });
}

/// Notes a chord with two commands in one context.
fn refuse_conflicts(keymap: &Keymap, found: &mut Findings, start: At) {
    for (place, binding) in keymap.bindings.iter().enumerate() {
        let earlier = keymap.bindings.iter().take(place).find(|other| other.context == binding.context && other.chord == binding.chord);
        if let Some(earlier) = earlier {
            let what = format!(
                "`{}` in [{}] is both `{}` and `{}`, the first at {}:{}",
                binding.chord, binding.context, earlier.command, binding.command, earlier.place.file, earlier.place.line
            );
            found.problem_at(&binding.place, start, &what, "one command for each key");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const COMMANDS: &[&str] = &[
        "down",
        "up",
        "first",
        "last",
        "left",
        "right",
        "verify",
        "suspend",
        "page-down",
        "page-up",
        "next-pane",
        "calendar",
        "board-pack",
        "environment-before",
        "environment-after",
        "previous-pane",
        "deeper",
        "back",
        "filter",
        "help",
        "quit",
        "redraw",
        "update",
        "source",
        "board",
        "pipeline",
        "rollout",
        "map",
        "neighbours",
        "chart",
        "zoom-in",
        "zoom-out",
        "live",
        "links",
        "incident",
        "changes",
        "ledger",
        "approve",
        "reject",
        "withdraw",
        "execute",
        "policy",
        "roles",
        "hold",
        "resume",
        "shift",
        "promote",
        "roll-out",
        "abort",
        "rollback",
        "start",
        "retry",
        "retry-failed",
        "cancel",
        "flag",
        "note",
        "palette",
        "ready",
        "silence",
        "unsilence",
        "drain",
        "logs",
        "choose",
        "follow",
        "past",
        "event-before",
        "event-after",
        "mark-before",
        "mark-after",
        "play",
        "slower",
        "faster",
        "oldest",
        "newest",
        "moment",
        "run",
        "dry-run",
        "schedule",
        "take-role",
        "copy-commands",
        "leave",
    ];

    fn with(text: &str) -> Result<Keymap, String> {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("keymaps")).expect("made");
        fs::write(directory.path().join("keymaps/own.toml"), text).expect("written");
        let around = Surroundings { config_dir: directory.path().to_owned(), ..Surroundings::default() };
        assert_eq!(names(&around), ["default", "emacs", "one-hand", "own", "vim"]);
        load("own", &around, COMMANDS).map_err(|problems| problems.to_string().replace(&format!("{}/", directory.path().display()), ""))
    }

    #[rstest]
    #[case("j", "j")]
    #[case("A", "A")]
    #[case("Ctrl-D", "ctrl-d")]
    #[case("alt-ctrl-x", "ctrl-alt-x")]
    #[case("shift-a", "A")]
    #[case("shift-tab", "backtab")]
    #[case("Enter", "enter")]
    #[case("F12", "f12")]
    #[case("-", "-")]
    #[case("ctrl--", "ctrl--")]
    #[case(" ", "space")]
    fn a_chord_has_one_normal_form(#[case] written: &str, #[case] normal: &str) {
        assert_eq!(chord(written).as_deref(), Some(normal));
        assert_eq!(chord(normal).as_deref(), Some(normal));
    }

    #[rstest]
    #[case("")]
    #[case("jj")]
    #[case("hyper-x")]
    #[case("ctrl-ctrl-x")]
    #[case("shift-enter")]
    #[case("f13")]
    #[case("\u{1b}")]
    fn what_is_no_chord(#[case] written: &str) {
        assert_eq!(chord(written), None);
    }

    #[test]
    fn the_default_keys_are_those_of_the_contract() {
        let keymap = load("default", &Surroundings::default(), COMMANDS).expect("right");
        for (chord, command) in
            [("j", "down"), ("A", "abort"), ("R", "rollback"), ("C", "cancel"), ("h", "hold"), ("0", "ledger"), ("s", "shift")]
        {
            assert_eq!(keymap.command("board", chord), Some(command));
        }
        assert_eq!(keymap.command("plan", "enter"), Some("run"));
        assert_eq!(keymap.command("board", "enter"), Some("deeper"));
        assert_eq!(keymap.command("ledger", "v"), Some("verify"));
        assert_eq!(keymap.chords("board", "down").collect::<Vec<_>>(), ["down", "j"]);
    }

    #[test]
    fn every_built_in_keymap_is_right() {
        for (name, _) in BUILT_IN {
            load(name, &Surroundings::default(), COMMANDS).expect("right");
        }
    }

    #[test]
    fn a_base_gives_what_a_keymap_leaves_out() {
        let keymap = with("base = \"default\"\n[global]\nquit = \"Q\"\n").expect("right");
        assert_eq!((keymap.command("board", "Q"), keymap.command("board", "q")), (Some("quit"), None));
        assert_eq!(keymap.command("board", "j"), Some("down"));
    }

    #[rstest]
    #[case(
        "[global]\ndown = \"j\"\nup = \"j\"\n",
        "own.toml:3:6: `j` in [global] is both `down` and `up`, the first at keymaps/own.toml:2; expected one command for each key"
    )]
    #[case(
        "base = \"default\"\n[global]\nquit = \"j\"\n",
        "own.toml:3:8: `j` in [global] is both `down` and `quit`, the first at keymaps/default.toml:59; expected one command for each key"
    )]
    #[case("[board]\ndwon = \"j\"\n", "own.toml:2:1: no command is called `dwon`; expected `down`")]
    #[case("[bord]\n", "own.toml:1:2: unknown key `bord` in the file; expected `board`")]
    #[case("[global]\nabort = \"a\"\n", "own.toml:2:9: `abort` lies on `a`; expected an upper-case letter for what destroys or returns")]
    #[case(
        "[plan]\nrollback = [\"R\", \"ctrl-r\"]\n",
        "own.toml:2:18: `rollback` lies on `ctrl-r`; expected an upper-case letter for what destroys or returns"
    )]
    #[case("[global]\ndown = \"jj\"\n", "own.toml:2:8: `jj` is no key; expected a key such as \"j\", \"A\", \"ctrl-d\", \"enter\", \"f1\"")]
    #[case("[global]\ndown = 7\n", "own.toml:2:8: the keys are an integer; expected a string or an array of strings")]
    #[case("base = \"dvorak\"\n", "own.toml:1:8: `dvorak` is no keymap to begin from; expected one of default, vim, emacs, one-hand")]
    fn a_wrong_keymap_is_refused_where_it_is_wrong(#[case] text: &str, #[case] problem: &str) {
        assert_eq!(with(text), Err(format!("keymaps/{problem}")));
    }

    #[test]
    fn an_unknown_keymap_and_a_path_are_no_name() {
        for name in ["dvorak", "../default", ""] {
            let error = load(name, &Surroundings::default(), COMMANDS).expect_err("refused").to_string();
            assert!(error.contains("no keymap is called"), "{error}");
        }
    }
}
