//! Tests of the screen of changes: what waits for whom, what the keys of a ruling do, and what the board says of it.

use std::sync::Arc;

use chrono::TimeDelta;

use super::*;
use crate::control::planner;
use crate::control::world::Ruled;
use crate::model::approval::{Approval, Decision, Ruling, Waiting};
use crate::model::catalog::Protection;
use crate::model::deed::{EntryKind, Facts};
use crate::model::gate::{CheckKind, Counts};
use crate::model::intent::{Arguments, Intent};
use crate::model::operator::{Actor, Person};
use crate::model::share::Percent;
use crate::model::text::Text;
use crate::ports::ledger::{EntryRow, LedgerError};

pub(super) fn person(name: &str) -> Actor {
    Actor::Person(fixture::name(name))
}

/// The shop in which one of ana, cy and dee must agree to what another of them wants, `who` being at the keys.
pub(super) fn shop(who: &str, approvals: u32) -> World {
    let mut world = fixture::world();
    let mut catalog = (*world.catalog).clone();
    let ana = catalog.people[0].clone();
    catalog.people.extend(["cy", "dee"].map(|name| Person { name: fixture::name(name), os_user: None, ..ana.clone() }));
    catalog.people.push(Person { name: fixture::name("bo"), os_user: None, roles: Vec::new(), ..ana });
    for environment in &mut catalog.environments {
        if environment.name.as_str() == "prod" {
            let roles = vec![fixture::name("release-captain")];
            environment.protection = Protection { approvals, approver_roles: roles, typed_confirmation: true, ..Protection::default() };
            environment.gates.checks =
                vec![(CheckKind::Freshness, Counts::Require), (CheckKind::Alerts, Counts::Warn), (CheckKind::Scan, Counts::Warn)];
        }
    }
    world.catalog = Arc::new(catalog);
    world.actor = person(who);
    world
}

/// A plan of ana that waits, made 82 s ago.
pub(super) fn plan_of(world: &World, by: &str, share: u8, nonce: &str) -> Plan {
    let args = Arguments { percent: Percent::new(share), ..Arguments::default() };
    let reason = Text::clean("all green at 20");
    let intent = Intent { verb: Verb::Shift, target: fixture::checkout(), args, requester: person(by), reason };
    let mut plan = planner::plan(world, intent, &fixture::before(82), nonce).unwrap();
    plan.expires = fixture::at("14:32:00");
    plan
}

pub(super) fn agreed(plan: &Plan, by: &str) -> Approval {
    Approval {
        person: by.to_owned(),
        at: fixture::at("14:02:40"),
        expires: fixture::at("14:20:00"),
        evidence: plan.evidence_digest().unwrap(),
        is_own_key: true,
        words: Text::clean("watched it at 20"),
        authors: plan.authors.as_ref().and_then(crate::model::authorship::Authorship::digest),
    }
}

pub(super) fn waits(world: &mut World, plan: &Plan, agreed_by: &[&str]) {
    let approvals = agreed_by.iter().map(|by| agreed(plan, by)).collect();
    Arc::make_mut(&mut world.waiting).push(Waiting { plan: plan.clone(), approvals });
    world.generation += 1;
}

/// One plan of ana that waits, and who agreed; `who` looks at it.
pub(super) fn one(who: &str, approvals: u32, agreed_by: &[&str]) -> World {
    let mut world = shop(who, approvals);
    let plan = plan_of(&world, "ana", 50, "n");
    waits(&mut world, &plan, agreed_by);
    world
}

pub(super) fn room(world: World, size: (u16, u16)) -> Desk {
    let mut n = 0;
    let nonce = Box::new(move || {
        n += 1;
        n.to_string()
    });
    let options = SessionOptions { theme: Theme::ascii(), keymap: Keymap::default(), size, nonce, screen: Screen::Board, target: None };
    let mut desk = Desk { session: Session::new(options), glass: Glass::new(size.0, size.1), world, now: fixture::now(), acts: Vec::new() };
    desk.look();
    desk
}

