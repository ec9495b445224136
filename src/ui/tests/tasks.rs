//! A simulated user study: ten tasks of people on duty, as keystrokes, with what they take elsewhere; the page about it is made here.

mod study;
mod worlds;

use std::fmt::Write as _;
use std::sync::Arc;

use self::study::{SOURCES, Task, Way, tasks};
use super::changes::room;
use super::*;
use crate::model::deed::EntryKind;
use crate::model::name::PlanId;

const PAGE: &str = include_str!("../TASKS.md");

/// The smallest glass: what can be done there can be done everywhere.
const SIZE: (u16, u16) = (80, 24);

/// The keys that a hand presses, and how many of them are text that is typed.
fn pressed(keys: &str) -> (Vec<String>, usize) {
    let (mut all, mut typed) = (Vec::new(), 0);
    for (n, piece) in keys.split('\'').enumerate() {
        if n % 2 == 1 {
            typed += piece.chars().count();
            all.extend(piece.chars().map(|c| if c == ' ' { "<space>".to_owned() } else { c.to_string() }));
        } else {
            all.extend(piece.split(' ').filter(|key| !key.is_empty()).map(ToOwned::to_owned));
        }
    }
    (all, typed)
}

/// What the room was told to carry out or to record, in words.
fn done(desk: &Desk) -> Vec<String> {
    let words = |act: &Act| {
        if let Act::Rule(ruling) = act {
            return Some(format!("{} by {}", ruling.decision.word(), ruling.person));
        }
        let Act::Execute(plan) = act else { return None };
        Some(format!("{} {}", plan.intent.verb.word(), plan.target()))
    };
    desk.acts.iter().filter_map(words).collect()
}

/// Presses the keys of a task before a room that plans and judges as the real one does, and looks after each; what was seen on the way.
fn tried(task: &Task, size: (u16, u16)) -> (Desk, String) {
    let mut desk = room((task.world)(), size);
    let mut seen = desk.text();
    for key in pressed(task.keys).0 {
        desk.press(&key);
        seen.push_str(&desk.text());
    }
    (desk, seen)
}

