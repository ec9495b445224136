//! The command table: every command once, with its key, its verb, its direction and its words; keymap, key row and help are made from it.

use crate::model::intent::{Direction, Verb};

use super::screen::Screen;

/// What a key can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Command {
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// One column or environment to the left.
    Left,
    /// One column or environment to the right.
    Right,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// Deeper.
    Look,
    /// Back.
    Leave,
    /// To the next pane.
    NextPane,
    /// Finds by typing.
    Find,
    /// Sorts a list anew.
    Update,
    /// Shows where what is shown comes from.
    Detail,
    /// Shows all keys.
    Help,
    /// Goes to a screen.
    Go(Screen),
    /// A deed.
    Deed(Verb),
    /// Opens the log of a step and follows it.
    Logs,
    /// Verifies the ledger.
    Verify,
    /// Draws everything again.
    Redraw,
    /// Gives the terminal back for a while.
    Suspend,
    /// Ends the session.
    Quit,
}

/// Whether a command works on every screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// On every screen.
    Everywhere,
    /// On these.
    On(&'static [Screen]),
}

/// One command.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The command.
    pub command: Command,
    /// Its name in keymap files.
    pub id: &'static str,
    /// Its keys unless a keymap says otherwise, as keymap files write them.
    pub keys: &'static [&'static str],
    /// The way it moves production; none for what is no deed, and for a shift, whose share decides.
    pub direction: Option<Direction>,
    /// One or two words for the key row.
    pub label: &'static str,
    /// What it does, for help.
    pub does: &'static str,
    /// Where it works.
    pub place: Where,
}

const fn entry(command: Command, id: &'static str, keys: &'static [&'static str], label: &'static str, does: &'static str) -> Entry {
    Entry { command, id, keys, direction: None, label, does, place: Where::Everywhere }
}

const fn on(screens: &'static [Screen], entry: Entry) -> Entry {
    Entry { place: Where::On(screens), ..entry }
}

const fn deed(verb: Verb, direction: Option<Direction>, keys: &'static [&'static str], label: &'static str, does: &'static str) -> Entry {
    Entry { command: Command::Deed(verb), id: verb_id(verb), keys, direction, label, does, place: Where::Everywhere }
}

const fn verb_id(verb: Verb) -> &'static str {
    match verb {
        Verb::Hold => "hold",
        Verb::Resume => "resume",
        Verb::Shift => "shift",
        Verb::Promote => "promote",
        Verb::Abort => "abort",
        Verb::Rollback => "rollback",
        Verb::Start => "start",
        Verb::Retry => "retry",
        Verb::Cancel => "cancel",
        Verb::Note => "note",
    }
}

