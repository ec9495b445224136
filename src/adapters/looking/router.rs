//! Asks a stats socket whether a HAProxy listens there, and which pools it has.

use std::path::PathBuf;
use std::time::Duration;

use crate::adapters::traffic::haproxy::Haproxy;
use crate::config::init::found::{Seen, SeenPool};
use crate::config::settings::Address;
use crate::model::catalog::BackendKind;
use crate::model::error::PortErrorKind;
use crate::model::name::BackendName;

/// The longest wait for its answer.
const WITHIN: Duration = Duration::from_secs(2);

/// Asks one socket; why no HAProxy is there, in words. One that forbids is there all the same.
pub(super) async fn ask(place: &str, from: &str) -> Result<Seen, String> {
    let address = if place.starts_with('/') { Address::Unix(PathBuf::from(place)) } else { Address::Tcp(place.to_owned()) };
    let name = BackendName::new("haproxy").map_err(|error| error.to_string())?;
    let router = Haproxy::new(name, &address, WITHIN).map_err(|error| error.to_string())?;
    match router.pools().await {
        Ok((process, pools)) => {
            let pools = pools.into_iter().map(|(name, servers)| SeenPool { name, servers });
            let says = format!("HAProxy {}", process.version);
            Ok(Seen { pools: pools.collect(), ..Seen::new(BackendKind::Haproxy, place, from, says) })
        }
        Err(error) if error.kind == PortErrorKind::Forbidden => {
            let trouble = format!("{}; {}", error.detail, error.remedy());
            Ok(Seen { trouble: Some(trouble), ..Seen::new(BackendKind::Haproxy, place, from, "a socket of HAProxy".to_owned()) })
        }
        Err(error) if error.kind == PortErrorKind::Unreachable => Err("nothing listens there".to_owned()),
        Err(error) => Err(error.detail.to_string()),
    }
}
