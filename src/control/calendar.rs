//! Windows and freezes as the room knows them: what was read of each calendar, and the spans of time that follow.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::model::catalog::Catalog;
use crate::model::error::PortError;
use crate::model::ical::CalendarReading;
use crate::model::name::BackendName;
use crate::model::plan::Plan;
use crate::model::time::Moment;
use crate::policy::calendar::{Ahead, Asked, Calendars, Feeds, Standing, standing};

/// The calendars of a room.
#[derive(Debug, Clone)]
pub struct CalendarView {
    /// What was read of each calendar.
    pub feeds: Feeds,
    /// The spans that follow.
    pub spans: Arc<Calendars>,
    /// The two weeks ahead, as calendars show them.
    pub ahead: Arc<Ahead>,
}

impl CalendarView {
    /// The calendars of a catalog of which nothing has been read.
    pub fn new(catalog: &Catalog, now: &Moment) -> Self {
        Self::over(catalog, Feeds::new(), now)
    }

    fn over(catalog: &Catalog, mut feeds: Feeds, now: &Moment) -> Self {
        #[cfg(test)]
        tests::MADE.set(tests::MADE.get() + 1);
        feeds.retain(|name, _| catalog.timetable.feeds.iter().any(|feed| &feed.name == name));
        for feed in &catalog.timetable.feeds {
            feeds.entry(feed.name.clone()).or_default();
        }
        let spans = Arc::new(Calendars::of(catalog, &feeds, now.wall));
        let ahead = Arc::new(Ahead::of(catalog, &spans, now.wall));
        Self { feeds, spans, ahead }
    }

    /// The same for another catalog or another day; what was read stays.
    #[must_use]
    pub fn again(&self, catalog: &Catalog, now: &Moment) -> Self {
        Self::over(catalog, self.feeds.clone(), now)
    }

    /// Takes in what a calendar said; a failed read keeps the last good copy, with its age.
    pub fn take(
        &mut self,
        catalog: &Catalog,
        name: &BackendName,
        asked: Moment,
        result: Result<Arc<CalendarReading>, PortError>,
        now: &Moment,
    ) {
        let Some(fact) = self.feeds.get_mut(name) else { return };
        fact.tried = Some(asked);
        match result {
            Ok(reading) => {
                fact.value = Some(reading);
                fact.seen = Some(asked);
                fact.trouble = None;
                fact.failures = 0;
            }
            Err(error) => {
                fact.trouble = Some(error);
                fact.failures = fact.failures.saturating_add(1);
            }
        }
        *self = self.again(catalog, now);
    }

    /// Whether this still answers at `now`; else it is to be made [`CalendarView::again`].
    pub fn serves(&self, now: &Moment) -> bool {
        self.spans.serves(now.wall) && self.ahead.serves(now.wall)
    }

    /// Whether every calendar was asked once.
    pub fn is_settled(&self) -> bool {
        self.feeds.values().all(|fact| fact.tried.is_some())
    }
}

/// How a plan stands to windows and freezes at `at`; `began`: when the rollout that it goes on with began.
pub fn stands(spans: &Calendars, plan: &Plan, at: DateTime<Utc>, now: &Moment, began: Option<DateTime<Utc>>) -> Standing {
    standing(
        spans,
        &Asked {
            target: plan.target(),
            kind: plan.order.change_type,
            direction: plan.direction,
            at,
            now: *now,
            plan: Some(plan.id),
            requester: &plan.intent.requester,
            began,
        },
    )
}

/// How often spans are made.
#[cfg(test)]
pub mod tests {
    use std::cell::Cell;

    thread_local! {
        /// How often spans were made by this thread.
        pub static MADE: Cell<u32> = const { Cell::new(0) };
    }
}
