//! The calendar of changes: two weeks of one environment with what opens, freezes, leaves and waits; and one day of them in words.

use chrono::NaiveDate;

use crate::control::world::World;
use crate::model::name::EnvironmentName;
use crate::model::timetable::Span;
use crate::policy::calendar::{Agenda, Leaving, Line};
use crate::ui::command::Command;
use crate::ui::row::{Row, cells};
use crate::ui::scene::Scene;
use crate::ui::screens::plan::page::Page;
use crate::ui::theme::{Mark, Role};
use crate::ui::widgets::calendar::{self, Cell, Grid};

use super::day;

/// Lines of words on a short glass.
const BRIEF: usize = 3;

/// What the calendar remembers for its operator.
#[derive(Debug, Default)]
pub struct Calendar {
    /// The environment that was chosen; none: that of the marked plan.
    environment: Option<EnvironmentName>,
    /// The day that was chosen.
    day: Option<NaiveDate>,
}

/// A line of its own: what it is called, and how it is drawn.
type Drawn<'l> = (String, Box<dyn Fn(Span) -> Cell + 'l>);

impl Calendar {
    /// The environment that is shown.
    pub fn environment<'w>(&self, world: &'w World, marked: Option<&EnvironmentName>) -> Option<&'w Agenda> {
        let ahead = &world.calendars.ahead;
        let of = |name: &EnvironmentName| ahead.environment(name);
        self.environment.as_ref().and_then(of).or_else(|| marked.and_then(of)).or_else(|| ahead.environments.last())
    }

    /// Chooses another environment.
    pub fn turn(&mut self, world: &World, marked: Option<&EnvironmentName>, by: isize) {
        let all = &world.calendars.ahead.environments;
        let here = self.environment(world, marked).and_then(|here| all.iter().position(|one| one.environment == here.environment));
        let there = here.unwrap_or(0).saturating_add_signed(by).min(all.len().saturating_sub(1));
        self.environment = all.get(there).map(|one| one.environment.clone());
    }

    /// Goes back to the environment of the marked plan.
    pub fn follow(&mut self) {
        self.environment = None;
    }

    /// Chooses another day; before the first one, none.
    pub fn walk(&mut self, world: &World, by: isize) {
        let days = &world.calendars.ahead.days;
        let here = self.day.and_then(|day| days.iter().position(|one| one.date == day));
        let there = match here {
            None if by > 0 => Some(0),
            None => None,
            Some(here) => here.checked_add_signed(by).map(|there| there.min(days.len().saturating_sub(1))),
        };
        self.day = there.and_then(|there| days.get(there)).map(|day| day.date);
    }

    /// Whether a day is chosen.
    pub fn has_day(&self) -> bool {
        self.day.is_some()
    }

    /// Forgets the day; false when none was chosen.
    pub fn let_go(&mut self) -> bool {
        self.day.take().is_some()
    }

    /// The calendar in at most so many rows; none: as many as it needs.
    pub fn rows(&self, scene: &Scene<'_>, marked: Option<&EnvironmentName>, width: usize, most: Option<usize>) -> Vec<Row> {
        let ahead = &scene.world.calendars.ahead;
        let Some(agenda) = self.environment(scene.world, marked) else {
            return vec![Row::rule(scene.theme, "calendar"), Row::of(Role::Quiet, "   no environment is configured")];
        };
        if let Some(left) = agenda.believed_for(scene.now) {
            scene.changes_in(left);
        }
        let mut rows = vec![heading(scene, agenda, width)];
        let chosen = self.day.and_then(|date| ahead.days.iter().find(|day| day.date == date));
        let told = match chosen {
            Some(day) => day::rows(scene, agenda, day, width),
            None => soon(scene, agenda, width),
        };
        let each = each(scene, agenda);
        let kinds = kinds(scene, agenda);
        // Each thing by itself where there is room for it and for all the words, else one line a kind.
        let room = most.map(|most| most.saturating_sub(rows.len() + 2));
        let whole = room.is_none_or(|room| each.len() + told.len() < room);
        let lines = if whole { each } else { kinds };
        let longest = lines.iter().map(|(label, _)| cells(label)).max().unwrap_or(0).max(3);
        let grid = Grid::new(scene, ahead, width, longest);
        let words = room.map_or(told.len(), |room| room.saturating_sub(lines.len()).min(told.len()));
        let cut = told.len() - words;
        rows.extend(told.into_iter().take(words));
        if cut > 0
            && let Some(first) = rows.first_mut()
        {
            first.end(Role::Quiet, format!(" {cut} more, {} shows them ", scene.keymap.shown(Command::Calendar)));
        }
        rows.push(grid.ruler(self.day));
        rows.push(grid.marks(self.day));
        rows.extend(lines.iter().map(|(label, says)| grid.line(label, says)));
        if whole {
            rows.push(grid.legend());
        }
        rows
    }
}

