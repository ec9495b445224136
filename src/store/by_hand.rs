//! How an auditor checks the record without gonogo.
#![doc = ""]
#![doc = include_str!("AUDITORS.md")]
