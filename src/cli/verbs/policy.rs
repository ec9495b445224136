//! `gonogo policy`: which rules count, what changed in them, and putting a name under them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::exit::Exit;
use crate::cli::{json::SCHEMA, out, settle};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::event::Event;
use crate::control::rules;
use crate::control::world::World;
use crate::model::rules::RuleSet;
use crate::model::text::Text;

/// Says which rules count and what waits to be accepted.
pub async fn show(around: &Surroundings, flags: &Flags, as_json: bool) -> Exit {
    let mut opened = match settle::look(around, flags).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let world = settle::recorded(&mut opened.handle, Duration::from_secs(12)).await;
    if as_json {
        out::json(&object(&world, None));
    } else {
        tell(&world);
    }
    Exit::Done
}

/// Puts the name of whoever is at the keys under the changed rules: exit 0 accepted, 4 another must accept, 3 refused, 5 changed meanwhile.
pub async fn accept(around: &Surroundings, flags: &Flags, digest: Option<&str>, reason: &str, as_json: bool) -> Exit {
    match try_accept(around, flags, digest, reason, as_json).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_accept(around: &Surroundings, flags: &Flags, digest: Option<&str>, reason: &str, as_json: bool) -> Result<Exit, Exit> {
    let mut opened = settle::open(around, flags, false).await?;
    let world = settle::recorded(&mut opened.handle, Duration::from_secs(12)).await;
    let naming = rules::naming(&world, Text::clean_within(reason, 500));
    if digest.is_some_and(|digits| digits.len() < 8 || !naming.digest.starts_with(digits)) {
        let shown = naming.digest.get(..8).unwrap_or_default();
        out::words(&format!("gonogo: the rules of this configuration are {shown}; `gonogo policy show` tells what differs"));
        return Err(Exit::Stale);
    }
    opened.handle.send(Event::NameRules { naming: naming.clone() }).await;
    let result = loop {
        let found = opened.handle.world().rules.named.as_ref().filter(|one| one.naming == naming).map(|one| one.result.clone());
        if let Some(result) = found {
            break result;
        }
        if !opened.handle.changed().await {
            out::words("gonogo: the room ended before it was recorded");
            return Err(Exit::Failed);
        }
    };
    let world = opened.handle.world();
    if as_json {
        out::json(&object(&world, result.as_ref().err().map(ToString::to_string).as_deref()));
    }
    let say = |text: &str| if as_json { out::words(text) } else { out::line(text) };
    let exit = match result {
        Ok(stands) if stands.waits() => {
            say(&format!("{} stands for the changed rules; they do not count yet", naming.person));
            tell_who(&world, &say);
            Ok(Exit::Waits)
        }
        Ok(_) => {
            say("ACCEPTED: the changed rules count from now on; plans made before are void");
            Ok(Exit::Done)
        }
        Err(error) => {
            say("DENIED: policy accept");
            out::words(&format!("  {error}"));
            Err(Exit::of_ledger(&error))
        }
    };
    opened.tell().await;
    exit
}

fn tell(world: &World) {
    let standing = &world.rules.standing;
    let digits = |digest: &str| digest.get(..8).unwrap_or("none").to_owned();
    let Some(older) = &world.rules.older else {
        let guarded = RuleSet::of(&world.catalog).is_guarded();
        out::line(&format!("rules {} count", digits(&standing.current)));
        if !guarded {
            out::line("  nobody guards them: no person has the role policy-owner, so changed rules count at once (and are recorded)");
        }
        return;
    };
    out::line(&format!(
        "rules {} are CHANGED and not accepted; until then the stricter answer of {} and these holds",
        digits(&standing.current),
        digits(&older.digest)
    ));
    for one in older.rules.differences(&older.newer) {
        out::line(&format!("  {} {} {}", one.what.word(), one.name, one.how.word()));
        for detail in &one.details {
            out::line(&format!("    {detail}"));
        }
    }
    if !standing.names.is_empty() {
        out::line(&format!("  stands for them: {}", standing.names.join(", ")));
    }
    tell_who(world, &out::line);
}

fn tell_who(world: &World, say: &dyn Fn(&str)) {
    let who = rules::acceptors(world);
    let who = if who.is_empty() { "nobody; take the change back".to_owned() } else { who.join(", ") };
    say(&format!("  may accept, with gonogo policy accept: {who}"));
}

fn object(world: &World, error: Option<&str>) -> Value {
    let standing = &world.rules.standing;
    let older = world.rules.older.as_ref();
    let differences: Vec<Value> = older
        .map(|older| older.rules.differences(&older.newer))
        .unwrap_or_default()
        .iter()
        .map(|one| json!({ "what": one.what.word(), "name": one.name, "how": one.how.word(), "details": one.details }))
        .collect();
    json!({
        "schema": SCHEMA,
        "current": standing.current,
        "accepted": standing.accepted,
        "waits": standing.waits(),
        "guarded": older.map_or_else(|| RuleSet::of(&world.catalog).is_guarded(), |_| true),
        "names": standing.names,
        "may_accept": rules::acceptors(world),
        "differences": differences,
        "error": error,
    })
}
