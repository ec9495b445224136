//! `gonogo read SCREEN`: one screen in plain sentences, one fact a line, for screen readers; with `--follow` what changes, as it changes.

use std::io::Write as _;
use std::sync::Arc;

use crate::cli::args::Read;
use crate::cli::exit::Exit;
use crate::cli::verbs::show;
use crate::cli::{compose, out, settle, story, target};
use crate::config::scenario::Scenario;
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::rehearse::{Rehearsal, VirtualClock};
use crate::control::world::World;
use crate::model::name::Target;
use crate::model::time::Moment;
use crate::ui::read::{self, Announcer};
use crate::ui::screen::Screen;

/// Reads one screen out.
pub async fn run(around: &Surroundings, flags: &Flags, args: &Read) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, args: &Read) -> Result<Exit, Exit> {
    let screen = show::named(&args.screen)?;
    let loaded = compose::configuration(around, flags)?;
    if let Some(name) = args.scenario.as_deref().or(loaded.nothing_configured.then_some(Scenario::DEFAULT)) {
        let scenario = story::named(name)?;
        let clock = Arc::new(VirtualClock::new(story::beginning()));
        let composed = compose::simulated(scenario, args.seed, clock.clone(), around, flags.read_only).await?;
        let mut rehearsal = Rehearsal::open(clock, composed.outside, composed.opening).following(composed.script);
        rehearsal.run_until(args.at, &mut |_, _| {}).await;
        return say(rehearsal.room().world(), &rehearsal.now(), screen, args, &mut Announcer::default());
    }
    let mut opened = settle::look(around, flags).await?;
    let mut world = settle::settled(&mut opened.handle, args.settle).await;
    if screen == Screen::Map {
        world = settle::discovered(&mut opened.handle, args.settle).await;
    }
    let mut announcer = Announcer::default();
    loop {
        let exit = say(&world, &opened.clock.now(), screen, args, &mut announcer)?;
        if !args.follow {
            return Ok(exit);
        }
        tokio::select! {
            alive = opened.handle.changed() => if !alive { return Ok(Exit::Failed) },
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
        }
        world = opened.handle.world();
    }
}

/// Says what is news. A reader that went away ends it.
fn say(world: &World, now: &Moment, screen: Screen, args: &Read, announcer: &mut Announcer) -> Result<Exit, Exit> {
    let target: Option<Target> = args.target.as_deref().map(|typed| target::find(world, typed)).transpose()?;
    let news = announcer.news(read::lines(world, now, screen, target.as_ref()));
    if !args.follow {
        out::line(&news.join("\n"));
        return Ok(Exit::Done);
    }
    let mut stdout = std::io::stdout().lock();
    for line in news {
        writeln!(stdout, "{line}").map_err(|_| Exit::Done)?;
    }
    stdout.flush().map_err(|_| Exit::Done)?;
    Ok(Exit::Done)
}
