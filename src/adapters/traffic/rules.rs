//! What every router's adapter looks at before it sets weights, and the order in which they are set.

use std::collections::BTreeMap;

use crate::model::error::PortErrorKind;
use crate::model::name::{BackendName, PoolName, ServerName};
use crate::model::plan::StepEffect;
use crate::model::traffic::{Pool, Server, ServerState, Weights};

/// Absolute weights to set, in order.
pub(super) type Sets = Vec<(ServerName, u32)>;

/// The pool and the weights of an effect for this router.
///
/// # Errors
/// What was asked for, and why it cannot be had here.
pub(super) fn asked<'a>(what: &'a StepEffect, router: &BackendName) -> Result<(&'a PoolName, &'a Weights), (&'static str, String)> {
    match what {
        StepEffect::Weights { backend, pool, weights } if backend == router => Ok((pool, weights)),
        StepEffect::Weights { backend, .. } => Err(("set weights", format!("the effect is for {backend}"))),
        StepEffect::Start { .. }
        | StepEffect::Flag { .. }
        | StepEffect::Drain { .. }
        | StepEffect::Retry { .. }
        | StepEffect::Repeat { .. }
        | StepEffect::Answer { .. }
        | StepEffect::Cancel { .. }
        | StepEffect::Silence { .. }
        | StepEffect::Workload { .. } => Err(("carry out an effect", "it only sets weights".to_owned())),
    }
}

/// What rises and what falls, each so ordered that no slot passes the share that it has before and gets after: of those that
/// rise, the one that grows least by factor is first; of those that fall, it is last. A weight that is not known counts as
/// smaller than any wish, and what becomes 0 as greater, so that never all weights are 0 on the way.
pub(super) fn order(now: &Weights, wished: &Weights) -> (Sets, Sets) {
    let mut raises: Vec<(f64, &ServerName, u32)> = Vec::new();
    let mut lowers: Vec<(f64, &ServerName, u32)> = Vec::new();
    for (server, wish) in wished {
        match now.get(server) {
            Some(weight) if weight == wish => {}
            Some(weight) if weight < wish => raises.push((f64::from(*wish) / f64::from(*weight), server, *wish)),
            Some(weight) => lowers.push((-f64::from(*wish) / f64::from(*weight), server, *wish)),
            None if *wish > 0 => raises.push((f64::from(*wish), server, *wish)),
            None => lowers.push((0.0, server, *wish)),
        }
    }
    let sorted = |mut sets: Vec<(f64, &ServerName, u32)>| {
        sets.sort_by(|one, other| one.0.total_cmp(&other.0));
        sets.into_iter().map(|(_, server, weight)| (server.clone(), weight)).collect()
    };
    (sorted(raises), sorted(lowers))
}

/// The present weights of the servers that the effect names, when they are as the plan expected them.
pub(super) fn compare(pool: &Pool, wished: &Weights, expect: Option<&Weights>) -> Result<Weights, (PortErrorKind, String)> {
    let mut before = Weights::new();
    for server in wished.keys().chain(expect.into_iter().flat_map(Weights::keys)) {
        let found = pool.server(server).ok_or_else(|| (PortErrorKind::NotFound, format!("there is no server {server}")))?;
        before.insert(server.clone(), found.weight);
    }
    for (server, planned) in expect.into_iter().flatten() {
        if let Some(weight) = before.get(server).filter(|weight| *weight != planned) {
            return Err((PortErrorKind::Conflict, format!("weight of {server} is {weight}, was {planned} when it was planned")));
        }
    }
    before.retain(|server, _| wished.contains_key(server));
    Ok(before)
}

/// Whether the wish leaves the pool served.
pub(super) fn admissible(pool: &Pool, wished: &Weights, raises: &Sets, greatest: u32) -> Result<(), String> {
    let greatest = if pool.copies { 100 } else { greatest };
    if let Some((server, weight)) = wished.iter().find(|(_, weight)| **weight > greatest) {
        return Err(format!("weight {weight} of {server} is over {greatest}"));
    }
    // Whom no copies go to, nobody misses them.
    if !pool.copies && wished.values().all(|weight| *weight == 0) {
        return Err("all weights would be 0".to_owned());
    }
    let up = |server: &ServerName| pool.server(server).is_some_and(|server| server.state == ServerState::Up);
    if !raises.is_empty() && !raises.iter().any(|(server, _)| up(server)) {
        return Err(format!("no server that gains is up: {}", states(pool, raises.iter().map(|(server, _)| server))));
    }
    let kept = wished.iter().filter(|(_, weight)| **weight > 0).map(|(server, _)| server);
    if !pool.copies && !kept.clone().any(up) {
        return Err(format!("no server that keeps a weight is up: {}", states(pool, kept)));
    }
    Ok(())
}

/// Whether a server is as wished already; else whether it may be made so.
///
/// # Errors
/// Why not: it is gone, another word stands there than the plan was made on, or nobody else would take requests.
pub(super) fn may_drain(pool: &Pool, server: &ServerName, was: ServerState, wished: ServerState) -> Result<bool, (PortErrorKind, String)> {
    let found = pool.server(server).ok_or_else(|| (PortErrorKind::NotFound, format!("there is no server {server}")))?;
    let now = found.state.by_word();
    if now == wished {
        return Ok(true);
    }
    if now != was {
        return Err((PortErrorKind::Conflict, format!("{server} is {}, was {} when it was planned", now.said(), was.said())));
    }
    if wished == ServerState::Draining && !pool.serves_without(server) {
        let others = pool.servers.iter().map(|other| &other.name).filter(|other| *other != server);
        let states = states(pool, others);
        let detail =
            if states.is_empty() { "it is the only server".to_owned() } else { format!("no other server takes requests: {states}") };
        return Err((PortErrorKind::Refused, detail));
    }
    Ok(false)
}

