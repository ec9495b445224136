//! An objective of a target as it stands: what is left of its budget, how fast it burns, which rule fires, and how much of it is known.

use std::sync::Arc;
use std::time::Duration;

use crate::analysis::burn::budget::{Budget, Outlook};
use crate::analysis::burn::rate::Burn;
use crate::analysis::burn::rules::{RuleState, Verdict};
use crate::model::burn_rule::Severity;
use crate::model::error::PortError;
use crate::model::objective::{Objective, ObjectiveKey};
use crate::model::text::Text;
use crate::model::time::Moment;

/// What was measured of an objective at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Until when, in seconds since 1970 by the backend's samples.
    pub until_s: i64,
    /// When it was asked for.
    pub seen: Moment,
    /// The pause between two stretches in seconds.
    pub step_s: u32,
    /// The budget.
    pub budget: Budget,
    /// The share of the whole period's budget that was spent since midnight in the room's zone; none where nothing of today was measured.
    pub today: Option<f64>,
    /// Each rule with its two windows.
    pub rules: Vec<RuleState>,
    /// The burn over each window of the rules, the shortest first.
    pub burns: Vec<Burn>,
    /// When the budget is gone at the rate of the last hour.
    pub outlook: Outlook,
    /// What is doubtful about the answer.
    pub doubt: Option<Text>,
    /// The query as it was sent.
    pub sent: Text,
}

/// How an objective stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectiveState {
    /// A rule fires that calls a person now.
    Page,
    /// A rule fires that calls a person within working hours.
    Ticket,
    /// Nothing fires, and the budget is gone.
    Gone,
    /// It is not known: not measured yet, too long ago, or with too large gaps.
    Unknown,
    /// Nothing fires, and enough is known to say so.
    Quiet,
}

impl ObjectiveState {
    /// The word on screens and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
            Self::Gone => "budget gone",
            Self::Unknown => "unknown",
            Self::Quiet => "quiet",
        }
    }
}

/// One objective of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectiveView {
    /// Which.
    pub key: ObjectiveKey,
    /// What is wished.
    pub objective: Arc<Objective>,
    /// What was measured last; none while nothing was.
    pub measured: Option<Measured>,
    /// When it was asked last.
    pub tried: Option<Moment>,
    /// Why the last read failed; none after a good one.
    pub trouble: Option<PortError>,
}

impl ObjectiveView {
    /// An objective of which nothing is known.
    pub fn new(key: ObjectiveKey, objective: Arc<Objective>) -> Self {
        Self { key, objective, measured: None, tried: None, trouble: None }
    }

    /// The age of what was measured: since the end of the newest stretch, counted on while the machine sleeps.
    pub fn age(&self, now: &Moment) -> Option<Duration> {
        let measured = self.measured.as_ref()?;
        let before = measured.seen.wall.timestamp().saturating_sub(measured.until_s);
        Some(now.since(&measured.seen) + Duration::from_secs(u64::try_from(before).unwrap_or(0)))
    }

    /// The greatest age at which it is believed: three stretches and a minute.
    pub fn allowed_age(&self) -> Duration {
        let step = self.measured.as_ref().map_or(60, |measured| measured.step_s);
        Duration::from_secs(u64::from(step) * 3 + 60)
    }

    /// What was measured, if it is fresh: old figures are no ground for a deed.
    pub fn fresh(&self, now: &Moment) -> Option<&Measured> {
        self.measured.as_ref().filter(|_| self.age(now).is_some_and(|age| age <= self.allowed_age()))
    }

    /// The gravest rule that fires now, and since when; none where figures are stale, or nothing fires.
    pub fn firing(&self, now: &Moment) -> Option<(&RuleState, i64)> {
        let all = self.fresh(now)?.rules.iter();
        let firing = all.filter_map(|state| match state.verdict {
            Verdict::Fires { since_s } => Some((state, since_s)),
            Verdict::TooFew | Verdict::Quiet | Verdict::Unknown => None,
        });
        firing.min_by_key(|(state, since_s)| (state.rule.severity, *since_s))
    }

    /// How it stands now.
    pub fn state(&self, now: &Moment) -> ObjectiveState {
        let Some(measured) = self.fresh(now) else { return ObjectiveState::Unknown };
        match self.firing(now).map(|(state, _)| state.rule.severity) {
            Some(Severity::Page) => return ObjectiveState::Page,
            Some(Severity::Ticket) => return ObjectiveState::Ticket,
            None => {}
        }
        // A window of days that was not measured from its beginning hides no outage of the last hours.
        let blind = |severity: Severity| {
            let mut rules = measured.rules.iter().filter(|state| state.rule.severity == severity).peekable();
            rules.peek().is_some() && rules.all(|state| state.verdict == Verdict::Unknown)
        };
        if blind(Severity::Page) || (blind(Severity::Ticket) && measured.rules.iter().all(|state| state.rule.severity == Severity::Ticket))
        {
            return ObjectiveState::Unknown;
        }
        match measured.budget.left() {
            Some(left) if left <= 0.0 => ObjectiveState::Gone,
            None if measured.budget.coverage <= 0.0 => ObjectiveState::Unknown,
            Some(_) | None => ObjectiveState::Quiet,
        }
    }
}
