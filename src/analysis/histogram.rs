//! Quantiles of a histogram from the increases of its cumulative buckets.

use super::counters;
use crate::model::signal::Series;

/// A quantile and the number of events that it is taken from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    /// The value, in the unit of the bucket bounds.
    pub value: f64,
    /// Events.
    pub events: f64,
    /// The newest sample, in milliseconds since 1970.
    pub newest_ms: i64,
}

/// The quantile `q` (0 to 1) over all series with a label `le`; buckets of one bound are summed first.
///
/// Within a bucket the events are taken as evenly spread; in the last, unbounded bucket the answer is its lower bound. This is
/// the estimate of Prometheus' `histogram_quantile` (Prometheus documentation, query functions), on increases without extrapolation.
/// None without events.
pub fn quantile(series: &[Series], q: f64) -> Option<Quantile> {
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    let mut newest_ms = i64::MIN;
    for one in series {
        let Some(bound) = one.label("le").and_then(|le| bound(le.as_str())) else { continue };
        let Some(increase) = counters::of_series(&one.samples) else { continue };
        newest_ms = newest_ms.max(increase.newest_ms);
        match buckets.iter_mut().find(|(le, _)| le.total_cmp(&bound).is_eq()) {
            Some((_, count)) => *count += increase.total,
            None => buckets.push((bound, increase.total)),
        }
    }
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (last_bound, events) = buckets.last().copied()?;
    if last_bound != f64::INFINITY || events <= 0.0 || !(0.0..=1.0).contains(&q) {
        return None;
    }
    let rank = q * events;
    let mut below = (0.0_f64, 0.0_f64);
    for (bound, count) in buckets {
        let count = count.max(below.1);
        if count >= rank {
            let value = if bound == f64::INFINITY || count <= below.1 {
                below.0
            } else {
                below.0 + (bound - below.0) * ((rank - below.1) / (count - below.1))
            };
            return Some(Quantile { value, events, newest_ms });
        }
        below = (bound, count);
    }
    None
}

fn bound(text: &str) -> Option<f64> {
    match text {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        _ => text.parse().ok().filter(|bound: &f64| bound.is_finite()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signal::Sample;
    use crate::model::text::Text;

    fn bucket(le: &str, grown: f64) -> Series {
        let samples = vec![Sample { at_ms: 0, value: 7.0 }, Sample { at_ms: 1000, value: 7.0 + grown }];
        Series { labels: [(Text::clean("le"), Text::clean(le))].into(), samples }
    }

    #[test]
    fn half_of_evenly_spread_events_lie_under_the_middle() {
        let found = quantile(&[bucket("1", 0.0), bucket("2", 100.0), bucket("+Inf", 100.0)], 0.5).unwrap();
        assert!((found.value - 1.5).abs() < 1e-9);
        assert!((found.events - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_unbounded_bucket_answers_with_its_lower_bound() {
        let found = quantile(&[bucket("1", 1.0), bucket("+Inf", 100.0)], 0.99).unwrap();
        assert!((found.value - 1.0).abs() < 1e-9);
    }

    #[test]
    fn without_events_or_without_the_unbounded_bucket_there_is_no_answer() {
        assert_eq!(quantile(&[bucket("1", 0.0), bucket("+Inf", 0.0)], 0.5), None);
        assert_eq!(quantile(&[bucket("1", 5.0)], 0.5), None);
        assert_eq!(quantile(&[], 0.5), None);
    }
}
