//! The command table: every command once, with its name, its verb, its direction and its words; key row and help are made from it, its keys are in keymap files.

use crate::control::replay::traveller::Way;
use crate::model::approval::Decision;
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
    /// To the pane before.
    PreviousPane,
    /// Shows the calendar alone.
    Calendar,
    /// Shows the advisory board's pack.
    Pack,
    /// The calendar of the environment before.
    EnvironmentBefore,
    /// The calendar of the environment after.
    EnvironmentAfter,
    /// Marks a service for one deed on several.
    Choose,
    /// Draws the marked service with its neighbours.
    Neighbours,
    /// Gives the chart of one measure the screen.
    Chart,
    /// Looks at less time of a chart, closer.
    ZoomIn,
    /// Looks at more time of a chart.
    ZoomOut,
    /// Back to the newest end of a chart.
    Live,
    /// The links that lead to what other tools know of it.
    Links,
    /// Finds by typing.
    Find,
    /// Sorts a list anew.
    Update,
    /// Shows where what is shown comes from.
    Detail,
    /// Finds anything by typing.
    Palette,
    /// Shows all keys.
    Help,
    /// Goes to a screen.
    Go(Screen),
    /// A deed.
    Deed(Verb),
    /// Says something about a plan that waits.
    Rule(Decision),
    /// Carries out a plan that waited.
    Execute,
    /// Repeats only what failed in a run.
    RetryFailed,
    /// Puts a name under changed rules.
    Policy,
    /// Roles that people take for a while.
    Roles,
    /// Opens the log of a step and follows it.
    Logs,
    /// Lets a log run on, or stand still.
    Follow,
    /// Verifies the ledger.
    Verify,
    /// To the past, or back to now.
    Past,
    /// In the past, to another event.
    Event(Way),
    /// In the past, to another deed or alert.
    Mark(Way),
    /// In the past, to its first event.
    Oldest,
    /// In the past, to its last event.
    Newest,
    /// In the past, to a moment that is typed.
    Moment,
    /// Plays the past, or lets it stand still.
    Play,
    /// Plays the past at another speed.
    Speed(Way),
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
    /// The way it moves production; none for what is no deed, and for a shift, whose share decides.
    pub direction: Option<Direction>,
    /// One or two words for the key row.
    pub label: &'static str,
    /// What it does, for help.
    pub does: &'static str,
    /// Where it works.
    pub place: Where,
}

const fn entry(command: Command, id: &'static str, label: &'static str, does: &'static str) -> Entry {
    Entry { command, id, direction: None, label, does, place: Where::Everywhere }
}

const fn on(screens: &'static [Screen], entry: Entry) -> Entry {
    Entry { place: Where::On(screens), ..entry }
}

const fn deed(verb: Verb, direction: Option<Direction>, label: &'static str, does: &'static str) -> Entry {
    Entry { command: Command::Deed(verb), id: verb_id(verb), direction, label, does, place: Where::Everywhere }
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
        Verb::Rollout => "roll-out",
        Verb::Flag => "flag",
        Verb::Drain => "drain",
        Verb::Ready => "ready",
        Verb::Silence => "silence",
        Verb::Unsilence => "unsilence",
        // The keys that answer for plans answer for runs too: what they open follows from what waits.
        Verb::Approve => "approve",
        Verb::Reject => "reject",
    }
}

