//! gonogo, the release control room in a terminal.
#![doc = ""]
#![doc = include_str!("ARCHITECTURE.md")]

pub mod adapters;
pub mod analysis;
pub mod cli;
pub mod config;
pub mod control;
pub mod model;
pub mod policy;
pub mod ports;
pub mod serve;
pub mod store;
pub mod ui;
