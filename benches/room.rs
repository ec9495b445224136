//! Measures what a terminal gets from the room, beside a trivial ratatui program in the same run: only ratios of one run compare.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time and waits in it")]

mod estate;
mod figures;
mod fleet;
mod floor;
mod peers;
mod prometheus;
mod ssh;
mod terminal;

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use estate::Sources;
use figures::{Figures, Limit, Wanted};
use terminal::Program;

/// What can go wrong while measuring.
type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "cargo bench --bench room -- [--runs N] [--rest SECONDS] [--presses N] [--services N]
  --runs N         starts of each program, 1 to 1000; default 10
  --rest SECONDS   how long each program is watched at rest, 1 to 600; default 10
  --presses N      keys pressed one by one, 10 to 10000; default 300
  --services N     services of the rooms, 1 to 10000; default 100
  --many N         services of the last column, 1 to 10000; default 10000
  --peers          instead: a configured room beside the other programs of the terminal that are on this machine; k9s shows the
                   cluster of KUBECONFIG
  --ssh            with --peers instead of all else: the same over ssh to this machine, bytes of IP; needs openssh-server
  --curve          instead: one changed row and one key in rooms of 10, 100, 1,000 and 10,000 services
";

/// What the command line asked for.
enum Asked {
    /// The floor itself: this process is the trivial program.
    Floor,
    Help,
    Measure(Wanted, usize, usize),
    Peers(Wanted, usize),
    OverSsh(Wanted, usize),
    Curve(Wanted),
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
        Asked::Measure(wanted, services, many) => measure(&wanted, services, many),
        Asked::Peers(wanted, services) => beside_peers(&wanted, services, measured),
        Asked::OverSsh(wanted, services) => beside_peers(&wanted, services, over_ssh),
        Asked::Curve(wanted) => curve(&wanted),
    };
    if let Err(error) = done {
        let _ = writeln!(std::io::stderr(), "failed to measure: {error}");
    }
    // Figures are for people; only a wrong call is a failure.
    ExitCode::SUCCESS
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let (mut wanted, mut services, mut many) = (Wanted::default(), 100, 10_000);
    let (mut peers, mut ssh, mut curve) = (false, false, false);
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
            "--many" => many = number(1, 10_000)?,
            "--peers" => peers = true,
            "--ssh" => ssh = true,
            "--curve" => curve = true,
            _ => return Err(format!("there is no option `{name}`")),
        }
    }
    Ok(match (peers, ssh, curve) {
        (true, false, _) => Asked::Peers(wanted, services),
        (true, true, _) => Asked::OverSsh(wanted, services),
        (false, true, _) => return Err("--ssh goes with --peers".to_owned()),
        (false, false, true) => Asked::Curve(wanted),
        (false, false, false) => Asked::Measure(wanted, services, many),
    })
}

/// A configured room in a home of its own beneath `home`.
fn configured(home: &Path, name: &str, services: usize, sources: Sources) -> Outcome<Program> {
    let home = home.join(name);
    std::fs::create_dir(&home)?;
    let file = home.join("estate.toml");
    std::fs::write(&file, estate::configuration(services, sources, &home)?)?;
    Ok(Program::new(env!("CARGO_BIN_EXE_gonogo"), &["--config", &file.to_string_lossy()], &home))
}

/// Starts each in turn, so that what disturbs the machine for a while disturbs all of them; then watches and presses one after the other.
/// What ends or never answers is left with what was measured of it so far.
fn measured<'a>(programs: &[(&'a str, Program)], wanted: &Wanted) -> Outcome<Vec<(&'a str, Figures)>> {
    let mut all: Vec<(&str, Figures)> = programs.iter().map(|(name, _)| (*name, Figures::default())).collect();
    for _ in 0..wanted.runs {
        for ((_, program), (_, figures)) in programs.iter().zip(&mut all) {
            let _ = figures.start(program);
        }
    }
    for ((name, program), (_, figures)) in programs.iter().zip(&mut all) {
        if let Err(error) = figures.rest_and_press(program, wanted) {
            writeln!(std::io::stderr(), "{name}: {error}")?;
        }
    }
    Ok(all)
}

/// One after the other, over ssh.
fn over_ssh<'a>(programs: &[(&'a str, Program)], wanted: &Wanted) -> Outcome<Vec<(&'a str, Figures)>> {
    let server = ssh::Server::start()?;
    let mut all: Vec<(&str, Figures)> = programs.iter().map(|(name, _)| (*name, Figures::default())).collect();
    for ((name, program), (_, figures)) in programs.iter().zip(&mut all) {
        if let Err(error) = figures.over_ssh(program, &server, wanted) {
            writeln!(std::io::stderr(), "{name}: {error}")?;
        }
    }
    Ok(all)
}

