//! HAProxy through its runtime API, over a UNIX or a TCP stats socket: reads pools, sets weights, one connection an exchange.

mod answer;
mod drain;
mod exchange;
mod shift;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::adapters::shell::quoted;
use crate::adapters::traffic::rules;
use crate::config::settings::Address;
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::{BackendName, PoolName};
use crate::model::plan::StepEffect;
use crate::model::traffic::{RouterProcess, TrafficReading, Weights};
use crate::ports::Pending;
use crate::ports::traffic::Traffic;

use answer::Wrong;
use exchange::{Failure, Place};

/// What a socket that forbids is mended by: the file's own mode and owner, and what the socket lets do.
const FORBIDDEN: &str = "give this user the right to write to the socket, and the socket `level admin` in HAProxy's configuration";

/// The greatest absolute weight that HAProxy takes.
pub const GREATEST_WEIGHT: u32 = 256;

/// The longest line of commands that is sent; HAProxy's own bound is its buffer, 16 KiB unless configured smaller.
const LONGEST_LINE: usize = 8 * 1024;

/// A pool's name, and its servers with the weights that are set.
pub type SetWeights = (String, Vec<(String, u32)>);

/// One HAProxy process group behind one stats socket. The master CLI is not supported.
pub struct Haproxy {
    name: BackendName,
    place: Place,
    deadline: Duration,
    /// Set weights as they were read last, so that commands for a person come in an order that keeps traffic served.
    seen: Mutex<BTreeMap<PoolName, Weights>>,
}

impl Haproxy {
    /// A router at a stats socket; `deadline` bounds each exchange from connecting to the last byte.
    ///
    /// # Errors
    /// [`PortErrorKind::Unsupported`] for an HTTP address.
    pub fn new(name: BackendName, address: &Address, deadline: Duration) -> Result<Self, PortError> {
        let place = match address {
            Address::Unix(path) => Place::Unix(path.clone()),
            Address::Tcp(address) => Place::Tcp(address.strip_prefix("tcp://").unwrap_or(address).to_owned()),
            Address::Http(_) | Address::Kubeconfig { .. } | Address::InCluster => {
                let detail = "its runtime API is a UNIX or tcp:// socket, not HTTP";
                return Err(PortError::new(PortErrorKind::Unsupported, &name, "use its address", detail));
            }
        };
        Ok(Self { name, place, deadline, seen: Mutex::new(BTreeMap::new()) })
    }

    fn error(&self, kind: PortErrorKind, doing: &str, detail: &str) -> PortError {
        let error = PortError::new(kind, &self.name, doing, detail);
        match error.kind {
            PortErrorKind::Forbidden => error.mended_by(FORBIDDEN),
            PortErrorKind::Unreachable
            | PortErrorKind::TimedOut
            | PortErrorKind::Unauthorised
            | PortErrorKind::NotFound
            | PortErrorKind::Conflict
            | PortErrorKind::RateLimited { .. }
            | PortErrorKind::Unsupported
            | PortErrorKind::Malformed
            | PortErrorKind::Refused => error,
        }
    }

    fn failed(&self, doing: &str, failure: &Failure) -> PortError {
        self.error(failure.kind.clone(), doing, &failure.detail)
    }

    fn wrong(&self, doing: &str, wrong: &Wrong) -> PortError {
        self.error(wrong.kind(), doing, &wrong.to_string())
    }

    async fn exchange(&self, commands: &[String]) -> Result<Vec<String>, Failure> {
        exchange::exchange(&self.place, commands, self.deadline).await
    }

    async fn read_pools(&self, pools: &[PoolName], doing: &str) -> Result<TrafficReading, PortError> {
        let asked: BTreeSet<&PoolName> = pools.iter().collect();
        let (commands, each) = questions(&asked);
        let answers = self.exchange(&commands).await.map_err(|failure| self.failed(doing, &failure))?;
        let reading = answer::reading(&asked, each, &answers).map_err(|wrong| self.wrong(doing, &wrong))?;
        self.remember(&reading);
        Ok(reading)
    }

    /// Every pool that it has, by name, with its servers and the weights that are set: what could be configured here.
    ///
    /// # Errors
    /// When the socket cannot be reached, forbids, or another product answers.
    pub async fn pools(&self) -> Result<(RouterProcess, Vec<SetWeights>), PortError> {
        const DOING: &str = "list its pools";
        let commands = ["show info".to_owned(), "show servers state".to_owned()];
        let answers = self.exchange(&commands).await.map_err(|failure| self.failed(DOING, &failure))?;
        answer::pools(&answers).map_err(|wrong| self.wrong(DOING, &wrong))
    }

