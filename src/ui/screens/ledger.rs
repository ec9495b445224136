//! The ledger: who did what, when, with which outcome, and is the record intact?

use std::cell::Cell;
use std::time::Duration;

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::control::world::{EntryRow, World};
use crate::model::name::PlanId;
use crate::model::time::Moment;

use crate::ui::command::Command;
use crate::ui::lines::{Lines, Pressed};
use crate::ui::row::{Row, cells, wrap};
use crate::ui::scene::Scene;
use crate::ui::screens::entry::{self, looks, proof};
use crate::ui::screens::help;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

/// A verification that takes longer probably failed.
const LATE: Duration = Duration::from_mins(1);

/// What the screen remembers for its operator.
#[derive(Debug, Default)]
pub struct LedgerScreen {
    /// The marked entry; none: the newest, whichever that is.
    cursor: Option<u64>,
    /// While the list is in somebody's hand, the newest entry that it shows.
    newest: Option<u64>,
    open: bool,
    scroll: usize,
    furthest: Cell<usize>,
    offset: Cell<usize>,
    page: Cell<usize>,
    asked: Option<DateTime<Utc>>,
    /// The numbers of the entries that stand on the glass.
    drawn: Lines<u64>,
}

impl LedgerScreen {
    /// The entries that are listed, newest first.
    fn listed<'a>(&self, world: &'a World) -> Vec<&'a EntryRow> {
        let newest = self.newest.unwrap_or(u64::MAX);
        world.ledger.entries.iter().rev().filter(|entry| entry.n <= newest).collect()
    }

    fn place(&self, listed: &[&EntryRow]) -> usize {
        // An entry that is no longer kept was the oldest.
        self.cursor.map_or(0, |n| listed.iter().position(|entry| entry.n <= n).unwrap_or(listed.len().saturating_sub(1)))
    }

    /// The marked entry.
    pub fn marked<'a>(&self, world: &'a World) -> Option<&'a EntryRow> {
        let listed = self.listed(world);
        listed.get(self.place(&listed)).copied()
    }

    /// Moves the mark, or scrolls the open entry.
    pub fn step(&mut self, world: &World, by: isize) {
        if self.open {
            self.scroll = self.scroll.min(self.furthest.get()).saturating_add_signed(by).min(self.furthest.get());
            return;
        }
        let listed = self.listed(world);
        let there = self.place(&listed).saturating_add_signed(by).min(listed.len().saturating_sub(1));
        let (first, marked) = (listed.first().map(|entry| entry.n), listed.get(there).map(|entry| entry.n));
        self.newest = first;
        self.cursor = marked;
    }

    /// Marks the entry that is shown there, and holds the list still.
    pub fn press(&mut self, world: &World, there: Position) -> Pressed {
        let listed = self.listed(world);
        let Some(n) = self.drawn.at(there).filter(|n| listed.iter().any(|entry| entry.n == *n)) else { return Pressed::Nothing };
        let is_marked = listed.get(self.place(&listed)).is_some_and(|marked| marked.n == n);
        let first = listed.first().map(|entry| entry.n);
        (self.newest, self.cursor) = (first, Some(n));
        if is_marked { Pressed::Again } else { Pressed::Marked }
    }

    /// Moves the mark by pages.
    pub fn page(&mut self, world: &World, by: isize) {
        let page = isize::try_from(self.page.get().max(2) - 1).unwrap_or(1);
        self.step(world, by.saturating_mul(page));
    }

    /// Shows the marked entry in full, and holds the list still meanwhile.
    pub fn look(&mut self, world: &World) {
        self.step(world, 0);
        (self.open, self.scroll) = (self.marked(world).is_some(), 0);
    }

    /// Marks the newest entry of a deed; false when none of those that are kept is of it.
    pub fn show(&mut self, world: &World, plan: PlanId) -> bool {
        let entry = world.ledger.entries.iter().rev().find(|entry| entry.deed == Some(plan));
        if let Some(entry) = entry {
            (self.cursor, self.newest, self.open) = (Some(entry.n), world.ledger.entries.last().map(|last| last.n), false);
        }
        entry.is_some()
    }

    /// Leaves the open entry; false when none was open.
    pub fn close(&mut self) -> bool {
        std::mem::take(&mut self.open)
    }

    /// Lets go of the list: the mark is on the newest entry again and stays there.
    pub fn let_go(&mut self) {
        (self.cursor, self.newest) = (None, None);
    }

    /// Notes that a verification was asked for.
    pub fn asks(&mut self, now: &Moment) {
        self.asked = Some(now.wall);
    }

    /// Draws the body.
    pub fn draw(&self, scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
        self.drawn.forget();
        let ledger = &scene.world.ledger;
        if let (true, Some(marked)) = (self.open, self.marked(scene.world)) {
            let rows = entry::rows(scene, marked, usize::from(area.width));
            self.furthest.set(help::draw(scene, &rows, self.scroll, buffer, area));
            return;
        }
        let width = usize::from(area.width);
        let listed = self.listed(scene.world);
        let mut rule = Row::rule(
            scene.theme,
            &format!(
                "ledger of {}: {}",
                ledger.installation,
                words::counted(usize::try_from(ledger.size).unwrap_or(usize::MAX), "entry", "entries")
            ),
        );
        let newer = ledger.entries.len() - listed.len();
        if newer > 0 {
            rule.end(Role::Watched, format!("{newer} newer, {} to update ", scene.keymap.shown(Command::Update)));
        }
        let mut rows = vec![rule];
        rows.extend(self.standing(scene, width));
        if listed.is_empty() {
            rows.extend(
                empty(scene)
                    .into_iter()
                    .flat_map(|text| wrap(&text, width.saturating_sub(4)))
                    .map(|line| Row::of(Role::Plain, format!("   {line}"))),
            );
            draw_rows(&rows, scene, buffer, area);
            return;
        }
        let room = usize::from(area.height).saturating_sub(rows.len() + 1).max(1);
        self.page.set(room);
        let here = self.place(&listed);
        let mut offset = self.offset.get().min(listed.len().saturating_sub(room)).min(here);
        if here >= offset + room {
            offset = (here + 1).saturating_sub(room);
        }
        self.offset.set(offset);
        let visible: Vec<&EntryRow> = listed.iter().skip(offset).take(room).copied().collect();
        let columns = Columns::of(scene, &visible, usize::from(area.width));
        let mut heading = columns.heading();
        heading.end(Role::Quiet, "facts ");
        let kept = u64::try_from(ledger.entries.len()).unwrap_or(u64::MAX);
        let newest = if kept < ledger.size { format!("the newest {}; ", words::count(kept)) } else { String::new() };
        if let Some(rule) = rows.first_mut() {
            rule.end(Role::Quiet, format!("{newest}{} to {} ", offset + 1, offset + visible.len()));
        }
        rows.push(heading);
        visible.iter().zip(rows.len()..).for_each(|(entry, line)| self.drawn.show(area, line, entry.n));
        let marked = listed.get(here).map(|entry| entry.n);
        rows.extend(visible.iter().map(|entry| columns.row(scene, entry, Some(entry.n) == marked)));
        draw_rows(&rows, scene, buffer, area);
    }

    /// Whether the record is intact, and whether it can be written.
    fn standing(&self, scene: &Scene<'_>, width: usize) -> Vec<Row> {
        let ledger = &scene.world.ledger;
        let key = scene.keymap.shown(Command::Verify);
        let told = ledger.verified.as_ref().map(|(at, _)| at).max(ledger.unverified.as_ref().map(|(at, _)| at));
        let pending = self.asked.filter(|asked| told.is_none_or(|at| at < asked));
        let late = |asked: &DateTime<Utc>| words::ago(asked, &scene.now.wall) >= LATE;
        let (mark, role, text) = match (&ledger.verified, pending) {
            (_, Some(asked)) if late(&asked) => {
                let text =
                    format!("no verdict {} after it was asked for: `gonogo ledger verify` says why; {key} tries again", scene.ago(&asked));
                (Mark::Unknown, Role::Watched, text)
            }
            (_, Some(asked)) => (Mark::Moving, Role::Moving, format!("verifying every entry, begun {} ago", scene.ago(&asked))),
            (None, None) => {
                (Mark::Unknown, Role::Quiet, format!("not verified in this room yet; {key} verifies every signature and the chain"))
            }
            (Some((at, found)), None) if found.intact => {
                let later = ledger.size.saturating_sub(found.entries);
                let later = if later > 0 { format!(", {} written since", words::count(later)) } else { String::new() };
                (
                    Mark::Proven,
                    Role::Plain,
                    format!("intact: {} entries verified {} ago{later}; {key} verifies again", words::count(found.entries), scene.ago(at)),
                )
            }
            (Some((at, found)), None) => {
                let from = found.first_bad.map(|n| format!(" from entry {n} on")).unwrap_or_default();
                let why = found.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                let todo = "keep a copy of the store, compare it with another person's, trust no entry from there on";
                (Mark::Abnormal, Role::Abnormal, format!("NOT INTACT{from}{why}; seen {} ago. {todo}", scene.ago(at)))
            }
        };
        let mut rows = said(scene, mark, role, &text, width);
        if let Some((at, why)) = ledger.unverified.as_ref().filter(|_| pending.is_none()) {
            let text =
                format!("not verified {} ago: {why}. Mend it, then {key} tries again; until then nothing is proven anew", scene.ago(at));
            rows.extend(said(scene, Mark::Unknown, Role::Watched, &text, width));
        }
        if let Some(trouble) = &ledger.trouble {
            let text =
                format!("nothing can be written: {trouble}. Deeds are refused until the room, which goes on trying, can write again");
            rows.extend(said(scene, Mark::Abnormal, Role::Watched, &text, width));
        }
        rows
    }
}

