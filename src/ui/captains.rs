//! How a release captain works with gonogo.
#![doc = ""]
#![doc = include_str!("CAPTAINS.md")]
