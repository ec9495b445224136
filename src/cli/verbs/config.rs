//! `gonogo config check|example|trust`.

use std::path::Path;

use crate::cli::exit::Exit;
use crate::cli::{compose, looks, out, redress};
use crate::config::surroundings::{Flags, Surroundings};
use crate::config::{example, trust};

/// Checks the configuration; every problem is a line on standard error.
pub fn check(around: &Surroundings, flags: &Flags) -> Exit {
    match compose::configuration(around, flags) {
        Err(exit) => exit,
        Ok(loaded) if loaded.nothing_configured => {
            out::line(
                "nothing to check: no file is configured\n  do: write gonogo.toml (`gonogo config example` prints one to begin with), or name one with --config",
            );
            Exit::Done
        }
        Ok(loaded) => {
            for warning in &loaded.warnings {
                out::words(&warning.to_string());
            }
            let catalog = &loaded.config.catalog;
            let (theme, keymap) = redress::names(&catalog.room, flags);
            if let Err(exit) = looks::named(theme, keymap, around) {
                return exit;
            }
            let files: Vec<_> = loaded.config.files.iter().map(|file| file.display().to_string()).collect();
            let counts = (catalog.backends.len(), catalog.environments.len(), catalog.services.len(), catalog.people.len());
            out::line(&format!(
                "{}: {} backends, {} environments, {} services, {} people",
                files.join(", "),
                counts.0,
                counts.1,
                counts.2,
                counts.3
            ));
            Exit::Done
        }
    }
}

/// Prints a commented file that `config check` accepts.
pub fn example() -> Exit {
    out::line(example::example().trim_end());
    Exit::Done
}

/// Trusts a project's file as it is now.
pub fn trust(around: &Surroundings, file: &Path) -> Exit {
    match trust::trust(file, around) {
        Ok(trusted) => {
            out::line(&format!("trusted as it is now: {} {}", trusted.digest, trusted.path.display()));
            Exit::Done
        }
        Err(error) => {
            out::words(&format!("gonogo: {error}"));
            Exit::Configuration
        }
    }
}
