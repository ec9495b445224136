//! Windows and freezes at instants, rule by rule.

mod bounds;
mod minutes;
mod trains;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rstest::rstest;

use super::*;
use crate::model::change::ChangeType;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::ical::CalendarReading;
use crate::model::intent::Direction;
use crate::model::name::{PlanId, Target};
use crate::model::operator::Actor;
use crate::model::reading::Fact;
use crate::model::time::{Boot, Moment};
use crate::model::timetable::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn clock(text: &str) -> ClockTime {
    ClockTime::read(text).unwrap()
}

fn in_prod() -> Scope {
    Scope { environments: vec!["prod".parse().unwrap()], ..Scope::default() }
}

/// Open on weekdays from 10 to 16 in Berlin.
fn window() -> Window {
    use chrono::Weekday::*;
    let times = Times::Weekly { days: vec![Mon, Tue, Wed, Thu, Fri], from: clock("10:00"), to: clock("16:00") };
    Window { name: "office".to_owned(), scope: in_prod(), timezone: "Europe/Berlin".to_owned(), times }
}

/// From Wednesday noon to Thursday noon UTC.
fn freeze() -> Freeze {
    Freeze {
        name: "trade".to_owned(),
        scope: in_prod(),
        timezone: "UTC".to_owned(),
        times: Times::Once { begin: Stamp::Utc(at("2026-06-03T12:00:00Z")), end: Stamp::Utc(at("2026-06-04T12:00:00Z")) },
        reason: "the summer sale".to_owned(),
        way_back: WayBack::Exempt,
        running: Running::Finish,
    }
}

fn exception(lets: Excepted) -> Exception {
    Exception { freeze: "trade".to_owned(), lets, by: "cy".parse().unwrap(), reason: "the bug of the sale".to_owned() }
}

/// A question with everything that it borrows.
struct Question {
    table: Timetable,
    feeds: Feeds,
    target: Target,
    kind: ChangeType,
    direction: Direction,
    at: DateTime<Utc>,
    now: Moment,
    plan: Option<PlanId>,
    requester: Actor,
    began: Option<DateTime<Utc>>,
}

impl Question {
    fn at(instant: &str) -> Self {
        Self {
            table: Timetable::default(),
            feeds: Feeds::new(),
            target: "checkout@prod".parse().unwrap(),
            kind: ChangeType::Normal,
            direction: Direction::Forward,
            at: at(instant),
            now: Moment { wall: at(instant), boot: Boot(1_000_000_000) },
            plan: None,
            requester: Actor::Person("ana".parse().unwrap()),
            began: None,
        }
    }

    fn window(mut self, window: Window) -> Self {
        self.table.windows.push(window);
        self
    }

    fn freeze(mut self, freeze: Freeze) -> Self {
        self.table.freezes.push(freeze);
        self
    }

    fn exception(mut self, lets: Excepted) -> Self {
        self.table.exceptions.push(exception(lets));
        self
    }

    fn back(mut self) -> Self {
        self.direction = Direction::Back;
        self
    }

    fn began(mut self, instant: &str) -> Self {
        self.began = Some(at(instant));
        self
    }

    fn calendars(&self) -> Calendars {
        let teams = BTreeMap::from([("checkout".parse().unwrap(), "payments".to_owned())]);
        Calendars::new(&self.table, teams, &self.feeds, self.at)
    }

    fn asked(&self) -> Asked<'_> {
        let Self { target, kind, direction, at, now, plan, requester, began, .. } = self;
        Asked { target, kind: *kind, direction: *direction, at: *at, now: *now, plan: *plan, requester, began: *began }
    }

    fn stands(&self) -> Standing {
        standing(&self.calendars(), &self.asked())
    }

    /// What it is told, each reason as `rule: text; fix`.
    fn told(&self) -> Vec<String> {
        self.stands().reasons.iter().map(|reason| format!("{}: {}; {}", reason.rule, reason.text, reason.fix)).collect()
    }
}

#[test]
fn without_a_window_for_the_environment_it_is_always_open() {
    let other = Window { scope: Scope { environments: vec!["dev".parse().unwrap()], ..Scope::default() }, ..window() };
    let stands = Question::at("2026-06-06T03:00:00Z").window(other).stands();
    assert_eq!((stands.open, stands.frozen, stands.access), (true, false, Access::Always));
}

