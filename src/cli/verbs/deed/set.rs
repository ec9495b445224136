//! A rollout verb on a set: one plan a target, judged all before the first is ordered.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::{Wish, booking, drawn_up, exit_of, follow, in_short, nonce, ordered, prepare, tell, tell_plan, typed_name};
use crate::cli::args::{Deed as Typed, DeedFlags};
use crate::cli::exit::Exit;
use crate::cli::{json, out, settle, target};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::event::Event;
use crate::control::gate;
use crate::control::world::World;
use crate::model::intent::{Arguments, Direction, Intent, Verb};
use crate::model::name::Target;
use crate::model::plan::Plan;
use crate::model::text::Text;
use crate::model::together::{RolloutSet, SetRun};
use crate::model::verdict::Verdict;
use crate::ui::changes;

/// `gonogo rollout VERB NAME`: a target, or a set of them. `word`: what the verb takes of one target, as it is typed after it.
pub async fn run(around: &Surroundings, flags: &Flags, verb: Verb, typed: Typed, word: Option<String>) -> Exit {
    let Typed { target: name, flags: how } = typed;
    if name.contains('@') {
        let wish =
            Wish { verb, target: name, run: None, failed_only: false, words: word.into_iter().collect(), flags: how, break_glass: None };
        return super::run(around, flags, wish).await;
    }
    let what = format!("{} {}", verb.word(), Text::clean_within(&name, 80));
    let opened = match settle::open(around, flags, true).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let set = of_name(&opened.handle.world(), &name);
    let Some(set) = set else {
        let preparing = async {
            let (at, train) = booking(&opened, &how.time)?;
            let of_verb = super::arguments(verb, &word.into_iter().collect::<Vec<_>>(), None, false)?;
            let args = Arguments { at, train, ticket: how.ticket.clone(), change: how.change, ..of_verb };
            let target = target::find(&opened.handle.world(), &name)?;
            prepare(opened, verb, target, args, how).await
        };
        return ordered(&what, preparing).await;
    };
    if word.is_some() {
        let flag = if verb == Verb::Promote { "--full" } else { "--version" };
        out::words(&format!("gonogo: a set takes no {flag}: it is of one target"));
        return Exit::Usage;
    }
    of_set(opened, &set, verb, &how).await
}

/// The set of that name.
pub fn of_name(world: &World, name: &str) -> Option<RolloutSet> {
    world.catalog.sets.iter().find(|set| set.name.as_str() == name).cloned()
}

/// The targets that a verb means: all of them to start it, else those whose rollout of this set is under way.
fn meant(world: &World, set: &RolloutSet, verb: Verb) -> Vec<Target> {
    let is_of_it = |target: &&Target| {
        let rollout = world.target(target).and_then(|view| view.state.rollout.as_ref());
        let course = rollout.and_then(|rollout| rollout.course.as_deref());
        course.is_some_and(|course| course.spec.together.as_ref().is_some_and(|of| of.set == set.name))
    };
    set.targets.iter().filter(|target| verb == Verb::Rollout || is_of_it(target)).cloned().collect()
}

async fn of_set(mut opened: settle::Opened, set: &RolloutSet, verb: Verb, how: &DeedFlags) -> Exit {
    let mut interrupts = match signal(SignalKind::interrupt()) {
        Ok(interrupts) => interrupts,
        Err(error) => {
            out::words(&format!("gonogo: failed to listen for an interrupt: {error}; nothing was done"));
            return Exit::Failed;
        }
    };
    let drawn = tokio::select! {
        drawn = drawn(&mut opened, set, verb, how) => drawn,
        _ = interrupts.recv() => {
            out::words(&format!("gonogo: interrupted before {} {} was ordered: nothing of it was recorded, nothing was sent", verb.word(), set.name));
            return Exit::Interrupted;
        }
    };
    let plans = match drawn {
        Ok(plans) => plans,
        Err(exit) => return exit,
    };
    let mut told: Vec<Value> = Vec::new();
    let mut worst = Exit::Done;
    let mut left = plans.iter();
    for plan in left.by_ref() {
        opened.handle.send(Event::Confirmed { plan: Box::new(plan.clone()) }).await;
        let deed = tokio::select! {
            deed = follow(&mut opened.handle, plan, how.wait) => deed,
            _ = interrupts.recv() => {
                out::words(&format!("gonogo: interrupted while {} {} was ordered; `gonogo status` shows how far it came", verb.word(), plan.target()));
                worst = Exit::Interrupted;
                break;
            }
        };
        let Some(deed) = deed else {
            out::words("gonogo: the room ended before the deed did");
            return Exit::Failed;
        };
        if how.json {
            told.push(json::deed(&deed, opened.handle.world().catalog.simulated));
        } else {
            tell(&deed, plan, &opened.handle.world(), false);
        }
        let exit = exit_of(&deed, how.wait);
        if exit != Exit::Done {
            worst = exit;
        }
        // Nothing goes forward for one when it did not for another; what stops or goes back does so wherever it can.
        let forward = matches!(plan.direction, Direction::Forward | Direction::Release);
        if forward && !matches!(exit, Exit::Done | Exit::Waits) {
            break;
        }
    }
    if how.json {
        out::json(&json!({ "schema": 1, "set": set.name, "deeds": told }));
    }
    let left: Vec<String> = left.map(|plan| plan.target().to_string()).collect();
    if !left.is_empty() {
        let undo = if verb == Verb::Rollout {
            format!("; `gonogo rollout abort {}` takes back what was started", set.name)
        } else {
            String::new()
        };
        out::words(&format!("gonogo: not ordered: {}{undo}", left.join(", ")));
    } else if verb == Verb::Rollout && matches!(worst, Exit::Done | Exit::Waits) {
        out::words(&format!(
            "gonogo: they go on together where a room is open, or with `gonogo rollout watch {}`; none moves before all are started",
            set.name
        ));
    }
    opened.tell().await;
    worst
}

