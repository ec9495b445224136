//! What a query answered, taken in with suspicion: bounded, in order, finite, not from the future.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::kept::Kept;
use crate::adapters::http::HttpClient;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::signal::{Sample, Series};
use crate::model::text::Text;

/// The label that tells the times of samples from the samples in one answer.
pub(super) const TIME_LABEL: &str = "gonogo_sample";
/// The longest value of a label in bytes.
const LONGEST_VALUE: usize = 4096;
/// The longest name of a label in bytes.
const LONGEST_NAME: usize = 256;
/// The most labels of a series.
const MOST_LABELS: usize = 64;
/// The most series of one question.
const MOST_SERIES: usize = 10_000;
/// The most samples of a series; the server's own bound on a range.
const MOST_SAMPLES: usize = 11_000;
/// How far a sample may be ahead of the backend's own clock.
const AHEAD_MS: i64 = 60_000;
/// Warnings kept at most.
pub(super) const MOST_WARNINGS: usize = 20;
/// The end of the year 9999.
const LAST_MS: i64 = 253_402_300_799_000;

/// A series as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Raw {
    labels: BTreeMap<String, String>,
    samples: Vec<Sample>,
    refused: u32,
    fault: Option<String>,
}

impl Raw {
    /// The value of a label; a label that is not there is empty, as matchers see it.
    pub(super) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// The `data` of a good answer, and its warnings.
pub(super) fn data<'a>(http: &HttpClient, doing: &str, value: &'a Value) -> Result<(&'a Value, Vec<String>), PortError> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("status") {
        "success" => {
            let data = value.get("data").ok_or_else(|| http.fault(PortErrorKind::Malformed, doing, "the answer has no data"))?;
            let warnings = value.get("warnings").and_then(Value::as_array).into_iter().flatten();
            Ok((data, warnings.filter_map(Value::as_str).take(MOST_WARNINGS).map(str::to_owned).collect()))
        }
        "error" => Err(http.fault(PortErrorKind::Refused, doing, &format!("{}: {}", text("errorType"), text("error")))),
        _ => Err(http.fault(PortErrorKind::Malformed, doing, "answered no status: is this the address of a Prometheus?")),
    }
}

/// Reads the `data` of a query's answer. `now` is the backend's clock.
pub(super) fn read(data: &Value, now: DateTime<Utc>) -> Result<Vec<Raw>, String> {
    let result = data.get("result").ok_or("the answer has no result")?;
    match data.get("resultType").and_then(Value::as_str) {
        Some("vector" | "matrix") => {
            let rows = result.as_array().ok_or("the result is no list")?;
            Ok(rows.iter().map(|row| series(row, now)).collect())
        }
        Some("scalar") => {
            let mut raw = Raw::default();
            raw.take(result, now);
            Ok(vec![raw])
        }
        Some(other) => Err(format!("the query gives a {other}, not numbers with times")),
        None => Err("the answer has no type of result".to_owned()),
    }
}

fn series(row: &Value, now: DateTime<Utc>) -> Raw {
    let mut raw = Raw::default();
    match row.get("metric").and_then(Value::as_object) {
        Some(labels) if labels.len() > MOST_LABELS => raw.fault = Some(format!("a series has {} labels", labels.len())),
        Some(labels) => {
            for (name, value) in labels {
                match value.as_str() {
                    Some(value) if value.len() <= LONGEST_VALUE && name.len() <= LONGEST_NAME => {
                        raw.labels.insert(name.clone(), value.to_owned());
                    }
                    Some(value) => {
                        let name = Text::clean_within(name, 40);
                        raw.fault = Some(format!("the label `{name}` is {} bytes long", name.as_str().len() + value.len()));
                    }
                    None => raw.fault = Some("a label is no text".to_owned()),
                }
            }
        }
        None => raw.fault = Some("a series has no labels".to_owned()),
    }
    if let Some(sample) = row.get("value") {
        raw.take(sample, now);
    }
    if let Some(samples) = row.get("values").and_then(Value::as_array) {
        if samples.len() > MOST_SAMPLES {
            raw.fault = Some(format!("a series has {} samples", samples.len()));
        } else {
            for sample in samples {
                raw.take(sample, now);
            }
        }
    }
    // Native histograms are no numbers.
    raw.refused = raw.refused.saturating_add(u32::from(row.get("histogram").is_some()));
    let histograms = row.get("histograms").and_then(Value::as_array).map_or(0, Vec::len);
    raw.refused = raw.refused.saturating_add(u32::try_from(histograms).unwrap_or(u32::MAX));
    raw
}

