//! Judges 1,000 seeded releases, half of them bad in known ways, by gonogo and by fixed thresholds as Argo Rollouts and Flagger look at
//! them, on the same streams, and prints the tables of `src/analysis/trial/RELEASES.md`: `cargo bench --bench releases`. A number
//! after `--` is the first seed.

#[path = "releases/chance.rs"]
mod chance;
#[path = "releases/fixed.rs"]
mod fixed;
#[path = "releases/gonogo.rs"]
mod gonogo_;
#[path = "releases/judges.rs"]
mod judges;
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

fn main() -> Result<(), Box<dyn Error>> {
    let first = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(FIRST);
    let mut out = std::io::stdout();
    let all: Vec<table::Judged> = (first..first + RELEASES).map(table::judged).collect();
    write!(out, "{}", table::of(&all))?;
    Ok(())
}
