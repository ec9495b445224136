//! One file a screen, each with what it remembers for its operator and how it is drawn.

pub mod board;
pub mod changes;
pub mod detail;
pub mod entry;
pub mod help;
pub mod incident;
pub mod ledger;
pub mod links;
pub mod many;
pub mod map;
pub mod pipeline;
pub mod plan;
pub mod roles;
pub mod rollout;
pub mod ruling;
pub mod schedule;
