//! Signals that changed: samples newer than those known, series by series, and the answers that changed in more than that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::patch;
use crate::model::signal::{Answer, Form, Sample, Series, SignalReading};

/// What a signals reading says more than the one before.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct SignalChange {
    /// Samples of counters older than this time left the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut: Option<i64>,
    /// Answers that changed in more than newer samples, whole, by their number from 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answers: Vec<(usize, Answer)>,
    /// Newer samples, one column a time. Series are numbered from 0 through all answers that are not in `answers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    samples: Vec<Column>,
    /// The patch of warnings, rules and scrape targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rest: Option<Value>,
}

/// The samples of one time.
#[derive(Debug, Serialize, Deserialize)]
struct Column {
    /// The time of the samples, in milliseconds since 1970.
    at_ms: i64,
    /// Which series; left out when it is every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    series: Option<Vec<usize>>,
    /// Their values.
    values: Vec<f64>,
}

impl SignalChange {
    /// What `new` says more than `old`; none when too little is the same for this to be smaller than the whole.
    pub fn between(old: &SignalReading, new: &SignalReading) -> Option<Self> {
        if old.answers.len() != new.answers.len() {
            return None;
        }
        let cut =
            new.answers.iter().filter(|answer| matches!(answer.ask.form, Form::Counters { .. })).flat_map(series).filter_map(first).min();
        let mut change = Self { rest: patch::difference(&rest(old), &rest(new)), ..Self::default() };
        let mut columns: BTreeMap<i64, Vec<(usize, f64)>> = BTreeMap::new();
        let (mut count, mut is_cut) = (0, false);
        for (place, (before, after)) in old.answers.iter().zip(&new.answers).enumerate() {
            let Some(fresh) = newer(before, after, cut) else {
                change.answers.push((place, after.clone()));
                continue;
            };
            is_cut |= matches!(after.ask.form, Form::Counters { .. })
                && series(before).filter_map(first).any(|first| cut.is_some_and(|cut| first < cut));
            for samples in fresh {
                for sample in samples {
                    columns.entry(sample.at_ms).or_default().push((count, sample.value));
                }
                count += 1;
            }
        }
        if change.answers.len() * 2 > new.answers.len() {
            return None;
        }
        change.cut = cut.filter(|_| is_cut);
        change.samples = columns
            .into_iter()
            .map(|(at_ms, column)| {
                let (which, values): (Vec<_>, Vec<_>) = column.into_iter().unzip();
                Column { at_ms, series: (which.len() < count).then_some(which), values }
            })
            .collect();
        Some(change)
    }

    /// Whether nothing changed.
    pub fn is_none(&self) -> bool {
        self.cut.is_none() && self.answers.is_empty() && self.samples.is_empty() && self.rest.is_none()
    }

    /// The reading after the change; none when it does not fit.
    pub fn onto(self, old: &SignalReading) -> Option<SignalReading> {
        let mut new = match &self.rest {
            None => old.clone(),
            Some(part) => {
                let Rest { warnings, rules, targets_up, targets } = serde_json::from_value(patch::patched(rest(old), part)?).ok()?;
                SignalReading { answers: old.answers.clone(), warnings, rules, targets_up, targets, backend_clock: None }
            }
        };
        let mut places: Vec<(&mut Series, Form)> = Vec::new();
        let mut whole: BTreeMap<usize, Answer> = self.answers.into_iter().collect();
        for (place, answer) in new.answers.iter_mut().enumerate() {
            if let Some(changed) = whole.remove(&place) {
                *answer = changed;
                continue;
            }
            let form = answer.ask.form;
            places.extend(answer.series.iter_mut().flatten().map(|series| (series, form)));
        }
        if let Some(cut) = self.cut {
            for (series, _) in places.iter_mut().filter(|(_, form)| matches!(form, Form::Counters { .. })) {
                series.samples.retain(|sample| sample.at_ms >= cut);
            }
        }
        for Column { at_ms, series, values } in self.samples {
            let which = series.unwrap_or_else(|| (0..values.len()).collect());
            for (place, value) in which.into_iter().zip(values) {
                let (series, form) = places.get_mut(place)?;
                match form {
                    Form::Counters { .. } => {}
                    Form::Instant => series.samples.clear(),
                }
                series.samples.push(Sample { at_ms, value });
            }
        }
        whole.is_empty().then_some(new)
    }
}

/// What a reading holds beside its answers and its clock.
#[derive(Deserialize)]
struct Rest {
    warnings: Vec<crate::model::text::Text>,
    rules: Vec<crate::model::signal::RuleHealth>,
    targets_up: u32,
    targets: u32,
}

fn rest(reading: &SignalReading) -> Value {
    json!({ "warnings": reading.warnings, "rules": reading.rules, "targets_up": reading.targets_up, "targets": reading.targets })
}

fn series(answer: &Answer) -> impl Iterator<Item = &Series> {
    answer.series.iter().flatten()
}

fn first(series: &Series) -> Option<i64> {
    series.samples.first().map(|sample| sample.at_ms)
}

/// The newer samples of each series, if that is all that changed.
fn newer<'a>(old: &Answer, new: &'a Answer, cut: Option<i64>) -> Option<Vec<&'a [Sample]>> {
    if old.ask != new.ask || old.query != new.query || old.refused != new.refused {
        return None;
    }
    match (&old.series, &new.series) {
        (Ok(before), Ok(after)) if before.len() == after.len() => {
            before.iter().zip(after).map(|(before, after)| newer_of(before, after, new.ask.form, cut)).collect()
        }
        (Err(before), Err(after)) if before == after => Some(Vec::new()),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => None,
    }
}

fn newer_of<'a>(old: &Series, new: &'a Series, form: Form, cut: Option<i64>) -> Option<&'a [Sample]> {
    if old.labels != new.labels {
        return None;
    }
    let fresh = match form {
        Form::Instant if old.samples == new.samples => &[],
        Form::Instant if new.samples.len() == 1 => new.samples.as_slice(),
        Form::Instant => return None,
        Form::Counters { .. } => {
            let kept = || old.samples.iter().filter(|sample| cut.is_none_or(|cut| sample.at_ms >= cut));
            let stay = new.samples.iter().zip(kept()).take_while(|(a, b)| a == b).count();
            let (before, fresh) = new.samples.split_at_checked(stay)?;
            if stay != kept().count() || before.last().zip(fresh.first()).is_some_and(|(last, first)| first.at_ms <= last.at_ms) {
                return None;
            }
            fresh
        }
    };
    // Columns are put on in the order of their times, one sample of a series each.
    fresh.is_sorted_by(|a, b| a.at_ms < b.at_ms).then_some(fresh)
}
