//! The worlds in which the ten tasks are asked.

use std::sync::Arc;

use super::super::*;
use super::super::{calendar, changes, pipeline, rollouts};
use crate::control::world::EntryRow;
use crate::model::catalog::Catalog;
use crate::model::deed::{EntryKind, Facts};
use crate::model::name::PlanId;
use crate::model::rollout::Rollout;
use crate::model::text::Text;

/// The plan by which ledger rolls out.
pub const LEDGER: PlanId = PlanId([0x1e; 32]);

pub fn broken() -> World {
    fixture::world()
}

pub fn judged() -> World {
    rollouts::judged()
}

/// Where the configuration asks for no typed name and for so many to agree to what goes forward.
fn as_configured_first(mut world: World, approvals: u32) -> World {
    let catalog: &mut Catalog = Arc::make_mut(&mut world.catalog);
    for environment in &mut catalog.environments {
        (environment.protection.typed_confirmation, environment.protection.approvals) = (false, approvals);
    }
    world
}

/// A change of ana that waits for cy, who is at the keys.
pub fn waits() -> World {
    as_configured_first(waits_and_asks_for_the_name(), 1)
}

/// The same where the target is asked for in full.
pub fn waits_and_asks_for_the_name() -> World {
    changes::one("cy", 1, &[])
}

/// The newest run of checkout failed in its second step; its backend counts attempts.
pub fn build_failed() -> World {
    as_configured_first(pipeline::failed_last(), 0)
}

pub fn windows() -> World {
    calendar::with(calendar::timetable(), "UTC")
}

/// An entry about ledger@prod.
pub fn entry(n: u64, time: &str, kind: EntryKind, deed: PlanId, (verb, by): (&str, &str), words: &str) -> EntryRow {
    EntryRow {
        n,
        at: fixture::at(time),
        kind,
        signer: "process:shop".to_owned(),
        deed: Some(deed),
        verb: Some(verb.to_owned()),
        target: Some("ledger@prod".to_owned()),
        requester: Some(by.to_owned()),
        verdict: None,
        facts: Facts::default(),
        words: Text::clean(words),
    }
}

/// Ledger rolls out by a plan of bo, to which cy and dee agreed; dee thought again in between.
pub fn ledger_rolls() -> World {
    let mut world = fixture::world();
    let target = "ledger@prod".parse().unwrap();
    let mut view = (**world.target(&target).unwrap()).clone();
    view.traffic = world.target(&fixture::checkout()).unwrap().traffic.clone();
    view.versions[1] = world.target(&"ledger@staging".parse().unwrap()).unwrap().versions[0].clone();
    view.state.rollout = Some(Box::new(Rollout {
        begun: fixture::at("13:52:00"),
        by: "bo".to_owned(),
        plan: Some(LEDGER),
        from: Some(Text::clean("1.9.2")),
        to: Some(Text::clean("1.9.3")),
        course: None,
    }));
    world.targets.insert_mut(target, Arc::new(view));
    let of = |n, time, kind, words: &str| entry(n, time, kind, LEDGER, ("rollout", "bo"), words);
    let entries = vec![
        entry(0, "13:40:00", EntryKind::Signers, PlanId([0; 32]), ("", ""), "4 keys"),
        of(1, "13:48:00", EntryKind::Approval, "approve by dee"),
        of(2, "13:49:00", EntryKind::Approval, "approve by cy: the tests are green"),
        of(3, "13:50:00", EntryKind::Withdrawal, "withdraw by dee: wait"),
        of(4, "13:51:00", EntryKind::Approval, "approve by dee: now"),
        of(5, "13:51:50", EntryKind::Intent, "its steps"),
    ];
    world.ledger.size = 6;
    world.ledger.entries = Arc::new(entries);
    world
}
