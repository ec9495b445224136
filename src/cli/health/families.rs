//! Which metrics there are: of a world, and of a room that lives.

use std::time::Duration;

use super::metrics::{Family, Labels, number};
use crate::control::driver::counts::Counts;
use crate::control::world::{Source, World};
use crate::model::deed::DeedState;
use crate::model::time::Moment;

/// States of deeds that are not over, or that a person has to settle.
const OPEN: [DeedState; 5] = [DeedState::Intended, DeedState::Sent, DeedState::Accepted, DeedState::Effective, DeedState::Unknown];

fn yes(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}

fn labels(source: &Source) -> Labels {
    vec![("backend", source.backend.name.to_string()), ("kind", source.kind().word().to_owned())]
}

/// What one look at a world tells.
#[expect(clippy::cast_precision_loss, reason = "metrics are floating point, and nothing here comes near 2^53")]
pub fn of_world(world: &World, now: &Moment) -> Vec<Family> {
    let of = |value: &dyn Fn(&Source) -> Option<f64>| -> Vec<_> {
        world.sources.values().filter_map(|source| Some((labels(source), value(source)?))).collect()
    };
    vec![
        Family::gauges(
            "gonogo_build_info",
            "The version of gonogo, always 1.",
            vec![(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1.0)],
        ),
        Family::gauges(
            "gonogo_backend_fresh",
            "Whether the backend answered when it was asked.",
            of(&|source| Some(yes(source.freshness(now).is_fresh()))),
        ),
        Family::gauges(
            "gonogo_backend_age_seconds",
            "The age of the newest reading of the backend.",
            of(&|source| source.age(now).map(|age| age.as_secs_f64())),
        ),
        Family::gauges(
            "gonogo_backend_clock_skew_seconds",
            "How far the clock of the backend is ahead.",
            of(&|source| source.skew_ms.map(|skew| skew as f64 / 1000.0)),
        ),
        Family::one("gonogo_ledger_writable", "Whether the record can be written.", yes(world.ledger.trouble.is_none())),
        Family::one("gonogo_ledger_entries", "Entries of the record.", number(world.ledger.size)),
    ]
}

/// What a living room tells of itself. `open`: whether it goes on.
pub fn of_room(world: &World, counts: &Counts, now: &Moment, open: bool) -> Vec<Family> {
    let mut all = of_world(world, now);
    all.push(Family::one("gonogo_room_open", "Whether the room that wrote this is open; 0 is its last word.", yes(open)));
    all.push(Family::one("gonogo_room_start_time_seconds", "When the room was opened.", stamp(&world.opened)));
    all.extend(ages(world, now));
    all.extend(readings(world, counts));
    all.extend(deeds(world, counts));
    all.extend(inside(world, counts));
    all.extend(terminal(counts));
    all
}

#[expect(clippy::cast_precision_loss, reason = "the milliseconds of an age of mankind are exact")]
fn stamp(at: &Moment) -> f64 {
    at.wall.timestamp_millis() as f64 / 1000.0
}

/// When each fact was seen, and how old it is.
fn ages(world: &World, now: &Moment) -> Vec<Family> {
    let seconds = |age: Option<Duration>| age.map(|age| age.as_secs_f64());
    let seen = world.sources.values().filter_map(|source| Some((labels(source), stamp(&source.seen()?))));
    let calendars = world.calendars.feeds.iter();
    let calendars = calendars.filter_map(|(name, fact)| Some((vec![("calendar", name.to_string())], seconds(fact.age(now))?)));
    let discoveries = world.discoveries.iter();
    let discoveries = discoveries.filter_map(|(name, view)| Some((vec![("discovery", name.to_string())], seconds(view.fact.age(now))?)));
    vec![
        Family::gauges("gonogo_backend_seen_timestamp_seconds", "When the backend was last asked with success.", seen.collect()),
        Family::gauges("gonogo_calendar_age_seconds", "The age of the newest reading of the calendar.", calendars.collect()),
        Family::gauges("gonogo_discovery_age_seconds", "The age of the newest reading of the discovery.", discoveries.collect()),
    ]
}

/// How often backends and calendars were asked, and what came of it.
fn readings(world: &World, counts: &Counts) -> Vec<Family> {
    let named = counts.named();
    // A backend that left the configuration keeps its counts, and has no kind any more.
    let labels = |name: &crate::model::name::BackendName| -> Labels {
        let kind = world.sources.get(name).map_or("", |source| source.kind().word());
        vec![("backend", name.to_string()), ("kind", kind.to_owned())]
    };
    let results = named.polls.iter().flat_map(|(name, polls)| {
        polls.results.iter().map(move |(result, count)| {
            let mut labels = labels(name);
            labels.push(("result", (*result).to_owned()));
            (labels, *count)
        })
    });
    let took = named.polls.iter().map(|(name, polls)| (labels(name), polls.took.as_secs_f64()));
    let took = Family {
        values: super::metrics::Values::Counters(took.collect()),
        ..Family::one("gonogo_poll_seconds_total", "How long polls of the backend took together.", 0.0)
    };
    vec![
        Family::counters("gonogo_polls_total", "Polls of the backend by result: ok, or the kind of the error.", results),
        took,
        Family::counters("gonogo_calendar_reads_total", "Reads of calendars by result.", by("result", &named.calendars)),
    ]
}

