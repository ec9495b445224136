//! The past: the world at any moment of what was recorded, folded anew by the update that the live room uses.
//!
//! [`Reel`] gives lines of the table of events (the journal, or a file: [`recording`]); [`fold`] makes the world of them; [`traveller`]
//! goes from place to place and keeps folds on its way, so that no key folds everything again; [`export`] writes a recording out.

pub mod export;
pub mod fold;
pub mod recording;
pub mod reel;
pub mod traveller;
pub mod when;
mod words;
