//! Over a line: a plan counts keys once the terminal has answered for its frame.

use super::*;
use crate::ui::line::End;

fn over(end: End) -> Desk {
    let mut desk = standard();
    let session = std::mem::replace(&mut desk.session, standard().session);
    desk.session = session.over_line_to(end);
    desk.session.line_at(desk.now.boot);
    desk
}

impl Desk {
    /// Draws, and sends a question where one goes with the frame.
    fn sends(&mut self) -> bool {
        self.look();
        self.session.asks()
    }

    fn later(&mut self, ms: u64) -> &mut Self {
        self.now = self.now.plus(Duration::from_millis(ms));
        self.session.line_at(self.now.boot);
        self
    }
}

#[test]
fn a_plan_is_armed_once_the_terminal_answered_for_its_frame() {
    let mut desk = over(End::Terminal);
    assert!(desk.sends());
    desk.later(400);
    assert!(!desk.session.terminal_answered());
    desk.blind("h");
    assert!(desk.sends(), "a plan waits for the answer, whenever it was asked last");
    desk.sees("line 0.4s");
    desk.later(1_500).blind("<ret>").blind("x");
    assert_eq!(desk.executed().len(), 0, "nobody can have read it yet");
    desk.sees("2 keys typed before this was seen: dropped");
    desk.sees("Enter not yet");
    assert!(desk.session.terminal_answered(), "its keys count from now on, and that is drawn");
    desk.sees("Enter RUN hold checkout@prod");
    desk.blind("<ret>");
    assert_eq!(desk.executed().len(), 1);
    assert_eq!(desk.executed()[0].intent.reason.as_str(), "", "what was dropped is in no field");
}

#[test]
fn an_answer_to_an_earlier_frame_arms_nothing() {
    let mut desk = over(End::Terminal);
    assert!(desk.sends());
    desk.later(900).blind("h");
    assert!(!desk.sends(), "one question is under way");
    assert!(desk.session.terminal_answered(), "the frame of the plan was not answered for yet");
    desk.blind("<ret>");
    assert_eq!(desk.executed().len(), 0);
    assert!(desk.session.asks());
    desk.later(900).session.terminal_answered();
    desk.blind("<ret>");
    assert_eq!(desk.executed().len(), 1);
}

#[test]
fn a_plan_that_is_left_takes_its_question_with_it() {
    let mut desk = over(End::Terminal);
    desk.blind("h");
    assert!(desk.sends());
    desk.blind("<esc>").blind("R");
    assert!(!desk.sends());
    // The answer is for the plan that was left.
    assert!(desk.later(300).session.terminal_answered());
    desk.blind("<ret>");
    assert_eq!(desk.executed().len(), 0);
}

#[test]
fn where_nobody_answers_a_second_without_keys_arms() {
    for end in [End::Multiplexer, End::Terminal] {
        let mut desk = over(end);
        assert_eq!(desk.sends(), end == End::Terminal);
        desk.later(3_000).look();
        desk.sees("line unknown");
        desk.blind("h").look();
        desk.later(900).blind("<ret>").later(900).blind("<ret>");
        assert_eq!(desk.executed().len(), 0, "each key begins the second anew");
        desk.sees("2 keys typed before this was seen: dropped");
        desk.sees("Enter not yet");
        desk.later(1_000).look();
        desk.sees("Enter RUN hold checkout@prod");
        desk.blind("<ret>");
        assert_eq!(desk.executed().len(), 1);
    }
}

#[test]
fn typed_ahead_in_one_burst_nothing_is_run_however_long_it_lay_on_the_way() {
    let mut desk = over(End::Multiplexer);
    desk.look();
    desk.later(60_000);
    for key in ["h", "<ret>", "<ret>", "<ret>"] {
        desk.blind(key);
    }
    assert_eq!(desk.executed().len(), 0);
}

#[test]
fn over_a_slow_line_remainders_tick_in_tens() {
    let mut desk = over(End::Terminal);
    let ticks = |desk: &mut Desk| {
        desk.press("h");
        let seen = (0..10).map(|_| {
            desk.later(1_000);
            let text = desk.text();
            let (_, end) = text.split_once("good until").expect("a plan has an end");
            end.split(['(', ')']).nth(1).unwrap().to_owned()
        });
        let seen: std::collections::BTreeSet<String> = seen.collect();
        desk.press("<esc>");
        seen.len()
    };
    assert_eq!(ticks(&mut desk), 10);
    assert!(desk.sends());
    desk.later(2_300).session.terminal_answered();
    desk.sees("line 2.3s");
    assert!(ticks(&mut desk) <= 2);
}

#[test]
fn what_newly_needs_a_person_is_told_once_where_that_is_wished() {
    let mut desk = standard();
    let quiet = desk.world.clone();
    let call = |desk: &mut Desk| String::from_utf8(desk.session.call(&desk.world, &desk.now)).unwrap();
    desk.world = fixture::lost_prom();
    assert_eq!(call(&mut desk), "", "nothing is told unless it is wished");
    let wish = |world: &World| {
        let mut world = world.clone();
        let mut catalog = (*world.catalog).clone();
        (catalog.room.bell, catalog.room.notify, catalog.room.title) = (true, true, true);
        catalog.room.name = "sh\u{7}\u{1b}]0;op".to_owned();
        world.catalog = catalog.into();
        world
    };
    let (quiet, lost) = (wish(&quiet), wish(&desk.world));
    desk.world = quiet.clone();
    let rows = |text: &str| text.split(": ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
    let first = call(&mut desk);
    assert!(first.starts_with("\u{1b}]2;gonogo sh]0;op: ") && first.ends_with("\u{1b}\\") && !first.contains('\u{7}'), "{first:?}");
    assert_eq!(call(&mut desk), "", "nothing changed");
    desk.world = lost;
    let second = call(&mut desk);
    let count = rows(&second).unwrap();
    assert!(Some(count) > rows(&first), "{second:?}");
    let said = format!("gonogo sh]0;op: {count} need you");
    assert_eq!(second, format!("\u{7}\u{1b}]9;{said}\u{1b}\\\u{1b}]2;{said}\u{1b}\\"));
    assert_eq!(call(&mut desk), "");
    desk.world = quiet;
    assert!(!call(&mut desk).starts_with('\u{7}'), "what goes away rings no bell");
}
