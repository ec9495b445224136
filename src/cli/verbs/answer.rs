//! `gonogo approve` and `gonogo reject`: of a plan that waits for another person, of a run that waits at a gate, or of a grant.

use std::time::Duration;

use crate::cli::args::{DeedFlags, RuleArgs};
use crate::cli::exit::Exit;
use crate::cli::verbs::grant::{Answer, answer};
use crate::cli::verbs::{deed, rule};
use crate::cli::{out, settle, target};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::gated;
use crate::control::planner::waits_in_a_line;
use crate::control::world::World;
use crate::model::approval::{Decision, Waiting};
use crate::model::catalog::BackendKind;
use crate::model::intent::{Arguments, Verb};
use crate::model::name::Target;

/// Says yes or no to what was named, or to the only thing that waits on the target; exit 10 where that is not one.
pub async fn run(around: &Surroundings, flags: &Flags, decision: Decision, args: RuleArgs) -> Exit {
    let verb = if decision == Decision::Approve { Verb::Approve } else { Verb::Reject };
    let RuleArgs { target, plan, run, grant, flags: how } = args;
    if let Some(grant) = grant {
        let agrees = decision == Decision::Approve;
        let said = Answer { agrees, place: Some(target), grant, reason: how.reason, json: how.json };
        return answer(around, flags, said).await;
    }
    if let Some(plan) = plan {
        let wish = rule::Wish { decision, target: Some(target), plan, reason: how.reason, json: how.json };
        return rule::run(around, flags, wish).await;
    }
    if run.is_some() || how.if_plan.is_some() {
        let wish = deed::Wish { verb, target, run, failed_only: false, words: Vec::new(), flags: how, break_glass: None };
        return deed::run(around, flags, wish).await;
    }
    match only(around, flags, decision, verb, &target, how).await {
        Ok(exit) | Err(exit) => exit,
    }
}

/// The only thing that waits on a target: a plan, or a run at a gate of it.
async fn only(around: &Surroundings, flags: &Flags, decision: Decision, verb: Verb, typed: &str, how: DeedFlags) -> Result<Exit, Exit> {
    // Only a room in which a run may be answered for has to settle first what dead processes left.
    let gates = settle::needed(around, flags)?.config.catalog.backends.values().any(|backend| backend.kind == BackendKind::Github);
    let mut opened = settle::open(around, flags, gates).await?;
    let world = settle::recorded(&mut opened.handle, Duration::from_secs(12)).await;
    let target = target::find(&world, typed)?;
    // Backends are waited for only where a run of theirs could wait at a gate.
    let world = if gated::has_gates(&world, &target) {
        settle::settled_for(&mut opened.handle, &target, Duration::from_secs(12)).await
    } else {
        world
    };
    let plans: Vec<&Waiting> = world.waiting.iter().filter(|one| one.plan.target() == &target).collect();
    let about = |run: &str| plans.iter().any(|one| one.plan.order.targets.iter().any(|target| target.run.as_deref() == Some(run)));
    let runs: Vec<_> = gated::waiting(&world, &target).into_iter().filter(|one| !about(&one.run.id.to_string())).collect();
    match (plans.as_slice(), runs.as_slice()) {
        ([one], []) => {
            if how.dry_run || how.change.is_some() || how.ticket.is_some() {
                out::words("gonogo: what waits is a plan, and --dry-run, --change and --ticket are for runs; nothing was done");
                return Err(Exit::Usage);
            }
            let plan = one.plan.clone();
            let id = plan.id.to_string();
            let wish = rule::Wish { decision, target: None, plan: id, reason: how.reason, json: how.json };
            rule::rule(opened, &world, plan, wish).await
        }
        ([], [one]) => {
            let (run, ticket) = (Some(one.run.id.clone()), how.ticket.clone());
            let args = Arguments { run, change: how.change, ticket, ..Arguments::default() };
            Ok(deed::run_in(opened, verb, target, args, how).await)
        }
        ([], []) => {
            let gates = if gated::has_gates(&world, &target) { ", and no run of it at a gate" } else { "" };
            out::words(&format!("gonogo: no plan waits on {target}{gates}"));
            Err(Exit::Target)
        }
        (_, _) => {
            list(&world, &target, &plans);
            Err(Exit::Target)
        }
    }
}

/// Everything that waits on a target, each with what names it.
fn list(world: &World, target: &Target, plans: &[&Waiting]) {
    let runs = gated::waiting(world, target);
    out::words(&format!("gonogo: {} plans and {} runs wait on {target}; name one with --plan or --run:", plans.len(), runs.len()));
    for one in plans {
        let plan = &one.plan;
        let run = plan.order.targets.first().and_then(|target| target.run.as_ref()).map(|run| format!(" {run}")).unwrap_or_default();
        out::words(&format!("  --plan {}  {}{run} by {}", plan.id.short(), plan.intent.verb.word(), plan.intent.requester));
    }
    for one in &runs {
        out::words(&format!("  --run {}", waits_in_a_line(one)));
    }
}
