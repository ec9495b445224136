//! The contract of `ports::traffic`: what every adapter must do, through a bench that each adapter's tests build.

use std::collections::BTreeMap;

use gonogo::model::capability::Capability;
use gonogo::model::catalog::TrafficEntry;
use gonogo::model::deed::{Effect, Permit, Recorded};
use gonogo::model::error::{PortErrorKind, SendError};
use gonogo::model::intent::Verb;
use gonogo::model::name::{BackendName, PoolName, ServerName};
use gonogo::model::plan::{ORDER_FORMAT, Order, StepEffect};
use gonogo::model::traffic::{Pool, ServerState, Weights};
use gonogo::ports::traffic::Traffic;

/// A router under test: one pool with one server in each slot, the first with all weight, the second with none.
pub trait Bench: Sync {
    /// The adapter.
    fn traffic(&self) -> &dyn Traffic;
    /// The pool and its slots.
    fn entry(&self) -> TrafficEntry;
    /// Sends requests: how many each server answered. Fails when one fails.
    fn requests(&self, count: u32) -> BTreeMap<ServerName, u32>;
    /// Whether the router counts requests by server.
    fn counts(&self) -> bool {
        true
    }
    /// Whether it draws a server for each request by chance, rather than in turn.
    fn draws(&self) -> bool {
        false
    }
    /// Sets a weight without the adapter.
    fn foreign(&self, server: &ServerName, weight: u32);
    /// Makes a server fail its checks for good.
    fn fell(&self, server: &ServerName);
}

/// Weights from pairs.
pub fn weights(pairs: &[(&str, u32)]) -> Weights {
    pairs.iter().map(|(name, weight)| (ServerName::new(name).unwrap(), *weight)).collect()
}

/// An effect as the engine would make it.
pub fn effect(what: StepEffect, expect: Option<Weights>) -> Effect {
    let order = Order {
        begins: None,
        train: None,
        back: Vec::new(),
        left: Vec::new(),
        break_glass: None,
        change_type: gonogo::model::change::ChangeType::Normal,
        effects: vec![what],
        ends: None,
        expires: "2030-01-01T00:00:00.000Z".to_owned(),
        format: ORDER_FORMAT,
        installation: "test".to_owned(),
        nonce: "1".to_owned(),
        of: None,
        rollout: None,
        percent: None,
        requester: "ana".to_owned(),
        rules: String::new(),
        targets: Vec::new(),
        text: None,
        ticket: None,
        verb: Verb::Shift,
    };
    let plan = order.id().unwrap();
    Effect::join(&Permit::grant(plan), Recorded::attest(plan, 0, 1), &order, expect).unwrap()
}

/// A weights effect.
pub fn shift(backend: &BackendName, pool: &PoolName, wished: Weights, expect: Option<Weights>) -> Effect {
    effect(StepEffect::Weights { backend: backend.clone(), pool: pool.clone(), weights: wished }, expect)
}

/// The pool as read now.
pub async fn read(traffic: &dyn Traffic, pool: &PoolName) -> Pool {
    traffic.read(std::slice::from_ref(pool)).await.unwrap().pools.remove(pool).unwrap()
}

/// The set weights as read now.
pub async fn now(traffic: &dyn Traffic, pool: &PoolName) -> Weights {
    read(traffic, pool).await.servers.into_iter().map(|server| (server.name, server.weight)).collect()
}

/// The kind of a failure that surely had no effect.
pub fn not_done(result: Result<(), SendError>) -> PortErrorKind {
    match result {
        Err(SendError::NotDone(error)) => error.kind,
        other => panic!("expected NotDone, got {other:?}"),
    }
}

