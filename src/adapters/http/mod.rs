//! HTTP as every adapter speaks it: deadlines, bounds, no redirects, pacing, and a credential that goes to one origin only.

mod answer;
mod cache;
mod client;
mod credential;
mod follow;
mod pace;
mod tls;
mod withheld;

pub use answer::{Answer, MOST_BYTES};
pub use client::{HttpClient, Jitter, segment};
pub use credential::Credential;
