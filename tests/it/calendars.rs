//! Calendars from their text to spans of time: what is right comes to the right instants, what is hostile is refused with words.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gonogo::adapters::calendar::parse;
use gonogo::analysis::occurrence::{Expansion, expand};
use gonogo::analysis::span::join;
use gonogo::analysis::zone::Zone;
use gonogo::model::timetable::{CalendarTimes, Span, Unreadable};
use rstest::rstest;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn filter(summary: Option<&str>, category: Option<&str>) -> CalendarTimes {
    CalendarTimes {
        feed: "freezes.ics".parse().unwrap(),
        summary: summary.map(str::to_owned),
        category: category.map(str::to_owned),
        stale_after: Duration::from_hours(24),
        unreadable: Unreadable::Stop,
    }
}

fn fixture() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/calendars/freezes.ics")).unwrap()
}

/// Expands over a range in a zone, each span as `begin/end`.
fn spans(text: &str, times: &CalendarTimes, zone: &str, [begin, end]: [&str; 2]) -> (Vec<String>, Vec<String>) {
    let home = Zone::Named(zone.parse().unwrap());
    let Expansion { spans, broken } = expand(&parse(text).unwrap(), times, &home, Span { begin: utc(begin), end: utc(end) });
    let write = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%MZ").to_string();
    (join(spans).iter().map(|span| format!("{}/{}", write(span.begin), write(span.end))).collect(), broken)
}

/// One event in a calendar.
fn event(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Freeze\r\n{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        lines.replace('\n', "\r\n")
    )
}

// The instants of this test were also computed with Python's icalendar, dateutil and recurring-ical-events.
#[test]
fn a_real_calendar_comes_to_the_right_instants() {
    let autumn = ["2026-11-01T00:00:00Z", "2027-01-31T00:00:00Z"];
    let (got, broken) = spans(&fixture(), &filter(None, Some("freeze")), "Europe/Berlin", autumn);
    assert_eq!(broken, Vec::<String>::new());
    assert_eq!(
        got,
        [
            "2026-11-24T17:00Z/2026-11-24T20:00Z", // payroll, moved
            "2026-11-26T05:00Z/2026-12-01T17:00Z", // Black Friday in New York
            "2026-12-23T23:00Z/2026-12-26T23:00Z", // Christmas, the last Thursday of December taken out
            "2026-12-30T23:00Z/2027-01-02T23:00Z", // the further date lasts as long
            "2027-01-28T17:00Z/2027-01-29T05:00Z", // payroll
        ]
    );
    let (got, _) = spans(
        &fixture(),
        &filter(Some("NIGHT WINDOW"), Some("RELEASE")),
        "Europe/Berlin",
        ["2026-12-02T00:00:00Z", "2027-01-31T00:00:00Z"],
    );
    assert_eq!(got, ["2026-12-02T21:30Z/2026-12-03T02:30Z", "2026-12-07T21:30Z/2026-12-08T02:30Z", "2026-12-09T21:30Z/2026-12-10T02:30Z"]);
    let (got, _) = spans(&fixture(), &filter(Some("called off"), None), "UTC", autumn);
    assert_eq!(got, Vec::<String>::new(), "a cancelled event is none");
}

#[test]
fn a_zone_that_the_calendar_defines_changes_its_clock_as_it_says() {
    // Payroll at 18:00 and 06:00 by the clock of Berlin, on both sides of the end of summer time.
    let (got, _) = spans(&fixture(), &filter(Some("payroll"), None), "UTC", ["2026-09-20T00:00:00Z", "2026-11-01T00:00:00Z"]);
    assert_eq!(got, ["2026-09-24T16:00Z/2026-09-25T04:00Z", "2026-10-29T17:00Z/2026-10-30T05:00Z"]);
}

