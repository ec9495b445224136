//! The past on the glass: a scrubber on line 2, PAST at both ends of line 1, no deed, and what needs a person now.

use std::sync::Arc;

use super::super::session::Journey;
use super::*;
use crate::control::replay::traveller::{Ask, Shown, Way};
use crate::control::replay::when::When;
use crate::model::scrub::{Mark, Scrub};
use crate::model::text::Text;

/// The fixture's world as one that was, an hour ago.
pub(super) fn then(has_now: bool) -> Shown {
    let mut now = fixture::before(252);
    now.wall = fixture::at("13:59:10");
    let at = fixture::at;
    let marks = [("13:41:00", true), ("13:50:00", false), ("14:02:50", true)];
    let scrub = Scrub {
        from: at("13:30:00"),
        to: at("14:03:20"),
        at: now,
        says: Text::clean("shift SENT"),
        marks: marks.map(|(time, is_deed)| Mark { at: at(time), is_deed }).into(),
        speed: 10,
        plays: false,
        known_since: None,
        has_now,
    };
    Shown { world: Arc::new(World { scrub: Some(Arc::new(scrub)), generation: 9, ..fixture::world() }), now }
}

fn past(size: (u16, u16), theme: Theme) -> Desk {
    let mut desk = at(fixture::world(), theme, size);
    desk.session.show_past(then(true));
    desk.look();
    desk
}

#[test]
fn the_past_is_drawn_as_such_at_every_size() {
    for (size, name) in [((80, 24), "80x24"), ((120, 40), "120x40"), ((200, 60), "200x60")] {
        let mut desk = past(size, Theme::standard());
        insta::assert_snapshot!(format!("past-board-{name}"), desk.text());
        desk.press("3");
        insta::assert_snapshot!(format!("past-rollout-{name}"), desk.text());
        assert!(desk.text().lines().all(|line| crate::ui::row::cells(line) <= usize::from(size.0)));
    }
    let desk = past((80, 24), Theme::ascii());
    let text = desk.text();
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("past-board-80x24-ascii", text);
}

#[test]
fn line_1_says_past_at_both_ends_and_what_needs_a_person_now() {
    for width in [80, 120] {
        let mut desk = past((width, 24), Theme::standard());
        let line = desk.text().lines().next().unwrap().to_owned();
        assert_eq!(line.matches("PAST 13:59:10Z").count(), 2, "{line}");
        assert!(line.contains("NOW: 1 needs you"), "{line}");
        desk.press("3");
        let line = desk.text().lines().next().unwrap().to_owned();
        assert!(line.contains("checkout@prod") && line.matches("PAST 13:59:10Z").count() == 2, "{line}");
        desk.world = fixture::lost_prom();
        desk.world.generation += 1;
        assert!(desk.text().contains("need you"), "the room of now goes on");
    }
}

#[test]
fn no_deed_key_is_bound_and_each_says_why() {
    let mut desk = past((80, 24), Theme::standard());
    assert!(desk.text().contains("nobody has it") && !desk.text().contains("R roll back"), "{}", desk.text());
    for key in ["R", "A", "s", "p", "h", "H", "n", "a", "x", "w", "e", "T", "P", "S", "C", "r", "o", "D", "U", "F"] {
        desk.press(key).sees("this is the past, 13:59:10Z");
        assert!(!desk.text().contains("PLAN"), "{key}");
    }
    desk.press(": r o l l b a c k <ret>");
    assert!(!desk.text().contains("PLAN") && desk.acts.is_empty(), "{:?}", desk.acts);
}

#[test]
fn its_keys_move_in_time_and_escape_leads_back_to_now() {
    let mut desk = past((80, 24), Theme::standard());
    desk.press(", . { } | > < ( )");
    let asked: Vec<Ask> =
        desk.acts.drain(..).map(|act| if let Act::Past(Journey::Ask(ask)) = act { ask } else { panic!("{act:?}") }).collect();
    let (back, on) = (Way::Back, Way::On);
    let steps = [Ask::Step(back), Ask::Step(on), Ask::Jump(back), Ask::Jump(on)];
    assert_eq!(asked[..4], steps);
    assert_eq!(asked[4..], [Ask::Play, Ask::Speed(on), Ask::Speed(back), Ask::Oldest, Ask::Newest]);
    desk.press("@ 1 2 <ret>").sees("`12` is no moment");
    desk.press(": 0 0 <ret>");
    assert_eq!(desk.acts.pop(), Some(Act::Past(Journey::Ask(Ask::To(When::Clock("12:00:00".parse().unwrap()))))));
    desk.press("? <esc>").sees("PAST");
    assert!(desk.acts.is_empty(), "Escape closes help first");
    for key in ["<esc>", "t"] {
        desk.press(key);
        assert_eq!(desk.acts.pop(), Some(Act::Past(Journey::Leave)), "{key}");
    }
    desk.session.leave_past();
    desk.press("t").sees("14:03:22Z");
    assert_eq!(desk.acts.pop(), Some(Act::Past(Journey::Open)));
    // What is pressed meanwhile may be meant for the past: nothing of now takes it.
    desk.press("h").sees("still reading the journal, h was dropped; Esc stays in the now");
    assert!(desk.acts.is_empty() && !desk.text().contains("PLAN"), "{:?}", desk.acts);
    desk.press("<esc>").sees("this is now");
    assert_eq!(desk.acts.pop(), Some(Act::Past(Journey::Leave)));
    desk.press(",").sees("it works in the past alone; go there first");
}

#[test]
fn a_recording_has_no_now_to_go_back_to() {
    let mut desk = at(fixture::world(), Theme::standard(), (80, 24));
    desk.session.show_past(then(false));
    desk.press("<esc> t").sees("there is no room of now behind a recording; q ends");
    assert!(desk.acts.is_empty() && !desk.text().contains("NOW:"), "{:?}", desk.acts);
    desk.press("R").sees("only looked at");
    desk.press("q");
    assert_eq!(desk.acts.pop(), Some(Act::Quit));
}
