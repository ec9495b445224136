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
