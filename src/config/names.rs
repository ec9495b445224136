//! The names of the user's theme and keymap files, beside the built-in ones.

use std::path::{Path, PathBuf};

/// The names of the files `NAME.toml` in a directory of the user, beside the built-in ones.
pub(super) fn names_in(directory: &Path, built_in: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = built_in.iter().map(|name| (*name).to_owned()).collect();
    let entries = std::fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    names.extend(entries.filter_map(|path: PathBuf| {
        let name = path.file_stem()?.to_str()?;
        (path.extension()? == "toml" && crate::model::name::check(name).is_ok()).then(|| name.to_owned())
    }));
    names.sort();
    names.dedup();
    names
}