/// How programs are measured.
type Measure = for<'a> fn(&[(&'a str, Program)], &Wanted) -> Outcome<Vec<(&'a str, Figures)>>;

fn beside_peers(wanted: &Wanted, services: usize, measure: Measure) -> Outcome<()> {
    let home = tempfile::tempdir()?;
    let this = std::env::current_exe()?;
    let port = prometheus::start()?;
    let (peers, missing) = peers::found(home.path());
    let mut programs = vec![
        ("floor", Program::new(&this.to_string_lossy(), &["floor"], home.path())),
        ("gonogo, not polled", configured(home.path(), "quiet", services, Sources::None)?),
        ("gonogo, live and dead", configured(home.path(), "polled", services, Sources::LiveAndDead(port))?),
    ];
    programs.extend(peers);
    let all = measure(&programs, wanted)?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{services} services, {} starts, {} s at rest, {} presses; terminal of 120x40; not on this machine: {}",
        wanted.runs,
        wanted.rest,
        wanted.presses,
        if missing.is_empty() { "none".to_owned() } else { missing.join(", ") }
    )?;
    writeln!(out, "median of each figure, and its ratio to the floor of this run; what shows a machine shows live data\n")?;
    out.write_all(figures::table(&all).as_bytes())?;
    Ok(())
}

fn curve(wanted: &Wanted) -> Outcome<()> {
    let home = tempfile::tempdir()?;
    let port = prometheus::start()?;
    let sizes = [("10 services", 10), ("100 services", 100), ("1,000 services", 1_000), ("10,000 services", 10_000)];
    let programs = sizes
        .into_iter()
        .map(|(name, services)| Ok((name, configured(home.path(), &services.to_string(), services, Sources::LiveAndDead(port))?)))
        .collect::<Outcome<Vec<_>>>()?;
    let all = measured(&programs, wanted)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "median of each figure by the number of services, and its ratio to that of the smallest room\n")?;
    out.write_all(figures::table(&all).as_bytes())?;
    Ok(())
}

fn measure(wanted: &Wanted, services: usize, many: usize) -> Outcome<()> {
    let home = tempfile::tempdir()?;
    let scenario = home.path().join("fleet.toml");
    std::fs::write(&scenario, fleet::scenario(services)?)?;
    let scenario = scenario.to_string_lossy();
    let this = std::env::current_exe()?;
    let this = this.to_string_lossy();
    let gonogo = env!("CARGO_BIN_EXE_gonogo");
    let port = prometheus::start()?;
    let programs = [
        ("floor", Program::new(&this, &["floor"], home.path())),
        ("gonogo, time stands still", Program::new(gonogo, &["demo", &scenario, "--speed", "0"], home.path())),
        ("gonogo, live", Program::new(gonogo, &["demo", &scenario], home.path())),
        ("configured, not polled", configured(home.path(), "quiet", services, Sources::None)?),
        ("configured, live and dead", configured(home.path(), "polled", services, Sources::LiveAndDead(port))?),
        ("many, live and dead", configured(home.path(), "many", many, Sources::LiveAndDead(port))?),
    ];
    let mut all = programs.each_ref().map(|(name, _)| (*name, Figures::default()));
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
        "{services} services ({many} in the last column), {} starts, {} s at rest, {} presses; terminal of 120x40",
        wanted.runs, wanted.rest, wanted.presses
    )?;
    writeln!(out, "median of each figure, and its ratio to the floor of this run\n")?;
    out.write_all(figures::table(&all).as_bytes())?;
    let [(_, floor), _, _, (quiet, at_rest), (polled, busy), (most, largest)] = &all;
    writeln!(out, "\nlimits of the configured rooms")?;
    for (name, figures, limits) in [(quiet, at_rest, AT_REST), (polled, busy, BUSY), (most, largest, LARGEST)] {
        out.write_all(figures::judged(name, figures, floor, limits).as_bytes())?;
    }
    Ok(())
}

const fn limit(row: &'static str, most: f64, ratio: Option<f64>) -> Limit {
    Limit { row, most, ratio }
}

/// Nothing is polled: what is left is the clock of line 1 and a glance at the store.
const AT_REST: &[Limit] = &[
    limit("first frame (5 ms silence),", 8000.0, None),
    limit("memory 5 s after exec", 14.5, None),
    limit("at rest, processor a second", 0.25, None),
    limit("at rest, wake-ups a second", 4.0, None),
];

/// Data arrives while keys are pressed.
const BUSY: &[Limit] = &[
    limit("first frame (5 ms silence)", 24.0, Some(4.0)),
    limit("memory 5 s after exec", 14.5, None),
    limit("key to first byte, p50", 0.75, Some(1.2)),
    limit("key to first byte, p99", 2.0, Some(2.5)),
    limit("one cursor move, median", 85.0, None),
    limit("processor a move", 0.75, Some(1.5)),
    limit("50 keys in one write", 4200.0, None),
];

/// The same with ten thousand services.
const LARGEST: &[Limit] = &[
    limit("memory after the keys", 100.0, None),
    limit("key to first byte, p50", 0.75, Some(1.2)),
    limit("key to first byte, p99", 2.0, Some(2.5)),
    limit("one scrolled row, median", 475.0, None),
];
