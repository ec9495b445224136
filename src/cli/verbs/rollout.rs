//! `gonogo rollout`: how rollouts stand, why, and conducting one to its end.

use serde_json::{Value, json};

use crate::cli::args::{RolloutStatus, RolloutWatch};
use crate::cli::exit::Exit;
use crate::cli::interrupts::Interrupts;
use crate::cli::verbs::deed::set;
use crate::cli::{json as shapes, out, settle, target, workload};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::beside;
use crate::control::driver::Handle;
use crate::control::rolling;
use crate::control::world::{TargetView, World};
use crate::control::world::{begun_anew, said, told};
use crate::model::name::{PlanId, Target};
use crate::model::plan::StepEffect;
use crate::model::share::Share;
use crate::model::slot::Track;
use crate::model::spec::{Course, Ending};
use crate::model::strategy::Trigger;
use crate::model::text::Text;
use crate::model::time::rfc3339;
use crate::policy::rollout::Next;

/// How rollouts stand; with `why` also each signal and what is armed.
pub async fn status(around: &Surroundings, flags: &Flags, args: &RolloutStatus, why: bool) -> Exit {
    let mut opened = match settle::look(around, flags).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let named = match args.target.as_deref().map(|typed| targets(&opened.handle.world(), typed)).transpose() {
        Ok(named) => named,
        Err(exit) => return exit,
    };
    let world = settle::settled(&mut opened.handle, args.settle).await;
    let is_meant = |view: &TargetView| match &named {
        Some(named) => named.contains(&view.target),
        None => view.state.rollout.is_some(),
    };
    let meant: Vec<_> = world.targets.values().filter(|view| is_meant(view)).collect();
    if args.json {
        let rollouts: Vec<Value> = meant.iter().map(|view| object(&world, view)).collect();
        out::json(&json!({ "schema": shapes::SCHEMA, "at": rfc3339(&opened.clock.now().wall), "rollouts": rollouts }));
        return Exit::Done;
    }
    if meant.is_empty() {
        out::line("no rollout is under way; `gonogo rollout start TARGET` starts one");
    }
    for view in meant {
        for line in in_words(&world, view, why) {
            out::line(&line);
        }
    }
    Exit::Done
}

/// The targets that a name means: one, or those of a set.
fn targets(world: &World, typed: &str) -> Result<Vec<Target>, Exit> {
    match set::of_name(world, typed).filter(|_| !typed.contains('@')) {
        Some(set) => Ok(set.targets),
        None => target::find(world, typed).map(|target| vec![target]),
    }
}

/// Conducts a rollout, or those of a set, until all are over. Exit 0: the new version is the stable one; 1: it went back or was aborted; 130: interrupted, and it
/// goes on in another room or not at all.
pub async fn watch(around: &Surroundings, flags: &Flags, args: &RolloutWatch) -> Exit {
    let mut opened = match settle::conduct(around, flags).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let named = match targets(&opened.handle.world(), &args.target) {
        Ok(named) => named,
        Err(exit) => return exit,
    };
    let mut walked: Vec<Walked> = Vec::new();
    for target in &named {
        let world = settle::settled_for(&mut opened.handle, target, std::time::Duration::from_secs(12)).await;
        let rollout = world.target(target).and_then(|view| view.state.rollout.as_ref()).filter(|rollout| rollout.course.is_some());
        walked.extend(rollout.and_then(|rollout| rollout.plan).map(|plan| Walked { target: target.clone(), plan, shown: String::new() }));
    }
    let what = Text::clean_within(&args.target, 80);
    if walked.is_empty() {
        out::words(&format!("gonogo: no rollout of {what} goes on by itself; `gonogo rollout start {what}` starts one"));
        return Exit::Failed;
    }
    let mut interrupts = match Interrupts::listen() {
        Ok(interrupts) => interrupts,
        Err(exit) => return exit,
    };
    let living = opened.lives();
    let plans: Vec<String> = walked.iter().map(|one| format!("{} of {}", one.plan.short(), one.target)).collect();
    let ending = follow(&mut opened.handle, &mut interrupts, walked, args.json).await;
    living.end().await;
    let Some(ending) = ending else {
        let more = "it goes on where another room is open; else it stands where it is, and goes back by itself no more";
        out::words(&format!("gonogo: interrupted; rollout {} is not conducted from here any more: {more}", plans.join(", ")));
        return Exit::Interrupted;
    };
    opened.tell().await;
    if !ending.is_empty() && ending.iter().all(|how| *how == Some(Ending::Promoted)) { Exit::Done } else { Exit::Failed }
}

/// A rollout that is followed.
struct Walked {
    target: Target,
    plan: PlanId,
    shown: String,
}

