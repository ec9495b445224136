//! Any size, any keys: no row is over its width, and nothing panics.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_row_is_over_its_width_and_nothing_panics(width in 80_u16..=200, height in 24_u16..=60, keys in proptest::collection::vec(0..14_usize, 0..12)) {
        let all = ["j", "k", "<pagedown>", "G", "?", "i", "3", "5", "2", "0", "1", "s", "h", "<esc>"];
        let mut desk = at(fixture::lost_prom(), Theme::ascii(), (width, height));
        for key in keys {
            desk.press(all[key]);
        }
        let text = desk.text();
        prop_assert!(text.lines().all(|line| crate::ui::row::cells(line) <= usize::from(width)));
        prop_assert_eq!(text.lines().count(), usize::from(height));
    }
}

#[test]
fn odd_sizes_do_not_panic() {
    for size in [(1, 1), (2, 1), (1, 3), (10, 4), (31, 6), (79, 23), (1000, 1000)] {
        let mut desk = at(fixture::world(), Theme::standard(), size);
        desk.press("j R <esc> ? <esc> 3 5 2 0 i");
        desk.session.on(Input::Resize(80, 24), &desk.world, &desk.now);
        assert!(!desk.look().is_empty());
    }
    let mut desk = standard();
    desk.session.on(Input::Paste("R\r\n".to_owned()), &desk.world, &desk.now);
    desk.sees("pasted text is no key");
    let _ = Chord::plain(Key::Enter);
}
