//! A target's signals and versions from a monitoring system's answers.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::analysis::limit::{self, Seen};
use crate::analysis::trial::Raw;
use crate::analysis::{counters, histogram};
use crate::control::chart::{Point, Side};
use crate::control::world::{Measure, SignalState, SignalView, TargetView, VersionSeen};
use crate::model::catalog::{Deploy, Service, Signal, SignalKind};
use crate::model::signal::{Answer, Form, Sample, Series, Subject, count_in_words, limit_in_words};
use crate::model::slot::{Slot, Track};
use crate::model::text::Text;
use crate::model::time::Moment;

/// The target's view with everything that `answers` (all of one backend, all of this target) say.
pub fn take_in(
    view: &mut TargetView,
    service: &Service,
    deploy: &Deploy,
    backend: &crate::model::name::BackendName,
    answers: &[&Answer],
    now: &Moment,
) {
    if let Some(source) = deploy.version.as_ref().filter(|version| &version.backend == backend) {
        for (index, slot) in Slot::BOTH.iter().enumerate() {
            let seen = version_of(answers, *slot, &source.label, source.digest.as_deref());
            if let Some(place) = view.versions.get_mut(index) {
                *place = keep_since(place.take(), seen, now);
            }
        }
    }
    let stable = view.state.stable;
    let trial = match (deploy.traffic.is_empty(), view.wished()) {
        (true, _) => Trial::None,
        (false, Some(share)) if share.fraction() <= 0.0 && !view.is_tried() => Trial::Idle,
        (false, _) => Trial::Running,
    };
    // Of the many targets of a large room no place is kept that no signal will take.
    view.signals.reserve_exact(service.signals.len().saturating_sub(view.signals.len()));
    view.charts.reserve_exact(service.signals.len().saturating_sub(view.charts.len()));
    for signal in service.signals.iter().filter(|signal| &signal.backend == backend) {
        let made = signal_view(signal, answers, stable, trial);
        let at_ms = now.wall.timestamp_millis();
        let side = |measure: &Measure| Side { value: measure.value, of: measure.total };
        let point = Point { at_ms, stable: side(&made.stable), canary: side(&made.canary) };
        match view.charts.iter_mut().find(|(name, _)| name == &signal.name) {
            Some((_, chart)) => chart.push(point),
            None => view.charts.push((signal.name.clone(), [point].into_iter().collect())),
        }
        put(&mut view.signals, made);
    }
}

/// Puts a signal in its place; one that says the same as before is the same in all worlds.
fn put(signals: &mut Vec<Arc<SignalView>>, made: SignalView) {
    match signals.iter_mut().find(|one| one.name == made.name) {
        Some(place) if **place == made => {}
        Some(place) => *place = Arc::new(made),
        None => signals.push(Arc::new(made)),
    }
}

/// A version that stays keeps the time at which it was first seen.
fn keep_since(before: Option<VersionSeen>, seen: Option<(Text, Option<Text>)>, now: &Moment) -> Option<VersionSeen> {
    let (version, digest) = seen?;
    match before {
        Some(before) if before.version == version && before.digest == digest => Some(before),
        _ => Some(VersionSeen { version, digest, since: now.wall }),
    }
}

/// The version that the newest series of a slot tells.
fn version_of(answers: &[&Answer], slot: Slot, label: &str, digest: Option<&str>) -> Option<(Text, Option<Text>)> {
    let series = series_of(answers, slot, &Subject::Version)?;
    let newest = series.iter().filter(|one| one.label(label).is_some()).max_by_key(|one| one.samples.last().map(|sample| sample.at_ms))?;
    Some((newest.label(label)?.clone(), digest.and_then(|digest| newest.label(digest)).cloned()))
}

fn answer_of<'a>(answers: &[&'a Answer], slot: Slot, subject: &Subject) -> Option<&'a Answer> {
    answers.iter().find(|answer| answer.ask.slot == Some(slot) && &answer.ask.subject == subject).copied()
}

fn series_of<'a>(answers: &[&'a Answer], slot: Slot, subject: &Subject) -> Option<&'a [Series]> {
    answer_of(answers, slot, subject)?.series.as_deref().ok()
}

