//! Measures how many measures of 1,000 against 1,000 values the judge decides in a second of one core's time, estimate and interval included, by
//! both methods, beside `scipy.stats.mannwhitneyu` (U and p alone) in the same run. `GONOGO_PYTHON` names a Python with `SciPy`.
#![expect(clippy::disallowed_methods, reason = "a benchmark is told where Python is")]

use std::error::Error;
use std::hint::black_box;
use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use gonogo::analysis::evidence::location;
use gonogo::analysis::judge::{Measured, Point, Samples, judge};
use gonogo::model::judging::{Direction, JudgeRules, Method, MetricRules};
use gonogo::model::text::Text;

/// Measures in a run.
const MEASURES: usize = 300;
/// Values a side.
const VALUES: i64 = 1_000;

/// The same work in Python.
const SCIPY: &str = "
import time
import numpy
from scipy.stats import mannwhitneyu
chance = numpy.random.default_rng(7)
sides = [(chance.normal(size=1000), chance.normal(size=1000)) for _ in range(300)]
start = time.process_time()
for canary, baseline in sides:
    mannwhitneyu(canary, baseline, use_continuity=True, method='asymptotic', alternative='two-sided')
print(300 / (time.process_time() - start))
start = time.process_time()
for canary, baseline in sides[:60]:
    numpy.subtract.outer(canary, baseline).ravel().partition([462000, 499999, 500000, 538000])
print(60 / (time.process_time() - start))
";

/// A number of a fixed sequence, from 0 to 1.
fn next(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    f64::from(u32::try_from(*state >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

/// The processor's time of this process so far: what else the machine does is not measured.
fn spent() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut state = 7;
    let mut side = || {
        let value = |second: i64| {
            let sum: f64 = (0..12).map(|_| next(&mut state)).sum();
            Point { at: DateTime::UNIX_EPOCH + TimeDelta::seconds(second), value: Some(Measured::Value(sum - 6.0)) }
        };
        (0..VALUES).map(value).collect::<Vec<Point>>()
    };
    let samples: Vec<Samples> =
        (0..MEASURES).map(|n| Samples { name: Text::clean(&format!("m{n}")), baseline: side(), canary: side() }).collect();
    let metric = |n| MetricRules { direction: Direction::Increase, margin: 0.2, ..MetricRules::named(&format!("m{n}")) };
    let mut out = std::io::stdout();
    let mut rate = |name: &str, run: &dyn Fn()| -> Result<f64, std::io::Error> {
        let start = spent();
        run();
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let rate = MEASURES as f64 / spent().saturating_sub(start).as_secs_f64();
        writeln!(out, "{name:<52} {rate:>8.0} measures/s")?;
        Ok(rate)
    };
    let numbers = |points: &[Point]| points.iter().filter_map(|point| point.value?.number()).collect::<Vec<f64>>();
    let plain: Vec<(Vec<f64>, Vec<f64>)> = samples.iter().map(|pair| (numbers(&pair.canary), numbers(&pair.baseline))).collect();
    rate("estimate and interval alone", &|| {
        for (canary, baseline) in &plain {
            black_box(location::shift(canary, baseline, 0.95));
        }
    })?;
    let rules = JudgeRules { method: Method::Gonogo, metrics: (0..MEASURES).map(metric).collect(), ..JudgeRules::default() };
    let ours = rate("gonogo and kayenta both, all told", &|| {
        black_box(judge(&rules, &samples));
    })?;
    let only = rate("gonogo alone, all told", &|| {
        black_box(gonogo::analysis::judge::by(Method::Gonogo, &rules, &samples));
    })?;
    let Ok(python) = std::env::var("GONOGO_PYTHON") else {
        writeln!(out, "GONOGO_PYTHON is not set: not held against SciPy")?;
        return Ok(());
    };
    let said = Command::new(python).args(["-c", SCIPY]).output()?;
    let said = String::from_utf8(said.stdout)?;
    let mut rates = said.lines().map(|line| line.trim().parse::<f64>());
    let (theirs, shifts) = (rates.next().ok_or("SciPy said nothing")??, rates.next().ok_or("NumPy said nothing")??);
    writeln!(out, "{:<52} {theirs:>8.0} measures/s", "scipy.stats.mannwhitneyu, U and p alone")?;
    writeln!(out, "{:<52} {shifts:>8.0} measures/s", "NumPy, estimate and interval of all differences")?;
    writeln!(out, "ratio: gonogo alone {:.2}, both methods {:.2}", only / theirs, ours / theirs)?;
    Ok(())
}
