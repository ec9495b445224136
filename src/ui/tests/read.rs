//! Tests of the sentences for screen readers: plain words, one fact a line, and only what changed is announced.

use super::*;
use crate::ui::read::{Announcer, Line, lines};

fn texts(all: &[Line]) -> String {
    all.iter().fold(String::new(), |all, line| all + line.text.as_str() + "\n")
}

#[test]
fn every_screen_is_read_in_sentences_without_glyphs_or_columns() {
    for world in [fixture::world(), fixture::held(), fixture::lost_prom(), fixture::watched(DeedState::Effective)] {
        for screen in Screen::ALL {
            let all = lines(&world, &fixture::now(), screen, Some(&fixture::checkout()));
            assert!(all.len() > 1, "{}", screen.word());
            for line in &all {
                assert!(line.text.ends_with('.') && !line.text.contains('\n'), "{:?}", line.text);
                assert!(!line.text.contains("  "), "a column: {:?}", line.text);
                let glyph = |c: char| matches!(c, '\u{2190}'..='\u{2bff}') || c.is_control();
                assert!(!line.text.contains(glyph), "a glyph: {:?}", line.text);
            }
            let mut keys: Vec<_> = all.iter().map(|line| &line.key).collect();
            keys.sort();
            let before = keys.len();
            keys.dedup();
            assert_eq!(keys.len(), before, "{}: two facts with one key", screen.word());
        }
    }
}

#[test]
fn a_screen_tells_what_its_twin_shows() {
    let said = texts(&lines(&fixture::held(), &fixture::now(), Screen::Rollout, Some(&fixture::checkout())));
    for fact in [
        "Source prom is fresh, read 3s ago.",
        "The stable version is 2.4.1.",
        "The canary is given 20 per cent; measured 20 per cent of 312 requests.",
        "Held by cy, because errors: no step up, the way back stays open.",
        "Signal errors is worse: 27 of 1,281 in 2m on 2.5.0 canary (2.4.1 stable: 21 of 5,255), +1.7 points (0.9 to 2.5), limit 1 %.",
        "Alert CheckoutErrors fires since 14:01:50: checkout fails.",
    ] {
        assert!(said.contains(fact), "`{fact}` is not in\n{said}");
    }
    let said = texts(&lines(&fixture::lost_prom(), &fixture::now(), Screen::Board, None));
    assert!(said.contains("Source prom is unreachable") && said.contains("connection refused"), "{said}");
}

#[test]
fn only_changes_are_announced() {
    let mut announcer = Announcer::default();
    let of = |world: &World| lines(world, &fixture::now(), Screen::Rollout, Some(&fixture::checkout()));
    assert!(announcer.news(of(&fixture::world())).len() > 5);
    assert!(announcer.news(of(&fixture::world())).is_empty());
    let news = announcer.news(of(&fixture::held()));
    assert!(news.iter().any(|line| line.starts_with("Held by cy")), "{news:?}");
    let news = announcer.news(of(&fixture::world()));
    assert!(news.iter().any(|line| line.starts_with("No longer: Held by cy")), "{news:?}");
}

#[test]
fn screens_as_they_are_read() {
    let all = Screen::ALL.into_iter().fold(String::new(), |all, screen| {
        let read = texts(&lines(&fixture::world(), &fixture::now(), screen, Some(&fixture::checkout())));
        all + "## " + screen.word() + "\n" + &read
    });
    insta::assert_snapshot!("read", all);
}
