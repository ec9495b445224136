//! The gate: brings the world's facts before the judge of `policy`.

use crate::control::world::World;
use crate::model::plan::Plan;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;

/// The verdict over a plan as the world stands now.
pub fn judge(world: &World, plan: &Plan, now: &Moment) -> Verdict {
    let _ = (world, plan, now);
    Verdict::Deny(Vec::new())
}
