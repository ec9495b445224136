//! What is to be mended about the store: who may read it, how much room is left, where its second places lie.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Finding;
use crate::store::Facts;

/// So much room is little, whatever is configured.
const LITTLE: u64 = 500_000_000;

/// A number of bytes in words.
pub fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let unit = UNITS.iter().find(|(size, _)| count >= *size);
    unit.map_or_else(
        || format!("{count} B"),
        |(size, unit)| {
            let tenths = count.saturating_mul(10).checked_div(*size).unwrap_or_default();
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        },
    )
}

/// In one line.
pub fn words(path: &Path, facts: &Facts) -> String {
    let size = |count: Option<u64>| count.map_or_else(|| "not there".to_owned(), bytes);
    let schema = facts.schema.map_or_else(String::new, |schema| format!(", schema {schema}"));
    let whole = match facts.whole {
        Some(true) => ", its pages are whole (`gonogo ledger verify` reads every entry)",
        Some(false) => ", ITS PAGES ARE NOT WHOLE",
        None => "",
    };
    let mode = facts
        .mode
        .map_or_else(String::new, |mode| format!(", mode {mode:04o}{}", if is_shared(mode) { ", shared with its group" } else { "" }));
    let free = facts.free_bytes.map_or_else(String::new, |free| format!(", {} free", bytes(free)));
    format!("{}: ledger {}, journal {}{free}{schema}{mode}{whole}", path.display(), size(facts.ledger_bytes), size(facts.journal_bytes))
}

fn is_shared(mode: u32) -> bool {
    mode & 0o070 != 0
}

/// What is to be mended. `journal`: how large the journal may become; `witnesses`: the second places with the file systems they lie on.
pub fn findings(path: &Path, facts: &Facts, journal: u64, witnesses: &[(PathBuf, Option<u64>)]) -> Vec<Finding> {
    let mut found = Vec::new();
    let at = path.display();
    let mut say = |told: String, fix: String| found.push(Finding::new("store", told, fix));
    if facts.whole == Some(false) {
        say(
            "SQLite finds pages of the ledger that are not whole".to_owned(),
            format!("copy {at} away as it is, then run `gonogo ledger verify` and restore the last good copy"),
        );
    }
    if let Some(mode) = facts.mode.filter(|mode| mode & 0o007 != 0) {
        say(format!("everybody on this machine may enter {at} (mode {mode:04o})"), format!("run `chmod o-rwx {at}`"));
    }
    let shared = facts.mode.is_some_and(is_shared);
    if let Some(mode) = facts.key_mode.filter(|mode| mode & if shared { 0o037 } else { 0o077 } != 0) {
        let right = if shared { "640" } else { "600" };
        say(format!("the process key may be read by others (mode {mode:04o})"), format!("run `chmod {right} {at}/process.key`"));
    }
    let room = journal.saturating_sub(facts.journal_bytes.unwrap_or_default()).max(LITTLE);
    if let Some(free) = facts.free_bytes.filter(|free| *free < room) {
        let told = format!("{} are free, and the journal may still grow by {}", bytes(free), bytes(room));
        say(told, "make room, lower `[store] journal_bytes`, or move the store with `path`".to_owned());
    }
    for (place, device) in witnesses {
        if device.is_some() && *device == facts.device {
            let told = format!("the witness {} lies on the same file system as the store, so that both are lost together", place.display());
            say(told, "let `[ledger] witness` name a place on another machine or disk".to_owned());
        }
    }
    found
}

/// The file system that a place lies on, or will lie on.
pub fn device(place: &Path) -> Option<u64> {
    place.ancestors().find_map(|above| std::fs::metadata(above).ok()).map(|data| data.dev())
}

/// As JSON: what is added to the object of the store.
pub fn object(path: &Path, facts: &Facts) -> Vec<(&'static str, Value)> {
    vec![
        ("path", json!(path)),
        ("schema_version", json!(facts.schema)),
        ("ledger_bytes", json!(facts.ledger_bytes)),
        ("journal_bytes", json!(facts.journal_bytes)),
        ("free_bytes", json!(facts.free_bytes)),
        ("mode", json!(facts.mode.map(|mode| format!("{mode:04o}")))),
        ("shared", json!(facts.mode.map(is_shared))),
        ("whole", json!(facts.whole)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Facts {
        Facts {
            mode: Some(0o700),
            key_mode: Some(0o600),
            ledger_bytes: Some(1_234_567),
            journal_bytes: Some(999),
            free_bytes: Some(20_000_000_000),
            device: Some(7),
            schema: Some(14),
            whole: Some(true),
        }
    }

    fn told(facts: &Facts, witnesses: &[(PathBuf, Option<u64>)]) -> String {
        let found = findings(Path::new("/var/lib/gonogo"), facts, 1_000_000_000, witnesses);
        found.iter().map(|one| format!("{}: do {}", one.told, one.fix)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_good_store_has_nothing_to_mend() {
        assert_eq!(told(&good(), &[(PathBuf::from("/mnt/other"), Some(8)), (PathBuf::from("/gone"), None)]), "");
        let words = words(Path::new("/var/lib/gonogo"), &good());
        assert!(words.contains("ledger 1.2 MB, journal 999 B, 20.0 GB free, schema 14, mode 0700, its pages are whole"), "{words}");
    }

    #[test]
    fn each_fault_of_a_store_is_told_with_what_to_do() {
        let told = told(
            &Facts { mode: Some(0o755), key_mode: Some(0o644), free_bytes: Some(1000), whole: Some(false), ..good() },
            &[(PathBuf::from("/var/backups/gonogo"), Some(7))],
        );
        for words in ["not whole", "chmod o-rwx", "chmod 640 ", "1.0 kB are free", "lies on the same file system"] {
            assert!(told.contains(words), "{words}: {told}");
        }
    }

    #[test]
    fn the_key_of_a_store_that_a_group_shares_may_be_read_by_the_group_alone() {
        assert_eq!(told(&Facts { mode: Some(0o2770), key_mode: Some(0o640), ..good() }, &[]), "");
        assert!(told(&Facts { mode: Some(0o2770), key_mode: Some(0o660), ..good() }, &[]).contains("chmod 640"));
        assert!(told(&Facts { key_mode: Some(0o640), ..good() }, &[]).contains("chmod 600"));
    }
}
