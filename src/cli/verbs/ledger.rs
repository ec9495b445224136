//! `gonogo ledger list|verify`.

use std::sync::Arc;

use crate::adapters::clock::SystemClock;
use crate::cli::exit::Exit;
use crate::cli::{compose, json, out, settle};
use crate::config::surroundings::{Flags, Surroundings};
use crate::ports::ledger::Ledger as _;
use crate::store::SqliteStore;

async fn open(around: &Surroundings, flags: &Flags) -> Result<SqliteStore, Exit> {
    let loaded = settle::needed(around, flags)?;
    let path = compose::store_path(&loaded.config, around);
    if !path.join("ledger.db").exists() {
        out::words(&format!("gonogo: there is no ledger in {}", path.display()));
        return Err(Exit::Ledger);
    }
    SqliteStore::open(&path, Arc::new(SystemClock), None).await.map_err(|error| {
        out::words(&format!("gonogo: {error}"));
        Exit::Ledger
    })
}

/// Lists entries, oldest first.
pub async fn list(around: &Surroundings, flags: &Flags, as_json: bool) -> Exit {
    let store = match open(around, flags).await {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let rows = match store.entries(0, u32::MAX).await {
        Ok(rows) => rows,
        Err(error) => {
            out::words(&format!("gonogo: {error}"));
            return Exit::Ledger;
        }
    };
    if as_json {
        out::json(&json::entries(&rows));
        return Exit::Done;
    }
    for row in rows {
        let deed = row.deed.map(|deed| deed.short()).unwrap_or_default();
        let what = [row.verb, row.target].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let who = row.requester.unwrap_or_else(|| row.signer.clone());
        out::line(&format!(
            "{:>5} {} {:<11} {deed:<8} {what:<28} {who:<12} {}",
            row.n,
            row.at.format("%Y-%m-%d %H:%M:%SZ"),
            row.kind.word(),
            row.words
        ));
    }
    Exit::Done
}

/// Checks every entry; exit 11 when the ledger is not intact.
pub async fn verify(around: &Surroundings, flags: &Flags, as_json: bool) -> Exit {
    let store = match open(around, flags).await {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let found = match store.verify().await {
        Ok(found) => found,
        Err(error) => {
            out::words(&format!("gonogo: {error}"));
            if as_json {
                out::json(&json::unverified(&error));
            }
            return Exit::Ledger;
        }
    };
    if as_json {
        out::json(&json::verification(&found));
    } else if found.intact {
        out::line(&format!("intact: {} entries", found.entries));
    } else {
        let place = found.first_bad.map(|n| format!(" at entry {n}")).unwrap_or_default();
        let why = found.reason.as_ref().map(ToString::to_string).unwrap_or_default();
        out::line(&format!("NOT INTACT{place}: {why}"));
    }
    if found.intact { Exit::Done } else { Exit::Ledger }
}
