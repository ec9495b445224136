//! Spans of time: those of weekly times in a zone, and sets of spans in order.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, TimeDelta, Utc, Weekday};

use super::zone::Zone;
use crate::model::timetable::{ClockTime, Span};

/// Which end of a span is meant by a time that the clock shows twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The first: what the span allows is not allowed longer than written. For windows.
    Short,
    /// The last: what the span forbids is forbidden as long as it may be meant. For freezes.
    Long,
}

/// The span between two local times. A time that the clock skips is the instant of the jump. None when nothing is left.
pub fn between(zone: &Zone, begin: NaiveDateTime, end: NaiveDateTime, doubt: Doubt) -> Option<Span> {
    let (begin, end) = (zone.shown(begin).first, zone.shown(end));
    let end = match doubt {
        Doubt::Short => end.first,
        Doubt::Long => end.last,
    };
    (begin < end).then_some(Span { begin, end })
}

/// A day and minutes after its midnight, as the clock shows it.
pub fn moment(day: NaiveDate, time: ClockTime) -> Option<NaiveDateTime> {
    day.and_hms_opt(0, 0, 0)?.checked_add_signed(TimeDelta::minutes(time.minutes().into()))
}

/// The spans of weekly times that meet `range`, in order.
pub fn weekly(zone: &Zone, days: &[Weekday], from: ClockTime, to: ClockTime, doubt: Doubt, range: Span) -> Vec<Span> {
    let first = zone.local(range.begin).date().checked_sub_days(chrono::Days::new(2));
    let last = zone.local(range.end).date();
    let all = first.into_iter().flat_map(|first| first.iter_days()).take_while(|day| *day <= last);
    let span = |day: NaiveDate| {
        let over_midnight = if to <= from { day.succ_opt()? } else { day };
        between(zone, moment(day, from)?, moment(over_midnight, to)?, doubt)
    };
    all.filter(|day| days.contains(&day.weekday())).filter_map(span).filter(|span| span.meets(&range)).collect()
}

