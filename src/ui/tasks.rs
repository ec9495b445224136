//! What people on duty want, and the keys that it takes here and elsewhere.
#![doc = ""]
#![doc = include_str!("TASKS.md")]
