//! The history of an objective from Prometheus: counts stretch by stretch by few range queries, with what of each stretch is known.

use std::collections::BTreeMap;

use super::objective::{Expressions, expressions, presence};
use super::vector::{self, Raw};
use crate::adapters::http::HttpClient;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::objective::{HistoryAsk, HistoryReading, Indicator, Stretch, Tally};
use crate::model::text::Text;
use crate::ports::metrics::MOST_STRETCHES;

const DOING: &str = "read the history of an objective";
/// Points of one query; the server's own bound is 11,000.
const AT_ONCE: usize = 5_000;
/// The label by which the parts of an answer are told apart.
const PART_LABEL: &str = "gonogo_part";
/// A value is looked at so often in the shortest stretch, in seconds.
const LOOK_S: f64 = 15.0;
/// Stretches to each side among which the busiest one tells how many samples a whole one has.
const NEIGHBOURS: usize = 8;

/// What of the query an answer is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    /// The most samples of a series.
    Samples,
    /// Looks that found something, of so many.
    Looks(f64),
}

/// A query with what its parts mean.
struct Question {
    text: String,
    /// Whether the part counts bad events, good ones, or is a share.
    part: Part,
    known: Known,
    /// The pause between two looks in seconds, where it is ours.
    pace_s: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Bad,
    Good,
    Share,
}

/// Reads it.
pub(super) async fn read(http: &HttpClient, ask: &HistoryAsk) -> Result<HistoryReading, PortError> {
    let stretch = ask.stretch;
    let count = stretch.count();
    if count == 0 || count > MOST_STRETCHES || stretch.step_s == 0 {
        return Err(http.fault(PortErrorKind::Refused, DOING, &format!("{count} stretches cannot be asked for at once")));
    }
    let question = question(ask).map_err(|why| http.fault(PortErrorKind::Refused, DOING, &why))?;
    let mut parts = Parts::default();
    let step = i64::from(stretch.step_s);
    let each = i64::try_from(AT_ONCE).unwrap_or(i64::MAX).saturating_mul(step);
    let mut from_s = stretch.from_s;
    while from_s < stretch.to_s {
        let to_s = stretch.to_s.min(from_s.saturating_add(each));
        let (start, end) = (from_s + step, to_s);
        let fields =
            [("query", question.text.as_str()), ("start", &start.to_string()), ("end", &end.to_string()), ("step", &step.to_string())];
        let answer = http.post_form(DOING, "/api/v1/query_range", &fields).await?;
        let (data, warnings) = vector::data(http, DOING, &answer.value)?;
        if let Some(warning) = warnings.first() {
            // Partial data would count as fewer events, so as good ones.
            return Err(http.fault(PortErrorKind::Malformed, DOING, &format!("the answer is partial: {warning}")));
        }
        let malformed = |why: String| http.fault(PortErrorKind::Malformed, DOING, &why);
        let raw = vector::read(data, http.clock().now().wall).map_err(malformed)?;
        parts.take(&raw, stretch).map_err(malformed)?;
        from_s = to_s;
    }
    Ok(parts.reading(stretch, &question))
}

fn question(ask: &HistoryAsk) -> Result<Question, String> {
    let window = format!("{}s", ask.stretch.step_s);
    let labelled = |expression: &str, part: &str| format!("label_replace({expression}, \"{PART_LABEL}\", \"{part}\", \"\", \"\")");
    let looks = || presence(&ask.indicator, &ask.values, &window).map(|(text, looks)| (text, Known::Looks(looks)));
    Ok(match expressions(&ask.indicator, &ask.values, &window)? {
        Expressions::Events { bad, part, total, samples } => {
            let (asked, known) = samples.map_or_else(looks, |text| Ok((text, Known::Samples)))?;
            let text = [labelled(&part, "part"), labelled(&total, "total"), labelled(&asked, "known")].join(" or ");
            Question { text, part: if bad { Part::Bad } else { Part::Good }, known, pace_s: None }
        }
        Expressions::Share(share) => {
            let (asked, known) = looks()?;
            let pace_s = matches!(ask.indicator, Indicator::Value { .. }).then_some(LOOK_S);
            Question { text: [labelled(&share, "part"), labelled(&asked, "known")].join(" or "), part: Part::Share, known, pace_s }
        }
    })
}

/// The parts of the answers, by the number of the stretch.
#[derive(Debug, Default)]
struct Parts {
    part: BTreeMap<usize, f64>,
    total: BTreeMap<usize, f64>,
    known: BTreeMap<usize, f64>,
}

