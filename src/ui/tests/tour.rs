//! Tests of the tour: it goes on by what is done, is skipped by a key, left by another, and takes no key that means something.

use super::*;

fn toured(size: (u16, u16)) -> Desk {
    let mut desk = at(fixture::world(), Theme::standard(), size);
    let nonce = Box::new(|| "n".to_owned());
    let options = SessionOptions { theme: Theme::standard(), keymap: Keymap::default(), size, nonce, screen: Screen::Board, target: None };
    desk.session = Session::new(options).governed(fixture::plan, yes).touring();
    desk.look();
    desk
}

#[test]
fn each_step_is_done_by_doing_it() {
    let mut desk = toured((80, 24));
    desk.sees("tour, step 1 of 5");
    desk.press("<ret>").sees("tour, step 2 of 5");
    desk.press("z").sees("tour, step 3 of 5");
    desk.press("R").sees("tour, step 4 of 5");
    assert!(desk.executed().is_empty());
    desk.press("<esc> 5").sees("tour, step 5 of 5");
    desk.press("?").sees("the tour is over");
    assert!(!desk.text().contains("tour, step"), "{}", desk.text());
}

#[test]
fn it_can_be_skipped_and_left_at_any_time() {
    let mut desk = toured((80, 24));
    desk.press("<space> <space>").sees("tour, step 3 of 5");
    desk.press("<backspace>").sees("the tour is over");
    desk.press("down");
    assert!(!desk.text().contains("tour"), "{}", desk.text());
    let mut desk = toured((80, 24));
    desk.press("<space> <space> <space> <space> <space>").sees("the tour is over");
}

#[test]
fn what_is_typed_is_not_taken_by_it() {
    let mut desk = toured((80, 24));
    desk.press("n a <space> b <backspace> c").sees("note on checkout@prod");
    desk.sees("a c");
    desk.sees("tour, step 1 of 5");
}

#[test]
fn the_tour_as_it_looks() {
    for size in [(80, 24), (120, 40)] {
        let mut desk = toured(size);
        insta::assert_snapshot!(format!("tour-{}x{}", size.0, size.1), desk.text());
        desk.press("<ret> <space>");
        insta::assert_snapshot!(format!("tour-plan-{}x{}", size.0, size.1), desk.text());
    }
}
