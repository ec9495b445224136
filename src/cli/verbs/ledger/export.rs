//! `gonogo ledger export`.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{failed, open, told};
use crate::cli::args::{ExportArgs, ExportFormat};
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::config::surroundings::{Flags, Surroundings};
use crate::model::dossier::Selection;

/// A file that is there whole or not at all: others may look at it meanwhile.
pub struct Draft {
    to: PathBuf,
    meanwhile: OsString,
    file: BufWriter<File>,
}

impl Draft {
    /// Begins one.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(to: &Path) -> std::io::Result<Self> {
        let mut meanwhile = to.as_os_str().to_owned();
        meanwhile.push(".part");
        let file = BufWriter::new(File::create(&meanwhile)?);
        Ok(Self { to: to.to_owned(), meanwhile, file })
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// It cannot be written to its end.
    pub fn finish(self) -> std::io::Result<()> {
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        std::fs::rename(&self.meanwhile, &self.to)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Writes the ledger into a file. Exit 11 when the ledger is not intact: then the file shows how.
pub async fn run(around: &Surroundings, flags: &Flags, args: &ExportArgs) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, args: &ExportArgs) -> Result<Exit, Exit> {
    let wanted = Selection { from: args.from, to: args.to, environment: args.environment.clone(), service: args.service.clone() };
    if args.format == ExportFormat::Jsonl && wanted != Selection::default() {
        out::words(
            "gonogo: as jsonl the ledger is exported whole: a part of it could not be verified; `--format csv`, `oscal` and `in-toto` take \
             --from, --to, --environment and --service",
        );
        return Err(Exit::Usage);
    }
    let (store, config) = open(around, flags).await?;
    let unwritable = |error: &std::io::Error| {
        out::words(&format!("gonogo: failed to write {}: {error}; name a file in a directory that you may write", args.out.display()));
        Exit::Failed
    };
    let mut draft = Draft::new(&args.out).map_err(|error| unwritable(&error))?;
    match args.format {
        ExportFormat::Jsonl => {
            let export = store.export(None).await.map_err(|error| failed(&error))?;
            draft.write_all(&export).map_err(|error| unwritable(&error))?;
        }
        ExportFormat::Csv | ExportFormat::Oscal | ExportFormat::InToto => {
            told::write(&store, &config, args.format, &wanted, &mut draft).await.map_err(|short| match short {
                told::Short::Ledger(error) => failed(&error),
                told::Short::File(error) => unwritable(&error),
            })?;
        }
    }
    draft.finish().map_err(|error| unwritable(&error))?;
    Ok(match store.condition() {
        Some(why) => {
            out::words(&format!("gonogo: exported, but the ledger is not intact: {why}"));
            Exit::Ledger
        }
        None => Exit::Done,
    })
}
