//! The configuration: layers of files, environment and flags, checked with line numbers, turned into model types.

mod address;
mod check;
mod chord;
pub mod duration;
pub mod example;
mod feeds;
mod file;
pub mod init;
pub mod keymap;
mod layers;
pub mod load;
mod merge;
mod names;
pub mod nearest;
mod node;
pub mod placeholder;
pub mod problem;
pub mod redacted;
pub mod scenario;
pub mod schema;
pub mod secret;
mod secret_words;
pub mod settings;
pub mod smells;
pub mod sshkey;
pub mod surroundings;
pub mod theme;
pub mod trust;
mod untrusted;
pub mod weighted;
pub mod withheld;
mod yaml;

#[cfg(test)]
mod tests;

pub use load::{Loaded, load};
pub use problem::{Place, Problem, Problems};
pub use surroundings::{Flags, Surroundings};
