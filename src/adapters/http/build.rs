//! The client of HTTP itself: follows nothing, tries nothing again, and trusts the authorities of one file where one is named.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Client;

use super::answer;
use crate::config::secret::Secret;
use crate::model::error::PortErrorKind;

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Whom a client trusts and as whom it shows itself, beyond what the system has and headers say.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The file of authorities that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The same as PEM, where no file has them.
    pub ca_pem: Option<Vec<u8>>,
    /// A certificate and its key, as PEM.
    pub identity: Option<Secret>,
}

/// Builds it, off the executor: reading authorities takes a while. `plain`: what it speaks to has no certificate.
pub async fn client(trust: Trust, plain: bool, deadline: Duration) -> Result<Client, answer::Fault> {
    let connect = CONNECT.min(deadline.mul_f64(0.6));
    let build = move || {
        let mut builder = Client::builder()
            .user_agent(concat!("gonogo/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(connect)
            .pool_idle_timeout(Duration::from_mins(1))
            .pool_max_idle_per_host(4);
        if let Some(identity) = trust.identity {
            // The library's words could repeat a piece of the key.
            let wrong = |_| (PortErrorKind::Unauthorised, "the client's certificate and key are no PEM that TLS takes".to_owned());
            builder = builder.identity(reqwest::Identity::from_pem(identity.expose().as_bytes()).map_err(wrong)?);
        }
        if let Some(file) = trust.ca_file {
            let unreadable = |error: String| (PortErrorKind::Unreachable, format!("ca_file {}: {error}", file.display()));
            let pem = std::fs::read(&file).map_err(|error| unreadable(error.to_string()))?;
            let roots = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| unreadable(error.to_string()))?;
            if roots.is_empty() {
                return Err(unreadable("no certificate in it".to_owned()));
            }
            builder = builder.tls_certs_only(roots);
        } else if let Some(pem) = trust.ca_pem {
            let wrong = || (PortErrorKind::Unreachable, "its certificate authority is no PEM".to_owned());
            let roots = reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| wrong())?;
            if roots.is_empty() {
                return Err(wrong());
            }
            builder = builder.tls_certs_only(roots);
        } else if plain {
            // No redirect is followed, so that a plain address never needs the roots of the system.
            builder = builder.tls_certs_only([]);
        }
        builder.build().map_err(answer::transport)
    };
    let built = tokio::task::spawn_blocking(build).await;
    built.map_err(|_| (PortErrorKind::Unreachable, "the client could not be built".to_owned()))?
}