#[rstest]
#[case("2026-06-02T07:59:59Z", None)]
#[case("2026-06-02T08:00:00Z", Some("2026-06-02T14:00:00Z"))]
#[case("2026-06-02T13:59:59Z", Some("2026-06-02T14:00:00Z"))]
#[case("2026-06-02T14:00:00Z", None)]
// The same times an hour later in winter.
#[case("2026-12-01T09:00:00Z", Some("2026-12-01T15:00:00Z"))]
#[case("2026-12-01T08:59:00Z", None)]
#[case("2026-06-06T09:00:00Z", None)]
fn a_window_is_open_by_the_clock_of_its_own_zone(#[case] instant: &str, #[case] until: Option<&str>) {
    let stands = Question::at(instant).window(window()).stands();
    assert_eq!(stands.open, until.is_some());
    if let Some(until) = until {
        assert_eq!(stands.access, Access::Open { window: "office".to_owned(), until: Some(at(until)) });
    }
}

#[test]
fn a_shut_window_says_when_the_next_one_opens() {
    let question = Question::at("2026-06-05T14:00:00Z").window(window());
    assert_eq!(question.stands().access, Access::Shut { next: Some(("office".to_owned(), at("2026-06-08T08:00:00Z"))) });
    assert_eq!(
        question.told(),
        [
            "window: no window is open for normal changes of checkout@prod; office opens at 2026-06-08 08:00Z (Mon 10:00 Europe/Berlin), in 2 d 18 h"
        ]
    );
}

#[test]
fn windows_that_follow_without_a_gap_are_one_open_time() {
    let evening = Window {
        name: "evening".to_owned(),
        times: Times::Weekly { days: vec![chrono::Weekday::Tue], from: clock("16:00"), to: clock("02:00") },
        ..window()
    };
    let stands = Question::at("2026-06-02T10:00:00Z").window(window()).window(evening).stands();
    assert_eq!(stands.access, Access::Open { window: "evening".to_owned(), until: Some(at("2026-06-03T00:00:00Z")) });
}

#[test]
fn where_windows_are_what_none_of_them_admits_is_shut_and_says_so() {
    let mut question =
        Question::at("2026-06-02T10:00:00Z").window(Window { scope: Scope { types: vec![ChangeType::Normal], ..in_prod() }, ..window() });
    assert!(question.stands().open);
    question.kind = ChangeType::Emergency;
    assert_eq!(
        question.told(),
        [
            "window: prod has windows, and none of them admits emergency changes of checkout@prod; a [[window]] whose environments, services, teams and types include it"
        ]
    );
}

#[test]
fn the_way_back_and_what_moves_nothing_need_no_window() {
    for direction in [Direction::Back, Direction::Release, Direction::Still] {
        let mut question = Question::at("2026-06-06T03:00:00Z").window(window());
        question.direction = direction;
        assert_eq!((question.stands().open, question.stands().access), (true, Access::Unbound), "{direction:?}");
    }
}

#[test]
fn what_began_inside_a_window_may_go_on_and_what_began_outside_may_not() {
    let late = || Question::at("2026-06-02T15:00:00Z").window(window());
    assert_eq!(late().began("2026-06-02T13:00:00Z").stands().access, Access::Running { window: "office".to_owned() });
    assert!(!late().began("2026-06-02T14:30:00Z").stands().open);
    assert!(!late().began("2026-01-02T13:00:00Z").stands().open, "before the horizon nobody knows");
}

#[test]
fn a_freeze_beats_a_window() {
    let question = Question::at("2026-06-03T13:00:00Z").window(window()).freeze(freeze());
    let stands = question.stands();
    assert!(stands.open && stands.frozen);
    assert_eq!(
        question.told(),
        [
            "freeze: checkout@prod is frozen by trade until 2026-06-04 12:00Z: the summer sale; wait 23 h, or [[exception]] with freeze = \"trade\" by another person; the way back stays open"
        ]
    );
    assert_eq!(
        stands.freezes,
        [Frost { freeze: "trade".to_owned(), reason: "the summer sale".to_owned(), until: Some(at("2026-06-04T12:00:00Z")), exempt: None }]
    );
}

#[test]
fn a_freeze_that_comes_is_told_and_stops_nothing() {
    let stands = Question::at("2026-06-03T11:57:00Z").freeze(freeze()).stands();
    assert!(!stands.frozen);
    assert_eq!(stands.next_freeze, Some(("trade".to_owned(), at("2026-06-03T12:00:00Z"))));
    assert_eq!(stands.notes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["the freeze trade begins in 3 min"]);
    assert!(!Question::at("2026-06-04T12:00:00Z").freeze(freeze()).stands().frozen, "its end is no part of it");
}

