//! `gonogo whoami`: whom the room takes you for, and by what.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::adapters::clock::SystemClock;
use crate::cli::exit::Exit;
use crate::cli::who::{self, Found, Proof};
use crate::cli::{compose, out};
use crate::config::load::Loaded;
use crate::config::surroundings::{Flags, Surroundings};
use crate::model::operator::{Actor, By, Grant, Person};
use crate::model::self_service::{GrantState, SelfGrant};
use crate::ports::clock::Clock;
use crate::ports::ledger::Ledger as _;
use crate::store::SqliteStore;

/// Says who you are here. The agent's key signs, as it would for a deed.
pub async fn run(around: &Surroundings, flags: &Flags, as_json: bool) -> Exit {
    let loaded = match compose::configuration_if_any(around, flags) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let people = loaded.as_ref().map_or(&[][..], |loaded| loaded.config.catalog.people.as_slice());
    let found = who::ask(around, people, Proof::Asked, &out::words).await;
    let os_user = found.os_user.as_str();
    let grants = grants(around, loaded.as_ref(), &found).await;
    if as_json {
        out::json(&object(&found, people, &grants));
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
    for grant in &grants {
        let state = if grant.state(&SystemClock.now().wall) == GrantState::Asked { "asked for, not agreed yet: " } else { "" };
        let until = grant.until.format("%Y-%m-%d %H:%M:%SZ");
        out::line(&format!("  {state}{} of {} until {until}: gonogo revoke {}", grant.role, grant.place, grant.short()));
    }
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

/// The roles that the person took for a while and that are not over. A store that is not there or cannot be read has none to tell.
async fn grants(around: &Surroundings, loaded: Option<&Loaded>, found: &Found) -> Vec<SelfGrant> {
    let (Some(loaded), Actor::Person(name)) = (loaded, &found.recognised.actor) else { return Vec::new() };
    let path = compose::store_path(&loaded.config, around);
    if !path.is_dir() {
        return Vec::new();
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let at = clock.now().wall;
    let Ok(store) = SqliteStore::open(&path, clock, None).await else { return Vec::new() };
    let mine = |grant: &SelfGrant| &grant.person == name && matches!(grant.state(&at), GrantState::Asked | GrantState::Granted);
    let mut grants = store.grants().await.unwrap_or_default();
    grants.retain(mine);
    store.close().await;
    grants
}

fn object(found: &Found, people: &[Person], grants: &[SelfGrant]) -> Value {
    let known = match &found.recognised.actor {
        Actor::Person(_) => "configured",
        Actor::Unverified(_) => "unverified",
        Actor::Stranger(_) | Actor::Rule { .. } => "stranger",
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
        "grants": grants.iter().map(|grant| crate::cli::json::taken(grant, &SystemClock.now().wall)).collect::<Vec<_>>(),
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
