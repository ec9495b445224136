//! Flags on the screens: how each stands with its age, never an old one as a fresh one, and the prompt that sets one.

use std::sync::Arc;

use super::*;
use crate::control::world::SourceFact;
use crate::model::capability::Capability;
use crate::model::catalog::{BackendKind, Catalog};
use crate::model::error::{PortError, PortErrorKind};
use crate::model::flag::{FlagChange, FlagEntry, FlagMark, FlagReading, FlagRef, FlagSeen, FlagState};
use crate::model::reading::Fact;
use crate::model::share::Percent;
use crate::model::text::Text;

fn place(name: &str) -> FlagRef {
    FlagRef { name: name.to_owned(), project: "default".to_owned(), environment: "production".to_owned() }
}

fn seen(name: &str, on: bool, percent: Option<u8>, by: &str) -> FlagSeen {
    let changed = FlagChange { at: fixture::now().wall - chrono::TimeDelta::hours(2), by: Text::clean(by) };
    let mark = FlagMark { on, percent: percent.and_then(Percent::new), rest: String::new() };
    let fixed = percent.is_none().then(|| Text::clean("it has 2 strategies, each of which can choose users"));
    let strategies = vec![Text::clean("flexibleRollout"); if fixed.is_some() { 2 } else { 1 }];
    let state = FlagState { mark, strategies, fixed, stale: !on, changed: Some(changed) };
    FlagSeen { flag: place(name), state: Some(state), missing: None }
}

/// The shop with flags that were read so long ago; with trouble since, where it is said.
fn shop(old_s: i64, trouble: bool) -> World {
    let mut world = fixture::world();
    let mut catalog: Catalog = (*world.catalog).clone();
    let mut backend = catalog.backends.get(&fixture::name("ci")).unwrap().clone();
    (backend.name, backend.kind) = (fixture::name("flags"), BackendKind::Unleash);
    let flags = ["new-checkout", "pay-later", "wallet", "gone"];
    let deploy = catalog.services.get_mut(&fixture::name("checkout")).unwrap().deploy.get_mut(&fixture::name("prod")).unwrap();
    deploy.flags = flags.map(|name| FlagEntry { backend: fixture::name("flags"), flag: place(name) }).into();
    let missing = FlagSeen { flag: place("gone"), state: None, missing: Some(Text::clean("answered 404 (not found)")) };
    let reading = FlagReading {
        flags: vec![
            seen("new-checkout", true, Some(25), "cy"),
            seen("pay-later", false, Some(50), "ana"),
            seen("wallet", true, None, ""),
            missing,
        ],
        backend_clock: None,
    };
    let mut source = (**world.sources.get(&fixture::name("ci")).unwrap()).clone();
    source.backend = Arc::new(backend.clone());
    let trouble = trouble.then(|| PortError::new(PortErrorKind::Unreachable, &fixture::name("flags"), "read flags", "refused"));
    let moment = Some(fixture::before(old_s));
    source.fact = SourceFact::Flags(Fact { value: Some(Arc::new(reading)), seen: moment, tried: moment, trouble, failures: 0, seq: 1 });
    source.capabilities = &[Capability::ReadFlags, Capability::SetFlags];
    world.sources.insert(fixture::name("flags"), Arc::new(source));
    catalog.backends.insert(fixture::name("flags"), backend);
    world.catalog = Arc::new(catalog);
    world
}

#[test]
fn flags_as_they_look_where_a_rollout_is_decided() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut desk = at(shop(2, false), Theme::standard(), size);
        desk.press("3");
        insta::assert_snapshot!(format!("flags-{}x{}", size.0, size.1), desk.text());
    }
}

#[test]
fn p5_an_old_flag_is_said_to_be_old_and_has_no_colour_of_a_fresh_one() {
    let mut desk = at(shop(400, true), Theme::standard(), (120, 40));
    desk.press("3");
    desk.sees("UNREACHABLE, flags 6m30");
    let mut desk = at(shop(400, false), Theme::standard(), (120, 40));
    desk.press("3");
    desk.sees("STALE, flags 6m30");
}

#[test]
fn the_prompt_sets_a_flag_of_the_marked_target_and_refuses_what_is_none() {
    let mut desk = at(shop(2, false), Theme::standard(), (120, 40));
    desk.press("3");
    desk.press("F");
    desk.sees("new-checkout, pay-later");
    for key in ["n", "e", "w", "enter"] {
        desk.press(key);
    }
    desk.sees("expected FLAG on, FLAG off, or FLAG and a percentage");
}
