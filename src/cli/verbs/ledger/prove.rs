//! `gonogo ledger prove`.

use super::{bytes, failed, not_intact, open};
use crate::cli::args::ProveArgs;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::config::surroundings::{Flags, Surroundings};
use crate::store::Export;

/// Prints a proof. Exit 2 for what is not in the ledger, exit 11 when the ledger is not intact.
pub async fn run(around: &Surroundings, flags: &Flags, args: &ProveArgs) -> Exit {
    let file = match &args.file {
        Some(path) => bytes(path),
        None => stored(around, flags, args.to).await,
    };
    match file.and_then(|file| prove(&file, args)) {
        Ok(proof) => {
            out::line(proof.trim_end_matches('\n'));
            Exit::Done
        }
        Err(exit) => exit,
    }
}

async fn stored(around: &Surroundings, flags: &Flags, most: Option<u64>) -> Result<Vec<u8>, Exit> {
    open(around, flags).await?.0.export(most).await.map_err(|error| failed(&error))
}

fn prove(file: &[u8], args: &ProveArgs) -> Result<String, Exit> {
    let export = Export::read(file);
    let found = export.verify(None, None);
    if !found.intact {
        out::words(&format!("gonogo: failed to prove anything over this ledger: {}", not_intact(&found)));
        return Err(Exit::Ledger);
    }
    let size = found.entries;
    let proof = match (args.n, args.from, args.to) {
        (_, _, Some(to)) if to != size => Err(format!("it does not have {to} entries")),
        (Some(n), _, _) => export.prove_entry(n).ok_or_else(|| format!("there is no entry {n}")),
        (None, Some(from), _) => export.prove_growth(from).ok_or_else(|| format!("it never had {from} entries")),
        (None, None, _) => Err("name an entry, or --from".to_owned()),
    };
    proof.map_err(|why| {
        out::words(&format!("gonogo: failed to prove it over this ledger of {size} entries: {why}"));
        Exit::Usage
    })
}
