//! When a change that waits may be carried out, with which train, and what is in its way.

use crate::control::world::TrainView;
use crate::model::plan::Plan;
use crate::ui::changes;
use crate::ui::plans::Queued;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::screens::plan::page::Page;
use crate::ui::theme::{Mark, Role};

/// Until when a plan waits, from long to short: for its time while that is to come, else for its end.
pub fn until(scene: &Scene<'_>, plan: &Plan) -> [String; 2] {
    if let Some(begin) = plan.order.begin().filter(|begin| scene.now.wall < *begin) {
        let at = scene.zone.minute(&begin, &scene.now.wall);
        let with = plan.order.train.as_ref().map(|train| format!(" with {train}")).unwrap_or_default();
        [format!(" begins{with} {at} ({}) ", scene.left(&begin)), format!(" begins {at} ")]
    } else {
        let (ends, left) = (scene.zone.time(&plan.expires), scene.left(&plan.expires));
        [format!(" ends {ends} ({left}) "), format!(" ends {ends} ")]
    }
}

/// The state of the marked change, its booking, its conflicts and its train.
pub fn rows(page: &mut Page<'_, '_>, marked: &Queued<'_>) {
    let scene = page.scene;
    let plan = &marked.waiting.plan;
    page.say(Role::Quiet, "state", Role::Plain, changes::state(marked, scene.now).word());
    if let Some(span) = plan.booking() {
        let now = &scene.now.wall;
        let (from, to) = (scene.zone.minute(&span.begin, now), scene.zone.minute(&span.end, now));
        let left =
            if *now < span.begin { format!("in {}", scene.left(&span.begin)) } else { format!("now, {} left", scene.left(&span.end)) };
        page.say(Role::Quiet, "booked", Role::Plain, &format!("{from} to {to} ({left}); nothing begins by itself"));
    }
    let world = scene.world;
    for (clash, ..) in world.diary.clashes_of(plan.id) {
        page.mark(Mark::Abnormal, Role::Watched, &format!("in the way: {}", clash.text));
    }
    let (Some(name), Some(begin)) = (&plan.order.train, plan.order.begin()) else { return };
    match world.diary.trains.iter().find(|train| &train.name == name && train.departure.at == begin) {
        Some(train) => board(page, train),
        None => page.mark(Mark::Unknown, Role::Watched, &format!("{name} does not leave then any more")),
    }
}

/// Who leaves with a train, and who does not and why.
fn board(page: &mut Page<'_, '_>, train: &TrainView) {
    let scene = page.scene;
    let time = |at| scene.zone.minute(at, &scene.now.wall);
    let departure = &train.departure;
    let leaves = if train.departed { "left" } else { "leaves" };
    let heading = format!("train {}: {leaves} {}, be ready by {}", train.name, time(&departure.at), time(&departure.cut_off));
    page.rows.push(Row::rule(scene.theme, &heading));
    let aboard: Vec<&str> = train.manifest.aboard.iter().map(crate::model::name::ServiceName::as_str).collect();
    if !aboard.is_empty() {
        page.mark(Mark::Proven, Role::Plain, &format!("aboard: {}", aboard.join(", ")));
    }
    for (service, reasons) in &train.manifest.missed {
        let why: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
        let (mark, role) = if train.plans.contains_key(service) { (Mark::Failed, Role::Watched) } else { (Mark::None, Role::Quiet) };
        page.mark(mark, role, &format!("stays: {service}: {}", why.join("; ")));
    }
}
