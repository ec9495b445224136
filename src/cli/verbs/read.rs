//! `gonogo read SCREEN`: one screen in plain sentences, one fact a line, for screen readers; with `--follow` what changes, as it changes.

use std::sync::Arc;

use crate::cli::args::Read;
use crate::cli::exit::Exit;
use crate::cli::interrupts::Interrupts;
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
        let (scenario, flags) = (story::named(name)?, &flags.or_variables(around));
        let clock = Arc::new(VirtualClock::new(story::beginning()));
        let composed = compose::simulated(scenario, args.seed, clock.clone(), around, flags.read_only).await?;
        let mut rehearsal = Rehearsal::open(clock, composed.outside, composed.opening).following(composed.script);
        rehearsal.run_until(args.at, &mut |_, _| {}).await;
        let news = news(rehearsal.room().world(), &rehearsal.now(), screen, args, &mut Announcer::default())?;
        out::line(&news.join("\n"));
        return Ok(Exit::Done);
    }
    let mut opened = settle::look(around, flags).await?;
    let mut world = settle::settled(&mut opened.handle, args.settle).await;
    if screen == Screen::Map {
        world = settle::discovered(&mut opened.handle, args.settle).await;
    }
    let mut announcer = Announcer::default();
    if !args.follow {
        out::line(&news(&world, &opened.clock.now(), screen, args, &mut announcer)?.join("\n"));
        return Ok(Exit::Done);
    }
    let mut interrupts = Interrupts::listen()?;
    loop {
        let news = news(&world, &opened.clock.now(), screen, args, &mut announcer)?;
        if !news.is_empty() {
            interrupts.line(news.join("\n")).await?;
        }
        tokio::select! {
            alive = opened.handle.changed() => if !alive { return Ok(Exit::Failed) },
            () = interrupts.asked() => return Ok(Exit::Interrupted),
        }
        world = opened.handle.world();
    }
}

/// The lines that are news.
fn news(world: &World, now: &Moment, screen: Screen, args: &Read, announcer: &mut Announcer) -> Result<Vec<String>, Exit> {
    let target: Option<Target> = args.target.as_deref().map(|typed| target::find(world, typed)).transpose()?;
    Ok(announcer.news(read::lines(world, now, screen, target.as_ref())))
}
