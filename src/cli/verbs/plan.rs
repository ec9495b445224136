//! `gonogo plan VERB TARGET`: draws up a plan, stores it until it expires, does nothing.

use std::time::Duration;

use crate::cli::args::PlanArgs;
use crate::cli::exit::Exit;
use crate::cli::verbs::deed;
use crate::cli::{out, settle, target};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::{gate, planner};
use crate::model::intent::Intent;
use crate::model::text::Text;
use crate::ui::changes;

/// Draws up and stores a plan. Exit 0 when it could be drawn up, whatever the verdict; 9 when it cannot be stored.
pub async fn run(around: &Surroundings, flags: &Flags, args: &PlanArgs) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, args: &PlanArgs) -> Result<Exit, Exit> {
    let mut arguments = deed::arguments(args.verb, &args.args, args.run.as_deref(), args.failed)?;
    arguments.change = args.change;
    arguments.ticket = args.ticket.clone();
    let mut opened = settle::open(around, flags, false).await?;
    (arguments.at, arguments.train) = deed::booking(&opened, &args.time)?;
    let target = target::find(&opened.handle.world(), &args.target)?;
    let world = settle::settled_for_deed(&mut opened.handle, args.verb, &target, Duration::from_secs(12)).await;
    let intent =
        Intent { verb: args.verb, target, args: arguments, requester: world.actor.clone(), reason: Text::clean_within(&args.reason, 500) };
    let (world, plan, now) = deed::drawn_up(&mut opened, world, intent).await?;
    let verdict = gate::judge(&world, &plan, &now);
    let mut stored = opened.ledger.store_plan(&plan).await;
    // What is scheduled is listed from now on, where those who must agree look for it.
    let is_listed = stored.is_ok() && plan.order.begins.is_some() && planner::may_be_listed(&plan, &verdict);
    if is_listed {
        stored = opened.ledger.wait_for(plan.id).await;
    }
    let state = changes::state_of(&world, &plan, &verdict, is_listed && stored.is_ok(), &now);
    deed::tell_plan(&plan, &verdict, state, args.json);
    if let Err(error) = stored {
        out::words(&format!("gonogo: the plan is not stored: {error}"));
        return Err(Exit::of_ledger(&error));
    }
    opened.tell().await;
    Ok(Exit::Done)
}
