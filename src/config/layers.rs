//! Reads the files of the configuration, lowest layer first, and merges them.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::merge::{merge, refuse_twins};
use super::node::{self, Table};
use super::problem::{At, Findings};
use super::surroundings::{Flags, Surroundings};
use super::{trust, untrusted};

/// The longest configuration file, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The name of a configuration file.
const NAME: &str = "gonogo.toml";

/// The files that were read, lowest layer first.
pub(super) struct Files {
    texts: Vec<Read>,
    whole: bool,
}

/// The text of one file.
struct Read {
    path: PathBuf,
    text: Arc<String>,
    start: At,
    /// Where it would be noted that the file is trusted, of one that nobody gave by hand.
    trust_dir: Option<PathBuf>,
}

/// What the files say together.
pub(super) struct Layers<'t> {
    pub(super) table: Table<'t>,
    /// The first byte of the highest file.
    pub(super) at: At,
    /// Every file was read and is TOML, so that checking the whole makes sense.
    pub(super) whole: bool,
}

impl Files {
    /// Reads them.
    pub(super) fn read(around: &Surroundings, flags: &Flags, found: &mut Findings) -> Self {
        let mut files = Self { texts: Vec::new(), whole: true };
        let given = flags.config.clone().or_else(|| around.variable("GONOGO_CONFIG").map(PathBuf::from));
        if let Some(given) = given {
            files.add(&given, &around.working_dir.join(&given), None, true, found);
            return files;
        }
        let user = around.config_dir.join(NAME);
        let project = around.working_dir.join(NAME);
        let same = user.canonicalize().ok().is_some_and(|user| project.canonicalize().is_ok_and(|project| user == project));
        files.add(&user, &user, None, false, found);
        if !same {
            files.add(&project, &project, Some(&around.trust_dir), false, found);
        }
        files
    }

    /// Adds one file. `trust_dir` is given for a file that nobody gave by hand; `needed` says that it must be there.
    fn add(&mut self, shown: &Path, path: &Path, trust_dir: Option<&Path>, needed: bool, found: &mut Findings) {
        let directory = path.parent().unwrap_or(Path::new("/"));
        let name = shown.display().to_string();
        let bytes = match bytes(path) {
            Ok(bytes) => bytes,
            Err(error) if !needed && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return,
            Err(error) => {
                let at = found.source(&name, directory, String::new());
                let absent = error.kind() == ErrorKind::NotFound;
                let what = if absent { "there is no such file".to_owned() } else { format!("the file cannot be read: {error}") };
                found.problem(at, &what, "a configuration file");
                self.whole = false;
                return;
            }
        };
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = Arc::new(text);
                let start = found.source(&name, directory, Arc::clone(&text));
                self.texts.push(Read { path: path.to_owned(), text, start, trust_dir: trust_dir.map(Path::to_owned) });
            }
            Err(error) => {
                let end = error.utf8_error().valid_up_to();
                let start = found.source(&name, directory, String::from_utf8_lossy(error.as_bytes()).into_owned());
                found.problem(start.offset(end), "the file is no UTF-8", "text in UTF-8");
                self.whole = false;
            }
        }
    }

    /// Their paths.
    pub(super) fn into_paths(self) -> Vec<PathBuf> {
        self.texts.into_iter().map(|read| read.path).collect()
    }

    /// Puts each over the one before.
    pub(super) fn merged<'t>(&'t self, found: &mut Findings) -> Layers<'t> {
        let mut layers = Layers { table: Table::default(), at: At::default(), whole: self.whole };
        for Read { path, text, start, trust_dir } in &self.texts {
            let Some(table) = node::parse(text, *start, found) else {
                layers.whole = false;
                continue;
            };
            if table.0.is_empty() {
                found.problem(*start, "the file configures nothing", "tables such as [room], [[backend]] and [[service]]");
            }
            if let Some(trust_dir) = trust_dir
                && !trust::is_trusted(path, &trust::digest(text.as_bytes()), trust_dir)
            {
                untrusted::refuse(&table, &layers.table, path, found);
            }
            refuse_twins(&table, found);
            merge(&mut layers.table, table);
            layers.at = *start;
        }
        layers
    }
}

fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let told = file.metadata()?.len().min(LONGEST) + 1;
    let mut bytes = Vec::with_capacity(usize::try_from(told).unwrap_or_default());
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err(std::io::Error::new(ErrorKind::FileTooLarge, "it is longer than 16 MiB"));
    }
    Ok(bytes)
}
