//! The diary: written anew when what it tells of changed, when a train reaches its cut-off or leaves; and who missed a departure is told.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Room;
use crate::control::diary;
use crate::control::task::Task;
use crate::control::world::TrainView;
use crate::model::name::Target;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::{Happening, HappeningKind, TRAIN};

/// How often it is written anew while somebody is to leave with a train: checks change with every reading.
const WITH_PASSENGERS: Duration = Duration::from_secs(5);
/// How often otherwise.
const OTHERWISE: Duration = Duration::from_mins(1);
/// How long after its opening a room tells of departures before it: the journal says by then who told of them.
const SETTLED: Duration = Duration::from_secs(2);

/// When the diary is written next, and which departures were told.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    /// What it tells of changed.
    pub(super) stale: bool,
    due: Boot,
    told: BTreeSet<(String, DateTime<Utc>)>,
}

impl Room {
    /// When it is due even if nothing comes in.
    pub(super) fn diary_wake(&self) -> Option<Boot> {
        let diary = &self.world.diary;
        (!diary.trains.is_empty() || !diary.booked.is_empty()).then_some(self.diary.due)
    }

    /// Writes the diary if it is due, and tells of departures.
    pub(super) fn look_at_diary(&mut self, now: &Moment) -> Vec<Task> {
        if !self.diary.stale && now.boot < self.diary.due {
            return Vec::new();
        }
        self.diary.stale = false;
        let written = diary::write(&self.world, now);
        let passengers = written.trains.iter().any(|train| !train.plans.is_empty());
        let again = if passengers { WITH_PASSENGERS } else { OTHERWISE };
        let next = written.next(now.wall).and_then(|next| (next - now.wall).to_std().ok());
        self.diary.due = now.boot.plus(next.map_or(again, |next| next.min(again)));
        if *self.world.diary != written {
            self.world.diary = Arc::new(written);
            self.touch(now);
        }
        self.tell_departures(now)
    }

    fn tell_departures(&mut self, now: &Moment) -> Vec<Task> {
        if !self.world.ledger.read || !self.tends {
            return Vec::new();
        }
        let settled = now.since(&self.world.opened) >= SETTLED;
        let diary = self.world.diary.clone();
        let mut tasks = Vec::new();
        for train in diary.trains.iter().filter(|train| train.departed) {
            if train.departure.at < self.world.opened.wall && !settled {
                self.diary.due = self.diary.due.min(self.world.opened.boot.plus(SETTLED));
                continue;
            }
            if self.diary.told.insert((train.name.clone(), train.departure.at)) {
                for line in lines(train) {
                    // Another room of this store may have told of it; where both do at once, the journal keeps the first.
                    let known = |other: &Happening| (&other.target, other.at, &other.source) == (&line.target, line.at, &line.source);
                    if !self.world.timeline.iter().any(known) {
                        tasks.extend(self.record(now, line));
                    }
                }
            }
        }
        tasks
    }
}

/// What is told at a departure: of each service that leaves, that it may be carried out; of each that had a plan and does not, why.
fn lines(train: &TrainView) -> Vec<Happening> {
    let line = |service: &crate::model::name::ServiceName, text: &str| Happening {
        at: train.departure.at,
        kind: HappeningKind::Deed,
        target: Some(Target::new(service.clone(), train.environment.clone())),
        text: Text::clean(text),
        source: format!("{TRAIN}{}", train.name),
        deed: None,
        links: Vec::new(),
    };
    let named = |service| train.plans.get(service).map(|plan| format!("plan {} ", plan.short())).unwrap_or_default();
    let aboard = train.manifest.aboard.iter().map(|service| {
        let until = train.departure.shuts.format("%Y-%m-%d %H:%MZ");
        line(service, &format!("{}leaves with {}: it may be carried out until {until}", named(service), train.name))
    });
    // A service that brings nothing has missed nothing.
    let missed = train.manifest.missed.iter().filter(|(service, _)| train.plans.contains_key(service));
    let missed = missed.map(|(service, reasons)| {
        let why: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
        let fix = reasons.first().map(|reason| format!(" ({})", reason.fix)).unwrap_or_default();
        line(service, &format!("{}missed {}: {}{fix}", named(service), train.name, why.join("; ")))
    });
    aboard.chain(missed).collect()
}
