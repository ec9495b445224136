//! Plans as a verb draws them up or finds them stored, with who made what they bring read for it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::cli::args::Time;
use crate::cli::exit::Exit;
use crate::cli::{out, settle, stored};
use crate::control::planner;
use crate::control::world::World;
use crate::model::intent::{Arguments, Intent, Verb};
use crate::model::name::Target;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::time::Moment;

/// How long it may take to read who made it.
pub const AUTHORS_WITHIN: Duration = Duration::from_secs(30);

/// What makes two equal wishes two plans: 16 random bytes in hexadecimal.
pub fn nonce() -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness two equal wishes of one millisecond would be one plan, which the store then refuses as spent.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// When a forward change is to be carried out, as it was typed: a time by the clock of the room, or a train.
///
/// # Errors
/// Exit 2 for a time that the clock of the room never shows, or shows twice.
pub fn booking(opened: &settle::Opened, time: &Time) -> Result<(Option<DateTime<Utc>>, Option<String>), Exit> {
    let at = time.at.map(|when| planner::instant(&opened.handle.world(), when, &opened.clock.now())).transpose();
    let at = at.map_err(|error| {
        out::words(&format!("gonogo: {error}"));
        Exit::Usage
    })?;
    Ok((at, time.train.clone()))
}

/// Draws up the plan of a wish.
///
/// # Errors
/// Exit 10 for a target that is not configured, exit 2 for arguments that do not fit.
pub fn plan(world: &World, now: &Moment, intent: Intent) -> Result<Plan, Exit> {
    planner::plan(world, intent, now, &nonce()).map_err(|error| {
        out::words(&format!("gonogo: {error}"));
        match error {
            planner::PlanError::UnknownTarget { .. } => Exit::Target,
            planner::PlanError::WhichRun { waiting, .. } => {
                for line in &waiting {
                    out::words(&format!("  {line}"));
                }
                Exit::Target
            }
            planner::PlanError::Arguments(_) => Exit::Usage,
            planner::PlanError::Canonical(_) => Exit::Failed,
        }
    })
}

/// Draws up the plan of a wish with its authors read: by its effects it is known what is to be asked.
///
/// # Errors
/// As [`plan`].
pub async fn drawn_up(opened: &mut settle::Opened, world: Arc<World>, intent: Intent) -> Result<(Arc<World>, Plan, Moment), Exit> {
    let now = opened.clock.now();
    let drawn = plan(&world, &now, intent)?;
    if !settle::told(&mut opened.handle, &drawn, &now, AUTHORS_WITHIN).await {
        return Ok((world, drawn, now));
    }
    let (world, now) = (opened.handle.world(), opened.clock.now());
    let drawn = plan(&world, &now, drawn.intent)?;
    Ok((world, drawn, now))
}

/// A stored plan, when it still is for this verb and target.
pub(super) async fn stored_plan(
    opened: &mut settle::Opened,
    id: &str,
    (verb, args): (Verb, &Arguments),
    target: &Target,
    world: Arc<World>,
) -> Result<(Arc<World>, Plan, Moment), Exit> {
    let plan = stored::find(opened, id, "execute").await?;
    let planned = &plan.intent.args;
    // A run or a ticket that is not named is the plan's own; a share and a text are always named.
    let run = plan.order.targets.first().and_then(|target| target.run.clone());
    let same = planned.percent == args.percent
        && planned.text == args.text
        && planned.full == args.full
        && planned.break_glass.is_some() == args.break_glass.is_some()
        && (args.ticket.is_none() || planned.ticket == args.ticket)
        && (planned.failed_only == args.failed_only || verb != Verb::Retry)
        && (args.run.is_none() || args.run.as_ref().map(ToString::to_string) == run);
    if plan.intent.verb != verb || plan.target() != target || !same {
        let share = planned.percent.map(|share| format!(" {share}")).unwrap_or_default();
        let what = format!("plan {} is for {} {}{share}, not for this", plan.id.short(), plan.intent.verb.word(), plan.target());
        out::words(&format!("gonogo: {what}"));
        stored::refuse(opened, id, "execute", Reason::new("other-plan", &what, "plan what you want; agreement is to one plan")).await;
        return Err(Exit::Usage);
    }
    if plan.intent.requester != world.actor {
        let what = format!("plan {} was made by {}, who alone may carry it out", plan.id.short(), plan.intent.requester);
        out::words(&format!("gonogo: {what}"));
        stored::refuse(opened, id, "execute", Reason::new("not-yours", &what, "plan it yourself")).await;
        return Err(Exit::Denied);
    }
    let now = opened.clock.now();
    let world = if settle::told(&mut opened.handle, &plan, &now, AUTHORS_WITHIN).await { opened.handle.world() } else { world };
    let now = opened.clock.now();
    let plan = planner::recheck(&world, &plan, &now);
    Ok((world, plan, now))
}
