//! Where an open room writes its log and its metrics, and whether it can.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustix::fs::{Access, access};
use serde_json::{Value, json};

use super::Finding;
use crate::config::settings::{HealthSettings, LogLevel};
use crate::model::time::{Moment, rfc3339};

/// One of both as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    what: &'static str,
    /// The file; none: it is not written.
    file: Option<PathBuf>,
    /// Why it could not be written.
    trouble: Option<String>,
    /// When it was written last.
    written: Option<DateTime<Utc>>,
}

/// Looks at both; nothing is made or written.
pub fn look(settings: &HealthSettings) -> [Place; 2] {
    let metrics = settings.metrics.as_ref().map(|metrics| metrics.file.clone());
    let log = (settings.log.level != LogLevel::Off).then(|| settings.log.file.clone());
    // Metrics are renamed into their place, so their folder must be there and be ours to write; the log makes its own.
    let of_metrics = metrics.as_deref().and_then(|file| writable(file.parent().unwrap_or(Path::new("/"))).err());
    let of_log = log.as_deref().and_then(|file| loggable(file).err());
    [Place::new("metrics", metrics, of_metrics), Place::new("log", log, of_log)]
}

/// Both where nothing is configured.
pub fn nowhere() -> [Place; 2] {
    ["metrics", "log"].map(|what| Place::new(what, None, None))
}

impl Place {
    fn new(what: &'static str, file: Option<PathBuf>, trouble: Option<String>) -> Self {
        let modified = file.as_ref().and_then(|file| std::fs::metadata(file).ok()?.modified().ok());
        let written = modified.and_then(|at| {
            let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
            DateTime::from_timestamp(i64::try_from(since.as_secs()).ok()?, since.subsec_nanos())
        });
        Self { what, file, trouble, written }
    }

    /// In one line.
    pub fn words(&self, now: &Moment) -> String {
        let Some(file) = &self.file else { return format!("{}: not written", self.what) };
        let written = self.written.map_or_else(
            || "no room has written it yet".to_owned(),
            |at| {
                let since = u64::try_from(now.wall.signed_duration_since(at).num_seconds()).unwrap_or_default();
                format!("written {} ago", crate::config::duration::write(std::time::Duration::from_secs(since)))
            },
        );
        format!("{}: an open room writes {}; {written}", self.what, file.display())
    }

    /// What is to be mended.
    pub fn finding(&self) -> Option<Finding> {
        let (file, trouble) = (self.file.as_ref()?, self.trouble.as_ref()?);
        let fix = format!("let this user write there, or name another `[{}] file`; the room goes on without it", self.what);
        Some(Finding::new(self.what, format!("{} cannot be written: {trouble}", file.display()), fix))
    }

    /// As JSON.
    pub fn object(&self) -> Value {
        json!({ "file": self.file, "error": self.trouble, "written": self.written.as_ref().map(rfc3339) })
    }
}

/// Whether files can be made and renamed in a folder.
fn writable(folder: &Path) -> Result<(), String> {
    let told = |why: &str| format!("{} {why}", folder.display());
    match std::fs::metadata(folder) {
        Err(error) => Err(told(&format!("cannot be seen: {error}"))),
        Ok(data) if !data.is_dir() => Err(told("is no directory")),
        Ok(_) => access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|_| told("is not this user's to write")),
    }
}

/// Whether a log can be written and renamed: in its folder, or in the nearest one above in which that would be made.
fn loggable(file: &Path) -> Result<(), String> {
    if let Ok(data) = std::fs::metadata(file) {
        if !data.is_file() {
            return Err("it is no regular file".to_owned());
        }
        access(file, Access::WRITE_OK).map_err(|_| "it is not this user's to write".to_owned())?;
    }
    let above = file.ancestors().skip(1).find(|above| above.exists()).unwrap_or(Path::new("/"));
    writable(above)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::{LogSettings, MetricsSettings};

    #[test]
    fn every_member_is_there_and_the_time_is_one_of_the_ledgers_form() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_796_000_000_250);
        file.as_file().set_modified(at).unwrap();
        let [metrics, _] = nowhere();
        assert_eq!(metrics.object(), json!({ "file": null, "error": null, "written": null }));
        let seen = Place::new("log", Some(file.path().to_owned()), None);
        assert_eq!(seen.object()["written"], "2026-11-30T00:53:20.250Z");
        let now = Moment { wall: DateTime::from_timestamp(1_796_000_090, 0).unwrap(), boot: crate::model::time::Boot(0) };
        assert!(seen.words(&now).ends_with("; written 1m29s ago"), "{}", seen.words(&now));
    }

    #[test]
    fn what_cannot_be_written_is_told_with_what_to_do_and_what_can_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let told = |metrics: &str, log: &str| {
            let metrics = Some(MetricsSettings { file: at(metrics), every: std::time::Duration::from_secs(1) });
            let log = LogSettings { file: at(log), level: LogLevel::Info, bytes: 1000, keep: 1 };
            let found = look(&HealthSettings { metrics, log }).into_iter().filter_map(|place| place.finding());
            found.map(|one| format!("{}: {}; {}", one.about, one.told, one.fix)).collect::<Vec<_>>()
        };
        std::fs::write(at("file"), "").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        assert_eq!(told("gonogo.prom", "made/later/gonogo.log"), Vec::<String>::new());
        let [metrics, log] = <[String; 2]>::try_from(told("absent/gonogo.prom", "file/gonogo.log")).unwrap();
        assert!(metrics.contains("absent cannot be seen") && metrics.contains("`[metrics] file`"), "{metrics}");
        assert!(log.contains("file is no directory") && log.contains("`[log] file`"), "{log}");
        assert!(told("gonogo.prom", "folder")[0].contains("no regular file"));
        let off = HealthSettings { metrics: None, log: LogSettings { file: at("file/x"), level: LogLevel::Off, bytes: 1000, keep: 1 } };
        assert!(look(&off).iter().all(|place| place.finding().is_none() && place.file.is_none()));
    }
}
