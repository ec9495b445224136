//! Who reaches a version beside the shares, as the routers were read last: testers, and copies of requests. The same words on every screen
//! and in every verb.

use super::world::{TargetView, World};
use crate::model::catalog::{Deploy, TrafficEntry};
use crate::model::name::PoolName;
use crate::model::share::Percent;
use crate::model::slot::{Slot, Track};
use crate::model::testers::Testers;

/// How a target's testers' route and its copies stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beside {
    /// Who the testers are, and the slot that they reach; none: not read, or not the same everywhere.
    pub testers: Option<(Testers, Option<Slot>)>,
    /// How many of a hundred requests are copied, and to which slot; none where that is not configured or was not read.
    pub copies: Option<(Percent, Option<Slot>)>,
}

/// How they stand at a target.
pub fn of(world: &World, view: &TargetView) -> Beside {
    let Some(deploy) = world.catalog.deploy(&view.target) else { return Beside::default() };
    let weight = |entry: &TrafficEntry, name: &PoolName, slot: Slot| {
        let pool = world.traffic(&entry.backend).and_then(|fact| fact.value.as_ref())?.pools.get(name)?;
        Some(entry.servers(slot).iter().filter_map(|server| pool.server(server)).map(|server| server.weight).max().unwrap_or(0))
    };
    let one = |entry: &TrafficEntry| {
        let name = entry.testers.as_ref()?;
        let reached: Vec<Slot> =
            Slot::BOTH.into_iter().filter(|slot| weight(entry, name, *slot).is_some_and(|weight| weight > 0)).collect();
        if let [slot] = reached.as_slice() { Some(*slot) } else { None }
    };
    let testers = deploy.testers.clone().map(|testers| {
        let mut slots: Vec<Option<Slot>> = deploy.traffic.iter().filter(|entry| entry.testers.is_some()).map(one).collect();
        slots.dedup();
        (*testers, if let [slot] = slots.as_slice() { *slot } else { None })
    });
    let copies = deploy.traffic.iter().find_map(|entry| {
        let name = entry.mirror.as_ref()?;
        let of = |slot| weight(entry, name, slot);
        let (first, second) = (of(Slot::First)?, of(Slot::Second)?);
        let percent = |weight: u32| u8::try_from(weight).ok().and_then(Percent::new).unwrap_or(Percent::ALL);
        Some(match (first, second) {
            (0, 0) => (Percent::NONE, None),
            (0, second) => (percent(second), Some(Slot::Second)),
            (first, _) => (percent(first), Some(Slot::First)),
        })
    });
    Beside { testers, copies }
}

/// What stands in a slot: its version, or its servers where that is not known.
pub fn named(deploy: Option<&Deploy>, view: &TargetView, slot: Slot) -> String {
    let servers = || {
        let servers = deploy.and_then(|deploy| deploy.traffic.first()).map(|entry| entry.servers(slot)).unwrap_or_default();
        servers.iter().map(ToString::to_string).collect::<Vec<_>>().join("+")
    };
    view.version(slot).map_or_else(servers, |seen| seen.version.to_string())
}

/// How they stand, in words: `testers (header x-canary=yes) go to 2.5.0`; none where there are none.
pub fn words(world: &World, view: &TargetView) -> Option<String> {
    let Beside { testers, copies } = of(world, view);
    let deploy = world.catalog.deploy(&view.target);
    let name = |slot: Slot| {
        let track = Track::of(slot, view.state.stable).word();
        format!("{} ({track})", named(deploy, view, slot))
    };
    let testers = testers.map(|(testers, slot)| match slot {
        Some(slot) => format!("testers, {testers}, go to {}", name(slot)),
        None => format!("testers, {testers}: not known where they go"),
    });
    let copies = copies.map(|(percent, slot)| match slot {
        Some(slot) => format!("{percent} % of the requests are copied to {}", name(slot)),
        None => "no request is copied".to_owned(),
    });
    let both: Vec<String> = testers.into_iter().chain(copies).collect();
    (!both.is_empty()).then(|| both.join("; "))
}
