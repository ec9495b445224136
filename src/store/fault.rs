//! Turns what SQLite, the file system and the key say into the ledger's two failures, with what to do about them.

use std::io::ErrorKind;

use crate::model::text::Text;
use crate::ports::ledger::LedgerError;

/// The record cannot be written.
pub fn unwritable(what: impl std::fmt::Display) -> LedgerError {
    LedgerError::Unwritable(Text::clean_within(&what.to_string(), 600))
}

/// The record cannot be read or does not hold together.
pub fn broken(what: impl std::fmt::Display) -> LedgerError {
    LedgerError::Broken(Text::clean_within(&what.to_string(), 600))
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).and_then(|code| code.parse::<i32>().ok());
        // The low byte is SQLite's primary result code.
        match code.map(|code| code & 0xff) {
            Some(13) => unwritable(format!("{error}; make room on the disk that holds the store")),
            Some(8 | 3 | 23) => unwritable(format!("{error}; give this user the right to write the store's directory and its files")),
            Some(14 | 10) => unwritable(format!("{error}; check that the store's directory is there and its disk is whole")),
            Some(5 | 6) => unwritable(format!("{error}; another program holds the store open, end it")),
            Some(_) | None => broken(format!("{error}; run `gonogo ledger verify`, then restore the store from a copy")),
        }
    }
}

/// What a failed file operation means for the record.
pub fn file(doing: &str, error: &std::io::Error) -> LedgerError {
    let kind = error.kind();
    let remedy = if matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        "make room on the disk that holds the store"
    } else if matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) {
        "give this user the right to write the store's directory and its files"
    } else {
        "check the store's path and its disk"
    };
    unwritable(format!("{doing}: {error}; {remedy}"))
}
