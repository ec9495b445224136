//! Calendars: each is read when it is due, and the spans of time are made anew when one said something or the day changed.

use std::sync::Arc;

use super::Room;
use crate::control::task::Task;
use crate::model::error::PortError;
use crate::model::ical::CalendarReading;
use crate::model::name::BackendName;
use crate::model::time::{Boot, Moment};

/// When a calendar is read next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Due {
    at: Boot,
    in_flight: bool,
}

impl Room {
    /// Reads the calendars that are due, and keeps the spans around the present.
    pub(super) fn calendars(&mut self, now: &Moment) -> Vec<Task> {
        if !self.world.calendars.serves(now) {
            self.world.calendars = self.world.calendars.again(&self.world.catalog, now);
            self.world.compare_rules(now);
            self.diary.stale = true;
            self.touch(now);
        }
        let mut tasks = Vec::new();
        for feed in &self.world.catalog.timetable.feeds {
            let due = self.calendars_due.entry(feed.name.clone()).or_default();
            if !due.in_flight && now.boot >= due.at {
                *due = Due { at: now.boot.plus(feed.every), in_flight: true };
                tasks.push(Task::ReadCalendar { calendar: feed.name.clone() });
            }
        }
        tasks
    }

    /// The configuration changed: everything is read anew.
    pub(super) fn calendars_anew(&mut self, now: &Moment) {
        self.calendars_due.clear();
        self.diary.stale = true;
        self.world.calendars = self.world.calendars.again(&self.world.catalog, now);
    }

    /// When a calendar is due.
    pub(super) fn calendars_wake(&self) -> Option<Boot> {
        self.calendars_due.values().filter(|due| !due.in_flight).map(|due| due.at).min()
    }

    pub(super) fn on_calendar(&mut self, now: &Moment, name: &BackendName, asked: Moment, result: Result<Arc<CalendarReading>, PortError>) {
        if let Some(due) = self.calendars_due.get_mut(name) {
            due.in_flight = false;
        }
        let catalog = self.world.catalog.clone();
        self.diary.stale = true;
        self.world.calendars.take(&catalog, name, asked, result, now);
        self.world.compare_rules(now);
        self.touch(now);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::scenario::Scenario;
    use crate::control::calendar::tests::MADE;
    use crate::control::event::Event;
    use crate::control::update::{Opening, Seat};
    use crate::model::operator::Actor;

    #[test]
    fn a_reload_makes_the_spans_once() {
        let catalog = Arc::new(Scenario::named(Scenario::DEFAULT).unwrap().catalog("ana").unwrap());
        let now = Moment { wall: chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap(), boot: Boot(1_000_000) };
        let opening = Opening {
            catalog: catalog.clone(),
            actor: Actor::Unverified("ana".to_owned()),
            read_only: false,
            installation: "test".to_owned(),
            record_trouble: None,
            has_second_place: false,
            abilities: BTreeMap::new(),
            seed: 1,
            conducts: false,
            tends: false,
            seat: Seat::default(),
            rules: crate::control::world::RulesView::default(),
        };
        let mut room = Room::open(opening, now);
        room.update(&now, Event::Woke);
        let before = MADE.get();
        room.update(&now, Event::Reloaded { result: Ok(catalog), actor: None });
        assert_eq!(MADE.get() - before, 1);
    }
}
