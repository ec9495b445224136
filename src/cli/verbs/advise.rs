//! `gonogo rollout advise`: which strategy suits a target, why, and what would change that.

use serde_json::json;

use crate::cli::args::RolloutAdvise;
use crate::cli::exit::Exit;
use crate::cli::{out, settle, target};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::advice;
use crate::model::time::rfc3339;
use crate::policy::advice::Choice;

/// Advises on one target; nothing is ordered.
pub async fn run(around: &Surroundings, flags: &Flags, args: &RolloutAdvise) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, args: &RolloutAdvise) -> Result<Exit, Exit> {
    let mut opened = settle::look(around, flags).await?;
    let target = target::find(&opened.handle.world(), &args.target)?;
    let world = settle::settled_for(&mut opened.handle, &target, args.settle).await;
    let now = opened.clock.now();
    let Some((facts, advice)) = advice::advice(&world, &target, &now) else {
        out::words(&format!("gonogo: {target} is not configured"));
        return Err(Exit::Target);
    };
    let configured = world.catalog.deploy(&target).map(|deploy| deploy.strategy);
    if args.json {
        let choice = |choice: &Choice| json!({ "strategy": choice.strategy.word(), "first": choice.first, "asks": choice.asks, "words": choice.words() });
        let hourly = facts.rate.map(|rate| (rate * 3_600.0).round());
        out::json(&json!({
            "schema": 1,
            "at": rfc3339(&now.wall),
            "target": target.to_string(),
            "configured": configured,
            "advised": choice(&advice.choice),
            "reasons": advice.reasons,
            "unknown": advice.unknown,
            "turns": advice.turns.iter().map(|turn| json!({ "when": turn.when, "then": choice(&turn.then) })).collect::<Vec<_>>(),
            "facts": {
                "requests_per_hour": hourly,
                "risk": facts.risk,
                "stateful": facts.stateful,
                "measures": facts.measures.iter().map(|one| &one.name).collect::<Vec<_>>(),
                "objectives": facts.objectives,
                "alerts": facts.alerts,
                "way_back_proven_days": facts.back.proven_days,
                "ways_back_failed": facts.back.failed,
            },
        }));
        return Ok(Exit::Done);
    }
    out::line(&format!("{target}: {}", advice.choice.words()));
    advice.reasons.iter().for_each(|reason| out::line(&format!("  {reason}")));
    advice.unknown.iter().for_each(|what| out::line(&format!("  not known: {what}")));
    for turn in &advice.turns {
        out::line(&format!("  when {}: {}", turn.when, turn.then.words()));
    }
    Ok(Exit::Done)
}