#[test]
fn the_way_back_is_exempt_unless_written_otherwise() {
    let stands = Question::at("2026-06-03T13:00:00Z").freeze(freeze()).back().stands();
    assert_eq!((stands.frozen, stands.freezes[0].exempt.clone()), (false, Some(Exemption::WayBack)));
    assert_eq!(stands.notes[0].as_str(), "the freeze trade holds, and does not stop this: the way back is exempt");
    let hard = Question::at("2026-06-03T13:00:00Z").freeze(Freeze { way_back: WayBack::Frozen, ..freeze() }).back();
    assert_eq!(
        hard.told(),
        [
            "freeze: checkout@prod is frozen by trade until 2026-06-04 12:00Z, also for the way back: the summer sale; wait 23 h, or [[exception]] with freeze = \"trade\" by another person"
        ]
    );
}

#[test]
fn what_is_under_way_finishes_or_holds_as_the_freeze_says() {
    let asked = |running| Question::at("2026-06-03T13:00:00Z").freeze(Freeze { running, ..freeze() });
    let stands = asked(Running::Finish).began("2026-06-03T11:00:00Z").stands();
    assert_eq!((stands.frozen, stands.freezes[0].exempt.clone()), (false, Some(Exemption::Running)));
    assert!(asked(Running::Finish).began("2026-06-03T12:00:00Z").stands().frozen, "what began with it was not under way");
    let held = asked(Running::Hold).began("2026-06-03T11:00:00Z");
    assert!(held.told()[0].contains("also for what was under way"), "{:?}", held.told());
}

#[test]
fn an_exception_lets_one_plan_through_and_no_other() {
    let (plan, other) = (PlanId([7; 32]), PlanId([8; 32]));
    let mut question = Question::at("2026-06-03T13:00:00Z").freeze(freeze()).exception(Excepted::Plan(plan));
    assert!(question.stands().frozen);
    question.plan = Some(other);
    assert!(question.stands().frozen);
    question.plan = Some(plan);
    let stands = question.stands();
    assert!(!stands.frozen);
    assert_eq!(stands.notes[0].as_str(), "the freeze trade holds, and does not stop this: cy gave an exception: the bug of the sale");
}

#[test]
fn an_exception_does_not_hold_for_who_gave_it() {
    let plan = PlanId([7; 32]);
    let mut question = Question::at("2026-06-03T13:00:00Z").freeze(freeze()).exception(Excepted::Plan(plan));
    (question.plan, question.requester) = (Some(plan), Actor::Person("cy".parse().unwrap()));
    let stands = question.stands();
    assert!(stands.frozen);
    assert_eq!(stands.notes[0].as_str(), "an exception from trade does not count: cy gave it and asks");
}

#[test]
fn an_exception_from_one_freeze_is_none_from_another() {
    let second = Freeze { name: "audit".to_owned(), ..freeze() };
    let mut question = Question::at("2026-06-03T13:00:00Z").freeze(freeze()).freeze(second).exception(Excepted::Plan(PlanId([7; 32])));
    question.plan = Some(PlanId([7; 32]));
    let stands = question.stands();
    assert!(stands.frozen);
    assert_eq!(
        stands.freezes.iter().map(|frost| (frost.freeze.as_str(), frost.exempt.is_some())).collect::<Vec<_>>(),
        [("audit", false), ("trade", true)]
    );
}

#[rstest]
#[case("2026-06-03T21:59:00Z", "checkout@prod", true)]
#[case("2026-06-03T22:00:00Z", "checkout@prod", false)]
#[case("2026-06-03T21:59:00Z", "mail@prod", false)]
fn an_exception_for_a_day_is_by_the_clock_of_the_freeze(#[case] instant: &str, #[case] target: &str, #[case] lets: bool) {
    let day = Excepted::Day { target: "checkout@prod".parse().unwrap(), date: "2026-06-03".parse().unwrap() };
    let mut question = Question::at(instant).freeze(Freeze { timezone: "Europe/Berlin".to_owned(), ..freeze() }).exception(day);
    question.target = target.parse().unwrap();
    assert_eq!(!question.stands().frozen, lets);
}

fn from_calendar(unreadable: Unreadable) -> Times {
    Times::Calendar(CalendarTimes {
        feed: "freeze.ics".parse().unwrap(),
        summary: None,
        category: None,
        stale_after: Duration::from_hours(24),
        unreadable,
    })
}

/// A calendar that was read this long ago and holds nothing.
fn read(question: &mut Question, ago: Duration, trouble: bool) {
    let feed: crate::model::name::BackendName = "freeze.ics".parse().unwrap();
    let seen = Moment { wall: question.now.wall, boot: Boot(question.now.boot.0 - u64::try_from(ago.as_millis()).unwrap()) };
    let error = || PortError::new(PortErrorKind::Unreachable, &feed, "read the calendar", "connection refused");
    let fact = Fact {
        value: Some(std::sync::Arc::new(CalendarReading::default())),
        seen: Some(seen),
        trouble: trouble.then(error),
        ..Fact::default()
    };
    question.feeds.insert(feed, fact);
}

