//! Judges 1,000 seeded releases, half of them bad in known ways, by gonogo and by fixed thresholds as Argo Rollouts and Flagger look at
//! them, on the same streams, and prints the tables of `src/analysis/trial/RELEASES.md`: `cargo bench --bench releases`. With `-- level` it
//! prints those of `src/analysis/trial/LEVEL.md`: false verdicts of whole trials, and the time to go back against how much worse a version
//! is. Numbers after that are the first seed, the trials of each stream and the releases of each effect.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a benchmark fails by panicking")]

#[path = "releases/chance.rs"]
mod chance;
#[path = "releases/effects.rs"]
mod effects;
#[path = "releases/equals.rs"]
mod equals;
#[path = "releases/fixed.rs"]
mod fixed;
#[path = "releases/gonogo.rs"]
mod gonogo_;
#[path = "releases/judges.rs"]
mod judges;
#[path = "releases/release.rs"]
mod release;
#[path = "releases/seeds.rs"]
mod seeds;
#[path = "releases/table.rs"]
mod table;

use std::error::Error;
use std::io::Write as _;

/// The seeds that nothing was chosen by begin here.
const FIRST: u64 = 700_000;
/// Releases.
const RELEASES: u64 = 1_000;
/// Trials of each stream.
const TRIALS: u64 = 10_000;
/// Releases of each effect in each stream.
const OF_EACH: u64 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let first = numbers.first().copied().unwrap_or(FIRST);
    let mut out = std::io::stdout();
    if std::env::args().any(|arg| arg == "level") {
        let number = |at: usize, usual: u64| numbers.get(at).copied().unwrap_or(usual);
        writeln!(out, "{}", equals::tables(first, number(1, TRIALS)))?;
        write!(out, "{}", effects::tables(first, number(2, OF_EACH)))?;
        return Ok(());
    }
    let all: Vec<table::Judged> = seeds::over(first, RELEASES, table::judged);
    write!(out, "{}", table::of(&all))?;
    Ok(())
}
