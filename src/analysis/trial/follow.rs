//! Raw counters followed from answer to answer: what grew since the last look, each event once, however far the answers overlap.

use serde::{Deserialize, Serialize};

use crate::model::signal::Series;

/// Series that were not seen for so long are forgotten.
const FORGOTTEN_MS: i64 = 3_600_000;
/// The labels that name the process a series comes from.
const ORIGIN: [&str; 2] = ["instance", "job"];

/// One series, and how far it was counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Followed {
    key: u64,
    at_ms: i64,
    value: f64,
}

/// Series that are one counter together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Counter(Vec<Followed>);

/// What a counter grew by.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Grown {
    /// The events.
    pub events: f64,
    /// Counters that began again at 0.
    pub resets: u32,
    /// Nothing was seen for so long that what happened meanwhile is not known; it is not in `events`.
    pub gap: bool,
}

/// A process that series come from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Origin {
    key: u64,
    since_ms: i64,
    last_ms: i64,
}

/// The processes that series come from, and since when each is followed: a series that is new in one that is not began at 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Origins(Vec<Origin>);

impl Origins {
    /// Takes in where series come from. `begun`: they were followed before; in the first answer all is old.
    pub fn take<'a>(&mut self, series: impl Iterator<Item = &'a Series>, begun: bool, gap_ms: i64) {
        let mut seen: Vec<Origin> = Vec::new();
        for one in series {
            let (Some(first), Some(last)) = (one.samples.first(), one.samples.last()) else { continue };
            let key = origin(one);
            let known = self.0.iter().find(|origin| origin.key == key).map_or(i64::MIN, |origin| origin.last_ms);
            let since_ms = if begun { one.samples.iter().find(|sample| sample.at_ms > known).unwrap_or(first).at_ms } else { last.at_ms };
            match seen.iter_mut().find(|origin| origin.key == key) {
                Some(origin) => {
                    origin.since_ms = if begun { origin.since_ms.min(since_ms) } else { origin.since_ms.max(since_ms) };
                    origin.last_ms = origin.last_ms.max(last.at_ms);
                }
                None => seen.push(Origin { key, since_ms, last_ms: last.at_ms }),
            }
        }
        let newest = seen.iter().map(|origin| origin.last_ms).max().unwrap_or(i64::MIN);
        for found in seen {
            match self.0.iter_mut().find(|origin| origin.key == found.key) {
                Some(known) => {
                    if found.last_ms > known.last_ms && found.since_ms.saturating_sub(known.last_ms) > gap_ms {
                        known.since_ms = found.since_ms;
                    }
                    known.last_ms = known.last_ms.max(found.last_ms);
                }
                None => self.0.push(found),
            }
        }
        self.0.retain(|origin| origin.last_ms >= newest.saturating_sub(FORGOTTEN_MS));
    }

    /// Whether the process of a series was followed already before a time.
    fn before(&self, series: &Series, at_ms: i64) -> bool {
        let key = origin(series);
        self.0.iter().any(|origin| origin.key == key && origin.since_ms < at_ms)
    }
}

