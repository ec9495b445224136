//! What a router says of its pools: servers, weights, states, and counters from which the measured split is computed.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::name::{BackendName, NameError, PoolName, ServerName};
use super::text::Text;

/// A server's operational state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerState {
    /// Takes new requests.
    Up,
    /// Takes no new requests by an operator's word, finishes old ones.
    Draining,
    /// Taken out by an operator.
    Maintenance,
    /// Failed its checks.
    Down,
    /// On its way up.
    Starting,
}

impl ServerState {
    /// In words, as after "the server is".
    pub fn words(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Draining => "draining",
            Self::Maintenance => "in maintenance",
            Self::Down => "down",
            Self::Starting => "starting",
        }
    }

    /// What an operator said of it, whatever its checks say: draining, in maintenance, or up for neither.
    #[must_use]
    pub fn by_word(self) -> Self {
        match self {
            Self::Draining | Self::Maintenance => self,
            Self::Up | Self::Down | Self::Starting => Self::Up,
        }
    }

    /// What an operator said of it, in words, as after "the server is".
    pub fn said(self) -> &'static str {
        match self.by_word() {
            Self::Up | Self::Down | Self::Starting => "in balancing",
            out @ (Self::Draining | Self::Maintenance) => out.words(),
        }
    }

    /// What is said of a server that drains from then on, or no longer does.
    pub fn wished(drains: bool) -> Self {
        if drains { Self::Draining } else { Self::Up }
    }
}

/// One server of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its name.
    pub name: ServerName,
    /// The weight that was set, in the router's own unit.
    pub weight: u32,
    /// The weight that balancing uses now: 0 while down, smaller during a slow start.
    pub effective_weight: u32,
    /// The configured weight, to which a reload returns.
    pub initial_weight: u32,
    /// The greatest weight that the router takes.
    pub greatest_weight: u32,
    /// Its state.
    pub state: ServerState,
    /// Requests (or sessions) ever given to it by this process; none when the router does not count them, so that no split is measured.
    pub requests: Option<u64>,
    /// Answers 5xx since the process began; none when the router does not count them.
    pub errors: Option<u64>,
    /// Requests under way.
    pub current: u64,
}

/// One pool as read at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Its name.
    pub name: PoolName,
    /// Its servers in the router's order.
    pub servers: Vec<Server>,
    /// Its servers get copies of requests, and what they answer is thrown away. Their weights are per cent of the requests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copies: bool,
    /// The ways into the pool, each with all that a request must bear to go it; none where the router does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ways: Option<Vec<Vec<Text>>>,
}

impl Pool {
    /// The server of that name.
    pub fn server(&self, name: &ServerName) -> Option<&Server> {
        self.servers.iter().find(|server| &server.name == name)
    }

    /// Whether another server than that one takes requests now.
    pub fn serves_without(&self, name: &ServerName) -> bool {
        self.servers.iter().any(|server| &server.name != name && server.state == ServerState::Up && server.effective_weight > 0)
    }
}

/// The router's process: counters compare only between two reads of the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterProcess {
    /// The product's version.
    pub version: Text,
    /// The process; none when the router does not tell, and its start alone identifies it.
    pub pid: Option<u32>,
    /// When it started, in whole seconds.
    pub started: Option<DateTime<Utc>>,
    /// Start of the process in the router's own clock and unit, unique together with the pid; 0 when it does not tell.
    pub start_mark: u64,
}

/// All pools that were asked for, read in one exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficReading {
    /// Who answered.
    pub process: RouterProcess,
    /// The pools by name; a pool that was asked for and is not there has an entry in `missing`.
    pub pools: BTreeMap<PoolName, Pool>,
    /// Pools that were asked for and do not exist.
    pub missing: Vec<PoolName>,
}

impl TrafficReading {
    /// Whether every server of `weights` has that weight in the pool.
    pub fn stands_at(&self, pool: &PoolName, weights: &Weights) -> bool {
        let has = |pool: &Pool| weights.iter().all(|(name, weight)| pool.server(name).is_some_and(|server| server.weight == *weight));
        self.pools.get(pool).is_some_and(has)
    }

    /// A server of a pool.
    pub fn server(&self, pool: &PoolName, server: &ServerName) -> Option<&Server> {
        self.pools.get(pool)?.server(server)
    }
}

/// A server as an operator names it: by its name, with its router before it where it stands at several, `edge/v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerRef {
    /// The router; none: the only one at which it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendName>,
    /// The server.
    pub server: ServerName,
}

impl FromStr for ServerRef {
    type Err = NameError;
    fn from_str(typed: &str) -> Result<Self, NameError> {
        match typed.split_once('/') {
            Some((backend, server)) => Ok(Self { backend: Some(backend.parse()?), server: server.parse()? }),
            None => Ok(Self { backend: None, server: typed.parse()? }),
        }
    }
}

/// Absolute weights for named servers of one pool.
pub type Weights = BTreeMap<ServerName, u32>;
