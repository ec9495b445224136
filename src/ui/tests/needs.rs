//! What needs a person: told on every screen, and a key beside it is one that acts on it.

use super::*;

fn row(desk: &Desk, has: &str) -> String {
    desk.text().lines().find(|line| line.contains(has)).unwrap_or_else(|| panic!("no `{has}` in\n{}", desk.text())).to_owned()
}

#[test]
fn a_key_stands_beside_what_the_cursor_is_on_and_tab_goes_to_the_rest() {
    let mut desk = standard();
    desk.press("end");
    assert!(!desk.text().contains("R roll back"), "of another target\n{}", desk.text());
    desk.sees("Tab to it");
    desk.press("tab").sees("R roll back");
    assert_eq!(desk.session.target().unwrap().to_string(), "checkout@prod");
    desk.press("R").sees("PLAN");
    desk.press("<esc> end backtab").sees("R roll back");
    assert_eq!(desk.session.target().unwrap().to_string(), "checkout@prod", "from either side");
}

#[test]
fn every_other_screen_says_what_needs_a_person_elsewhere() {
    let mut desk = at(fixture::world(), Theme::standard(), (120, 40));
    for screen in ["4", "6", "0"] {
        desk.press(screen);
        assert!(row(&desk, "needs you").contains("1 needs you: checkout@prod"), "{screen}\n{}", desk.text());
    }
    desk.press("1 end 5");
    assert!(row(&desk, "needs you").contains("1 needs you: checkout@prod"), "{}", desk.text());
    desk.press("1 tab 5");
    assert!(!desk.text().contains("needs you"), "the target of the screen is not told twice\n{}", desk.text());
    desk.press("1");
    assert!(!row(&desk, "ages:").contains("need"), "the board says it in full\n{}", desk.text());
}

#[test]
fn why_a_receiver_refuses_stands_on_the_board_however_long_it_is() {
    use crate::model::outbox::{Parked, Progress};
    use crate::model::text::Text;

    let why = Text::clean(&format!("failed to announce at audit: answered 422: {}", "no ".repeat(200)));
    let mut world = fixture::world();
    let parked = Parked { seq: 1, kind: "intent".to_owned(), target: None, at: fixture::at("14:00:00"), why: why.clone(), again: false };
    let audit = Progress {
        name: "audit".parse().unwrap(),
        behind: 1,
        delivered: None,
        tries: 3,
        trouble: Some(why),
        again_at: None,
        parked: vec![parked],
    };
    let chat = Progress { name: "chat".parse().unwrap(), parked: Vec::new(), ..audit.clone() };
    world.ledger.receivers = vec![audit, chat];
    let desk = at(world, Theme::standard(), (120, 40));
    assert!(row(&desk, "receiver audit").contains("1 notice refused: failed to announce at audit: answered 422: no no"), "{}", desk.text());
    assert!(row(&desk, "receiver chat").contains("not reached: failed to announce at audit: answered 422: no no"), "{}", desk.text());
}
