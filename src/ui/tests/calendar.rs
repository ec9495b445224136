//! Tests of the calendar of changes: what opens and freezes, what cannot be believed, clock changes, and the keys over it.

use std::sync::Arc;
use std::time::Duration;

use super::changes::{one, room};
use super::*;
use crate::control::calendar::CalendarView;
use crate::model::catalog::Catalog;
use crate::model::change::ChangeType;
use crate::model::ical::CalendarReading;
use crate::model::time::Moment;
use crate::model::timetable::{
    CalendarTimes, ClockTime, Excepted, Exception, Feed, Freeze, Running, Scope, Stamp, Times, Timetable, Train, Unreadable, WayBack,
    Window,
};

const WORK: [chrono::Weekday; 5] =
    [chrono::Weekday::Mon, chrono::Weekday::Tue, chrono::Weekday::Wed, chrono::Weekday::Thu, chrono::Weekday::Fri];

fn clock(text: &str) -> ClockTime {
    ClockTime::read(text).unwrap()
}

fn prod() -> Scope {
    Scope { environments: vec![fixture::name("prod")], ..Scope::default() }
}

fn window(name: &str, days: &[chrono::Weekday], from: &str, to: &str, zone: &str) -> Window {
    let times = Times::Weekly { days: days.to_vec(), from: clock(from), to: clock(to) };
    Window { name: name.to_owned(), scope: prod(), timezone: zone.to_owned(), times }
}

fn freeze(name: &str, times: Times) -> Freeze {
    Freeze {
        name: name.to_owned(),
        scope: prod(),
        timezone: "Europe/Berlin".to_owned(),
        times,
        reason: "the sale".to_owned(),
        way_back: WayBack::Exempt,
        running: Running::Finish,
    }
}

fn once(begin: &str, end: &str) -> Times {
    Times::Once { begin: Stamp::Floating(begin.parse().unwrap()), end: Stamp::Floating(end.parse().unwrap()) }
}

fn of_feed() -> Times {
    Times::Calendar(CalendarTimes {
        feed: fixture::name("holidays"),
        summary: None,
        category: None,
        stale_after: Duration::from_mins(30),
        unreadable: Unreadable::Stop,
    })
}

pub(super) fn timetable() -> Timetable {
    Timetable {
        windows: vec![
            window("office", &WORK, "08:00", "18:00", "Europe/Berlin"),
            window("night", &[chrono::Weekday::Sat], "22:00", "04:00", "UTC"),
        ],
        freezes: vec![freeze("black-week", once("2026-11-26T00:00:00", "2026-11-30T08:00:00"))],
        exceptions: vec![Exception {
            freeze: "black-week".to_owned(),
            lets: Excepted::Day { target: fixture::checkout(), date: "2026-11-27".parse().unwrap() },
            by: fixture::name("dee"),
            reason: "the payment provider moves".to_owned(),
        }],
        trains: vec![Train {
            name: "shop".to_owned(),
            environment: fixture::name("prod"),
            services: vec![fixture::name("checkout")],
            window: "office".to_owned(),
            departs: Some(clock("14:00")),
            cut_off: Duration::from_mins(30),
        }],
        feeds: Vec::new(),
    }
}

/// A room with that timetable in which a plan of ana waits.
pub(super) fn with(table: Timetable, zone: &str) -> World {
    let mut world = one("cy", 2, &["dee"]);
    let catalog: &mut Catalog = Arc::make_mut(&mut world.catalog);
    catalog.timetable = table;
    catalog.room.timezone = zone.to_owned();
    world.calendars = CalendarView::new(&world.catalog, &fixture::now());
    world
}

/// A freeze from a calendar that was never read, or read so long ago.
pub(super) fn doubtful(read_before: Option<i64>) -> World {
    let mut table = timetable();
    table.freezes = vec![freeze("holidays", of_feed())];
    table.exceptions.clear();
    table.feeds = vec![Feed { name: fixture::name("holidays"), every: Duration::from_mins(15) }];
    let mut world = with(table, "UTC");
    let catalog = world.catalog.clone();
    if let Some(seconds) = read_before {
        let asked = fixture::before(seconds);
        world.calendars.take(&catalog, &fixture::name("holidays"), asked, Ok(Arc::new(CalendarReading::default())), &fixture::now());
    }
    world
}

fn text(world: &World, size: (u16, u16)) -> String {
    render::text(world, &fixture::now(), Screen::Changes, None, size, &Theme::ascii())
}

fn line<'t>(text: &'t str, label: &str) -> &'t str {
    text.lines().find_map(|line| line.strip_prefix(&format!(" {label} "))).unwrap_or_else(|| panic!("{label}:\n{text}"))
}

#[test]
fn the_next_window_and_freeze_stand_in_words_on_the_smallest_glass() {
    let text = text(&with(timetable(), "UTC"), (80, 24));
    assert!(text.contains("window office is open until Fri 20 Nov 17:00"), "{text}");
    assert!(text.contains("next freeze black-week, Wed 25 Nov 23:00 to Mon 30 Nov 07:00"), "{text}");
    // What blocks the marked plan needs the room more than the two weeks do.
    assert!(text.contains("needs 2 approvals") && text.contains("c two weeks"), "{text}");
    assert!(!text.lines().any(|line| line.starts_with(" plans ")), "{text}");
}

