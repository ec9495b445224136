//! A file that another program watches: read whole, changed beside itself and renamed into place, and only if it still is what it was.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::model::error::PortErrorKind;

/// The most bytes that a file may have.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// What forbids to write is mended by.
const FORBIDDEN: &str = "let this user write the file and make files in its folder: the new one is renamed into its place";
/// A link or a second name is mended by.
const ITSELF: &str = "configure the file itself, in the folder that is watched, under one name";

/// Why the file cannot be read or written; nothing was changed.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) kind: PortErrorKind,
    pub(crate) detail: String,
    pub(crate) fix: Option<&'static str>,
}

impl Trouble {
    pub(crate) fn new(kind: PortErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), fix: None }
    }

    fn at(doing: &str, error: &io::Error) -> Self {
        let (kind, fix) = if error.kind() == io::ErrorKind::NotFound {
            (PortErrorKind::NotFound, None)
        } else if [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem].contains(&error.kind()) {
            (PortErrorKind::Forbidden, Some(FORBIDDEN))
        } else {
            (PortErrorKind::Refused, None)
        };
        Self { kind, detail: format!("{doing}: {error}"), fix }
    }
}

/// A file as it was read.
#[derive(Clone)]
pub(crate) struct Whole {
    pub(crate) text: String,
    digest: [u8; 32],
    inode: (u64, u64),
}

/// Reads a file.
pub(crate) fn whole(file: &Path) -> Result<Whole, Trouble> {
    let (text, inode) = read(file)?;
    Ok(Whole { digest: Sha256::digest(text.as_bytes()).into(), text, inode })
}

fn read(file: &Path) -> Result<(String, (u64, u64)), Trouble> {
    let named = fs::symlink_metadata(file).map_err(|error| Trouble::at("look at it", &error))?;
    if named.file_type().is_symlink() {
        // Renaming over a link would leave what it points to, and a watcher hears of changes in the folder of the file alone.
        return Err(Trouble { fix: Some(ITSELF), ..Trouble::new(PortErrorKind::Unsupported, "it is a symbolic link") });
    }
    if !named.is_file() {
        return Err(Trouble::new(PortErrorKind::Unsupported, "it is no file"));
    }
    if named.nlink() > 1 {
        return Err(Trouble { fix: Some(ITSELF), ..Trouble::new(PortErrorKind::Unsupported, "it has another name (a hard link)") });
    }
    let opened = File::open(file).map_err(|error| Trouble::at("open it", &error))?;
    let metadata = opened.metadata().map_err(|error| Trouble::at("look at it", &error))?;
    let mut text = String::new();
    opened.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| Trouble::at("read it", &error))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(Trouble::new(PortErrorKind::Unsupported, format!("it is larger than {MOST_BYTES} bytes")));
    }
    Ok((text, (metadata.dev(), metadata.ino())))
}

/// Writes a new text into the file if it still is what was found: the new file is written beside it, synchronised, given its mode and
/// owner, and renamed over it. An access list or other attributes beyond those are not carried over.
pub(crate) fn replace(file: &Path, found: &Whole, new: &str) -> Result<(), Trouble> {
    // Only who may write the file itself replaces it; and one at a time among those that lock it.
    let opened = OpenOptions::new().write(true).open(file).map_err(|error| Trouble::at("open it for writing", &error))?;
    match opened.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Trouble::new(PortErrorKind::Conflict, "another process is about to change it")),
        Err(TryLockError::Error(error)) => return Err(Trouble::at("lock it", &error)),
    }
    let beside = Beside::make(file, &opened, new.as_bytes())?;
    unchanged(file, found)?;
    beside.takes_the_place_of(file)?;
    // The weights stand already; that the name outlives a failing machine is all that could be missing.
    if let Some(folder) = file.parent() {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// Whether the file still is what was found: the same file with the same bytes.
fn unchanged(file: &Path, found: &Whole) -> Result<(), Trouble> {
    let (text, inode) = read(file)?;
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    if inode == found.inode && digest == found.digest {
        return Ok(());
    }
    Err(Trouble::new(PortErrorKind::Conflict, "it was changed by another hand since it was read; nothing was written"))
}

/// A new file that is taken away again unless it is renamed.
struct Beside {
    path: PathBuf,
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Beside {
    fn takes_the_place_of(mut self, file: &Path) -> Result<(), Trouble> {
        fs::rename(&self.path, file).map_err(|error| Trouble::at("rename the new one into its place", &error))?;
        // Nothing is left to be taken away.
        self.path = PathBuf::new();
        Ok(())
    }

    fn make(file: &Path, like: &File, bytes: &[u8]) -> Result<Self, Trouble> {
        let metadata = like.metadata().map_err(|error| Trouble::at("look at it", &error))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        // No end that a watcher takes for a file of its own.
        let path = file.with_file_name(format!(".{name}.gonogo-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut new = made.map_err(|error| Trouble::at("make the new one beside it", &error))?;
        let beside = Self { path };
        let ours = new.metadata().map_err(|error| Trouble::at("look at the new one", &error))?;
        if (ours.uid(), ours.gid()) != (metadata.uid(), metadata.gid()) {
            std::os::unix::fs::fchown(&new, Some(metadata.uid()), Some(metadata.gid()))
                .map_err(|error| Trouble::at("give the new one its owner and group", &error))?;
        }
        new.set_permissions(metadata.permissions()).map_err(|error| Trouble::at("give the new one its mode", &error))?;
        new.write_all(bytes).map_err(|error| Trouble::at("write the new one", &error))?;
        new.sync_all().map_err(|error| Trouble::at("synchronise the new one", &error))?;
        Ok(beside)
    }
}
