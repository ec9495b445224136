//! `gonogo render SCREEN`: one screen as text or with colours, of the configured room or of a scenario at one moment.

use std::sync::Arc;

use crate::cli::args::{Format, Render};
use crate::cli::exit::Exit;
use crate::cli::verbs::show;
use crate::cli::{compose, looks, out, settle, target};
use crate::config::scenario::Scenario;
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::rehearse::{Rehearsal, VirtualClock};
use crate::control::world::World;
use crate::model::name::Target;
use crate::model::time::Moment;
use crate::ui::render;
use crate::ui::screen::Screen;

/// Draws one screen.
pub async fn run(around: &Surroundings, flags: &Flags, args: &Render) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, args: &Render) -> Result<Exit, Exit> {
    let screen = show::named(&args.screen)?;
    let loaded = compose::configuration(around, flags)?;
    if let Some(name) = args.scenario.as_deref().or(loaded.nothing_configured.then_some(Scenario::DEFAULT)) {
        let scenario = scenario(name)?;
        // A picture of a story has one beginning, so that it is the same on every machine.
        let clock = Arc::new(VirtualClock::new(crate::cli::verbs::demo::beginning()));
        let composed = compose::simulated(scenario, args.seed, clock.clone(), around, flags.read_only).await?;
        let mut story = Rehearsal::open(clock, composed.outside, composed.opening);
        story.run_until(args.at, &mut |_, _| {}).await;
        return draw(story.room().world(), &story.now(), screen, args, around, flags);
    }
    let mut opened = settle::open(around, flags, false).await?;
    let world = settle::settled(&mut opened.handle, args.settle).await;
    draw(&world, &opened.clock.now(), screen, args, around, flags)
}

/// A built-in scenario, or one from a file when the name ends in `.toml`.
///
/// # Errors
/// Exit 2, with the names that there are, or the file, line and column of what is wrong.
pub fn scenario(name: &str) -> Result<Scenario, Exit> {
    if std::path::Path::new(name).extension().is_some_and(|extension| extension == "toml") {
        let refuse = |why: String| {
            out::words(&format!("gonogo: {name}: {why}"));
            Exit::Usage
        };
        let source = std::fs::read_to_string(name).map_err(|error| refuse(error.to_string()))?;
        return Scenario::parse(&source).map_err(|error| refuse(error.to_string()));
    }
    Scenario::named(name).map_err(|error| {
        out::words(&format!("gonogo: {}", error.what));
        Exit::Usage
    })
}

fn draw(world: &World, now: &Moment, screen: Screen, args: &Render, around: &Surroundings, flags: &Flags) -> Result<Exit, Exit> {
    let target: Option<Target> = args.target.as_deref().map(|typed| target::find(world, typed)).transpose()?;
    let theme = flags.theme.as_deref().unwrap_or(&world.catalog.room.theme);
    let (theme, _) = looks::named(theme, "default", around)?;
    let drawn = match args.format {
        Format::Text => render::text(world, now, screen, target.as_ref(), args.size, &theme),
        Format::Ansi => render::ansi(world, now, screen, target.as_ref(), args.size, &theme),
    };
    out::line(drawn.trim_end_matches('\n'));
    Ok(Exit::Done)
}
