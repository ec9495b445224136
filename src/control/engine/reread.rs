//! Reads anew, right before the point of no return, what a plan was made on, and has it judged once more.

use super::{Machine, Phase, backend_of};
use crate::control::task::Task;
use crate::control::world::World;
use crate::control::{authors, planner};
use crate::model::authorship::Span;
use crate::model::name::BackendName;
use crate::model::reason::Reason;
use crate::model::time::{Boot, Moment};
use std::time::Duration;

/// How long it may take to read anew who made what the plan brings.
const AUTHORS_WITHIN: Duration = Duration::from_secs(30);

impl Machine {
    /// Between which two versions, and since when, it waits to be told who made what lies between them.
    pub fn awaits_authors(&self) -> Option<(&Span, Boot)> {
        match &self.phase {
            Phase::Rereading { since, .. } => self.span.as_ref().map(|span| (span, since.boot)),
            Phase::Signing { .. }
            | Phase::Beginning
            | Phase::Queued { .. }
            | Phase::Adopting
            | Phase::Sending
            | Phase::Recording { .. }
            | Phase::Unrecorded { .. }
            | Phase::Confirming { .. }
            | Phase::LookingUp { .. }
            | Phase::Watching { .. }
            | Phase::Ended => None,
        }
    }

    pub(super) fn reread(&mut self, world: &World, now: &Moment, since: &Moment, until: Boot) -> Vec<Task> {
        let asked_anew = |backend: &BackendName| {
            world
                .sources
                .get(backend)
                .is_none_or(|source| source.seen().is_some_and(|seen| seen.boot >= since.boot) || source.failed_since(since.boot))
        };
        let read = self.plan.preconditions.iter().filter_map(|checked| backend_of(&checked.must)).all(asked_anew);
        if !read && now.boot < until {
            return Vec::new();
        }
        let authors = authors::of_plan(world, &self.plan, now);
        self.span = authors.and_then(|(authors, _)| authors.span().cloned());
        let told = authors::is_read_since(world, &self.plan, since, now);
        let until = since.boot.plus(AUTHORS_WITHIN);
        if !told && now.boot < until {
            self.phase = Phase::Rereading { since: *since, until };
            return Vec::new();
        }
        let mut plan = planner::recheck(world, &self.plan, now);
        // A source that did not answer anew is not known, however young its last fact is.
        for checked in &mut plan.preconditions {
            let silent = backend_of(&checked.must)
                .and_then(|backend| world.sources.get(backend))
                .filter(|source| source.seen().is_none_or(|seen| seen.boot < since.boot));
            if let (Some(source), true) = (silent, checked.holds) {
                let why = source.trouble().map_or_else(|| "it did not answer in time".to_owned(), ToString::to_string);
                checked.holds = false;
                checked.broken = Some(Reason::new(
                    "stale",
                    &format!("{} could not be read anew: {why}", source.backend.name),
                    "wait until it answers, then plan again",
                ));
            }
        }
        self.plan = planner::told_since(world, plan, since, now);
        self.decide(world, now)
    }
}
