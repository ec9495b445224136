//! `B` on a plan that may not be carried out, and what every screen then says.

use super::*;
use crate::model::review::{Cause, Review};
use crate::model::text::Text;

/// Denies what does not break the glass.
fn only_broken(world: &World, plan: &Plan, now: &Moment) -> Verdict {
    if plan.order.break_glass.is_some() { yes(world, plan, now) } else { no(world, plan, now) }
}

fn denied() -> Desk {
    let mut desk = standard();
    let options = SessionOptions {
        theme: Theme::standard(),
        keymap: Keymap::default(),
        size: (80, 24),
        nonce: Box::new(|| "n".to_owned()),
        screen: Screen::Board,
        target: None,
    };
    desk.session = Session::new(options).governed(fixture::plan, only_broken);
    desk.look();
    desk
}

impl Desk {
    fn paste(&mut self, text: &str) -> &mut Self {
        self.acts.extend(self.session.on(Input::Paste(text.to_owned()), &self.world, &self.now));
        self.look();
        self
    }
}

#[test]
fn b_asks_for_a_reason_and_a_time_box_and_shows_the_plan_anew() {
    let mut desk = denied();
    desk.press("R").sees("B break glass");
    desk.press("B").sees("BREAK GLASS rollback checkout@prod: ");
    desk.paste("too short").press("<ret>").sees("10 characters or more");
    desk.paste(" to wait for 5h").press("<ret>").sees("for 1m to 4h");
    desk.press("<backspace> <backspace>").paste("30m").press("<ret>").sees("PLAN ");
    assert!(desk.executed().is_empty(), "the plan is looked at first");
    desk.press("<ret>");
    let plan = desk.executed()[0];
    assert_eq!(plan.intent.args.break_glass, Some(Duration::from_mins(30)));
    assert_eq!(plan.intent.reason.as_str(), "too short to wait");
}

#[test]
fn b_is_a_letter_where_something_is_typed_already() {
    let mut desk = denied();
    desk.press("R x B <ret>").sees("denied: nothing was sent");
    let permitted = &mut standard();
    permitted.press("R B").sees("RUN rollback");
    assert!(!permitted.text().contains("BREAK GLASS"), "{}", permitted.text());
}

#[test]
fn every_screen_says_who_broke_the_glass_until_its_box_ends() {
    let mut world = fixture::held();
    let now = fixture::now();
    let until = now.wall + chrono::TimeDelta::minutes(15);
    let intent = crate::model::intent::Intent {
        verb: Verb::Promote,
        target: fixture::checkout(),
        args: crate::model::intent::Arguments::default(),
        requester: world.actor.clone(),
        reason: Text::empty(),
    };
    let review = Review {
        plan: fixture::plan(&world, intent, &now, "b").unwrap().id,
        target: fixture::checkout(),
        verb: Verb::Promote,
        by: "dee".to_owned(),
        reason: Text::clean("nothing is sold"),
        cause: Cause::BreakGlass { until, waived: Vec::new() },
        at: now.wall,
        within: Duration::from_hours(1),
        due: Some(now.wall + chrono::TimeDelta::hours(1)),
        closed: None,
        trouble: None,
    };
    world.reviews = std::sync::Arc::new(vec![review]);
    let later = |minutes: u64| Moment { wall: now.wall + chrono::TimeDelta::minutes(i64::try_from(minutes).unwrap()), ..now };
    for screen in [Screen::Board, Screen::Pipeline, Screen::Rollout, Screen::Incident, Screen::Ledger] {
        let drawn = |at: &Moment| render::text(&world, at, screen, Some(&fixture::checkout()), (120, 40), &Theme::standard());
        assert!(drawn(&now).contains("BREAK GLASS by dee: promote checkout@prod until "), "{}", drawn(&now));
        let over = drawn(&later(15));
        assert!(!over.contains("BREAK GLASS") && !over.contains("overdue"), "{over}");
        assert!(drawn(&later(60)).contains("a review is overdue: promote checkout@prod by dee"), "{}", drawn(&later(60)));
    }
}