impl Raw {
    fn take(&mut self, pair: &Value, now: DateTime<Utc>) {
        let sample = match pair.as_array().map(Vec::as_slice) {
            Some([at, value]) => at.as_f64().and_then(|at| sample(at, value.as_str()?.parse().ok()?)),
            _ => None,
        };
        self.push(sample, now);
    }

    /// Takes a sample that is no older than the one before and not from the future.
    fn push(&mut self, sample: Option<Sample>, now: DateTime<Utc>) {
        let last = self.samples.last().map_or(i64::MIN, |last| last.at_ms);
        match sample {
            Some(sample) if sample.at_ms > last && sample.at_ms <= now.timestamp_millis().saturating_add(AHEAD_MS) => {
                self.samples.push(sample);
            }
            _ => self.refused = self.refused.saturating_add(1),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "checked against the bounds of a date before")]
fn sample(at_s: f64, value: f64) -> Option<Sample> {
    let at_ms = (at_s * 1_000.0).round();
    (value.is_finite() && at_ms >= 0.0 && at_ms <= LAST_MS as f64).then_some(Sample { at_ms: at_ms as i64, value })
}

/// Puts the samples of a query and their times, asked in one, together: the values then bear the time of their sample instead of
/// the time of the question. A value whose time is not known is refused.
pub(super) fn with_times(all: Vec<Raw>, now: DateTime<Utc>) -> Vec<Raw> {
    let key = |raw: &Raw| {
        let mut labels = raw.labels.clone();
        labels.retain(|name, _| name != "__name__" && name != TIME_LABEL);
        labels
    };
    let (times, values): (Vec<Raw>, Vec<Raw>) = all.into_iter().partition(|raw| raw.labels.contains_key(TIME_LABEL));
    let times: BTreeMap<_, _> = times.iter().filter_map(|raw| Some((key(raw), raw.samples.last()?.value))).collect();
    values
        .into_iter()
        .map(|mut raw| {
            let at = times.get(&key(&raw)).copied();
            for old in std::mem::take(&mut raw.samples) {
                raw.push(at.and_then(|at| sample(at, old.value)), now);
            }
            raw
        })
        .collect()
}

/// The names and values of labels in one answer, where most come again and again: each is kept once.
#[derive(Default)]
pub(super) struct Labels<'a>(BTreeMap<&'a str, Text>);

impl<'a> Labels<'a> {
    fn clean(&mut self, raw: &'a str) -> Text {
        self.0.entry(raw).or_insert_with(|| Text::clean(raw)).clone()
    }
}

/// The series of one question, whose labels nobody keeps.
pub(super) fn pick_alone(all: &[Raw], mine: impl Fn(&Raw) -> bool) -> Result<(Vec<Series>, u32), String> {
    pick(all, mine, &mut Labels::default(), &mut Kept::default())
}

