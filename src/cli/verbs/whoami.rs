//! `gonogo whoami`: whom the room takes you for, and by what.

use serde_json::{Value, json};

use crate::cli::exit::Exit;
use crate::cli::who::{self, Found, Proof};
use crate::cli::{compose, out};
use crate::config::surroundings::{Flags, Surroundings};
use crate::model::operator::{Actor, By, Grant, Person};

/// Says who you are here. The agent's key signs, as it would for a deed.
pub async fn run(around: &Surroundings, flags: &Flags, as_json: bool) -> Exit {
    let loaded = match compose::configuration_if_any(around, flags) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let people = loaded.as_ref().map_or(&[][..], |loaded| loaded.config.catalog.people.as_slice());
    let found = who::ask(around, people, Proof::Asked).await;
    let os_user = found.os_user.as_str();
    if as_json {
        out::json(&object(&found, people));
        return Exit::Done;
    }
    let how = who::words(&found.recognised, os_user);
    out::line(&match person(&found, people) {
        Some(person) => {
            let roles: Vec<_> = person.roles.iter().map(role).collect();
            format!("{}, {how}: {}", person.name, if roles.is_empty() { "no role".to_owned() } else { roles.join("; ") })
        }
        None => format!("{}, {how}", found.recognised.actor),
    });
    match &found.keys {
        Ok(keys) => {
            for key in keys {
                let kind = key.split(' ').next().unwrap_or_default();
                let whose = owner(key, people).unwrap_or("nobody's");
                out::line(&format!("  key  {}  {kind}  {whose}", who::fingerprint(key)));
            }
        }
        Err(error) => out::line(&format!("  no key: {error}")),
    }
    Exit::Done
}

fn object(found: &Found, people: &[Person]) -> Value {
    let known = match &found.recognised.actor {
        Actor::Person(_) => "configured",
        Actor::Unverified(_) => "unverified",
        Actor::Stranger(_) => "stranger",
    };
    let by = match &found.recognised.by {
        By::AgentKey(_) => Some("agent-key"),
        By::SystemUser => Some("system-user"),
        By::NobodyConfigured | By::SeveralKeys(_) | By::SharedUser(_) | By::NobodysUser | By::Unproven { .. } => None,
    };
    let roles = person(found, people).map_or(&[][..], |person| person.roles.as_slice());
    let grant = |grant: &Grant| json!({ "role": grant.role, "environments": grant.environments, "services": grant.services });
    let key = |key: &String| {
        let kind = key.split(' ').next();
        json!({ "fingerprint": who::fingerprint(key), "type": kind, "person": owner(key, people) })
    };
    json!({
        "schema": crate::cli::json::SCHEMA,
        "name": found.recognised.actor.to_string(),
        "os_user": found.os_user,
        "known": known,
        "by": by,
        "how": who::words(&found.recognised, &found.os_user),
        "keys": found.keys.iter().flatten().map(key).collect::<Vec<_>>(),
        "agent_error": found.keys.as_ref().err().map(ToString::to_string),
        "roles": roles.iter().map(grant).collect::<Vec<_>>(),
    })
}

fn person<'a>(found: &Found, people: &'a [Person]) -> Option<&'a Person> {
    people.iter().find(|person| matches!(&found.recognised.actor, Actor::Person(name) if *name == person.name))
}

fn owner<'a>(key: &str, people: &'a [Person]) -> Option<&'a str> {
    people.iter().find(|person| person.has_key(key)).map(|person| person.name.as_str())
}

fn role(grant: &Grant) -> String {
    let places: Vec<_> = grant.environments.iter().map(ToString::to_string).collect();
    if places.is_empty() { grant.role.to_string() } else { format!("{} in {}", grant.role, places.join(", ")) }
}
