//! A signal in words: counts before shares, each rate with its version and its track, from a whole sentence to what fits a row.

use std::time::Duration;

use crate::control::world::{Measure, SignalState, SignalView, TargetView};
use crate::model::burn_rule::span_word;
use crate::model::slot::Track;

use super::words;

/// Whether it is past its limit or worse than the old version.
pub fn is_past(signal: &SignalView) -> bool {
    matches!(signal.state, SignalState::Past | SignalState::Worse)
}

/// The word for its state.
pub fn word(state: SignalState) -> &'static str {
    match state {
        SignalState::Within => "within",
        SignalState::Past => "PAST ITS LIMIT",
        SignalState::Worse => "WORSE",
        SignalState::NoData => "NO DATA",
    }
}

/// The version that plays a part now, with its part: `2.5.0 canary`; the part alone while the version is not known.
pub fn named(view: &TargetView, track: Track) -> String {
    let part = track.word();
    match view.version(track.slot(view.state.stable)) {
        Some(seen) => format!("{} {part}", seen.version),
        None => part.to_owned(),
    }
}

/// What was counted or measured: `27 of 1,281`, `224 ms`.
fn measured(signal: &SignalView, measure: &Measure) -> Option<String> {
    match (measure.bad, measure.total, measure.value) {
        (Some(bad), Some(total), _) if signal.unit == "ratio" => Some(format!("{} of {}", whole(bad), whole(total))),
        (_, _, Some(value)) => Some(words::value(value, &signal.unit)),
        (_, _, None) => None,
    }
}

/// A count that a metrics system tells as a real number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are not negative and stay far below 2^53")]
pub fn whole(count: f64) -> String {
    words::count(count.round().max(0.0) as u64)
}

/// Over how long it was counted: `in 2m`; `now`: its newest value.
pub fn window(signal: &SignalView) -> String {
    let counted = |seconds| format!("in {}", span_word(Duration::from_secs(u64::from(seconds))));
    signal.window_s.map_or_else(|| "now".to_owned(), counted)
}

/// ` in 2m` behind what was counted; nothing behind a newest value.
fn within(signal: &SignalView) -> String {
    signal.window_s.map(|_| format!(" {}", window(signal))).unwrap_or_default()
}

/// `, limit 1 %`; nothing where there is none.
fn limit(signal: &SignalView) -> String {
    signal.limit.map(|limit| format!(", limit {}", words::limit(limit, &signal.unit))).unwrap_or_default()
}

/// What it says of the version on trial against the stable one, without its name and word: `27 of 1,281 in 2m on 2.5.0 canary (2.4.1 stable: ..`.
pub fn evidence(view: &TargetView, signal: &SignalView) -> String {
    let (old, new) = (named(view, Track::Stable), named(view, Track::Canary));
    let (limit, within) = (limit(signal), within(signal));
    let points = signal
        .difference
        .map(|(value, low, high)| format!(", {:+.1} points ({:.1} to {:.1})", value * 100.0, low * 100.0, high * 100.0))
        .unwrap_or_default();
    match (measured(signal, &signal.canary), measured(signal, &signal.stable)) {
        (Some(of_new), Some(of_old)) => format!("{of_new}{within} on {new} ({old}: {of_old}){points}{limit}"),
        (Some(of_new), None) => format!("{of_new}{within} on {new} ({old}: no data){limit}"),
        (None, Some(of_old)) => format!("{of_old}{within} on {old}{limit}"),
        (None, None) => format!("no data{limit}"),
    }
}

/// From long to short what a row says of it: the whole sentence, its value with counts, its value. `on` says how much of the traffic it meets, long and short.
pub fn forms(view: &TargetView, signal: &SignalView, on: &[String; 2]) -> Vec<String> {
    let (name, word, limit) = (&signal.name, word(signal.state), limit(signal));
    let measure = if signal.canary.value.is_some() { &signal.canary } else { &signal.stable };
    let value = measure.value.map_or_else(|| "no data".to_owned(), |value| words::value(value, &signal.unit));
    let counts = measured(signal, measure).filter(|counts| *counts != value).map(|counts| format!(", {counts}")).unwrap_or_default();
    let [on, on_short] = on;
    let within = measure.value.map(|_| within(signal)).unwrap_or_default();
    vec![
        format!("{name} {word}: {}{on}", evidence(view, signal)),
        format!("{name} {word}: {value}{counts}{within}{limit}{on}"),
        format!("{name} {value}{counts}{within}{limit}{on}"),
        format!("{name} {value}{within}{limit}{on}"),
        format!("{name} {value}{within}{limit}{on_short}"),
        format!("{name} {value}{within}{limit}"),
        format!("{name} {value}{limit}"),
        format!("{name} {value}"),
    ]
}
