//! Tests of authors on the screens: who made it, who may not agree because of it, and which agreement counts no more.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::control::world::World;
use crate::control::{authors, planner};
use crate::model::authorship::Authorship;
use crate::model::catalog::Repository;
use crate::model::gate::{CheckKind, Counts, Finding};
use crate::model::origin::{Authors, Identity, Range};
use crate::model::reading::Fact;
use crate::model::text::Text;
use crate::ui::plans;

/// The source of changes says that these made what is on trial.
fn made(mut world: World, by: &[&str], newest: &str) -> World {
    let mut catalog = (*world.catalog).clone();
    let service = catalog.services.get_mut(&fixture::checkout().service).unwrap();
    let (name, tag) = ("acme/shop".to_owned(), Some("v$version".to_owned()));
    service.repository = Some(Repository { backend: Some(fixture::name("ci")), name, paths: Vec::new(), tag });
    for person in &mut catalog.people {
        person.emails = vec![format!("{}@shop.example", person.name)];
    }
    for environment in catalog.environments.iter_mut().filter(|environment| environment.name.as_str() == "prod") {
        environment.gates.checks = vec![(CheckKind::Freshness, Counts::Require), (CheckKind::Authors, Counts::Require)];
    }
    world.catalog = Arc::new(catalog);
    let span = authors::wanted(&world, world.target(&fixture::checkout()).unwrap()).unwrap();
    let one = |name: &&str| Identity { login: None, email: Some(Text::clean(&format!("{name}@shop.example"))) };
    let authors = Authors::Known(by.iter().map(one).collect());
    let range = Range { from: Text::clean("a1b2c3d4e5"), to: Text::clean(newest), commits: 3, authors };
    let seen = Some(fixture::before(12));
    world.ranges = Arc::new(BTreeMap::from([(span, Fact { value: Some(Arc::new(range)), seen, tried: seen, ..Fact::default() })]));
    world.generation += 1;
    world
}

#[test]
fn authors_as_they_look() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let world = made(changes::shop("ana", 1), &["bo", "dee"], "d4e5f6a7b8");
        let plan = changes::plan_of(&world, "ana", 50, "n");
        let mut world = world;
        changes::waits(&mut world, &plan, &["cy"]);
        let at = |name: &str| format!("{name}-{}x{}", size.0, size.1);
        let mut desk = changes::room(world, size);
        desk.press("6 <ret>");
        insta::assert_snapshot!(at("authors-agreed"), desk.text());
        // A push after the agreement, by the one who gave it.
        desk.world = made(desk.world.clone(), &["bo", "cy", "dee"], "0a1b2c3d4e");
        desk.look();
        insta::assert_snapshot!(at("authors-void"), desk.text());
    }
}

#[test]
fn what_a_plan_says_of_its_authors_binds_its_evidence() {
    let world = made(changes::shop("ana", 1), &["bo", "dee"], "d4e5f6a7b8");
    let plan = changes::plan_of(&world, "ana", 50, "n");
    let check = plan.checks.iter().find(|check| check.kind == CheckKind::Authors).unwrap();
    assert_eq!((check.text.as_str(), check.source.as_str(), check.age_s), ("bo, dee: 3 commits a1b2c3d..d4e5f6a", "ci", Some(0)));
    let other = made(world.clone(), &["bo", "dee"], "0a1b2c3d4e");
    let pushed = authors::looked_at(&other, &plan, &fixture::now());
    assert_ne!(plan.evidence_digest().unwrap(), pushed.evidence_digest().unwrap());
    assert!(matches!(pushed.authors, Some(Authorship::Read { .. })));
    // Who made it is not asked; who did not is.
    let mut world = world;
    changes::waits(&mut world, &plan, &[]);
    let waiting = world.waiting[0].clone();
    let queued = plans::queued(&world, &waiting, &fixture::now());
    assert_eq!(queued.could.iter().map(|could| could.name.as_str()).collect::<Vec<_>>(), ["cy"]);
    assert_eq!(queued.authors.people.keys().collect::<Vec<_>>(), ["bo", "dee"]);
}

#[test]
fn what_was_read_before_the_confirmation_does_not_count() {
    let world = made(changes::shop("ana", 0), &["bo"], "d4e5f6a7b8");
    let plan = changes::plan_of(&world, "ana", 50, "n");
    let told = planner::told_since(&world, plan.clone(), &fixture::before(13), &fixture::now());
    assert_eq!((&told.authors, &told.checks), (&plan.authors, &plan.checks));
    let late = planner::told_since(&world, plan, &fixture::before(11), &fixture::now());
    assert!(matches!(late.authors, Some(Authorship::NotRead { .. })), "{:?}", late.authors);
    let check = late.checks.iter().find(|check| check.kind == CheckKind::Authors).unwrap();
    assert_eq!(check.finding, Finding::NotKnown, "{check:?}");
}
