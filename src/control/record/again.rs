//! What is written over again once an hour, so that a reader may begin in the middle of a journal.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Opened;
use crate::control::event::Event;
use crate::model::name::BackendName;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::Happening;

/// Lines of the timeline that are told over again.
const TOLD: usize = 200;

/// What was told last of everything that is told seldom.
#[derive(Debug, Default)]
pub(super) struct Again {
    opened: Option<(Boot, Opened)>,
    calendars: BTreeMap<BackendName, Event>,
    here: Option<Event>,
    told: VecDeque<Happening>,
}

impl Again {
    /// A room began, or goes on.
    pub(super) fn opened(&mut self, now: &Moment, opened: &Opened) {
        self.opened = Some((now.boot, Opened { told: VecDeque::new(), again: true, ..opened.clone() }));
    }

    /// Whether the room was written down so long ago.
    pub(super) fn is_due(&self, now: &Moment, span: Duration) -> bool {
        self.opened.as_ref().is_some_and(|(at, _)| now.boot.since(*at) >= span)
    }

    /// The room as it goes on, when it was written down so long ago.
    pub(super) fn due(&mut self, now: &Moment, span: Duration) -> Option<Opened> {
        let (_, opened) = self.opened.as_ref().filter(|_| self.is_due(now, span))?;
        Some(Opened { told: self.told.clone(), ..opened.clone() })
    }

    /// What was told seldom, as it was told last.
    pub(super) fn known(&self) -> impl Iterator<Item = &Event> {
        self.calendars.values().chain(&self.here)
    }

    /// Notes an event.
    pub(super) fn keep(&mut self, event: &Event) {
        if let Event::CalendarRead { calendar, .. } = event {
            self.calendars.insert(calendar.clone(), event.clone());
        }
        if let Event::Here { .. } = event {
            self.here = Some(event.clone());
        }
        if let (Event::Recognised { actor: Some(actor), .. }, Some((_, opened))) = (event, &mut self.opened) {
            opened.actor = actor.clone();
        }
        if let Event::JournalRead { happenings, .. } = event {
            for line in happenings {
                self.tell(line);
            }
        }
    }

    /// Notes a line of the timeline.
    pub(super) fn tell(&mut self, line: &Happening) {
        self.told.push_back(line.clone());
        if self.told.len() > TOLD {
            self.told.pop_front();
        }
    }
}