/// A server that several of the pools were read with counts the requests of all of them, so what is counted is of none.
pub(super) fn uncount_shared(pools: &mut BTreeMap<PoolName, Pool>) {
    let mut seen: BTreeMap<ServerName, u32> = BTreeMap::new();
    for server in pools.values().flat_map(|pool| &pool.servers) {
        *seen.entry(server.name.clone()).or_default() += 1;
    }
    let shared = |server: &&mut Server| seen.get(&server.name).is_some_and(|pools| *pools > 1);
    for server in pools.values_mut().flat_map(|pool| &mut pool.servers).filter(shared) {
        (server.requests, server.errors) = (None, None);
    }
}

fn states<'a>(pool: &Pool, servers: impl Iterator<Item = &'a ServerName>) -> String {
    let words = servers.filter_map(|name| pool.server(name)).map(|server| format!("{} is {}", server.name, server.state.words()));
    words.collect::<Vec<_>>().join(", ")
}

/// Where each weight stands, in words.
pub(super) fn standing(wished: &Weights, now: &Weights) -> String {
    let words = wished.iter().map(|(server, wish)| match now.get(server) {
        Some(now) if now == wish => format!("{server} {now} as wished"),
        Some(now) => format!("{server} {now}, wished {wish}"),
        None => format!("{server} not known, wished {wish}"),
    });
    format!("now {}", words.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn weights(numbers: &[u32]) -> Weights {
        numbers.iter().enumerate().map(|(n, weight)| (ServerName::new(&format!("v{n}")).unwrap(), *weight)).collect()
    }

    fn steps(now: &[u32], wished: &[u32]) -> Vec<(String, u32)> {
        let (raises, lowers) = order(&weights(now), &weights(wished));
        raises.into_iter().chain(lowers).map(|(server, weight)| (server.as_str().to_owned(), weight)).collect()
    }

    #[test]
    fn a_server_that_pools_share_is_counted_for_none_of_them() {
        let server = |name: &str| Server {
            name: ServerName::new(name).unwrap(),
            weight: 1,
            effective_weight: 1,
            initial_weight: 1,
            greatest_weight: 256,
            state: ServerState::Up,
            requests: Some(7),
            errors: Some(1),
            current: 0,
        };
        let pool = |name: &str, servers: &[&str]| {
            let name = PoolName::new(name).unwrap();
            let servers = servers.iter().map(|name| server(name)).collect();
            (name.clone(), Pool { name, servers, copies: false, ways: None })
        };
        let mut pools = BTreeMap::from([pool("a", &["v1", "v2"]), pool("b", &["v2"])]);
        uncount_shared(&mut pools);
        let counted: Vec<_> = pools.values().flat_map(|pool| &pool.servers).map(|server| (server.requests, server.errors)).collect();
        assert_eq!(counted, [(Some(7), Some(1)), (None, None), (None, None)]);
    }

    #[test]
    fn who_gains_is_raised_before_who_loses_is_lowered() {
        assert_eq!(steps(&[100, 0], &[80, 20]), [("v1".to_owned(), 20), ("v0".to_owned(), 80)]);
        assert_eq!(steps(&[80, 20], &[100, 0]), [("v0".to_owned(), 100), ("v1".to_owned(), 0)]);
    }

    #[test]
    fn when_both_rise_the_slot_that_gains_comes_last() {
        assert_eq!(steps(&[1, 0], &[80, 20]), [("v0".to_owned(), 80), ("v1".to_owned(), 20)]);
    }

    #[test]
    fn when_both_fall_the_slot_that_loses_comes_last() {
        assert_eq!(steps(&[200, 200], &[80, 20]), [("v0".to_owned(), 80), ("v1".to_owned(), 20)]);
    }

    #[test]
    fn what_is_as_wished_is_not_written() {
        assert_eq!(steps(&[80, 20], &[80, 20]), []);
    }

    proptest! {
        /// Each server is a slot: while the first one gains, its share never passes the greater of before and after.
        #[test]
        fn no_step_overshoots_and_none_leaves_all_at_zero(now in (0_u32..=256, 0_u32..=256), wished in (0_u32..=256, 0_u32..=256)) {
            prop_assume!(now.0 + now.1 > 0 && wished.0 + wished.1 > 0);
            let share = |one: u32, two: u32| f64::from(one) / f64::from(one + two);
            let most = share(now.0, now.1).max(share(wished.0, wished.1));
            // The same share at another scale moves through others whatever the order; a shift has no such plan.
            let gains = share(wished.0, wished.1) > share(now.0, now.1) + 1e-9;
            let mut at = [now.0, now.1];
            for (server, weight) in steps(&[now.0, now.1], &[wished.0, wished.1]) {
                at[usize::from(server == "v1")] = weight;
                prop_assert!(at[0] + at[1] > 0, "{at:?}");
                prop_assert!(!gains || share(at[0], at[1]) <= most + 1e-9, "{at:?}");
            }
        }

        #[test]
        fn without_a_reading_what_serves_is_set_before_what_no_longer_does(wished in proptest::collection::vec(0_u32..=256, 1..6)) {
            let unread = order(&Weights::new(), &weights(&wished));
            prop_assert!(unread.0.iter().all(|(_, weight)| *weight > 0));
            prop_assert!(unread.1.iter().all(|(_, weight)| *weight == 0));
            prop_assert_eq!(unread.0.len() + unread.1.len(), wished.len());
        }
    }
}
