//! Histograms as counts: the bound beyond which events are bad, and the series that tell of it.

use crate::model::signal::{Better, Series};

/// Events that must lie beyond the baseline's own quantile before it is believed.
const BEYOND: f64 = 10.0;

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

/// The bound beyond which events are bad: the nearest at or beyond the limit, or else the one that the baseline's quantile lies under.
///
/// # Errors
/// Why there is none, to stand after "no data of ..".
pub fn threshold(baseline: &[Series], better: Better, limit: Option<f64>, quantile: f64) -> Result<f64, String> {
    let all = bounds(baseline);
    let (finite, events) = match all.split_last() {
        Some(((last, events), rest)) if last.is_infinite() && !rest.is_empty() => (rest, *events),
        Some(_) | None => return Err("its histogram has no buckets, or none without a bound".to_owned()),
    };
    if let Some(limit) = limit {
        let found = match better {
            Better::Lower => finite.iter().find(|(bound, _)| *bound >= limit),
            Better::Higher => finite.iter().rev().find(|(bound, _)| *bound <= limit),
        };
        let beyond = if better == Better::Lower { "above" } else { "below" };
        return found.map(|(bound, _)| *bound).ok_or_else(|| format!("its histogram has no bound at its limit or {beyond}"));
    }
    if events * (1.0 - quantile) < BEYOND {
        return Err(format!("it has {events:.0} events, too few for its own quantile as the bound"));
    }
    let found = match better {
        Better::Lower => finite.iter().find(|(_, below)| *below >= quantile * events).or(finite.last()),
        Better::Higher => finite.iter().rev().find(|(_, below)| *below <= (1.0 - quantile) * events).or(finite.first()),
    };
    found.map(|(bound, _)| *bound).ok_or_else(|| "its histogram has no buckets".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signal::Sample;
    use crate::model::text::Text;

    fn bucket(le: &str, value: f64) -> Series {
        Series { labels: vec![(Text::clean("le"), Text::clean(le))], samples: vec![Sample { at_ms: 0, value }] }
    }

    fn histogram() -> Vec<Series> {
        vec![bucket("+Inf", 2000.0), bucket("0.5", 1990.0), bucket("0.10", 1000.0), bucket("1", 1999.0)]
    }

    #[test]
    fn the_bound_lies_at_the_limit_or_beyond() {
        let of = |better, limit| threshold(&histogram(), better, Some(limit), 0.99);
        assert_eq!(of(Better::Lower, 0.5), Ok(0.5));
        assert_eq!(of(Better::Lower, 0.51), Ok(1.0));
        assert_eq!(of(Better::Higher, 0.49), Ok(0.1));
        assert_eq!(of(Better::Lower, 1.1), Err("its histogram has no bound at its limit or above".to_owned()));
        assert_eq!(of(Better::Higher, 0.01), Err("its histogram has no bound at its limit or below".to_owned()));
    }

    #[test]
    fn without_a_limit_it_is_that_of_the_baselines_quantile() {
        let of = |better, quantile| threshold(&histogram(), better, None, quantile);
        assert_eq!(of(Better::Lower, 0.99), Ok(0.5));
        assert_eq!(of(Better::Lower, 0.995), Ok(0.5));
        assert_eq!(of(Better::Higher, 0.5), Ok(0.1));
        assert_eq!(of(Better::Lower, 0.996), Err("it has 2000 events, too few for its own quantile as the bound".to_owned()));
        assert_eq!(threshold(&[bucket("+Inf", 5000.0), bucket("0.1", 4000.0)], Better::Lower, None, 0.99), Ok(0.1));
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