fn rulings(desk: &Desk) -> Vec<Ruling> {
    desk.acts.iter().filter_map(|act| if let Act::Rule(ruling) = act { Some((**ruling).clone()) } else { None }).collect()
}

/// The room learns what became of the newest ruling.
fn became(desk: &mut Desk, result: Result<(), LedgerError>) {
    let ruling = rulings(desk).pop().unwrap();
    let result = result.map(|()| desk.now.wall);
    Arc::make_mut(&mut desk.world.ruled).push_back(Ruled { ruling, result, at: desk.now.wall });
    desk.world.generation += 1;
}

fn type_target(desk: &mut Desk) {
    desk.press("c h e c k o u t @ p r o d");
}

#[test]
fn who_may_agree_is_asked_and_the_deed_stays_the_requesters() {
    let mut desk = room(one("cy", 1, &[]), (120, 40));
    desk.press("6").sees("plans that wait 1: 1 for you");
    desk.sees("agree? agreed 0 of 1");
    desk.sees("a approve");
    desk.press("e").sees("was made by ana, who alone may carry it out");
    desk.press("a").sees("APPROVE plan");
    desk.sees("Enter APPROVE shift to 50 % checkout@prod of ana");
    desk.press("o k <ret> <ret>").sees("type checkout@prod in full");
    assert!(rulings(&desk).is_empty());
    type_target(&mut desk);
    desk.press("<ret> <ret> <ret>");
    let plan = desk.world.waiting[0].plan.clone();
    let said = rulings(&desk);
    assert_eq!(said.len(), 1, "Enter again says nothing again");
    assert_eq!((said[0].decision, said[0].plan, said[0].person.as_str()), (Decision::Approve, plan.id, "cy"));
    assert_eq!((said[0].evidence.clone(), said[0].words.as_str()), (plan.evidence_digest().unwrap(), "ok"));
    desk.sees("the record is being written");
    became(&mut desk, Ok(()));
    Arc::make_mut(&mut desk.world.waiting)[0].approvals.push(agreed(&plan, "cy"));
    desk.sees("approval by cy");
    desk.sees("agreed 1 of 1; ana may execute it");
    desk.press("<esc>").sees("you agreed; ana may execute it");
    assert!(desk.executed().is_empty());
}

#[test]
fn a_requester_is_refused_at_once_with_the_reason_and_the_attempt_is_recorded_once() {
    let mut desk = room(one("ana", 1, &[]), (100, 30));
    desk.press("6").sees("agreed 0 of 1, waits for cy or dee");
    assert!(!desk.text().lines().last().unwrap().contains("approve"), "{}", desk.text());
    for (key, word) in [("a", "approve"), ("x", "reject")] {
        desk.press(key).sees("DENIED, for 1 reason; Enter is recorded as an attempt");
        desk.sees(&format!("ana asked for it and cannot also {word} it"));
        desk.press("<ret> <ret> <ret>");
        let refused = vec![Reason::new("own-plan", "ana asked for it", "another person decides")];
        became(&mut desk, Err(LedgerError::Refused(refused)));
        desk.sees("was refused, and that is recorded");
        desk.sees("own-plan: ana asked for it");
        desk.press("<esc>");
    }
    assert_eq!(rulings(&desk).iter().map(|said| said.decision).collect::<Vec<_>>(), [Decision::Approve, Decision::Reject]);
    desk.press("w").sees("Enter WITHDRAW");
    desk.press("<ret>");
    became(&mut desk, Ok(()));
    Arc::make_mut(&mut desk.world.waiting).clear();
    desk.sees("the plan has ended; nothing was done");
}

#[test]
fn a_rejection_asks_why() {
    let mut desk = room(one("cy", 1, &[]), (80, 24));
    desk.press("6 x <ret>").sees("say why: its requester reads it");
    assert!(rulings(&desk).is_empty());
    desk.press("n o <ret>");
    assert_eq!(
        rulings(&desk).iter().map(|said| (said.decision, said.words.to_string())).collect::<Vec<_>>(),
        [(Decision::Reject, "no".to_owned())]
    );
}

