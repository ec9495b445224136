//! Trains, and changes that are scheduled into freezes.

use super::*;

fn train() -> Train {
    Train {
        name: "express".to_owned(),
        environment: "prod".parse().unwrap(),
        services: ["checkout", "mail", "search", "stock"].map(|name| name.parse().unwrap()).to_vec(),
        window: "office".to_owned(),
        departs: Some(clock("14:00")),
        cut_off: Duration::from_hours(1),
    }
}

#[test]
fn a_train_leaves_in_each_occurrence_of_its_window_by_the_clock_of_that() {
    let calendars = Question::at("2026-06-05T12:00:01Z").window(window()).calendars();
    let times = |train: &Train, from: &str| -> Vec<String> {
        departures(&calendars, train, at(from), 3).iter().map(|departure| departure.at.to_rfc3339()).collect()
    };
    assert_eq!(
        times(&train(), "2026-06-05T12:00:01Z"),
        ["2026-06-08T12:00:00+00:00", "2026-06-09T12:00:00+00:00", "2026-06-10T12:00:00+00:00"]
    );
    let opening = Train { departs: None, ..train() };
    assert_eq!(times(&opening, "2026-06-05T12:00:01Z")[0], "2026-06-08T08:00:00+00:00");
    let outside = Train { departs: Some(clock("17:00")), ..train() };
    assert_eq!(times(&outside, "2026-06-05T12:00:01Z"), Vec::<String>::new());
    let whole_days = Window {
        times: Times::Weekly { days: vec![chrono::Weekday::Tue, chrono::Weekday::Wed], from: clock("00:00"), to: clock("24:00") },
        ..window()
    };
    let calendars = Question::at("2026-06-01T00:00:00Z").window(whole_days).calendars();
    let two = departures(&calendars, &train(), at("2026-06-01T00:00:00Z"), 2);
    assert_eq!(two[1].at - two[0].at, TimeDelta::days(1), "two days in a row are two departures");
}

#[test]
fn a_train_leaves_with_whoever_is_ready_and_tells_the_others_why() {
    use crate::model::reason::Reason;
    let mail = Freeze { name: "mailing".to_owned(), scope: Scope { services: vec!["mail".parse().unwrap()], ..in_prod() }, ..freeze() };
    let question = Question::at("2026-06-03T09:00:00Z").window(window()).freeze(Freeze {
        times: Times::Once { begin: Stamp::Utc(at("2026-06-03T11:00:00Z")), end: Stamp::Utc(at("2026-06-03T13:00:00Z")) },
        ..mail
    });
    let calendars = question.calendars();
    let departure = departures(&calendars, &train(), question.at, 1)[0];
    assert_eq!((departure.at, departure.cut_off), (at("2026-06-03T12:00:00Z"), at("2026-06-03T11:00:00Z")));
    let ready = |service: &str, since: Option<&str>, lacks: &[&str]| Readiness {
        service: service.parse().unwrap(),
        kind: ChangeType::Normal,
        since: since.map(at),
        lacks: lacks.iter().map(|lack| Reason::new("approvals", lack, "ask cy")).collect(),
        plan: None,
        requester: question.requester.clone(),
    };
    let all = [
        ready("checkout", Some("2026-06-03T11:00:00Z"), &[]),
        ready("mail", Some("2026-06-03T08:00:00Z"), &[]),
        ready("search", None, &["one approval is missing"]),
        ready("stock", Some("2026-06-03T11:12:00Z"), &[]),
    ];
    let manifest = board(&calendars, &train(), &departure, &all, question.now);
    assert_eq!(manifest.aboard, ["checkout".parse().unwrap()]);
    let told: Vec<String> =
        manifest.missed.iter().map(|(service, reasons)| format!("{service}: {}; {}", reasons[0].text, reasons[0].fix)).collect();
    assert_eq!(
        told,
        [
            "mail: mail@prod is frozen by mailing until 2026-06-03 13:00Z: the summer sale; wait 1 h, or [[exception]] with freeze = \"mailing\" by another person; the way back stays open",
            "search: one approval is missing; ask cy",
            "stock: stock was ready at 11:12Z, 12 min after the cut-off of express at 11:00Z; the next one leaves at 2026-06-04 12:00Z (Thu 14:00 Europe/Berlin); be ready by 2026-06-04 11:00Z (Thu 13:00 Europe/Berlin)",
        ]
    );
    let silent = board(&calendars, &train(), &departure, &all[..1], question.now);
    assert_eq!(silent.missed[0].1[0].text.as_str(), "mail brings no candidate");
}

