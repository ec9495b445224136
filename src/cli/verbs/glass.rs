//! `gonogo break-glass VERB TARGET`, `break-glass list` and `review`: deeds past the rules, and what they leave owed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::args::{BreakGlass, Glass};
use crate::cli::exit::Exit;
use crate::cli::verbs::deed;
use crate::cli::verbs::grant::speak;
use crate::cli::{json as shapes, out, settle};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::world::World;
use crate::model::review::{Cause, Finding, LEAST_REASON, Review};
use crate::model::self_service::{Saying, Spoken};
use crate::model::text::Text;

/// Breaks the glass, or lists where it is broken.
pub async fn run(around: &Surroundings, flags: &Flags, args: BreakGlass) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, args: BreakGlass) -> Result<Exit, Exit> {
    let usage = |text: &str| {
        out::words(&format!("gonogo: {text}"));
        Exit::Usage
    };
    let verb = match (args.what, &args.target) {
        (Glass::List, None) => return list(around, flags, args.flags.json).await,
        (Glass::List, Some(_)) => return Err(usage("break-glass list takes no target")),
        (Glass::Break(_), None) => return Err(usage("break-glass needs a target: break-glass VERB TARGET --reason R")),
        (Glass::Break(verb), Some(_)) => verb,
    };
    if args.flags.if_plan.is_none() && Text::clean(&args.flags.reason).as_str().trim().chars().count() < LEAST_REASON {
        return Err(usage(&format!("break glass needs --reason, {LEAST_REASON} characters or more: what is broken, why it cannot wait")));
    }
    let BreakGlass { target, args: words, run, time_box, flags: how, .. } = args;
    let target = target.unwrap_or_default();
    Ok(deed::run(around, flags, deed::Wish { verb, target, run, failed_only: false, words, flags: how, break_glass: Some(time_box) }).await)
}

async fn list(around: &Surroundings, flags: &Flags, as_json: bool) -> Result<Exit, Exit> {
    let mut opened = settle::look(around, flags).await?;
    let world = settle::recorded(&mut opened.handle, Duration::from_secs(12)).await;
    let now = opened.clock.now();
    let reviews = opened.ledger.reviews().await.map_err(|error| {
        out::words(&format!("gonogo: {error}"));
        Exit::of_ledger(&error)
    })?;
    let used = use_of(&world, &reviews);
    if as_json {
        let told = |review: &&Review| shapes::review(review, &team(&world, review), &now.wall);
        let open: Vec<Value> = reviews.iter().filter(|review| review.open_until(&now.wall).is_some()).map(|review| told(&review)).collect();
        let owed: Vec<Value> = reviews.iter().filter(|review| review.is_owed()).map(|review| told(&review)).collect();
        let used: Vec<Value> = used.iter().map(|((month, team), times)| json!({ "month": month, "team": team, "times": times })).collect();
        out::json(&json!({ "schema": shapes::SCHEMA, "open": open, "owed": owed, "use": used }));
        return Ok(Exit::Done);
    }
    for review in &reviews {
        if let Some(until) = review.open_until(&now.wall) {
            let until = until.format("%Y-%m-%d %H:%M:%SZ");
            out::line(&format!(
                "OPEN   {} {} {} by {} until {until}: {}",
                review.plan.short(),
                review.verb.word(),
                review.target,
                review.by,
                review.reason
            ));
        }
    }
    for review in reviews.iter().filter(|review| review.is_owed()) {
        let due = review.due.map(|due| due.format("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default();
        let late = if review.is_overdue(&now.wall) { ", OVERDUE" } else { "" };
        let cause = review.cause.word().replace('-', " ");
        out::line(&format!(
            "OWED   {} {} {} by {} ({cause}), review due {due}{late}",
            review.plan.short(),
            review.verb.word(),
            review.target,
            review.by
        ));
    }
    for ((month, team), times) in &used {
        out::line(&format!("USED   {month} {team}: {times}"));
    }
    if reviews.is_empty() {
        out::line("the glass was never broken, and no review is owed");
    }
    Ok(Exit::Done)
}

/// The team that a service belongs to by the present configuration; empty when it has none.
fn team(world: &World, review: &Review) -> String {
    world
        .catalog
        .services
        .get(&review.target.service)
        .and_then(|service| service.team.as_ref())
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// How often the glass was broken, by month and team.
fn use_of(world: &World, reviews: &[Review]) -> BTreeMap<(String, String), u32> {
    let mut used = BTreeMap::new();
    for review in reviews.iter().filter(|review| matches!(review.cause, Cause::BreakGlass { .. })) {
        *used.entry((review.at.format("%Y-%m").to_string(), team(world, review))).or_insert(0_u32) += 1;
    }
    used
}

/// Closes a review: exit 0 recorded, 3 refused by policy (recorded as denied), 5 there is none or it was made.
pub async fn review(around: &Surroundings, flags: &Flags, id: &str, reason: &str, as_json: bool) -> Exit {
    match try_review(around, flags, id, reason, as_json).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_review(around: &Surroundings, flags: &Flags, id: &str, reason: &str, as_json: bool) -> Result<Exit, Exit> {
    let words = Text::clean_within(reason, 500);
    if words.as_str().trim().chars().count() < LEAST_REASON {
        out::words(&format!("gonogo: a review needs --reason, {LEAST_REASON} characters or more: what was found"));
        return Err(Exit::Usage);
    }
    let mut opened = settle::open(around, flags, false).await?;
    let world = settle::recorded(&mut opened.handle, Duration::from_secs(12)).await;
    let finding = Finding { plan: id.to_owned(), person: world.actor.to_string(), words };
    match speak(&mut opened, Saying::Review(finding)).await? {
        Ok(Spoken::Grant(_)) => Err(Exit::Failed),
        Ok(Spoken::Review(review)) => {
            if as_json {
                out::json(&shapes::review(&review, &team(&world, &review), &opened.clock.now().wall));
            }
            let say = |text: &str| if as_json { out::words(text) } else { out::line(text) };
            say(&format!("REVIEWED {}: {} {} of {}", review.plan.short(), review.verb.word(), review.target, review.by));
            opened.tell().await;
            Ok(Exit::Done)
        }
        Err(error) => {
            out::words(&format!("gonogo: {error}"));
            Err(Exit::of_ledger(&error))
        }
    }
}
