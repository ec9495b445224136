//! The map: what moves together, what stops it, who uses whom, and how do we go back?

mod drawing;
mod says;
mod table;
mod teams;

use std::cell::Cell;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::control::map::{Map, MapService};
use crate::control::world::World;
use crate::model::name::{EnvironmentName, Target};
use crate::model::reading::Freshness;
use crate::model::time::Moment;
use crate::ui::lines::Lines;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::theme::Role;
use crate::ui::words;

/// Services that have a letter each; beyond that the map is by team.
pub(super) const LETTERS: usize = 26;

/// What a map was made of: it is made anew only when something of that changed.
type MadeOf = (u64, EnvironmentName, Vec<Freshness>, i64);

/// What the map remembers for its operator.
#[derive(Debug, Default)]
pub struct MapScreen {
    made_of: Option<MadeOf>,
    map: Option<Arc<Map>>,
    /// The team that is opened; none: all of them, or all services where they are few.
    team: Option<String>,
    filter: String,
    /// Whether one service is drawn with its neighbours.
    drawing: bool,
    offset: Cell<usize>,
    page: Cell<usize>,
    /// The targets that stand on the glass.
    drawn: Lines<Target>,
}

/// What the rows of the table are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shown {
    /// Services, by place.
    Services(Vec<usize>),
    /// Teams, by name.
    Teams(Vec<teams::Team>),
}

impl MapScreen {
    /// Looks at the world again when it changed.
    pub fn refresh(&mut self, world: &World, now: &Moment, target: Option<&Target>) {
        let last = world.catalog.environments.last().map(|environment| environment.name.clone());
        let Some(environment) = target.map(|target| target.environment.clone()).or(last) else { return };
        let sources = world.sources.values().map(|source| source.freshness(now));
        let fresh = sources.chain(world.discoveries.values().map(|view| view.freshness(now))).collect();
        let made_of = (world.generation, environment.clone(), fresh, now.wall.timestamp() / 60);
        if self.made_of.as_ref() != Some(&made_of) {
            self.map = Some(Arc::new(Map::of(world, &environment, now)));
            self.made_of = Some(made_of);
        }
    }

    /// Whether there are so many services that the map is by team, and none is opened.
    fn is_by_team(&self, map: &Map) -> bool {
        map.services.len() > LETTERS && self.team.is_none() && self.filter.is_empty()
    }

    fn shown(&self, map: &Map) -> Shown {
        if self.is_by_team(map) {
            return Shown::Teams(teams::all(map));
        }
        let of_team = |place: &usize| match (&self.team, map.service(*place)) {
            (Some(team), Some(service)) if self.filter.is_empty() => service.team_name() == *team,
            (_, service) => service.is_some(),
        };
        let found = |place: &usize| {
            self.filter.is_empty() || map.service(*place).is_some_and(|service| words::found(&service.target, &self.filter))
        };
        Shown::Services((0..map.services.len()).filter(of_team).filter(found).collect())
    }

    /// The targets that the cursor can stand on, one a row.
    fn targets(&self, map: &Map) -> Vec<Target> {
        let target = |place: usize| map.service(place).map(|service| service.target.clone());
        match self.shown(map) {
            Shown::Services(places) => places.into_iter().filter_map(target).collect(),
            Shown::Teams(teams) => teams.iter().filter_map(|team| target(*team.places.first()?)).collect(),
        }
    }

    fn row_of(&self, map: &Map, target: Option<&Target>) -> Option<usize> {
        let place = map.place(&target?.service)?;
        match self.shown(map) {
            Shown::Services(places) => places.iter().position(|other| *other == place),
            Shown::Teams(teams) => teams.iter().position(|team| team.places.contains(&place)),
        }
    }

    /// The target that many rows further; none: it stays.
    pub fn step(&self, target: Option<&Target>, by: isize) -> Option<Target> {
        let map = self.map.as_ref()?;
        let targets = self.targets(map);
        let here = self.row_of(map, target);
        let there = here.map_or(0, |here| here.saturating_add_signed(by).min(targets.len().saturating_sub(1)));
        targets.get(there).filter(|_| here != Some(there)).cloned()
    }

    /// The target that many pages further; none: it stays.
    pub fn page(&self, target: Option<&Target>, by: isize) -> Option<Target> {
        let page = isize::try_from(self.page.get().max(2) - 1).unwrap_or(1);
        self.step(target, by.saturating_mul(page))
    }

    /// The target that is shown there, as long as it is on the map.
    pub fn at(&self, there: Position) -> Option<Target> {
        let map = self.map.as_ref()?;
        self.drawn.at(there).filter(|target| map.place(&target.service).is_some())
    }

    /// Opens the marked team; false when services are shown already.
    pub fn look(&mut self, target: Option<&Target>) -> bool {
        let Some(map) = self.map.clone().filter(|map| self.is_by_team(map)) else { return false };
        let place = target.and_then(|target| map.place(&target.service));
        self.team = place.and_then(|place| map.service(place)).map(MapService::team_name);
        self.offset.set(0);
        self.team.is_some()
    }

    /// Draws the marked service with its neighbours, or the table again.
    pub fn draw_neighbours(&mut self) {
        self.drawing = !self.drawing;
    }