/// Every command, in the order in which help lists them: what goes back or stops first, so that no key row is without it. Deeds that destroy or return have upper-case keys.
pub const TABLE: &[Entry] = &[
    deed(Verb::Rollback, Some(Direction::Back), "roll back", "all traffic back to the last proven version; ends a rollout"),
    deed(Verb::Abort, Some(Direction::Back), "abort", "ends the rollout: the new version gets no traffic"),
    deed(Verb::Hold, Some(Direction::Still), "hold", "nothing moves this forward until resumed"),
    deed(Verb::Shift, None, "shift", "sets the share of the new version; 0 leaves the rollout open"),
    deed(Verb::Promote, Some(Direction::Forward), "promote", "to the next step; after the last one the new version is the stable one"),
    deed(Verb::Resume, Some(Direction::Release), "resume", "ends the hold"),
    deed(Verb::Start, Some(Direction::Forward), "start", "runs the pipeline"),
    deed(Verb::Retry, Some(Direction::Forward), "retry", "runs the run again"),
    deed(Verb::Cancel, Some(Direction::Back), "cancel", "stops the run"),
    deed(Verb::Flag, None, "flag", "turns a feature flag on or off, or sets its percentage"),
    deed(Verb::Drain, Some(Direction::Forward), "drain", "a server finishes what it has and takes nothing new; its weight stays"),
    deed(Verb::Ready, Some(Direction::Release), "ready", "a server that drains, or is in maintenance, takes requests again"),
    deed(Verb::Silence, Some(Direction::Release), "silence", "an alert calls nobody for a while; it stays shown and stops no way back"),
    deed(Verb::Unsilence, Some(Direction::Release), "unsilence", "an alert calls again"),
    deed(Verb::Note, Some(Direction::Still), "note", "writes a line into the timeline and the ledger"),
    deed(Verb::Rollout, Some(Direction::Forward), "roll out", "starts a rollout that goes from step to step by itself, and back by itself"),
    entry(Command::Rule(Decision::Approve), "approve", "approve", "agrees to the plan that waits, or opens the gate at which a run waits"),
    entry(Command::Rule(Decision::Reject), "reject", "reject", "says no to the plan that waits, or closes the gate of a run: it ends"),
    entry(Command::Rule(Decision::Withdraw), "withdraw", "withdraw", "takes your plan or your approval back, until the deed begins"),
    on(&[Screen::Pipeline], entry(Command::RetryFailed, "retry-failed", "retry failed", "runs again only what failed in the run")),
    entry(Command::Execute, "execute", "execute", "opens your plan that waited, to carry it out"),
    entry(
        Command::Policy,
        "policy",
        "accept rules",
        "puts your name under changed rules; another policy-owner than their author accepts them",
    ),
    entry(Command::Roles, "roles", "roles", "who has a role for a while; takes one, agrees to one, takes one back"),
    entry(Command::Look, "deeper", "look", "deeper: the rollout of the marked service"),
    entry(Command::Leave, "back", "back", "back, or lets go of the list"),
    on(
        &[Screen::Board, Screen::Map],
        entry(Command::Choose, "choose", "mark", "marks for one deed on several: hold, resume, abort, roll back; again: unmarks"),
    ),
    on(
        &[Screen::Map],
        entry(Command::Neighbours, "neighbours", "neighbours", "draws the marked service with its users and those that it uses"),
    ),
    on(&[Screen::Rollout], entry(Command::Chart, "chart", "chart", "the chart of one measure alone; up and down: another measure")),
    on(&[Screen::Rollout], entry(Command::ZoomIn, "zoom-in", "closer", "less time on the chart, around its crosshair")),
    on(&[Screen::Rollout], entry(Command::ZoomOut, "zoom-out", "farther", "more time on the chart")),
    on(&[Screen::Rollout], entry(Command::Live, "live", "live", "the chart back to its newest end, without crosshair")),
    entry(Command::Links, "links", "links", "the same target and time in Grafana, Prometheus, logs or traces: to open or to copy"),
    on(&[Screen::Board, Screen::Map], entry(Command::Find, "filter", "find", "shows only what holds the typed words")),
    entry(Command::Update, "update", "update", "sorts the list anew"),
    entry(Command::Detail, "source", "source", "where it comes from: age, raw reading, query"),
    on(&[Screen::Pipeline], entry(Command::Logs, "logs", "logs", "the log of the marked step; again: its next log, then none")),
    on(&[Screen::Pipeline], entry(Command::Follow, "follow", "follow", "the log stays at its end, or stands still")),
    on(&[Screen::Ledger], entry(Command::Verify, "verify", "verify", "checks every entry of the ledger now")),
    on(&[Screen::Changes], entry(Command::Calendar, "calendar", "calendar", "the calendar alone, with every day in words")),
    on(&[Screen::Changes], entry(Command::Pack, "board-pack", "board pack", "the advisory board's pack, and the command that writes it")),
    on(&[Screen::Changes], entry(Command::EnvironmentBefore, "environment-before", "environment before", "the calendar of the one before")),
    on(&[Screen::Changes], entry(Command::EnvironmentAfter, "environment-after", "environment after", "the calendar of the one after")),
    entry(Command::Past, "past", "past", "the same screens at any moment of the past; once more: back to now"),
    entry(Command::Event(Way::Back), "event-before", "event before", "in the past: to the event before"),
    entry(Command::Event(Way::On), "event-after", "event after", "in the past: to the event after"),
    entry(Command::Mark(Way::Back), "mark-before", "deed or alert before", "in the past: to the deed or alert before"),
    entry(Command::Mark(Way::On), "mark-after", "deed or alert after", "in the past: to the deed or alert after"),
    entry(Command::Play, "play", "play", "in the past: lets time pass, or stand still"),
    entry(Command::Speed(Way::Back), "slower", "slower", "in the past: plays more slowly"),
    entry(Command::Speed(Way::On), "faster", "faster", "in the past: plays faster, up to 1000 seconds a second"),
    entry(Command::Oldest, "oldest", "oldest", "in the past: to the oldest event that is kept"),
    entry(Command::Newest, "newest", "newest", "in the past: to the newest event that is kept"),
    entry(Command::Moment, "moment", "moment", "in the past: to a moment that is typed"),
    on(
        &[Screen::Board, Screen::Pipeline, Screen::Rollout],
        entry(Command::NextPane, "next-pane", "next pane", "to what needs you next, the next pane, or mark of a chart"),
    ),
    on(
        &[Screen::Board, Screen::Pipeline, Screen::Rollout],
        entry(Command::PreviousPane, "previous-pane", "pane before", "to what needs you before, the pane before, or mark of a chart"),
    ),
    entry(Command::Go(Screen::Board), "board", "board", "is anything wrong, does anything wait for me"),
    entry(Command::Go(Screen::Pipeline), "pipeline", "pipeline", "where is this change, what is it waiting for"),
    entry(Command::Go(Screen::Rollout), "rollout", "rollout", "is the new version as good as the old one"),
    entry(Command::Go(Screen::Map), "map", "map", "what moves together, what stops it, how do we go back"),
    entry(Command::Go(Screen::Incident), "incident", "incident", "how bad is it, what happened, what do I do"),
    entry(Command::Go(Screen::Changes), "changes", "changes", "which plans wait, what blocks them, who could agree"),
    entry(Command::Go(Screen::Ledger), "ledger", "ledger", "who did what, and is the record intact"),
    entry(Command::Up, "up", "up", "one row up"),
    entry(Command::Down, "down", "down", "one row down"),
    on(
        &[Screen::Board, Screen::Pipeline, Screen::Rollout, Screen::Map, Screen::Changes],
        entry(Command::Left, "left", "left", "the environment, step or day before; the crosshair of a chart"),
    ),
    on(
        &[Screen::Board, Screen::Pipeline, Screen::Rollout, Screen::Map, Screen::Changes],
        entry(Command::Right, "right", "right", "the environment, step or day after; the crosshair of a chart"),
    ),
    entry(Command::PageUp, "page-up", "page up", "a page up"),
    entry(Command::PageDown, "page-down", "page down", "a page down"),
    entry(Command::First, "first", "first", "to the first row"),
    entry(Command::Last, "last", "last", "to the last row"),
    entry(Command::Palette, "palette", "palette", "finds verbs, services, screens, past deeds and looks by typing"),
    entry(Command::Help, "help", "all keys", "the keys that work here, and why the others do not"),
    entry(Command::Redraw, "redraw", "redraw", "draws everything again"),
    entry(Command::Suspend, "suspend", "suspend", "gives the terminal back until `fg`"),
    entry(Command::Quit, "quit", "quit", "ends this session; deeds under way are watched by whoever runs next"),
];