/// Follows rollouts until each is over; says how each ended, where that is known. Nothing: it was interrupted before.
async fn follow(handle: &mut Handle, interrupts: &mut Interrupts, mut walked: Vec<Walked>, as_json: bool) -> Option<Vec<Option<Ending>>> {
    let mut endings = Vec::new();
    loop {
        let world = handle.world();
        let mut news = Vec::new();
        walked.retain_mut(|one| {
            let Some(view) = world.target(&one.target) else {
                endings.push(None);
                return false;
            };
            // What is only measured anew is no news.
            let line = now_in_words(&world, view);
            if line != one.shown {
                news.push(if as_json { out::harmless(alone(&world, view).to_string()) } else { line.clone() });
                one.shown = line;
            }
            let under_way = view.state.rollout.as_ref().is_some_and(|rollout| rollout.plan == Some(one.plan));
            if !under_way {
                endings.push(view.state.last.as_ref().filter(|last| last.plan == Some(one.plan)).map(|last| last.how));
            }
            under_way
        });
        for line in news {
            // A reader that went away stops no rollout.
            if matches!(interrupts.line(line).await, Err(Exit::Interrupted)) {
                return None;
            }
        }
        let goes_on = !walked.is_empty()
            && tokio::select! {
                alive = handle.changed() => alive,
                () = interrupts.asked() => return None,
            };
        if !goes_on {
            // The room ended before what is left did.
            endings.extend(walked.iter().map(|_| None));
            return Some(endings);
        }
    }
}

fn ending(how: Ending) -> &'static str {
    match how {
        Ending::Promoted => "promoted",
        Ending::WentBack => "went-back",
        Ending::Aborted => "aborted",
    }
}

/// One rollout as JSON that stands alone.
fn alone(world: &World, view: &TargetView) -> Value {
    let mut alone = json!({ "schema": shapes::SCHEMA });
    if let (Some(alone), Value::Object(members)) = (alone.as_object_mut(), object(world, view)) {
        alone.extend(members);
    }
    alone
}

/// One rollout as JSON, as a part of an answer.
pub fn object(world: &World, view: &TargetView) -> Value {
    let rollout = view.state.rollout.as_ref();
    let course = rollout.and_then(|rollout| rollout.course.as_deref());
    let ahead = world.ahead.get(&view.target);
    let next = ahead
        .map(|ahead| told(&ahead.next))
        .map(|(kind, words, at)| json!({ "kind": kind, "words": words, "at": at.as_ref().map(rfc3339) }));
    let says = ahead.map(|ahead| said(&ahead.says)).map(|(verdict, words)| json!({ "verdict": verdict, "words": words }));
    let steps = |course: &Course| -> Vec<Value> {
        let spec = &course.spec;
        let state = |n: usize| match course.step.and_then(|step| usize::try_from(step).ok()) {
            Some(step) if n < step => "done",
            Some(step) if n == step => "here",
            Some(_) | None => "ahead",
        };
        spec.steps
            .iter()
            .enumerate()
            .map(|(n, step)| {
                let lasts_s = u32::try_from(n).map_or(spec.wait_s, |n| if spec.is_last(n) { spec.bake_s } else { spec.lasts_s(n) });
                let brings = step.effects.iter().filter(|_| step.scales()).find_map(StepEffect::workload);
                let scales = brings.map(|(_, change)| json!({ "name": change.workload.name, "replicas": change.wish.replicas }));
                json!({ "percent": step.percent, "paused": step.paused, "state": state(n), "lasts_s": lasts_s, "scales": scales })
            })
            .collect()
    };
    let share = |share: Share| (share.percent() * 10.0).round() / 10.0;
    json!({
        "target": view.target.to_string(),
        "plan": rollout.and_then(|rollout| rollout.plan).map(|plan| plan.to_string()),
        "by": rollout.map(|rollout| rollout.by.clone()),
        "begun": rollout.map(|rollout| rfc3339(&rollout.begun)),
        "from": rollout.and_then(|rollout| rollout.from.clone()),
        "to": rollout.and_then(|rollout| rollout.to.clone()),
        "automatic": course.is_some(),
        "workload": workload::object(view),
        "workloads": workload::of_slots(world, view),
        "weight_wished": view.wished().map(share),
        "weight_measured": view.measured().map(|(measured, _)| share(measured)),
        "testers": testers_object(world, view),
        "mirror": mirror_object(world, view),
        "requests": view.measured().map(|(_, requests)| requests),
        "steps": course.map(steps),
        "since": course.map(|course| rfc3339(&course.since)),
        "next": next,
        "says": says,
        "begun_anew": ahead.and_then(|ahead| ahead.anew.as_ref()).map(|anew| json!({ "at": rfc3339(&anew.at), "why": anew.why })),
        "set": course.and_then(|course| course.spec.together.as_ref()).map(|of| json!({ "name": of.set, "with": of.with, "on_failure": of.on_failure.word() })),
        "checks": ahead.map(|ahead| ahead.checks.iter().map(|check| json!({
            "name": check.name,
            "when": check.when.word(),
            "asks": check.asks,
            "counts": check.counts,
            "held": check.answer.as_ref().map(|(_, answer)| answer.held.word()),
            "words": check.answer.as_ref().map(|(_, answer)| answer.words.clone()),
            "at": check.answer.as_ref().map(|(at, _)| rfc3339(at)),
        })).collect::<Vec<_>>()),
        "way_back": course.map(|course| course.spec.way_back.iter().map(|trigger| trigger.word()).collect::<Vec<_>>()),
        "way_back_deed": course.and_then(|course| course.way_back).map(|deed| deed.to_string()),
        "stopped": course.and_then(|course| course.stopped.as_ref()).map(|stopped| stopped.words.clone()),
        "held_by": view.state.hold.as_ref().map(|hold| hold.by.clone()),
        "last": view.state.last.as_ref().map(|last| json!({
            "plan": last.plan.map(|plan| plan.to_string()), "how": ending(last.how), "at": rfc3339(&last.at), "from": last.from, "to": last.to,
        })),
    })
}

