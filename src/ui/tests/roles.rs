//! Tests of the list of roles that people take for a while, and of the key of a denied plan that takes one.

use std::sync::Arc;

use chrono::TimeDelta;

use super::changes::{room, shop};
use super::*;
use crate::control::world::Heard;
use crate::model::self_service::{Agreement, Saying, SelfGrant, SelfService, Spoken};
use crate::model::text::Text;
use crate::ports::ledger::LedgerError;

/// Prod asks for captains, and lets everybody be one for two hours; `approvals` captains must agree.
fn captains(who: &str, approvals: u32) -> World {
    let mut world = shop(who, 0);
    let mut catalog = (*world.catalog).clone();
    for environment in &mut catalog.environments {
        if environment.name.as_str() == "prod" {
            environment.protection.actor_roles = vec![fixture::name("release-captain")];
            environment.self_service = vec![SelfService {
                role: fixture::name("release-captain"),
                teams: Vec::new(),
                services: Vec::new(),
                at_most: Duration::from_hours(2),
                pause: Duration::from_hours(1),
                approvals,
            }];
        }
    }
    world.catalog = Arc::new(catalog);
    world
}

pub(super) fn grant(needs: u32, agreed: &[&str]) -> SelfGrant {
    let at = fixture::at("13:58:00");
    SelfGrant {
        id: "c0ffeec0".repeat(8),
        person: fixture::name("bo"),
        role: fixture::name("release-captain"),
        place: "@prod".parse().unwrap(),
        reason: Text::clean("stands in for cy tonight"),
        at,
        until: at + TimeDelta::hours(1),
        needs,
        agreed: agreed.iter().map(|person| Agreement { person: (*person).to_owned(), at }).collect(),
        revoked: None,
    }
}

fn with(mut world: World, grants: Vec<SelfGrant>) -> World {
    world.grants = Arc::new(grants);
    world.generation += 1;
    world
}

fn types(desk: &mut Desk, text: &str) {
    for c in text.chars() {
        desk.press(&Chord::char(c).to_string());
    }
}

fn said(desk: &Desk) -> Vec<Saying> {
    desk.acts.iter().filter_map(|act| if let Act::Speak(saying) = act { Some((**saying).clone()) } else { None }).collect()
}

/// The room learns what became of what was said last.
fn became(desk: &mut Desk, result: Result<SelfGrant, LedgerError>) {
    let saying = said(desk).pop().unwrap();
    if let Ok(grant) = &result {
        Arc::make_mut(&mut desk.world.grants).push(grant.clone());
    }
    let result = result.map(Spoken::Grant);
    Arc::make_mut(&mut desk.world.heard).push_back(Heard { saying, result, at: desk.now.wall });
    desk.world.generation += 1;
}

#[test]
fn a_denial_for_lack_of_a_role_names_the_key_that_takes_it_and_the_plan_may_go_then() {
    let mut desk = room(captains("bo", 0), (120, 40));
    desk.press("s 5 0 <ret>").sees("bo may not act on checkout@prod");
    desk.sees("Ctrl-G takes the role release-captain for a while, with a reason: it counts at once");
    desk.press("C-g").sees("TAKE release-captain of checkout@prod for a while");
    desk.press("s o <ret>").sees("say what it is needed for: 10 characters or more");
    assert!(said(&desk).is_empty());
    desk.press("C-a C-k");
    types(&mut desk, "stands in for cy");
    desk.press("<tab> C-a C-k 3 0 m <ret> <ret>");
    let [Saying::Grant(wish)] = &said(&desk)[..] else { panic!("{:?}", desk.acts) };
    assert_eq!((wish.person.as_str(), wish.place.to_string(), wish.needs), ("bo", "checkout@prod".to_owned(), 0));
    assert_eq!((wish.until - desk.now.wall, wish.reason.as_str()), (TimeDelta::minutes(30), "stands in for cy"));
    assert!(!wish.nonce.is_empty());
    desk.sees("the record is being written");
    became(&mut desk, Ok(SelfGrant { place: "checkout@prod".parse().unwrap(), until: fixture::at("14:33:22"), ..grant(0, &[]) }));
    desk.sees("bo is release-captain of checkout@prod until 14:33:22");
    desk.press("<esc>").sees("Enter RUN shift checkout@prod");
    assert!(!desk.text().contains("Ctrl-G"), "{}", desk.text());
}

#[test]
fn who_has_the_role_or_may_not_take_it_is_offered_no_such_key() {
    let mut desk = room(captains("ana", 0), (120, 40));
    desk.press("s 5 0 <ret>").sees("Enter RUN");
    assert!(!desk.text().contains("Ctrl-G"), "{}", desk.text());
    desk.press("C-g").sees("no role that you may take would change this");
    let mut world = captains("bo", 0);
    let mut catalog = (*world.catalog).clone();
    catalog.environments.iter_mut().for_each(|environment| environment.self_service.clear());
    world.catalog = Arc::new(catalog);
    let mut desk = room(world, (120, 40));
    desk.press("s 5 0 <ret>").sees("DENIED");
    assert!(!desk.text().contains("Ctrl-G"), "{}", desk.text());
    // What waits for the agreement of others is not asked for twice.
    let mut desk = room(with(captains("bo", 1), vec![grant(1, &[])]), (120, 40));
    desk.press("s 5 0 <ret>").sees("DENIED");
    assert!(!desk.text().contains("Ctrl-G"), "{}", desk.text());
}

