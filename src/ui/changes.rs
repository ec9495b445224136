//! The states of changes: of those that wait, and of those that ended within the last days.

use crate::control::world::World;
use crate::model::course::{ChangeState, PastChange};
use crate::model::deed::Deed;
use crate::model::intent::Verb;
use crate::model::plan::Plan;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;
use crate::policy::course::{self, Course};

use super::plans::{self, Queued};

/// A change that waits no more: being carried out, watched, or over.
#[derive(Debug, Clone)]
pub struct Ended<'a> {
    /// What the store keeps of it.
    pub past: &'a PastChange,
    /// Its state.
    pub state: ChangeState,
    /// How it went, in words.
    pub words: String,
}

/// The state of a change that waits.
pub fn state(one: &Queued<'_>, now: &Moment) -> ChangeState {
    let plan = &one.waiting.plan;
    course::state(&Course {
        change: plan.order.change_type,
        is_scheduled: plan.order.begins.is_some(),
        is_listed: true,
        is_agreed: one.needs.is_some_and(|needs| one.given >= needs),
        is_taken_back: false,
        expires: plan.expires,
        deed: None,
        review: None,
        at: now.wall,
    })
}

/// The state of a change whose plan was just judged. `is_listed`: it is put before those who must agree, or aside for its time.
pub fn state_of(world: &World, plan: &Plan, verdict: &Verdict, is_listed: bool, now: &Moment) -> ChangeState {
    if let Some(waiting) = world.waiting_at(now).find(|one| one.plan.id == plan.id) {
        return state(&plans::queued(world, waiting, now), now);
    }
    course::state(&Course {
        change: plan.order.change_type,
        is_scheduled: plan.order.begins.is_some(),
        is_listed,
        is_agreed: match verdict {
            Verdict::Permit(_) | Verdict::Early(_) => true,
            Verdict::SecondPerson { .. } | Verdict::Deny(_) => false,
        },
        is_taken_back: false,
        expires: plan.expires,
        deed: None,
        review: None,
        at: now.wall,
    })
}

/// The changes of the last days that wait no more, the newest first. What moves nothing is none.
pub fn ended<'a>(world: &'a World, now: &Moment) -> impl Iterator<Item = Ended<'a>> {
    let at = now.wall;
    let moves = |past: &&PastChange| !matches!(past.verb, Verb::Hold | Verb::Resume | Verb::Note | Verb::Silence | Verb::Unsilence);
    world.past.iter().filter(moves).filter_map(move |past| {
        let deed = world.deeds.get(&past.plan).map(|deed| &**deed).filter(|_| past.carried_out);
        // Nothing is said of a deed that the world has forgotten.
        if past.carried_out && deed.is_none() {
            return None;
        }
        let review = world.reviews.iter().find(|review| review.plan == past.plan);
        let state = course::state(&Course {
            change: past.change,
            is_scheduled: past.begins.is_some(),
            is_listed: true,
            is_agreed: true,
            is_taken_back: past.taken_back.is_some(),
            expires: past.expires,
            deed,
            review,
            at,
        });
        let owed = review.filter(|review| review.is_owed()).and_then(|review| review.due);
        let owed = owed.map(|due| format!("; its review is owed by {}", due.format("%Y-%m-%d %H:%MZ"))).unwrap_or_default();
        Some(Ended { past, state, words: format!("{}{owed}", words(past, deed)) })
    })
}

fn words(past: &PastChange, deed: Option<&Deed>) -> String {
    match (&past.taken_back, deed) {
        (Some(how), _) => how.to_string(),
        (None, Some(deed)) if deed.words.is_empty() => deed.state.word().to_owned(),
        (None, Some(deed)) => format!("{}: {}", deed.state.word(), deed.words),
        (None, None) if past.begins.is_some() => "its booking ended before it was executed".to_owned(),
        (None, None) => "it ended before it was executed".to_owned(),
    }
}
