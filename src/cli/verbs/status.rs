//! `gonogo status`: how everything stands, in words or as JSON.

use serde_json::Value;

use crate::cli::args::Status;
use crate::cli::exit::Exit;
use crate::cli::target::{self, Looked};
use crate::cli::{json, out, settle};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::standing;
use crate::control::world::World;
use crate::model::catalog::Catalog;
use crate::model::review::broken_glass;
use crate::model::text::Text;
use crate::model::time::Moment;

/// Says how everything stands. Exit 0 however the backends are; exit 10 when the selector selects nothing.
pub async fn run(around: &Surroundings, flags: &Flags, args: &Status) -> Exit {
    let mut opened = match settle::look(around, flags).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let known = opened.handle.world();
    let looked = match target::looked_at(args.selector.as_deref()) {
        Ok(looked) => looked,
        Err(exit) => return exit,
    };
    if !looked.is_all() && !known.targets.keys().any(|target| looked.at(&known.catalog, target)) {
        return target::find(&known, args.selector.as_deref().unwrap_or_default()).map_or_else(|exit| exit, |_| Exit::Target);
    }
    let world = settle::settled(&mut opened.handle, args.settle).await;
    let now = opened.clock.now();
    if args.json {
        let mut status = json::status(&world, &now);
        narrow(&mut status, &world.catalog, &looked);
        out::json(&status);
    } else {
        words(&world, &now, &looked);
    }
    Exit::Done
}

/// Leaves only what is selected.
fn narrow(status: &mut Value, catalog: &Catalog, looked: &Looked) {
    let chosen = |service: &Value, environment: &Value| {
        let target =
            service.as_str().zip(environment.as_str()).and_then(|(service, environment)| format!("{service}@{environment}").parse().ok());
        target.is_some_and(|target| looked.at(catalog, &target))
    };
    if looked.is_all() {
        return;
    }
    if let Some(services) = status.get_mut("services").and_then(Value::as_array_mut) {
        for service in services.iter_mut() {
            let name = service.get("name").cloned().unwrap_or_default();
            if let Some(environments) = service.get_mut("environments").and_then(Value::as_array_mut) {
                environments.retain(|environment| chosen(&name, environment.get("name").unwrap_or(&Value::Null)));
            }
        }
        services
            .retain(|service| service.get("environments").and_then(Value::as_array).is_some_and(|environments| !environments.is_empty()));
    }
    for part in ["rollouts", "alerts"] {
        if let Some(rows) = status.get_mut(part).and_then(Value::as_array_mut) {
            rows.retain(|row| chosen(row.get("service").unwrap_or(&Value::Null), row.get("environment").unwrap_or(&Value::Null)));
        }
    }
    if let Some(rows) = status.get_mut("waiting").and_then(Value::as_array_mut) {
        rows.retain(|row| {
            row.get("target")
                .and_then(Value::as_str)
                .and_then(|target| target.parse().ok())
                .is_some_and(|target| looked.at(catalog, &target))
        });
    }
}

fn words(world: &World, now: &Moment, looked: &Looked) {
    for source in world.sources.values() {
        let age = source.age(now).map_or_else(|| "never read".to_owned(), |age| format!("{} s ago", age.as_secs()));
        let trouble = standing::trouble(source).map(|trouble| format!("; {trouble}")).unwrap_or_default();
        out::line(&format!("{:<16} {:<12} {:<12} {age}{trouble}", source.backend.name, source.kind().word(), source.freshness(now).word()));
    }
    for (review, until) in
        broken_glass(&world.reviews, &now.wall).into_iter().filter(|(review, _)| looked.at(&world.catalog, &review.target))
    {
        let until = until.format("%H:%M:%SZ");
        out::line(&format!("BREAK GLASS by {}: {} {} until {until}: {}", review.by, review.verb.word(), review.target, review.reason));
    }
    for view in world.targets.values().filter(|view| looked.at(&world.catalog, &view.target)) {
        let version = view.version(view.state.stable).map_or_else(|| Text::clean("version not known"), |seen| seen.version.clone());
        let share = view.wished().filter(|share| share.fraction() > 0.0);
        let trial = share.map(|share| {
            let other = view.version(view.canary_slot()).map_or_else(|| "other slot".to_owned(), |seen| seen.version.to_string());
            format!(", {other} at {} %", share.nearest())
        });
        let held = view.state.hold.as_ref().map(|hold| format!(", held by {}", hold.by)).unwrap_or_default();
        let state = standing::standing(world, view, now).word();
        out::line(&format!("{:<28} {state:<10} {version}{}{held}", view.target, trial.unwrap_or_default()));
        for alert in &view.alerts {
            out::line(&format!("{:<28} alert {} {} since {}", "", alert.name, alert.severity, alert.since.format("%H:%M:%SZ")));
        }
    }
}
