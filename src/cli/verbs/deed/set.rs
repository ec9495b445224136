//! A rollout verb on a set, or a verb on many targets by one expression: one plan a target, judged all before the first is ordered.

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
use crate::control::many::{self as control, ManyVerb};
use crate::control::world::World;
use crate::model::intent::{Arguments, Direction, Intent, Verb};
use crate::model::name::Target;
use crate::model::plan::Plan;
use crate::model::selection::Selection;
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
    of_group(opened, &Group::Set(set, verb), &how).await
}

/// A verb on every target that an expression selects, such as `*@prod`.
pub(super) async fn many(around: &Surroundings, flags: &Flags, verb: Verb, typed: &str, how: DeedFlags) -> Exit {
    let refuse = |why: &str| {
        out::words(&format!("gonogo: {why}"));
        Exit::Usage
    };
    let selection: Selection = match typed.parse() {
        Ok(selection) => selection,
        Err(error) => return refuse(&format!("{error}")),
    };
    let many = match ManyVerb::of(verb) {
        Ok(many) => many,
        Err(why) => return refuse(&format!("{} takes one target, not {selection}: {why}", verb.word())),
    };
    let opened = match settle::open(around, flags, true).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let targets = control::selected(&opened.handle.world(), &selection);
    if targets.is_empty() {
        out::words(&format!("gonogo: {selection} selects no target; `gonogo status` lists them"));
        return Exit::Target;
    }
    of_group(opened, &Group::Selection(selection, many, targets), &how).await
}

/// Targets that one verb is done to.
enum Group {
    /// Those of a set.
    Set(RolloutSet, Verb),
    /// What an expression selects.
    Selection(Selection, ManyVerb, Vec<Target>),
}

impl Group {
    fn verb(&self) -> Verb {
        match self {
            Self::Set(_, verb) => *verb,
            Self::Selection(_, many, _) => many.verb(),
        }
    }

    fn targets(&self) -> &[Target] {
        match self {
            Self::Set(set, _) => &set.targets,
            Self::Selection(_, _, targets) => targets,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Set(set, _) => set.name.to_string(),
            Self::Selection(selection, ..) => selection.to_string(),
        }
    }

    /// With what it is.
    fn whole(&self) -> String {
        match self {
            Self::Set(set, _) => format!("set {}", set.name),
            Self::Selection(selection, ..) => selection.to_string(),
        }
    }
}

