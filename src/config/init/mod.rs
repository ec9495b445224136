//! `gonogo init`: where is looked, what was found, and the configuration that is made of it; nothing here looks itself.

pub mod found;
pub mod places;
mod quoted;
mod services;
mod text;

#[cfg(test)]
mod tests;

pub use found::Found;
pub use places::Places;
pub use text::{Written, written};
