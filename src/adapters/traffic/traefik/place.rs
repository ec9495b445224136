//! The weights in the file, found and written anew.

use std::ops::Range;
use std::path::Path;

use crate::adapters::whole_file::{self, Whole};
use crate::model::error::PortErrorKind;
use crate::model::name::ServerName;
use crate::model::traffic::Weights;

use super::spans;
use super::weight::Place;
pub(super) use crate::adapters::whole_file::Trouble;

/// The file as it was read, with the weights of one service in it.
#[derive(Clone)]
pub struct Found {
    whole: Whole,
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
            let before = self.whole.text.get(..range.start)?;
            let line = before.matches('\n').count() + 1;
            let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
            Some(format!("{line}s/^\\(.\\{{{column}\\}}\\){old}\\([^0-9]\\|$\\)/\\1{new}\\2/"))
        };
        changes.into_iter().filter_map(edit).collect()
    }
}

/// Reads the file and finds a service in it.
pub(super) fn find(file: &Path, service: &str) -> Result<Found, Trouble> {
    let whole = whole_file::whole(file)?;
    let form = spans::form(file).ok_or_else(|| Trouble::new(PortErrorKind::Unsupported, "it is neither YAML nor TOML"))?;
    let places = spans::places(form, &whole.text, service).map_err(|wrong| Trouble::new(PortErrorKind::Unsupported, wrong))?;
    Ok(Found { whole, places })
}

/// Writes the weights into the file if it still is what was found.
pub(super) fn replace(file: &Path, found: &Found, weights: &Weights) -> Result<(), Trouble> {
    let changes: Vec<_> = found.changes(weights).into_iter().map(|(range, _, new)| (range, new)).collect();
    let new =
        spans::written(&found.whole.text, &changes).ok_or_else(|| Trouble::new(PortErrorKind::Refused, "a weight is not where it was"))?;
    whole_file::replace(file, &found.whole, &new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

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
