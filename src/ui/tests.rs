//! Tests of the glass as a whole: what is on it, what travels, what keys do.

mod answered;
mod authors;
mod broken;
mod budget;
mod calendar;
mod captains;
mod changes;
mod charts;
mod flags;
mod help;
mod ledger;
mod links;
mod looks;
mod many;
mod map;
mod mouse;
mod needs;
mod one_world;
mod pack;
mod palette;
mod past;
mod pipeline;
mod read;
mod roles;
mod rollouts;
mod rules;
mod schedule;
mod scheduled;
mod sequences;
mod silences;
mod sizes;
mod slots;
mod tasks;
mod testers;
mod themes;
mod tour;
mod uncounted;
mod workloads;

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::glass::Glass;
use super::input::{Chord, Input, Key};
use super::keymap::Keymap;
use super::screen::Screen;
use super::session::{Act, Session, SessionOptions};
use super::theme::Theme;
use super::{fixture, render};
use crate::control::world::World;
use crate::model::deed::{DeedState, Permit};
use crate::model::intent::Verb;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;

fn yes(_: &World, plan: &Plan, _: &Moment) -> Verdict {
    Verdict::Permit(Permit::grant(plan.id))
}

fn no(_: &World, _: &Plan, _: &Moment) -> Verdict {
    Verdict::Deny(vec![Reason::new("role", "ana is no release captain in prod", "ask dee for the role")])
}

/// A session that is driven by keys and looked at as text.
struct Desk {
    session: Session,
    glass: Glass,
    world: World,
    now: Moment,
    acts: Vec<Act>,
}

fn at(world: World, theme: Theme, size: (u16, u16)) -> Desk {
    let mut n = 0;
    let nonce = Box::new(move || {
        n += 1;
        n.to_string()
    });
    let options = SessionOptions { theme, keymap: Keymap::default(), size, nonce, screen: Screen::Board, target: None };
    let session = Session::new(options).governed(fixture::plan, yes);
    let mut desk = Desk { session, glass: Glass::new(size.0, size.1), world, now: fixture::now(), acts: Vec::new() };
    desk.look();
    desk
}

impl Desk {
    /// Draws; the number of bytes that travel.
    fn look(&mut self) -> Vec<u8> {
        self.glass.frame(&self.session, &self.world, &self.now).map(<[u8]>::to_vec).unwrap_or_default()
    }

    /// Presses keys, drawing after each.
    fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            self.blind(key);
            self.look();
        }
        self
    }

    /// Presses one key and does not look.
    fn blind(&mut self, key: &str) -> &mut Self {
        self.acts.extend(self.session.on(Input::Key(key.parse().unwrap()), &self.world, &self.now));
        self
    }

    fn text(&self) -> String {
        let (width, height) = self.session.size();
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.session.draw(&self.world, &self.now, &mut buffer);
        render::of_buffer(&buffer)
    }

    fn sees(&self, words: &str) {
        let text = self.text();
        assert!(text.contains(words), "`{words}` is not on the glass:\n{text}");
    }

    fn executed(&self) -> Vec<&Plan> {
        self.acts.iter().filter_map(|act| if let Act::Execute(plan) = act { Some(&**plan) } else { None }).collect()
    }
}

fn standard() -> Desk {
    at(fixture::world(), Theme::standard(), (80, 24))
}

#[test]
fn a_shift_back_is_ordered_once_however_often_enter_is_pressed() {
    let mut desk = standard();
    desk.press("s 0 <ret>").sees("PLAN");
    desk.press("o o p s <ret> <ret> <ret>");
    let plans = desk.executed();
    assert_eq!(plans.len(), 1);
    assert_eq!(
        (plans[0].intent.verb, plans[0].intent.args.percent.unwrap().get(), plans[0].intent.reason.as_str()),
        (Verb::Shift, 0, "oops")
    );
}

#[test]
fn hold_opens_its_plan_and_enter_alone_runs_it() {
    let mut desk = standard();
    desk.press("h").sees("HOLD checkout@prod");
    desk.press("<ret>");
    assert_eq!(desk.executed().len(), 1);
}

#[test]
fn a_key_pressed_before_the_plan_was_seen_is_dropped_and_counted() {
    let mut desk = standard();
    desk.blind("h").blind("<ret>").blind("<ret>");
    assert!(desk.executed().is_empty());
    desk.look();
    desk.sees("2 keys typed before this was seen: dropped");
    desk.press("<ret>");
    assert_eq!(desk.executed().len(), 1);
}

#[test]
fn a_forward_deed_asks_for_the_target_in_full() {
    let mut desk = standard();
    desk.press("s 5 0 <ret> <ret> <ret>").sees("type checkout@prod");
    assert!(desk.executed().is_empty());
    desk.press("c h e c k o u t @ p r o d <ret>");
    assert_eq!(desk.executed().len(), 1);
}

