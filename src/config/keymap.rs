//! Keymaps: which key gives which command in which context, from a file each.
//!
//! A binding is one chord or a sequence of chords (`g g`), typed one after the other. Nobody waits to find out which was meant, so
//! nothing that is typed may mean a command and begin another one as well:
//! - Within a context, keys that begin others are refused.
//! - A context's own keys go before those of everywhere. They hide the same keys there, and every sequence that begins with them:
//!   where a screen binds `g`, a global `g g` is not reached on it. As with any hidden key, that is refused where it leaves a screen
//!   without a command that is needed, or a key without any screen (both in `ui/keymap.rs`).
//! - The other way round it is refused: where `g` is global, a screen's own `g g` would take a key away that works everywhere else.
//!   The screen must bind `g` anew first, and then its own two are in each other's way.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::chord::{self, goes_on};
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

/// The keys of one command in one context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The context, one of [`CONTEXTS`].
    pub context: String,
    /// A chord in its normal form (`j`, `A`, `ctrl-d`, `alt-x`, `enter`, `f1`), or a sequence of them parted by spaces (`g g`).
    pub keys: String,
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
    /// What keys in normal form mean in a context: there, else everywhere unless the context hides them.
    pub fn command(&self, context: &str, keys: &str) -> Option<&str> {
        let of = |context: &str| self.bindings.iter().find(|binding| binding.context == context && binding.keys == keys);
        of(context).or_else(|| of(GLOBAL).filter(|_| self.hides(context, keys).is_none())).map(|binding| binding.command.as_str())
    }

    /// The keys that give a command in a context: its own, and those of everywhere that it does not hide.
    pub fn keys<'a>(&'a self, context: &'a str, command: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.bindings
            .iter()
            .filter(move |binding| binding.command == command)
            .filter(move |binding| {
                binding.context == context || (binding.context == GLOBAL && self.hides(context, &binding.keys).is_none())
            })
            .map(|binding| binding.keys.as_str())
    }

    /// What a context binds itself in the place of keys of everywhere: the same, or the beginning of them.
    pub fn hides(&self, context: &str, keys: &str) -> Option<&Binding> {
        let hides = |own: &str| own == keys || goes_on(keys, own);
        self.bindings.iter().find(|binding| binding.context == context && context != GLOBAL && hides(&binding.keys))
    }
}

/// The keymaps that there are: built-in ones, and `keymaps/NAME.toml` in the user's configuration directory.
pub fn names(around: &Surroundings) -> Vec<String> {
    names_in(&around.config_dir.join("keymaps"), &BUILT_IN.map(|(name, _)| name))
}

/// Loads a keymap by name. The user's file of that name goes before the built-in one; `commands` are all that there are.
///
/// # Errors
/// When there is no such keymap, and everything that is wrong in its file: a key with two meanings, or with one and as the beginning
/// of others; a command that is not in `commands`; a destroying command on keys that end in no upper-case letter.
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
            if !commands.contains(&key.name.as_ref()) {
                found.problem(key.at, &format!("no command is called `{}`", key.name), &instead(&key.name, commands.iter().copied()));
            }
            // A command that stands here has exactly these keys, whatever its base says.
            keymap.bindings.retain(|binding| binding.context != context || binding.command != key.name);
            for (at, written) in keys_of(node, found) {
                add(&mut keymap, context, &key.name, at, written, found);
            }
        }
    }
    refuse_conflicts(&keymap, found, start);
    Some(keymap)
}

fn keys_of<'a>(node: &'a Node<'a>, found: &mut Findings) -> Vec<(At, &'a str)> {
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
    let Some(keys) = chord::keys(written) else {
        let expected = "a key such as \"j\", \"A\", \"ctrl-d\", \"enter\", \"f1\", or several with a space between them: \"g g\"";
        found.problem(at, &format!("`{written}` is no key"), expected);
        return;
    };
    if UPPER.contains(&command) && !keys.chars().next_back().is_some_and(|c| c.is_ascii_uppercase()) {
        let at_the_end = if keys.contains(' ') { " at the end" } else { "" };
        found.problem(
            at,
            &format!("`{command}` lies on `{keys}`"),
            &format!("an upper-case letter{at_the_end} for what destroys or returns"),
        );
    }
    keymap.bindings.push(Binding { context: context.to_owned(), keys, command: command.to_owned(), place: found.place(at) });
}

/// Notes keys that have two commands in one context, and keys that begin others of their context or of everywhere.
fn refuse_conflicts(keymap: &Keymap, found: &mut Findings, start: At) {
    for (place, binding) in keymap.bindings.iter().enumerate() {
        let before = || keymap.bindings.iter().take(place);
        if let Some(earlier) = before().find(|other| other.context == binding.context && other.keys == binding.keys) {
            let what = format!(
                "`{}` in [{}] is both `{}` and `{}`, the first at {}:{}",
                binding.keys, binding.context, earlier.command, binding.command, earlier.place.file, earlier.place.line
            );
            found.problem_at(&binding.place, start, &what, "one command for each key");
        }
        if let Some(earlier) = before().find(|earlier| begins(keymap, earlier, binding) || begins(keymap, binding, earlier)) {
            let what = format!(
                "`{}` in [{}] is `{}`, at {}:{}, and `{}` in [{}] is `{}`: one begins the other",
                earlier.keys,
                earlier.context,
                earlier.command,
                earlier.place.file,
                earlier.place.line,
                binding.keys,
                binding.context,
                binding.command
            );
            found.problem_at(&binding.place, start, &what, "keys that neither begin others nor are begun by them");
        }
    }
}