/// The whole contract.
pub async fn keeps(bench: &dyn Bench) {
    let (traffic, entry) = (bench.traffic(), bench.entry());
    let (first, second) = (&entry.first[0], &entry.second[0]);
    let both = |one: u32, two: u32| Weights::from([(first.clone(), one), (second.clone(), two)]);
    let shift = |wished: Weights, expect: Weights| shift(&entry.backend, &entry.pool, wished, Some(expect));

    // A pool that is not there is no error of the one that is.
    let nowhere = PoolName::new("be_nowhere").unwrap();
    let asked = [nowhere.clone(), entry.pool.clone()];
    let reading = traffic.read(&asked).await.unwrap();
    assert_eq!(reading.missing, std::slice::from_ref(&nowhere));
    assert_eq!(reading.pools.keys().collect::<Vec<_>>(), [&entry.pool]);
    assert!(reading.process.pid.is_some_and(|pid| pid > 0) || reading.process.start_mark > 0, "{:?}", reading.process);
    let full = reading.pools[&entry.pool].server(first).unwrap().weight;
    assert!(reading.pools[&entry.pool].servers.iter().all(|server| server.state == ServerState::Up));
    assert_eq!(now(traffic, &entry.pool).await, both(full, 0));

    // A shift is set, counted, and not written a second time.
    traffic.set_weights(&shift(both(80, 20), both(full, 0))).await.unwrap();
    assert_eq!(now(traffic, &entry.pool).await, both(80, 20));
    traffic.set_weights(&shift(both(80, 20), both(80, 20))).await.unwrap();
    let before = read(traffic, &entry.pool).await;
    let answered = bench.requests(300);
    let after = read(traffic, &entry.pool).await;
    for server in [first, second] {
        let count = |pool: &Pool| pool.server(server).unwrap().requests;
        let counted = count(&after).zip(count(&before)).map(|(after, before)| after - before);
        let given = u64::from(answered.get(server).copied().unwrap_or(0));
        assert_eq!(counted, bench.counts().then_some(given), "requests of {server}");
    }
    // 60 of 300 in turn; by chance the standard error is 7, of which four are allowed: one run of 16,000 strays.
    let strays = if bench.draws() { 28 } else { 10 };
    assert!((60 - strays..=60 + strays).contains(&answered[second]), "{answered:?}");

    // Everything over, and back.
    traffic.set_weights(&shift(both(0, 100), both(80, 20))).await.unwrap();
    assert_eq!(bench.requests(20), BTreeMap::from([(second.clone(), 20)]));
    traffic.set_weights(&shift(both(100, 0), both(0, 100))).await.unwrap();
    assert_eq!(bench.requests(20), BTreeMap::from([(first.clone(), 20)]));

    // What is not as planned is not written.
    bench.foreign(second, 7);
    assert_eq!(not_done(traffic.set_weights(&shift(both(50, 50), both(100, 0))).await), PortErrorKind::Conflict);
    assert_eq!(now(traffic, &entry.pool).await, both(100, 7));
    bench.foreign(second, 0);

    // Names that are not there.
    let elsewhere = effect(StepEffect::Weights { backend: entry.backend.clone(), pool: nowhere, weights: both(50, 50) }, None);
    assert_eq!(not_done(traffic.set_weights(&elsewhere).await), PortErrorKind::NotFound);
    let nobody = Weights::from([(first.clone(), 50), (ServerName::new("nobody").unwrap(), 50)]);
    assert_eq!(not_done(traffic.set_weights(&shift(nobody, both(100, 0))).await), PortErrorKind::NotFound);

    // What no router of this kind does.
    let cancel = StepEffect::Cancel { backend: entry.backend.clone(), builder: "b".to_owned(), run: 1 };
    assert_eq!(not_done(traffic.set_weights(&effect(cancel, None)).await), PortErrorKind::Unsupported);

    // One server drains and comes back, its weight untouched; a router that cannot says so.
    let drain = |server: &ServerName, drains, was| {
        effect(StepEffect::Drain { backend: entry.backend.clone(), pool: entry.pool.clone(), server: server.clone(), drains, was }, None)
    };
    if traffic.capabilities().contains(&Capability::Drain) {
        drains(bench, &drain).await;
    } else {
        assert_eq!(not_done(traffic.drain(&drain(second, true, ServerState::Up)).await), PortErrorKind::Unsupported);
    }

    // Never all 0, never to where nobody is up.
    assert_eq!(not_done(traffic.set_weights(&shift(both(0, 0), both(100, 0))).await), PortErrorKind::Refused);
    bench.fell(second);
    assert_eq!(not_done(traffic.set_weights(&shift(both(50, 50), both(100, 0))).await), PortErrorKind::Refused);
    assert_eq!(now(traffic, &entry.pool).await, both(100, 0));
    assert_eq!(read(traffic, &entry.pool).await.server(second).unwrap().state, ServerState::Down);
}

/// What a router does that can drain single servers; the first one has all weight, before and afterwards.
async fn drains(bench: &dyn Bench, drain: &(dyn Fn(&ServerName, bool, ServerState) -> Effect + Sync)) {
    let (traffic, entry) = (bench.traffic(), bench.entry());
    let (first, second) = (&entry.first[0], &entry.second[0]);
    // Where nobody else has a weight every new request would fail.
    assert_eq!(not_done(traffic.drain(&drain(first, true, ServerState::Up)).await), PortErrorKind::Refused);
    bench.foreign(second, 100);
    traffic.drain(&drain(second, true, ServerState::Up)).await.unwrap();
    let pool = read(traffic, &entry.pool).await;
    let state = |pool: &Pool, name: &ServerName| (pool.server(name).unwrap().state, pool.server(name).unwrap().weight);
    assert_eq!((state(&pool, first), state(&pool, second)), ((ServerState::Up, 100), (ServerState::Draining, 100)));
    assert_eq!(bench.requests(20), BTreeMap::from([(first.clone(), 20)]), "a server that drains takes nothing new");
    traffic.drain(&drain(second, true, ServerState::Up)).await.expect("as wished already");
    // The last one that takes requests stays, and another hand's word is not overwritten.
    assert_eq!(not_done(traffic.drain(&drain(first, true, ServerState::Up)).await), PortErrorKind::Refused);
    assert_eq!(not_done(traffic.drain(&drain(second, false, ServerState::Maintenance)).await), PortErrorKind::Conflict);
    traffic.drain(&drain(second, false, ServerState::Draining)).await.unwrap();
    let answered = bench.requests(20);
    assert!(answered[second] > 0 && answered[first] > 0, "{answered:?}");
    bench.foreign(second, 0);
    let nobody = ServerName::new("nobody").unwrap();
    assert_eq!(not_done(traffic.drain(&drain(&nobody, true, ServerState::Up)).await), PortErrorKind::NotFound);
}
