//! What every router keeps that copies requests, beside the contract of `ports::traffic`.

use std::collections::BTreeMap;
use std::time::Duration;

use gonogo::model::error::PortErrorKind;
use gonogo::model::name::{PoolName, ServerName};
use gonogo::model::traffic::Weights;

use super::traffic::{Bench, not_done, now, read, shift};

/// A pool `mirror` whose servers are those of the entry, with nothing copied at first.
pub async fn copies(bench: &dyn Bench, mirror: &PoolName, asked: impl Fn(&ServerName) -> u32) {
    let (traffic, entry) = (bench.traffic(), bench.entry());
    let (first, second) = (&entry.first[0], &entry.second[0]);
    let both = |one: u32, two: u32| Weights::from([(first.clone(), one), (second.clone(), two)]);
    let shift = |wished: Weights, expect: Weights| shift(&entry.backend, mirror, wished, Some(expect));
    let pool = read(traffic, mirror).await;
    assert!(pool.copies && pool.servers.iter().all(|server| server.greatest_weight == 100), "{pool:?}");
    assert!(!read(traffic, &entry.pool).await.copies);
    assert_eq!(now(traffic, mirror).await, both(0, 0));

    // A copy of every request, whose answer nobody gets.
    traffic.set_weights(&shift(both(0, 100), both(0, 0))).await.unwrap();
    let before = asked(second);
    assert_eq!(bench.requests(30), BTreeMap::from([(first.clone(), 30)]));
    let arrived = async {
        while asked(second) < before + 30 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), arrived).await.expect("a copy of each");
    assert_eq!(asked(second), before + 30);

    // More than all of them is refused, and what another hand set is not overwritten.
    assert_eq!(not_done(traffic.set_weights(&shift(both(0, 101), both(0, 100))).await), PortErrorKind::Refused);
    assert_eq!(not_done(traffic.set_weights(&shift(both(0, 0), both(0, 50))).await), PortErrorKind::Conflict);
    assert_eq!(now(traffic, mirror).await, both(0, 100));

    // To nobody, even while the new version is down.
    traffic.set_weights(&shift(both(0, 50), both(0, 100))).await.unwrap();
    bench.fell(second);
    assert_eq!(not_done(traffic.set_weights(&shift(both(0, 60), both(0, 50))).await), PortErrorKind::Refused);
    traffic.set_weights(&shift(both(0, 0), both(0, 50))).await.unwrap();
    let before = asked(second);
    assert_eq!(bench.requests(20), BTreeMap::from([(first.clone(), 20)]));
    assert_eq!(asked(second), before);
}