    /// Goes back within the screen; false when there is nothing to go back from.
    pub fn close(&mut self) -> bool {
        if self.drawing {
            self.drawing = false;
        } else if !self.filter.is_empty() {
            self.filter.clear();
        } else if self.team.is_some() {
            self.team = None;
        } else {
            return false;
        }
        self.offset.set(0);
        true
    }

    /// Shows only what holds these words; the target that is marked then, where the cursor must move.
    pub fn find(&mut self, typed: &str, target: Option<&Target>) -> Option<Target> {
        typed.clone_into(&mut self.filter);
        self.offset.set(0);
        let map = self.map.as_ref()?;
        if self.row_of(map, target).is_some() {
            return None;
        }
        self.targets(map).into_iter().next()
    }

    /// What stands in line 1.
    pub fn title(&self) -> Vec<(Role, String)> {
        let Some(map) = &self.map else { return vec![(Role::Strong, "map".to_owned())] };
        let counts = map.counts();
        let seen = match (map.looks, counts.stale) {
            (false, _) => "no discovery".to_owned(),
            (true, 0) => format!("{} seen", counts.seen),
            (true, stale) => format!("{} seen last", counts.seen + stale),
        };
        vec![(Role::Strong, format!("{} map", map.environment)), (Role::Plain, format!("  links: {} declared, {seen}", counts.declared))]
    }

    /// Draws the body.
    pub fn draw(&self, scene: &Scene<'_>, target: Option<&Target>, buffer: &mut Buffer, area: Rect) {
        self.drawn.forget();
        let Some(map) = self.map.clone().filter(|map| !map.services.is_empty()) else {
            Row::rule(scene.theme, "nothing is configured").draw(buffer, area, 0, scene.theme);
            Row::of(Role::Plain, "  no service is deployed here; `gonogo config example` shows how one is").draw(
                buffer,
                area,
                1,
                scene.theme,
            );
            return;
        };
        scene.changes_in(map.holds_for(scene.now));
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let place = target.and_then(|target| map.place(&target.service));
        let shown = self.shown(&map);
        let called = says::Called::of(&map, &shown);
        if let (true, Some(place)) = (self.drawing, place) {
            let rows = drawing::rows(scene, &map, place, width, height);
            for (y, row) in (0..area.height).zip(&rows) {
                row.draw(buffer, area, y, scene.theme);
            }
            return;
        }
        let mut rows = says::verdict(scene, &map, &called, width, (height / 5).max(3));
        let mut foot = says::foot(scene, &map, &called, place, width, (height / 5).max(3));
        let room = height.saturating_sub(rows.len() + foot.len());
        let (table, part) = self.table(scene, &map, (&shown, &called), target, width, room);
        self.remember(&map, target, area, rows.len() + 1);
        rows.extend(table);
        if let Some(rule) = foot.first_mut().filter(|_| !part.is_empty()) {
            rule.end(Role::Quiet, part);
        }
        rows.extend(foot);
        for (y, row) in (0..area.height).zip(&rows) {
            row.draw(buffer, area, y, scene.theme);
        }
    }

    /// Remembers which line of an area shows which target; the first one in sight stands on line `top`.
    fn remember(&self, map: &Map, target: Option<&Target>, area: Rect, top: usize) {
        let here = self.row_of(map, target);
        let all = self.targets(map).into_iter().enumerate();
        for (line, (row, shown)) in (top..top + self.page.get()).zip(all.skip(self.offset.get())) {
            // Of a team the marked service, where it is one of it.
            let marked = target.filter(|_| here == Some(row));
            self.drawn.show(area, line, marked.cloned().unwrap_or(shown));
        }
    }

    /// The heading and the rows in sight, exactly so many; and which part of all rows they are, in words.
    fn table(
        &self,
        scene: &Scene<'_>,
        map: &Map,
        (shown, called): (&Shown, &says::Called),
        target: Option<&Target>,
        width: usize,
        room: usize,
    ) -> (Vec<Row>, String) {
        let here = self.row_of(map, target).unwrap_or(0);
        let count = match shown {
            Shown::Services(places) => places.len(),
            Shown::Teams(teams) => teams.len(),
        };
        let body = room.saturating_sub(1);
        self.page.set(body);
        let mut offset = self.offset.get().min(count.saturating_sub(body)).min(here);
        if here >= offset + body {
            offset = (here + 1).saturating_sub(body);
        }
        self.offset.set(offset);
        let mut rows = match shown {
            Shown::Services(places) => table::rows(scene, map, called, (places, offset, body), target, width),
            Shown::Teams(teams) => teams::rows(scene, map, (teams, offset, body), target, width),
        };
        let found = match (self.filter.is_empty(), &self.team) {
            (false, _) => format!(" found by `{}`", self.filter),
            (true, Some(team)) => format!(" {team}"),
            (true, None) => String::new(),
        };
        let part = if count > body { format!(" {} to {} of {count}", offset + 1, (offset + body).min(count)) } else { String::new() };
        let part = if found.is_empty() && part.is_empty() { String::new() } else { format!("{found}{part} ") };
        if count == 0 {
            rows.push(Row::of(Role::Quiet, "   nothing is found by that; Esc shows all again"));
        }
        rows.resize(room, Row::new());
        (rows, part)
    }
}
