//! Serving a session: this terminal. Nothing here knows what a deed is; keys go in, frames come out.

mod heard;
mod input;
pub mod local;
mod mouse;
mod wire;