/// Puts spans in order and joins those that touch.
pub fn join(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans.into_iter().filter(|span| span.begin < span.end) {
        match joined.last_mut() {
            Some(last) if span.begin <= last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

/// What is left of joined spans without other joined ones.
pub fn without(spans: &[Span], taken: &[Span]) -> Vec<Span> {
    let mut left = Vec::with_capacity(spans.len());
    for span in spans {
        let mut begin = span.begin;
        let first = taken.partition_point(|taken| taken.end <= span.begin);
        for cut in taken.iter().skip(first).take_while(|cut| cut.begin < span.end) {
            left.push(Span { begin, end: cut.begin });
            begin = begin.max(cut.end);
        }
        left.push(Span { begin, end: span.end });
    }
    left.retain(|span| span.begin < span.end);
    left
}

/// The span of joined ones that holds an instant.
pub fn holding(spans: &[Span], at: DateTime<Utc>) -> Option<Span> {
    let past = spans.partition_point(|span| span.begin <= at);
    past.checked_sub(1).and_then(|last| spans.get(last)).copied().filter(|span| span.holds(at))
}

/// The first span of joined ones that begins after an instant.
pub fn next(spans: &[Span], at: DateTime<Utc>) -> Option<Span> {
    spans.get(spans.partition_point(|span| span.begin <= at)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: TimeDelta = TimeDelta::minutes(1);
    const DAYS: [Weekday; 7] = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

    fn clock(minutes: u16) -> ClockTime {
        ClockTime::read(&format!("{:02}:{:02}", minutes / 60, minutes % 60)).unwrap()
    }

    /// The oracle: walks over every minute of a day and its neighbours and only looks at what the clock shows.
    fn naive(zone: &Zone, day: NaiveDate, from: ClockTime, to: ClockTime, doubt: Doubt) -> Option<Span> {
        let begin_local = moment(day, from).unwrap();
        let end_local = moment(if to <= from { day.succ_opt().unwrap() } else { day }, to).unwrap();
        let start = day.and_hms_opt(0, 0, 0).unwrap().and_utc() - TimeDelta::hours(16);
        let minutes: Vec<DateTime<Utc>> = (0..5 * 1440).map(|n| start + MINUTE * n).collect();
        let begin = *minutes.iter().find(|at| zone.local(**at) >= begin_local)?;
        let end = match doubt {
            Doubt::Short => *minutes.iter().find(|at| zone.local(**at) >= end_local)?,
            Doubt::Long => *minutes.iter().rev().find(|at| zone.local(**at) < end_local)? + MINUTE,
        };
        (begin < end).then_some(Span { begin, end })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
        #[test]
        fn every_day_is_as_the_clock_on_the_wall_shows_it(
            which in 0_usize..7,
            shift in -2_i64..3,
            // Most of them around the hours in which clocks change.
            from in prop_oneof![3 => 0_u16..200, 1 => 0_u16..1440],
            length in prop_oneof![3 => 1_u16..200, 1 => 1_u16..1440],
            long in any::<bool>(),
        ) {
            let (name, day) = [
                ("Europe/Berlin", "2026-03-29"),
                ("Europe/Berlin", "2026-10-25"),
                ("America/New_York", "2026-03-08"),
                ("America/New_York", "2026-11-01"),
                ("Australia/Lord_Howe", "2026-04-05"),
                ("Australia/Lord_Howe", "2026-10-04"),
                ("Asia/Kolkata", "2026-06-01"),
            ][which];
            let zone = Zone::Named(name.parse().unwrap());
            let day = day.parse::<NaiveDate>().unwrap() + TimeDelta::days(shift);
            let (from, to) = (clock(from), clock((from + length) % 1440));
            let doubt = if long { Doubt::Long } else { Doubt::Short };
            let wanted = naive(&zone, day, from, to, doubt);
            let start = day.and_hms_opt(0, 0, 0).unwrap().and_utc();
            let range = Span { begin: start - TimeDelta::days(3), end: start + TimeDelta::days(5) };
            let got = weekly(&zone, &[day.weekday()], from, to, doubt, range);
            let got: Vec<Span> = got.into_iter().filter(|span| zone.local(span.begin).date() == day).collect();
            // A span that begins in a jump over midnight would begin on another day; none of these zones has one.
            prop_assert_eq!(got, wanted.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn joined_spans_hold_exactly_what_the_spans_hold(pairs in proptest::collection::vec((0_i64..200, 0_i64..30), 0..20), at in 0_i64..240) {
            let instant = |n: i64| DateTime::from_timestamp(n, 0).unwrap();
            let spans: Vec<Span> = pairs.iter().map(|(begin, long)| Span { begin: instant(*begin), end: instant(begin + long) }).collect();
            let joined = join(spans.clone());
            prop_assert!(joined.windows(2).all(|pair| pair[0].end < pair[1].begin));
            let at = instant(at);
            prop_assert_eq!(holding(&joined, at).is_some(), spans.iter().any(|span| span.holds(at)));
            let (some, others) = spans.split_at(spans.len() / 2);
            let left = without(&join(some.to_vec()), &join(others.to_vec()));
            let holds = |spans: &[Span]| spans.iter().any(|span| span.holds(at));
            prop_assert_eq!(holds(&left), holds(some) && !holds(others));
            prop_assert!(left.windows(2).all(|pair| pair[0].end < pair[1].begin));
            prop_assert_eq!(next(&joined, at), joined.iter().copied().find(|span| span.begin > at));
        }
    }

    #[test]
    fn a_window_that_the_clock_skips_is_not_open_that_day() {
        let berlin = Zone::Named(chrono_tz::Europe::Berlin);
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let range = Span { begin: at("2026-03-28T12:00:00Z"), end: at("2026-03-30T12:00:00Z") };
        let spans = weekly(&berlin, &DAYS, clock(135), clock(165), Doubt::Short, range);
        assert_eq!(spans, [Span { begin: at("2026-03-30T00:15:00Z"), end: at("2026-03-30T00:45:00Z") }]);
    }

    #[test]
    fn an_end_that_the_clock_shows_twice_shuts_a_window_first_and_ends_a_freeze_last() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        for (zone, range, first, last) in [
            ("Europe/Berlin", ["2026-10-24T22:00:00Z", "2026-10-25T12:00:00Z"], "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            ("America/New_York", ["2026-11-01T04:00:00Z", "2026-11-01T12:00:00Z"], "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"),
        ] {
            let zone = Zone::Named(zone.parse().unwrap());
            let to = if first.contains("00:30") { clock(150) } else { clock(90) };
            let range = Span { begin: at(range[0]), end: at(range[1]) };
            let end = |doubt| weekly(&zone, &[Weekday::Sun], clock(30), to, doubt, range)[0].end;
            assert_eq!((end(Doubt::Short), end(Doubt::Long)), (at(first), at(last)));
        }
    }

    #[test]
    fn a_span_over_midnight_that_began_before_the_range_counts() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let range = Span { begin: at("2026-06-02T01:00:00Z"), end: at("2026-06-02T02:00:00Z") };
        let spans = weekly(&Zone::UTC, &DAYS, clock(1320), clock(240), Doubt::Short, range);
        assert_eq!(spans, [Span { begin: at("2026-06-01T22:00:00Z"), end: at("2026-06-02T04:00:00Z") }]);
    }
}
