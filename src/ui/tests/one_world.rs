//! One world: on all screens of one moment nothing is over its width, and no version, run, plan, limit, share or count differs from another screen's or from the world's own.

mod known;
mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::cli::compose;
use crate::config::scenario::Scenario;
use crate::config::surroundings::Surroundings;
use crate::control::driver::rehearse::{Rehearsal, VirtualClock};
use crate::control::event::Event;
use crate::control::planner;
use crate::model::intent::{Arguments, Intent};
use crate::model::name::Target;
use crate::model::share::Percent;
use crate::model::text::Text;
use crate::ui::row::cells;

/// The seconds after which each story is looked at.
const MOMENTS: [u64; 3] = [20, 50, 150];
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
/// Which facts must have been read from which screens by the end, or this test compares nothing.
const READ: [(&str, &str); 12] = [
    ("stable version", "board map plan rollout incident"),
    ("version on trial", "board map plan rollout incident"),
    ("share", "board map plan rollout incident"),
    ("limit", "board rollout incident plan"),
    ("counts", "board rollout incident"),
    ("id", "rollout ledger changes"),
    ("plan drawn up", "plan"),
    ("run", "pipeline"),
    ("age", "board pipeline rollout map incident changes plan"),
    ("clock", "board pipeline rollout map incident changes ledger plan"),
    ("remainder", "board rollout map incident"),
    ("needs you", "board"),
];

/// One screen as it was drawn.
struct Page {
    /// `board 80x24`, `rollout checkout@prod 80x24`.
    name: String,
    /// The screen's word, or `plan`.
    kind: &'static str,
    target: Option<Target>,
    rows: Vec<String>,
}

impl Page {
    /// Whether it says nothing of other targets; else it stands on one and shows all.
    fn is_of_target(&self) -> bool {
        matches!(self.kind, "pipeline" | "rollout" | "incident" | "plan")
    }
}

fn drawn(session: &Session, world: &World, now: &Moment) -> Vec<String> {
    let (width, height) = session.size();
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    session.draw(world, now, &mut buffer);
    session.shown();
    render::of_buffer(&buffer).lines().map(str::to_owned).collect()
}

/// A screen, and a plan over it where keys are pressed.
fn page(world: &World, now: &Moment, (screen, target): (Screen, Option<&Target>), size: (u16, u16), key: Option<&str>) -> Page {
    let (nonce, theme) = (Box::new(|| "one".to_owned()), Theme::standard());
    let options = SessionOptions { theme, keymap: Keymap::default(), size, nonce, screen, target: target.cloned() };
    let mut session = Session::new(options);
    let mut rows = drawn(&session, world, now);
    if let Some(key) = key {
        session.on(Input::Key(key.parse().unwrap()), world, now);
        rows = drawn(&session, world, now);
    }
    let kind = if key.is_some() { "plan" } else { screen.word() };
    let of = target.map(|target| format!(" {target}")).unwrap_or_default();
    Page { name: format!("{kind}{of} {}x{}", size.0, size.1), kind, target: target.cloned(), rows }
}

/// Every screen of a world in every size: those of one target for some targets, and the plan of a way back where there is one.
fn pages(world: &World, now: &Moment) -> Vec<Page> {
    let targets: Vec<Target> = ["checkout@prod", "shipping@prod", "ledger@prod"].map(|target| target.parse().unwrap()).into();
    let mut pages = Vec::new();
    for size in SIZES {
        for screen in Screen::ALL {
            let of = if screen.has_target() { targets.as_slice() } else { &targets[..1] };
            pages.extend(of.iter().map(|target| page(world, now, (screen, Some(target)), size, None)));
        }
        let moving = targets.iter().filter(|target| world.target(target).is_some_and(|view| view.state.rollout.is_some()));
        pages.extend(moving.map(|target| page(world, now, (Screen::Board, Some(target)), size, Some("R"))));
        for page in pages.iter().filter(|page| page.name.ends_with(&format!("{}x{}", size.0, size.1))) {
            assert_eq!(page.rows.len(), usize::from(size.1), "{}", page.name);
            let over = page.rows.iter().find(|row| cells(row) > usize::from(size.0));
            assert!(over.is_none(), "{}: a row is over its width: {over:?}", page.name);
        }
    }
    pages
}

async fn story(name: &str) -> Rehearsal {
    let clock = Arc::new(VirtualClock::new("2026-01-02T14:00:00Z".parse().unwrap()));
    let scenario = Scenario::named(name).unwrap();
    let composed = compose::simulated(scenario, 1, clock.clone(), &Surroundings::default(), false).await;
    let composed = composed.unwrap_or_else(|exit| panic!("{name}: {exit:?}"));
    Rehearsal::open(clock, composed.outside, composed.opening).following(composed.script)
}

/// What a person orders, where the world lets a plan of it be drawn up.
fn order(room: &mut Rehearsal, verb: Verb, target: &str, percent: Option<u8>) {
    let intent = Intent {
        verb,
        target: target.parse().unwrap(),
        args: Arguments { percent: percent.and_then(Percent::new), ..Arguments::default() },
        requester: room.room().world().actor.clone(),
        reason: Text::clean("to see it on every screen"),
    };
    if let Ok(plan) = planner::plan(room.room().world(), intent, &room.now(), "ordered") {
        room.give(Event::Confirmed { plan: Box::new(plan) });
    }
}

/// What is said twice and differently, or against the world; `seen` learns which facts were read from which screens.
fn differs(of: &str, world: &World, now: &Moment, seen: &mut BTreeMap<&'static str, BTreeSet<&'static str>>) -> Vec<String> {
    let known = known::Known::of(world, now);
    let mut told: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for page in pages(world, now) {
        for said in said::all(&page, world) {
            seen.entry(said.kind).or_default().insert(page.kind);
            let subject = said.subject();
            let about = page.target.as_ref().filter(|_| page.is_of_target());
            if let Some(why) = known.against(&said, about) {
                let row = page.rows.iter().find(|row| row.contains(&said.value)).map(|row| row.trim()).unwrap_or_default();
                wrong.push(format!("{of}: {}: {subject} is `{}`, {why}: {row}", page.name, said.value));
            }
            if said.is_one() {
                told.entry(subject).or_default().entry(said.value).or_default().push(page.name.clone());
            }
        }
    }
    for (subject, values) in told.into_iter().filter(|(_, values)| values.len() > 1) {
        wrong.push(format!("{of}: {subject} differs: {values:?}"));
    }
    wrong
}

#[tokio::test]
async fn no_screen_says_what_another_one_or_the_world_does_not() {
    let (mut seen, mut wrong) = (BTreeMap::new(), Vec::new());
    for name in Scenario::NAMES {
        let mut room = story(name).await;
        for seconds in MOMENTS {
            room.run_until(Duration::from_secs(seconds), &mut |_, _| {}).await;
            wrong.extend(differs(&format!("{name} at {seconds}s"), room.room().world(), &room.now(), &mut seen));
            match seconds {
                // What waits for others, and what was said.
                20 => order(&mut room, Verb::Shift, "ledger@prod", Some(20)),
                50 => order(&mut room, Verb::Hold, "checkout@prod", None),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
    let missing = READ.into_iter().flat_map(|(kind, screens)| screens.split(' ').map(move |screen| (kind, screen)));
    let missing: Vec<_> = missing.filter(|(kind, screen)| seen.get(kind).is_none_or(|read| !read.contains(screen))).collect();
    assert!(missing.is_empty(), "this was never read from that screen: {missing:?}");
}
