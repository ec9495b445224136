//! Sources as the floors test sees them: path, text, module and syntax tree.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::paths::is_test;

/// One source file.
pub struct Source {
    /// From the root of the package, with slashes.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Its module path without `crate`: `["model", "deed"]`; empty for lib.rs, `["main"]` for main.rs.
    pub module: Vec<String>,
    /// Its syntax.
    pub syntax: syn::File,
}

impl Source {
    /// Reads one file from text.
    pub fn new(path: &str, text: &str) -> Self {
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{path} is no Rust: {error}"));
        let inner = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs");
        let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
            module.pop();
        }
        Self { path: path.to_owned(), text: text.to_owned(), module, syntax }
    }

    /// The floor on which it stands: `model`, `ports`, ..; `main` belongs to `cli`; none for lib.rs, which only lists modules.
    pub fn floor(&self) -> Option<&str> {
        self.module.first().map(|first| if first == "main" { "cli" } else { first.as_str() })
    }
}

/// All sources that are looked at together.
pub struct Tree {
    /// The files.
    pub sources: Vec<Source>,
    /// Their modules, to find the file that a path leads to.
    pub modules: BTreeSet<Vec<String>>,
    /// Those that exist only for tests: `#[cfg(test)] mod name;` stands in the file above.
    pub test_only: BTreeSet<Vec<String>>,
}

impl Tree {
    /// From texts, for wrong sources.
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self::new(files.iter().map(|(path, text)| Source::new(path, text)).collect())
    }

    /// The real `src/`.
    pub fn read() -> Self {
        Self::new(folder(&["src"]))
    }

    /// `src/`, `tests/` and `benches/`, for the rules about the form of a file.
    pub fn everything() -> Self {
        Self::new(folder(&["src", "tests", "benches"]))
    }

    fn new(sources: Vec<Source>) -> Self {
        let modules = sources.iter().map(|source| source.module.clone()).collect();
        let test_only = sources.iter().flat_map(test_modules).collect();
        Self { sources, modules, test_only }
    }

    /// Whether a source exists only for tests.
    pub fn is_test(&self, source: &Source) -> bool {
        (0..=source.module.len()).any(|end| self.test_only.contains(&source.module[..end]))
    }

    /// The deepest file module that a path inside the crate leads to.
    pub fn file_of<'a>(&self, path: &'a [String]) -> &'a [String] {
        (0..=path.len()).rev().map(|end| &path[..end]).find(|prefix| self.modules.contains(*prefix)).unwrap_or(&[])
    }
}

fn test_modules(source: &Source) -> Vec<Vec<String>> {
    let modules = source.syntax.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() && module.attrs.iter().any(is_test) => Some(module.ident.to_string()),
        _ => None,
    });
    modules.map(|name| source.module.iter().cloned().chain([name]).collect()).collect()
}

/// The text of Cargo.toml.
pub fn manifest() -> String {
    std::fs::read_to_string(root().join("Cargo.toml")).unwrap()
}

/// The root of the package.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn folder(folders: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in folders {
        walk(&root().join(folder), &mut found);
    }
    found.sort();
    let sources = found.iter().map(|path| {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        Source::new(&name, &std::fs::read_to_string(path).unwrap())
    });
    sources.collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
