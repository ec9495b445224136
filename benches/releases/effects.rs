//! How soon a worse version is taken back against how much worse it is, by gonogo and by fixed thresholds on the same streams.

use std::fmt::Write as _;

use gonogo::model::strategy::Trigger;

use super::gonogo_::Gonogo;
use super::judges::{Came, walk};
use super::release::{Fault, Release, Surroundings};
use super::seeds::over;
use super::table::{JUDGES, SCRAPES, by_all};

/// What is worse, and by how much.
const EFFECTS: [(&str, Fault, f64); 9] = [
    ("nothing", Fault::Times, 1.0),
    ("errors x 1.5", Fault::Times, 1.5),
    ("x 2", Fault::Times, 2.0),
    ("x 4", Fault::Times, 4.0),
    ("x 10", Fault::Times, 10.0),
    ("latency +10 %", Fault::Latency, 1.1),
    ("+25 %", Fault::Latency, 1.25),
    ("+50 %", Fault::Latency, 1.5),
    ("+100 %", Fault::Latency, 2.0),
];

/// The streams.
const STREAMS: [Surroundings; 3] = [Surroundings::Calm, Surroundings::Leaning9, Surroundings::Bursty];

/// The margins of one more judge: a tenth of the limits of errors and latency.
const CLOSE: f64 = 0.001;

/// What came of one release by each judge, and by gonogo with close margins.
type Of = ([Came; JUDGES.len()], Came);

/// Tables of so many releases of each effect.
pub fn tables(first: u64, runs: u64) -> String {
    let mut text = String::new();
    for in_ in STREAMS {
        let came: Vec<Vec<Of>> = EFFECTS
            .iter()
            .map(|(_, fault, size)| {
                over(first, runs, |seed| {
                    let mut release = Release::with(seed, in_, Some(*fault), SCRAPES);
                    release.size = *size;
                    let close = walk(&release, &mut Gonogo::within(&[Trigger::Judge, Trigger::Limit], Some(CLOSE)), SCRAPES);
                    (by_all(&release), close)
                })
            })
            .collect();
        let _ = write!(
            text,
            "{} releases of each effect, {}: taken back, promoted (else left to a person); median time to go back over all of them:\n\n| judge |",
            runs,
            in_.word()
        );
        for (name, ..) in EFFECTS {
            let _ = write!(text, " {name} |");
        }
        let _ = writeln!(text, "\n| --- |{}", " --- |".repeat(EFFECTS.len()));
        for (at, judge) in JUDGES.iter().enumerate() {
            row(&mut text, judge, &came, |of| of.0[at]);
            if at == 0 {
                row(&mut text, "gonogo, margins of 0.1 points", &came, |of| of.1);
            }
        }
        text.push('\n');
    }
    text
}

fn row(text: &mut String, judge: &str, came: &[Vec<Of>], by: impl Fn(&Of) -> Came) {
    let _ = write!(text, "| {judge} |");
    for of in came {
        let of: Vec<Came> = of.iter().map(&by).collect();
        let (back, promoted) =
            (of.iter().filter(|came| came.back.is_some()).count(), of.iter().filter(|came| came.promoted.is_some()).count());
        let mut times: Vec<i64> = of.iter().map(|came| came.back.map_or(i64::MAX, |(at, _)| at)).collect();
        times.sort_unstable();
        let median = match times[times.len() / 2] {
            i64::MAX => "-".to_owned(),
            #[expect(clippy::cast_precision_loss, reason = "some hours")]
            seconds => format!("{:.1} min", seconds as f64 / 60.0),
        };
        let _ = write!(text, " {back}, {promoted}; {median} |");
    }
    text.push('\n');
}
