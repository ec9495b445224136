//! The queue of changes: the plans that wait with what blocks each, or why there is none.

use crate::model::approval::Waiting;
use crate::ui::changes;
use crate::ui::plans::{self, Part, Queued, asked};
use crate::ui::row::{Row, cells, fit};
use crate::ui::scene::Scene;
use crate::ui::screens::changes::booking;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

/// The plans that wait, two rows each below a rule: what is asked for, of which type, by whom, until when; and what blocks it or is to be
/// done. Beside them the place of the first one.
pub fn rows(scene: &Scene<'_>, listed: &[&Waiting], here: usize, room: usize, width: usize) -> (Vec<Row>, usize) {
    let all: Vec<Queued<'_>> = listed.iter().map(|one| plans::queued(scene.world, one, scene.now)).collect();
    let yours = all.iter().filter(|one| matches!(one.part, Part::MayAgree | Part::MayGo)).count();
    let heading = match all.len() {
        0 => "plans that wait 0".to_owned(),
        n => format!("plans that wait {n}: {yours} for you"),
    };
    let mut rule = Row::rule(scene.theme, &heading);
    let most = (room.saturating_sub(1) / 2).max(1);
    let first = (here + 1).saturating_sub(most).min(all.len().saturating_sub(most));
    if all.len() > most {
        rule.end(Role::Watched, format!("{} to {} of {} ", first + 1, (first + most).min(all.len()), all.len()));
    }
    let mut rows = vec![rule];
    for (place, one) in all.iter().enumerate().skip(first).take(most) {
        rows.extend(queued_rows(scene, one, place == here, width));
    }
    (rows, first)
}

fn queued_rows(scene: &Scene<'_>, one: &Queued<'_>, here: bool, width: usize) -> [Row; 2] {
    let plan = &one.waiting.plan;
    let (mark, role) = match one.part {
        Part::MayAgree | Part::MayGo => (Mark::Waits, Role::Waits),
        Part::Blocked => (Mark::Failed, Role::Watched),
        Part::MineWaits | Part::MineLater | Part::Agreed | Part::Others => (Mark::Held, Role::Plain),
    };
    let mut row = Row::of(Role::Strong, scene.glyph(if here { Mark::Cursor } else { Mark::None }));
    row.add(role, format!("{} ", scene.glyph(mark))).add(Role::Strong, format!("{} {}", plan.target(), asked(plan)));
    if scene.world.diary.clashes_of(plan.id).next().is_some() {
        row.add(Role::Watched, "  conflict");
    }
    let state = changes::state(one, scene.now).word();
    let until = fit(&booking::until(scene, plan), width.saturating_sub(row.width() + 24));
    let tail = [
        format!(
            "  {} change, {state}  asked {} ago by {}  plan {}",
            plan.order.change_type.word(),
            scene.ago(&plan.made),
            plan.intent.requester,
            plan.id.short()
        ),
        format!("  {}, {state}  asked {} ago by {}", plan.order.change_type.word(), scene.ago(&plan.made), plan.intent.requester),
        format!("  {}, {state}  by {}", plan.order.change_type.word(), plan.intent.requester),
        format!("  {state}  by {}", plan.intent.requester),
        format!("  {state}"),
    ];
    let room = width.saturating_sub(row.width() + cells(&until) + 1);
    row.add(Role::Plain, fit(&tail, room)).end(Role::Quiet, until);
    let mut second = Row::new();
    second.at(3).add(role, fit(&one.forms(), width.saturating_sub(4)));
    [row, second]
}

/// Why no plan is listed, and what would come here.
pub fn empty(scene: &Scene<'_>) -> Vec<String> {
    let world = scene.world;
    let persons = |needed: u32| words::counted(usize::try_from(needed).unwrap_or(usize::MAX), "person", "persons");
    let of_environments = world.catalog.environments.iter().map(|environment| (environment.name.to_string(), &environment.protection));
    let targets: Vec<_> = world.catalog.targets().collect();
    // A deploy may have a protection of its own.
    let own = targets.iter().filter_map(|target| Some((target.to_string(), world.catalog.deploy(target)?.protection.as_deref()?)));
    let asks: Vec<String> = of_environments
        .chain(own)
        .filter(|(_, protection)| protection.approvals > 0)
        .map(|(name, protection)| format!("{name} ({})", persons(protection.approvals)))
        .collect();
    match (&world.ledger.trouble, world.ledger.read) {
        (Some(trouble), _) => vec![format!("unreachable: the store cannot be read: {trouble}. What waits is not known.")],
        (None, false) => vec!["loading: the store is still being read".to_owned()],
        (None, true) if asks.is_empty() => vec![
            "nothing configured: no environment asks for the agreement of another person.".to_owned(),
            "`protection = { approvals = 1 }` in an [[environment]] makes forward deeds there wait here.".to_owned(),
        ],
        (None, true) => vec![
            "nothing there: no plan waits for a person.".to_owned(),
            format!(
                "A forward deed where others must agree comes here when it is asked for: {}. It stays until they agreed and its requester executes it, until one rejects it, or until it ends.",
                asks.join(", ")
            ),
        ],
    }
}
