//! Advice on the strategy of targets of the simulated train: of what is measured there, and on the screen where no rollout is under way.

use gonogo::config::scenario::Scenario;
use gonogo::control::advice::advice;
use gonogo::policy::advice::{Advice, Advised, Facts};
use gonogo::ui::render;
use gonogo::ui::screen::Screen;
use gonogo::ui::theme::Theme;

use super::{Room, Stage};

fn of(room: &Room, target: &str) -> (Facts, Advice) {
    advice(room.world(), &target.parse().unwrap(), &room.now()).unwrap()
}

fn screen(room: &Room, target: &str, size: (u16, u16)) -> String {
    render::text(room.world(), &room.now(), Screen::Rollout, Some(&target.parse().unwrap()), size, &Theme::default())
}

#[tokio::test]
async fn a_quiet_day_is_advised_on_by_its_traffic_and_what_is_said_of_state() {
    let stage = Stage::of(Scenario::named("calm").unwrap(), 3);
    let mut room = stage.open().await;
    room.seconds(30).await;
    let (facts, checkout) = of(&room, "checkout@prod");
    let rate = facts.rate.unwrap();
    assert!((50.0..70.0).contains(&rate), "60 requests a second: {rate}");
    assert_eq!((checkout.choice.strategy, checkout.choice.asks), (Advised::Canary, true), "never seen to go back: {checkout:?}");
    let first = checkout.choice.first.unwrap();
    assert!(first.get() > 5 && facts.tells(first).unwrap() <= 900.0, "{checkout:?}");
    assert!(checkout.reasons[0].starts_with("at 5 % it shows ") && checkout.reasons[0].contains(" would need "), "{checkout:?}");
    assert!(checkout.unknown.iter().any(|what| what.contains("going back works")), "{checkout:?}");
    assert!(checkout.turns.iter().any(|turn| turn.when.contains("requests an hour (5 % tells within 30 s)")), "{checkout:?}");
    let (_, ledger) = of(&room, "ledger@prod");
    assert_eq!(ledger.choice.strategy, Advised::Person, "{ledger:?}");
    assert!(ledger.reasons[0].starts_with("it keeps state"), "{ledger:?}");
    let (_, mail) = of(&room, "mail@prod");
    assert!(mail.unknown.iter().any(|what| what.starts_with("whether it keeps state")), "{mail:?}");
    for size in [(80, 24), (120, 40)] {
        let text = screen(&room, "checkout@prod", size);
        assert!(text.contains(&format!("advised: canary, first step {first} %, begun when a person says so")), "{text}");
        assert!(screen(&room, "ledger@prod", size).contains("advised: not by itself: a person must watch"));
    }
    let text = screen(&room, "checkout@prod", (120, 40));
    assert!(text.contains("to tell") && text.contains("5 % would take "), "{text}");
}

#[tokio::test]
async fn monitoring_that_died_leaves_it_to_a_person() {
    let stage = Stage::of(Scenario::named("broken-backend").unwrap(), 3);
    let mut room = stage.open().await;
    room.seconds(20).await;
    let (_, before) = of(&room, "web@prod");
    assert_eq!(before.choice.strategy, Advised::Canary, "{before:?}");
    // Monitoring is refused from 60 s on.
    room.seconds(80).await;
    let (facts, after) = of(&room, "web@prod");
    assert_eq!(after.choice.strategy, Advised::Person, "{after:?}");
    assert!(facts.measures.iter().all(|measure| measure.usual.is_none()) && !after.unknown.is_empty(), "{after:?}");
}
