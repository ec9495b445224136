//! What a rollout does next by itself, in the words of the screens: from long to short, and when.

use chrono::{DateTime, Utc};

use crate::control::standing::ByItself;
use crate::control::world::{Ahead, told};
use crate::control::world::{TargetView, World};
use crate::model::intent::Verb;
use crate::model::slot::Track;
use crate::model::strategy::Trigger;
use crate::policy::rollout::Next;

use super::command::Command;
use super::signal;

/// Whether a rollout of the target goes on by itself.
pub fn is_walked(view: &TargetView) -> bool {
    view.state.rollout.as_ref().is_some_and(|rollout| rollout.course.is_some())
}

/// What will happen to each target with a rollout, as a row of what happens by itself; none where it waits for a person.
pub fn rows(world: &World) -> impl Iterator<Item = ByItself> + '_ {
    world.ahead.iter().filter_map(|(target, ahead)| {
        let view = world.target(target)?;
        let (due, text) = happens(view, ahead)?;
        Some(ByItself { due, left: None, target: target.clone(), text })
    })
}

/// The version that it goes back to, or its servers where it is not known.
fn old_version(view: &TargetView) -> String {
    view.version(view.state.stable).map_or_else(|| signal::named(view, Track::Stable), |seen| seen.version.to_string())
}

fn happens(view: &TargetView, ahead: &Ahead) -> Option<(Option<DateTime<Utc>>, String)> {
    let old = old_version(view);
    Some(match &ahead.next {
        Next::StepAt { percent, judged, at } => {
            (Some(*at), format!("to {percent} %{}", if *judged { ", if judged no worse by then" } else { "" }))
        }
        Next::Evidence { percent, .. } => (None, format!("to {percent} % as soon as judged no worse")),
        Next::Bakes { until } => (
            Some(*until),
            format!("becomes the stable version{}", if is_watched(view) { ", if nothing is found" } else { "; NOTHING WATCHES IT" }),
        ),
        Next::BackAt { at, trigger, .. } => (Some(*at), format!("BACK TO {old} BY ITSELF, by rule {}", trigger.word())),
        Next::Back { trigger, .. } => (None, format!("GOES BACK TO {old} now ({})", trigger.word())),
        Next::Step { percent, .. } => (None, format!("goes to {percent} % now")),
        Next::End => (None, "becomes the stable version now".to_owned()),
        Next::Checking(words) | Next::Together(words) => (None, words.clone()),
        Next::Rolls(words) => (None, rolls(view, words)),
        Next::Moving(_) | Next::Holds(_) | Next::Held(_) | Next::Person(_) => return None,
    })
}

/// Whether a rule of the rollout can see anything that would send it back.
fn is_watched(view: &TargetView) -> bool {
    let course = view.state.rollout.as_ref().and_then(|rollout| rollout.course.as_deref());
    course.is_some_and(|course| {
        course.spec.way_back.iter().any(|trigger| match trigger {
            Trigger::Judge | Trigger::Limit => !view.signals.is_empty(),
            Trigger::Alert | Trigger::Budget | Trigger::Check | Trigger::Stuck => true,
            Trigger::Together => false,
        })
    })
}

/// Instances that are on their way, and which share follows where they were only brought up.
fn rolls(view: &TargetView, words: &str) -> String {
    let course = view.state.rollout.as_ref().and_then(|rollout| rollout.course.as_deref());
    let up = course.and_then(|course| {
        course.spec.step(course.step?).filter(|step| step.scales())?;
        course.spec.after(course.step)
    });
    match up {
        Some((_, next)) => format!("to {} % once its instances are ready: {words}", next.percent),
        None => format!("instances are being replaced: {words}"),
    }
}

/// Why a rollout does not go on by itself, from long to short; none where it does.
pub fn waits(ahead: &Ahead) -> Option<Vec<String>> {
    let what = match &ahead.next {
        Next::Person(words) => format!("rollout waits for a person: {words}"),
        Next::Holds(words) => format!("rollout holds: {words}"),
        Next::Moving(_)
        | Next::Rolls(_)
        | Next::Step { .. }
        | Next::StepAt { .. }
        | Next::Evidence { .. }
        | Next::Bakes { .. }
        | Next::End
        | Next::Back { .. }
        | Next::BackAt { .. }
        | Next::Checking(_)
        | Next::Together(_)
        | Next::Held(_) => return None,
    };
    Some(vec![what.clone(), super::words::shorter(&what)])
}

/// What happens to a target in trouble if nobody does anything, from long to short, and the key that helps.
pub fn otherwise(view: &TargetView, ahead: &Ahead, clock: impl Fn(&DateTime<Utc>) -> String) -> Option<(Vec<String>, Command)> {
    let old = old_version(view);
    let hold = view.state.hold.as_ref().map(|hold| format!("; {}'s hold does not stop it", hold.by)).unwrap_or_default();
    match &ahead.next {
        Next::BackAt { at, .. } => {
            let when = clock(at);
            Some((vec![format!("{when} BACK TO {old} BY ITSELF{hold}"), format!("{when} BACK BY ITSELF")], Command::Deed(Verb::Rollback)))
        }
        Next::Back { .. } => Some((vec![format!("GOES BACK TO {old} NOW"), "GOES BACK NOW".to_owned()], Command::Look)),
        Next::Holds(_) | Next::Person(_) | Next::Held(_) => {
            let words = told(&ahead.next).1;
            Some((vec![words.clone(), super::words::shorter(&words)], Command::Deed(Verb::Rollback)))
        }
        Next::Moving(_)
        | Next::Rolls(_)
        | Next::Step { .. }
        | Next::StepAt { .. }
        | Next::Evidence { .. }
        | Next::Bakes { .. }
        | Next::Checking(_)
        | Next::Together(_)
        | Next::End => None,
    }
}