#[test]
fn what_is_scheduled_into_a_freeze_is_found_when_it_is_scheduled() {
    use crate::policy::conflict::{Scheduled, against};
    let told = |running, begin: &str, end: &str| -> Vec<String> {
        let question = Question::at("2026-06-03T09:00:00Z").window(window()).freeze(Freeze { running, ..freeze() });
        let span = Span { begin: at(begin), end: at(end) };
        let change = Scheduled { id: "CHG7".to_owned(), target: question.target.clone(), kind: question.kind, span };
        let reasons = against(&question.calendars(), &change, None, &question.requester, question.now);
        reasons.iter().map(|reason| reason.text.to_string()).collect()
    };
    assert_eq!(told(Running::Hold, "2026-06-03T10:00:00Z", "2026-06-03T12:00:00Z"), Vec::<String>::new());
    assert_eq!(told(Running::Finish, "2026-06-03T10:00:00Z", "2026-06-03T13:00:00Z"), Vec::<String>::new());
    assert_eq!(
        told(Running::Hold, "2026-06-03T10:00:00Z", "2026-06-03T13:00:00Z"),
        ["the freeze trade begins at 2026-06-03 12:00Z before CHG7 ends"]
    );
    assert_eq!(told(Running::Finish, "2026-06-03T13:00:00Z", "2026-06-03T13:30:00Z").len(), 1);
    assert_eq!(
        told(Running::Finish, "2026-06-06T13:00:00Z", "2026-06-06T13:30:00Z"),
        ["no window is open for normal changes of checkout@prod"]
    );
}

/// Open every night from 22 to 4 in Berlin.
fn night() -> Window {
    use chrono::Weekday::*;
    let times = Times::Weekly { days: vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun], from: clock("22:00"), to: clock("04:00") };
    Window { name: "night".to_owned(), times, ..window() }
}

#[test]
fn a_train_after_midnight_leaves_by_the_clock_also_in_the_nights_that_are_longer_or_shorter() {
    let leaves = |departs: &str, from: &str| -> Vec<String> {
        let train = Train { window: "night".to_owned(), departs: Some(clock(departs)), ..train() };
        let calendars = Question::at(from).window(night()).calendars();
        departures(&calendars, &train, at(from), 3).iter().map(|departure| departure.at.format("%d %H:%MZ").to_string()).collect()
    };
    // Winter time ends on 2026-03-29 at 2, which becomes 3: at 2:30 nothing leaves that night.
    assert_eq!(leaves("00:30", "2026-03-27T12:00:00Z"), ["27 23:30Z", "28 23:30Z", "29 22:30Z"]);
    assert_eq!(leaves("02:30", "2026-03-27T12:00:00Z"), ["28 01:30Z", "30 00:30Z", "31 00:30Z"]);
    // Summer time ends on 2026-10-25 at 3, which becomes 2: it leaves once, the first time.
    assert_eq!(leaves("02:30", "2026-10-23T12:00:00Z"), ["24 00:30Z", "25 00:30Z", "26 01:30Z"]);
    let train = Train { window: "night".to_owned(), departs: Some(clock("00:30")), ..train() };
    let calendars = Question::at("2026-03-28T12:00:00Z").window(night()).calendars();
    let short = departures(&calendars, &train, at("2026-03-28T12:00:00Z"), 1)[0];
    assert_eq!((short.cut_off, short.shuts), (at("2026-03-28T22:30:00Z"), at("2026-03-29T02:00:00Z")));
}

#[test]
fn who_is_left_behind_is_told_why_by_the_cut_off_and_by_a_train_that_moved() {
    let question = Question::at("2026-06-03T09:00:00Z").window(window());
    let calendars = Calendars { trains: vec![train()], ..question.calendars() };
    let noon = at("2026-06-03T12:00:00Z");
    let told = |name: &str, departs, ready: Option<&str>, now: &str| {
        left_behind(&calendars, name, departs, ready.map(at), at(now)).map(|reason| reason.text.to_string())
    };
    assert_eq!(told("express", noon, Some("2026-06-03T11:00:00Z"), "2026-06-03T12:00:00Z"), None);
    assert_eq!(told("express", noon, None, "2026-06-03T11:00:00Z"), None);
    assert_eq!(
        told("express", noon, Some("2026-06-03T11:12:00Z"), "2026-06-03T12:00:00Z").unwrap(),
        "it was ready at 11:12Z, 12 min after the cut-off of express at 11:00Z"
    );
    assert_eq!(
        told("express", noon, None, "2026-06-03T11:01:00Z").unwrap(),
        "it was not ready by the cut-off of express at 2026-06-03 11:00Z"
    );
    let moved = at("2026-06-03T12:30:00Z");
    assert_eq!(
        told("express", moved, Some("2026-06-03T09:00:00Z"), "2026-06-03T12:30:00Z").unwrap(),
        "express does not leave at 2026-06-03 12:30Z any more"
    );
    assert_eq!(told("local", noon, None, "2026-06-03T09:00:00Z").unwrap(), "there is no train local any more");
}
