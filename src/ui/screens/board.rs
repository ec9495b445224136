//! The board: does anything need me, and what happens next?

use std::cell::Cell;
use std::cmp::Reverse;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::control::gate;
use crate::control::silences;
use crate::control::standing::{self, Standing};
use crate::control::world::World;
use crate::model::name::Target;
use crate::model::reading::Freshness;
use crate::model::time::Moment;

use crate::ui::command::Command;
use crate::ui::lines::{Lines, Pressed};
use crate::ui::needs::{self, NeedRow};
use crate::ui::row::{Row, cells, fit, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role, of_standing};
use crate::ui::widgets::estate::{self, Line};
use crate::ui::words;

/// What the board remembers for its operator.
#[derive(Debug, Default)]
pub struct Board {
    made_of: Option<(u64, Vec<Freshness>, usize)>,
    /// The services as they stand, by name.
    known: Vec<Line>,
    /// The same in the order of the list.
    lines: Vec<Line>,
    /// How many stand how, in words.
    counts: String,
    /// Where the cursor's line was found last.
    found: Cell<usize>,
    needs: Vec<NeedRow>,
    newer: usize,
    cursor: Option<Target>,
    offset: usize,
    page: usize,
    touched: bool,
    in_hand: bool,
    filter: String,
    /// The targets that stand on the glass.
    drawn: Lines<Target>,
}

impl Board {
    /// Looks at the world again when it changed; the list keeps its order while it is in somebody's hand.
    pub fn refresh(&mut self, world: &World, now: &Moment) {
        let sources = world.sources.values().map(|source| source.freshness(now)).collect();
        let waiting = world.waiting_at(now).filter(|one| gate::asks_now(world, one, now)).count();
        let made_of = Some((world.generation, sources, waiting));
        if made_of == self.made_of && !self.lines.is_empty() {
            return;
        }
        self.made_of = made_of;
        let standings = standing::standings(world, now);
        self.needs = needs::needs(world, now, &standings);
        self.sort(&worst(world, &standings));
        if !self.touched || self.cursor.as_ref().is_none_or(|target| !self.lines.iter().any(|line| line.service == target.service)) {
            self.cursor = self.lines.first().map(target_of);
        }
    }

    /// What needs a person now, as it was looked at last.
    pub fn needs(&self) -> &[NeedRow] {
        &self.needs
    }

    /// Takes over how the services stand, by name; of the list nothing moves while it is in somebody's hand.
    fn sort(&mut self, worst: &[(&Target, Standing)]) {
        // Most readings change no standing; ten thousand lines are neither made nor sorted again for them.
        let same = |((target, standing), line): (&(&Target, Standing), &Line)| {
            target.service == line.service && *standing == line.standing && target.environment == line.environment
        };
        let unchanged = worst.len() == self.known.len() && worst.iter().zip(&self.known).all(same);
        if unchanged && worst.len() == self.lines.len() && (self.in_hand || self.newer == 0) {
            return;
        }
        let line = |(target, standing): &(&Target, Standing)| Line {
            service: target.service.clone(),
            standing: *standing,
            environment: target.environment.clone(),
        };
        let known: Vec<Line> = worst.iter().map(line).collect();
        let mut fresh = known.clone();
        fresh.sort_by(|a, b| (a.standing, &a.service).cmp(&(b.standing, &b.service)));
        if self.in_hand && fresh.len() == self.lines.len() {
            self.newer = fresh.iter().zip(&self.lines).filter(|(new, old)| new.service != old.service).count();
            for line in &mut self.lines {
                let place = known.binary_search_by(|new| new.service.cmp(&line.service));
                if let Some(new) = place.ok().and_then(|place| known.get(place)) {
                    line.clone_from(new);
                }
            }
        } else {
            self.lines = fresh;
            self.newer = 0;
        }
        self.counts = counted(self.lines.iter().map(|line| line.standing));
        self.known = known;
    }

    /// The one target.
    pub fn target(&self) -> Option<&Target> {
        self.cursor.as_ref()
    }

    /// Puts the cursor on a target.
    pub fn mark(&mut self, target: &Target) {
        self.touched = true;
        self.cursor = Some(target.clone());
    }

    /// From now on the cursor stays where it is, whatever the list does.
    pub fn touch(&mut self) {
        self.touched = true;
    }

    /// Lets go of the list: it sorts itself again.
    pub fn let_go(&mut self) {
        self.in_hand = false;
        self.made_of = None;
    }

