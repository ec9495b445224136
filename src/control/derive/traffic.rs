//! A target's traffic from a router's readings: set share, measured share, servers that are up.

use std::time::Duration;

use crate::analysis::split::{self, Split};
use crate::analysis::weights;
use crate::control::world::{EntryTraffic, to_f64};
use crate::model::catalog::TrafficEntry;
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::traffic::{Server, ServerState, TrafficReading};

/// One router's part of a target; `previous` is the reading before with the time between the two.
pub fn entry(entry: &TrafficEntry, reading: &TrafficReading, previous: Option<(&TrafficReading, Duration)>) -> EntryTraffic {
    let pool = reading.pools.get(&entry.pool);
    let servers = |slot: Slot| -> Vec<&Server> {
        pool.map(|pool| entry.servers(slot).iter().filter_map(|name| pool.server(name)).collect()).unwrap_or_default()
    };
    let (first, second) = (servers(Slot::First), servers(Slot::Second));
    let up = |servers: &[&Server]| count(servers.iter().filter(|server| server.state == ServerState::Up).count());
    let missing = Slot::BOTH
        .iter()
        .flat_map(|slot| entry.servers(*slot))
        .filter(|name| pool.is_none_or(|pool| pool.server(name).is_none()))
        .map(|name| Text::clean(name.as_str()))
        .collect();
    let measured =
        previous.and_then(|(earlier, between)| match split::measure(earlier, reading, &entry.pool, &entry.second, &entry.first) {
            Split::Measured(measured) => Some((measured, between)),
            Split::NotComparable(_) => None,
        });
    let counted = measured.filter(|(measured, _)| measured.counted);
    let rate = counted.and_then(|(measured, between)| (!between.is_zero()).then(|| to_f64(measured.requests) / between.as_secs_f64()));
    EntryTraffic {
        backend: entry.backend.clone(),
        pool: entry.pool.clone(),
        second_set: pool.and_then(|pool| weights::share(pool, &entry.second, &entry.first)),
        second_measured: measured.and_then(|(measured, _)| Some((measured.share?, measured.requests))),
        up: [up(&first), up(&second)],
        servers: [count(first.len()), count(second.len())],
        missing,
        rate,
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
