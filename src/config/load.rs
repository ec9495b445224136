//! Loads the configuration: files, environment, flags, each over the one before, checked as a whole.

use std::sync::Arc;

use super::check;
use super::keymap;
use super::layers::Files;
use super::node::{Table, Value};
use super::problem::{At, Findings, Problem, Problems};
use super::settings::{Config, HealthSettings, LogSettings};
use super::surroundings::{Flags, Surroundings};
use super::theme;
use crate::model::judging::JudgeRules;

/// A configuration that passed every check.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// No file was there at all: only then may a room simulate by itself.
    pub nothing_configured: bool,
    /// What is allowed and doubtful, such as more approvals than people who could give them.
    pub warnings: Vec<Problem>,
}

/// Loads the configuration. It reads the files, and nothing global: variables and directories come in.
///
/// `--config F` replaces the user's and the project's file, and so does `GONOGO_CONFIG`. Relative paths start from the
/// directory of the file that names them.
///
/// # Errors
/// Everything that is wrong, in all files at once.
pub fn load(around: &Surroundings, flags: &Flags) -> Result<Loaded, Problems> {
    let mut found = Findings::default();
    let files = Files::read(around, flags, &mut found);
    let layers = files.merged(&mut found);
    if !layers.whole {
        return Err(Problems(found.into_parts().0));
    }
    let (theme, keymap) = (setting(&layers.table, "theme"), setting(&layers.table, "keymap"));
    let mut checked = check::check(layers.table, layers.at, &mut found);
    let room = &mut checked.catalog.room;
    let look = |(key, mut at): (&str, Option<At>), variable: &str, flag: Option<&String>, place: &mut String, found: &mut Findings| {
        if let Some(value) = around.variable(variable) {
            at = Some(found.source(variable, &around.working_dir, value.to_owned()));
            value.clone_into(place);
        }
        if let Some(value) = flag {
            at = Some(found.source(&format!("--{key}"), &around.working_dir, value.clone()));
            value.clone_into(place);
        }
        at
    };
    let theme = look(("theme", theme), "GONOGO_THEME", flags.theme.as_ref(), &mut room.theme, &mut found);
    let keymap = look(("keymap", keymap), "GONOGO_KEYMAP", flags.keymap.as_ref(), &mut room.keymap, &mut found);
    if let Some(at) = theme {
        refuse_absent(at, "theme", &room.theme, &theme::names(around), &mut found);
    }
    if let Some(at) = keymap {
        refuse_absent(at, "keymap", &room.keymap, &keymap::names(around), &mut found);
    }
    match around.read_only() {
        Some(Ok(said)) => room.read_only = said,
        Some(Err(other)) => {
            let at = found.source("GONOGO_READ_ONLY", &around.working_dir, other.to_owned());
            found.problem(at, &format!("`{other}` is neither yes nor no"), "1 or 0");
        }
        None => {}
    }
    room.read_only |= flags.read_only;
    if let Some(path) = around.variable("GONOGO_STORE") {
        if path.contains("://") {
            let at = found.source("GONOGO_STORE", &around.working_dir, path.to_owned());
            found.problem(at, "`GONOGO_STORE` is a URL, which a later version will read", "a directory");
        }
        checked.store.path = Some(around.working_dir.join(path));
    }
    let (problems, warnings) = found.into_parts();
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let files = files.into_paths();
    let nothing_configured = files.is_empty();
    let store = checked.store.path.as_ref().unwrap_or(&around.data_dir);
    let (place, log) = checked.log;
    let log = LogSettings { file: place.unwrap_or_else(|| store.join("log/gonogo.log")), ..log };
    let config = Config {
        catalog: Arc::new(checked.catalog),
        backends: checked.backends,
        calendars: checked.calendars,
        webhooks: checked.webhooks,
        desks: checked.desks,
        store: checked.store,
        health: HealthSettings { metrics: checked.metrics, log },
        ledger: checked.ledger,
        oscal: checked.oscal,
        judge: checked.judge,
        files,
    };
    Ok(Loaded { config, nothing_configured, warnings })
}

/// The rules of `canary judge`, with what is doubtful about them. It reads `[judge]` alone: other tables may be wrong, and no file
/// at all means the usual rules.
///
/// # Errors
/// What is wrong in `[judge]`; a file that is named and cannot be read; what is no TOML.
pub fn judge(around: &Surroundings, flags: &Flags) -> Result<(JudgeRules, Vec<Problem>), Problems> {
    let mut found = Findings::default();
    let files = Files::read(around, flags, &mut found);
    let layers = files.merged(&mut found);
    if !layers.whole {
        return Err(Problems(found.into_parts().0));
    }
    found.forget();
    let rules = check::check_judge(&layers.table, layers.at, &mut found);
    let (problems, warnings) = found.into_parts();
    if problems.is_empty() { Ok((rules, warnings)) } else { Err(Problems(problems)) }
}

/// Where a key of `[room]` stands.
fn setting(table: &Table, key: &str) -> Option<At> {
    let Value::Table(room) = &table.get("room")?.value else { return None };
    Some(room.get(key)?.at)
}

fn refuse_absent(at: At, word: &str, name: &str, names: &[String], found: &mut Findings) {
    if !names.iter().any(|known| known == name) {
        let right = super::nearest::instead(name, names.iter().map(String::as_str));
        found.problem(at, &format!("no {word} is called `{name}`"), &right);
    }
}
