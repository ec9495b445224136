//! HAProxy as it is: the contract, shifts under load, reloads, sockets without permission; and fake ones that break in the middle.

use std::collections::BTreeMap;
use std::time::Duration;

use gonogo::adapters::traffic::haproxy::Haproxy as Adapter;
use gonogo::config::settings::Address;
use gonogo::model::catalog::TrafficEntry;
use gonogo::model::name::{BackendName, PoolName, ServerName};
use gonogo::ports::traffic::Traffic;

use crate::contract::traffic::{Bench, keeps};
use crate::servers::haproxy::Haproxy;
use crate::servers::support::wait_for;

const POOL: &str = "be_checkout";

fn edge() -> BackendName {
    BackendName::new("edge").unwrap()
}

fn pool() -> PoolName {
    PoolName::new(POOL).unwrap()
}

fn adapter(address: &Address) -> Adapter {
    Adapter::new(edge(), address, Duration::from_secs(5)).unwrap()
}

struct Real {
    haproxy: Haproxy,
    adapter: Adapter,
}

impl Bench for Real {
    fn traffic(&self) -> &dyn Traffic {
        &self.adapter
    }

    fn entry(&self) -> TrafficEntry {
        let server = |name| vec![ServerName::new(name).unwrap()];
        TrafficEntry { backend: edge(), pool: pool(), first: server("v1"), second: server("v2") }
    }

    fn requests(&self, count: u32) -> BTreeMap<ServerName, u32> {
        self.haproxy.requests(POOL, count).into_iter().map(|(name, count)| (ServerName::new(&name).unwrap(), count)).collect()
    }

    fn foreign(&self, server: &ServerName, weight: u32) {
        assert_eq!(self.haproxy.ask(&format!("set server {POOL}/{server} weight {weight}")), "\n");
    }

    fn fell(&self, server: &ServerName) {
        let line = format!("disable health {POOL}/{server};set server {POOL}/{server} health down");
        assert_eq!(self.haproxy.ask(&line), "\n\n");
        wait_for("the server down", Duration::from_secs(5), || {
            self.haproxy.ask(&format!("show stat {POOL} 4 -1")).contains("DOWN").then_some(())
        });
    }
}

#[tokio::test]
async fn the_contract_is_kept_over_a_unix_socket() {
    let haproxy = Haproxy::checkout();
    let adapter = adapter(&haproxy.unix());
    keeps(&Real { haproxy, adapter }).await;
}

#[tokio::test]
async fn the_contract_is_kept_over_a_tcp_socket() {
    let haproxy = Haproxy::checkout();
    let adapter = adapter(&haproxy.tcp());
    keeps(&Real { haproxy, adapter }).await;
}