    /// Whether the list is held still under the operator's cursor.
    pub fn in_hand(&self) -> bool {
        self.in_hand
    }

    /// The words by which the list is filtered.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Filters the list.
    pub fn set_filter(&mut self, typed: &str) {
        typed.clone_into(&mut self.filter);
        self.touched = true;
        let first = self.matching().next().map(target_of);
        if first.is_some() && self.place().is_none() {
            self.cursor = first;
        }
    }

    fn matching(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| self.filter.is_empty() || words::found(&target_of(line), &self.filter))
    }

    /// Moves the cursor by rows.
    pub fn step(&mut self, by: isize) {
        self.in_hand = true;
        self.touched = true;
        let count = self.count();
        let Some(last) = count.checked_sub(1) else { return };
        let here = self.place().unwrap_or(0);
        let there = here.saturating_add_signed(by).min(last);
        if there != here || self.place().is_none() {
            let found = self.matching().nth(there).map(target_of);
            self.cursor = found;
            self.found.set(there);
        }
    }

    /// Marks the target that is shown there.
    pub fn press(&mut self, there: Position) -> Pressed {
        let Some(target) = self.drawn.at(there) else { return Pressed::Nothing };
        if self.cursor.as_ref() == Some(&target) {
            return Pressed::Again;
        }
        if !self.lines.iter().any(|line| line.service == target.service) {
            return Pressed::Nothing;
        }
        self.in_hand = true;
        self.mark(&target);
        Pressed::Marked
    }

    /// The target that needs a person next behind the cursor, or before it.
    fn next_need(&self, by: isize) -> Option<&Target> {
        let targets: Vec<&Target> = self.needs.iter().filter_map(|need| need.target.as_ref()).collect();
        let here = self.cursor.as_ref().and_then(|cursor| targets.iter().position(|target| *target == cursor));
        let next = match here {
            Some(here) => isize::try_from(here).ok()?.checked_add(by)?.rem_euclid(isize::try_from(targets.len()).ok()?),
            None => 0,
        };
        targets.get(usize::try_from(next).ok()?).copied()
    }

    /// Moves the cursor to the target that needs a person next, or the one before; where none does it stays.
    pub fn to_need(&mut self, by: isize) {
        self.in_hand = true;
        self.touched = true;
        if let Some(next) = self.next_need(by).cloned() {
            self.cursor = Some(next);
        }
    }

    /// Moves the cursor by pages.
    pub fn page(&mut self, by: isize) {
        let page = isize::try_from(self.page.max(2) - 1).unwrap_or(1);
        self.step(by.saturating_mul(page));
    }

    /// Moves the cursor to another environment of its service.
    pub fn turn(&mut self, world: &World, by: isize) {
        self.touched = true;
        let Some(target) = &self.cursor else { return };
        let Some(service) = world.catalog.services.get(&target.service) else { return };
        let names: Vec<_> =
            world.catalog.environments.iter().map(|env| &env.name).filter(|name| service.deploy.contains_key(*name)).collect();
        let here = names.iter().position(|name| **name == target.environment).unwrap_or(0);
        let there = here.saturating_add_signed(by).min(names.len().saturating_sub(1));
        if let Some(name) = names.get(there) {
            self.cursor = Some(Target::new(target.service.clone(), (*name).clone()));
        }
    }

    fn place(&self) -> Option<usize> {
        let target = self.cursor.as_ref()?;
        // It is where it was a moment ago, unless the list was sorted or filtered since.
        let there = self.found.get();
        if self.matching().nth(there).is_some_and(|line| line.service == target.service) {
            return Some(there);
        }
        let place = self.matching().position(|line| line.service == target.service)?;
        self.found.set(place);
        Some(place)
    }

    fn count(&self) -> usize {
        if self.filter.is_empty() { self.lines.len() } else { self.matching().count() }
    }

    /// Draws the board's body.
    pub fn draw(&mut self, scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
        self.drawn.forget();
        if scene.world.catalog.services.is_empty() {
            nothing_configured(scene, buffer, area);
            return;
        }
        let height = usize::from(area.height);
        let next = needs::by_itself(scene.world, scene.now);
        let next_rows = if height < 10 { 1 } else { next.len().clamp(1, 4) + 1 };
        let room = height.saturating_sub(next_rows + 2);
        let most = (room / 4).clamp(1, 5);
        let mut rows = self.need_rows(scene, most, usize::from(area.width));
        rows.truncate(room.saturating_sub(2).max(1));
        for (line, need) in (1..rows.len()).zip(self.needs.iter().flat_map(|need| [need, need])) {
            need.target.iter().for_each(|target| self.drawn.show(area, line, target.clone()));
        }
        let list_height = height.saturating_sub(rows.len() + 1 + next_rows);
        self.list_rows(scene, area, list_height, &mut rows);
        while rows.len() < height.saturating_sub(next_rows) {
            rows.push(Row::new());
        }
        rows.push(Row::rule(scene.theme, "next by itself"));
        if next.is_empty() {
            rows.push(Row::of(Role::Quiet, " gonogo moves nothing by itself; people and other tools can"));
        }
        for event in next.iter().take(4) {
            rows.push(by_itself_row(scene, event));
        }
        for (y, row) in (0..area.height).zip(&rows) {
            row.draw(buffer, area, y, scene.theme);
        }
    }

    fn need_rows(&self, scene: &Scene<'_>, most: usize, width: usize) -> Vec<Row> {
        let counts = counted(self.needs.iter().map(|need| need.standing));
        let heading = if self.needs.is_empty() {
            "needs you 0: nothing waits for a person".to_owned()
        } else {
            format!("needs you {}: {counts}", self.needs.len())
        };
        let mut rule = Row::rule(scene.theme, &heading);
        let shelved = silences::shelved(scene.world);
        if shelved > 0 {
            rule.end(Role::Quiet, format!(" {shelved} shelved "));
        }
        if self.needs.len() > most {
            rule.end(Role::Watched, format!("{} not shown ", self.needs.len() - most));
        }
        let mut rows = vec![rule];
        let subject = self.needs.iter().take(most).map(|need| cells(&need.subject)).max().unwrap_or(0).min(width / 3);
        for need in self.needs.iter().take(most) {
            rows.extend(self.need(scene, need, subject, width));
        }
        rows
    }

    /// Two rows: what is wrong, with its counts; and what happens otherwise, who has it and what to press. Of each the longest words that fit.
    fn need(&self, scene: &Scene<'_>, need: &NeedRow, subject: usize, width: usize) -> [Row; 2] {
        let (mark, role) = of_standing(need.standing);
        let here = need.target.is_some() && need.target.as_ref() == self.cursor.as_ref();
        let mut row = Row::new();
        row.add(Role::Strong, if here { scene.glyph(Mark::Cursor) } else { " " });
        row.add(role, format!("{} {}", scene.glyph(mark), need.subject)).at(subject + 4);
        let room = width.saturating_sub(row.width());
        row.add(Role::Plain, fit(&need.what, room));
        let (holds, holder) = match &need.holder {
            Some(holder) => (Role::Quiet, format!(" {holder} has it  ")),
            None => (Role::Watched, " nobody has it  ".to_owned()),
        };
        // A key acts on what the cursor stands on: elsewhere it is told how to get there.
        let bound = need.target.is_some() && !here && !matches!(need.command, Command::Go(_));
        let key = scene.keymap.shown(if bound { Command::NextPane } else { need.command });
        let label = match need.command.entry() {
            _ if bound => (self.next_need(1) == need.target.as_ref()).then_some("to it"),
            entry => entry.map(|entry| entry.label),
        };
        // In the past no deed is bound, and what needed somebody then is past.
        let works = !key.is_empty() && (scene.world.scrub.is_none() || matches!(need.command, Command::Go(_)));
        let label = label.filter(|_| works).map(|label| format!("{label} "));
        let key = label.as_ref().map(|_| format!(" {key} "));
        let taken: usize = [Some(&holder), key.as_ref(), label.as_ref()].into_iter().flatten().map(|text| cells(text)).sum();
        let mut second = Row::new();
        second.at(3);
        if let Some(by) = &need.by {
            second.add(Role::Strong, format!("{} ({}) ", scene.zone.time(by), scene.left(by)));
        }
        let since = need.since.as_ref().map(|since| scene.ago(since));
        let with_since = |text: &String| match (&since, need.by.is_some()) {
            (Some(since), true) => Some(format!("{text}; asked {since} ago")),
            (Some(since), false) => Some(format!("{} for {since}; {text}", need.standing.word())),
            (None, _) => None,
        };
        let forms: Vec<String> = need.otherwise.iter().filter_map(with_since).chain(need.otherwise.iter().cloned()).collect();
        let room = width.saturating_sub(second.width() + taken + 1);
        second.add(if need.by.is_some() { Role::Plain } else { Role::Quiet }, fit(&forms, room));
        second.end(holds, holder);
        if let (Some(key), Some(label)) = (key, label) {
            second.end(Role::Key, key).end(Role::Plain, label);
        }
        [row, second]
    }

    fn list_rows(&mut self, scene: &Scene<'_>, area: Rect, height: usize, rows: &mut Vec<Row>) {
        let count = self.count();
        let heading = if self.filter.is_empty() {
            format!("services {}: {}", self.lines.len(), self.counts)
        } else {
            format!("services {count} of {} found by `{}`", self.lines.len(), self.filter)
        };
        let mut rule = Row::rule(scene.theme, &heading);
        let body = height.saturating_sub(1);
        self.page = body;
        let here = self.place().unwrap_or(0);
        self.offset = self.offset.min(count.saturating_sub(body)).min(here);
        if here >= self.offset + body {
            self.offset = (here + 1).saturating_sub(body);
        }
        if self.newer > 0 {
            let key = scene.keymap.shown(Command::Update);
            rule.end(Role::Watched, format!("{} newer, {key} to update ", self.newer));
        }
        if count > body {
            rule.end(Role::Quiet, format!("{} to {} of {count} ", self.offset + 1, (self.offset + body).min(count)));
        }
        if count == 0 {
            rows.push(rule);
            rows.push(Row::of(Role::Quiet, "   nothing is found by that; Esc shows all again"));
            return;
        }
        let visible: Vec<Line> = self.matching().skip(self.offset).take(body).cloned().collect();
        let width = usize::from(area.width);
        let columns = estate::Columns::of(scene, &visible, width);
        // What else the rule says at its end has the room first.
        let hidden =
            fit(&columns.hidden(scene), width.saturating_sub(cells(&heading) + if self.newer > 0 || count > body { 46 } else { 6 }));
        if !hidden.is_empty() {
            rule.end(Role::Quiet, hidden);
        }
        rows.push(rule);
        rows.push(columns.heading());
        for line in &visible {
            let here = self.cursor.clone().filter(|target| target.service == line.service);
            self.drawn.show(area, rows.len(), here.unwrap_or_else(|| target_of(line)));
            rows.push(columns.row(scene, line, self.cursor.as_ref()));
        }
    }
}