#[test]
fn the_list_lets_one_take_a_role_that_others_must_agree_to() {
    let mut desk = room(captains("bo", 1), (100, 30));
    desk.press("6").sees("T roles");
    desk.press("T").sees("nobody has a role that was taken for a while");
    desk.sees("release-captain of @prod, every service");
    desk.sees("for 2h at most; counts once 1 of these agree: ana, cy, dee");
    desk.press("a").sees("nobody has it: Enter takes it");
    desk.press("<ret>");
    types(&mut desk, "stands in for cy");
    desk.press("<ret>");
    became(&mut desk, Ok(grant(1, &[])));
    desk.sees("it counts once 1 of these agree: ana, cy, dee");
    desk.press("<esc>").sees("bo asks to be release-captain of @prod until 14:58");
    desk.press("<esc>").sees("roles for a while 1");
}

#[test]
fn another_agrees_to_a_grant_and_its_holder_does_not() {
    let mut desk = room(with(captains("cy", 1), vec![grant(1, &[])]), (100, 30));
    desk.press("6").sees("bo asks to be release-captain of @prod until 14:58");
    desk.press("T").sees("agree? agreed 0 of 1");
    desk.press("a").sees("AGREE that bo is release-captain of @prod");
    desk.press("<ret> <ret>");
    let [Saying::Agree(on)] = &said(&desk)[..] else { panic!("{:?}", desk.acts) };
    assert_eq!((on.person.as_str(), on.grant.len()), ("cy", 64));
    let mut desk = room(with(captains("bo", 1), vec![grant(1, &[])]), (100, 30));
    desk.press("T");
    assert!(!desk.text().contains("agree?") && !desk.text().contains("a agree"), "{}", desk.text());
    desk.press("a").sees("bo took it and cannot also agree to it");
    desk.sees("Enter is recorded as an attempt");
    desk.press("<ret>");
    became(&mut desk, Err(LedgerError::Refused(vec![Reason::new("own-grant", "bo took it", "another agrees")])));
    desk.sees("it was refused, and that is recorded");
}

#[test]
fn a_grant_is_taken_back_by_key() {
    for (who, key) in [("bo", "w"), ("cy", "x")] {
        let mut desk = room(with(captains(who, 0), vec![grant(0, &[])]), (100, 30));
        desk.press("T").sees("bo is release-captain of @prod until 14:58");
        desk.press(key).sees("TAKE BACK release-captain of @prod from bo");
        desk.press("<ret>");
        assert!(matches!(&said(&desk)[..], [Saying::Revoke(on)] if on.person == who), "{:?}", desk.acts);
    }
}

#[test]
fn the_mark_stays_on_its_grant_when_another_comes_before_it() {
    let mut desk = room(
        with(captains("cy", 0), vec![grant(0, &[]), SelfGrant { id: "ab".repeat(32), until: fixture::at("15:30:00"), ..grant(0, &[]) }]),
        (100, 30),
    );
    desk.press("T <down>");
    let sooner = SelfGrant { id: "cd".repeat(32), person: fixture::name("dee"), until: fixture::at("14:10:00"), ..grant(0, &[]) };
    Arc::make_mut(&mut desk.world.grants).push(sooner);
    desk.look();
    desk.press("x <ret>");
    assert!(matches!(&said(&desk)[..], [Saying::Revoke(on)] if on.grant.starts_with("abab")), "{:?}", desk.acts);
}

#[test]
fn a_key_pressed_before_the_list_was_seen_says_nothing() {
    let mut desk = room(with(captains("cy", 1), vec![grant(1, &[])]), (100, 30));
    desk.blind("T").blind("a").blind("<ret>");
    desk.look();
    assert!(said(&desk).is_empty());
    desk.sees("ROLES for a while");
    desk.sees("2 keys typed before this was seen: dropped");
    desk.press("a").sees("AGREE that bo");
}

#[test]
fn roles_as_they_look() {
    let two = || vec![grant(0, &["cy"]), SelfGrant { id: "ab".repeat(32), person: fixture::name("dee"), ..grant(1, &[]) }];
    for size in [(80, 24), (120, 40), (200, 60)] {
        for (name, world, keys) in [
            ("changes", with(captains("ana", 1), two()), "6"),
            ("list", with(captains("bo", 1), two()), "6 T <down>"),
            ("empty", shop("ana", 0), "6 T"),
            ("take", captains("bo", 1), "6 T <ret>"),
            ("agree", with(captains("cy", 1), vec![grant(1, &[])]), "T a"),
            ("denied-plan", captains("bo", 0), "s 5 0 <ret>"),
        ] {
            let mut desk = room(world, size);
            desk.press(keys);
            let text = desk.text();
            assert!(text.lines().all(|line| crate::ui::row::cells(line) <= usize::from(size.0)));
            insta::assert_snapshot!(format!("roles-{name}-{}x{}", size.0, size.1), text);
        }
    }
}