impl Calendar {
    /// What is so now and what comes next, in words alone: for a glass on which the two weeks would hide what blocks a plan.
    pub fn brief(&self, scene: &Scene<'_>, marked: Option<&EnvironmentName>, width: usize) -> Vec<Row> {
        let Some(agenda) = self.environment(scene.world, marked) else { return Vec::new() };
        if let Some(left) = agenda.believed_for(scene.now) {
            scene.changes_in(left);
        }
        let mut rule =
            Row::rule(scene.theme, &format!("calendar of {}, times in {}", agenda.environment, scene.world.calendars.ahead.timezone));
        rule.end(Role::Quiet, format!(" {} two weeks ", scene.keymap.shown(Command::Calendar)));
        let told = soon(scene, agenda, width);
        [vec![rule], told.into_iter().take(BRIEF).collect()].concat()
    }
}

fn heading(scene: &Scene<'_>, agenda: &Agenda, width: usize) -> Row {
    let keys = scene.keymap;
    let mut rule =
        Row::rule(scene.theme, &format!("calendar of {}, 14 days, times in {}", agenda.environment, scene.world.calendars.ahead.timezone));
    if width >= 90 {
        let key = |command| keys.shown(command);
        let environments = format!("{} {}", key(Command::EnvironmentBefore), key(Command::EnvironmentAfter));
        rule.end(Role::Quiet, format!(" {environments} environment, {} {} day ", key(Command::Left), key(Command::Right)));
    }
    rule
}

/// What is so now and what comes next, windows first.
fn soon(scene: &Scene<'_>, agenda: &Agenda, width: usize) -> Vec<Row> {
    let mut page = Page { scene, width, rows: Vec::new() };
    windows_soon(&mut page, agenda);
    freezes_soon(&mut page, agenda);
    page.rows
}

fn whose(line: &Line) -> String {
    let about = line.about();
    if about.is_empty() { String::new() } else { format!(" ({about})") }
}

fn windows_soon(page: &mut Page<'_, '_>, agenda: &Agenda) {
    let (now, zone) = (page.scene.now, page.scene.zone);
    if agenda.windows.is_empty() {
        let but = if agenda.freezes.is_empty() { "" } else { ", but for freezes" };
        page.mark(Mark::None, Role::Plain, &format!("no window is configured for {}: always open{but}", agenda.environment));
        return;
    }
    let believed: Vec<&Line> = agenda.windows.iter().filter(|line| day::is_believed(line, now)).collect();
    let open = believed.iter().filter_map(|line| Some((*line, line.holding(now.wall)?))).max_by_key(|(_, span)| span.end);
    let next = believed.iter().filter_map(|line| Some((*line, line.next(now.wall)?))).min_by_key(|(_, span)| span.begin);
    let next = next.map(|(line, span)| format!("{} opens {}{}", line.name, zone.stamp(&span.begin), whose(line)));
    match (open, next) {
        (Some((line, span)), _) => {
            page.mark(Mark::Open, Role::Plain, &format!("window {} is open until {}{}", line.name, zone.stamp(&span.end), whose(line)));
        }
        (None, Some(next)) => page.mark(Mark::None, Role::Plain, &format!("no window is open; {next}")),
        (None, None) if believed.is_empty() => {}
        (None, None) => page.mark(Mark::None, Role::Plain, "no window is open, and none opens within 90 days"),
    }
    for line in &agenda.windows {
        day::doubted(page, line);
    }
}