#[test]
fn a_denied_plan_says_every_reason_and_runs_nothing() {
    let mut desk = standard();
    desk.session = Session::new(SessionOptions {
        theme: Theme::standard(),
        keymap: Keymap::default(),
        size: (80, 24),
        nonce: Box::new(|| "n".to_owned()),
        screen: Screen::Board,
        target: None,
    })
    .governed(fixture::plan, no);
    desk.look();
    desk.press("R").sees("ana is no release captain in prod");
    desk.sees("to change it: ask dee for the role");
    desk.sees("set server be_checkout/v2 weight 0");
    desk.press("<ret>");
    assert!(desk.executed().is_empty());
    desk.sees("denied: nothing was sent");
    desk.press("<ret> a <ret>");
    let refused = desk.acts.iter().filter_map(|act| if let Act::Refuse(plan, reasons) = act { Some((plan, reasons)) } else { None });
    let refused: Vec<_> = refused.collect();
    assert_eq!(refused.len(), 1, "an attempt is recorded once a plan, not once a key");
    assert_eq!((refused[0].0.intent.verb, refused[0].1[0].text.as_str()), (Verb::Rollback, "ana is no release captain in prod"));
    assert!(desk.executed().is_empty());
    desk.press("<esc> R <esc>");
    assert_eq!(desk.acts.iter().filter(|act| matches!(act, Act::Refuse(..))).count(), 1, "looking at a plan is no attempt");
}

#[test]
fn a_read_only_room_binds_no_deed() {
    let mut desk = standard();
    desk.world.read_only = true;
    desk.look();
    desk.sees("READ ONLY");
    desk.press("R").sees("read-only");
    assert!(!desk.text().contains("PLAN"));
    desk.press("?").sees("no deed key is bound");
}

#[test]
fn a_record_that_cannot_be_written_is_said_on_the_glass() {
    let mut desk = standard();
    desk.world.ledger.trouble = Some(crate::model::text::Text::clean("disk full"));
    desk.sees("no deed is possible: disk full");
    desk.press("h").sees("cannot be written");
}

#[test]
fn an_unchanged_frame_is_no_byte() {
    let mut desk = standard();
    assert!(desk.look().is_empty());
    desk.now = desk.now.plus(Duration::from_millis(300));
    assert!(desk.look().is_empty());
}

#[test]
fn a_tick_is_few_bytes_and_a_move_of_the_cursor_too() {
    let mut desk = standard();
    desk.now = desk.now.plus(Duration::from_secs(1));
    let tick = desk.look();
    assert!((1..160).contains(&tick.len()), "{} bytes: {}", tick.len(), String::from_utf8_lossy(&tick).escape_debug());
    desk.press("j");
    desk.blind("j");
    let step = desk.look();
    assert!((1..86).contains(&step.len()), "{} bytes: {}", step.len(), String::from_utf8_lossy(&step).escape_debug());
}

#[test]
fn the_next_redraw_is_when_an_age_ticks() {
    let desk = standard();
    let due = desk.session.next_redraw(&desk.world, &desk.now).unwrap();
    assert!(due <= Duration::from_secs(1), "{due:?}");
}

#[test]
fn the_terminal_shows_what_was_drawn() {
    for theme in [Theme::standard(), Theme::monochrome(), Theme::ascii()] {
        let mut desk = at(fixture::world(), theme, (100, 30));
        let mut screen = vt100::Parser::new(std::num::NonZero::new(30).unwrap(), std::num::NonZero::new(100).unwrap(), 0);
        desk.glass.forget();
        screen.process(&desk.look());
        for key in "j j k ? <esc> s 0 <ret> x <ret> <esc> i <pagedown> <esc> / m a <ret> <esc> 3 5 2 0".split(' ') {
            desk.blind(key);
            screen.process(&desk.look());
            let seen: Vec<String> = screen.screen().rows(0, 100).map(|row| row.trim_end().to_owned()).collect();
            let drawn: Vec<String> = desk.text().lines().map(ToOwned::to_owned).collect();
            assert_eq!(seen, drawn, "after {key}");
            desk.now = desk.now.plus(Duration::from_millis(1700));
            screen.process(&desk.look());
        }
    }
}