/// Every command, in the order in which help lists them. Deeds that destroy or return have upper-case keys.
pub const TABLE: &[Entry] = &[
    deed(Verb::Rollback, Some(Direction::Back), &["R"], "roll back", "back to the last proven version"),
    deed(Verb::Abort, Some(Direction::Back), &["A"], "abort", "the new version gets no traffic and the rollout ends"),
    deed(Verb::Shift, None, &["s"], "shift", "sets the share of the new version"),
    deed(Verb::Promote, Some(Direction::Forward), &["p"], "promote", "to the next step; after the last one the new version is the stable one"),
    deed(Verb::Hold, Some(Direction::Still), &["h"], "hold", "nothing moves this forward until resumed"),
    deed(Verb::Resume, Some(Direction::Release), &["H"], "resume", "ends the hold"),
    deed(Verb::Start, Some(Direction::Forward), &["S"], "start", "runs the pipeline"),
    deed(Verb::Retry, Some(Direction::Forward), &["r"], "retry", "runs the run again"),
    deed(Verb::Cancel, Some(Direction::Back), &["C"], "cancel", "stops the run"),
    deed(Verb::Note, Some(Direction::Still), &["n"], "note", "writes a line into the timeline and the ledger"),
    entry(Command::Look, "deeper", &["<ret>"], "look", "deeper: the rollout of the marked service"),
    entry(Command::Leave, "back", &["<esc>"], "back", "back, or lets go of the list"),
    entry(Command::Find, "filter", &["/"], "find", "shows only what holds the typed words"),
    entry(Command::Update, "update", &["u"], "update", "sorts the list anew"),
    entry(Command::Detail, "source", &["i"], "source", "where it comes from: age, raw reading, query"),
    on(&[Screen::Pipeline], entry(Command::Logs, "logs", &["l", "f"], "logs", "the log of the marked step, followed to its end")),
    on(&[Screen::Ledger], entry(Command::Verify, "verify", &["v"], "verify", "checks every entry of the ledger now")),
    on(&[Screen::Pipeline, Screen::Incident], entry(Command::NextPane, "next-pane", &["<tab>"], "next pane", "to the next pane")),
    entry(Command::Go(Screen::Board), "board", &["1"], "board", "is anything wrong, does anything wait for me"),
    entry(Command::Go(Screen::Pipeline), "pipeline", &["2"], "pipeline", "where is this change, what is it waiting for"),
    entry(Command::Go(Screen::Rollout), "rollout", &["3"], "rollout", "is the new version as good as the old one"),
    entry(Command::Go(Screen::Incident), "incident", &["5"], "incident", "how bad is it, what happened, what do I do"),
    entry(Command::Go(Screen::Ledger), "ledger", &["0"], "ledger", "who did what, and is the record intact"),
    entry(Command::Up, "up", &["<up>", "k"], "up", "one row up"),
    entry(Command::Down, "down", &["<down>", "j"], "down", "one row down"),
    on(&[Screen::Board], entry(Command::Left, "left", &["<left>"], "left", "the environment before")),
    on(&[Screen::Board], entry(Command::Right, "right", &["<right>"], "right", "the environment after")),
    entry(Command::PageUp, "page-up", &["<pageup>", "C-u"], "page up", "a page up"),
    entry(Command::PageDown, "page-down", &["<pagedown>", "C-d"], "page down", "a page down"),
    entry(Command::First, "first", &["<home>", "g"], "first", "to the first row"),
    entry(Command::Last, "last", &["<end>", "G"], "last", "to the last row"),
    entry(Command::Help, "help", &["?"], "all keys", "the keys that work here, and why the others do not"),
    entry(Command::Redraw, "redraw", &["C-l"], "redraw", "draws everything again"),
    entry(Command::Suspend, "suspend", &["C-z"], "suspend", "gives the terminal back until `fg`"),
    entry(Command::Quit, "quit", &["q", "C-c"], "quit", "ends this session; deeds under way are watched by whoever runs next"),
];

/// Names in keymap files beside those of the table: other words for the same, and the keys of the plan, which are fixed.
const OTHERS: [(&str, Option<Command>); 8] = [
    ("half-page-up", Some(Command::PageUp)),
    ("half-page-down", Some(Command::PageDown)),
    ("previous-pane", Some(Command::NextPane)),
    ("follow", Some(Command::Logs)),
    ("run", None),
    ("dry-run", None),
    ("copy-commands", None),
    ("leave", None),
];

/// Every name that a keymap file may use.
pub fn ids() -> Vec<&'static str> {
    TABLE.iter().map(|entry| entry.id).chain(OTHERS.iter().map(|(id, _)| *id)).collect()
}

impl Command {
    /// Its row of the table.
    pub fn entry(self) -> Option<&'static Entry> {
        TABLE.iter().find(|entry| entry.command == self)
    }

    /// The command of that name.
    pub fn named(id: &str) -> Option<Self> {
        let other = || OTHERS.iter().find(|(other, _)| *other == id).and_then(|(_, command)| *command);
        TABLE.iter().find(|entry| entry.id == id).map(|entry| entry.command).or_else(other)
    }

    /// Its verb, when it is a deed.
    pub fn verb(self) -> Option<Verb> {
        TABLE.iter().find_map(|entry| match entry.command {
            Self::Deed(verb) if entry.command == self => Some(verb),
            Self::Deed(_)
            | Self::Up
            | Self::Down
            | Self::Left
            | Self::Right
            | Self::PageUp
            | Self::PageDown
            | Self::First
            | Self::Last
            | Self::Look
            | Self::Leave
            | Self::NextPane
            | Self::Find
            | Self::Update
            | Self::Detail
            | Self::Help
            | Self::Go(_)
            | Self::Logs
            | Self::Verify
            | Self::Redraw
            | Self::Suspend
            | Self::Quit => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_one_command() {
        for verb in Verb::ALL {
            assert_eq!(TABLE.iter().filter(|entry| entry.command == Command::Deed(verb)).count(), 1, "{verb:?}");
            assert_eq!(Command::Deed(verb).verb(), Some(verb));
            assert_eq!(Command::named(verb.word()), Some(Command::Deed(verb)));
        }
    }

    #[test]
    fn what_destroys_or_returns_has_an_upper_case_key() {
        for entry in TABLE.iter().filter(|entry| entry.direction == Some(Direction::Back)) {
            assert!(entry.keys.iter().all(|key| key.chars().all(char::is_uppercase)), "{}", entry.id);
        }
    }
}