/// The series of one question out of those that an answer brought, and how many samples were refused in them.
pub(super) fn pick<'a>(
    all: &'a [Raw],
    mine: impl Fn(&Raw) -> bool,
    known: &mut Labels<'a>,
    kept: &mut Kept,
) -> Result<(Vec<Series>, u32), String> {
    let own: Vec<&'a Raw> = all.iter().filter(|raw| mine(raw)).collect();
    // Exactly as many places: most questions have one series, and there are tens of thousands of them.
    let mut picked = Vec::with_capacity(own.len().min(MOST_SERIES));
    let (mut seen, mut refused) = (BTreeSet::<&'a BTreeMap<String, String>>::new(), 0_u32);
    for raw in own {
        if let Some(fault) = &raw.fault {
            return Err(fault.clone());
        }
        if !seen.insert(&raw.labels) {
            return Err("the same series came twice".to_owned());
        }
        if picked.len() == MOST_SERIES {
            return Err(format!("more than {MOST_SERIES} series"));
        }
        refused = refused.saturating_add(raw.refused);
        let labels = kept.labels(raw.labels.iter().map(|(name, value)| (known.clean(name), known.clean(value))).collect());
        picked.push(Series { labels, samples: raw.samples.clone() });
    }
    picked.retain(|series| !series.samples.is_empty());
    // Answers come in any order; equal ones shall be equal.
    picked.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok((picked, refused))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_000, 0).unwrap()
    }

    fn one(values: &Value) -> (Vec<Series>, u32) {
        let data = json!({"resultType": "matrix", "result": [{"metric": {"a": "b"}, "values": values}]});
        pick_alone(&read(&data, now()).unwrap(), |_| true).unwrap()
    }

    #[test]
    fn what_is_no_finite_number_in_rising_time_is_refused_and_counted() {
        let values =
            json!([[1, "1"], [2, "NaN"], [3, "+Inf"], [4, "-Inf"], [5, 5], [6, "6"], [6, "7"], [5.5, "8"], ["7", "7"], [8], [9, "1e3"]]);
        let (series, refused) = one(&values);
        let samples: Vec<_> = series[0].samples.iter().map(|sample| (sample.at_ms, sample.value)).collect();
        assert_eq!(samples, [(1_000, 1.0), (6_000, 6.0), (9_000, 1_000.0)]);
        assert_eq!(refused, 8);
    }

    #[test]
    fn a_stamp_from_the_future_or_from_no_calendar_is_refused() {
        let (series, refused) = one(&json!([[-1, "1"], [1_060, "2"], [1_060.001, "3"], [1e300, "4"]]));
        assert_eq!((series[0].samples.len(), series[0].samples[0].value, refused), (1, 2.0, 3));
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(one(&json!([])), (vec![], 0));
        assert_eq!(one(&json!([[1, "NaN"]])), (vec![], 1), "a series of which nothing is left is no data");
    }

    #[test]
    fn the_same_series_twice_is_no_answer() {
        let row = json!({"metric": {"a": "b"}, "value": [1, "1"]});
        let data = json!({"resultType": "vector", "result": [row, row]});
        assert_eq!(pick_alone(&read(&data, now()).unwrap(), |_| true).unwrap_err(), "the same series came twice");
    }

    #[test]
    fn a_value_bears_the_time_of_its_sample() {
        let data = json!({"resultType": "vector", "result": [
            {"metric": {"__name__": "m", "a": "1"}, "value": [900, "5"]},
            {"metric": {"__name__": "m", "a": "2"}, "value": [900, "6"]},
            {"metric": {"a": "1", TIME_LABEL: "time"}, "value": [900, "842.5"]},
        ]});
        let all = with_times(read(&data, now()).unwrap(), now());
        let (series, refused) = pick_alone(&all, |_| true).unwrap();
        assert_eq!(series.len(), 1);
        assert_eq!(series[0].samples, [Sample { at_ms: 842_500, value: 5.0 }]);
        assert_eq!(refused, 1, "a value without a time is refused");
    }

    #[test]
    fn a_label_of_a_megabyte_spoils_its_own_question_only() {
        let data = json!({"resultType": "vector", "result": [
            {"metric": {"s": "good"}, "value": [1, "1"]},
            {"metric": {"s": "bad", "x": "y".repeat(1_000_000)}, "value": [1, "1"]},
        ]});
        let all = read(&data, now()).unwrap();
        assert!(pick_alone(&all, |raw| raw.label("s") == "good").is_ok());
        assert!(pick_alone(&all, |raw| raw.label("s") == "bad").unwrap_err().contains("label `x`"));
    }

    #[test]
    fn answers_of_another_shape_are_errors() {
        for data in [
            json!(null),
            json!({"result": []}),
            json!({"resultType": "string", "result": [1, "x"]}),
            json!({"resultType": "vector", "result": 3}),
        ] {
            assert!(read(&data, now()).is_err(), "{data}");
        }
    }
}
