//! `gonogo render SCREEN`: one screen as text, with colours or as a picture, of the configured room or of a scenario at one moment.

use std::sync::Arc;
use std::time::Duration;

use crate::cli::args::{Format, Render};
use crate::cli::exit::Exit;
use crate::cli::verbs::{replay, show};
use crate::cli::{compose, looks, out, settle, story, target};
use crate::config::scenario::Scenario;
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::rehearse::{Rehearsal, VirtualClock};
use crate::control::replay::when::When;
use crate::control::world::World;
use crate::model::name::Target;
use crate::model::time::Moment;
use crate::ui::render;
use crate::ui::screen::Screen;

/// The moment of a scenario when none is named.
const USUAL: Duration = Duration::from_mins(2);

/// Draws one screen.
pub async fn run(around: &Surroundings, flags: &Flags, args: &Render) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, args: &Render) -> Result<Exit, Exit> {
    let screen = show::named(&args.screen)?;
    if let Some(file) = &args.replay {
        let shown = replay::shown_at(replay::reel(around, flags, file.as_deref()).await?, args.at).await?;
        return draw(&shown.world, &shown.now, screen, args, around, flags);
    }
    let after = match args.at {
        None => USUAL,
        Some(When::After(after)) => after,
        Some(When::At(_) | When::Clock(_) | When::Before(_)) => {
            out::words("gonogo: of a scenario `--at` takes the time after its beginning, such as 120s");
            return Err(Exit::Usage);
        }
    };
    let loaded = compose::configuration(around, flags)?;
    if let Some(name) = args.scenario.as_deref().or(loaded.nothing_configured.then_some(Scenario::DEFAULT)) {
        let (scenario, flags) = (story::named(name)?, &flags.or_variables(around));
        // A picture of a story has one beginning, so that it is the same on every machine.
        let clock = Arc::new(VirtualClock::new(story::beginning()));
        let composed = compose::simulated(scenario, args.seed, clock.clone(), around, flags.read_only).await?;
        let mut rehearsal = Rehearsal::open(clock, composed.outside, composed.opening).following(composed.script);
        rehearsal.run_until(after, &mut |_, _| {}).await;
        return draw(rehearsal.room().world(), &rehearsal.now(), screen, args, around, flags);
    }
    let mut opened = settle::look(around, flags).await?;
    let mut world = settle::settled(&mut opened.handle, args.settle).await;
    if screen == Screen::Map {
        world = settle::discovered(&mut opened.handle, args.settle).await;
    }
    draw(&world, &opened.clock.now(), screen, args, around, flags)
}

fn draw(world: &World, now: &Moment, screen: Screen, args: &Render, around: &Surroundings, flags: &Flags) -> Result<Exit, Exit> {
    let target: Option<Target> = args.target.as_deref().map(|typed| target::find(world, typed)).transpose()?;
    let theme = flags.theme.as_deref().unwrap_or(&world.catalog.room.theme);
    let (theme, _) = looks::named(theme, "default", around)?;
    let drawn = match args.format {
        Format::Text => render::text(world, now, screen, target.as_ref(), args.size, &theme),
        Format::Ansi => render::ansi(world, now, screen, target.as_ref(), args.size, &theme),
        Format::Svg => render::svg(world, now, screen, target.as_ref(), args.size, &theme),
    };
    out::line(drawn.trim_end_matches('\n'));
    Ok(Exit::Done)
}