/// One plan a target, each judged; what would be denied for one is ordered for none of those that go forward.
async fn drawn(opened: &mut settle::Opened, set: &RolloutSet, verb: Verb, how: &DeedFlags) -> Result<Vec<Plan>, Exit> {
    if how.if_plan.is_some() {
        out::words("gonogo: a set has a plan for each target; carry out one with `gonogo execute PLAN`");
        return Err(Exit::Usage);
    }
    let (at, train) = booking(opened, &how.time)?;
    for target in &set.targets {
        settle::settled_for(&mut opened.handle, target, Duration::from_secs(12)).await;
    }
    let run = SetRun { set: set.name.clone(), nonce: nonce() };
    let targets = meant(&opened.handle.world(), set, verb);
    if targets.is_empty() {
        out::words(&format!("gonogo: no rollout of set {} is under way; `gonogo rollout start {}` starts it", set.name, set.name));
        return Err(Exit::Failed);
    }
    let mut judged = Vec::new();
    for target in targets {
        let world = opened.handle.world();
        let args = Arguments {
            at,
            train: train.clone(),
            ticket: how.ticket.clone(),
            change: how.change,
            set: (verb == Verb::Rollout).then(|| Box::new(run.clone())),
            ..Arguments::default()
        };
        let (requester, reason) = (world.actor.clone(), Text::clean_within(&how.reason, 500));
        let (world, plan, now) = drawn_up(opened, world, Intent { verb, target, args, requester, reason }).await?;
        let verdict = gate::judge(&world, &plan, &now);
        let state = changes::state_of(&world, &plan, &verdict, false, &now);
        judged.push((plan, verdict, state));
    }
    if how.dry_run {
        if how.json {
            let plans: Vec<Value> = judged.iter().map(|(plan, verdict, state)| json::plan(plan, verdict, *state)).collect();
            out::json(&json!({ "schema": 1, "set": set.name, "plans": plans }));
        } else {
            for (plan, verdict, state) in &judged {
                tell_plan(plan, verdict, *state, false);
            }
        }
    }
    let mut exit = Exit::Done;
    for (plan, verdict, _) in &judged {
        match verdict {
            Verdict::SecondPerson { .. } if exit == Exit::Done => exit = Exit::Waits,
            Verdict::Permit(_) | Verdict::Early(_) | Verdict::SecondPerson { .. } => {}
            Verdict::Deny(reasons) => {
                exit = Exit::of_reasons(reasons);
                for reason in reasons.iter().filter(|_| !how.dry_run) {
                    out::words(&format!("gonogo: {}: {}: {}; {}", plan.target(), reason.rule, reason.text, reason.fix));
                }
            }
        }
    }
    if how.dry_run {
        return Err(exit);
    }
    let forward = judged.iter().any(|(plan, ..)| matches!(plan.direction, Direction::Forward | Direction::Release));
    if forward && !matches!(exit, Exit::Done | Exit::Waits) {
        out::words(&format!("gonogo: so nothing of set {} was ordered", set.name));
        return Err(exit);
    }
    let asks = forward && judged.iter().any(|(plan, ..)| gate::asks_for_text(&opened.handle.world(), plan.target()));
    if asks && !how.yes {
        let shown: String = judged.iter().map(|(plan, ..)| in_short(plan)).collect();
        typed_name(set.name.as_str(), &format!("set {}", set.name), &shown).await?;
    }
    Ok(judged.into_iter().map(|(plan, ..)| plan).collect())
}
