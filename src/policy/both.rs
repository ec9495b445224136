//! A service behind several routers moves at all of them or at none: what a deed takes back by itself is what its preconditions found.

use crate::model::intent::Direction;
use crate::model::plan::{Checked, Plan, StepEffect};
use crate::model::reason::Reason;

/// What an Order takes back by itself when a later one of its steps surely does not come about: for each step that moves a router, save the
/// last, the weights that its preconditions found there. Nothing of a way back, and of a deed at one router.
pub fn taken_back(direction: Direction, effects: &[StepEffect], preconditions: &[Checked]) -> Vec<StepEffect> {
    let before = |effect: &StepEffect| {
        let StepEffect::Weights { backend, pool, .. } = effect else { return None };
        let weights = Plan::weights_found(preconditions, backend, pool)?;
        Some(StepEffect::Weights { backend: backend.clone(), pool: pool.clone(), weights })
    };
    match effects.split_last() {
        Some((_, earlier)) if direction == Direction::Forward => {
            let back: Option<Vec<_>> = earlier.iter().map(before).collect();
            back.unwrap_or_default()
        }
        Some(_) | None => Vec::new(),
    }
}

/// Why a plan must not begin: what it would take back by itself is not what was found there.
pub fn against(plan: &Plan) -> Option<Reason> {
    let found = taken_back(plan.direction, &plan.order.effects, &plan.preconditions);
    (plan.order.back != found).then(|| {
        let text = "what it takes back when a later router refuses is not what stands there";
        Reason::new("changed", text, "plan again; approvals were for another one")
    })
}
