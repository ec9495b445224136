//! The rules of the configuration, each by the file that breaks it, and the layers.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// An empty machine with a user's and a project's directory.
struct Machine {
    directory: tempfile::TempDir,
    around: Surroundings,
}

impl Machine {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let within = |name: &str| {
            let path = directory.path().join(name);
            fs::create_dir(&path).expect("made");
            path
        };
        let around = Surroundings {
            env: std::collections::BTreeMap::new(),
            config_dir: within("config"),
            data_dir: within("data"),
            working_dir: within("project"),
            trust_dir: directory.path().join("data"),
        };
        Self { directory, around }
    }

    fn user(self, text: &str) -> Self {
        fs::write(self.around.config_dir.join("gonogo.toml"), text).expect("written");
        self
    }

    fn project(self, text: &str) -> Self {
        fs::write(self.around.working_dir.join("gonogo.toml"), text).expect("written");
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.around.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn load(&self) -> Result<Loaded, Problems> {
        load(&self.around, &Flags::default())
    }

    fn problems(&self) -> Vec<String> {
        let root = format!("{}/", self.directory.path().display());
        let problems = self.load().expect_err("refused").0;
        problems.iter().map(|problem| problem.to_string().replace(&root, "")).collect()
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config").join(name)
}

fn check(path: PathBuf) -> Result<Loaded, Problems> {
    load(&Machine::new().around, &Flags { config: Some(path), ..Flags::default() })
}

#[test]
fn the_example_of_the_contract_is_accepted() {
    let loaded = check(fixture("contracts.toml")).expect("accepted");
    assert_eq!(loaded.warnings, [], "{:?}", loaded.warnings);
}
