//! The rehearsing driver: a virtual clock, one thread, every task done before time moves on; the same seed gives the same run.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub use super::nonces::Nonces;
use super::outside::{Outside, Written};
use super::script::Script;
use crate::control::event::Event;
use crate::control::record::{Opened, Told};
use crate::control::task::Task;
use crate::control::update::{Opening, Room};
use crate::model::time::Moment;
pub use crate::ports::clock::VirtualClock;
use crate::ports::clock::{BOOTED, Clock as _};

/// A room on a virtual clock.
pub struct Rehearsal {
    clock: Arc<VirtualClock>,
    outside: Outside,
    room: Room,
    queue: VecDeque<Event>,
    script: Script,
    opened: bool,
}

/// Takes in what is told of a rehearsal, in order, with its moment.
pub type Record<'a> = dyn FnMut(&Moment, Told) + 'a;

impl Rehearsal {
    /// Opens a room on a virtual clock.
    pub fn open(clock: Arc<VirtualClock>, outside: Outside, opening: Opening) -> Self {
        let room = Room::open(opening, clock.now());
        Self { clock, outside, room, queue: VecDeque::from([Event::Woke]), script: Script::default(), opened: false }
    }

    /// The same, in which people of the story start what its script says.
    #[must_use]
    pub fn following(self, script: Script) -> Self {
        Self { script, ..self }
    }

    /// The room.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// Now, by the virtual clock.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Gives the room an event.
    pub fn give(&mut self, event: Event) {
        self.queue.push_back(event);
    }

    /// Lets the story run until `elapsed` after its beginning; everything that happens is told to `record` in its order.
    pub async fn run_until(&mut self, elapsed: Duration, record: &mut Record<'_>) {
        if !std::mem::replace(&mut self.opened, true) {
            record(&self.clock.now(), Told::Opened(Box::new(Opened::of(&self.room))));
        }
        loop {
            self.settle(record).await;
            let now = self.clock.now().boot;
            let end = BOOTED.plus(elapsed);
            let due = self.script.due().map(|due| BOOTED.plus(due));
            if due.is_some_and(|due| now >= due) {
                let events = self.script.next(self.room.world(), &self.clock.now());
                self.queue.extend(events);
                continue;
            }
            if now >= end {
                return;
            }
            let end = due.map_or(end, |due| due.min(end));
            // Time moves in whole steps, so that what is due "now" does not stand still.
            let next = self.room.wake().map_or(end, |wake| wake.max(now.plus(Duration::from_millis(1)))).min(end);
            self.clock.advance_to(next.since(BOOTED));
            self.queue.push_back(Event::Woke);
        }
    }

    /// Takes in what waits, does all tasks, until nothing is left to do at this moment.
    async fn settle(&mut self, record: &mut Record<'_>) {
        while let Some(event) = self.queue.pop_front() {
            let now = self.clock.now();
            record(&now, Told::Event(event.clone()));
            for task in self.room.update(&now, event) {
                if let Task::Journal { happenings, .. } = &task {
                    for line in happenings {
                        record(&now, Told::Happening(line.clone()));
                    }
                }
                self.perform(task).await;
            }
        }
    }

    async fn perform(&mut self, task: Task) {
        if !Outside::is_written(&task) {
            self.queue.extend(self.outside.read(task).await);
            return;
        }
        let Written { events, outgoing } = self.outside.write(task).await;
        self.queue.extend(events);
        if let Some(outgoing) = outgoing {
            let answered = self.outside.send(outgoing).await;
            self.queue.push_back(answered);
        }
    }
}
