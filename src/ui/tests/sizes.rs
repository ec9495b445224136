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

/// Words of scripts that terminals draw each in their own way: two cells wide, combining, joined, from right to left, and of no width.
const WORDS: [&str; 9] =
    ["結帳服務", "e\u{301}e\u{301}\u{301}", "שירות-תשלום", "👩\u{200d}💻🇩🇪", "ไม่มีข้อมูล", "ｆｕｌｌ", "नमस्ते", "a\u{202e}b\u{200b}", "한국어"];

/// Everything that a backend names in the fixture is called this.
fn named(words: &str) -> World {
    let mut world = fixture::world();
    let text = crate::model::text::Text::clean(words);
    let targets: Vec<_> = world.targets.keys().cloned().collect();
    for target in targets {
        let mut view = (**world.target(&target).unwrap()).clone();
        for alert in &mut view.alerts {
            let mut renamed = (**alert).clone();
            (renamed.name, renamed.severity) = (text.clone(), text.clone());
            *alert = std::sync::Arc::new(renamed);
        }
        world.targets.insert_mut(target, std::sync::Arc::new(view));
    }
    world.config_trouble = Some(text.clone());
    world.journal_trouble = Some(text);
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn names_of_any_script_keep_every_row_within_its_width(
        width in 80_u16..=300, height in 24_u16..=100, words in proptest::collection::vec(0..WORDS.len(), 1..30), keys in proptest::collection::vec(0..9_usize, 0..6),
    ) {
        let words: Vec<&str> = words.into_iter().map(|word| WORDS[word]).collect();
        let mut desk = at(named(&words.join(" ")), Theme::standard(), (width, height));
        for key in keys {
            desk.press(["j", "3", "5", "2", "1", "i", "?", "<esc>", "R"][key]);
        }
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        desk.session.draw(&desk.world, &desk.now, &mut buffer);
        for row in buffer.content.chunks(usize::from(width)) {
            // No character stands in a cell that a wide one before it takes, and none reaches over the edge.
            let mut taken = 0;
            for (x, cell) in row.iter().enumerate() {
                let wide = crate::ui::row::cells(cell.symbol());
                prop_assert!(x >= taken || cell.symbol() == " ", "{} stands under another", cell.symbol());
                prop_assert!(x + wide <= row.len(), "{} reaches over the edge", cell.symbol());
                taken = taken.max(x + wide);
            }
        }
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