/// The raw answers about one signal in one slot, for the trial of a rollout.
pub fn raw<'a>(signal: &Signal, answers: &[&'a Answer], slot: Slot) -> Raw<'a> {
    let of = |subject: Subject| answer_of(answers, slot, &subject).map(|answer| &answer.series);
    let name = || signal.name.clone();
    let (first, second) = match &signal.kind {
        SignalKind::Ratio { .. } => (of(Subject::Total(name())), of(Subject::Bad(name()))),
        SignalKind::Histogram { .. } => (of(Subject::Buckets(name())), None),
        SignalKind::Value { .. } => (of(Subject::Value(name())), None),
    };
    match (&signal.kind, first, second) {
        (_, None, _) | (SignalKind::Ratio { .. }, _, None) => Raw::Nothing("not asked"),
        (_, Some(Err(error)), _) | (SignalKind::Ratio { .. }, _, Some(Err(error))) => Raw::Nothing(error.detail.as_str()),
        (SignalKind::Ratio { .. }, Some(Ok(total)), Some(Ok(bad))) => Raw::Ratio { bad, total },
        (SignalKind::Histogram { .. }, Some(Ok(series)), _) => Raw::Buckets(series),
        (SignalKind::Value { .. }, Some(Ok(series)), _) => Raw::Value(series),
    }
}

/// Whether there is a version on trial, and whether it takes traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trial {
    /// The service has one slot.
    None,
    /// The other slot takes no traffic: what its counters still show is the past.
    Idle,
    /// The other slot takes traffic, or nobody knows.
    Running,
}

fn signal_view(signal: &Signal, answers: &[&Answer], stable: Slot, trial: Trial) -> SignalView {
    let measure = |slot: Slot| match &signal.kind {
        SignalKind::Ratio { .. } => ratio(signal, answers, slot),
        SignalKind::Histogram { quantile, .. } => quantile_of(signal, answers, slot, *quantile),
        SignalKind::Value { .. } => value(signal, answers, slot),
    };
    let old = measure(Track::Stable.slot(stable));
    let new = match trial {
        Trial::None => nothing("one slot"),
        Trial::Idle => nothing("takes no traffic"),
        Trial::Running => measure(Track::Canary.slot(stable)),
    };
    let whole = both(signal, &old, &new);
    let difference = limit::difference(signal, seen(&old), seen(&new));
    let state = state_of(signal, &old, &new, difference);
    let own = || {
        answers.iter().filter(|answer| match &answer.ask.subject {
            Subject::Bad(name) | Subject::Total(name) | Subject::Buckets(name) | Subject::Value(name) => name == &signal.name,
            Subject::Version => false,
        })
    };
    let window_s = own().find_map(|answer| match answer.ask.form {
        Form::Counters { window_s } => Some(window_s),
        Form::Instant => None,
    });
    let queries = own().map(|answer| answer.query.clone()).fold(Vec::new(), |mut all, query| {
        if !all.contains(&query) {
            all.push(query);
        }
        all
    });
    let sentence = Text::clean(&sentence(signal, &old, &new, state, difference));
    SignalView {
        name: signal.name.clone(),
        backend: signal.backend.clone(),
        better: signal.better,
        limit: signal.limit,
        unit: if matches!(signal.kind, SignalKind::Ratio { .. }) { "ratio".to_owned() } else { signal.unit.clone() },
        critical: signal.critical,
        stable: old,
        canary: new,
        whole,
        difference,
        state,
        sentence,
        queries,
        window_s,
    }
}

fn nothing(why: &str) -> Measure {
    Measure { value: None, bad: None, total: None, missing: Some(Text::clean(why)), newest: None }
}

fn at(ms: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms)
}

/// Why an answer has nothing: its error, or that there is none.
fn why(answer: Option<&Answer>) -> Measure {
    match answer {
        None => nothing("not asked"),
        Some(answer) => match &answer.series {
            Err(error) => nothing(error.detail.as_str()),
            Ok(series) if series.is_empty() => nothing("no data"),
            Ok(_) => nothing("needs two samples"),
        },
    }
}

fn ratio(signal: &Signal, answers: &[&Answer], slot: Slot) -> Measure {
    let subject = Subject::Total(signal.name.clone());
    let Some(total) = series_of(answers, slot, &subject).and_then(counters::of_all) else { return why(answer_of(answers, slot, &subject)) };
    let bad_subject = Subject::Bad(signal.name.clone());
    let bad = match answer_of(answers, slot, &bad_subject).map(|answer| &answer.series) {
        Some(Ok(series)) => {
            // A counter of bad events exists from the first bad event on: none beside a living total is none yet.
            counters::of_all(series).map_or_else(|| first_values(series), |increase| increase.total)
        }
        Some(Err(_)) | None => return why(answer_of(answers, slot, &bad_subject)),
    };
    let bad = bad.min(total.total);
    let value = (total.total > 0.0).then(|| bad / total.total);
    Measure {
        value,
        bad: Some(bad),
        total: Some(total.total),
        missing: value.is_none().then(|| Text::clean("no events")),
        newest: at(total.newest_ms),
    }
}

