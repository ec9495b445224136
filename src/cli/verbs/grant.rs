//! `gonogo grant`, `revoke`, `grants`: roles that people take for a while, and what others say to it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::args::GrantArgs;
use crate::cli::exit::Exit;
use crate::cli::verbs::deed;
use crate::cli::{json as shapes, out, settle};
use crate::config::duration;
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::engine::reasons_of;
use crate::control::event::Event;
use crate::control::saying::{self, By};
use crate::control::world::World;
use crate::model::name::Target;
use crate::model::reason::Reason;
use crate::model::self_service::{GrantState, OnGrant, Place, Saying, SelfGrant, SelfService, Spoken};
use crate::model::text::Text;
use crate::ports::ledger::LedgerError;

/// What somebody says to a grant that there is.
pub struct Answer {
    /// Whether it is agreed to; else it is taken back.
    pub agrees: bool,
    /// The place as it was typed, which must be the grant's.
    pub place: Option<String>,
    /// The grant, 8 or more of its digits.
    pub grant: String,
    /// Why.
    pub reason: String,
    /// As JSON.
    pub json: bool,
}

/// Says something through the room, so that it is signed where it must be, and waits until it is recorded or refused.
///
/// # Errors
/// Exit 1 when the room ended before.
pub async fn speak(opened: &mut settle::Opened, saying: Saying) -> Result<Result<Spoken, LedgerError>, Exit> {
    opened.handle.send(Event::Speak { saying: saying.clone() }).await;
    loop {
        let found = opened.handle.world().heard.iter().find(|one| one.saying == saying).map(|one| one.result.clone());
        if let Some(result) = found {
            return Ok(result);
        }
        if !opened.handle.changed().await {
            out::words("gonogo: the room ended before it was recorded");
            return Err(Exit::Failed);
        }
    }
}