fn freezes_soon(page: &mut Page<'_, '_>, agenda: &Agenda) {
    let (now, zone) = (page.scene.now, page.scene.zone);
    let holds: Vec<(&Line, Span)> = agenda.freezes.iter().filter_map(|line| Some((line, line.holding(now.wall)?))).collect();
    for (line, span) in &holds {
        let until = zone.stamp(&span.end);
        page.mark(Mark::Frozen, Role::Strong, &format!("FROZEN by {} until {until}{}: {}", line.name, whose(line), line.reason));
    }
    let next = agenda.freezes.iter().filter_map(|line| Some((line, line.next(now.wall)?))).min_by_key(|(_, span)| span.begin);
    let doubts = agenda.freezes.iter().any(|line| !day::is_sure(line, now));
    match next {
        Some((line, span)) => {
            let times = format!("{} to {}", zone.stamp(&span.begin), zone.stamp(&span.end));
            page.mark(Mark::None, Role::Plain, &format!("next freeze {}, {times}{}: {}", line.name, whose(line), line.reason));
        }
        None if doubts || !holds.is_empty() => {}
        None if agenda.freezes.is_empty() => page.mark(Mark::None, Role::Quiet, "no freeze is configured"),
        None => page.mark(Mark::None, Role::Plain, "no freeze within 90 days"),
    }
    for line in &agenda.freezes {
        day::doubted(page, line);
    }
}

/// Each window, freeze, train and plan by itself.
fn each<'l>(scene: &Scene<'_>, agenda: &'l Agenda) -> Vec<Drawn<'l>> {
    let lines = agenda.windows.iter().chain(&agenda.freezes);
    let mut drawn: Vec<Drawn<'l>> = lines.map(|line| (line.name.clone(), calendar::of_line(agenda, line, scene))).collect();
    if agenda.windows.is_empty() {
        drawn.insert(0, ("windows".to_owned(), Box::new(calendar::windows(agenda, &[], scene))));
    }
    let mut trains: Vec<&String> = agenda.departures.iter().map(|leaving| &leaving.train).collect();
    trains.sort();
    trains.dedup();
    drawn.extend(trains.into_iter().map(|train| (train.clone(), departures(scene, agenda, Some(train)))));
    drawn.push(planned(scene, agenda));
    drawn
}

/// One line a kind.
fn kinds<'l>(scene: &Scene<'_>, agenda: &'l Agenda) -> Vec<Drawn<'l>> {
    let all = |lines: &'l [Line]| lines.iter().collect::<Vec<&'l Line>>();
    let mut drawn: Vec<Drawn<'l>> = vec![("windows".to_owned(), Box::new(calendar::windows(agenda, &all(&agenda.windows), scene)))];
    if !agenda.freezes.is_empty() {
        drawn.push(("freezes".to_owned(), Box::new(calendar::freezes(&all(&agenda.freezes), scene))));
    }
    if !agenda.departures.is_empty() {
        drawn.push(("trains".to_owned(), departures(scene, agenda, None)));
    }
    drawn.push(planned(scene, agenda));
    drawn
}

fn departures<'l>(scene: &Scene<'_>, agenda: &'l Agenda, train: Option<&str>) -> Box<dyn Fn(Span) -> Cell + 'l> {
    let of = agenda.departures.iter().filter(|leaving| train.is_none_or(|train| leaving.train == train));
    let cell = |leaving: &Leaving| match (&leaving.frozen, agenda.doubted(leaving, scene.now)) {
        (Some(_), _) => Cell::Clash,
        (None, Some(_)) => Cell::Unknown,
        (None, None) => Cell::Leaves,
    };
    Box::new(calendar::at(of.map(|leaving| (leaving.departure.at, cell(leaving))).collect()))
}

fn planned<'l>(scene: &Scene<'_>, agenda: &Agenda) -> Drawn<'l> {
    let (spans, clashes) = day::planned(scene, agenda);
    let label = if spans.is_empty() { "plans: none".to_owned() } else { "plans".to_owned() };
    (label, Box::new(calendar::bars(spans.into_iter().map(|(span, _)| span).collect(), clashes)))
}
