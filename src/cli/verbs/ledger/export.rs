//! `gonogo ledger export`.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use super::{failed, open};
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::config::surroundings::{Flags, Surroundings};

/// Writes the whole ledger into a file. Exit 11 when the ledger is not intact: then the file shows how.
pub async fn run(around: &Surroundings, flags: &Flags, to: &Path) -> Exit {
    let store = match open(around, flags).await {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let export = match store.export(None).await {
        Ok(export) => export,
        Err(error) => return failed(&error),
    };
    // One file or the former one, never half of one: others may look at it meanwhile.
    let mut draft = to.as_os_str().to_owned();
    draft.push(".part");
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(&export)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| std::fs::rename(&draft, to)) {
        out::words(&format!("gonogo: failed to write {}: {error}; name a file in a directory that you may write", to.display()));
        return Exit::Failed;
    }
    match store.condition() {
        Some(why) => {
            out::words(&format!("gonogo: exported, but the ledger is not intact: {why}"));
            Exit::Ledger
        }
        None => Exit::Done,
    }
}
