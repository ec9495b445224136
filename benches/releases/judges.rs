//! Judges of a release, each of which moves the share of the new version, and what came of it.
#![expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "counts stay far below 2^52")]

use super::release::{Counted, Interval, Release, SCRAPE_S};

/// What a judge does after a scrape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Moves {
    /// Nothing.
    Stays,
    /// Nothing before a person does.
    Waits,
    /// Another share, from 0 to 1.
    To(f64),
    /// Back to none, and by which of its rules.
    Back(&'static str),
    /// All traffic, for good: it does not look any more.
    Promoted,
}

/// One way to judge.
pub trait Judge {
    /// The first share, before anything was seen.
    fn begins(&mut self) -> f64;
    /// What it does after the scrape at a second.
    fn takes(&mut self, at_s: i64, interval: &Interval) -> Moves;
}

/// What came of a release.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Came {
    /// When it went back, and by which rule.
    pub back: Option<(i64, &'static str)>,
    /// When it was promoted for good.
    pub promoted: Option<i64>,
    /// When the first request was harmed.
    pub harmed_from: Option<i64>,
    /// Whether a person is waited for at the end.
    pub waits: bool,
    /// Its share at the end.
    pub share: f64,
    /// Requests harmed, of all.
    pub harmed: f64,
    /// All requests.
    pub requests: f64,
}

impl Counted {
    /// Both together.
    pub fn plus(&self, more: &Self) -> Self {
        let mut within = self.within;
        within.iter_mut().zip(more.within).for_each(|(sum, more)| *sum += more);
        Self { total: self.total + more.total, errors: self.errors + more.errors, within }
    }
}

/// Lets a judge walk a release for so many scrapes.
pub fn walk(release: &Release, judge: &mut impl Judge, scrapes: usize) -> Came {
    let mut came = Came { share: judge.begins(), ..Came::default() };
    let mut full_from = None;
    for at in 0..scrapes {
        let second = at as i64 * SCRAPE_S;
        full_from = if came.share >= 1.0 { full_from.or(Some(second)) } else { None };
        let interval = release.interval(at, came.share, full_from.map(|from| (second - from) as f64));
        came.requests += interval.of[0].total + interval.of[1].total;
        came.harmed += interval.harmed;
        if interval.harmed > 0.0 {
            came.harmed_from = came.harmed_from.or(Some(second));
        }
        if came.back.is_some() || came.promoted.is_some() {
            continue;
        }
        let second = second + SCRAPE_S;
        let moves = judge.takes(second, &interval);
        came.waits = moves == Moves::Waits;
        match moves {
            Moves::Stays | Moves::Waits => {}
            Moves::To(share) => came.share = share,
            Moves::Back(rule) => (came.share, came.back) = (0.0, Some((second, rule))),
            Moves::Promoted => (came.share, came.promoted) = (1.0, Some(second)),
        }
    }
    came
}
