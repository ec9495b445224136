//! What a notice says of a deployment: who began, ended or lost which version's way to which share of the traffic, and when.

use chrono::{DateTime, Utc};

use crate::model::deed::EntryKind;
use crate::model::intent::Verb;
use crate::model::name::Target;
use crate::model::outbox::{Notice, NoticeKind};
use crate::model::plan::Plan;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It began: the point of no return.
    Begun,
    /// It was seen to have taken effect.
    Done,
    /// It did not come about, or nobody knows; the word of its entry.
    Failed(&'static str),
}

impl Stage {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "effective",
            Self::Failed(word) => word,
        }
    }
}

/// A deployment as one notice tells it.
#[derive(Debug, Clone, Copy)]
pub struct Deployment<'a> {
    /// Where.
    pub target: &'a Target,
    /// The plan behind it.
    pub plan: &'a Plan,
    /// How far it is.
    pub stage: Stage,
    /// When it began, where that is known.
    pub begun: Option<DateTime<Utc>>,
}

impl<'a> Deployment<'a> {
    /// What a notice says of a deployment; none where it says nothing of one: approvals, notes, single steps, deeds without effects.
    pub fn of(notice: &'a Notice) -> Option<Self> {
        let (plan, target) = (notice.plan.as_deref()?, notice.target.as_ref()?);
        let moves = !plan.order.effects.is_empty() || plan.order.verb == Verb::Rollout || plan.order.ends.is_some();
        let whole = notice.body.get("step").is_none_or(serde_json::Value::is_null);
        let stage = match notice.kind {
            NoticeKind::Entry(EntryKind::Intent) => Stage::Begun,
            NoticeKind::Entry(EntryKind::Effective) if whole => Stage::Done,
            NoticeKind::Entry(kind @ (EntryKind::Failed | EntryKind::Unknown | EntryKind::Slipped | EntryKind::NotBegun)) => {
                Stage::Failed(kind.word())
            }
            NoticeKind::WayBackFailed => Stage::Failed("way-back-failed"),
            NoticeKind::Entry(_) | NoticeKind::Planned | NoticeKind::Waiting => return None,
        };
        moves.then_some(Self { target, plan, stage, begun: notice.facts.intended })
    }

    /// The version that comes, or on a way back the one that is come back to.
    pub fn version(&self) -> Option<&'a str> {
        let released = &self.plan.released;
        let back = self.plan.direction == crate::model::intent::Direction::Back;
        let build = if back { &released.from } else { &released.to };
        build.version.as_ref().map(crate::model::text::Text::as_str)
    }

    /// Whether with this a rollout began that goes on by itself.
    pub fn begins_rollout(&self) -> bool {
        self.plan.order.verb == Verb::Rollout && self.stage == Stage::Done
    }

    /// How the rollout of its target ended with this; none while it goes on.
    pub fn ends_rollout(&self) -> Option<&'static str> {
        let slot = self.plan.order.ends.filter(|_| self.stage == Stage::Done);
        slot.map(|_| if self.plan.direction == crate::model::intent::Direction::Back { "went-back" } else { "became-stable" })
    }
}