#[test]
fn each_task_is_done_with_its_keys_and_they_are_fewer_than_elsewhere() {
    let mut wrong = String::new();
    for task in tasks() {
        for size in [SIZE, (120, 40), (200, 60)] {
            let (desk, seen) = tried(&task, size);
            for words in task.sees.iter().filter(|words| !seen.contains(**words)) {
                writeln!(wrong, "{}: `{words}` is not on the glass of {size:?}:\n{}", task.asks, desk.text()).unwrap();
            }
            if done(&desk) != task.done {
                writeln!(wrong, "{}: {:?} was done:\n{}", task.asks, done(&desk), desk.text()).unwrap();
            }
        }
        let keys = pressed(task.keys).0.len();
        for (name, way) in [("k9s", &task.k9s), ("GitHub", &task.github)] {
            if way.presses.is_some_and(|there| keys >= there) {
                writeln!(wrong, "{}: {keys} keys here, {:?} in {name}", task.asks, way.presses).unwrap();
            }
            assert!(!way.source.is_empty() && way.source.iter().all(|n| (1..=SOURCES.len()).contains(n)), "{}", task.asks);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn without_its_keys_no_task_is_done() {
    for task in tasks().iter().filter(|task| !task.keys.is_empty()) {
        let mut keys = pressed(task.keys).0;
        keys.pop();
        let mut desk = room((task.world)(), SIZE);
        for key in &keys {
            desk.press(key);
        }
        let is_answered = task.done.is_empty() && task.sees.iter().all(|words| desk.text().contains(words));
        assert!(!is_answered && done(&desk).is_empty(), "{} takes fewer keys than are counted", task.asks);
    }
}

#[test]
fn where_the_name_is_asked_for_it_is_typed_as_well() {
    let typed = tasks().into_iter().find(|task| task.done == ["approve by cy"]).unwrap();
    let asks = Task { world: worlds::waits_and_asks_for_the_name, keys: "a <ret> 'checkout@prod' <ret>", ..typed };
    assert_eq!(done(&tried(&asks, SIZE).0), ["approve by cy"]);
    assert!(PAGE.contains(&format!("{} more", pressed(asks.keys).0.len() - pressed(typed.keys).0.len())));
}

/// The rollout of ledger after a change to its world.
fn ledger(change: &dyn Fn(&mut World)) -> String {
    let mut world = worlds::ledger_rolls();
    change(&mut world);
    room(world, SIZE).press("down <ret>").text()
}

#[test]
fn who_agreed_is_said_of_each_deed_and_what_came_too_late_is_not() {
    let shift = PlanId([0x5f; 32]);
    let both = ledger(&|world| {
        let of = |n, time, kind, words: &str| worlds::entry(n, time, kind, shift, ("shift", "ana"), words);
        Arc::make_mut(&mut world.ledger.entries).extend([
            of(6, "13:57:00", EntryKind::Approval, "approve by dee"),
            of(7, "13:58:00", EntryKind::Intent, "to 20 %"),
            // What came too late agreed to nothing.
            of(8, "13:59:00", EntryKind::Approval, "approve by cy"),
        ]);
        world.ledger.size = 9;
    });
    let flat = both.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("rollout of bo by cy 13:49, dee 13:51; shift of ana by dee 13:57"), "{both}");
    assert!(!flat.contains("cy 13:59"), "{both}");
}

#[test]
fn what_the_kept_entries_do_not_tell_is_not_called_nobody() {
    let older = ledger(&|world| drop(Arc::make_mut(&mut world.ledger.entries).drain(..)));
    assert!(older.contains("who agreed to it is older than the entries kept here; gonogo trace 1e1e1e1e"), "{older}");
    let nobody = ledger(&|world| Arc::make_mut(&mut world.ledger.entries).retain(|entry| entry.kind != EntryKind::Approval));
    assert!(!nobody.contains("agreed"), "{nobody}");
}

/// A key as the page shows it.
fn shown(keys: &str) -> String {
    let mut words = Vec::new();
    for (n, piece) in keys.split('\'').enumerate() {
        if n % 2 == 1 {
            words.push(format!("`{piece}`"));
        } else {
            let named = piece.split(' ').filter(|key| !key.is_empty()).map(|key| key.parse::<Chord>().unwrap().shown());
            words.extend(named.map(|key| format!("`{key}`")));
        }
    }
    words.join(" ")
}

fn number(way: &Way) -> String {
    way.presses.map_or_else(|| "not there".to_owned(), |n| n.to_string())
}

fn counted(task: &Task) -> String {
    match pressed(task.keys) {
        (keys, 0) => keys.len().to_string(),
        (keys, typed) => format!("{}, {typed} of them typed text", keys.len()),
    }
}

fn table() -> String {
    let mut out = String::from(
        "| | task | who asks | keys here | k9s with Argo Rollouts | GitHub's pages |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for (n, task) in (1..).zip(tasks()) {
        let keys = [shown(task.keys), counted(&task)].join(" ");
        let (k9s, github) = (number(&task.k9s), number(&task.github));
        writeln!(out, "| {n} | {} | {} | {} | {k9s} | {github} |", task.asks, task.who, keys.trim()).unwrap();
    }
    out
}

fn each() -> String {
    let from = |way: &Way| format!("(source {})", way.source.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let mut out = String::new();
    for (n, task) in (1..).zip(tasks()) {
        let keys = if task.keys.is_empty() { "no key: it stands on the board".to_owned() } else { shown(task.keys) };
        let answer = if task.done.is_empty() { task.sees.join("`, `") } else { task.done.join("`, `") };
        let is = if task.done.is_empty() { "the glass says" } else { "the room carries out or records" };
        writeln!(out, "{n}. **{}**\n   - here: {keys}; {is} `{answer}`", task.asks).unwrap();
        writeln!(out, "   - k9s: {} {}\n   - GitHub: {} {}", task.k9s.how, from(&task.k9s), task.github.how, from(&task.github)).unwrap();
    }
    out
}

fn sources() -> String {
    (1..).zip(SOURCES).fold(String::new(), |out, (n, (title, place))| format!("{out}{n}. {title} ({place})\n"))
}

#[test]
fn the_page_tells_what_the_tests_count() {
    let mut page = PAGE.to_owned();
    for (name, text) in [("table", table()), ("each", each()), ("sources", sources())] {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
        let (before, rest) = page.split_once(&begin).unwrap();
        let (_, after) = rest.split_once(&end).unwrap();
        page = format!("{before}{begin}{text}{end}{after}");
    }
    if std::env::var_os("CAPTURE").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/ui/TASKS.md"), &page).unwrap();
    } else {
        assert!(
            page == PAGE,
            "the page of the tasks is of earlier: CAPTURE=1 cargo test --lib ui::tests::tasks, then look at the difference"
        );
    }
}