impl Counter {
    /// Takes what is new up to a time. In the first answer (not `begun`) nothing is: counting begins at its newest samples.
    ///
    /// A fall is a reset, after which the counter began at 0. A new series of a process that was followed before counts from 0 too;
    /// one of a new process from its first sample, because nobody knows how long it had run.
    pub fn take<'a>(
        &mut self,
        series: impl Iterator<Item = &'a Series>,
        until_ms: i64,
        begun: bool,
        origins: &Origins,
        gap_ms: i64,
    ) -> Grown {
        let mut grown = Grown::default();
        for one in series {
            let upto = one.samples.partition_point(|sample| sample.at_ms <= until_ms);
            let samples = one.samples.get(..upto).unwrap_or_default();
            let (Some(first), Some(last)) = (samples.first(), samples.last()) else { continue };
            let key = key(one.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let at = match self.0.binary_search_by_key(&key, |followed| followed.key) {
                Ok(at) => at,
                Err(at) => {
                    let from = if begun { first } else { last };
                    if begun && origins.before(one, first.at_ms) {
                        grown.events += first.value.max(0.0);
                    }
                    self.0.insert(at, Followed { key, at_ms: from.at_ms, value: from.value });
                    at
                }
            };
            let Some(followed) = self.0.get_mut(at) else { continue };
            for sample in samples.iter().filter(|sample| sample.value.is_finite()) {
                if sample.at_ms <= followed.at_ms {
                    continue;
                }
                if sample.at_ms.saturating_sub(followed.at_ms) > gap_ms {
                    grown.gap = true;
                } else if sample.value >= followed.value {
                    grown.events += sample.value - followed.value;
                } else {
                    grown.resets += 1;
                    grown.events += sample.value.max(0.0);
                }
                (followed.at_ms, followed.value) = (sample.at_ms, sample.value);
            }
        }
        let newest = self.newest_ms().unwrap_or(i64::MIN);
        self.0.retain(|followed| followed.at_ms >= newest.saturating_sub(FORGOTTEN_MS));
        grown
    }

    /// The time of the newest sample that was counted, in milliseconds since 1970.
    pub fn newest_ms(&self) -> Option<i64> {
        self.0.iter().map(|followed| followed.at_ms).max()
    }

    /// Up to which time all series that live were counted; one that is further behind the newest than `within_ms` does not.
    pub fn upto_ms(&self, within_ms: i64) -> Option<i64> {
        let newest = self.newest_ms()?;
        self.0.iter().map(|followed| followed.at_ms).filter(|at| *at >= newest.saturating_sub(within_ms)).min()
    }
}

/// The median time between two samples of a series, in milliseconds. None with no two samples in any.
pub fn step_ms<'a>(series: impl Iterator<Item = &'a Series>) -> Option<i64> {
    let mut steps: Vec<i64> = series
        .take(64)
        .flat_map(|one| one.samples.iter().zip(one.samples.iter().skip(1)))
        .map(|(before, after)| after.at_ms.saturating_sub(before.at_ms))
        .filter(|step| *step > 0)
        .collect();
    let middle = steps.len() / 2;
    (!steps.is_empty()).then(|| *steps.select_nth_unstable(middle).1)
}

/// Which process a series comes from; all series without such labels come from one.
fn origin(series: &Series) -> u64 {
    key(ORIGIN.iter().filter_map(|name| Some((*name, series.label(name)?.as_str()))))
}

