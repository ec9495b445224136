//! `gonogo approve`, `reject`, `withdraw`: what a person says about a stored plan.

use std::sync::Arc;
use std::time::Duration;

use crate::cli::exit::Exit;
use crate::cli::verbs::deed;
use crate::cli::{json, out, settle, stored, target};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::authors;
use crate::control::event::Event;
use crate::control::gate;
use crate::control::world::World;
use crate::model::approval::{Decision, Ruling};
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::text::Text;

/// A ruling as it was typed.
pub struct Wish {
    /// What is said.
    pub decision: Decision,
    /// The target; none where the plan names it.
    pub target: Option<String>,
    /// The plan, by some of its digits.
    pub plan: String,
    /// Why.
    pub reason: String,
    /// As JSON.
    pub json: bool,
}

/// Records a ruling: exit 0 recorded, 3 refused by policy (recorded as denied), 5 the plan is gone, 10 which plan is not clear.
pub async fn run(around: &Surroundings, flags: &Flags, wish: Wish) -> Exit {
    match try_run(around, flags, wish).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, wish: Wish) -> Result<Exit, Exit> {
    let mut opened = settle::open(around, flags, false).await?;
    let world = settle::recorded(&mut opened.handle, Duration::from_secs(12)).await;
    let plan = stored::find(&opened, &wish.plan, wish.decision.word()).await?;
    rule(opened, &world, plan, wish).await
}

/// Records what is said about a plan, in a room that was opened for it.
///
/// # Errors
/// As the exit that the verb ends with.
pub async fn rule(mut opened: settle::Opened, world: &World, plan: Plan, wish: Wish) -> Result<Exit, Exit> {
    if let Some(typed) = &wish.target {
        let target = target::find(world, typed)?;
        if &target != plan.target() {
            let what = format!("plan {} is for {}, not for {target}", plan.id.short(), plan.target());
            out::words(&format!("gonogo: {what}"));
            let reason = Reason::new("other-plan", &what, "name the plan's own target");
            stored::refuse(&opened, &plan.id.to_string(), wish.decision.word(), reason).await;
            return Err(Exit::Usage);
        }
    }
    let words = Text::clean_within(&wish.reason, 500);
    let told = if wish.decision == Decision::Approve { told(&mut opened, &plan, world).await } else { None };
    let world = told.as_deref().unwrap_or(world);
    let ruling = gate::ruling(world, &plan, wish.decision, words, &opened.clock.now()).map_err(|error| {
        out::words(&format!("gonogo: failed to write what is said about the plan in canonical form: {error}"));
        Exit::Failed
    })?;
    opened.handle.send(Event::Rule { ruling: ruling.clone() }).await;
    let result = loop {
        let found = opened.handle.world().ruled.iter().find(|one| one.ruling == ruling).map(|one| one.result.clone());
        if let Some(result) = found {
            break result;
        }
        if !opened.handle.changed().await {
            out::words("gonogo: the room ended before it was recorded");
            return Err(Exit::Failed);
        }
    };
    // The store is read again right after; what counts now is known then.
    let world = settle::reread(&mut opened.handle, world, Duration::from_secs(5)).await;
    let waiting = world.waiting.iter().find(|one| one.plan.id == plan.id);
    let (needs, given) = waiting.map_or((None, 0), |one| gate::agreed(&world, one));
    if wish.json {
        out::json(&json::ruling(&ruling, &plan, &result, needs, given));
    }
    let say = |text: &str| if wish.json { out::words(text) } else { out::line(text) };
    let about = format!("plan {}: {} {} of {}", plan.id.short(), plan.intent.verb.word(), plan.target(), plan.intent.requester);
    match result {
        Ok(_) => {
            say(&format!("{} {about}", ruling.decision.word().to_uppercase()));
            say(&next(&ruling, &plan, needs, given));
            opened.tell().await;
            Ok(Exit::Done)
        }
        Err(error) => {
            say(&format!("DENIED: {} {about}", ruling.decision.word()));
            out::words(&format!("  {error}"));
            opened.tell().await;
            Err(Exit::of_ledger(&error))
        }
    }
}

/// Waits until it is known who made what a plan brings: what is approved is what was seen.
async fn told(opened: &mut settle::Opened, plan: &Plan, world: &World) -> Option<Arc<World>> {
    authors::of_plan(world, plan, &opened.clock.now())?;
    settle::settled_for(&mut opened.handle, plan.target(), Duration::from_secs(12)).await;
    settle::told(&mut opened.handle, plan, &opened.clock.now(), deed::AUTHORS_WITHIN).await;
    Some(opened.handle.world())
}

/// What comes after a ruling.
fn next(ruling: &Ruling, plan: &Plan, needs: Option<u32>, given: u32) -> String {
    match (ruling.decision, needs) {
        (Decision::Approve, Some(needs)) if given >= needs => {
            let from = plan.order.begin().map(|begin| format!(" from {} on", begin.format("%Y-%m-%d %H:%M:%SZ"))).unwrap_or_default();
            format!("  {given} of {needs} given; {} may run `gonogo execute {}`{from}", plan.intent.requester, plan.id.short())
        }
        (Decision::Approve, Some(needs)) => format!("  {given} of {needs} given"),
        (Decision::Approve, None) => "  recorded".to_owned(),
        (Decision::Withdraw, Some(needs)) => format!("  the plan waits on; {given} of {needs} given"),
        (Decision::Reject | Decision::Withdraw, _) => "  the plan has ended; nothing was done".to_owned(),
    }
}
