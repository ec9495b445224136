//! `gonogo ledger notes`: what became of a commit, in its own repository.

use base64ct::{Base64, Encoding as _};
use serde_json::json;

use super::{failed, open};
use crate::adapters::formats::notes::{self, Noted, Notes};
use crate::cli::args::NotesArgs;
use crate::cli::exit::Exit;
use crate::cli::{json as shapes, out};
use crate::config::surroundings::{Flags, Surroundings};
use crate::model::dossier::{Dossier, Selection};
use crate::model::text::Text;
use crate::ports::ledger::LedgerError;

/// What became of the deeds.
#[derive(Debug, Default)]
struct Counts {
    written: u64,
    already: u64,
    foreign: u64,
    without: u64,
}

/// Writes a note on the commit of each deed that is over and whose commit is known. Exit 1 when git could not.
pub async fn run(around: &Surroundings, flags: &Flags, args: &NotesArgs) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

/// Why notes fell short.
enum Short {
    Ledger(LedgerError),
    Git(String),
}

impl From<LedgerError> for Short {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, args: &NotesArgs) -> Result<Exit, Exit> {
    let git = |why: &str| {
        out::words(&format!("gonogo: {}", Text::clean_within(why, 500)));
        Exit::Failed
    };
    let notes = Notes::open(&args.repository, &args.place).map_err(|why| {
        out::words(&format!("gonogo: {}", Text::clean_within(&why, 500)));
        Exit::Usage
    })?;
    let (store, _) = open(around, flags).await?;
    if let Some(why) = store.condition() {
        out::words(&format!("gonogo: no note is written of a ledger that is not intact: {why}"));
        return Err(Exit::Ledger);
    }
    let mut look = store.look_at().await.map_err(|error| failed(&error))?;
    let installation = look.installation().to_owned();
    let checkpoint = format!("{} {}", look.size, Base64::encode_string(&look.root));
    let mut counts = Counts::default();
    let each = |dossier: Dossier| {
        let Some(commit) = notes::commit(&dossier) else {
            counts.without += u64::from(dossier.has_begun());
            return Ok(());
        };
        let line = notes::line(&dossier, &installation, &checkpoint);
        match notes.write(commit, &dossier.plan.to_string(), &line).map_err(Short::Git)? {
            Noted::Written => counts.written += 1,
            Noted::Already => counts.already += 1,
            Noted::Foreign => counts.foreign += 1,
        }
        Ok::<_, Short>(())
    };
    look.dossiers(&Selection::default(), each).await.map_err(|short| match short {
        Short::Ledger(error) => failed(&error),
        Short::Git(why) => git(&why),
    })?;
    look.end().await.map_err(|error| failed(&error))?;
    if let Some(remote) = &args.push {
        notes.push(remote).map_err(|why| git(&format!("{why}; the notes are written here and were not sent")))?;
    }
    let Counts { written, already, foreign, without } = counts;
    if args.json {
        out::json(&json!({
            "schema": shapes::SCHEMA, "ref": args.place, "written": written, "already": already, "foreign": foreign, "without_commit": without,
        }));
    } else {
        out::line(&format!(
            "{}: {written} written, {already} were there, {foreign} on commits that this repository does not have, {without} without a \
             known commit or not over yet",
            args.place
        ));
    }
    Ok(Exit::Done)
}
