//! What time says against a plan: windows, freezes, the cut-off of its train, bookings that were made before it.

use chrono::{DateTime, Utc};

use super::{calendar, conflicts};
use crate::model::approval::Approval;
use crate::model::catalog::Catalog;
use crate::model::intent::Direction;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::self_service::SelfGrant;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::policy::approval;
use crate::policy::calendar::{Asked, Calendars, left_behind, next_slot};
use crate::policy::conflict;
use crate::policy::role::Roles;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Timing<'a> {
    /// What is configured.
    pub catalog: &'a Catalog,
    /// Windows, freezes and trains.
    pub spans: &'a Calendars,
    /// The plan.
    pub plan: &'a Plan,
    /// Its approvals.
    pub approvals: &'a [Approval],
    /// Roles that people took.
    pub grants: &'a [SelfGrant],
    /// When it would be carried out, unless its time is still to come.
    pub at: DateTime<Utc>,
    /// Now, by which the age of calendars is counted.
    pub now: &'a Moment,
    /// When the rollout that it goes on with began.
    pub began: Option<DateTime<Utc>>,
}

impl Timing<'_> {
    /// The reasons, the first to fix first. `others` are the plans that wait.
    pub fn reasons<'p>(&self, others: impl Iterator<Item = &'p Plan>) -> Vec<Reason> {
        let Self { catalog, spans, plan, at, now, began, .. } = *self;
        let mut reasons = match plan.order.begin() {
            Some(begin) if at < begin => self.at_its_time(begin),
            Some(_) | None => calendar::stands(spans, plan, at, now, began).reasons,
        };
        reasons.extend(self.left_behind());
        reasons.extend(conflicts::refusing(catalog, plan, others, at));
        reasons
    }

    /// What windows and freezes say against its time; the next time that they leave free.
    fn at_its_time(&self, begin: DateTime<Utc>) -> Vec<Reason> {
        let Self { spans, plan, now, .. } = *self;
        let change = conflicts::scheduled(plan, begin);
        let requester = &plan.intent.requester;
        let mut reasons = conflict::against(spans, &change, Some(plan.id), requester, *now);
        if let Some(first) = reasons.first_mut() {
            let asked = Asked {
                target: plan.target(),
                kind: plan.order.change_type,
                direction: Direction::Forward,
                at: begin,
                now: *now,
                plan: Some(plan.id),
                requester,
                began: None,
            };
            let form = "%Y-%m-%d %H:%MZ";
            let lasts = plan.expires.signed_duration_since(begin);
            let free = next_slot(spans, &asked, lasts).map_or_else(
                || "no time within 90 days is free".to_owned(),
                |span| format!("the next free time: {} to {}", span.begin.format(form), span.end.format(form)),
            );
            first.fix = Text::clean(&format!("{}; {free}", first.fix));
        }
        reasons
    }

    /// Whether its train leaves without it.
    fn left_behind(&self) -> Option<Reason> {
        let (train, departs) = (self.plan.order.train.as_ref()?, self.plan.order.begin()?);
        let guard = self.catalog.guard(self.plan.target())?;
        let held = Roles::of(&self.catalog.people, self.grants, Some(guard), self.at);
        let ready = approval::agreed_since(self.plan, guard, &held, self.approvals, &self.at);
        left_behind(self.spans, train, departs, ready, self.at)
    }
}
