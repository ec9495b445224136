//! Windows and freezes on the real router: a freeze stops what goes forward and never the way back, and an unreadable calendar is no open door.

use super::place::{Pair, Place, Room, texts};

fn with(pair: &Pair, pool: &str, more: &str) -> Place {
    Room { more: more.to_owned(), ..pair.room(pool) }.place()
}

/// The rules by which a shift to 20 % is denied; empty when it is carried out.
fn denied(place: &Place) -> Vec<String> {
    let said = place.run(&["shift", "checkout@prod", "20", "--json"]);
    let deed = said.json();
    assert_eq!(said.code == Some(0), deed["state"] == "effective", "{said:?}");
    texts(&deed["reasons"], "rule")
}

#[test]
fn a_freeze_stops_what_goes_forward_and_never_the_way_back() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let frozen = "[[freeze]]\nname = \"now\"\nreason = \"nobody is here\"\nbegin = \"2020-01-01T00:00Z\"\nend = \"2099-01-01T00:00Z\"\n";
    let place = with(&pair, &pool, frozen);
    assert_eq!(denied(&place), ["freeze"]);
    let told = place.json(3, &["explain", "shift", "checkout@prod", "20"]);
    assert!(told["reasons"][0]["text"].as_str().unwrap().contains("nobody is here"), "{told}");
    assert_eq!(pair.weight(&pool), 0);
    place.run(&["hold", "checkout@prod"]).exits(0);
    place.run(&["resume", "checkout@prod"]).exits(0);
    place.run(&["shift", "checkout@prod", "0"]).exits(0);
    // Long over, it stops nothing.
    let before = "[[freeze]]\nname = \"then\"\nreason = \"over\"\nbegin = \"2020-01-01T00:00Z\"\nend = \"2020-01-02T00:00Z\"\n";
    assert!(denied(&with(&pair, &pool, before)).is_empty());
    assert!(pair.weight(&pool) > 0);
}

#[test]
fn outside_every_window_nothing_begins_and_explain_can_look_ahead() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let window = "[[window]]\nname = \"some-day\"\nbegin = \"2020-01-01T00:00Z\"\nend = \"2020-01-02T00:00Z\"\n";
    let place = with(&pair, &pool, window);
    assert_eq!(denied(&place), ["window"]);
    place.run(&["shift", "checkout@prod", "0"]).exits(0);
    let open = "[[window]]\nname = \"always\"\nfrom = \"00:00\"\nto = \"24:00\"\n";
    assert!(denied(&with(&pair, &pool, open)).is_empty());
}

#[test]
fn a_calendar_file_freezes_and_one_that_cannot_be_read_is_not_believed() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let freeze =
        |file: &str| format!("[[freeze]]\nname = \"company\"\nreason = \"see the calendar\"\ncalendar = \"{file}\"\nevery = \"10s\"\n");
    let home = Place::bare();
    let event = |begin: &str, end: &str| {
        let event = format!(
            "BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20200101T000000Z\r\nDTSTART:{begin}\r\nDTEND:{end}\r\nSUMMARY:freeze\r\nEND:VEVENT\r\n"
        );
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{event}END:VCALENDAR\r\n")
    };
    let now = home.write("now.ics", &event("20200101T000000Z", "20990101T000000Z"));
    let then = home.write("then.ics", &event("20200101T000000Z", "20200102T000000Z"));
    let broken = home.write("broken.ics", "no calendar at all\r\n");
    assert_eq!(denied(&with(&pair, &pool, &freeze(now.to_str().unwrap()))), ["freeze"]);
    for file in [broken.to_str().unwrap(), "/nowhere/at-all.ics"] {
        assert_eq!(denied(&with(&pair, &pool, &freeze(file))), ["calendar"], "{file}");
    }
    assert_eq!(pair.weight(&pool), 0);
    assert!(denied(&with(&pair, &pool, &freeze(then.to_str().unwrap()))).is_empty());
}
