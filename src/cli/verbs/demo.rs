//! `gonogo demo`: the room on the simulated release train, with a terminal or headless on a virtual clock.

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::adapters::clock::{PacedClock, SystemClock};
use crate::cli::args::Demo;
use crate::cli::exit::Exit;
use crate::cli::verbs::room;
use crate::cli::{compose, out, story};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::rehearse::{Nonces, Rehearsal, VirtualClock};
use crate::control::event::Event;
use crate::control::planner;
use crate::control::record::{Recorder, Told};
use crate::control::world::World;
use crate::model::catalog::Catalog;
use crate::model::intent::{Intent, Verb};
use crate::model::name::{PersonName, Target};
use crate::model::operator::Actor;
use crate::model::plan::Plan;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::ports::clock::Clock;

/// One line of an orders file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderLine {
    at_s: f64,
    verb: String,
    target: String,
    #[serde(default)]
    args: OrderArgs,
    by: Option<String>,
    #[serde(default)]
    reason: String,
    /// Carries out the plan that waits on the target with this verb, in place of a new one.
    #[serde(default)]
    execute: bool,
}

/// What an order's verb needs.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderArgs {
    percent: Option<u8>,
    run: Option<String>,
    text: Option<String>,
    /// Schedules it for this second of the story.
    begins_s: Option<f64>,
}

/// An order that was read.
struct Given {
    at: Duration,
    intent: Intent,
    by: Option<PersonName>,
    execute: bool,
}

/// Plays a scenario.
pub async fn run(around: &Surroundings, flags: &Flags, args: &Demo) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, args: &Demo) -> Result<Exit, Exit> {
    let flags = &flags.or_variables(around);
    let scenario = story::named(args.scenario.as_deref().unwrap_or(crate::config::scenario::Scenario::DEFAULT))?;
    if let (true, Some(until)) = (args.headless, args.until) {
        let clock = Arc::new(VirtualClock::new(story::beginning()));
        let composed = compose::simulated(scenario, args.seed, clock.clone(), around, flags.read_only).await?;
        let orders = args.orders.as_deref().map(|file| orders(file, &composed.opening.catalog)).transpose()?.unwrap_or_default();
        let rehearsal = Rehearsal::open(clock, composed.outside, composed.opening).following(composed.script);
        return Box::pin(play(rehearsal, args.seed, until, orders, args.record.as_deref())).await;
    }
    if !(args.speed.is_finite() && (0.0..=1000.0).contains(&args.speed)) {
        out::words("gonogo: --speed takes a number from 0 (stands still) to 1000");
        return Err(Exit::Usage);
    }
    let clock: Arc<dyn Clock> =
        if (args.speed - 1.0).abs() < f64::EPSILON { Arc::new(SystemClock) } else { Arc::new(PacedClock::new(args.speed)) };
    let meanwhile = compose::simulated_meanwhile(scenario, args.seed, clock, around, flags.read_only)?;
    room::open(around, flags, meanwhile, Vec::new(), args.tour).await
}

/// Reads orders for the targets and people of a catalog, one JSON object a line.
fn orders(file: &Path, catalog: &Catalog) -> Result<Vec<Given>, Exit> {
    let refuse = |line: usize, why: &dyn std::fmt::Display| {
        out::words(&format!("gonogo: {}:{line}: {why}", file.display()));
        Exit::Usage
    };
    let text = std::fs::read_to_string(file).map_err(|error| refuse(1, &error))?;
    let mut given = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        given.push(order(line, catalog).map_err(|why| refuse(index + 1, &why))?);
    }
    given.sort_by_key(|one| one.at);
    Ok(given)
}