fn said(scene: &Scene<'_>, mark: Mark, role: Role, text: &str, width: usize) -> Vec<Row> {
    let lines = wrap(text, width.saturating_sub(4));
    lines
        .into_iter()
        .enumerate()
        .map(|(n, line)| Row::of(role, format!(" {} {line}", if n == 0 { scene.glyph(mark) } else { " " })))
        .collect()
}

fn draw_rows(rows: &[Row], scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
    for (y, row) in (0..area.height).zip(rows) {
        row.draw(buffer, area, y, scene.theme);
    }
}

/// Why no entry is listed, and what to do.
fn empty(scene: &Scene<'_>) -> Vec<String> {
    let ledger = &scene.world.ledger;
    let refused = |trouble: &str| ["ermission denied", "readonly", "read-only"].iter().any(|word| trouble.contains(word));
    match (&ledger.trouble, ledger.read) {
        (Some(trouble), _) if refused(trouble.as_str()) => {
            vec![
                "forbidden: this user may not open the store.".to_owned(),
                "Give it the right to read and write the data directory; the room tries again by itself.".to_owned(),
            ]
        }
        (Some(_), _) => vec![
            "unreachable: the store cannot be opened.".to_owned(),
            "Mend what is said above; the room tries again by itself.".to_owned(),
        ],
        (None, false) => vec!["loading".to_owned()],
        (None, true) if scene.world.catalog.services.is_empty() => {
            vec![
                "nothing configured: there is no service, so nothing can be done that would be written here.".to_owned(),
                "`gonogo config example` prints a file to begin with.".to_owned(),
            ]
        }
        (None, true) => vec![
            "nothing there: no deed was ever ordered in this store.".to_owned(),
            "The first hold, note, shift or run writes the first entry.".to_owned(),
        ],
    }
}