#[rstest]
// 02:30 does not exist in Berlin on that day: by RFC 5545 it is meant by the offset before.
#[case("DTSTART;TZID=Europe/Berlin:20260328T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3", &["2026-03-28T01:30Z/2026-03-28T02:30Z", "2026-03-29T01:30Z/2026-03-29T02:30Z", "2026-03-30T00:30Z/2026-03-30T01:30Z"])]
// A day by the calendar has 23 hours on the day of the jump; 24 hours are 24 hours.
#[case("DTSTART;TZID=Europe/Berlin:20260328T120000\nDURATION:P1D", &["2026-03-28T11:00Z/2026-03-29T10:00Z"])]
#[case("DTSTART;TZID=Europe/Berlin:20260328T120000\nDURATION:PT24H", &["2026-03-28T11:00Z/2026-03-29T11:00Z"])]
// The clock of Lord Howe goes back by half an hour.
#[case("DTSTART;TZID=Australia/Lord_Howe:20260404T233000\nDTEND;TZID=Australia/Lord_Howe:20260405T023000\nRRULE:FREQ=WEEKLY;COUNT=2", &["2026-04-04T12:30Z/2026-04-04T16:00Z", "2026-04-11T13:00Z/2026-04-11T16:30Z"])]
// All day is from midnight to midnight where the window is.
#[case("DTSTART;VALUE=DATE:20260405", &["2026-04-05T04:00Z/2026-04-06T04:00Z"])]
#[case("DTSTART:20260405T090000\nDTEND:20260405T100000", &["2026-04-05T13:00Z/2026-04-05T14:00Z"])]
#[case("DTSTART;VALUE=DATE:20260401\nRRULE:FREQ=DAILY;UNTIL=20260403\nEXDATE;VALUE=DATE:20260402", &["2026-04-01T04:00Z/2026-04-02T04:00Z", "2026-04-03T04:00Z/2026-04-04T04:00Z"])]
#[case("DTSTART:20260401T100000Z\nDTEND:20260401T110000Z\nRDATE;VALUE=PERIOD:20260402T100000Z/PT2H,20260403T100000Z/20260403T101500Z", &["2026-04-01T10:00Z/2026-04-01T11:00Z", "2026-04-02T10:00Z/2026-04-02T12:00Z", "2026-04-03T10:00Z/2026-04-03T10:15Z"])]
#[case("DTSTART:20260405T100000Z\nDTEND:20260405T110000Z\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE:20260405T100000Z", &["2026-04-06T10:00Z/2026-04-06T11:00Z"])]
fn times_are_by_the_clock_that_they_name(#[case] lines: &str, #[case] wanted: &[&str]) {
    let (got, broken) = spans(&event(lines), &filter(None, None), "America/New_York", ["2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z"]);
    assert_eq!((got.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), broken), (wanted, Vec::new()));
}

#[rstest]
#[case("SUMMARY:x", "it has no DTSTART")]
#[case("DTSTART:20260401T100000Z\nDTSTART:20260402T100000Z", "it has two of DTSTART")]
#[case("DTSTART:20260401T100000Z", "it has no length")]
#[case("DTSTART:20260401T100000Z\nDTEND:20260401T090000Z", "it ends before it begins")]
#[case("DTSTART;TZID=Europe/Berlin:20260401T100000\nDTEND;TZID=America/New_York:20260401T030000", "it ends before it begins")]
#[case("DTSTART;VALUE=DATE:20260401\nDTEND;VALUE=DATE:20260331", "it ends before it begins")]
#[case("DTSTART;VALUE=DATE:20260401\nDTEND:20260402T000000Z", "one of DTSTART and DTEND is a day, and the other is not")]
#[case("DTSTART:20260401T100000Z\nDTEND:20260401T110000Z\nDURATION:PT1H", "it has DTEND and DURATION")]
#[case("DTSTART:20260401T100000Z\nDURATION:-PT1H", "its length is negative: `-PT1H`")]
#[case(
    "DTSTART;TZID=Mars/Olympus:20260401T100000\nDURATION:PT1H",
    "its time zone `Mars/Olympus` is no IANA name, and the calendar does not define it in a way that can be understood"
)]
#[case("DTSTART:tomorrow\nDURATION:PT1H", "DTSTART is no moment: `tomorrow`")]
#[case("DTSTART:99990401T100000Z\nDURATION:PT1H", "DTSTART is no moment: `99990401T100000Z`")]
#[case(
    "DTSTART:20260401T100000Z\nDURATION:PT1H\nRRULE:FREQ=SECONDLY",
    "its rule repeats SECONDLY; expected DAILY, WEEKLY, MONTHLY or YEARLY"
)]
#[case("DTSTART:20260401T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY", "it has two of RRULE")]
#[case("DTSTART:20260401T100000Z\nDURATION:PT1H\nEXRULE:FREQ=DAILY", "it has an EXRULE, which RFC 5545 took away")]
#[case("DTSTART:20260401T100000Z\nDURATION:P400D\nRRULE:FREQ=DAILY", "it recurs and lasts longer than 366 days")]
#[case("DTSTART:20260401T100000Z\nDURATION:PT1H\nEXDATE:never", "EXDATE is no moment: `never`")]
#[case(
    "DTSTART:20260401T100000Z\nDURATION:PT1H\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260402T100000Z",
    "it replaces a range of another (THISANDFUTURE), which is not understood"
)]
#[case("DTSTART:20260401T100000Z\nDURATION:PT1H\nwhat is this", "line 8 is no line of a calendar")]
fn an_event_that_cannot_be_understood_says_why_and_is_not_absent(#[case] lines: &str, #[case] why: &str) {
    let (got, broken) = spans(&event(lines), &filter(Some("free"), None), "UTC", ["2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z"]);
    assert_eq!((got, broken), (Vec::new(), vec![format!("the event on line 3 (Freeze): {why}")]));
    let (_, elsewhere) = spans(&event(lines), &filter(Some("window"), None), "UTC", ["2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z"]);
    assert_eq!(elsewhere, Vec::<String>::new(), "an event that does not count breaks nothing");
}

