//! The palette: all that can be done and gone to, found by typing, with the key beside it and why it does not work here and now.
//!
//! What stands first depends on what was typed, never on the world, so that nothing moves under a finger; what a choice does is looked at
//! again when it is made, and a deed only opens its plan.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::control::many::{self, ManyVerb};
use crate::control::world::World;
use crate::model::intent::Verb;
use crate::model::name::{PlanId, Target};
use crate::model::selection::Selection;

use super::command::{Command, Entry, TABLE};
use super::field::Field;
use super::input::{Chord, Key};
use super::lines::Lines;
use super::offer::{self, Standpoint};
use super::row::Row;
use super::scene::Scene;
use super::theme::{Mark, Role, Theme};
use super::words;

/// The most rows that are kept: nobody reads further, typing finds the rest.
const MOST: usize = 100;
/// The past deeds that can be found.
const DEEDS: usize = 200;

/// What a row of the palette stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A command, on what the keys are about now.
    Command(Command),
    /// A deed on a target that was typed.
    Deed(Verb, Target),
    /// A target: its rollout screen.
    Target(Target),
    /// A deed on every target that an expression selects.
    Many(ManyVerb, Selection),
    /// A past deed: its newest entry in the ledger.
    Past(PlanId),
    /// Other looks for this session.
    Theme(&'static str),
}

/// A row: what it stands for, in words.
#[derive(Debug, Clone)]
struct Found {
    choice: Choice,
    title: String,
    does: String,
}

/// What a key did to the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It goes on.
    Open,
    /// It was left.
    Left,
    /// A row was chosen.
    Chosen(Choice),
    /// Nothing is there to be chosen.
    Nothing,
}

/// The palette, open.
#[derive(Debug, Clone, Default)]
pub struct Palette {
    field: Field,
    /// The row that was moved to; none: the first, whichever that is.
    marked: Option<Choice>,
    /// The rows that stand on the glass.
    drawn: Lines<Choice>,
}

impl Palette {
    /// Takes a key.
    pub fn on(&mut self, chord: Chord, world: &World) -> Reply {
        match chord.key {
            Key::Esc => return Reply::Left,
            Key::Enter => {
                let found = self.found(world);
                return found.get(self.place(&found)).map_or(Reply::Nothing, |row| Reply::Chosen(row.choice.clone()));
            }
            Key::Up | Key::BackTab => self.step(world, -1),
            Key::Down | Key::Tab => self.step(world, 1),
            Key::PageUp => self.step(world, -10),
            Key::PageDown => self.step(world, 10),
            Key::Char(_) | Key::Backspace | Key::Delete | Key::Left | Key::Right | Key::Home | Key::End | Key::F(_) => {
                self.field.on(chord);
                self.marked = None;
            }
        }
        Reply::Open
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        self.field.paste(text);
        self.marked = None;
    }

    fn place(&self, found: &[Found]) -> usize {
        self.marked.as_ref().and_then(|marked| found.iter().position(|row| &row.choice == marked)).unwrap_or(0)
    }

    /// Marks the row that is shown there, and does no more: what it stands for may be a deed.
    pub fn press(&mut self, world: &World, there: Position) {
        let pressed = self.drawn.at(there).filter(|choice| self.found(world).iter().any(|row| &row.choice == choice));
        if pressed.is_some() {
            self.marked = pressed;
        }
    }

    /// Moves the mark by rows.
    pub fn step(&mut self, world: &World, by: isize) {
        let found = self.found(world);
        let there = self.place(&found).saturating_add_signed(by).min(found.len().saturating_sub(1));
        self.marked = found.get(there).map(|row| row.choice.clone());
    }