#[test]
fn ascii_sends_only_ascii_and_monochrome_no_colour() {
    let mut desk = at(fixture::lost_prom(), Theme::ascii(), (120, 40));
    desk.glass.forget();
    assert!(desk.look().is_ascii());
    let mut desk = at(fixture::lost_prom(), Theme::monochrome(), (120, 40));
    desk.glass.forget();
    let bytes = String::from_utf8(desk.look()).unwrap();
    let codes = bytes.split("\x1b[").filter_map(|part| part.split_once('m').map(|(code, _)| code));
    // A place of the cursor (`39;5H`) is no colour.
    for code in codes.filter(|code| code.chars().all(|c| c.is_ascii_digit() || c == ';')) {
        for part in code.split(';').filter(|part| part.chars().all(|c| c.is_ascii_digit())) {
            assert!(!matches!(part.parse::<u32>().unwrap_or(0), 30..=49 | 90..=107), "{code}");
        }
    }
}

#[test]
fn a_small_terminal_says_so_and_keeps_the_way_back() {
    let mut desk = at(fixture::watched(DeedState::Effective), Theme::ascii(), (79, 23));
    desk.sees("have 79x23, need 80x24");
    desk.sees("counts as HELD");
    desk.press("R").sees("PLAN");
    desk.press("<ret>");
    assert_eq!(desk.executed().len(), 1);
}

#[test]
fn a_list_in_hand_stands_still_and_says_what_is_newer() {
    let mut desk = standard();
    desk.press("j j");
    let before = desk.session.target();
    desk.world = fixture::elsewhere();
    desk.look();
    assert_eq!(desk.session.target(), before);
    desk.sees("u to update");
    desk.press("u");
    assert_eq!(desk.session.target(), before);
    assert!(!desk.text().contains("u to update"));
}

#[test]
fn every_screen_at_every_theme_and_size() {
    for (name, world) in [
        ("canary", fixture::world()),
        ("lost", fixture::lost_prom()),
        ("held", fixture::held()),
        ("watched", fixture::watched(DeedState::Effective)),
    ] {
        for screen in Screen::ALL {
            for size in [(80, 24), (120, 40), (200, 60)] {
                if name != "canary" && size != (80, 24) {
                    continue;
                }
                for theme in [Theme::standard(), Theme::monochrome(), Theme::ascii()] {
                    let text = render::text(&world, &fixture::now(), screen, Some(&fixture::checkout()), size, &theme);
                    let styles = render::styles(&world, &fixture::now(), screen, Some(&fixture::checkout()), size, &theme);
                    insta::assert_snapshot!(
                        format!("{name}-{}-{}x{}-{}", screen.word(), size.0, size.1, theme.name),
                        format!("{text}{styles}")
                    );
                }
            }
        }
    }
}

#[test]
fn the_plan_as_it_looks() {
    let mut desk = standard();
    desk.press("s 0 <ret>");
    insta::assert_snapshot!("plan-80x24", desk.text());
    desk.press("<esc> i");
    insta::assert_snapshot!("detail-80x24", desk.text());
}

#[test]
fn a_refused_key_says_why_first_and_whole_and_what_would_change_it_as_long_as_it_holds() {
    let mut desk = at(fixture::held(), Theme::standard(), (80, 24));
    let first = |desk: &Desk| desk.text().lines().find(|line| line.contains('✗')).unwrap_or_default().to_owned();
    desk.press("p");
    assert_eq!(first(&desk), " ✗ no promote checkout@prod: held by cy; resume first");
    let before = desk.text();
    desk.press("?");
    let told = (0..6).any(|_| {
        let told = desk.text().contains("not now: held by cy; resume first");
        desk.press("<pagedown>");
        told
    });
    assert!(told, "help does not say why");
    desk.press("<esc> p");
    assert_eq!(desk.text(), before);
    insta::assert_snapshot!("refused-80x24", before);
    desk.world = fixture::world();
    desk.look();
    desk.sees("p promote checkout@prod works now");
    desk.press("j");
    assert!(!desk.text().contains("works now"));
    // A deed under way keeps its row, and a long reason is told in full above it.
    desk.world = fixture::watched(DeedState::Effective);
    desk.world.ledger.trouble = Some(crate::model::text::Text::clean(&"the disk is full, look; ".repeat(5)));
    desk.press("k h").sees("✗ no hold checkout@prod: the record cannot be written: the disk is full");
    assert!(desk.text().contains("make the store writable again"), "{}", desk.text());
    desk.sees("deed: shift checkout@prod EFFECTIVE");
}

#[test]
fn a_small_terminal_says_why_a_key_is_refused() {
    let mut desk = at(fixture::held(), Theme::ascii(), (70, 10));
    desk.press("p").sees("x no promote checkout@prod: held by cy; resume first");
}