/// Whether keys that work in the context of a sequence are its beginning.
fn begins(keymap: &Keymap, beginning: &Binding, sequence: &Binding) -> bool {
    let works_there = || beginning.context == GLOBAL && keymap.hides(&sequence.context, &beginning.keys).is_none();
    goes_on(&sequence.keys, &beginning.keys) && (beginning.context == sequence.context || works_there())
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

    #[test]
    fn the_default_keys_are_those_of_the_contract() {
        let keymap = load("default", &Surroundings::default(), COMMANDS).expect("right");
        for (keys, command) in
            [("j", "down"), ("A", "abort"), ("R", "rollback"), ("C", "cancel"), ("h", "hold"), ("0", "ledger"), ("s", "shift")]
        {
            assert_eq!(keymap.command("board", keys), Some(command));
        }
        assert_eq!(keymap.command("plan", "enter"), Some("run"));
        assert_eq!(keymap.command("board", "enter"), Some("deeper"));
        assert_eq!(keymap.command("ledger", "v"), Some("verify"));
        assert_eq!(keymap.keys("board", "down").collect::<Vec<_>>(), ["down", "j"]);
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

    #[test]
    fn a_context_hides_what_begins_with_its_own_key() {
        let keymap = with("base = \"default\"\n[global]\nfirst = [\"home\", \"g g\"]\n").expect("right");
        assert_eq!((keymap.command("board", "g g"), keymap.command("board", "g")), (Some("first"), None));
        assert_eq!((keymap.command("map", "g g"), keymap.command("map", "g")), (None, Some("neighbours")));
        assert_eq!(keymap.keys("board", "first").collect::<Vec<_>>(), ["home", "g g"]);
        assert_eq!(keymap.keys("map", "first").collect::<Vec<_>>(), ["home"]);
        assert_eq!(keymap.hides("map", "g g").map(|own| own.command.as_str()), Some("neighbours"));
        assert_eq!(keymap.hides("map", "home"), None);
    }

    #[rstest]
    #[case("[global]\nfirst = \"g g\"\nlast = \"g e\"\n[map]\nlogs = \"g l\"\n")]
    #[case("[global]\nfirst = \"e\"\nlast = \"end x\"\n")]
    #[case("[global]\nfirst = \"g g\"\n[map]\nlogs = \"g\"\n")]
    #[case("[board]\nfirst = \"g g\"\n[map]\nlogs = \"g\"\n")]
    #[case("[global]\nabort = \"g A\"\nquit = \"ctrl-x ctrl-c\"\n")]
    fn sequences_that_are_reached(#[case] text: &str) {
        with(text).expect("right");
    }

    #[rstest]
    #[case(
        "[global]\ndown = \"j\"\nup = \"j\"\n",
        "own.toml:3:6: `j` in [global] is both `down` and `up`, the first at keymaps/own.toml:2; expected one command for each key"
    )]
    #[case(
        "base = \"default\"\n[global]\nquit = \"j\"\n",
        "own.toml:3:8: `j` in [global] is both `down` and `quit`, the first at keymaps/default.toml:60; expected one command for each key"
    )]
    #[case("[board]\ndwon = \"j\"\n", "own.toml:2:1: no command is called `dwon`; expected `down`")]
    #[case("[bord]\n", "own.toml:1:2: unknown key `bord` in the file; expected `board`")]
    #[case("[global]\nabort = \"a\"\n", "own.toml:2:9: `abort` lies on `a`; expected an upper-case letter for what destroys or returns")]
    #[case(
        "[plan]\nrollback = [\"R\", \"ctrl-r\"]\n",
        "own.toml:2:18: `rollback` lies on `ctrl-r`; expected an upper-case letter for what destroys or returns"
    )]
    #[case(
        "[global]\ndown = \"jj\"\n",
        "own.toml:2:8: `jj` is no key; expected a key such as \"j\", \"A\", \"ctrl-d\", \"enter\", \"f1\", or several with a space between them: \"g g\""
    )]
    #[case(
        "[global]\nfirst = \"g g\"\nlast = \"g g\"\n",
        "own.toml:3:8: `g g` in [global] is both `first` and `last`, the first at keymaps/own.toml:2; expected one command for each key"
    )]
    #[case(
        "[global]\nfirst = \"g g\"\nlast = \"g\"\n",
        "own.toml:3:8: `g g` in [global] is `first`, at keymaps/own.toml:2, and `g` in [global] is `last`: one begins the other; \
         expected keys that neither begin others nor are begun by them"
    )]
    #[case(
        "base = \"default\"\n[global]\nfilter = \"g f\"\n",
        "own.toml:3:10: `g` in [global] is `first`, at keymaps/default.toml:65, and `g f` in [global] is `filter`: one begins the other; \
         expected keys that neither begin others nor are begun by them"
    )]
    #[case(
        "[global]\nup = \"g\"\n[board]\nfirst = \"g g\"\n",
        "own.toml:4:9: `g` in [global] is `up`, at keymaps/own.toml:2, and `g g` in [board] is `first`: one begins the other; \
         expected keys that neither begin others nor are begun by them"
    )]
    #[case(
        "[global]\nup = \"g\"\n[board]\nfirst = \"g g\"\ndown = \"g\"\n",
        "own.toml:5:8: `g g` in [board] is `first`, at keymaps/own.toml:4, and `g` in [board] is `down`: one begins the other; \
         expected keys that neither begin others nor are begun by them"
    )]
    #[case(
        "[global]\nup = \"g g\"\nfirst = \"g g g\"\n",
        "own.toml:3:9: `g g` in [global] is `up`, at keymaps/own.toml:2, and `g g g` in [global] is `first`: one begins the other; \
         expected keys that neither begin others nor are begun by them"
    )]
    #[case(
        "[global]\ncancel = \"C c\"\n",
        "own.toml:2:10: `cancel` lies on `C c`; expected an upper-case letter at the end for what destroys or returns"
    )]
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
