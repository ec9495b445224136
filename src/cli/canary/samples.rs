//! Samples in a file: `time,metric,value`, one measurement a line, told apart by metric and put in order.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::csv::{Field, Place, Records, Wrong};
use crate::analysis::judge::{Measured, Point, Samples};
use crate::config::nearest::instead;
use crate::model::judging::{JudgeRules, SampleKind};
use crate::model::text::Text;

/// The first line.
const HEADER: [&str; 3] = ["time", "metric", "value"];
/// How a problem with a metric's name begins.
const NO_RULE: &str = "no [[judge.metric]] is named `";
/// So many things that are wrong are told.
const MOST: usize = 20;

/// The points of each metric of one side.
pub type Side = BTreeMap<String, Vec<Point>>;

/// Reads one side. The rules say which metrics there may be, and what their values are.
///
/// # Errors
/// What is wrong, in the order of the lines, at most twenty.
pub fn read(text: &str, rules: &JudgeRules) -> Result<Side, Vec<Wrong>> {
    let mut records = Records::of(text);
    let start = Place { line: 1, column: 1 };
    let header = "the header `time,metric,value`";
    match records.next() {
        Some(Ok(fields)) if fields.iter().map(|field| field.text.as_str()).eq(HEADER) => {}
        Some(Ok(fields)) => {
            let strange = fields.iter().zip(HEADER).find(|(field, word)| field.text != *word).map_or(start, |(field, _)| field.place);
            return Err(vec![Wrong::new(strange, "the first line is not the header", header)]);
        }
        Some(Err(wrong)) => return Err(vec![wrong]),
        None => return Err(vec![Wrong::new(start, "the file is empty", header)]),
    }
    let mut side: BTreeMap<String, BTreeMap<DateTime<Utc>, (Point, Place)>> = BTreeMap::new();
    let mut found = Vec::new();
    for record in records {
        let taken = record.and_then(|fields| row(&fields, rules)).and_then(|(metric, point, place)| {
            let of = side.entry(metric.clone()).or_default();
            match of.insert(point.at, (point, place)) {
                None => Ok(()),
                Some((_, first)) => {
                    let what = format!("`{metric}` has two values for this time, the first on line {}", first.line);
                    Err(Wrong::new(place, what, "one value a metric and time"))
                }
            }
        });
        if let Err(wrong) = taken {
            // A name that no rule has is told once, not on each of its lines.
            let again = |other: &Wrong| other.what == wrong.what;
            if !wrong.what.starts_with(NO_RULE) || !found.iter().any(again) {
                found.push(wrong);
            }
        }
        if found.len() >= MOST {
            break;
        }
    }
    if !found.is_empty() {
        return Err(found);
    }
    let points = |of: BTreeMap<DateTime<Utc>, (Point, Place)>| of.into_values().map(|(point, _)| point).collect();
    Ok(side.into_iter().map(|(metric, of)| (metric, points(of))).collect())
}

/// Two sides, metric by metric, in the order of their names.
pub fn pair(mut baseline: Side, mut canary: Side) -> Vec<Samples> {
    let mut names: Vec<String> = baseline.keys().chain(canary.keys()).cloned().collect();
    names.sort();
    names.dedup();
    let side = |from: &mut Side, name: &str| from.remove(name).unwrap_or_default();
    let pair = |name: &String| Samples { name: Text::clean(name), baseline: side(&mut baseline, name), canary: side(&mut canary, name) };
    names.iter().map(pair).collect()
}

fn row(fields: &[Field], rules: &JudgeRules) -> Result<(String, Point, Place), Wrong> {
    let [time, metric, value] = fields else {
        let place = fields.first().map_or(Place { line: 1, column: 1 }, |field| field.place);
        let one = if fields.len() == 1 { "field" } else { "fields" };
        return Err(Wrong::new(place, format!("the line has {} {one}", fields.len()), "three: time, metric, value"));
    };
    let at = moment(time)?;
    if metric.text.is_empty() {
        return Err(Wrong::new(metric.place, "the metric has no name", "a name"));
    }
    let kind = if rules.metrics.is_empty() {
        None
    } else {
        let known = rules.metrics.iter().find(|rules| rules.name == metric.text);
        let Some(known) = known else {
            let right = instead(&metric.text, rules.metrics.iter().map(|rules| rules.name.as_str()));
            return Err(Wrong::new(metric.place, format!("{NO_RULE}{}`", metric.text), right));
        };
        Some(known.kind)
    };
    Ok((metric.text.clone(), Point { at, value: measured(value, kind)? }, time.place))
}

/// RFC 3339, or seconds since 1970.
fn moment(field: &Field) -> Result<DateTime<Utc>, Wrong> {
    let read = match field.text.parse::<f64>() {
        #[expect(clippy::cast_possible_truncation, reason = "a cast stops at the ends of i64, where there is no such time")]
        Ok(seconds) if is_plain(&field.text) => DateTime::from_timestamp_micros((seconds * 1e6).round() as i64),
        Ok(_) | Err(_) => DateTime::parse_from_rfc3339(&field.text).ok().map(|at| at.to_utc()),
    };
    let right = "RFC 3339 such as 2026-11-24T14:00:00Z, or seconds since 1970";
    read.ok_or_else(|| Wrong::new(field.place, format!("`{}` is no time", field.text), right))
}

