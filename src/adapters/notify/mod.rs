//! Receivers of notices: webhooks that take CloudEvents, chats that take a line of text, and dashboards that mark deployments.
#![doc = include_str!("RECEIVERS.md")]

mod deployment;
mod event;
pub mod grafana;
mod line;
pub mod otlp;
pub mod pushgateway;
mod signature;
pub mod webhook;
