//! `gonogo ledger list|verify`; export, show and prove have files of their own.

pub mod export;
pub mod notes;
pub mod prove;
pub mod show;
mod told;

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use crate::adapters::clock::SystemClock;
use crate::cli::args::VerifyArgs;
use crate::cli::exit::Exit;
use crate::cli::{compose, json, out, settle};
use crate::config::settings::Config;
use crate::config::surroundings::{Flags, Surroundings};
use crate::ports::ledger::{Ledger as _, LedgerError, Verification};
use crate::store::{Export, SqliteStore};

/// No export is longer.
const LONGEST: u64 = 1 << 32;

/// The bytes of an export or a checkpoint.
fn bytes(path: &Path) -> Result<Vec<u8>, Exit> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => {
            out::words(&format!("gonogo: failed to read {}: {error}; there is no ledger to check", path.display()));
            Err(Exit::Ledger)
        }
    }
}

/// Says what went wrong with the ledger itself.
fn failed(error: &LedgerError) -> Exit {
    out::words(&format!("gonogo: {error}"));
    Exit::of_ledger(error)
}

/// The store of the configuration, and the configuration.
///
/// # Errors
/// Exit 8 without a configuration, exit 11 without a ledger.
pub async fn open(around: &Surroundings, flags: &Flags) -> Result<(SqliteStore, Config), Exit> {
    let loaded = settle::needed(around, flags)?;
    let path = compose::store_path(&loaded.config, around);
    if !path.join("ledger.db").exists() {
        out::words(&format!("gonogo: there is no ledger in {}", path.display()));
        return Err(Exit::Ledger);
    }
    match SqliteStore::open(&path, Arc::new(SystemClock), None).await {
        Ok(store) => Ok((store.watched(&loaded.config.ledger.witness).await, loaded.config)),
        Err(error) => {
            out::words(&format!("gonogo: {error}"));
            Err(Exit::Ledger)
        }
    }
}

/// Lists entries, oldest first.
pub async fn list(around: &Surroundings, flags: &Flags, as_json: bool) -> Exit {
    let store = match open(around, flags).await {
        Ok((store, _)) => store,
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
pub async fn verify(around: &Surroundings, flags: &Flags, args: &VerifyArgs) -> Exit {
    let found = match look(around, flags, args).await {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    if args.json {
        out::json(&json::verification(&found));
    } else if found.intact {
        out::line(&format!("intact: {} entries", found.entries));
    } else {
        out::line(&not_intact(&found));
    }
    if found.intact { Exit::Done } else { Exit::Ledger }
}

fn not_intact(found: &Verification) -> String {
    let place = found.first_bad.map(|n| format!(" at entry {n}")).unwrap_or_default();
    let why = found.reason.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("NOT INTACT{place}: {why}")
}

async fn look(around: &Surroundings, flags: &Flags, args: &VerifyArgs) -> Result<Verification, Exit> {
    // What is no text is no checkpoint either.
    let kept = args.checkpoint.as_deref().map(bytes).transpose()?.map(|kept| String::from_utf8(kept).unwrap_or_default());
    let other = args.against.as_deref().map(bytes).transpose()?;
    if let Some(path) = &args.file {
        let file = bytes(path)?;
        let other = other.as_deref().map(Export::read);
        return Ok(Export::read(&file).verify(kept.as_deref(), other.as_ref()));
    }
    let (store, _) = open(around, flags).await?;
    store.verify_with(kept, other).await.map_err(|error| {
        out::words(&format!("gonogo: {error}"));
        if args.json {
            out::json(&json::unverified(&error));
        }
        Exit::Ledger
    })
}