#[test]
fn what_needs_a_person_keeps_its_words_whole_at_every_width() {
    let mut world = fixture::watched(DeedState::Unknown);
    let intent = crate::model::intent::Intent {
        verb: Verb::Promote,
        target: fixture::checkout(),
        args: crate::model::intent::Arguments::default(),
        requester: world.actor.clone(),
        reason: crate::model::text::Text::empty(),
    };
    let mut waits = fixture::plan(&world, intent, &fixture::now(), "w").unwrap();
    waits.intent.target = "ledger@prod".parse().unwrap();
    world.waiting = std::sync::Arc::new(vec![crate::model::approval::Waiting { plan: waits, approvals: Vec::new() }]);
    let mut lost = fixture::lost_prom();
    lost.waiting = world.waiting.clone();
    for (name, world) in [("waiting", &world), ("waiting-lost", &lost)] {
        for size in [(80, 24), (120, 40)] {
            let text = render::text(world, &fixture::now(), Screen::Board, None, size, &Theme::standard());
            let needs: Vec<&str> = text.lines().skip(2).take_while(|line| !line.contains("services")).collect();
            assert!(needs.iter().all(|line| !line.contains('…')), "cut:\n{text}");
            assert!(needs.iter().any(|line| line.contains("errors 2.1 %") || line.contains("of 1,281")) || name == "waiting-lost");
            assert!(needs.iter().any(|line| line.contains("alert CheckoutErrors")), "{text}");
            assert!(needs.iter().any(|line| line.ends_with("nobody has it   R roll back")), "{text}");
            assert!(needs.iter().any(|line| line.ends_with("ana has it   6 changes")), "{text}");
            insta::assert_snapshot!(format!("{name}-{}x{}", size.0, size.1), text);
        }
    }
}

#[test]
fn the_way_back_is_judged_once_for_each_world() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static JUDGED: AtomicUsize = AtomicUsize::new(0);
    fn counted(world: &World, plan: &Plan, now: &Moment) -> Verdict {
        JUDGED.fetch_add(1, Ordering::Relaxed);
        yes(world, plan, now)
    }
    let mut desk = standard();
    let options = SessionOptions {
        theme: Theme::standard(),
        keymap: Keymap::default(),
        size: (80, 24),
        nonce: Box::new(String::new),
        screen: Screen::Rollout,
        target: Some(fixture::checkout()),
    };
    desk.session = Session::new(options).governed(fixture::plan, counted);
    let judged = |desk: &mut Desk| {
        desk.look();
        desk.look();
        desk.sees("way back: R 2.4.1 100 %");
        JUDGED.load(Ordering::Relaxed)
    };
    assert_eq!(judged(&mut desk), 1);
    desk.now = desk.now.plus(Duration::from_secs(1));
    assert_eq!(judged(&mut desk), 1, "a second that changes nothing asks nothing");
    desk.world.generation += 1;
    assert_eq!(judged(&mut desk), 2, "a new world is judged anew");
    desk.now = desk.now.plus(Duration::from_mins(1));
    assert_eq!(judged(&mut desk), 3, "a window may have shut since");
}

#[test]
fn an_idle_version_reads_as_idle() {
    let target = "mail@prod".parse().unwrap();
    let mut world = fixture::world();
    let mut view = (**world.target(&target).unwrap()).clone();
    view.versions[1] = fixture::world().target(&fixture::checkout()).unwrap().versions[1].clone();
    for signal in view.signals.iter_mut().map(Arc::make_mut) {
        (signal.canary.value, signal.canary.bad, signal.canary.total, signal.difference) = (None, None, None, None);
    }
    for entry in &mut view.traffic {
        entry.second_measured = crate::model::share::Share::of(0, 100).map(|share| (share, 312));
    }
    world.targets.insert_mut(target.clone(), std::sync::Arc::new(view));
    for size in [(80, 24), (120, 40)] {
        let text = render::text(&world, &fixture::now(), Screen::Rollout, Some(&target), size, &Theme::standard());
        assert!(text.contains("all traffic on 2.1.9 stable at the router, as wished"), "{text}");
        insta::assert_snapshot!(format!("idle-rollout-{}x{}", size.0, size.1), text);
    }
}

#[test]
fn charts_are_drawn_with_what_the_theme_says() {
    for charts in ["braille", "block", "ascii"] {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("themes")).unwrap();
        std::fs::write(directory.path().join("themes/mine.toml"), format!("base = \"default\"\ncharts = \"{charts}\"\n")).unwrap();
        let around = crate::config::Surroundings { config_dir: directory.path().to_owned(), ..Default::default() };
        let (theme, _) = super::dress::dress("mine", "default", &around).unwrap();
        let text = render::text(&fixture::world(), &fixture::now(), Screen::Rollout, Some(&fixture::checkout()), (80, 24), &theme);
        insta::assert_snapshot!(format!("charts-{charts}-80x24"), text);
    }
    let without_unicode = Theme::builtin("ascii").unwrap();
    assert_eq!(without_unicode.charts(), crate::config::theme::Charts::Ascii);
}
