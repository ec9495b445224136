//! Judges 1,000 seeded releases, half of them bad in known ways, by gonogo and by fixed thresholds as Argo Rollouts and Flagger look at
//! them, on the same streams, and prints the tables of `src/analysis/trial/RELEASES.md`: `cargo bench --bench releases`. A number
//! after `--` is the first seed; after `-- level` the first seed, and the runs of each stream, of whole trials of equals.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a benchmark fails by panicking")]

#[path = "releases/chance.rs"]
mod chance;
#[path = "releases/fixed.rs"]
mod fixed;
#[path = "releases/gonogo.rs"]
mod gonogo_;
#[path = "releases/judges.rs"]
mod judges;
#[path = "releases/level.rs"]
mod level;
#[path = "releases/release.rs"]
mod release;
#[path = "releases/table.rs"]
mod table;

use std::error::Error;
use std::io::Write as _;

/// The seeds that nothing was chosen by begin here.
const FIRST: u64 = 700_000;
/// Releases.
const RELEASES: u64 = 1_000;
/// Runs of each of six streams: ten thousand together.
const RUNS: u64 = 1_667;

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let first = numbers.first().copied().unwrap_or(FIRST);
    let mut out = std::io::stdout();
    if std::env::args().any(|arg| arg == "level") {
        write!(out, "{}", level::tables(first, numbers.get(1).copied().unwrap_or(RUNS)))?;
        return Ok(());
    }
    let all: Vec<table::Judged> = (first..first + RELEASES).map(table::judged).collect();
    write!(out, "{}", table::of(&all))?;
    Ok(())
}
