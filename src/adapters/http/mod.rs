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
mod withheld;
mod write;

pub use announce::Announcement;
pub use answer::{Answer, MOST_BYTES};
pub use build::Trust;
pub use client::{HttpClient, Jitter};
pub use credential::Credential;
pub use segment::segment;
