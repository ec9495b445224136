//! What the judges made of the releases, as tables.
#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts stay far below 2^52")]

use std::fmt::Write as _;

use gonogo::model::strategy::Trigger;

use super::fixed::{Argo, Flagger, Thresholds};
use super::gonogo_::Gonogo;
use super::judges::{Came, walk};
use super::release::{Fault, Release, SCRAPE_S, Surroundings};

/// Each release is followed for four hours.
pub const SCRAPES: usize = 4 * 3600 / SCRAPE_S as usize;

/// The judges, by their rows.
pub const JUDGES: [&str; 7] = [
    "gonogo",
    "gonogo, judge alone",
    "Argo Rollouts, failureLimit 0",
    "Argo Rollouts, failureLimit 3",
    "Argo Rollouts, its guide",
    "Flagger, threshold 1",
    "Flagger, its guide",
];

/// One release and what came of it by each judge.
pub struct Judged {
    /// What is wrong with it.
    pub fault: Option<Fault>,
    /// What it lives in.
    pub surroundings: Surroundings,
    /// By each judge.
    pub came: [Came; JUDGES.len()],
}

/// The release of a seed, judged by all.
pub fn judged(seed: u64) -> Judged {
    let release = Release::new(seed, SCRAPES);
    Judged { fault: release.fault, surroundings: release.surroundings, came: by_all(&release) }
}

/// What comes of a release by each judge.
pub fn by_all(release: &Release) -> [Came; JUDGES.len()] {
    let usual = Thresholds { success: 0.99, p99: 0.5, window_s: 60, interval_s: 60 };
    let guide = Thresholds { success: 0.95, window_s: SCRAPE_S, interval_s: 300, ..usual };
    let steps = [(0.05, 300), (0.2, 300), (0.5, 300)];
    let fives: Vec<f64> = (1..=10).map(|step| f64::from(step) * 0.05).collect();
    let argo = |of, failure_limit, steps: &[(f64, i64)]| walk(release, &mut Argo::new(of, steps, failure_limit), SCRAPES);
    [
        walk(release, &mut Gonogo::new(&[Trigger::Judge, Trigger::Limit]), SCRAPES),
        walk(release, &mut Gonogo::new(&[Trigger::Judge]), SCRAPES),
        argo(usual, 0, &steps),
        argo(usual, 3, &steps),
        argo(guide, 3, &[(0.2, 600), (0.4, 600), (0.6, 600), (0.8, 600)]),
        walk(release, &mut Flagger::new(usual, &fives, 1), SCRAPES),
        walk(release, &mut Flagger::new(usual, &fives, 10), SCRAPES),
    ]
}

/// All tables, in Markdown.
pub fn of(all: &[Judged]) -> String {
    let mut text = String::new();
    let (good, bad): (Vec<&Judged>, Vec<&Judged>) = all.iter().partition(|one| one.fault.is_none());
    let _ = writeln!(text, "{} good and {} bad releases:\n", good.len(), bad.len());
    text += "| judge | false rollbacks | good ones left to a person | bad ones promoted | bad ones left to a person | harmed requests | \
        to go back, median | p90 | to promote, median | p90 |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
    for (at, judge) in JUDGES.iter().enumerate() {
        let of = |group: &[&Judged]| group.iter().map(|one| one.came[at]).collect::<Vec<Came>>();
        let (good, bad) = (of(&good), of(&bad));
        let harmed = bad.iter().map(|came| came.harmed / came.requests).sum::<f64>() / bad.len().max(1) as f64;
        let to_back = bad.iter().filter_map(|came| Some(came.back?.0 - came.harmed_from?)).collect();
        let to_promote = good.iter().filter_map(|came| came.promoted).collect();
        let ([m, n], [p, q]) = (quantiles(to_back), quantiles(to_promote));
        let _ = writeln!(
            text,
            "| {judge} | {} | {} | {} | {} | {:.2} % | {m} | {n} | {p} | {q} |",
            count(&good, is_back),
            count(&good, is_left),
            count(&bad, |came| came.promoted.is_some()),
            count(&bad, is_left),
            harmed * 100.0,
        );
    }
    text += "\nFalse rollbacks of good releases, by what they live in:\n\n| judge |";
    row(&mut text, Surroundings::ALL.map(Surroundings::word));
    for (at, judge) in JUDGES.iter().enumerate() {
        let _ = write!(text, "| {judge} |");
        row(
            &mut text,
            Surroundings::ALL.map(|in_| {
                let of: Vec<Came> = good.iter().filter(|one| one.surroundings == in_).map(|one| one.came[at]).collect();
                format!("{} of {}{}", count(&of, is_back), of.len(), left(&of))
            }),
        );
        headed(&mut text, at, Surroundings::ALL.len());
    }
    text += "\nBad releases that were not taken back (promoted, or left to a person), and the share of harmed requests, by what is wrong:\n\n| judge |";
    row(&mut text, Fault::ALL.map(Fault::word));
    for (at, judge) in JUDGES.iter().enumerate() {
        let _ = write!(text, "| {judge} |");
        row(
            &mut text,
            Fault::ALL.map(|fault| {
                let of: Vec<Came> = bad.iter().filter(|one| one.fault == Some(fault)).map(|one| one.came[at]).collect();
                let harmed = of.iter().map(|came| came.harmed / came.requests).sum::<f64>() / of.len().max(1) as f64;
                format!("{} of {}; {:.2} %", of.len() - count(&of, is_back), of.len(), harmed * 100.0)
            }),
        );
        headed(&mut text, at, Fault::ALL.len());
    }
    text
}

fn is_back(came: &Came) -> bool {
    came.back.is_some()
}

/// Neither back nor promoted at the end.
fn is_left(came: &Came) -> bool {
    came.back.is_none() && came.promoted.is_none()
}

fn left(of: &[Came]) -> String {
    match count(of, is_left) {
        0 => String::new(),
        left => format!(" ({left} left)"),
    }
}

fn count(of: &[Came], is: impl Fn(&Came) -> bool) -> usize {
    of.iter().filter(|came| is(came)).count()
}

fn row<T: AsRef<str>>(text: &mut String, cells: impl IntoIterator<Item = T>) {
    for cell in cells {
        let _ = write!(text, " {} |", cell.as_ref());
    }
    text.push('\n');
}

/// The line under a table's head goes in before its first row's end.
fn headed(text: &mut String, at: usize, columns: usize) {
    if at == 0 {
        let row = text.trim_end_matches('\n').rfind('\n').map_or(0, |end| end + 1);
        text.insert_str(row, &format!("| --- |{}\n", " --- |".repeat(columns)));
    }
}

/// Median and nine in ten, as people write times.
fn quantiles(mut seconds: Vec<i64>) -> [String; 2] {
    seconds.sort_unstable();
    [0.5, 0.9].map(|share| match seconds.get((share * seconds.len() as f64) as usize) {
        Some(seconds) => format!("{:.1} min", *seconds as f64 / 60.0),
        None => "-".to_owned(),
    })
}
