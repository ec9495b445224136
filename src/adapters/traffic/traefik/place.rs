//! The file itself: read whole, changed beside itself and renamed into place, and only if it still is what it was.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::model::error::PortErrorKind;
use crate::model::name::ServerName;
use crate::model::traffic::Weights;

use super::spans;
use super::weight::Place;

/// The most bytes that a file may have.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// What forbids to write is mended by.
const FORBIDDEN: &str = "let this user write the file and make files in its folder: the new one is renamed into its place";
/// A link or a second name is mended by.
const ITSELF: &str = "configure the file itself, in the folder that Traefik watches, under one name";

/// Why the file cannot be read or written; nothing was changed.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) kind: PortErrorKind,
    pub(super) detail: String,
    pub(super) fix: Option<&'static str>,
}

impl Trouble {
    pub(super) fn new(kind: PortErrorKind, detail: impl Into<String>) -> Self {
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

/// The file as it was read, with the weights of one service in it.
#[derive(Clone)]
pub struct Found {
    text: String,
    digest: [u8; 32],
    inode: (u64, u64),
    places: Vec<Place>,
}

impl Found {
    /// The weight that a service has in the file.
    pub(super) fn weight(&self, name: &str) -> Option<u32> {
        self.places.iter().find(|place| place.name == name).and_then(|place| place.weight.as_ref()).map(|(weight, _)| *weight)
    }

    /// The places that must change, with their new weights.
    fn changes(&self, wished: &Weights) -> Vec<(Range<usize>, u32, u32)> {
        let change = |place: &Place| {
            let (old, range) = place.weight.clone()?;
            let new = *wished.get(&ServerName::new(&place.name).ok()?)?;
            (new != old).then_some((range, old, new))
        };
        self.places.iter().filter_map(change).collect()
    }

    /// The same as expressions of `sed`, which count bytes: each changes one place, and nothing when it holds another number by then.
    pub(super) fn edits(&self, wished: &Weights) -> Vec<String> {
        let mut changes = self.changes(wished);
        changes.sort_by_key(|(range, ..)| std::cmp::Reverse(range.start));
        let edit = |(range, old, new): (Range<usize>, u32, u32)| {
            let before = self.text.get(..range.start)?;
            let line = before.matches('\n').count() + 1;
            let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
            Some(format!("{line}s/^\\(.\\{{{column}\\}}\\){old}\\([^0-9]\\|$\\)/\\1{new}\\2/"))
        };
        changes.into_iter().filter_map(edit).collect()
    }
}

/// Reads the file and finds a service in it.
pub(super) fn find(file: &Path, service: &str) -> Result<Found, Trouble> {
    let (text, inode) = read(file)?;
    let form = spans::form(file).ok_or_else(|| Trouble::new(PortErrorKind::Unsupported, "it is neither YAML nor TOML"))?;
    let places = spans::places(form, &text, service).map_err(|wrong| Trouble::new(PortErrorKind::Unsupported, wrong))?;
    Ok(Found { digest: Sha256::digest(text.as_bytes()).into(), text, inode, places })
}

fn read(file: &Path) -> Result<(String, (u64, u64)), Trouble> {
    let named = fs::symlink_metadata(file).map_err(|error| Trouble::at("look at it", &error))?;
    if named.file_type().is_symlink() {
        // Renaming over a link would leave what it points to, and Traefik hears of changes in the folder of the file alone.
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

/// Writes the weights into the file if it still is what was found: the new file is written beside it, synchronised, given its mode and
/// owner, and renamed over it. An access list or other attributes beyond those are not carried over.
pub(super) fn replace(file: &Path, found: &Found, weights: &Weights) -> Result<(), Trouble> {
    let changes: Vec<_> = found.changes(weights).into_iter().map(|(range, _, new)| (range, new)).collect();
    let new = spans::written(&found.text, &changes).ok_or_else(|| Trouble::new(PortErrorKind::Refused, "a weight is not where it was"))?;
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
fn unchanged(file: &Path, found: &Found) -> Result<(), Trouble> {
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
        // No end that Traefik takes for a file of its own.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const TEXT: &str = "http: {services: {checkout: {weighted: {services: [{name: v1, weight: 100}, {name: v2, weight: 0}]}}}} # ours\n";

    fn weights(one: u32, two: u32) -> Weights {
        [("v1", one), ("v2", two)].map(|(name, weight)| (ServerName::new(name).unwrap(), weight)).into()
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.yml");
        fs::write(&file, TEXT).unwrap();
        (folder, file)
    }

    fn alone(folder: &tempfile::TempDir) -> bool {
        fs::read_dir(folder.path()).unwrap().count() == 1
    }

    #[test]
    fn a_file_that_still_is_what_was_found_is_replaced_with_its_mode() {
        let (folder, file) = folder();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
        let found = find(&file, "checkout").unwrap();
        replace(&file, &found, &weights(80, 20)).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), TEXT.replace("100", "80").replace("weight: 0", "weight: 20"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o604);
        assert!(alone(&folder));
    }

    #[test]
    fn a_file_that_another_hand_changed_since_is_left_alone_by_bytes_or_by_name() {
        let (folder, file) = folder();
        let found = find(&file, "checkout").unwrap();
        let other = TEXT.replace("# ours", "# theirs");
        fs::write(&file, &other).unwrap();
        assert_eq!(replace(&file, &found, &weights(80, 20)).unwrap_err().kind, PortErrorKind::Conflict);
        assert_eq!(fs::read_to_string(&file).unwrap(), other);
        // The same bytes under the same name, and yet another file: somebody deployed it anew.
        fs::write(folder.path().join("new"), TEXT).unwrap();
        fs::rename(folder.path().join("new"), &file).unwrap();
        assert_eq!(replace(&file, &found, &weights(80, 20)).unwrap_err().kind, PortErrorKind::Conflict);
        assert!(alone(&folder));
    }

    #[test]
    fn a_file_that_another_process_has_locked_is_left_alone() {
        let (folder, file) = folder();
        let found = find(&file, "checkout").unwrap();
        let other = File::open(&file).unwrap();
        other.lock().unwrap();
        assert_eq!(replace(&file, &found, &weights(80, 20)).unwrap_err().kind, PortErrorKind::Conflict);
        drop(other);
        replace(&file, &found, &weights(80, 20)).unwrap();
        assert!(alone(&folder));
    }

    #[test]
    fn what_is_no_plain_file_of_one_name_is_refused() {
        let (folder, file) = folder();
        let link = folder.path().join("link.yml");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(find(&link, "checkout").err().unwrap().detail.contains("symbolic link"));
        assert!(find(folder.path(), "checkout").err().unwrap().detail.contains("no file"));
        fs::hard_link(&file, folder.path().join("other.yml")).unwrap();
        assert!(find(&file, "checkout").err().unwrap().detail.contains("another name"));
        assert_eq!(find(&folder.path().join("none.yml"), "checkout").err().unwrap().kind, PortErrorKind::NotFound);
        let large = folder.path().join("large.yml");
        fs::write(&large, "#".repeat(5 * 1024 * 1024)).unwrap();
        assert!(find(&large, "checkout").err().unwrap().detail.contains("larger than"));
        fs::write(&large, [0xff, 0xfe]).unwrap();
        assert!(find(&large, "checkout").is_err());
    }

    #[test]
    fn edits_for_a_person_change_a_place_only_while_it_holds_what_it_holds_now() {
        let (_folder, file) = folder();
        let edits = find(&file, "checkout").unwrap().edits(&weights(80, 20));
        assert_eq!(edits.len(), 2, "from the last to the first: {edits:?}");
        assert!(edits[0].contains("0\\([^0-9]\\|$\\)/\\120\\2/") && edits[1].contains("100\\([^0-9]\\|$\\)/\\180\\2/"), "{edits:?}");
        assert_eq!(find(&file, "checkout").unwrap().edits(&weights(100, 0)), Vec::<String>::new());
    }
}