/// A number is digits, a point, a sign, a power of ten: neither `inf` nor `NaN`.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c))
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite() && is_plain(text))
}

/// A number, or so many bad ones of so many, or nothing. Without rules either is taken.
fn measured(field: &Field, kind: Option<SampleKind>) -> Result<Option<Measured>, Wrong> {
    let text = field.text.as_str();
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |right: &str| Wrong::new(field.place, format!("`{text}` is no value"), right);
    let counts = "`BAD/TOTAL` such as 3/1200, or nothing where it is missing";
    if let Some((bad, total)) = text.split_once('/')
        && kind != Some(SampleKind::Values)
    {
        let (bad, total) = number(bad).zip(number(total)).ok_or_else(|| wrong(counts))?;
        if bad < 0.0 || bad > total {
            return Err(wrong("from 0 to all of them to be bad"));
        }
        return Ok(Some(Measured::Counts { bad, total }));
    }
    if kind == Some(SampleKind::Counts) {
        return Err(wrong(counts));
    }
    number(text).map(|number| Some(Measured::Value(number))).ok_or_else(|| wrong("a finite number, or nothing where it is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::judging::MetricRules;

    fn wrong(text: &str, rules: &JudgeRules) -> Vec<String> {
        let told = |wrong: Wrong| format!("{}:{}: {}; expected {}", wrong.place.line, wrong.place.column, wrong.what, wrong.expected);
        read(text, rules).unwrap_err().into_iter().map(told).collect()
    }

    #[test]
    fn times_of_both_kinds_are_put_in_order_and_empty_values_are_missing() {
        let text = "time,metric,value\n2026-11-24T14:00:05+01:00,a,2\n1795525200,a,1\n1795525210.5,a,\n1795525200,b,3/10\n";
        let side = read(text, &JudgeRules::default()).unwrap();
        let values: Vec<_> = side["a"].iter().map(|point| point.value).collect();
        assert_eq!(values, [Some(Measured::Value(1.0)), Some(Measured::Value(2.0)), None]);
        assert_eq!(side["a"][2].at.timestamp_millis(), 1_795_525_210_500);
        assert_eq!(side["b"][0].value, Some(Measured::Counts { bad: 3.0, total: 10.0 }));
        let pairs = pair(side, Side::new());
        assert_eq!((pairs.len(), pairs[0].name.as_str(), pairs[0].canary.len()), (2, "a", 0));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let none = JudgeRules::default();
        assert_eq!(wrong("", &none), ["1:1: the file is empty; expected the header `time,metric,value`"]);
        assert_eq!(wrong("time,name,value\n", &none), ["1:6: the first line is not the header; expected the header `time,metric,value`"]);
        let found =
            wrong("time,metric,value\n1,a,1,2\nsoon,a,1\n1,,1\n1,a,NaN\n1,a,1e999\n\n2,a,1\n2,a,1\n3,a,0x1\n4,a,11/10\ninf,a,1\n", &none);
        let right = "expected RFC 3339 such as 2026-11-24T14:00:00Z, or seconds since 1970";
        assert_eq!(
            found,
            [
                "2:1: the line has 4 fields; expected three: time, metric, value".to_owned(),
                format!("3:1: `soon` is no time; {right}"),
                "4:3: the metric has no name; expected a name".to_owned(),
                "5:5: `NaN` is no value; expected a finite number, or nothing where it is missing".to_owned(),
                "6:5: `1e999` is no value; expected a finite number, or nothing where it is missing".to_owned(),
                "7:1: the line has 1 field; expected three: time, metric, value".to_owned(),
                "9:1: `a` has two values for this time, the first on line 8; expected one value a metric and time".to_owned(),
                "10:5: `0x1` is no value; expected a finite number, or nothing where it is missing".to_owned(),
                "11:5: `11/10` is no value; expected from 0 to all of them to be bad".to_owned(),
                format!("12:1: `inf` is no time; {right}"),
            ]
        );
        assert_eq!(wrong(&format!("time,metric,value\n{}", "x\n".repeat(99)), &none).len(), MOST);
    }

    #[test]
    fn the_rules_say_which_metrics_there_are_and_what_they_hold() {
        let counts = MetricRules { kind: SampleKind::Counts, ..MetricRules::named("errors") };
        let rules = JudgeRules { metrics: vec![MetricRules::named("latency"), counts], ..JudgeRules::default() };
        assert!(read("time,metric,value\n1,latency,1\n1,errors,0/5\n", &rules).is_ok());
        let found = wrong("time,metric,value\n1,latncy,1\n1,errors,0.5\n1,latency,1/2\n", &rules);
        assert_eq!(found[0], "2:3: no [[judge.metric]] is named `latncy`; expected `latency`");
        assert!(found[1].contains("`0.5` is no value; expected `BAD/TOTAL`"), "{found:?}");
        assert!(found[2].contains("`1/2` is no value; expected a finite number"), "{found:?}");
    }
}
