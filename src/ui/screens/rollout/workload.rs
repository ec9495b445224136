//! How far the instances of a workload are replaced, as rows.

use crate::control::rolling;
use crate::control::world::TargetView;
use crate::model::spec::Course;
use crate::model::walk::Walk;
use crate::model::workload::{Progress, Replicas, WorkloadSeen};

use crate::ui::row::{Row, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

/// How long it is at its step, and until when: to its deadline while instances are replaced, to the end of its watch once all are new.
pub fn times(scene: &Scene<'_>, course: &Course, seen: &WorkloadSeen) -> String {
    let (spec, here) = (&course.spec, scene.ago(&course.since));
    let last = course.step.is_some_and(|step| spec.is_last(step));
    match (course.step, &course.rolled) {
        (None, _) => format!("   not begun, planned {here} ago"),
        // At a pause of its own its deadline does not run.
        (Some(_), None) if seen.walk.as_ref().is_some_and(Walk::pauses) => format!("   here for {here}"),
        (Some(_), None) if !seen.is_done() => format!("   here for {here}, stuck after {}", words::span(spec.deadline_s)),
        (Some(_), rolled) => {
            let new = rolled.as_ref().map_or_else(|| "all new".to_owned(), |at| format!("all new for {}", scene.ago(at)));
            let then =
                if last { format!("watched {}", words::span(spec.bake_s)) } else { format!("at least {}", words::span(spec.wait_s)) };
            format!("   {new}, {then}")
        }
    }
}

/// How long the version on trial takes to come up, before anybody gets it; none at another step.
pub fn coming_up(scene: &Scene<'_>, course: &Course) -> Option<String> {
    let scaling = course.spec.scaling()?;
    let here = scene.ago(&course.since);
    match course.step {
        None => Some(format!("   not begun, planned {here} ago")),
        Some(step) if step == scaling => {
            Some(format!("   its instances come up for {here}, stuck after {}", words::span(course.spec.deadline_s)))
        }
        Some(_) => None,
    }
}

/// How the workloads of the slots stand.
pub fn slots(scene: &Scene<'_>, view: &TargetView, width: usize) -> Vec<Row> {
    let one = |(track, entry, seen): (_, _, Option<&WorkloadSeen>)| {
        let (mark, role) = match seen {
            Some(seen) if matches!(seen.progress, Progress::Stuck(_)) => (Mark::Abnormal, Role::Abnormal),
            Some(seen) if seen.is_done() => (if seen.replicas.wished == 0 { Mark::None } else { Mark::Proven }, Role::Plain),
            Some(_) => (Mark::Moving, Role::Moving),
            None => (Mark::Unknown, Role::Quiet),
        };
        let lines = wrap(&rolling::slot(track, entry, seen), width.saturating_sub(4));
        lines.into_iter().enumerate().map(move |(n, line)| {
            let lead = if n == 0 { scene.glyph(mark) } else { " " };
            Row::of(role, format!(" {lead} ")).put(Role::Plain, line)
        })
    };
    rolling::slots(scene.world, view).into_iter().flat_map(one).collect()
}

/// How many instances are new, in words.
pub fn instances(seen: &WorkloadSeen) -> String {
    let Replicas { wished, updated, available, .. } = seen.replicas;
    let paused = if seen.paused { ", paused" } else { "" };
    format!("{updated} of {wished} new, {available} available{paused}")
}

/// What a workload wishes, and how far it has come.
pub fn rows(scene: &Scene<'_>, seen: &WorkloadSeen, width: usize) -> Vec<Row> {
    let images: Vec<String> = seen.images.iter().map(|(container, image)| format!("{container} {image}")).collect();
    let partition = seen.partition.filter(|first| *first > 0).map(|first| format!("; ordinals from {first} on")).unwrap_or_default();
    let (mark, role) = match &seen.progress {
        Progress::Stuck(_) => (Mark::Abnormal, Role::Abnormal),
        Progress::Paused(_) | Progress::Waits(_) => (Mark::Held, Role::Waits),
        Progress::Done if seen.is_done() => (Mark::Proven, Role::Plain),
        Progress::Unseen | Progress::Moving(_) | Progress::ByHand(_) | Progress::Done => (Mark::Moving, Role::Moving),
    };
    let told = format!("{}: {}{partition}", seen.name, seen.told());
    let room = width.saturating_sub(4);
    let told = wrap(&told, room).into_iter().enumerate().map(|(n, line)| {
        let lead = if n == 0 { scene.glyph(mark) } else { " " };
        Row::of(role, format!(" {lead} ")).put(Role::Plain, line)
    });
    let images = wrap(&images.join(", "), room).into_iter().map(|line| Row::of(Role::Quiet, format!("   {line}")));
    told.chain(images).collect()
}