impl Parts {
    fn take(&mut self, raw: &[Raw], stretch: Stretch) -> Result<(), String> {
        for (name, place) in [("part", &mut self.part), ("total", &mut self.total), ("known", &mut self.known)] {
            let (series, _) = vector::pick_alone(raw, |raw| raw.label(PART_LABEL) == name)?;
            if series.len() > 1 {
                return Err(format!("the query gives {} series where one is meant; sum them up", series.len()));
            }
            for sample in series.iter().flat_map(|series| &series.samples) {
                let after = sample.at_ms / 1_000 - stretch.from_s;
                let number = usize::try_from(after / i64::from(stretch.step_s) - 1);
                if let Some(number) = number.ok().filter(|number| *number < stretch.count()) {
                    place.insert(number, sample.value);
                }
            }
        }
        Ok(())
    }

    fn reading(&self, stretch: Stretch, question: &Question) -> HistoryReading {
        let tallies: Vec<Option<Tally>> = (0..stretch.count()).map(|n| self.tally(n, stretch, question)).collect();
        let most = self.known.values().copied().fold(0.0, f64::max);
        let sampled = (question.known == Known::Samples && most >= 1.0).then(|| f64::from(stretch.step_s) / most);
        let interval_s = sampled.or(question.pace_s);
        let some = tallies.iter().flatten().any(|tally| tally.total > 0.0);
        let doubt = match question.part {
            Part::Bad if some && self.part.is_empty() => {
                Some("events are counted, but no series of bad ones was found: there was none yet, or its query is wrong")
            }
            Part::Good if !self.total.is_empty() && self.part.is_empty() => {
                Some("events are counted, but no series of good ones was found: its query is wrong, or no bucket ends there")
            }
            Part::Bad | Part::Good | Part::Share => None,
        };
        HistoryReading { stretch, tallies, interval_s, sent: Text::clean(&question.text), doubt: doubt.map(Text::clean) }
    }

    fn tally(&self, n: usize, stretch: Stretch, question: &Question) -> Option<Tally> {
        let found = *self.known.get(&n)?;
        let covered = match question.known {
            Known::Looks(all) => found / all,
            Known::Samples => {
                // One sample less than the busiest neighbour is where the stretch was cut, no gap.
                let busiest =
                    self.known.range(n.saturating_sub(NEIGHBOURS)..=n + NEIGHBOURS).map(|(_, count)| *count).fold(found, f64::max);
                if busiest > 1.0 { found / (busiest - 1.0) } else { 1.0 }
            }
        };
        let covered = covered.clamp(0.0, 1.0);
        let part = self.part.get(&n).copied();
        match question.part {
            Part::Share => {
                let total = f64::from(stretch.step_s) * covered;
                Some(Tally { bad: part?.clamp(0.0, 1.0) * total, total, covered })
            }
            Part::Bad => Some(Tally { bad: part.unwrap_or(0.0), total: *self.total.get(&n)?, covered }),
            Part::Good => {
                let total = *self.total.get(&n)?;
                Some(Tally { bad: (total - part?).max(0.0), total, covered })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(known: &[(usize, f64)]) -> Parts {
        let all = |value: f64| known.iter().map(|(n, _)| (*n, value)).collect();
        Parts { part: all(1.0), total: all(10.0), known: known.iter().copied().collect() }
    }

    fn reading(parts: &Parts, part: Part) -> HistoryReading {
        let question = Question { text: "q".to_owned(), part, known: Known::Samples, pace_s: None };
        parts.reading(Stretch { from_s: 0, to_s: 300, step_s: 60 }, &question)
    }

    #[test]
    fn a_stretch_without_samples_is_not_known_and_one_with_half_of_them_is_half_known() {
        let found = reading(&parts(&[(0, 5.0), (1, 2.0), (3, 4.0)]), Part::Bad);
        let covered: Vec<_> = found.tallies.iter().map(|tally| tally.map(|tally| tally.covered)).collect();
        assert_eq!(covered, [Some(1.0), Some(0.5), None, Some(1.0), None]);
        assert_eq!(found.interval_s, Some(12.0));
    }

    #[test]
    fn bad_events_without_a_series_are_none_and_good_ones_are_not_known() {
        let mut parts = parts(&[(0, 4.0)]);
        parts.part.clear();
        let bad = reading(&parts, Part::Bad);
        assert_eq!(bad.tallies[0], Some(Tally { bad: 0.0, total: 10.0, covered: 1.0 }));
        assert!(bad.doubt.unwrap().as_str().contains("no series of bad"));
        let good = reading(&parts, Part::Good);
        assert_eq!(good.tallies[0], None, "a lost series of good events is no outage");
        assert!(good.doubt.unwrap().as_str().contains("no series of good"));
    }

    #[test]
    fn a_share_is_seconds_of_the_time_that_was_looked_at() {
        let parts = Parts { part: [(0, 0.25)].into(), total: BTreeMap::new(), known: [(0, 2.0)].into() };
        let question = Question { text: String::new(), part: Part::Share, known: Known::Looks(4.0), pace_s: None };
        let found = parts.reading(Stretch { from_s: 0, to_s: 60, step_s: 60 }, &question);
        assert_eq!(found.tallies[0], Some(Tally { bad: 7.5, total: 30.0, covered: 0.5 }));
    }
}