fn who(entry: &EntryRow) -> &str {
    entry.requester.as_deref().unwrap_or(&entry.signer)
}

fn when(scene: &Scene<'_>, at: &DateTime<Utc>) -> String {
    let minute = scene.zone.minute(at, &scene.now.wall);
    if minute.contains(' ') { minute } else { scene.zone.time(at) }
}

/// The five facts as letters; a dash for what has not come, nothing where there is no deed.
fn letters(entry: &EntryRow) -> String {
    if entry.deed.is_none() {
        return "     ".to_owned();
    }
    let facts = &entry.facts;
    let seen = [('I', facts.intended), ('S', facts.sent), ('A', facts.accepted), ('E', facts.effective), ('H', facts.held)];
    seen.into_iter().map(|(letter, at)| if at.is_some() { letter } else { '-' }).collect()
}

/// Where the columns begin, from the entries in sight.
struct Columns {
    time: usize,
    who: usize,
    kind: usize,
    deed: usize,
    target: usize,
    /// None where there is no room: the entry's kind says it too.
    verdict: Option<usize>,
    words: usize,
}

const NUMBER: usize = 3;

/// The cells that words and facts need beside the verdict.
const LEAST_WORDS: usize = 36;

impl Columns {
    fn of(scene: &Scene<'_>, visible: &[&EntryRow], width: usize) -> Self {
        let widest =
            |least: usize, of: &dyn Fn(&EntryRow) -> usize| visible.iter().map(|entry| of(entry)).max().unwrap_or(0).max(least) + 1;
        let time = NUMBER + widest(1, &|entry| entry.n.to_string().len());
        let who_at = time + widest(4, &|entry| cells(&when(scene, &entry.at)));
        let kind = who_at + widest(3, &|entry| cells(who(entry)));
        let deed = kind + widest(5, &|entry| cells(entry.kind.word()));
        let target = deed + widest(4, &|entry| entry.verb.as_deref().map_or(0, cells));
        let verdict = target + widest(6, &|entry| entry.target.as_deref().map_or(0, cells));
        let after = verdict + widest(7, &|entry| entry.verdict.as_deref().map_or(0, cells));
        let (verdict, words) = if after + LEAST_WORDS <= width { (Some(verdict), after) } else { (None, verdict) };
        Self { time, who: who_at, kind, deed, target, verdict, words }
    }

