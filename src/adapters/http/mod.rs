//! HTTP as every adapter speaks it: deadlines, bounds, no redirects, pacing, and a credential that goes to one origin only.

mod announce;
mod answer;
mod build;
mod cache;
mod client;
mod credential;
mod follow;
mod pace;
mod segment;
mod tls;
mod write;

pub use announce::{Announcement, Patience, usual};
pub use answer::{Answer, MOST_BYTES};
pub use build::Trust;
pub use client::{HttpClient, Jitter};
pub use credential::Credential;
pub use segment::segment;

/// A client without credentials for one request: no redirects, no proxies, the system's authorities. `plain`: the address has no certificate.
///
/// # Errors
/// In words, when it cannot be built.
pub async fn bare_client(plain: bool, deadline: std::time::Duration) -> Result<reqwest::Client, String> {
    build::client(build::Trust::default(), plain, deadline).await.map_err(|(_, why)| why)
}
