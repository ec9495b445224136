//! The tables that stand alone: `[room]`, `[store]`, `[ledger]`.

use std::path::PathBuf;

use super::super::file::Fields;
use super::super::problem::{At, Findings};
use super::super::settings::{LedgerSettings, StoreSettings};
use crate::model::catalog::Room;

pub(super) const ROOM: &[&str] = &["name", "timezone", "theme", "keymap", "bell", "notify", "title", "mouse", "read_only"];
pub(super) const STORE: &[&str] = &["path", "journal_days", "journal_bytes"];
pub(super) const LEDGER: &[&str] = &["witness", "break_glass"];

/// `[room]`.
pub(super) fn room(root: &Fields<'_>, found: &mut Findings) -> Room {
    let mut room = Room {
        name: "gonogo".to_owned(),
        timezone: "UTC".to_owned(),
        theme: "default".to_owned(),
        keymap: "default".to_owned(),
        bell: false,
        notify: false,
        title: false,
        mouse: false,
        read_only: false,
    };
    let Some(fields) = root.get("room").and_then(|node| Fields::open(node, "[room]", ROOM, found)) else { return room };
    for (key, place) in
        [("name", &mut room.name), ("timezone", &mut room.timezone), ("theme", &mut room.theme), ("keymap", &mut room.keymap)]
    {
        if let Some(text) = fields.text(key, found) {
            text.clone_into(place);
        }
    }
    if let Some(node) = fields.get("timezone") {
        refuse_zone(node.at, &room.timezone, found);
    }
    room.bell = fields.flag("bell", found).unwrap_or(false);
    room.notify = fields.flag("notify", found).unwrap_or(false);
    room.title = fields.flag("title", found).unwrap_or(false);
    room.mouse = fields.flag("mouse", found).unwrap_or(false);
    room.read_only = fields.flag("read_only", found).unwrap_or(false);
    room
}

/// Notes a zone that is none.
pub(super) fn refuse_zone(at: At, zone: &str, found: &mut Findings) {
    if zone.parse::<chrono_tz::Tz>().is_err() {
        let zones = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let right = super::super::nearest::nearest(zone, zones)
            .map_or_else(|| "an IANA name such as \"UTC\" or \"Europe/Berlin\"".to_owned(), |near| format!("`{near}`"));
        found.problem(at, &format!("`{zone}` is no time zone"), &right);
    }
}

/// `[store]`.
pub(super) fn store(root: &Fields<'_>, found: &mut Findings) -> StoreSettings {
    let mut store = StoreSettings { path: None, journal_days: 14, journal_bytes: 1_000_000_000 };
    let Some(fields) = root.get("store").and_then(|node| Fields::open(node, "[store]", STORE, found)) else { return store };
    if let Some(node) = fields.get("path") {
        let url = node.text("path", found).is_some_and(|text| text.contains("://"));
        if url {
            found.problem(node.at, "`path` is a URL, which a later version will read", "a directory");
        } else if !found_empty(node) {
            store.path = node.path("path", found);
        }
    }
    if let Some(days) = fields.count("journal_days", 1, 36_500, found) {
        store.journal_days = u32::try_from(days).unwrap_or(u32::MAX);
    }
    if let Some(bytes) = fields.count("journal_bytes", 1_000_000, u64::MAX, found) {
        store.journal_bytes = bytes;
    }
    store
}

/// Whether a string was already refused because nothing is in it.
fn found_empty(node: &super::super::node::Node) -> bool {
    !matches!(&node.value, super::super::node::Value::Text(text) if !text.trim().is_empty())
}

/// `[ledger]`.
pub(super) fn ledger(root: &Fields<'_>, found: &mut Findings) -> LedgerSettings {
    let Some(fields) = root.get("ledger").and_then(|node| Fields::open(node, "[ledger]", LEDGER, found)) else {
        return LedgerSettings::default();
    };
    let witness = fields.texts("witness", found);
    let witness = witness.into_iter().map(|(at, text)| found.directory(at).map_or_else(|| PathBuf::from(text), |base| base.join(text)));
    LedgerSettings { witness: witness.collect(), break_glass: fields.path("break_glass", found) }
}
