//! `gonogo slo status`: what is left of each error budget, and which rules fire.

use serde_json::{Value, json};

use super::selected;
use crate::cli::args::SloStatus;
use crate::cli::exit::Exit;
use crate::cli::{json as shapes, objectives, out, settle};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::world::{ObjectiveView, World};
use crate::model::time::rfc3339;

/// Says how objectives stand. Exit 0 however that is.
pub(super) async fn run(around: &Surroundings, flags: &Flags, args: &SloStatus) -> Result<Exit, Exit> {
    let mut opened = settle::look(around, flags).await?;
    let catalog = opened.handle.world().catalog.clone();
    let chosen = selected(&catalog, args.selector.as_deref())?;
    let is_chosen =
        |view: &ObjectiveView| chosen.iter().any(|(objective, target)| &view.key.target == target && view.key.name == objective.name);
    let is_asked = |world: &World| {
        let mut views = world.objectives.values().filter(|view| is_chosen(view));
        views.all(|view| view.measured.is_some() || view.trouble.is_some())
    };
    let world = settle::until(&mut opened.handle, args.settle, is_asked).await;
    let now = opened.clock.now();
    let views: Vec<_> = world.objectives.values().filter(|view| is_chosen(view)).collect();
    if args.json {
        let objects: Vec<Value> = views.iter().map(|view| objectives::object(view, &now)).collect();
        out::json(&json!({
            "schema": shapes::SCHEMA,
            "simulated": world.catalog.simulated,
            "at": rfc3339(&now.wall),
            "objectives": objects,
        }));
    } else {
        let texts: Vec<String> = views.iter().map(|view| objectives::words(view, &now)).collect();
        out::line(texts.join("\n").trim_end());
    }
    Ok(Exit::Done)
}
