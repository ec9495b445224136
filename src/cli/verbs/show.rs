//! `gonogo show SCREEN [TARGET]`: the headless twin of every screen.

use serde_json::{Value, json};

use crate::cli::args::Show;
use crate::cli::exit::Exit;
use crate::cli::{json as shapes, looks, out, settle, target};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::standing;
use crate::control::world::World;
use crate::model::name::Target;
use crate::model::time::{Moment, rfc3339};
use crate::ui::render;
use crate::ui::screen::Screen;

/// Prints one screen as text, or what it is made of as JSON.
pub async fn run(around: &Surroundings, flags: &Flags, args: &Show) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

/// The screen of that name.
///
/// # Errors
/// Exit 2, with the names that there are.
pub fn named(word: &str) -> Result<Screen, Exit> {
    Screen::named(word).ok_or_else(|| {
        let names: Vec<_> = Screen::ALL.iter().map(|screen| screen.word()).collect();
        out::words(&format!(
            "gonogo: there is no screen `{}`; expected one of {}",
            crate::model::text::Text::clean_within(word, 40),
            names.join(", ")
        ));
        Exit::Usage
    })
}

async fn try_run(around: &Surroundings, flags: &Flags, args: &Show) -> Result<Exit, Exit> {
    let screen = named(&args.screen)?;
    let mut opened = settle::look(around, flags).await?;
    let target = args.target.as_deref().map(|typed| target::find(&opened.handle.world(), typed)).transpose()?;
    let mut world = settle::settled(&mut opened.handle, args.settle).await;
    if screen == Screen::Map {
        world = settle::discovered(&mut opened.handle, args.settle).await;
    }
    if screen == Screen::Changes {
        world = settle::waiting_told(&mut opened.handle, &opened.clock.now(), args.settle).await;
    }
    let now = opened.clock.now();
    if args.json {
        out::json(&object(&world, &now, screen, target.as_ref())?);
        return Ok(Exit::Done);
    }
    let (theme, _) = looks::plain(around)?;
    out::line(render::text(&world, &now, screen, target.as_ref(), (120, 40), &theme).trim_end());
    Ok(Exit::Done)
}

fn object(world: &World, now: &Moment, screen: Screen, target: Option<&Target>) -> Result<Value, Exit> {
    match screen {
        Screen::Board => return Ok(shapes::status(world, now)),
        Screen::Changes => return Ok(crate::cli::changes::object(world, now)),
        Screen::Ledger => return Ok(shapes::entries(&world.ledger.entries)),
        Screen::Map => return Ok(crate::cli::map::object(world, now, target)),
        Screen::Pipeline | Screen::Rollout | Screen::Incident => {}
    }
    let first = world.targets.keys().next();
    let Some(view) = target.or(first).and_then(|target| world.target(target)) else {
        out::words("gonogo: nothing is configured that this screen could show");
        return Err(Exit::Target);
    };
    let mut object = json!({
        "schema": shapes::SCHEMA,
        "simulated": world.catalog.simulated,
        "at": rfc3339(&now.wall),
        "screen": screen.word(),
        "target": view.target.to_string(),
        "state": standing::standing(world, view, now).word(),
        "backends": shapes::backends(world, now),
    });
    let deeds: Vec<_> = world
        .newest_deeds()
        .into_iter()
        .filter(|deed| deed.target == view.target)
        .map(|deed| shapes::deed(deed, world.catalog.simulated))
        .collect();
    let more = match screen {
        Screen::Rollout => {
            json!({ "remembered": view.state, "versions": view.versions, "traffic": view.traffic, "signals": view.signals, "deeds": deeds })
        }
        Screen::Incident => {
            let timeline: Vec<_> =
                world.timeline.iter().filter(|line| line.target.as_ref().is_none_or(|target| target == &view.target)).collect();
            json!({ "alerts": view.alerts, "signals": view.signals, "timeline": timeline, "deeds": deeds })
        }
        Screen::Pipeline => {
            let service = world.catalog.services.get(&view.target.service).and_then(|service| service.pipeline.as_ref());
            let deploy = world.catalog.deploy(&view.target).and_then(|deploy| deploy.deploy.as_ref());
            let builders: Vec<_> = service
                .into_iter()
                .chain(deploy)
                .filter_map(|pipeline| world.runs(&pipeline.backend)?.value.as_ref()?.builders.get(&pipeline.builder).cloned())
                .collect();
            json!({ "builders": builders, "deeds": deeds })
        }
        Screen::Board | Screen::Map | Screen::Changes | Screen::Ledger => Value::Null,
    };
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    Ok(object)
}