    fn heading(&self) -> Row {
        let mut row = Row::new();
        for (column, name) in
            [(NUMBER, "n"), (self.time, "time"), (self.who, "who"), (self.kind, "entry"), (self.deed, "deed"), (self.target, "target")]
                .into_iter()
                .chain(self.verdict.map(|column| (column, "verdict")))
                .chain([(self.words, "in words")])
        {
            row.at(column).add(Role::Quiet, name);
        }
        row
    }

    fn row(&self, scene: &Scene<'_>, entry: &EntryRow, here: bool) -> Row {
        let (mark, role, _) = proof(&scene.world.ledger, entry.n);
        let mut row = Row::of(Role::Strong, scene.glyph(if here { Mark::Cursor } else { Mark::None }));
        row.add(role, scene.glyph(mark)).at(NUMBER).add(Role::Quiet, format!("{:>width$}", entry.n, width = self.time - NUMBER - 1));
        row.at(self.time).add(Role::Quiet, when(scene, &entry.at)).at(self.who).add(Role::Plain, who(entry));
        row.at(self.kind).add(looks(entry.kind), entry.kind.word());
        row.at(self.deed).add(if here { Role::Strong } else { Role::Plain }, entry.verb.as_deref().unwrap_or_default());
        row.at(self.target).add(if here { Role::Strong } else { Role::Plain }, entry.target.as_deref().unwrap_or_default());
        if let Some(column) = self.verdict {
            row.at(column).add(Role::Quiet, entry.verdict.as_deref().unwrap_or_default());
        }
        if !entry.words.is_empty() {
            row.at(self.words).add(Role::Quiet, entry.words.as_str());
        }
        row.end(Role::Plain, format!(" {} ", letters(entry)));
        row
    }
}