#[test]
fn a_stranger_to_the_plan_is_told_who_decides() {
    let mut desk = room(one("bo", 1, &[]), (100, 30));
    desk.press("6").sees("agreed 0 of 1; cy or dee could agree");
    desk.sees("nothing: it is for others");
    desk.press("a").sees("bo may not approve it: that asks for a person with the role release-captain");
    desk.press("<esc> w").sees("bo neither asked for plan");
}

#[test]
fn an_agreed_plan_is_executed_by_its_requester_through_its_plan() {
    let mut desk = room(one("ana", 1, &["cy"]), (120, 40));
    desk.press("6").sees("agreed 1 of 1, may go: execute");
    desk.press("e").sees("PLAN");
    desk.sees("approvals: agreed 1 of 1");
    desk.sees("signed with their own key (T1)");
    desk.press("<ret>");
    type_target(&mut desk);
    desk.press("<ret>");
    let plan = desk.world.waiting[0].plan.id;
    assert_eq!(desk.executed().iter().map(|one| one.id).collect::<Vec<_>>(), [plan]);
}

#[test]
fn a_plan_without_enough_agreement_is_not_executed_and_says_whom_it_waits_for() {
    let mut desk = room(one("ana", 2, &["cy"]), (100, 30));
    desk.press("6").sees("agreed 1 of 2, waits for dee");
    desk.press("e").sees("waits for another person: agreed 1 of 2");
    assert!(!desk.text().contains("Enter asks"), "{}", desk.text());
    desk.press("<ret>").sees("it waits already, nothing was sent");
    assert!(desk.executed().is_empty());
}

#[test]
fn a_key_pressed_before_the_ruling_was_seen_is_dropped_and_counted() {
    let mut desk = room(one("cy", 1, &[]), (80, 24));
    desk.press("6").blind("w").blind("<ret>");
    assert!(rulings(&desk).is_empty());
    desk.look();
    desk.sees("1 key typed before this was seen: dropped");
}

#[test]
fn the_board_says_to_each_reader_what_is_theirs() {
    for (world, says, key) in [
        (one("cy", 1, &[]), "shift to 50 % by ana: agree? agreed 0 of 1", " a approve"),
        (one("ana", 1, &["cy"]), "shift to 50 %: agreed 1 of 1, may go: execute", " e execute"),
        (one("ana", 1, &[]), "shift to 50 %: agreed 0 of 1, waits for cy or dee", " 6 changes"),
        (one("bo", 1, &[]), "shift to 50 % by ana: agreed 0 of 1; cy or dee could agree", " 6 changes"),
    ] {
        // The target is abnormal as well: the plan waits none the less.
        let desk = room(world, (120, 40));
        desk.sees(says);
        let text = desk.text();
        assert!(text.lines().any(|line| line.contains("it ends unless") && line.contains(key)), "{key}:\n{text}");
    }
}

#[test]
fn the_mark_stays_on_its_plan_when_another_comes_and_goes() {
    let mut desk = room(one("cy", 1, &[]), (120, 40));
    let first = desk.world.waiting[0].plan.clone();
    let mut second = plan_of(&desk.world, "dee", 80, "m");
    second.made += TimeDelta::seconds(5);
    waits(&mut desk.world, &second, &[]);
    desk.press("6").sees("plans that wait 2");
    let marked = |desk: &Desk| desk.text().lines().find(|line| line.starts_with('*')).unwrap_or_default().to_owned();
    assert!(marked(&desk).contains("shift to 50 %"), "{}", desk.text());
    desk.press("j");
    assert!(marked(&desk).contains("shift to 80 %"), "{}", desk.text());
    let mut third = plan_of(&desk.world, "dee", 100, "o");
    third.made += TimeDelta::seconds(9);
    waits(&mut desk.world, &third, &[]);
    assert!(marked(&desk).contains("shift to 80 %"), "{}", desk.text());
    Arc::make_mut(&mut desk.world.waiting).retain(|one| one.plan.id != first.id);
    assert!(marked(&desk).contains("shift to 80 %"), "{}", desk.text());
    desk.press("<esc> a").sees("2 plans wait on checkout@prod; mark one on the screen of changes");
}