fn order(line: &str, catalog: &Catalog) -> Result<Given, String> {
    let order: OrderLine = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let at = Duration::try_from_secs_f64(order.at_s).map_err(|error| error.to_string())?;
    let verb: Verb = order.verb.parse()?;
    let target: Target = order.target.parse().map_err(|error: crate::model::name::NameError| error.to_string())?;
    let percent = order.args.percent.map(|percent| crate::model::share::Percent::new(percent).ok_or("percent is over 100")).transpose()?;
    let run = order.args.run.map(|run| run.parse().map_err(|error: crate::model::name::NameError| error.to_string())).transpose()?;
    let begins = order.args.begins_s.map(Duration::try_from_secs_f64).transpose().map_err(|error| error.to_string())?;
    let begins = begins.map(|begins| VirtualClock::new(story::beginning()).now().plus(begins).wall);
    let text = order.args.text.map(|text| Text::clean(&text));
    let args = crate::model::intent::Arguments { percent, run, text, at: begins, ..Default::default() };
    let by = order.by.map(|name| PersonName::new(&name).map_err(|error| error.to_string())).transpose()?;
    let requester = by.clone().map_or_else(|| Actor::Unverified(String::new()), Actor::Person);
    if catalog.deploy(&target).is_none() {
        return Err(format!("there is no target {target}"));
    }
    if let Some(nobody) = by.as_ref().filter(|name| catalog.person(name).is_none()) {
        return Err(format!("there is nobody called {nobody}"));
    }
    match verb {
        Verb::Shift if args.percent.is_none() && !order.execute => return Err("a shift needs `args.percent`, 0 to 100".to_owned()),
        Verb::Note if args.text.is_none() => return Err("a note needs `args.text`".to_owned()),
        Verb::Drain | Verb::Ready => return Err("a drill order has no server; drain it by hand".to_owned()),
        Verb::Silence | Verb::Unsilence => return Err("a drill order names no alert; silence it by hand".to_owned()),
        Verb::Flag => return Err("the simulated train has no flags".to_owned()),
        Verb::Shift
        | Verb::Note
        | Verb::Rollout
        | Verb::Hold
        | Verb::Resume
        | Verb::Promote
        | Verb::Abort
        | Verb::Rollback
        | Verb::Start
        | Verb::Retry
        | Verb::Cancel
        | Verb::Approve
        | Verb::Reject => {}
    }
    Ok(Given { at, intent: Intent { verb, target, args, requester, reason: Text::clean(&order.reason) }, by, execute: order.execute })
}

/// The plan of a requester that waits, looked at again.
fn waiting(world: &World, intent: &Intent, now: &Moment) -> Option<Plan> {
    let asked =
        |plan: &&Plan| (plan.target(), plan.intent.verb, &plan.intent.requester) == (&intent.target, intent.verb, &intent.requester);
    let plan = world.waiting_at(now).map(|one| &one.plan).find(asked)?;
    Some(planner::recheck(world, plan, now))
}

/// Plays a story to its end: each order is planned in the world of its moment and confirmed at once.
async fn play(mut story: Rehearsal, seed: u64, until: Duration, orders: Vec<Given>, record: Option<&Path>) -> Result<Exit, Exit> {
    let mut nonces = Nonces::of(seed);
    let mut recording = match record {
        Some(file) => Some(BufWriter::new(std::fs::File::create(file).map_err(|error| {
            out::words(&format!("gonogo: failed to write the recording {}: {error}", file.display()));
            Exit::Failed
        })?)),
        None => None,
    };
    let mut spoilt = false;
    let mut recorder = Recorder::default();
    let mut write = |now: &Moment, told: Told| {
        if let Some(recording) = recording.as_mut()
            && let Some(line) = recorder.line(now, &told)
        {
            spoilt |= line.json.text().and_then(|json| writeln!(recording, "{json}")).is_err();
        }
    };
    for Given { at, mut intent, by, execute } in orders {
        if at > until {
            break;
        }
        story.run_until(at, &mut write).await;
        if by.is_none() {
            intent.requester = story.room().world().actor.clone();
        }
        let now = story.now();
        if execute {
            match waiting(story.room().world(), &intent, &now) {
                Some(plan) => story.give(Event::Confirmed { plan: Box::new(plan) }),
                None => out::words(&format!("gonogo: at {} s: no {} waits on {}", at.as_secs_f64(), intent.verb.word(), intent.target)),
            }
            continue;
        }
        match planner::plan(story.room().world(), intent, &now, &nonces.next()) {
            Ok(plan) => story.give(Event::Confirmed { plan: Box::new(plan) }),
            Err(error) => out::words(&format!("gonogo: at {} s: {error}", at.as_secs_f64())),
        }
    }
    story.run_until(until, &mut write).await;
    if let Some(mut recording) = recording {
        spoilt |= recording.flush().is_err();
    }
    if spoilt {
        out::words("gonogo: the recording is not whole");
        return Err(Exit::Failed);
    }
    for deed in story.room().world().newest_deeds().into_iter().rev() {
        out::json(&crate::cli::json::deed(deed, true));
    }
    Ok(Exit::Done)
}
