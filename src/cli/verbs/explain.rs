//! `gonogo explain VERB TARGET`: what the verdict would be, without doing or storing anything.

use std::time::Duration;

use crate::cli::args::Explain;
use crate::cli::exit::Exit;
use crate::cli::verbs::deed;
use crate::cli::{json, out, settle, target};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::gate;
use crate::model::intent::Intent;
use crate::model::presence::of_them;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;
use crate::ui::changes;

/// Explains a verdict: exit 0 permit, 4 waits for another person, 3, 5 or 6 denied.
pub async fn run(around: &Surroundings, flags: &Flags, args: &Explain) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, args: &Explain) -> Result<Exit, Exit> {
    let mut arguments = deed::arguments(args.verb, &args.args, args.run.as_deref(), args.failed)?;
    arguments.change = args.change;
    let mut opened = settle::look(around, flags).await?;
    let target = target::find(&opened.handle.world(), &args.target)?;
    let world = settle::settled_for_deed(&mut opened.handle, args.verb, &target, Duration::from_secs(12)).await;
    let now = opened.clock.now();
    let now = Moment { wall: args.at.unwrap_or(now.wall), ..now };
    let requester = match &args.person {
        Some(name) => deed::actor_named(&world, name)?,
        None => world.actor.clone(),
    };
    let intent = Intent { verb: args.verb, target, args: arguments, requester, reason: Text::empty() };
    let plan = deed::plan(&world, &now, intent)?;
    let told = settle::told(&mut opened.handle, &plan, &opened.clock.now(), Duration::from_secs(30)).await;
    let (world, plan) = if told {
        let world = opened.handle.world();
        let plan = deed::plan(&world, &now, plan.intent)?;
        (world, plan)
    } else {
        (world, plan)
    };
    let verdict = gate::judge(&world, &plan, &now);
    let (word, exit) = match &verdict {
        Verdict::Permit(_) => ("GO", Exit::Done),
        Verdict::SecondPerson { .. } => ("WAITS for another person", Exit::Waits),
        Verdict::Early(_) => ("NOT YET", Exit::Denied),
        Verdict::Deny(reasons) => ("NO GO", Exit::of_reasons(reasons)),
    };
    if args.json {
        // Once ordered it would be put before those who must agree, or aside for its time, unless it is denied.
        let state = changes::state_of(&world, &plan, &verdict, !matches!(verdict, Verdict::Deny(_)), &now);
        out::json(&json::explanation(&plan.intent, &verdict, state, &world));
        return Ok(exit);
    }
    out::line(&format!("{} {} as {}: {word}", plan.intent.verb.word(), plan.target(), plan.intent.requester));
    for reason in verdict.reasons() {
        out::line(&format!("  {}: {}; {}", reason.rule, reason.text, reason.fix));
    }
    if let Verdict::SecondPerson { may, .. } = &verdict {
        out::line(&format!("  here: {}", of_them(&world.here, may)));
    }
    for one in plan.evidence.iter().filter(|one| one.warns) {
        out::line(&format!("  ~ {}", one.text));
    }
    Ok(exit)
}
