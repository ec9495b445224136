//! Histograms as counts: the bound beyond which events are bad, and the series that tell of it.

use serde::{Deserialize, Serialize};

use crate::model::signal::{Better, Series};

/// Events that must lie beyond the baseline's own quantile before it is believed.
const BEYOND: f64 = 10.0;

/// A bound of events, as far as the buckets of a histogram tell of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    at: f64,
    /// Ends of buckets, and the share with which the events at or below each count as at or below the bound.
    ends: Vec<(f64, f64)>,
}

impl Bound {
    /// A bound at which a bucket ends.
    fn exact(at: f64) -> Self {
        Self { at, ends: vec![(at, 1.0)] }
    }

    /// A bound within a bucket: its events are taken to lie evenly in it, as `histogram_quantile` of Prometheus does. Rounded to an end, what
    /// lies between the two would be good, or bad, on both sides, however much slower one is.
    fn between(low: f64, at: f64, high: f64) -> Self {
        let share = (at - low) / (high - low);
        Self { at, ends: vec![(low, 1.0 - share), (high, share)] }
    }

    /// Where it lies.
    pub fn at(&self) -> f64 {
        self.at
    }

    /// The ends of buckets that are read; one at 0 has no bucket.
    pub fn ends(&self) -> impl Iterator<Item = f64> {
        self.ends.iter().map(|(end, _)| *end).filter(|end| *end > 0.0)
    }

    /// The counters of events at or below it, each with its share.
    pub fn within<'a>(&self, all: &'a [Series]) -> impl Iterator<Item = (f64, impl Iterator<Item = &'a Series> + Clone)> {
        self.ends.iter().map(move |(end, share)| (*share, of(all, *end)))
    }
}

/// The upper bound of a bucket, from its label `le`.
pub fn bound(series: &Series) -> Option<f64> {
    match series.label("le")?.as_str() {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        text => text.parse().ok().filter(|bound: &f64| bound.is_finite()),
    }
}

/// The series of one bound.
pub fn of(all: &[Series], at: f64) -> impl Iterator<Item = &Series> + Clone {
    all.iter().filter(move |series| bound(series).is_some_and(|bound| bound.total_cmp(&at).is_eq()))
}

/// The finite bounds of a histogram, ascending, each with the events at or below it since its processes began.
fn bounds(all: &[Series]) -> Vec<(f64, f64)> {
    let mut bounds: Vec<(f64, f64)> = Vec::new();
    for series in all {
        let (Some(bound), Some(last)) = (bound(series), series.samples.last()) else { continue };
        match bounds.iter_mut().find(|(other, _)| other.total_cmp(&bound).is_eq()) {
            Some((_, events)) => *events += last.value,
            None => bounds.push((bound, last.value)),
        }
    }
    bounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    bounds
}