/// The plans of a group, and those of it that are left out with the reason.
struct Drawn {
    plans: Vec<Plan>,
    left: Vec<(Target, String)>,
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

async fn of_group(mut opened: settle::Opened, group: &Group, how: &DeedFlags) -> Exit {
    let mut interrupts = match signal(SignalKind::interrupt()) {
        Ok(interrupts) => interrupts,
        Err(error) => {
            out::words(&format!("gonogo: failed to listen for an interrupt: {error}; nothing was done"));
            return Exit::Failed;
        }
    };
    let (name, verb) = (group.name(), group.verb());
    let drawn = tokio::select! {
        drawn = drawn(&mut opened, group, how) => drawn,
        _ = interrupts.recv() => {
            out::words(&format!("gonogo: interrupted before {} {name} was ordered: nothing of it was recorded, nothing was sent", verb.word()));
            return Exit::Interrupted;
        }
    };
    let Drawn { plans, left: out_of_it } = match drawn {
        Ok(drawn) => drawn,
        Err(exit) => return exit,
    };
    // Nothing goes forward for one when it did not for another; what stops or goes back does so wherever it can, and waits for nobody.
    let forward = plans.iter().any(is_forward);
    if !forward {
        for plan in &plans {
            opened.handle.send(Event::Confirmed { plan: Box::new(plan.clone()) }).await;
        }
    }
    let mut told: Vec<Value> = Vec::new();
    let mut worst = Exit::Done;
    let mut left = plans.iter();
    for plan in left.by_ref() {
        if forward {
            opened.handle.send(Event::Confirmed { plan: Box::new(plan.clone()) }).await;
        }
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
        if forward && !matches!(exit, Exit::Done | Exit::Waits) {
            break;
        }
    }
    if how.json {
        out::json(&object(group, "deeds", &told, &out_of_it));
    }
    let rest: Vec<String> = left.map(|plan| plan.target().to_string()).collect();
    if !rest.is_empty() && forward {
        let undo =
            if verb == Verb::Rollout { format!("; `gonogo rollout abort {name}` takes back what was started") } else { String::new() };
        out::words(&format!("gonogo: not ordered: {}{undo}", rest.join(", ")));
    } else if !rest.is_empty() {
        out::words(&format!("gonogo: ordered, and not followed to the end: {}", rest.join(", ")));
    } else if verb == Verb::Rollout && matches!(worst, Exit::Done | Exit::Waits) {
        out::words(&format!(
            "gonogo: they go on together where a room is open, or with `gonogo rollout watch {name}`; none moves before all are started"
        ));
    }
    opened.tell().await;
    worst
}

fn is_forward(plan: &Plan) -> bool {
    matches!(plan.direction, Direction::Forward | Direction::Release)
}

/// What is printed of a group; of an expression also what it is not done to.
fn object(group: &Group, what: &str, rows: &[Value], left: &[(Target, String)]) -> Value {
    match group {
        Group::Set(set, _) => json!({ "schema": 1, "set": set.name, what: rows }),
        Group::Selection(selection, ..) => {
            let left: Vec<Value> = left.iter().map(|(target, why)| json!({ "target": target, "why": why })).collect();
            json!({ "schema": 1, "selection": selection.to_string(), what: rows, "left_out": left })
        }
    }
}

/// Waits until everything that these targets need was asked once, at most `within` for all of them together.
async fn settled(opened: &mut settle::Opened, targets: &[Target], within: Duration) {
    let waiting = async {
        for target in targets {
            settle::settled_for(&mut opened.handle, target, within).await;
        }
    };
    let _ = tokio::time::timeout(within, waiting).await;
}

/// One plan a target, each judged; what would be denied for one is ordered for none of those that go forward.
async fn drawn(opened: &mut settle::Opened, group: &Group, how: &DeedFlags) -> Result<Drawn, Exit> {
    let verb = group.verb();
    if how.if_plan.is_some() {
        out::words(&format!("gonogo: {} has a plan for each target; carry out one with `gonogo execute PLAN`", group.whole()));
        return Err(Exit::Usage);
    }
    let (at, train) = booking(opened, &how.time)?;
    settled(opened, group.targets(), Duration::from_secs(12)).await;
    let world = opened.handle.world();
    let (targets, left) = match group {
        Group::Set(set, _) => (meant(&world, set, verb), Vec::new()),
        Group::Selection(_, many, targets) => {
            let meant = control::meant(&world, *many, targets.clone(), &opened.clock.now());
            (meant.targets, meant.left)
        }
    };
    if !how.json {
        for (target, why) in &left {
            out::line(&format!("left out {target}: {why}"));
        }
    }
    let run = match group {
        Group::Set(set, Verb::Rollout) => Some(Box::new(SetRun { set: set.name.clone(), nonce: nonce() })),
        Group::Set(..) | Group::Selection(..) => None,
    };
    match group {
        Group::Set(set, _) if targets.is_empty() => {
            out::words(&format!("gonogo: no rollout of set {} is under way; `gonogo rollout start {}` starts it", set.name, set.name));
            return Err(Exit::Failed);
        }
        Group::Selection(..) if targets.is_empty() => {
            out::words(&format!("gonogo: nothing to {} in {}: all of it is left out", verb.word(), group.whole()));
        }
        Group::Set(..) | Group::Selection(..) => {}
    }
    let mut judged = Vec::new();
    for target in targets {
        let world = opened.handle.world();
        let args = Arguments {
            at,
            train: train.clone(),
            ticket: how.ticket.clone(),
            change: how.change,
            set: run.clone(),
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
            out::json(&object(group, "plans", &plans, &left));
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
    let forward = judged.iter().any(|(plan, ..)| is_forward(plan));
    if forward && !matches!(exit, Exit::Done | Exit::Waits) {
        out::words(&format!("gonogo: so nothing of {} was ordered", group.whole()));
        return Err(exit);
    }
    let asks = forward && judged.iter().any(|(plan, ..)| gate::asks_for_text(&opened.handle.world(), plan.target()));
    if asks && !how.yes {
        let shown: String = judged.iter().map(|(plan, ..)| in_short(plan)).collect();
        typed_name(&group.name(), &group.whole(), &shown).await?;
    }
    Ok(Drawn { plans: judged.into_iter().map(|(plan, ..)| plan).collect(), left })
}
