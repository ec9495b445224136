//! `gonogo approve`, `reject`, `withdraw`: what a person says about a stored plan.

use std::time::Duration;

use crate::cli::args::RuleArgs;
use crate::cli::exit::Exit;
use crate::cli::{json, out, settle, target};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::event::Event;
use crate::control::gate;
use crate::control::world::World;
use crate::model::approval::{Decision, Ruling};
use crate::model::plan::Plan;
use crate::model::text::Text;

/// A ruling as it was typed.
pub struct Wish {
    /// What is said.
    pub decision: Decision,
    /// The target; none where the plan names it.
    pub target: Option<String>,
    /// The plan; none for the only one that waits on the target.
    pub plan: Option<String>,
    /// Why.
    pub reason: String,
    /// As JSON.
    pub json: bool,
}

impl Wish {
    /// What is said about a plan of a target.
    pub fn on(decision: Decision, args: RuleArgs) -> Self {
        Self { decision, target: Some(args.target), plan: args.plan, reason: args.reason, json: args.json }
    }
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
    let plan = match &wish.plan {
        Some(id) => opened.ledger.plan(id).await.map_err(|error| {
            out::words(&format!("gonogo: {error}"));
            Exit::of_ledger(&error)
        })?,
        None => only(&world, wish.target.as_deref().unwrap_or_default())?,
    };
    if let Some(typed) = &wish.target {
        let target = target::find(&world, typed)?;
        if &target != plan.target() {
            out::words(&format!("gonogo: plan {} is for {}, not for {target}", plan.id.short(), plan.target()));
            return Err(Exit::Usage);
        }
    }
    let words = Text::clean_within(&wish.reason, 500);
    let ruling = gate::ruling(&world, &plan, wish.decision, words, &opened.clock.now()).map_err(|error| {
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
    let world = settle::reread(&mut opened.handle, &world, Duration::from_secs(5)).await;
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
            Ok(Exit::Done)
        }
        Err(error) => {
            say(&format!("DENIED: {} {about}", ruling.decision.word()));
            out::words(&format!("  {error}"));
            Err(Exit::of_ledger(&error))
        }
    }
}

/// The only plan that waits on a target.
fn only(world: &World, typed: &str) -> Result<Plan, Exit> {
    let target = target::find(world, typed)?;
    let on: Vec<_> = world.waiting.iter().filter(|one| one.plan.target() == &target).collect();
    match on.as_slice() {
        [one] => Ok(one.plan.clone()),
        [] => {
            out::words(&format!("gonogo: no plan waits on {target}"));
            Err(Exit::Target)
        }
        several => {
            out::words(&format!("gonogo: {} plans wait on {target}; name one with --plan:", several.len()));
            for one in several {
                out::words(&format!("  {}  {} by {}", one.plan.id.short(), one.plan.intent.verb.word(), one.plan.intent.requester));
            }
            Err(Exit::Target)
        }
    }
}

/// What comes after a ruling.
fn next(ruling: &Ruling, plan: &Plan, needs: Option<u32>, given: u32) -> String {
    match (ruling.decision, needs) {
        (Decision::Approve, Some(needs)) if given >= needs => {
            format!("  {given} of {needs} given; {} may run `gonogo execute {}`", plan.intent.requester, plan.id.short())
        }
        (Decision::Approve, Some(needs)) => format!("  {given} of {needs} given"),
        (Decision::Approve, None) => "  recorded".to_owned(),
        (Decision::Withdraw, Some(needs)) => format!("  the plan waits on; {given} of {needs} given"),
        (Decision::Reject | Decision::Withdraw, _) => "  the plan has ended; nothing was done".to_owned(),
    }
}
