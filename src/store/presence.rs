//! Who is here: each room writes into its owner's file who is at its keys; a file whose lock can be taken is of a dead one.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;

use super::owner::Owner;
use super::sqlite::SqliteStore;
use crate::model::presence::Presence;

/// The most that is read of a file.
const MOST: u64 = 4096;
/// The most files that are looked at.
const FILES: usize = 256;

impl SqliteStore {
    /// Says who is at the keys of this room. What goes wrong with it is nobody's trouble: then nobody is seen here.
    pub(super) fn appears(&self, presence: &Presence) {
        if let Err(error) = self.owner.says(presence) {
            tracing::debug!(%error, "who is here could not be written");
        }
    }

    /// The rooms that are open, the oldest first.
    pub(super) fn seen_here(&self) -> Vec<Presence> {
        let mut here = self.owner.here();
        here.sort();
        here
    }
}

impl Owner {
    fn says(&self, presence: &Presence) -> std::io::Result<()> {
        let Some(lock) = self.lock() else { return Ok(()) };
        let text = serde_json::to_vec(&Presence { ours: false, ..presence.clone() })?;
        // Readers take what is half written for nobody; the next look sees it whole.
        lock.set_len(0)?;
        lock.write_all_at(&text, 0)
    }

    fn here(&self) -> Vec<Presence> {
        let Some(found) = self.dir().and_then(|dir| std::fs::read_dir(dir).ok()) else { return Vec::new() };
        let one = |entry: std::fs::DirEntry| {
            // A verb's file is empty: it is not opened.
            if entry.metadata().ok()?.len() == 0 {
                return None;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            if !self.alive(&name) {
                return None;
            }
            let mut text = String::new();
            File::open(entry.path()).ok()?.take(MOST).read_to_string(&mut text).ok()?;
            let presence: Presence = serde_json::from_str(&text).ok()?;
            Some(Presence { ours: name == self.name(), ..presence })
        };
        found.flatten().take(FILES).filter_map(one).collect()
    }
}
