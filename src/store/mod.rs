//! The store: journal and ledger in SQLite.
//!
//! [`SqliteStore`] implements both ports on two files of one directory. The ledger's lines are kept in their final bytes, so
//! that an export is a copy and [`verify_lines`] sees what was signed.

mod base64;
mod begin;
pub mod by_hand;
mod check;
mod checkpoint;
mod deeds;
mod dossiers;
mod emergency;
mod entry;
mod evidence;
mod export;
mod facts;
mod fault;
mod form;
mod glance;
mod grants;
mod head;
mod imported;
mod journal;
mod ledger;
mod outbox;
mod outcome;
mod owner;
mod parts;
mod past;
mod plans;
mod presence;
mod proof;
mod query;
mod record;
mod reviews;
mod rules;
mod rulings;
mod schema;
mod second;
mod sign;
mod signers;
mod sqlite;
mod state;
mod stretches;
#[cfg(test)]
mod tests;
mod told;
mod tree;
mod watch;
mod witness;
mod write;

pub use check::verify_lines;
pub use dossiers::Look;
pub use emergency::SecondLedger;
pub use evidence::{Seen, Shown};
pub use export::Export;
pub use facts::{Facts, facts};
pub use sign::{check_sshsig, read_signers};
pub use sqlite::{Identity, SqliteStore};

/// How long a lease lasts unless it is renewed.
pub const LEASE: std::time::Duration = std::time::Duration::from_secs(30);