/// Names in keymap files beside those of the table: the keys of the plan, which are fixed.
const OF_PLAN: [&str; 5] = ["run", "schedule", "take-role", "copy-commands", "leave"];

/// Every name that a keymap file may use.
pub fn ids() -> Vec<&'static str> {
    TABLE.iter().map(|entry| entry.id).chain(OF_PLAN).collect()
}

impl Command {
    /// Its row of the table.
    pub fn entry(self) -> Option<&'static Entry> {
        TABLE.iter().find(|entry| entry.command == self)
    }

    /// The command of that name.
    pub fn named(id: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.id == id).map(|entry| entry.command)
    }

    /// Its verb, when it is a deed.
    pub fn verb(self) -> Option<Verb> {
        if let Self::Deed(verb) = self { Some(verb) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_one_command() {
        for verb in Verb::ALL {
            // What waits decides whether a plan or a run is answered for: the same commands do both.
            if let Some(rule) = [(Verb::Approve, Decision::Approve), (Verb::Reject, Decision::Reject)].iter().find(|(of, _)| *of == verb) {
                assert_eq!(Command::named(verb.word()), Some(Command::Rule(rule.1)));
                continue;
            }
            assert_eq!(TABLE.iter().filter(|entry| entry.command == Command::Deed(verb)).count(), 1, "{verb:?}");
            assert_eq!(Command::Deed(verb).verb(), Some(verb));
            // `rollout` is the screen.
            let word = if verb == Verb::Rollout { "roll-out" } else { verb.word() };
            assert_eq!(Command::named(word), Some(Command::Deed(verb)));
        }
    }
}