#[test]
fn a_calendar_that_cannot_be_believed_is_neither_open_nor_free() {
    for (world, why) in [(doubtful(None), "was never read"), (doubtful(Some(2400)), "was last read 40 min ago")] {
        for size in [(80, 24), (120, 40), (200, 60)] {
            let text = text(&world, size);
            assert!(text.contains("holidays is NOT BELIEVED"), "{text}");
            // Beside the queue the words are broken elsewhere.
            assert!(size.0 == 200 || text.replace("\n   ", " ").contains(why), "{text}");
            if size.0 == 80 {
                continue;
            }
            let (trains, windows, freezes) = ("shop", "office", "holidays");
            let text =
                text.lines().map(|line| line.get(if size.0 == 200 { 100 } else { 0 }..).unwrap_or_default()).collect::<Vec<_>>().join("\n");
            // Two weeks, four cells a day or more, each of them not known.
            assert!(line(&text, freezes).matches('~').count() >= 14 * 3, "{text}");
            assert!(!line(&text, trains).contains('T'), "leaves though nobody knows whether it is frozen:\n{text}");
            assert!(!line(&text, windows).contains(['=', '-']), "open though nobody knows whether it is frozen:\n{text}");
        }
    }
    let text = text(&doubtful(Some(60)), (120, 40));
    assert!(!text.contains("NOT BELIEVED") && line(&text, "office").contains('-'), "{text}");
    assert!(!line(&text, "holidays").contains('~'), "{text}");
}

#[test]
fn a_window_of_a_calendar_that_was_not_read_is_not_drawn_open() {
    let mut table = timetable();
    table.freezes.clear();
    table.exceptions.clear();
    table.windows = vec![Window { name: "sprint".to_owned(), scope: prod(), timezone: "UTC".to_owned(), times: of_feed() }];
    table.trains.clear();
    table.feeds = vec![Feed { name: fixture::name("holidays"), every: Duration::from_mins(15) }];
    let world = with(table, "UTC");
    let text = text(&world, (120, 40));
    assert!(text.contains("window sprint is NOT BELIEVED, so shut"), "{text}");
    assert!(!line(&text, "sprint").contains('=') && line(&text, "sprint").contains('~'), "{text}");
}

#[test]
fn a_day_says_what_opens_and_freezes_and_who_gave_an_exception_and_why() {
    let mut desk = room(with(timetable(), "UTC"), (120, 40));
    desk.press("6 <right>").sees("Friday 20 November 2026");
    desk.sees("window office is open 07:00 to 17:00");
    desk.press("<right>").sees("window night is open 22:00 to Sun 22 Nov 04:00");
    desk.press("<right>").sees("window night is open Sat 21 Nov 22:00 to 04:00");
    desk.press("<right> <right> <right> <right> <right>").sees("Friday 27 November 2026");
    desk.press("c").sees("freeze black-week holds all day, Wed 25 Nov 23:00 to Mon 30 Nov 07:00: the sale");
    desk.sees("exception from black-week for checkout@prod on 27 Nov (Europe/Berlin), given by dee: the payment provider moves");
    desk.sees("but black-week holds then");
    desk.press("<esc> <esc>").sees("window office is open until");
    desk.press("[").sees("calendar of staging");
    desk.sees("no window is configured for staging: always open");
    desk.press("]").sees("calendar of prod");
}

#[test]
fn a_day_on_which_the_clock_is_set_says_so() {
    let mut world = with(timetable(), "Europe/Berlin");
    let now = Moment { wall: "2026-10-23T10:00:00Z".parse().unwrap(), ..fixture::now() };
    world.calendars = CalendarView::new(&world.catalog, &now);
    world.waiting = Arc::new(Vec::new());
    let text = render::text(&world, &now, Screen::Changes, None, (120, 40), &Theme::ascii());
    assert!(line(&text, "now").contains("-1h"), "{text}");
    assert!(text.contains("times in Europe/Berlin"), "{text}");
    let mut desk = room(world, (120, 40));
    desk.now = now;
    desk.press("6 <right> <right> <right>").sees("Sunday 25 October 2026: the clock is set back, it is 25 h long");
    // 22:00 to 04:00 by UTC, an hour earlier by this clock after it was set.
    desk.sees("window night is open 00:00 to 05:00");
}

#[test]
fn a_window_for_some_says_for_whom() {
    let mut table = timetable();
    table.windows.truncate(1);
    table.windows[0].scope.types = vec![ChangeType::Standard];
    table.windows[0].scope.teams = vec!["payments".to_owned()];
    let text = text(&with(table, "UTC"), (120, 40));
    assert!(text.contains("(standard changes of team payments)"), "{text}");
}

#[test]
fn calendars_as_they_look() {
    for (name, world) in [("weeks", with(timetable(), "UTC")), ("doubtful", doubtful(None))] {
        for size in [(80, 24), (120, 40), (200, 60)] {
            for theme in [Theme::ascii(), Theme::standard(), Theme::monochrome()] {
                let text = render::text(&world, &fixture::now(), Screen::Changes, None, size, &theme);
                let styles = render::styles(&world, &fixture::now(), Screen::Changes, None, size, &theme);
                assert!(text.lines().all(|line| crate::ui::row::cells(line) <= usize::from(size.0)));
                insta::assert_snapshot!(format!("calendar-{name}-{}x{}-{}", size.0, size.1, theme.name), format!("{text}{styles}"));
            }
        }
    }
    let mut desk = room(with(timetable(), "UTC"), (120, 40));
    desk.press("6 c <right> <right>");
    insta::assert_snapshot!("calendar-alone-120x40", desk.text());
}