fn by<'a>(label: &'static str, counts: &'a std::collections::BTreeMap<&'static str, u64>) -> impl Iterator<Item = (Labels, u64)> + 'a {
    counts.iter().map(move |(word, count)| (vec![(label, (*word).to_owned())], *count))
}

/// What is under way, and what this room did.
fn deeds(world: &World, counts: &Counts) -> Vec<Family> {
    let named = counts.named();
    let count = |state: DeedState| number(world.deeds.values().filter(|deed| deed.state == state).count() as u64);
    vec![
        Family::gauges(
            "gonogo_deeds",
            "Deeds that are not over, or that a person has to settle, by state.",
            OPEN.iter().map(|state| (vec![("state", state.word().to_owned())], count(*state))).collect(),
        ),
        Family::one("gonogo_plans_waiting", "Plans that wait for other persons, or for their time.", number(world.waiting.len() as u64)),
        Family::counters("gonogo_deed_entries_total", "Entries of deeds that this room recorded, by kind.", by("entry", &named.entries)),
        Family::counters(
            "gonogo_effects_sent_total",
            "Effects that this room sent, by what became of them: accepted, unknown, or the kind of the error.",
            by("result", &named.sent),
        ),
    ]
}

/// How the room itself fares.
fn inside(world: &World, counts: &Counts) -> Vec<Family> {
    let (waiting, most) = counts.waiting();
    vec![
        Family::one("gonogo_journal_writable", "Whether the journal can be written.", yes(world.journal_trouble.is_none())),
        Family::one("gonogo_configuration_refused", "Whether the newest configuration was refused.", yes(world.config_trouble.is_some())),
        Family::counters(
            "gonogo_configuration_reloads_total",
            "Readings of a changed configuration by result.",
            by("result", &counts.named().reloads),
        ),
        Family::count("gonogo_events_total", "Events that the room took in.", counts.events()),
        Family::one("gonogo_events_waiting", "Events that waited when the room looked last.", number(waiting)),
        Family::one("gonogo_events_waiting_most", "The most events that ever waited.", number(most)),
    ]
}

/// What was drawn; nothing where there is no terminal.
fn terminal(counts: &Counts) -> Vec<Family> {
    let (frames, writes) = (counts.frames.seen(), counts.writes.seen());
    if frames.count == 0 {
        return Vec::new();
    }
    let longest = |micros: u64| number(micros) / 1e6;
    vec![
        Family::seconds("gonogo_frame_seconds", "How long a frame that changed something took to draw.", frames),
        Family::one("gonogo_frame_longest_seconds", "The longest of them.", longest(frames.longest)),
        Family::seconds("gonogo_terminal_write_seconds", "How long the terminal took to take a frame.", writes),
        Family::one("gonogo_terminal_write_longest_seconds", "The longest of them.", longest(writes.longest)),
        Family::count("gonogo_terminal_written_bytes_total", "Bytes that were written to the terminal.", counts.bytes()),
        Family::count("gonogo_inputs_total", "Keys and other inputs from the terminal.", counts.inputs()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::health::metrics::exposition;
    use crate::model::operator::Actor;
    use crate::model::time::Boot;
    use std::sync::Arc;

    #[test]
    fn a_room_without_a_terminal_has_no_frames_and_says_when_it_is_its_last_word() {
        let now = Moment { wall: chrono::DateTime::UNIX_EPOCH, boot: Boot(5) };
        let world = World::new(Arc::new(crate::ui::fixture::catalog()), Actor::Stranger("ana".to_owned()), false, now);
        let counts = Counts::default();
        let text = exposition(&of_room(&world, &counts, &now, true));
        assert!(text.contains("\ngonogo_room_open 1\n") && text.contains("\ngonogo_deeds{state=\"unknown\"} 0\n"), "{text}");
        assert!(!text.contains("gonogo_frame"), "{text}");
        counts.frames.took(1_200);
        counts.wrote(77);
        let text = exposition(&of_room(&world, &counts, &now, false));
        for line in ["gonogo_room_open 0", "gonogo_frame_seconds_count 1", "gonogo_terminal_written_bytes_total 77"] {
            assert!(text.lines().any(|one| one == line), "{line}: {text}");
        }
    }
}
