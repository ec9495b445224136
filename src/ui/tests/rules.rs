//! Changed rules on the glass: announced on every screen, and the key that puts a name under them.

use std::sync::Arc;

use super::*;
use crate::model::catalog::Catalog;
use crate::model::operator::{Actor, Grant, Person};
use crate::model::rules::{POLICY_OWNER, RuleSet};

fn owner(name: &str) -> Person {
    let role = Grant { role: fixture::name(POLICY_OWNER), environments: Vec::new(), services: Vec::new() };
    Person {
        name: fixture::name(name),
        os_user: None,
        keys: Vec::new(),
        emails: Vec::new(),
        logins: Vec::new(),
        bots: Vec::new(),
        teams: Vec::new(),
        roles: vec![role],
    }
}

/// A world whose prod asks for one approval less than the accepted rules, seen by `reader`; `names` stand for the change.
fn changed(reader: &str, names: &[&str]) -> World {
    let mut world = fixture::world();
    let accepted = Catalog { people: vec![owner("ana"), owner("cy")], ..Catalog::clone(&world.catalog) };
    let mut laxer = accepted.clone();
    for environment in &mut laxer.environments {
        environment.protection.approvals = 0;
    }
    let older = RuleSet::of(&accepted);
    world.rules.standing.accepted = Some(older.digest());
    world.rules.standing.current = RuleSet::of(&laxer).digest();
    world.rules.standing.names = names.iter().map(|name| (*name).to_owned()).collect();
    world.rules.standing.older = Some(Arc::new(older));
    world.catalog = Arc::new(laxer);
    world.actor = Actor::Person(fixture::name(reader));
    world.compare_rules(&fixture::now());
    world
}

#[test]
fn changed_rules_are_announced_on_every_screen_at_every_size() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut desk = at(changed("cy", &["ana"]), Theme::standard(), size);
        for key in ["1", "2", "3", "5", "6", "0"] {
            desk.press(key).sees("RULES CHANGED, not accepted: old and new both count; cy may accept (P)");
        }
    }
}

#[test]
fn the_key_asks_what_was_looked_at_and_puts_the_name_on_record() {
    let mut desk = at(changed("cy", &["ana"]), Theme::standard(), (80, 24));
    desk.press("P").sees("put your name under the changed rules");
    desk.press("o k <ret>");
    let [Act::NameRules(naming)] = desk.acts.iter().filter(|act| matches!(act, Act::NameRules(_))).collect::<Vec<_>>()[..] else {
        panic!("{:?}", desk.acts)
    };
    assert_eq!((naming.person.as_str(), naming.words.as_str()), ("cy", "ok"));
    assert_eq!(Some(&naming.from), desk.world.rules.standing.accepted.as_ref());
    // Who stands for them already is told why another must.
    let mut desk = at(changed("ana", &["ana"]), Theme::standard(), (80, 24));
    desk.press("P").sees("ana stands for these rules and cannot also accept them");
    assert!(!desk.acts.iter().any(|act| matches!(act, Act::NameRules(_))));
    let mut desk = at(fixture::world(), Theme::standard(), (80, 24));
    desk.press("P").sees("the rules are those that were accepted");
}