#[test]
fn a_plan_that_needs_another_person_says_what_enter_does_and_what_comes_then() {
    let mut desk = room(shop("ana", 1), (80, 24));
    desk.press("s 5 0 <ret>").sees("Enter asks them; it waits on screen 6 until they agree, then you execute it");
    desk.sees("there with e");
}

#[test]
fn every_kind_of_nothing_says_what_would_come() {
    let mut desk = room(shop("ana", 1), (120, 40));
    desk.press("6").sees("nothing there: no plan waits for a person");
    desk.sees("prod (1 person)");
    desk.world.ledger.read = false;
    desk.sees("loading");
    desk.world.ledger.trouble = Some(Text::clean("disk full"));
    desk.sees("unreachable: the store cannot be read: disk full");
    room(shop("ana", 0), (80, 24)).press("6").sees("nothing configured");
}

pub(super) fn entry(n: u64, kind: EntryKind, who: &str, words: &str) -> EntryRow {
    EntryRow {
        n,
        at: fixture::at("14:00:00") + TimeDelta::seconds(i64::try_from(n).unwrap()),
        kind,
        signer: who.to_owned(),
        deed: Some(crate::model::name::PlanId([0x7c; 32])),
        verb: Some("shift".to_owned()),
        target: Some("checkout@prod".to_owned()),
        requester: Some(who.to_owned()),
        verdict: None,
        facts: Facts::default(),
        words: Text::clean(words),
    }
}

#[test]
fn changes_as_they_look() {
    let told = |mut world: World| {
        let entries = [
            entry(1, EntryKind::Approval, "ana", "approve by cy: watched it at 20"),
            entry(2, EntryKind::Intent, "ana", ""),
            entry(3, EntryKind::Rejection, "ana", "reject by dee: not before the sale ends"),
            entry(4, EntryKind::Denied, "ana", "approve by bo: bo may not approve it"),
        ];
        world.ledger.entries = Arc::new(entries.to_vec());
        world.ledger.size = 4;
        world
    };
    let mut denied = one("ana", 1, &["cy"]);
    denied.targets.insert_mut(fixture::checkout(), fixture::held().target(&fixture::checkout()).unwrap().clone());
    let cases = [
        ("empty", shop("ana", 1)),
        ("for-me", told(one("cy", 2, &["dee"]))),
        ("may-go", told(one("ana", 1, &["cy"]))),
        ("mine-waits", told(one("ana", 2, &["cy"]))),
        ("denied", told(denied)),
    ];
    for (name, world) in &cases {
        for size in [(80, 24), (120, 40), (200, 60)] {
            let text = render::text(world, &fixture::now(), Screen::Changes, None, size, &Theme::ascii());
            let styles = render::styles(world, &fixture::now(), Screen::Changes, None, size, &Theme::standard());
            assert!(text.lines().all(|line| crate::ui::row::cells(line) <= usize::from(size.0)));
            insta::assert_snapshot!(format!("changes-{name}-{}x{}", size.0, size.1), format!("{text}{styles}"));
        }
    }
    for (name, world, keys) in [
        ("approve", cases[1].1.clone(), "6 a"),
        ("approve-denied", cases[3].1.clone(), "6 a"),
        ("reject", cases[1].1.clone(), "6 x"),
        ("execute", cases[2].1.clone(), "6 e"),
        ("asks-second", cases[3].1.clone(), "s 5 0 <ret>"),
        ("whole", cases[1].1.clone(), "6 <ret>"),
        ("board", cases[1].1.clone(), "g"),
    ] {
        for size in [(80, 24), (120, 40)] {
            let mut desk = room(world.clone(), size);
            desk.press(keys);
            insta::assert_snapshot!(format!("ruling-{name}-{}x{}", size.0, size.1), desk.text());
        }
    }
}