/// A thing that happens by itself, clock time before remainder.
pub fn by_itself_row(scene: &Scene<'_>, event: &crate::control::standing::ByItself) -> Row {
    let mut row = Row::new();
    row.add(Role::Plain, " ");
    match &event.due {
        Some(due) => row.add(Role::Strong, scene.zone.time(due)).add(Role::Plain, format!(" ({})", scene.left(due))),
        None => row.add(Role::Quiet, "not foretold"),
    };
    row.at(18).add(Role::Plain, event.target.to_string());
    row.at(34).add(Role::Plain, event.text.clone());
    row
}

fn target_of(line: &Line) -> Target {
    Target::new(line.service.clone(), line.environment.clone())
}

/// The worst standing of each service; between equals the environment that is nearest to production.
fn worst<'w>(world: &World, standings: &[(&'w Target, Standing)]) -> Vec<(&'w Target, Standing)> {
    let order = |target: &Target| Reverse(world.catalog.environment(&target.environment).map_or(0, |environment| environment.order));
    let mut worst: Vec<(&Target, Standing)> = Vec::with_capacity(standings.len());
    for (target, standing) in standings {
        match worst.last_mut().filter(|(last, _)| last.service == target.service) {
            Some((last, of)) if (*standing, order(target)) < (*of, order(last)) => (*last, *of) = (target, *standing),
            Some(_) => {}
            None => worst.push((target, *standing)),
        }
    }
    worst
}

/// `1 abnormal, 2 unknown`, the worst first.
fn counted(standings: impl Iterator<Item = Standing>) -> String {
    let mut counts: std::collections::BTreeMap<Standing, usize> = std::collections::BTreeMap::new();
    for standing in standings {
        *counts.entry(standing).or_default() += 1;
    }
    counts.iter().map(|(standing, count)| format!("{count} {}", standing.word())).collect::<Vec<_>>().join(", ")
}

fn nothing_configured(scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
    Row::rule(scene.theme, "nothing is configured").draw(buffer, area, 0, scene.theme);
    let text = "No service is configured. Write gonogo.toml (`gonogo config example` prints one), check it with `gonogo config check`; this screen follows by itself.";
    for (y, line) in (2..area.height).zip(wrap(text, usize::from(area.width).saturating_sub(4))) {
        Row::of(Role::Plain, format!("  {line}")).draw(buffer, area, y, scene.theme);
    }
}