/// The FNV-1a hash of labels (G. Fowler, L. C. Noll, K.-P. Vo): the same in every process, and a set of ten thousand series has two with one hash once in 10^11.
fn key<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
    labels
        .flat_map(|(name, value)| name.bytes().chain([0xff]).chain(value.bytes()).chain([0xfe]))
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::signal::Sample;
    use crate::model::text::Text;

    const GAP: i64 = 60_000;

    fn series(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> Series {
        let labels = labels.iter().map(|(name, value)| (Text::clean(name), Text::clean(value))).collect();
        Series { labels, samples: samples.iter().map(|(s, value)| Sample { at_ms: s * 1000, value: *value }).collect() }
    }

    fn of(events: f64) -> Grown {
        Grown { events, ..Grown::default() }
    }

    #[derive(Default)]
    struct One {
        begun: bool,
        origins: Origins,
        counter: Counter,
    }

    impl One {
        fn take(&mut self, answer: &[Series]) -> Grown {
            self.origins.take(answer.iter(), self.begun, GAP);
            let grown = self.counter.take(answer.iter(), i64::MAX, self.begun, &self.origins, GAP);
            self.begun |= !answer.is_empty();
            grown
        }
    }

    #[test]
    fn the_first_answer_is_where_counting_begins_and_overlaps_count_once() {
        let mut one = One::default();
        assert_eq!(one.take(&[series(&[], &[(0, 5.0), (15, 9.0)])]), Grown::default());
        assert_eq!(one.take(&[series(&[], &[(0, 5.0), (15, 9.0)])]), Grown::default());
        assert_eq!(one.take(&[series(&[], &[(15, 9.0), (30, 12.0), (45, 13.0)])]), of(4.0));
        assert_eq!(one.take(&[series(&[], &[(30, 12.0), (45, 13.0), (60, 13.5)])]), of(0.5));
    }

    #[test]
    fn a_fall_is_a_reset_and_a_silence_is_not_counted() {
        let mut one = One::default();
        one.take(&[series(&[], &[(0, 100.0)])]);
        let reset = one.take(&[series(&[], &[(0, 100.0), (15, 3.0), (30, 4.0)])]);
        assert_eq!((reset.events, reset.resets, reset.gap), (4.0, 1, false));
        let gap = one.take(&[series(&[], &[(91, 500.0), (106, 501.0)])]);
        assert_eq!((gap.events, gap.resets, gap.gap), (1.0, 0, true));
        let edge = one.take(&[series(&[], &[(166, 502.0)])]);
        assert_eq!((edge.events, edge.gap), (1.0, false), "sixty seconds are none");
    }

    #[test]
    fn a_series_that_is_born_in_a_known_process_began_at_zero_and_a_new_process_did_not() {
        let (a, b) = (("instance", "a"), ("instance", "b"));
        let mut one = One::default();
        one.take(&[series(&[a, ("code", "200")], &[(0, 70.0)])]);
        let born = one.take(&[series(&[a, ("code", "200")], &[(15, 75.0)]), series(&[a, ("code", "500")], &[(15, 2.0)])]);
        assert_eq!(born, of(7.0));
        let process = one.take(&[
            series(&[a, ("code", "200")], &[(30, 75.0)]),
            series(&[b, ("code", "200")], &[(30, 9000.0), (45, 9001.0)]),
            series(&[b, ("code", "500")], &[(30, 400.0), (45, 400.0)]),
        ]);
        assert_eq!(process, of(1.0), "nobody knows how long it had run");
        assert_eq!(one.take(&[series(&[b, ("code", "404")], &[(60, 3.0)])]), of(3.0));
        one.take(&[series(&[a, ("code", "200")], &[(75, 80.0)])]);
        let back = one.take(&[series(&[b, ("code", "418")], &[(200, 77.0), (215, 78.0)])]);
        assert_eq!(back, of(1.0), "a process that was silent is a new one");
    }

    #[test]
    fn who_lags_behind_holds_the_others_up_and_who_is_gone_does_not() {
        let (a, b) = (("instance", "a"), ("instance", "b"));
        let mut one = One::default();
        one.take(&[series(&[a], &[(0, 1.0)]), series(&[b], &[(7, 1.0)])]);
        one.take(&[series(&[a], &[(15, 1.0)]), series(&[b], &[(7, 1.0)])]);
        assert_eq!((one.counter.newest_ms(), one.counter.upto_ms(30_000)), (Some(15_000), Some(7_000)));
        one.take(&[series(&[a], &[(30, 1.0), (45, 1.0)])]);
        assert_eq!(one.counter.upto_ms(30_000), Some(45_000));
        assert_eq!(Counter::default().upto_ms(1), None);
    }

    #[test]
    fn the_step_is_the_median_of_all() {
        assert_eq!(step_ms([series(&[], &[(0, 1.0), (15, 1.0), (30, 1.0), (90, 1.0)])].iter()), Some(15_000));
        assert_eq!(step_ms([series(&[], &[(0, 1.0)])].iter()), None);
    }

    proptest! {
        #[test]
        fn any_cutting_into_overlapping_answers_counts_the_same(
            steps in prop::collection::vec(0_u32..9, 3..40), cuts in prop::collection::vec((1_usize..6, 0_usize..6), 1..40),
        ) {
            let mut sum = 0.0;
            let samples: Vec<(i64, f64)> = (0_i64..).zip(&steps).map(|(n, step)| { sum += f64::from(*step); (n * 15, sum) }).collect();
            let mut one = One::default();
            one.take(&[series(&[], &samples[..1])]);
            let (mut end, mut counted) = (1, 0.0);
            for (ahead, back) in cuts {
                let to = (end + ahead).min(samples.len());
                counted += one.take(&[series(&[], &samples[end.saturating_sub(back)..to])]).events;
                end = to;
            }
            prop_assert!((counted - (samples[end - 1].1 - samples[0].1)).abs() < 1e-9);
        }
    }
}
