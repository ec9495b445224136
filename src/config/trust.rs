//! Trust of project files: a file that lies in a project may define backends only once a person has trusted that very file.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::surroundings::Surroundings;

/// The list of trusted files: on each line a SHA-256 and the absolute path.
const LIST: &str = "trusted";
/// The longest list, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// A file that is trusted from now on, as long as it stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// Its absolute path, without symbolic links.
    pub path: PathBuf,
    /// SHA-256 of its bytes in lower-case hexadecimal.
    pub digest: String,
}

/// Why a file could not be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It could not be read.
    #[error("failed to read {path}: {why}", path = .0.display(), why = .1)]
    Read(PathBuf, Error),
    /// Its path cannot be written on one line.
    #[error("failed to trust {}: its path is no UTF-8 text of one line", .0.display())]
    Path(PathBuf),
    /// The list could not be written.
    #[error("failed to write {path}: {why}", path = .0.display(), why = .1)]
    Write(PathBuf, Error),
    /// The list may be changed by others.
    #[error("failed to believe {}: others may write it; remove it, or `chmod 600` it after a look", .0.display())]
    Loose(PathBuf),
}

/// Trusts a file as it is now: its digest is stored in the user's data directory. A change of the file ends the trust.
///
/// # Errors
/// When the file cannot be read, or the list cannot be read or written.
pub fn trust(file: &Path, around: &Surroundings) -> Result<Trusted, TrustError> {
    let given = around.working_dir.join(file);
    let read = |error| TrustError::Read(given.clone(), error);
    let path = given.canonicalize().map_err(read)?;
    let digest = digest(&std::fs::read(&path).map_err(read)?);
    let shown = path.to_str().filter(|path| !path.contains(['\n', '\r'])).ok_or_else(|| TrustError::Path(path.clone()))?;
    let line = format!("{digest} {shown}");
    let list = read_list(&around.trust_dir)?;
    let others = list.lines().filter(|line| line.split_once(' ').is_some_and(|(_, other)| other != shown));
    let list: Vec<&str> = others.chain([line.as_str(), ""]).collect();
    write_list(&around.trust_dir, &list.join("\n")).map_err(|error| TrustError::Write(around.trust_dir.join(LIST), error))?;
    Ok(Trusted { path, digest })
}

/// Whether that very file with that digest was trusted. A list that others may write trusts nothing.
pub(super) fn is_trusted(file: &Path, digest: &str, trust_dir: &Path) -> bool {
    let (Ok(path), Ok(list)) = (file.canonicalize(), read_list(trust_dir)) else { return false };
    list.lines().filter_map(|line| line.split_once(' ')).any(|(known, other)| known == digest && Some(other) == path.to_str())
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        hex.push_str(&format!("{byte:02x}"));
        hex
    })
}

fn read_list(directory: &Path) -> Result<String, TrustError> {
    let path = directory.join(LIST);
    let read = |error| TrustError::Read(path.clone(), error);
    let file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
        other => other.map_err(read)?,
    };
    let data = file.metadata().map_err(read)?;
    if data.mode() & 0o022 != 0 || data.uid() != rustix::process::geteuid().as_raw() {
        return Err(TrustError::Loose(path));
    }
    let mut list = String::new();
    file.take(LONGEST).read_to_string(&mut list).map_err(read)?;
    Ok(list)
}

/// Writes beside, synchronises, renames: the list is the old one or the new one, whatever happens.
fn write_list(directory: &Path, list: &str) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let beside = directory.join(format!("{LIST}.{}", std::process::id()));
    let _ = std::fs::remove_file(&beside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(list.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, directory.join(LIST))?;
    File::open(directory)?.sync_all()
}