/// Who the testers are and where they go; null where none are configured.
fn testers_object(world: &World, view: &TargetView) -> Option<Value> {
    let (testers, slot) = beside::of(world, view).testers?;
    let deploy = world.catalog.deploy(&view.target);
    Some(json!({
        "bears": testers.bears.word(),
        "name": testers.name,
        "value": testers.value,
        "slot": slot.map(|slot| Track::of(slot, view.state.stable).word()),
        "to": slot.map(|slot| beside::named(deploy, view, slot)),
    }))
}

/// How many of a hundred requests are copied now, and to which version; null where nothing is to be copied, or it was not read.
fn mirror_object(world: &World, view: &TargetView) -> Option<Value> {
    let (percent, slot) = beside::of(world, view).copies?;
    let deploy = world.catalog.deploy(&view.target);
    Some(json!({ "percent": percent, "to": slot.map(|slot| beside::named(deploy, view, slot)) }))
}

/// Where it stands and what comes, in a line.
fn now_in_words(world: &World, view: &TargetView) -> String {
    let share = workload::in_words(view)
        .unwrap_or_else(|| view.wished().map_or_else(|| "share not known".to_owned(), |share| format!("{} %", share.nearest())));
    let next = match (&view.state.rollout, world.ahead.get(&view.target), &view.state.last) {
        (Some(_), Some(ahead), _) => {
            let due = matches!(ahead.next, Next::Step { .. } | Next::Back { .. } | Next::End);
            // A verb that looks does not do it; whoever conducts has a room open, unless it is a `rollout watch`.
            let alone = if due && world.here.is_empty() {
                format!("; no room is open: `gonogo rollout watch {}`", view.target)
            } else {
                String::new()
            };
            format!("{}{alone}", told(&ahead.next).1)
        }
        (Some(_), None, _) => "a person moves it; nothing happens by itself".to_owned(),
        (None, _, Some(last)) => format!("over: {} at {}", ending(last.how), rfc3339(&last.at)),
        (None, _, None) => "no rollout".to_owned(),
    };
    format!("{} at {share}: {next}", view.target)
}

fn in_words(world: &World, view: &TargetView, why: bool) -> Vec<String> {
    let mut lines = vec![now_in_words(world, view)];
    lines.extend(beside::words(world, view).map(|words| format!("  {words}")));
    lines.extend(rolling::slots(world, view).into_iter().map(|(track, entry, seen)| format!("  {}", rolling::slot(track, entry, seen))));
    let Some(course) = view.state.rollout.as_ref().and_then(|rollout| rollout.course.as_deref()) else { return lines };
    if !why {
        return lines;
    }
    if let Some(ahead) = world.ahead.get(&view.target) {
        lines.push(format!("  evidence: {}", said(&ahead.says).1));
        lines.extend(ahead.anew.as_ref().map(|anew| format!("  {}", begun_anew(anew))));
        for check in ahead.checks.iter() {
            let stands = match &check.answer {
                Some((_, answer)) => format!("{}: {}", answer.held.word(), answer.words),
                None if check.counts => "not answered here; it is asked where the rollout is conducted".to_owned(),
                None => "does not count at this step".to_owned(),
            };
            lines.push(format!("  check {} ({}, {}): {stands}", check.name, check.when.word(), check.asks));
        }
    }
    lines.extend(view.signals.iter().map(|signal| format!("  {}", signal.sentence)));
    let armed: Vec<_> = course.spec.way_back.iter().map(|trigger: &Trigger| trigger.word()).collect();
    lines.push(match (&course.way_back, armed.is_empty()) {
        (Some(deed), _) => format!("  its automatic way back was begun once, deed {}, and is not begun again", deed.short()),
        (None, true) => "  nothing sends it back by itself".to_owned(),
        (None, false) => format!("  armed to go back by itself, once: {} after {} s", armed.join(", "), course.spec.after_s),
    });
    lines.push(format!(
        "  a step lasts at least {} s, counts as stuck after {} s; watched {} s at the last one",
        course.spec.wait_s, course.spec.deadline_s, course.spec.bake_s
    ));
    lines
}
