//! Envoy, Traefik and Caddy as they are: the contract on each, the commands for a person, and what each does when it breaks in the middle.

mod any;
mod caddy;
mod envoy;
mod traefik;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gonogo::adapters::http::Credential;
use gonogo::adapters::traffic::caddy::Caddy;
use gonogo::adapters::traffic::envoy::Envoy;
use gonogo::adapters::traffic::traefik::Traefik;
use gonogo::model::catalog::{BackendKind, TrafficEntry};
use gonogo::model::error::{PortError, SendError};
use gonogo::model::name::{BackendName, PoolName, ServerName};
use gonogo::model::plan::StepEffect;
use gonogo::model::traffic::Weights;
use gonogo::ports::traffic::Traffic;

use crate::contract::traffic::{Bench, shift, weights};
use crate::servers::http::client_with;
use crate::servers::router::Router;

/// The routers behind HTTP.
const KINDS: [BackendKind; 3] = [BackendKind::Envoy, BackendKind::Traefik, BackendKind::Caddy];

/// The name under which `client_with` configures a router.
fn name(kind: BackendKind) -> BackendName {
    kind.word().parse().unwrap()
}

fn pool(kind: BackendKind) -> PoolName {
    let pool = match kind {
        BackendKind::Envoy => crate::servers::envoy::POOL,
        BackendKind::Traefik => crate::servers::traefik::POOL,
        BackendKind::Caddy => crate::servers::caddy::POOL,
        other => panic!("{other:?} is no router behind HTTP"),
    };
    PoolName::new(pool).unwrap()
}

/// An adapter at an address, which may be a go-between's; `file` is Traefik's.
fn adapter(kind: BackendKind, url: &str, file: &Path, deadline: Duration) -> Box<dyn Traffic> {
    let http = client_with(kind, url, deadline, &Credential::Nothing);
    match kind {
        BackendKind::Envoy => Box::new(Envoy::new(http)),
        BackendKind::Traefik => Box::new(Traefik::new(http, Some(file)).unwrap()),
        BackendKind::Caddy => Box::new(Caddy::new(http)),
        other => panic!("{other:?} is no router behind HTTP"),
    }
}

/// A running router of a kind, with its adapter.
struct Real {
    kind: BackendKind,
    router: Router,
    adapter: Box<dyn Traffic>,
}

impl Real {
    fn start(kind: BackendKind) -> Self {
        let router = match kind {
            BackendKind::Envoy => crate::servers::envoy::start(),
            BackendKind::Traefik => crate::servers::traefik::start(),
            BackendKind::Caddy => crate::servers::caddy::start(),
            other => panic!("{other:?} is no router behind HTTP"),
        };
        Self::over(kind, router)
    }

    fn over(kind: BackendKind, router: Router) -> Self {
        let file = if kind == BackendKind::Traefik { crate::servers::traefik::file(&router) } else { "nothing".into() };
        let adapter = adapter(kind, &router.url(), &file, Duration::from_secs(5));
        Self { kind, router, adapter }
    }

    /// Another adapter for the same router behind an address.
    fn through(&self, url: &str, deadline: Duration) -> Box<dyn Traffic> {
        let file = if self.kind == BackendKind::Traefik { crate::servers::traefik::file(&self.router) } else { "nothing".into() };
        adapter(self.kind, url, &file, deadline)
    }

    async fn now(&self) -> Weights {
        crate::contract::traffic::now(self.adapter.as_ref(), &pool(self.kind)).await
    }

    /// A shift from the first weights.
    async fn shift(&self, by: &dyn Traffic, one: u32, two: u32) -> Result<(), SendError> {
        let (wished, expect) = (weights(&[("v1", one), ("v2", two)]), weights(&[("v1", 100), ("v2", 0)]));
        by.set_weights(&shift(&name(self.kind), &pool(self.kind), wished, Some(expect))).await
    }
}

impl Bench for Real {
    fn traffic(&self) -> &dyn Traffic {
        self.adapter.as_ref()
    }

    fn entry(&self) -> TrafficEntry {
        let server = |name| vec![ServerName::new(name).unwrap()];
        TrafficEntry {
            backend: name(self.kind),
            pool: pool(self.kind),
            first: server("v1"),
            second: server("v2"),
            testers: None,
            mirror: None,
        }
    }

    fn requests(&self, count: u32) -> BTreeMap<ServerName, u32> {
        self.router.requests(count).into_iter().map(|(name, count)| (ServerName::new(&name).unwrap(), count)).collect()
    }

    fn counts(&self) -> bool {
        self.kind != BackendKind::Caddy
    }

    fn draws(&self) -> bool {
        self.kind == BackendKind::Envoy
    }

    fn foreign(&self, server: &ServerName, weight: u32) {
        match self.kind {
            BackendKind::Envoy => crate::servers::envoy::set(&self.router, &format!("routing.checkout.{server}"), &weight.to_string()),
            BackendKind::Traefik => traefik::foreign(&self.router, server.as_str(), weight),
            BackendKind::Caddy => caddy::foreign(&self.router, server.as_str(), weight),
            other => panic!("{other:?} is no router behind HTTP"),
        }
    }

    fn fell(&self, server: &ServerName) {
        self.router.backs.iter().find(|back| back.name == server.as_str()).unwrap().sicken();
        match self.kind {
            BackendKind::Envoy => envoy::fell(&self.router, server.as_str()),
            BackendKind::Traefik => traefik::fell(&self.router, server.as_str()),
            BackendKind::Caddy => caddy::fell(&self.router),
            other => panic!("{other:?} is no router behind HTTP"),
        }
    }
}

/// What a person would paste for a shift.
fn commands(real: &Real, one: u32, two: u32) -> Vec<String> {
    let weights = weights(&[("v1", one), ("v2", two)]);
    real.adapter.commands(&StepEffect::Weights { backend: name(real.kind), pool: pool(real.kind), weights })
}

/// Pastes a line into a shell.
fn paste(line: &str) {
    let said = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(said.status.success(), "{line}: {}", String::from_utf8_lossy(&said.stderr));
}

fn unknown(result: Result<(), SendError>) -> PortError {
    match result {
        Err(SendError::Unknown(error)) => error,
        other => panic!("expected Unknown, got {other:?}"),
    }
}

fn refused(result: Result<(), SendError>) -> PortError {
    match result {
        Err(SendError::NotDone(error)) => error,
        other => panic!("expected NotDone, got {other:?}"),
    }
}