#[test]
fn a_freeze_whose_calendar_was_never_read_stops_forward_and_not_back() {
    let asked = |unreadable| {
        Question::at("2026-06-03T13:00:00Z").freeze(Freeze { times: from_calendar(unreadable), way_back: WayBack::Frozen, ..freeze() })
    };
    let question = asked(Unreadable::Stop);
    assert!(question.stands().frozen);
    assert_eq!(
        question.told(),
        [
            "calendar: nobody knows whether checkout@prod is frozen by trade: the calendar freeze.ics was never read; make the calendar readable; until then forward deeds stop, and the way back stays open"
        ]
    );
    assert!(!question.back().stands().frozen, "what is not known to be frozen never stops the way back");
    let warned = asked(Unreadable::Warn).stands();
    assert!(!warned.frozen && warned.notes[0].as_str().contains("nobody knows"));
}

#[test]
fn a_copy_counts_while_it_is_young_enough_whatever_became_of_the_calendar() {
    let asked = |hours: u64| {
        let mut question = Question::at("2026-06-03T13:00:00Z").freeze(Freeze { times: from_calendar(Unreadable::Stop), ..freeze() });
        read(&mut question, Duration::from_hours(hours), true);
        question
    };
    assert!(!asked(23).stands().frozen);
    let old = asked(49);
    assert!(old.stands().frozen);
    assert!(
        old.told()[0].contains("freeze.ics was last read 2 d 1 h ago, over the allowed 1 d: failed to read the calendar"),
        "{:?}",
        old.told()
    );
}

#[test]
fn a_window_whose_calendar_cannot_be_believed_is_shut() {
    let asked = || Question::at("2026-06-02T10:00:00Z").window(Window { times: from_calendar(Unreadable::Warn), ..window() });
    assert_eq!(asked().told(), ["calendar: window office is shut: the calendar freeze.ics was never read; make the calendar readable"]);
    let mut old = asked();
    read(&mut old, Duration::from_hours(25), false);
    assert!(!old.stands().open && old.told()[0].contains("last read 1 d 1 h ago"), "{:?}", old.told());
}

#[test]
fn an_instant_that_was_not_computed_is_shut_and_frozen() {
    let question = Question::at("2026-06-02T10:00:00Z").window(window()).freeze(freeze());
    let calendars = question.calendars();
    assert!(calendars.serves(question.at) && !calendars.serves(at("2026-09-30T10:00:00Z")));
    let stands = standing(&calendars, &Asked { at: at("2026-09-30T10:00:00Z"), ..question.asked() });
    assert!(stands.frozen && !stands.open);
}

#[test]
fn the_next_slot_is_open_not_frozen_and_long_enough() {
    let question = Question::at("2026-06-03T13:00:00Z").window(window()).freeze(freeze());
    let slot = |hours| next_slot(&question.calendars(), &question.asked(), TimeDelta::hours(hours));
    assert_eq!(slot(1), Some(Span { begin: at("2026-06-04T12:00:00Z"), end: at("2026-06-04T14:00:00Z") }));
    assert_eq!(slot(3), Some(Span { begin: at("2026-06-05T08:00:00Z"), end: at("2026-06-05T14:00:00Z") }));
    assert_eq!(slot(7), None);
}

#[test]
fn the_next_slot_counts_exceptions_and_calendars_that_nobody_knows() {
    let day = Excepted::Day { target: "checkout@prod".parse().unwrap(), date: "2026-06-03".parse().unwrap() };
    let slot = |question: &Question| next_slot(&question.calendars(), &question.asked(), TimeDelta::minutes(30));
    let mut question = Question::at("2026-06-03T13:00:00Z").window(window()).freeze(freeze()).exception(day);
    assert_eq!(slot(&question), Some(Span { begin: at("2026-06-03T13:00:00Z"), end: at("2026-06-03T14:00:00Z") }));
    question.requester = Actor::Person("cy".parse().unwrap());
    assert_eq!(slot(&question).map(|slot| slot.begin), Some(at("2026-06-04T12:00:00Z")));
    let unknown = Question::at("2026-06-03T13:00:00Z").freeze(Freeze { times: from_calendar(Unreadable::Stop), ..freeze() });
    assert_eq!(slot(&unknown), None);
    let shut = Question::at("2026-06-03T13:00:00Z").window(Window { times: from_calendar(Unreadable::Stop), ..window() });
    assert_eq!(slot(&shut), None);
}
