//! A share that changed: by a deed, this process's or another one's, or by another hand; a rise under hold by another hand is an alarm.

use chrono::{DateTime, Utc};

use super::{Room, STORE_EVERY};
use crate::control::task::Task;
use crate::control::world::TargetView;
use crate::model::deed::{Deed, DeedState};
use crate::model::intent::Verb;
use crate::model::name::Target;
use crate::model::rollout::Hold;
use crate::model::share::Percent;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::HappeningKind;

/// A change of a share for which no deed is known yet.
#[derive(Debug, Clone)]
pub(super) struct Moved {
    target: Target,
    shares: (Percent, Percent),
    hold: Option<Hold>,
    /// The reading before: what moved it did so later.
    since: Option<DateTime<Utc>>,
    seen: Moment,
    /// Until then the store is asked whether another process did it.
    pub(super) due: Boot,
}

impl Room {
    /// A share changed since the reading before, which is told at once when a deed is known that did it.
    pub(super) fn share_changed(
        &mut self,
        now: &Moment,
        view: &TargetView,
        shares: (Percent, Percent),
        since: Option<DateTime<Utc>>,
    ) -> Vec<Task> {
        let hold = view.state.hold.clone();
        // Another process writes its deed before it moves anything, so reading the store twice from here on must show it.
        let due = now.boot.plus(STORE_EVERY * 2);
        self.moved.push(Moved { target: view.target.clone(), shares, hold, since, seen: *now, due });
        self.store_due = now.boot;
        self.look_at_moves(now)
    }

    /// Whether it is not known yet who moved this target.
    pub(super) fn wonders_about(&self, target: &Target) -> bool {
        self.moved.iter().any(|moved| &moved.target == target)
    }

    /// Tells of the moves whose deed is known by now, and of those for which none came up.
    pub(super) fn look_at_moves(&mut self, now: &Moment) -> Vec<Task> {
        let mut tasks = Vec::new();
        for moved in std::mem::take(&mut self.moved) {
            let by = self.world.deeds.values().find(|deed| did(deed, &moved)).map(|deed| deed.requester.clone());
            if by.is_none() && now.boot < moved.due {
                self.moved.push(moved);
                continue;
            }
            let (was, is) = moved.shares;
            let held = moved.hold.filter(|_| is > was && by.is_none());
            let by = by.map_or_else(|| "by another hand".to_owned(), |requester| format!("by {requester}"));
            if held.is_some() {
                // Told here; the reading of what stands above the held share would tell it again.
                self.broken_holds.insert(moved.target.clone());
            }
            let (kind, text) = match held {
                Some(hold) => (HappeningKind::Alarm, format!("moved forward while held by {}: {was} to {is} % {by}", hold.by)),
                None => (HappeningKind::Change, format!("{was} to {is} % {by}")),
            };
            tasks.extend(self.say(&moved.seen, kind, Some(moved.target), &text, "traffic"));
            self.touch(now);
        }
        tasks
    }
}

/// Whether a deed moved it: it is under way, its answer was lost and may well be it, or it was sent or accepted after the reading before.
fn did(deed: &Deed, moved: &Moved) -> bool {
    let later = |at: Option<DateTime<Utc>>| at.zip(moved.since).is_some_and(|(at, since)| at >= since);
    let may = deed.state.is_under_way()
        || (deed.state == DeedState::Unknown && !deed.is_settled)
        || later(deed.facts.sent)
        || later(deed.facts.accepted);
    // A flag moves no traffic.
    deed.target == moved.target && deed.verb != Verb::Flag && may
}