    fn remember(&self, reading: &TrafficReading) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for pool in reading.pools.values() {
            seen.insert(pool.name.clone(), pool.servers.iter().map(|server| (server.name.clone(), server.weight)).collect());
        }
    }

    fn remembered(&self, pool: &PoolName) -> Weights {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(pool).cloned().unwrap_or_default()
    }
}

/// The commands of a read, and whether each pool has answers of its own. Too many pools for one line are read by asking for all.
fn questions(pools: &BTreeSet<&PoolName>) -> (Vec<String>, bool) {
    let mut commands = vec!["show info".to_owned()];
    for pool in pools {
        commands.push(format!("show servers state {pool}"));
        commands.push(format!("show stat {pool} 4 -1"));
    }
    if commands.iter().map(|command| command.len() + 1).sum::<usize>() <= LONGEST_LINE {
        return (commands, true);
    }
    (vec!["show info".to_owned(), "show servers state".to_owned(), "show stat -1 4 -1".to_owned()], false)
}

impl Traffic for Haproxy {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadTraffic, Capability::Shift, Capability::Drain]
    }

    fn read<'a>(&'a self, pools: &'a [PoolName]) -> Pending<'a, Result<TrafficReading, PortError>> {
        Box::pin(self.read_pools(pools, "read pools"))
    }

    fn set_weights<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(shift::set_weights(self, effect))
    }

    fn drain<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(drain::drain(self, effect))
    }

    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        match effect {
            StepEffect::Weights { pool, weights, .. } => {
                let (raises, lowers) = rules::order(&self.remembered(pool), weights);
                let socket = socat(&self.place);
                let sets = raises.iter().chain(&lowers);
                sets.map(|(server, weight)| format!("echo \"{}\" | socat stdio {socket}", shift::command(pool, server, *weight))).collect()
            }
            StepEffect::Drain { pool, server, drains, .. } => {
                vec![format!("echo \"{}\" | socat stdio {}", drain::command(pool, server, *drains), socat(&self.place))]
            }
            StepEffect::Flag { .. }
            | StepEffect::Start { .. }
            | StepEffect::Retry { .. }
            | StepEffect::Repeat { .. }
            | StepEffect::Answer { .. }
            | StepEffect::Cancel { .. }
            | StepEffect::Silence { .. }
            | StepEffect::Workload { .. } => Vec::new(),
        }
    }
}

/// The socket as socat's second address, quoted for a shell where it must be.
fn socat(place: &Place) -> String {
    match place {
        Place::Unix(path) => quoted(&format!("unix-connect:{}", shown(path))),
        Place::Tcp(address) => quoted(&format!("tcp-connect:{address}")),
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::ServerName;

    fn haproxy(address: &Address) -> Haproxy {
        Haproxy::new(BackendName::new("edge").unwrap(), address, Duration::from_secs(1)).unwrap()
    }

    fn commands(haproxy: &Haproxy, pairs: &[(&str, u32)]) -> Vec<String> {
        let weights = pairs.iter().map(|(name, weight)| (ServerName::new(name).unwrap(), *weight)).collect();
        let (backend, pool) = (haproxy.name.clone(), PoolName::new("be").unwrap());
        haproxy.commands(&StepEffect::Weights { backend, pool, weights })
    }

    #[test]
    fn the_commands_are_what_a_shell_takes() {
        let haproxy = haproxy(&Address::Unix("/run/haproxy/admin.sock".into()));
        let expected = [
            "echo \"set server be/v2 weight 100\" | socat stdio unix-connect:/run/haproxy/admin.sock",
            "echo \"set server be/v1 weight 0\" | socat stdio unix-connect:/run/haproxy/admin.sock",
        ];
        assert_eq!(commands(&haproxy, &[("v1", 0), ("v2", 100)]), expected);
    }

    #[test]
    fn a_path_that_a_shell_would_misread_is_quoted() {
        let haproxy = haproxy(&Address::Unix("/run/my proxy/it's.sock".into()));
        let line = commands(&haproxy, &[("v1", 1)]).concat();
        assert!(line.ends_with(r"socat stdio 'unix-connect:/run/my proxy/it'\''s.sock'"), "{line}");
    }

    #[test]
    fn an_http_address_is_not_supported() {
        let address = Address::Http("http://127.0.0.1".to_owned());
        let made = Haproxy::new(BackendName::new("edge").unwrap(), &address, Duration::from_secs(1));
        assert_eq!(made.err().map(|error| error.kind), Some(PortErrorKind::Unsupported));
    }
}
