//! `gonogo whoami`: who the room takes this system user for.

use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::{compose, out};
use crate::config::surroundings::{Flags, Surroundings};
use crate::model::operator::Actor;

/// Says who you are here.
pub fn run(around: &Surroundings, flags: &Flags, as_json: bool) -> Exit {
    let loaded = match compose::configuration_if_any(around, flags) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let user = compose::os_user(around);
    let catalog = loaded.as_ref().map(|loaded| &loaded.config.catalog);
    let actor = Actor::recognise(&user, catalog.map_or(&[], |catalog| catalog.people.as_slice()));
    let person = match &actor {
        Actor::Person(name) => catalog.and_then(|catalog| catalog.person(name)),
        Actor::Unverified(_) | Actor::Stranger(_) => None,
    };
    let (name, known) = (
        actor.to_string(),
        match &actor {
            Actor::Person(_) => "configured",
            Actor::Unverified(_) => "unverified",
            Actor::Stranger(_) => "stranger",
        },
    );
    if as_json {
        let roles: Vec<_> = person
            .map(|person| {
                person
                    .roles
                    .iter()
                    .map(|grant| json!({ "role": grant.role, "environments": grant.environments, "services": grant.services }))
                    .collect()
            })
            .unwrap_or_default();
        out::json(&json!({ "schema": crate::cli::json::SCHEMA, "name": name, "os_user": user, "known": known, "roles": roles }));
        return Exit::Done;
    }
    out::line(&match (&actor, person) {
        (Actor::Person(_), Some(person)) => {
            let roles: Vec<_> = person
                .roles
                .iter()
                .map(|grant| {
                    let places: Vec<_> = grant.environments.iter().map(ToString::to_string).collect();
                    if places.is_empty() { grant.role.to_string() } else { format!("{} in {}", grant.role, places.join(", ")) }
                })
                .collect();
            format!("{name}, system user {user}: {}", if roles.is_empty() { "no role".to_owned() } else { roles.join("; ") })
        }
        (Actor::Unverified(_), _) => format!("{name}, unverified: nobody is configured, so this system user has every role"),
        (Actor::Stranger(_) | Actor::Person(_), _) => {
            format!("{name}: people are configured and none has os_user = \"{user}\", so this user may only look")
        }
    });
    Exit::Done
}