    /// What the typed words find, the best first.
    fn found(&self, world: &World) -> Vec<Found> {
        let typed = self.field.text().trim();
        if typed.is_empty() {
            return commands().chain(themes()).take(MOST).collect();
        }
        let mut sieve = Sieve::new(typed);
        let mut rows: Vec<(u32, Found)> = Vec::new();
        for row in commands().chain(themes()) {
            // What a command is called counts more than what is said of it.
            let score = sieve.score(&row.title).map(|score| score * 2).or_else(|| sieve.score(&row.does));
            // Of what is called alike, the screen is what most people mean.
            let screen = u32::from(matches!(row.choice, Choice::Command(Command::Go(_))));
            rows.extend(score.map(|score| (score + screen, row)));
        }
        rows.extend(lines(world).filter_map(|row| Some((sieve.score(&row.title)? * 2, row))));
        for target in nearest_to_production(world) {
            let title = target.to_string();
            let team = world.catalog.services.get(&target.service).and_then(|service| service.team.clone()).unwrap_or_default();
            let score = sieve.score(&title).map(|score| score * 2).or_else(|| sieve.score(&team));
            let does = if team.is_empty() { "its rollout".to_owned() } else { format!("its rollout; team {team}") };
            rows.extend(score.map(|score| (score, Found { choice: Choice::Target(target.clone()), title, does })));
        }
        if let Some((verb, of)) = typed.split_once(char::is_whitespace) {
            rows.extend(deeds_on(world, verb, of.trim()));
            rows.extend(deed_on_many(world, verb, of.trim()));
        }
        let past = world.newest_deeds().into_iter().take(DEEDS).map(|deed| Found {
            choice: Choice::Past(deed.plan),
            title: format!("{} {} {}", deed.plan.short(), deed.verb.word(), deed.target),
            does: format!("a past deed by {}: {}", deed.requester, deed.state.word()),
        });
        // What is past never stands before what can be done.
        rows.extend(past.filter_map(|row| Some((sieve.score(&row.title)? / 4, row))));
        rows.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        rows.truncate(MOST);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// Draws it over the body of a screen.
    pub fn draw(&self, scene: &Scene<'_>, at: &Standpoint<'_>, buffer: &mut Buffer, area: Rect) {
        let found = self.found(scene.world);
        let heading = format!("{} found", if found.len() >= MOST { format!("{MOST} or more") } else { found.len().to_string() });
        self.field.draw_row(buffer, Rect { height: 1, ..area }, scene.theme, (":", &heading), true);
        let place = self.place(&found);
        let height = usize::from(area.height.saturating_sub(1));
        let first = place.saturating_sub(height.saturating_sub(1));
        let column = if area.width >= 100 { 44 } else { 30 };
        self.drawn.forget();
        for (y, (n, row)) in (1..area.height).zip(found.iter().enumerate().skip(first)) {
            self.drawn.show(area, usize::from(y), row.choice.clone());
            drawn(scene, at, row, n == place, column).draw(buffer, area, y, scene.theme);
        }
        if found.is_empty() {
            let words = "  nothing is called so; a verb, a service, a screen, the digits of a past deed, or `theme`";
            Row::of(Role::Quiet, words).draw(buffer, area, 1, scene.theme);
        }
    }

    /// The row of keys while it is open.
    pub fn keys(target: Option<&Target>) -> Row {
        let mut row = Row::new();
        row.add(Role::Plain, " ");
        if let Some(target) = target {
            row.add(Role::Strong, target.to_string()).add(Role::Plain, ":  ");
        }
        row.add(Role::Key, "Enter").add(Role::Plain, " opens the plan of a deed   ");
        row.add(Role::Key, "Up Down").add(Role::Plain, " choose   ").add(Role::Key, "Esc").add(Role::Plain, " leaves");
        row
    }
}

fn drawn(scene: &Scene<'_>, at: &Standpoint<'_>, found: &Found, marked: bool, column: usize) -> Row {
    let (entry, key) = match &found.choice {
        Choice::Command(command) => (command.entry(), scene.keymap.shown(*command)),
        Choice::Deed(..) | Choice::Many(..) | Choice::Target(_) | Choice::Past(_) | Choice::Theme(_) => (None, String::new()),
    };
    let other = if let Choice::Deed(verb, target) = &found.choice {
        let entry = Command::Deed(*verb).entry();
        entry.and_then(|entry| offer::hindrance(entry, &Standpoint { target: Some(target), run: None, marked: None, ..*at }))
    } else {
        None
    };
    let why = entry.and_then(|entry| offer::hindrance(entry, at)).or(other);
    let mut row = Row::of(Role::Strong, scene.glyph(if marked { Mark::Cursor } else { Mark::None }));
    let role = match (why.is_some(), marked) {
        (true, _) => Role::Quiet,
        (false, true) => Role::Strong,
        (false, false) => Role::Plain,
    };
    row.at(2).add(role, found.title.clone()).at(column);
    let words = why.map_or_else(|| found.does.clone(), |why| format!("not now: {why}"));
    row.add(Role::Quiet, words);
    if !key.is_empty() {
        row.end(Role::Key, format!(" {key} "));
    }
    row
}

/// Moves of the cursor are keys and nothing to look for.
fn is_move(command: Command) -> bool {
    matches!(
        command,
        Command::Up
            | Command::Down
            | Command::Left
            | Command::Right
            | Command::PageUp
            | Command::PageDown
            | Command::First
            | Command::Last
            | Command::Leave
            | Command::NextPane
            | Command::PreviousPane
            | Command::Palette
    )
}

fn commands() -> impl Iterator<Item = Found> {
    TABLE.iter().filter(|entry| !is_move(entry.command)).map(|entry| Found {
        choice: Choice::Command(entry.command),
        title: named(entry),
        does: entry.does.to_owned(),
    })
}

/// A command by its label; a screen is called one.
fn named(entry: &Entry) -> String {
    if let Command::Go(_) = entry.command { format!("{} screen", entry.label) } else { entry.label.to_owned() }
}

fn themes() -> impl Iterator<Item = Found> {
    Theme::names().map(|name| Found {
        choice: Choice::Theme(name),
        title: format!("theme {name}"),
        does: "other looks for this session; `theme` in the configuration keeps them".to_owned(),
    })
}

/// Stopping the line, by the name that people have for it, production first.
fn lines(world: &World) -> impl Iterator<Item = Found> {
    world.catalog.environments.iter().rev().filter_map(|environment| {
        let selection: Selection = format!("*@{}", environment.name).parse().ok()?;
        let count = words::counted(many::selected(world, &selection).len(), "target", "targets");
        let does = format!("hold {selection}: {count}; opens the plans of all as one list");
        Some(Found { choice: Choice::Many(ManyVerb::Hold, selection), title: format!("stop the line in {}", environment.name), does })
    })
}

/// Every target, production first: of what is called alike, that is what most people mean.
fn nearest_to_production(world: &World) -> Vec<&Target> {
    let mut targets: Vec<&Target> = world.targets.keys().collect();
    let order = |target: &Target| world.catalog.environment(&target.environment).map_or(0, |environment| environment.order);
    targets.sort_by_key(|target| std::cmp::Reverse(order(target)));
    targets
}

/// Deeds whose verb and target were typed both.
fn deeds_on(world: &World, verb: &str, of: &str) -> Vec<(u32, Found)> {
    let (mut by_verb, mut by_target) = (Sieve::new(verb), Sieve::new(of));
    let targets = nearest_to_production(world);
    let mut rows = Vec::new();
    // What is done to a run needs one, which is marked on its screen.
    let of_targets = TABLE.iter().filter_map(|entry| Some((entry, entry.command.verb().filter(|verb| !verb.is_of_a_run())?)));
    for (entry, verb) in of_targets {
        let Some(score) = by_verb.score(entry.label) else { continue };
        for &target in &targets {
            let title = format!("{} {target}", entry.label);
            let found = |of: u32| {
                let choice = Choice::Deed(verb, target.clone());
                // Both words were meant: it stands before whatever holds all of them by chance.
                ((score + of) * 4, Found { choice, title: title.clone(), does: entry.does.to_owned() })
            };
            rows.extend(by_target.score(&target.to_string()).map(found));
        }
    }
    rows
}

/// One deed on every target that an expression selects, such as `hold *@prod`.
fn deed_on_many(world: &World, verb: &str, of: &str) -> Vec<(u32, Found)> {
    let Ok(selection) = of.parse::<Selection>() else { return Vec::new() };
    let mut sieve = Sieve::new(verb);
    let count = words::counted(many::selected(world, &selection).len(), "target", "targets");
    let row = |verb: ManyVerb| Found {
        choice: Choice::Many(verb, selection.clone()),
        title: format!("{} {selection}", verb.verb().word()),
        does: format!("{count}; opens the plans of all as one list"),
    };
    // Both were typed in full: nothing is nearer to what was meant.
    let score = |verb: ManyVerb, sieve: &mut Sieve| Some(u32::MAX - 1000 + sieve.score(verb.verb().word())?.min(999));
    ManyVerb::ALL.into_iter().filter_map(|verb| Some((score(verb, &mut sieve)?, row(verb)))).collect()
}

/// Typed words, and how well a text holds them.
struct Sieve {
    pattern: Pattern,
    matcher: Matcher,
    letters: Vec<char>,
}

impl Sieve {
    fn new(typed: &str) -> Self {
        let pattern = Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, nucleo_matcher::pattern::AtomKind::Fuzzy);
        Self { pattern, matcher: Matcher::new(Config::DEFAULT), letters: Vec::new() }
    }

    /// How well; none when it does not hold them.
    fn score(&mut self, text: &str) -> Option<u32> {
        self.pattern.score(Utf32Str::new(text, &mut self.letters), &mut self.matcher)
    }
}
