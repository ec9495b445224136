//! The course of a change: which state it is in, and that it is too early for one that is scheduled.
//!
//! | from | to | when |
//! |---|---|---|
//! | draft | approved | an emergency is not assessed, so its draft is agreed to; a stored plan is put into the queue by its first approval |
//! | draft | assessed | a normal change was judged and stands before those who must agree |
//! | draft | scheduled | a change whose Order names a time was judged and stored: assessed and scheduled at once |
//! | assessed, scheduled | approved | everybody who must agree has agreed |
//! | approved | assessed (an emergency: draft), scheduled | an approval was taken back, or ended: the only way backwards |
//! | draft, assessed, scheduled, approved | implementing | it began: the point of no return |
//! | draft, assessed, scheduled, approved | withdrawn | taken back by its requester, rejected by another, or its end came before it began |
//! | implementing | reviewed | its owed review was made while its hold time still runs |
//! | implementing, reviewed | closed | it is effective, its watch is over, and no review of it is owed |
//! | implementing, reviewed | failed | it failed, or slipped back within its hold time |
//!
//! A standard change skips assessed and approved: it is pre-approved. An emergency skips assessed alone, and cannot be closed before its
//! owed review was made. Nothing leads out of closed, failed and withdrawn, and nothing leads back from implementing: what has begun was
//! begun. An outcome that nobody knows is none: the change stays implementing. A denial changes no state: what stands in the way of a
//! plan is its verdict's to say.

use chrono::{DateTime, Utc};

use crate::model::change::ChangeType;
use crate::model::course::ChangeState;
use crate::model::deed::{Deed, DeedState};
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::review::Review;

/// Everything that the state of a change is a fact about.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    /// Its type.
    pub change: ChangeType,
    /// Whether its Order names a time.
    pub is_scheduled: bool,
    /// Whether it was judged and stands before those who must agree, or waits for its time.
    pub is_listed: bool,
    /// Whether everybody who must agree has agreed.
    pub is_agreed: bool,
    /// Whether it was taken back or rejected.
    pub is_taken_back: bool,
    /// When its plan ends.
    pub expires: DateTime<Utc>,
    /// The deed that it became, once it was ordered.
    pub deed: Option<&'a Deed>,
    /// The review that it leaves owed.
    pub review: Option<&'a Review>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// The state of a change.
pub fn state(course: &Course<'_>) -> ChangeState {
    // A denied deed, or one that waits, was not begun: only an intent is the point of no return.
    if let Some(deed) = course.deed.filter(|deed| deed.facts.intended.is_some()) {
        return begun(deed, course.review);
    }
    if course.is_taken_back || course.at >= course.expires {
        return ChangeState::Withdrawn;
    }
    match (course.is_listed, course.change) {
        (true, ChangeType::Normal | ChangeType::Emergency) if course.is_agreed => ChangeState::Approved,
        (true, ChangeType::Standard | ChangeType::Normal | ChangeType::Emergency) if course.is_scheduled => ChangeState::Scheduled,
        (true, ChangeType::Normal) => ChangeState::Assessed,
        (false, _) | (true, ChangeType::Standard | ChangeType::Emergency) => ChangeState::Draft,
    }
}

fn begun(deed: &Deed, review: Option<&Review>) -> ChangeState {
    let reviewed = review.is_some_and(|review| review.closed.is_some());
    let is_over = match deed.state {
        DeedState::Failed | DeedState::Slipped => return ChangeState::Failed,
        DeedState::Held | DeedState::Unwatched | DeedState::Superseded => true,
        // Nothing is watched where nothing could slip.
        DeedState::Effective => deed.held_due.is_none(),
        DeedState::Waiting
        | DeedState::Scheduled
        | DeedState::Denied
        | DeedState::Intended
        | DeedState::Sent
        | DeedState::Accepted
        | DeedState::Unknown => false,
    };
    match (is_over, review.is_some(), reviewed) {
        (true, false, _) | (true, true, true) => ChangeState::Closed,
        (true, true, false) | (false, _, false) => ChangeState::Implementing,
        (false, _, true) => ChangeState::Reviewed,
    }
}

/// Whether one state may follow another at once, by the table above; a state follows itself.
pub fn may_follow(change: ChangeType, from: ChangeState, to: ChangeState) -> bool {
    use ChangeState::{Approved, Assessed, Closed, Draft, Failed, Implementing, Reviewed, Scheduled, Withdrawn};
    let skipped = |state: ChangeState| match change {
        ChangeType::Standard => matches!(state, Assessed | Approved),
        ChangeType::Emergency => state == Assessed,
        ChangeType::Normal => false,
    };
    // What is not assessed falls back to its draft.
    let fallen = if change == ChangeType::Emergency { Draft } else { Assessed };
    if skipped(from) || skipped(to) {
        return false;
    }
    from == to
        || match from {
            // What was stored first and agreed to at once was assessed in between.
            Draft => matches!(to, Assessed | Scheduled | Approved | Implementing | Withdrawn),
            Assessed | Scheduled => matches!(to, Approved | Implementing | Withdrawn),
            Approved => to == fallen || matches!(to, Scheduled | Implementing | Withdrawn),
            Implementing => matches!(to, Reviewed | Closed | Failed),
            Reviewed => matches!(to, Closed | Failed),
            Closed | Failed | Withdrawn => false,
        }
}

/// That a scheduled plan's time has not come; none for any other.
pub fn early(plan: &Plan, at: &DateTime<Utc>) -> Option<Reason> {
    let begin = plan.order.begin().filter(|begin| at < begin)?;
    let with = plan.order.train.as_ref().map(|train| format!(" with {train}")).unwrap_or_default();
    let text = format!(
        "it is scheduled{with}: it may begin from {} on, until {}",
        begin.format("%Y-%m-%d %H:%M:%SZ"),
        plan.expires.format("%Y-%m-%d %H:%M:%SZ")
    );
    Some(Reason::new("too-early", &text, &format!("gonogo execute {} then; nothing begins by itself", plan.id.short())))
}
