//! Which story a simulated room plays, and when it begins.

use chrono::{DateTime, TimeZone as _, Utc};

use super::exit::Exit;
use super::out;
use crate::config::scenario::Scenario;

/// The moment at which every headless story begins, so that it is the same on every machine.
pub fn beginning() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 2, 14, 0, 0).single().unwrap_or(DateTime::UNIX_EPOCH)
}

/// A built-in scenario, or one from a file when the name ends in `.toml`.
///
/// # Errors
/// Exit 2, with the names that there are, or the file, line and column of what is wrong.
pub fn named(name: &str) -> Result<Scenario, Exit> {
    if std::path::Path::new(name).extension().is_some_and(|extension| extension == "toml") {
        let refuse = |why: String| {
            out::words(&format!("gonogo: {name}: {why}"));
            Exit::Usage
        };
        let source = std::fs::read_to_string(name).map_err(|error| refuse(error.to_string()))?;
        return Scenario::parse(&source).map_err(|error| refuse(error.to_string()));
    }
    Scenario::named(name).map_err(|error| {
        out::words(&format!("gonogo: {}", error.what));
        Exit::Usage
    })
}
