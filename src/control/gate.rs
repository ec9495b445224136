//! The gate: brings the world's facts before the judge of `policy`.

use crate::control::world::World;
use crate::model::catalog::Catalog;
use crate::model::intent::Direction;
use crate::model::plan::Plan;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;
use crate::policy::judge::{self, Case};
use crate::ports::ledger::AtCommit;

/// The verdict over a plan as the world stands now; nobody has approved it yet.
pub fn judge(world: &World, plan: &Plan, now: &Moment) -> Verdict {
    let hold = world.target(plan.target()).and_then(|view| view.state.hold.as_ref());
    let busy = world
        .under_way(plan.target())
        // A hold binds a deed under way, and a way back may take over from an owner that sleeps: there the store decides.
        .filter(|deed| deed.plan != plan.id && plan.direction == Direction::Forward)
        .map(|deed| format!("{} {} by {} is under way", deed.verb.word(), deed.target, deed.requester));
    judge::judge(&Case {
        plan,
        protection: world.catalog.protection(plan.target()),
        people: &world.catalog.people,
        read_only: world.read_only,
        record_trouble: world.ledger.trouble.as_ref().map(AsRef::as_ref),
        rules: &world.catalog.rules_digest,
        at: now.wall,
        hold,
        busy: busy.as_deref(),
        approvals: &[],
    })
}

/// The verdict inside the transaction that begins the deed, on what stands in the store at that moment.
pub fn judge_at_commit(catalog: &Catalog, read_only: bool, plan: &Plan, found: &AtCommit) -> Verdict {
    judge::judge(&Case {
        plan,
        protection: catalog.protection(plan.target()),
        people: &catalog.people,
        read_only,
        record_trouble: None,
        rules: &catalog.rules_digest,
        at: found.at,
        hold: found.state.hold.as_ref(),
        busy: None,
        approvals: &found.approvals,
    })
}
