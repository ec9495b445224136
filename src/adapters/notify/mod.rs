//! Receivers of notices: webhooks that take CloudEvents, and chats that take a line of text.
#![doc = include_str!("RECEIVERS.md")]

mod event;
mod line;
mod signature;
pub mod webhook;