#[test]
fn what_a_part_replaces_is_not_open_when_the_part_cannot_be_understood() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Window\nDTSTART:20260401T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\nSUMMARY:Window\nRECURRENCE-ID:20260402T100000Z\nDTSTART:soon\nEND:VEVENT\nEND:VCALENDAR\n";
    let range = ["2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z"];
    let (got, broken) = spans(text, &filter(None, None), "UTC", range);
    assert_eq!(got, ["2026-04-01T10:00Z/2026-04-01T11:00Z", "2026-04-03T10:00Z/2026-04-03T11:00Z"]);
    assert_eq!(broken, ["the event on line 9 (Window): DTSTART is no moment: `soon`"]);
    let (got, broken) = spans(&text.replace("RECURRENCE-ID:20260402T100000Z", "RECURRENCE-ID:soon"), &filter(None, None), "UTC", range);
    assert_eq!((got, broken.len()), (Vec::new(), 2), "nobody knows what is replaced");
}

#[rstest]
#[case("", "the calendar is cut off: END:VCALENDAR is missing")]
#[case("<html></html>", "it is no iCalendar: line 1 is not BEGIN:VCALENDAR")]
#[case("BEGIN:VEVENT\nEND:VEVENT\n", "it is no iCalendar: line 1 is not BEGIN:VCALENDAR")]
#[case("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\n", "the calendar is cut off: END:VCALENDAR is missing")]
#[case("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "line 3: END:VCALENDAR ends what did not begin")]
#[case("BEGIN:VCALENDAR\nEND:VCALENDAR\nBEGIN:VCALENDAR\nEND:VCALENDAR\n", "line 3: something stands after the end of the calendar")]
fn what_is_no_whole_calendar_is_refused(#[case] text: &str, #[case] why: &str) {
    assert_eq!(parse(text), Err(why.to_owned()));
}

#[test]
fn what_is_too_much_is_refused() {
    let calendar = |inner: String| format!("BEGIN:VCALENDAR\n{inner}END:VCALENDAR\n");
    let deep = calendar("BEGIN:X\n".repeat(100_000) + &"END:X\n".repeat(100_000));
    assert!(parse(&deep).is_err_and(|why| why.contains("longer than 1048576 bytes")));
    let deep = calendar("BEGIN:X\n".repeat(10_000) + &"END:X\n".repeat(10_000));
    assert_eq!(parse(&deep), Err("line 5: components lie too deep in each other".to_owned()));
    let many = calendar("BEGIN:VEVENT\nEND:VEVENT\n".repeat(6_000));
    assert_eq!(parse(&many), Err("the calendar holds 6000 events, over the allowed 5000".to_owned()));
    assert!(parse(&format!("BEGIN:VCALENDAR\nX:{}", "y".repeat(2_000_000))).is_err_and(|why| why.contains("longer than")));
}

#[test]
fn a_calendar_that_costs_too_much_is_broken_and_not_slow() {
    // As many rules as a megabyte holds, each of which must count from 1970 and never ends.
    let one = "BEGIN:VEVENT\nSUMMARY:F\nDTSTART:19700101T000000Z\nDURATION:PT1M\nRRULE:FREQ=DAILY;COUNT=100000\nEND:VEVENT\n";
    let text = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", one.repeat(5_000));
    let (got, broken) = spans(&text, &filter(None, None), "UTC", ["2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z"]);
    assert_eq!(got.len(), 61);
    assert!(
        broken.iter().all(|why| why.ends_with("its rule costs more than is allowed") || why.ends_with("there are too many occurrences")),
        "{:?}",
        broken.first()
    );
    assert!(broken.len() > 4_000);
    // Days that never are: nothing is found, and nobody looks for ever.
    let never = "DTSTART:19700131T000000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31";
    let (got, broken) = spans(&event(never), &filter(None, None), "UTC", ["2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z"]);
    assert_eq!((got, broken), (Vec::new(), Vec::new()));
}

#[test]
fn text_from_a_calendar_is_cleaned() {
    let reading =
        parse(&event("DTSTART:20260401T100000Z\nDURATION:PT1H").replace("SUMMARY:Freeze", "SUMMARY:\u{1b}[31mFreeze\u{202e}")).unwrap();
    assert_eq!(reading.events[0].summary.as_str(), "␛[31mFreeze<U+202E>");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(lines in proptest::collection::vec("(BEGIN|END|DTSTART|DTEND|RRULE|RDATE|EXDATE|TZID|DURATION|TZOFFSETTO|RECURRENCE-ID|X)[;:=]{1,2}(VEVENT|VCALENDAR|VTIMEZONE|STANDARD|FREQ=YEARLY;BYDAY=-1SU|[0-9]{8}T[0-9]{6}Z?|P[0-9]{1,9}[DWTHMS]{1,2}|.{0,20})", 0..30)) {
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}\nEND:VEVENT\nEND:VCALENDAR\n", lines.join("\n"));
        for text in [lines.join("\n"), text] {
            if let Ok(reading) = parse(&text) {
                let range = Span { begin: utc("2026-03-01T00:00:00Z"), end: utc("2026-05-01T00:00:00Z") };
                let _ = expand(&reading, &filter(None, None), &Zone::UTC, range);
            }
        }
    }
}
