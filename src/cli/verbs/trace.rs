//! `gonogo trace WHAT`: from a ticket, a deed, a commit, a version, a digest or a target along the whole chain, in both directions.

mod chain;
mod told;

use std::collections::VecDeque;
use std::time::Duration;

use crate::cli::args::TraceArgs;
use crate::cli::exit::Exit;
use crate::cli::verbs::ledger;
use crate::cli::{out, settle};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::world::World;
use crate::model::dossier::{Dossier, Selection};
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::ports::ledger::LedgerError;
use crate::store::SqliteStore;
use chain::{Chain, Clue};

/// Prints every chain that leads through WHAT, the newest first. Exit 10 when neither ledger nor backends know it.
pub async fn run(around: &Surroundings, flags: &Flags, args: &TraceArgs) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, args: &TraceArgs) -> Result<Exit, Exit> {
    let what = Text::clean_within(args.what.trim(), 200);
    if what.is_empty() {
        out::words("gonogo: trace needs a ticket, a deed, a commit, a version, a digest or a target");
        return Err(Exit::Usage);
    }
    // The ledger first: a room makes one where there is none.
    let (store, _) = ledger::open(around, flags).await?;
    let mut opened = settle::look(around, flags).await?;
    let world = settle::settled(&mut opened.handle, Duration::from_secs(12)).await;
    let now = opened.clock.now();
    let clue = Clue::of(what.as_str(), &world);
    let most = usize::from(args.most);
    let (found, more) = dossiers(&store, &clue, most).await.map_err(|error| {
        out::words(&format!("gonogo: {error}"));
        Exit::of_ledger(&error)
    })?;
    let chains: Vec<Chain> = found.iter().rev().map(|dossier| Chain::of(&world, dossier, &now)).collect();
    let running = chain::running(&world, &clue, &now);
    if args.json {
        out::json(&told::object(&world, what.as_str(), &chains, &running, more, &now));
    } else {
        told::say(what.as_str(), &chains, &running, more);
    }
    if chains.is_empty() && running.is_empty() {
        unknown(&what, &world, &now);
        return Ok(Exit::Target);
    }
    Ok(Exit::Done)
}

/// The newest dossiers that the clue leads to, oldest first, and how many older ones there are.
async fn dossiers(store: &SqliteStore, clue: &Clue, most: usize) -> Result<(VecDeque<Dossier>, u64), LedgerError> {
    let mut look = store.look_at().await?;
    let (mut found, mut more) = (VecDeque::new(), 0_u64);
    let each = |dossier: Dossier| {
        if clue.leads_to(&dossier) {
            found.push_back(dossier);
            if found.len() > most {
                found.pop_front();
                more += 1;
            }
        }
        Ok::<_, LedgerError>(())
    };
    look.dossiers(&Selection::default(), each).await?;
    look.end().await?;
    Ok((found, more))
}

/// Says where was looked, and what could not be looked at.
fn unknown(what: &Text, world: &World, now: &Moment) {
    let mut silent: Vec<String> =
        world.sources.values().filter(|source| source.age(now).is_none()).map(|source| source.backend.name.to_string()).collect();
    silent.sort();
    let silent = if silent.is_empty() { String::new() } else { format!("; not read: {}", silent.join(", ")) };
    out::words(&format!("gonogo: neither the ledger nor any reading knows `{what}`{silent}; `gonogo ledger list` names the deeds"));
}