/// The bound beyond which events are bad: the limit, or else the end of the bucket that the baseline's quantile lies under.
///
/// # Errors
/// Why there is none, to stand after "no data of ..".
pub fn threshold(baseline: &[Series], better: Better, limit: Option<f64>, quantile: f64) -> Result<Bound, String> {
    let all = bounds(baseline);
    let (finite, events) = match all.split_last() {
        Some(((last, events), rest)) if last.is_infinite() && !rest.is_empty() => (rest, *events),
        Some(_) | None => return Err("its histogram has no buckets, or none without a bound".to_owned()),
    };
    if let Some(limit) = limit {
        let Some(high) = finite.iter().map(|(end, _)| *end).find(|end| *end >= limit) else {
            return Err("its histogram has no bound at its limit or above".to_owned());
        };
        if high.total_cmp(&limit).is_eq() {
            return Ok(Bound::exact(limit));
        }
        // The lowest bucket begins at 0, but where it ends below.
        let low = finite.iter().map(|(end, _)| *end).rfind(|end| *end < limit).unwrap_or(0.0);
        return if low < limit {
            Ok(Bound::between(low, limit, high))
        } else {
            Err("its histogram has no bound below its limit".to_owned())
        };
    }
    if events * (1.0 - quantile) < BEYOND {
        return Err(format!("it has {events:.0} events, too few for its own quantile as the bound"));
    }
    let found = match better {
        Better::Lower => finite.iter().find(|(_, below)| *below >= quantile * events).or(finite.last()),
        Better::Higher => finite.iter().rev().find(|(_, below)| *below <= (1.0 - quantile) * events).or(finite.first()),
    };
    found.map(|(bound, _)| Bound::exact(*bound)).ok_or_else(|| "its histogram has no buckets".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signal::Sample;
    use crate::model::text::Text;

    fn bucket(le: &str, value: f64) -> Series {
        Series { labels: [(Text::clean("le"), Text::clean(le))].into(), samples: vec![Sample { at_ms: 0, value }] }
    }

    fn histogram() -> Vec<Series> {
        vec![bucket("+Inf", 2000.0), bucket("0.5", 1990.0), bucket("0.10", 1000.0), bucket("1", 1999.0)]
    }

    #[test]
    fn the_bound_is_the_limit_and_shares_the_bucket_that_it_lies_in() {
        let of = |limit| threshold(&histogram(), Better::Lower, Some(limit), 0.99);
        assert_eq!(of(0.5), Ok(Bound::exact(0.5)));
        assert_eq!(of(0.75), Ok(Bound { at: 0.75, ends: vec![(0.5, 0.5), (1.0, 0.5)] }));
        // Below the lowest end nothing is read.
        let lowest = of(0.025).unwrap();
        assert_eq!((lowest.at(), lowest.ends().collect::<Vec<_>>()), (0.025, vec![0.1]));
        assert!((lowest.ends[1].1 - 0.25).abs() < 1e-12, "{lowest:?}");
        assert_eq!(of(1.1), Err("its histogram has no bound at its limit or above".to_owned()));
        assert_eq!(of(-0.1), Err("its histogram has no bound below its limit".to_owned()));
        assert_eq!(threshold(&histogram(), Better::Higher, Some(0.75), 0.99), of(0.75));
    }

    #[test]
    fn what_lies_in_the_bucket_of_the_bound_counts_in_part() {
        let all = histogram();
        let bound = Bound::between(0.5, 0.75, 1.0);
        let below: f64 = bound.within(&all).map(|(share, series)| share * series.map(|one| one.samples[0].value).sum::<f64>()).sum();
        assert!((below - 1994.5).abs() < 1e-9, "half of the nine between 0.5 and 1: {below}");
    }

    #[test]
    fn without_a_limit_it_is_that_of_the_baselines_quantile() {
        let of = |better, quantile| threshold(&histogram(), better, None, quantile);
        assert_eq!(of(Better::Lower, 0.99), Ok(Bound::exact(0.5)));
        assert_eq!(of(Better::Lower, 0.995), Ok(Bound::exact(0.5)));
        assert_eq!(of(Better::Higher, 0.5), Ok(Bound::exact(0.1)));
        assert_eq!(of(Better::Lower, 0.996), Err("it has 2000 events, too few for its own quantile as the bound".to_owned()));
        assert_eq!(threshold(&[bucket("+Inf", 5000.0), bucket("0.1", 4000.0)], Better::Lower, None, 0.99), Ok(Bound::exact(0.1)));
        for none in [vec![], vec![bucket("+Inf", 5.0)], vec![bucket("1", 5.0)], vec![bucket("x", 5.0)]] {
            assert!(threshold(&none, Better::Lower, Some(0.1), 0.5).is_err());
        }
    }

    #[test]
    fn series_are_told_apart_by_the_number_of_their_bound() {
        assert_eq!(of(&histogram(), 0.1).count(), 1);
        assert_eq!(of(&histogram(), f64::INFINITY).count(), 1);
        assert_eq!(of(&histogram(), 0.2).count(), 0);
    }
}
