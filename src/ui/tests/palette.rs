//! The palette as keystrokes: what is found, what is chosen, and that nothing is done by choosing alone.

use super::*;

fn typed(desk: &mut Desk, text: &str) {
    let keys: Vec<String> = text.chars().map(|c| if c == ' ' { "space".to_owned() } else { c.to_string() }).collect();
    desk.press(&keys.join(" "));
}

#[test]
fn it_shows_what_can_be_done_with_its_key_and_why_the_rest_cannot() {
    for size in [(80, 24), (120, 40)] {
        let mut desk = at(fixture::world(), Theme::standard(), size);
        desk.press(":");
        desk.sees("all traffic back to the last proven version");
        desk.sees("not now: nothing holds it");
        insta::assert_snapshot!(format!("palette-{}x{}", size.0, size.1), desk.text());
        typed(&mut desk, "hold check");
        let text = desk.text();
        let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{text}"));
        assert!(at("hold checkout@prod") < at("hold checkout@staging"), "production stands first");
        insta::assert_snapshot!(format!("palette-typed-{}x{}", size.0, size.1), desk.text());
    }
}

#[test]
fn a_verb_and_a_service_that_were_typed_open_the_plan_and_do_nothing_more() {
    let mut desk = standard();
    desk.press(":");
    typed(&mut desk, "hold che");
    desk.press("<ret>").sees("HOLD checkout@prod");
    assert!(desk.executed().is_empty(), "a choice opens a plan, and Enter on the plan runs it");
    desk.press("<ret>");
    assert_eq!(desk.executed()[0].intent.verb, Verb::Hold);
}

#[test]
fn what_cannot_be_done_there_is_refused_in_the_words_of_its_row() {
    let mut desk = standard();
    desk.press(":");
    typed(&mut desk, "resume checkout");
    desk.press("<ret>").sees("no resume checkout@prod: nothing holds it");
    assert!(desk.acts.is_empty() && !desk.text().contains("PLAN"), "{}", desk.text());
}

#[test]
fn a_service_is_gone_to_and_a_screen_too() {
    let mut desk = standard();
    desk.press(":");
    typed(&mut desk, "ledger@p");
    desk.press("<ret>");
    assert_eq!((desk.session.screen(), desk.session.target().unwrap().to_string()), (Screen::Rollout, "ledger@prod".to_owned()));
    desk.press(":");
    typed(&mut desk, "changes screen");
    desk.press("<ret>");
    assert_eq!(desk.session.screen(), Screen::Changes);
}

#[test]
fn the_arrows_choose_and_typing_begins_anew_from_the_first() {
    let mut desk = standard();
    desk.press(": <down> <down> <up>");
    let second = desk.text().lines().find(|line| line.starts_with('▌')).unwrap().to_owned();
    assert!(second.contains("abort"), "{second}");
    typed(&mut desk, "board");
    let first = desk.text().lines().find(|line| line.starts_with('▌')).unwrap().to_owned();
    assert!(first.contains("board screen"), "{first}");
    desk.press("<esc>");
    assert!(!desk.text().contains("leaves"), "it is gone");
}

#[test]
fn looks_are_changed_for_the_session_and_drawn_anew() {
    let mut desk = standard();
    desk.press(":");
    typed(&mut desk, "theme asc");
    desk.press("<ret>");
    assert_eq!(desk.acts, [Act::Redraw]);
    assert!(desk.text().is_ascii(), "{}", desk.text());
}

#[test]
fn nothing_found_says_what_can_be_looked_for() {
    let mut desk = standard();
    desk.press(":");
    typed(&mut desk, "zzzzqq");
    desk.sees("nothing is called so");
    desk.press("<ret>").sees("nothing is called so");
    assert!(desk.acts.is_empty());
}

#[test]
fn a_past_deed_is_found_by_its_digits_and_marked_in_the_ledger() {
    let mut desk = at(fixture::watched(DeedState::Effective), Theme::standard(), (80, 24));
    let plan = desk.world.newest_deeds().first().map(|deed| deed.plan).unwrap();
    desk.press(":");
    typed(&mut desk, &plan.short());
    desk.sees("a past deed by");
    desk.press("<ret>");
    assert_eq!(desk.session.screen(), Screen::Ledger);
}