/// Takes a role for a while: exit 0 recorded, 3 refused by policy (recorded as denied), 10 no such place.
pub async fn take(around: &Surroundings, flags: &Flags, args: GrantArgs) -> Exit {
    match try_take(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_take(around: &Surroundings, flags: &Flags, args: GrantArgs) -> Result<Exit, Exit> {
    let mut opened = settle::open(around, flags, false).await?;
    let world = settle::recorded(&mut opened.handle, Duration::from_secs(12)).await;
    there(&world, &args.place)?;
    let words = (Text::clean_within(&args.reason, 500), deed::nonce());
    let wish = saying::wish(&world, args.role, args.place, args.span, words, &opened.clock.now());
    said(&mut opened, Saying::Grant(wish), args.json).await
}

/// Agrees to a grant or takes it back: exit 0 recorded, 3 refused by policy (recorded as denied), 5 there is no such grant.
pub async fn answer(around: &Surroundings, flags: &Flags, answer: Answer) -> Exit {
    match try_answer(around, flags, answer).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_answer(around: &Surroundings, flags: &Flags, answer: Answer) -> Result<Exit, Exit> {
    let mut opened = settle::open(around, flags, false).await?;
    let world = settle::recorded(&mut opened.handle, Duration::from_secs(12)).await;
    if let (Some(typed), Some(grant)) = (&answer.place, saying::found(&world, &answer.grant))
        && typed.parse::<Place>().ok().as_ref() != Some(&grant.place)
    {
        out::words(&format!("gonogo: grant {} is for {}, not for {}", grant.short(), grant.place, Text::clean_within(typed, 80)));
        return Err(Exit::Usage);
    }
    let on = OnGrant { grant: answer.grant, person: world.actor.to_string(), words: Text::clean_within(&answer.reason, 500) };
    let saying = if answer.agrees { Saying::Agree(on) } else { Saying::Revoke(on) };
    said(&mut opened, saying, answer.json).await
}

/// Whether a place is configured.
fn there(world: &World, place: &Place) -> Result<(), Exit> {
    let is_there = match &place.service {
        Some(service) => world.target(&Target::new(service.clone(), place.environment.clone())).is_some(),
        None => world.catalog.environment(&place.environment).is_some(),
    };
    if is_there {
        return Ok(());
    }
    out::words(&format!("gonogo: {place} is not configured; `gonogo status` lists what is"));
    Err(Exit::Target)
}

async fn said(opened: &mut settle::Opened, saying: Saying, as_json: bool) -> Result<Exit, Exit> {
    let result = speak(opened, saying.clone()).await?;
    let now = opened.clock.now().wall;
    if as_json {
        let (grant, reasons) = match &result {
            Ok(Spoken::Grant(grant)) => (shapes::taken(grant, &now), Vec::new()),
            Ok(Spoken::Review(_)) => (Value::Null, Vec::new()),
            Err(error) => (Value::Null, reasons_of(error)),
        };
        let (decision, person) = (saying.word(), saying.person());
        out::json(
            &json!({ "schema": shapes::SCHEMA, "decision": decision, "person": person, "grant": grant, "reasons": shapes::reasons(&reasons) }),
        );
    }
    let say = |text: &str| if as_json { out::words(text) } else { out::line(text) };
    match result {
        Ok(Spoken::Grant(grant)) => {
            say(&sentence(&saying, &grant));
            Ok(Exit::Done)
        }
        Ok(Spoken::Review(_)) => Err(Exit::Failed),
        Err(error) => {
            say(&format!("DENIED: {}", saying.word()));
            reasons_of(&error).iter().for_each(tell);
            Err(Exit::of_ledger(&error))
        }
    }
}

fn tell(reason: &Reason) {
    out::words(&format!("  {}: {}; {}", reason.rule, reason.text, reason.fix));
}

fn sentence(saying: &Saying, grant: &SelfGrant) -> String {
    let SelfGrant { role, place, person, needs, .. } = grant;
    let until = grant.until.format("%Y-%m-%d %H:%M:%SZ");
    match saying {
        Saying::Grant(_) if *needs == 0 => format!("GRANTED {}: {person} is {role} of {place} until {until}", grant.short()),
        Saying::Grant(_) => format!(
            "ASKED {}: {role} of {place} until {until} counts once {needs} who hold it agree\n  they:  gonogo approve {place} --grant {}",
            grant.short(),
            grant.short()
        ),
        Saying::Agree(on) => format!("AGREED {}: {} agrees that {person} is {role} of {place} until {until}", grant.short(), on.person),
        Saying::Revoke(_) | Saying::Review(_) => format!("REVOKED {}: {person} is {role} of {place} no longer", grant.short()),
    }
}

/// Lists grants, and what whoever is at the keys could take.
pub async fn list(around: &Surroundings, flags: &Flags, as_json: bool) -> Exit {
    match try_list(around, flags, as_json).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_list(around: &Surroundings, flags: &Flags, as_json: bool) -> Result<Exit, Exit> {
    let mut opened = settle::look(around, flags).await?;
    let world = settle::recorded(&mut opened.handle, Duration::from_secs(12)).await;
    let now = opened.clock.now().wall;
    let grants = opened.ledger.grants().await.map_err(|error| {
        out::words(&format!("gonogo: {error}"));
        Exit::of_ledger(&error)
    })?;
    let offered: Vec<_> =
        world.catalog.environments.iter().flat_map(|one| one.self_service.iter().map(move |rule| (&one.name, rule))).collect();
    if as_json {
        let all: Vec<Value> = grants.iter().map(|grant| shapes::taken(grant, &now)).collect();
        let offered: Vec<Value> = offered
            .iter()
            .map(|(environment, rule)| {
                let SelfService { role, teams, services, at_most, pause, approvals } = rule;
                let (at_most, pause) = (duration::write(*at_most), duration::write(*pause));
                json!({ "environment": environment, "role": role, "teams": teams, "services": services, "at_most": at_most, "pause": pause, "approvals": approvals })
            })
            .collect();
        let reader = By::of(&world).actor.to_string();
        out::json(&json!({ "schema": shapes::SCHEMA, "reader": reader, "grants": all, "offered": offered }));
        return Ok(Exit::Done);
    }
    for grant in &grants {
        let SelfGrant { person, role, place, reason, .. } = grant;
        let until = grant.until.format("%Y-%m-%d %H:%M:%SZ");
        let agreed: Vec<&str> = grant.agreed.iter().map(|one| one.person.as_str()).collect();
        let agreed = match (agreed.is_empty(), grant.state(&now)) {
            (true, GrantState::Asked) => format!("  0 of {} agreed", grant.needs),
            (true, GrantState::Granted | GrantState::Ended | GrantState::Revoked) => String::new(),
            (false, _) => format!("  agreed by {}", agreed.join(", ")),
        };
        let state = grant.state(&now).word().to_uppercase();
        out::line(&format!("{state:<8}{}  {person} {role} {place} until {until}{agreed}  {reason}", grant.short()));
    }
    if grants.is_empty() {
        out::line("nobody took a role for a while");
    }
    for (environment, rule) in offered {
        let teams =
            if rule.teams.is_empty() { "anybody who is configured".to_owned() } else { format!("team {}", rule.teams.join(" or ")) };
        let services: Vec<_> = rule.services.iter().map(ToString::to_string).collect();
        let services = if services.is_empty() { String::new() } else { format!(" for {}", services.join(", ")) };
        let agree = if rule.approvals == 0 { String::new() } else { format!(", {} others agree", rule.approvals) };
        out::line(&format!("OFFERED {} @{environment}{services} to {teams}, at most {}{agree}", rule.role, duration::write(rule.at_most)));
    }
    Ok(Exit::Done)
}