/// The sum of series with a single sample: a counter that was born within the window counts from 0.
fn first_values(series: &[Series]) -> f64 {
    series.iter().filter_map(|one| one.samples.first()).map(|sample: &Sample| sample.value.max(0.0)).sum()
}

fn quantile_of(signal: &Signal, answers: &[&Answer], slot: Slot, q: f64) -> Measure {
    let subject = Subject::Buckets(signal.name.clone());
    match series_of(answers, slot, &subject).and_then(|series| histogram::quantile(series, q)) {
        Some(found) => {
            Measure { value: Some(found.value), bad: None, total: Some(found.events), missing: None, newest: at(found.newest_ms) }
        }
        None => why(answer_of(answers, slot, &subject)),
    }
}

fn value(signal: &Signal, answers: &[&Answer], slot: Slot) -> Measure {
    let subject = Subject::Value(signal.name.clone());
    let newest = series_of(answers, slot, &subject).and_then(|series| match series {
        [one] => one.samples.last().copied(),
        _ => None,
    });
    match (newest, series_of(answers, slot, &subject)) {
        (Some(sample), _) => Measure { value: Some(sample.value), bad: None, total: None, missing: None, newest: at(sample.at_ms) },
        (None, Some(series)) if series.len() > 1 => nothing("the query gives several series, one is expected"),
        (None, _) => why(answer_of(answers, slot, &subject)),
    }
}

/// Both slots together, for ratios.
fn both(signal: &Signal, old: &Measure, new: &Measure) -> Measure {
    if !matches!(signal.kind, SignalKind::Ratio { .. }) {
        return nothing("not a ratio");
    }
    let (bad, total) = match (old.bad.zip(old.total), new.bad.zip(new.total)) {
        (Some((a, b)), Some((c, d))) => (a + c, b + d),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return nothing("no data"),
    };
    let value = (total > 0.0).then(|| bad / total);
    Measure { value, bad: Some(bad), total: Some(total), missing: None, newest: old.newest.max(new.newest) }
}

fn seen(measure: &Measure) -> Seen {
    Seen { value: measure.value, bad: measure.bad, total: measure.total }
}

/// Past its limit in any slot that takes traffic; worse when the new version alone is, beyond the interval of doubt.
fn state_of(signal: &Signal, old: &Measure, new: &Measure, difference: Option<(f64, f64, f64)>) -> SignalState {
    if limit::worse(signal, seen(new), difference) {
        return SignalState::Worse;
    }
    if limit::surely_past(signal, seen(new)) || limit::surely_past(signal, seen(old)) {
        return SignalState::Past;
    }
    if old.value.is_none() && new.value.is_none() { SignalState::NoData } else { SignalState::Within }
}

/// What one slot's measure says when it is past the signal's limit beyond doubt, in one sentence.
pub fn past_alone(signal: &Signal, measure: &Measure) -> Option<String> {
    let said = || sentence(signal, measure, &nothing(""), SignalState::Past, None);
    limit::surely_past(signal, seen(measure)).then(said)
}

fn number(value: f64, unit: &str) -> String {
    if unit == "ratio" {
        format!("{:.1} %", value * 100.0)
    } else if value.abs() >= 100.0 {
        format!("{value:.0} {unit}").trim_end().to_owned()
    } else {
        format!("{value:.3} {unit}").trim_end().to_owned()
    }
}

/// A count of events, which a counter tells as a number that may be broken.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are not below 0 and stay far below 2^52")]
fn whole(events: f64) -> String {
    count_in_words(events.round().max(0.0) as u64)
}

