//! Where what was computed ends, and what a timetable keeps of teams and trains.

use super::*;

#[test]
fn calendars_answer_from_their_first_instant_for_a_day_less_than_they_know() {
    let made = at("2026-06-02T10:00:00Z");
    let calendars = Calendars::new(&Timetable::default(), BTreeMap::new(), &Feeds::new(), made);
    assert!(calendars.serves(made) && calendars.serves(made - BACK));
    assert!(!calendars.serves(made - BACK - TimeDelta::milliseconds(1)));
    let last = made + TimeDelta::days(1);
    assert!(calendars.serves(last - TimeDelta::milliseconds(1)) && !calendars.serves(last), "to be made anew once a day");
}

#[test]
fn a_window_of_a_team_admits_the_services_of_that_team_alone() {
    let scope = Scope { teams: vec!["payments".to_owned()], ..in_prod() };
    let table = Timetable { windows: vec![Window { scope, ..window() }], ..Timetable::default() };
    let made = at("2026-06-02T10:00:00Z");
    let requester = Actor::Unverified("ana".to_owned());
    for (team, open) in [("payments", true), ("shop", false), ("", false)] {
        let teams = BTreeMap::from([("checkout".parse().unwrap(), team.to_owned())]);
        let target = "checkout@prod".parse().unwrap();
        let asked = Asked {
            target: &target,
            kind: ChangeType::Normal,
            direction: Direction::Forward,
            at: made,
            now: Moment { wall: made, boot: Boot(0) },
            plan: None,
            requester: &requester,
            began: None,
        };
        assert_eq!(standing(&Calendars::new(&table, teams, &Feeds::new(), made), &asked).open, open, "{team}");
    }
}

fn asked<'a>(target: &'a Target, requester: &'a Actor, at: DateTime<Utc>, plan: Option<PlanId>) -> Asked<'a> {
    let now = Moment { wall: at, boot: Boot(0) };
    Asked { target, kind: ChangeType::Normal, direction: Direction::Forward, at, now, plan, requester, began: None }
}

fn frozen_once(name: &str, begin: &str, end: &str) -> Freeze {
    let times = Times::Once { begin: Stamp::Utc(at(begin)), end: Stamp::Utc(at(end)) };
    Freeze { name: name.to_owned(), times, ..freeze() }
}

#[test]
fn the_freeze_that_begins_first_is_the_next_one_in_whatever_order_they_are_written() {
    let (target, ana) = ("checkout@prod".parse().unwrap(), Actor::Unverified("ana".to_owned()));
    let late = frozen_once("late", "2026-06-05T12:00:00Z", "2026-06-05T13:00:00Z");
    let early = frozen_once("early", "2026-06-04T12:00:00Z", "2026-06-04T13:00:00Z");
    let same = Freeze { name: "same".to_owned(), ..early.clone() };
    let made = at("2026-06-02T10:00:00Z");
    for freezes in [vec![late.clone(), early.clone(), same.clone()], vec![early.clone(), late, same]] {
        let table = Timetable { freezes, ..Timetable::default() };
        let found = standing(&Calendars::new(&table, BTreeMap::new(), &Feeds::new(), made), &asked(&target, &ana, made, None));
        assert_eq!(found.next_freeze.unwrap().0, "early");
    }
}

#[rstest]
#[case("2026-06-04T11:55:00Z", 0)]
#[case("2026-06-04T11:55:01Z", 1)]
fn a_freeze_that_begins_in_less_than_five_minutes_is_told(#[case] now: &str, #[case] notes: usize) {
    let (target, ana) = ("checkout@prod".parse().unwrap(), Actor::Unverified("ana".to_owned()));
    let table = Timetable { freezes: vec![frozen_once("early", "2026-06-04T12:00:00Z", "2026-06-04T13:00:00Z")], ..Timetable::default() };
    let calendars = Calendars::new(&table, BTreeMap::new(), &Feeds::new(), at(now));
    assert_eq!(standing(&calendars, &asked(&target, &ana, at(now), None)).notes.len(), notes);
}

#[test]
fn the_next_slot_lies_inside_a_freeze_only_where_an_exception_of_this_plan_or_target_lets_it() {
    let (target, ana): (Target, _) = ("checkout@prod".parse().unwrap(), Actor::Unverified("ana".to_owned()));
    let made = at("2026-06-03T12:00:00Z");
    let (own, other) = (PlanId([1; 32]), PlanId([2; 32]));
    let date = made.date_naive();
    let day = |target: &str| Excepted::Day { target: target.parse().unwrap(), date };
    let hour = TimeDelta::hours(1);
    let begins = |lets: Option<Excepted>| {
        let exceptions = lets.map(exception).into_iter().collect();
        let table = Timetable { freezes: vec![freeze()], exceptions, ..Timetable::default() };
        let calendars = Calendars::new(&table, BTreeMap::new(), &Feeds::new(), made);
        next_slot(&calendars, &asked(&target, &ana, made, Some(own)), hour).unwrap().begin
    };
    let thawed = at("2026-06-04T12:00:00Z");
    assert_eq!(begins(None), thawed);
    assert_eq!(begins(Some(Excepted::Plan(own))), made);
    assert_eq!(begins(Some(Excepted::Plan(other))), thawed);
    assert_eq!(begins(Some(day("checkout@prod"))), made);
    assert_eq!(begins(Some(day("cart@prod"))), thawed);
}
