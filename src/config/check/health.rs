//! What an open room tells of itself and where: `[metrics]`, `[log]`.

use std::path::PathBuf;
use std::time::Duration;

use super::super::file::Fields;
use super::super::problem::Findings;
use super::super::settings::{LogLevel, LogSettings, MetricsSettings};

pub(super) const METRICS: &[&str] = &["file", "every"];
pub(super) const LOG: &[&str] = &["file", "level", "bytes", "keep"];
/// The least and the most bytes of a log file.
pub(super) const BYTES: (u64, u64) = (10_000, 10_000_000_000);
/// The most older files of a log.
pub(super) const KEEP: u64 = 1000;

/// What collectors of text files read.
const ENDING: &str = "prom";
/// How often the file is written where nothing else is said.
const EVERY: Duration = Duration::from_secs(10);
/// More often than this nobody reads it.
const OFTEN: Duration = Duration::from_secs(1);

/// `[metrics]`.
pub(super) fn metrics(root: &Fields<'_>, found: &mut Findings) -> Option<MetricsSettings> {
    let fields = root.get("metrics").and_then(|node| Fields::open(node, "[metrics]", METRICS, found))?;
    let every = fields.duration("every", OFTEN, found).unwrap_or(EVERY);
    let node = fields.required("file", "`file = \"/var/lib/node_exporter/gonogo.prom\"`", found)?;
    let file = node.path("file", found)?;
    if file.extension().is_none_or(|ending| ending != ENDING) {
        found.problem(
            node.at,
            "the name of `file` does not end in .prom, so no collector reads it",
            "a path such as \"/var/lib/node_exporter/gonogo.prom\"",
        );
        return None;
    }
    Some(MetricsSettings { file, every })
}

/// `[log]`: its file where one is named, and the rest.
pub(super) fn log(root: &Fields<'_>, found: &mut Findings) -> (Option<PathBuf>, LogSettings) {
    let mut log = LogSettings { file: PathBuf::new(), level: LogLevel::default(), bytes: 10_000_000, keep: 5 };
    let Some(fields) = root.get("log").and_then(|node| Fields::open(node, "[log]", LOG, found)) else { return (None, log) };
    log.level = fields.choice("level", &LogLevel::WORDS, found);
    log.bytes = fields.count("bytes", BYTES.0, BYTES.1, found).unwrap_or(log.bytes);
    log.keep = fields.count("keep", 0, KEEP, found).and_then(|keep| u32::try_from(keep).ok()).unwrap_or(log.keep);
    (fields.path("file", found), log)
}
