//! Ways out as files: what the ledger says in the forms that others read. Each is made of one dossier after the other, so that a long
//! ledger needs no more memory than a short one, and of nothing but the ledger and the configuration, so that it comes out the same again.
#![doc = ""]
#![doc = include_str!("FORMATS.md")]

pub mod csv;
pub mod in_toto;
pub mod notes;
pub mod oscal;
pub mod slo_rules;
pub mod slo_tests;
pub mod topic;
pub mod uuid5;

/// What names of our own begin with in formats that ask for a URI. The domain can never be anybody's: nothing is there to be fetched.
pub const NAMES: &str = "https://gonogo.invalid/ns";