/// Counts before shares, the population named, the interval, the limit.
fn sentence(signal: &Signal, old: &Measure, new: &Measure, state: SignalState, difference: Option<(f64, f64, f64)>) -> String {
    let ratio = matches!(signal.kind, SignalKind::Ratio { .. });
    let unit = if ratio { "ratio" } else { signal.unit.as_str() };
    let one = |measure: &Measure| match (measure.bad, measure.total, measure.value) {
        (Some(bad), Some(total), _) if ratio => format!("{} of {}", whole(bad), whole(total)),
        (_, _, Some(value)) => number(value, unit),
        _ => measure.missing.as_ref().map_or_else(|| "no data".to_owned(), ToString::to_string),
    };
    let word = match state {
        SignalState::Within => "within",
        SignalState::Past => "past limit",
        SignalState::Worse => "WORSE",
        SignalState::NoData => "no data",
    };
    let limit = signal.limit.map(|limit| format!(", limit {}", limit_in_words(limit, unit))).unwrap_or_default();
    let points = difference
        .map(|(value, low, high)| format!(", {:+.1} points ({:.1} to {:.1})", value * 100.0, low * 100.0, high * 100.0))
        .unwrap_or_default();
    if new.value.is_none() && old.value.is_some() {
        return format!("{} {word}: {}{limit}", signal.name, one(old));
    }
    format!("{} {word}: {} (old: {}){points}{limit}", signal.name, one(new), one(old))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signal::{Ask, Better};

    fn signal() -> Signal {
        Signal {
            name: "errors".parse().unwrap(),
            kind: SignalKind::Ratio { bad: "".into(), total: "".into() },
            backend: "prom".parse().unwrap(),
            better: Better::Lower,
            limit: Some(0.01),
            unit: String::new(),
            critical: true,
            margin: None,
            weight: None,
        }
    }

    fn answer(slot: Slot, subject: Subject, series: &[(f64, f64)]) -> Answer {
        let series = series
            .iter()
            .map(|(from, to)| Series {
                labels: [].into(),
                samples: vec![Sample { at_ms: 0, value: *from }, Sample { at_ms: 1000, value: *to }],
            })
            .collect();
        Answer {
            ask: Ask {
                target: "a@prod".parse().unwrap(),
                slot: Some(slot),
                subject,
                template: "".into(),
                values: [].into(),
                form: Form::Counters { window_s: 60 },
            },
            query: Text::empty(),
            series: Ok(series),
            refused: 0,
        }
    }

    fn view(bad: [f64; 2], total: [f64; 2]) -> SignalView {
        let name = signal().name;
        let answers: Vec<_> = Slot::BOTH
            .iter()
            .zip(bad.iter().zip(total))
            .flat_map(|(slot, (bad, total))| {
                [
                    answer(*slot, Subject::Bad(name.clone()), &[(5.0, 5.0 + bad)]),
                    answer(*slot, Subject::Total(name.clone()), &[(9.0, 9.0 + total)]),
                ]
            })
            .collect();
        signal_view(&signal(), &answers.iter().collect::<Vec<_>>(), Slot::First, Trial::Running)
    }

    #[test]
    fn a_canary_that_fails_beyond_doubt_is_worse() {
        let view = view([21.0, 27.0], [5255.0, 1281.0]);
        assert_eq!((view.state, view.window_s), (SignalState::Worse, Some(60)), "counted over what was asked for");
        assert_eq!(view.sentence.as_str(), "errors WORSE: 27 of 1,281 (old: 21 of 5,255), +1.7 points (1.0 to 2.7), limit 1 %");
    }

    #[test]
    fn no_requests_at_the_canary_is_no_data_there_and_no_verdict() {
        let view = view([0.0, 0.0], [5000.0, 0.0]);
        assert_eq!(view.canary.value, None);
        assert_eq!(view.state, SignalState::Within);
    }

    #[test]
    fn a_slot_that_takes_no_traffic_any_more_is_not_judged_by_its_past() {
        let name = signal().name;
        let answers = [
            answer(Slot::Second, Subject::Total(name.clone()), &[(0.0, 500.0)]),
            answer(Slot::Second, Subject::Bad(name), &[(0.0, 100.0)]),
        ];
        let view = signal_view(&signal(), &answers.iter().collect::<Vec<_>>(), Slot::First, Trial::Idle);
        assert_eq!(view.canary.missing.as_ref().map(Text::as_str), Some("takes no traffic"));
        assert_eq!(view.state, SignalState::NoData);
    }

    #[test]
    fn a_signal_that_says_the_same_is_the_same_and_another_one_takes_its_place() {
        let mut signals = Vec::new();
        put(&mut signals, view([1.0, 0.0], [100.0, 10.0]));
        let first = Arc::clone(&signals[0]);
        put(&mut signals, view([1.0, 0.0], [100.0, 10.0]));
        assert!(Arc::ptr_eq(&signals[0], &first) && signals.len() == 1);
        put(&mut signals, view([2.0, 0.0], [100.0, 10.0]));
        assert_eq!((signals.len(), signals[0].stable.bad), (1, Some(2.0)));
    }

    #[test]
    fn an_empty_answer_is_never_zero_errors() {
        let name = signal().name;
        let answers = [answer(Slot::First, Subject::Total(name.clone()), &[]), answer(Slot::First, Subject::Bad(name), &[])];
        let view = signal_view(&signal(), &answers.iter().collect::<Vec<_>>(), Slot::First, Trial::None);
        assert_eq!(view.state, SignalState::NoData);
        assert_eq!(view.stable.missing.as_ref().map(Text::as_str), Some("no data"));
    }
}
