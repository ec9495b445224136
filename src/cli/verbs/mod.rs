//! The verbs, one a file.

pub mod advise;
pub mod answer;
pub mod canary;
pub mod changes;
pub mod completions;
pub mod config;
pub mod deed;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod glass;
pub mod grant;
pub mod ledger;
pub mod outbox;
pub mod plan;
pub mod policy;
pub mod render;
pub mod rollout;
pub mod room;
pub mod rule;
pub mod show;
pub mod slo;
pub mod status;
pub mod trace;
pub mod watch;
pub mod whoami;
