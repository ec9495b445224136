//! A router that does not count requests: the screen says that, and shows no number in their place.

use std::sync::Arc;

use super::*;
use crate::control::world::SourceFact;

#[test]
fn a_router_that_does_not_count_is_not_shown_with_zero_requests() {
    let mut world = fixture::world();
    let mut source = (**world.sources.get(&fixture::name("edge")).unwrap()).clone();
    if let SourceFact::Traffic(fact) = &mut source.fact {
        let reading = Arc::make_mut(fact.value.as_mut().unwrap());
        reading.pools.values_mut().flat_map(|pool| &mut pool.servers).for_each(|server| server.requests = None);
    }
    world.sources.insert(fixture::name("edge"), Arc::new(source));
    let target = "checkout@prod".parse().unwrap();
    let mut view = (**world.targets.get(&target).unwrap()).clone();
    view.traffic.iter_mut().for_each(|entry| entry.second_measured = None);
    world.targets.insert_mut(target, Arc::new(view));
    let mut desk = at(world, Theme::standard(), (120, 40));
    desk.press("i");
    desk.sees("requests not counted");
    desk.sees("not measured: the router does not count requests by server");
}
