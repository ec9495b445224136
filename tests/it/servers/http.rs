//! What tests of HTTP adapters share: a client for an address, a clock, the TLS provider.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use gonogo::adapters::http::{Credential, HttpClient};
use gonogo::config::settings::{Address, BackendSettings};
use gonogo::model::catalog::BackendKind;
use gonogo::model::time::{Boot, Moment};
use gonogo::ports::clock::Clock;

/// The machine's clock.
pub struct RealClock(tokio::time::Instant);

impl RealClock {
    /// A clock that starts now.
    pub fn start() -> Arc<Self> {
        Arc::new(Self(tokio::time::Instant::now()))
    }
}

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "tests against real servers live in real time")]
    fn now(&self) -> Moment {
        Moment { wall: Utc::now(), boot: self.awake() }
    }

    fn awake(&self) -> Boot {
        Boot::default().plus(self.0.elapsed())
    }

    fn boot_id(&self) -> String {
        "test".to_owned()
    }
}

/// Settings for a backend at an address.
pub fn settings(kind: BackendKind, url: &str, deadline: Duration) -> BackendSettings {
    BackendSettings {
        name: kind.word().parse().unwrap(),
        kind,
        address: Address::Http(url.to_owned()),
        token: None,
        user: None,
        password: None,
        ca_file: None,
        insecure: false,
        deadline,
        file: None,
        namespace: None,
    }
}

/// A client without a credential.
pub fn client(kind: BackendKind, url: &str) -> HttpClient {
    client_with(kind, url, Duration::from_secs(10), &Credential::Nothing)
}

/// A client with a deadline and a credential; its tries follow each other as quickly as the jitter allows.
pub fn client_with(kind: BackendKind, url: &str, deadline: Duration, credential: &Credential) -> HttpClient {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    HttpClient::new(&settings(kind, url, deadline), credential, RealClock::start()).unwrap().with_jitter(Arc::new(|| 0.0))
}
