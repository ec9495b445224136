//! The past of an objective in the simulated world: what its servers were seen to count, and before that days as quiet as the site is,
//! with an hour of trouble now and then.

use super::number::{real, seconds};
use super::site::{BOUNDS, Machine, Scrape, Site};
use super::state::State;
use crate::model::objective::{HistoryAsk, HistoryReading, Indicator, Tally};
use crate::model::text::Text;

/// One day in so many has its hour of trouble.
const TROUBLE_EVERY: u64 = 9;
/// The share of requests that fail in it.
const TROUBLE: f64 = 0.03;

/// The history of an objective, by the site alone: queries are not read.
pub(super) fn reading(state: &State, ask: &HistoryAsk) -> HistoryReading {
    let step = i64::from(ask.stretch.step_s.max(1));
    let now = state.now().timestamp();
    let site = state.site(&ask.key.target);
    let tally = |n: i64| {
        let from = ask.stretch.from_s + n * step;
        site.filter(|_| from + step <= now).map(|site| counted(state, site, &ask.indicator, (from, from + step)))
    };
    let count = i64::try_from(ask.stretch.count()).unwrap_or(0);
    HistoryReading {
        stretch: ask.stretch,
        tallies: (0..count).map(tally).collect(),
        interval_s: Some(state.scenario.scrape.as_secs_f64().max(1.0)),
        sent: Text::clean(&format!("the history of {} at {}", ask.key.name, ask.key.target)),
        doubt: None,
    }
}

fn counted(state: &State, site: &Site, indicator: &Indicator, (from, to): (i64, i64)) -> Tally {
    let oldest = site.machines().filter_map(|machine| machine.scrapes.front()).map(|scrape| scrape.tick).max();
    let begun = oldest.map_or(i64::MAX, |tick| state.wall(tick).timestamp());
    let mut tally = Tally { bad: 0.0, total: 0.0, covered: 1.0 };
    let quiet_until = to.min(begun.max(from));
    if quiet_until > from {
        let (bad, total) = quiet(site, indicator, (from, quiet_until));
        (tally.bad, tally.total) = (bad, total);
    }
    if quiet_until < to {
        for machine in site.machines() {
            let (bad, total) = seen(state, machine, indicator, (quiet_until, to));
            (tally.bad, tally.total) = (tally.bad + bad, tally.total + total);
        }
    }
    tally
}

/// What a server counted, by the newest scrapes up to both ends.
fn seen(state: &State, machine: &Machine, indicator: &Indicator, (from, to): (i64, i64)) -> (f64, f64) {
    let until = |at: i64| {
        let before = machine.scrapes.iter().rev().find(|scrape| state.wall(scrape.tick).timestamp() <= at);
        before.or(machine.scrapes.front()).map_or((0.0, 0.0), |scrape| of_scrape(scrape, indicator))
    };
    let ((bad, total), (more_bad, more)) = (until(from), until(to));
    ((more_bad - bad).max(0.0), (more - total).max(0.0))
}

fn of_scrape(scrape: &Scrape, indicator: &Indicator) -> (f64, f64) {
    let total = real(scrape.requests);
    match indicator {
        Indicator::Histogram { under, .. } => {
            let within = BOUNDS.iter().position(|(bound, _)| *bound >= *under).and_then(|place| scrape.buckets.get(place));
            (total - real(within.copied().unwrap_or(scrape.requests).min(scrape.requests)), total)
        }
        Indicator::Bad { .. } | Indicator::Good { .. } | Indicator::Value { .. } | Indicator::Share { .. } => (real(scrape.errors), total),
    }
}

/// A time before anything was seen.
fn quiet(site: &Site, indicator: &Indicator, (from, to): (i64, i64)) -> (f64, f64) {
    let total = site.nature.requests * seconds(to - from);
    let usual = match indicator {
        Indicator::Histogram { .. } => 0.002,
        Indicator::Bad { .. } | Indicator::Good { .. } | Indicator::Value { .. } | Indicator::Share { .. } => site.nature.errors,
    };
    let share = usual * (0.6 + 0.8 * chance(site, from.div_euclid(3_600)));
    (total * share + site.nature.requests * trouble_s(site, from, to) * TROUBLE, total)
}

/// The seconds between two times that lie in an hour of trouble.
fn trouble_s(site: &Site, from: i64, to: i64) -> f64 {
    (from.div_euclid(86_400)..=to.div_euclid(86_400))
        .filter(|day| hash(site, *day).is_multiple_of(TROUBLE_EVERY))
        .map(|day| {
            let begin = day * 86_400 + 9 * 3_600 + i64::try_from(hash(site, day + 7) % 28_800).unwrap_or(0);
            seconds((to.min(begin + 2_400) - from.max(begin)).max(0))
        })
        .sum()
}

/// 0 to 1, the same for the same site and place.
fn chance(site: &Site, place: i64) -> f64 {
    real(hash(site, place) % 1_000) / 1_000.0
}

fn hash(site: &Site, place: i64) -> u64 {
    let bytes = site.target.to_string().into_bytes().into_iter().chain(place.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)) >> 16
}
