//! Measures what a terminal gets from the room, beside a trivial ratatui program in the same run: only ratios of one run compare.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time and waits in it")]

mod figures;
mod fleet;
mod floor;
mod terminal;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use figures::{Figures, Wanted};
use terminal::Program;

/// What can go wrong while measuring.
type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "cargo bench -- [--runs N] [--rest SECONDS] [--presses N] [--services N]
  --runs N         starts of each program, 1 to 1000; default 10
  --rest SECONDS   how long each program is watched at rest, 1 to 600; default 10
  --presses N      keys pressed one by one, 10 to 10000; default 300
  --services N     services of the simulated room, 1 to 10000; default 100
";

/// What the command line asked for.
enum Asked {
    /// The floor itself: this process is the trivial program.
    Floor,
    Help,
    Measure(Wanted, usize),
}

fn main() -> ExitCode {
    let asked = match read(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(wrong) => {
            let _ = write!(std::io::stderr(), "{wrong}\n{USAGE}");
            return ExitCode::from(1);
        }
    };
    let done = match asked {
        Asked::Floor => floor::run().map_err(Into::into),
        Asked::Help => write!(std::io::stdout(), "{USAGE}").map_err(Into::into),
        Asked::Measure(wanted, services) => measure(&wanted, services),
    };
    if let Err(error) = done {
        let _ = writeln!(std::io::stderr(), "failed to measure: {error}");
    }
    // Figures are for people; only a wrong call is a failure.
    ExitCode::SUCCESS
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let (mut wanted, mut services) = (Wanted::default(), 100);
    while let Some(name) = arguments.next() {
        let mut number = |least: usize, most: usize| {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a number"))?;
            value
                .parse()
                .ok()
                .filter(|n| (least..=most).contains(n))
                .ok_or_else(|| format!("{name} takes {least} to {most}, not `{value}`"))
        };
        match name.as_str() {
            // Cargo says so to every benchmark.
            "--bench" => {}
            "--help" | "-h" => return Ok(Asked::Help),
            "floor" => return Ok(Asked::Floor),
            "--runs" => wanted.runs = number(1, 1000)?,
            "--rest" => wanted.rest = number(1, 600)?,
            "--presses" => wanted.presses = number(10, 10_000)?,
            "--services" => services = number(1, 10_000)?,
            _ => return Err(format!("there is no option `{name}`")),
        }
    }
    Ok(Asked::Measure(wanted, services))
}

fn measure(wanted: &Wanted, services: usize) -> Outcome<()> {
    let home = tempfile::tempdir()?;
    let scenario = home.path().join("fleet.toml");
    std::fs::write(&scenario, fleet::scenario(services)?)?;
    let scenario = scenario.to_string_lossy();
    let this = std::env::current_exe()?;
    let this = this.to_string_lossy();
    let gonogo = env!("CARGO_BIN_EXE_gonogo");
    let programs = [
        ("floor", Program::new(&this, &["floor"], home.path())),
        ("gonogo, time stands still", Program::new(gonogo, &["demo", &scenario, "--speed", "0"], home.path())),
        ("gonogo, live", Program::new(gonogo, &["demo", &scenario], home.path())),
    ];
    let mut all: Vec<(&str, Figures)> = programs.iter().map(|(name, _)| (*name, Figures::default())).collect();
    // One start of each in turn: what disturbs the machine for a while disturbs all of them.
    for _ in 0..wanted.runs {
        for ((_, program), (_, figures)) in programs.iter().zip(&mut all) {
            figures.start(program)?;
        }
    }
    for ((_, program), (_, figures)) in programs.iter().zip(&mut all) {
        figures.rest_and_press(program, wanted)?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{services} services, {} starts, {} s at rest, {} presses; terminal of 120x40",
        wanted.runs, wanted.rest, wanted.presses
    )?;
    writeln!(out, "median of each figure, and its ratio to the floor of this run\n")?;
    out.write_all(figures::table(&all).as_bytes())?;
    Ok(())
}
