//! The deed verbs: plan, verdict, confirmation, and following the deed as far as was asked for.

mod drawn;
mod glass;
pub mod set;
mod typed;

use self::drawn::stored_plan;
pub use self::drawn::{AUTHORS_WITHIN, booking, drawn_up, nonce, plan};
pub use self::typed::{FULL, arguments};

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::args::{DeedFlags, ExecuteFlags, Time, Wait};
use crate::cli::exit::Exit;
use crate::cli::{json, out, settle, stored, target};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::Handle;
use crate::control::event::Event;
use crate::control::world::World;
use crate::control::{gate, planner};
use crate::model::course::ChangeState;
use crate::model::deed::{Deed, DeedState};
use crate::model::error::{PortErrorKind, SendError};
use crate::model::gate::{Counts, Finding};
use crate::model::intent::{Arguments, Direction, Intent, Verb};
use crate::model::name::Target;
use crate::model::operator::Actor;
use crate::model::plan::Plan;
use crate::model::presence::of_them;
use crate::model::selection::Selection;
use crate::model::text::Text;
use crate::model::verdict::Verdict;
use crate::ports::ledger::LedgerError;
use crate::ui::changes;

/// How long an interrupted verb waits until its room stands still.
const STILL_WITHIN: Duration = Duration::from_secs(3);

/// A deed as it was typed.
pub struct Wish {
    /// The verb.
    pub verb: Verb,
    /// The target.
    pub target: String,
    /// The run.
    pub run: Option<String>,
    /// Whether a retry repeats only what went wrong.
    pub failed_only: bool,
    /// What stands after the target.
    pub words: Vec<String>,
    /// How it is done.
    pub flags: DeedFlags,
    /// The time box within which the glass is broken; none: it is not.
    pub break_glass: Option<Duration>,
}

/// Carries a deed out.
pub async fn run(around: &Surroundings, flags: &Flags, wish: Wish) -> Exit {
    if Selection::is_meant(&wish.target) && wish.break_glass.is_none() {
        return set::many(around, flags, wish.verb, &wish.target, wish.flags).await;
    }
    let what = format!("{} {}", wish.verb.word(), Text::clean_within(&wish.target, 80));
    ordered(&what, wished(around, flags, wish)).await
}

/// Carries a deed out in a room that was opened for it.
pub async fn run_in(opened: settle::Opened, verb: Verb, target: Target, args: Arguments, flags: DeedFlags) -> Exit {
    let what = format!("{} {target}", verb.word());
    ordered(&what, prepare(opened, verb, target, args, flags)).await
}

/// Carries out a stored plan of whoever is at the keys.
pub async fn execute(around: &Surroundings, flags: &Flags, id: &str, how: ExecuteFlags) -> Exit {
    ordered(&format!("plan {}", Text::clean_within(id, 80)), stored_wish(around, flags, id, how)).await
}

/// A deed that may be carried out: planned, judged and confirmed, and how it is followed.
struct Ready {
    opened: settle::Opened,
    plan: Plan,
    world: Arc<World>,
    wait: Wait,
    json: bool,
}

/// Orders what was prepared and follows it. An interrupt at any moment says what was and what was not done.
async fn ordered(what: &str, preparing: impl Future<Output = Result<Ready, Exit>>) -> Exit {
    let mut interrupts = match signal(SignalKind::interrupt()) {
        Ok(interrupts) => interrupts,
        Err(error) => {
            out::words(&format!("gonogo: failed to listen for an interrupt: {error}; nothing was done"));
            return Exit::Failed;
        }
    };
    let ready = tokio::select! {
        ready = preparing => ready,
        _ = interrupts.recv() => {
            out::words(&format!("gonogo: interrupted before {what} was ordered: nothing of it was recorded, nothing was sent"));
            return Exit::Interrupted;
        }
    };
    let Ready { mut opened, plan, world, wait, json } = match ready {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    // A record that cannot be written refuses the deed before anything else is tried.
    opened.handle.send(Event::Confirmed { plan: Box::new(plan.clone()) }).await;
    let deed = tokio::select! {
        deed = follow(&mut opened.handle, &plan, wait) => deed,
        _ = interrupts.recv() => {
            interrupted(opened, &plan).await;
            return Exit::Interrupted;
        }
    };
    let Some(deed) = deed else {
        out::words("gonogo: the room ended before the deed did");
        return Exit::Failed;
    };
    tell(&deed, &plan, &world, json);
    if plan.order.rollout.is_some() && deed.facts.effective.is_some() {
        let target = plan.target();
        out::words(&format!("gonogo: it goes on where a room is open, or with `gonogo rollout watch {target}`; else it stands still"));
    }
    if plan.order.break_glass.is_some() && deed.facts.intended.is_some() {
        glass::tell(&opened, &plan).await;
    }
    opened.tell().await;
    let exit = exit_of(&deed, wait);
    // It is done where it was sent, and that is not everywhere.
    if exit == Exit::Done && !plan.order.left.is_empty() { Exit::Unreachable } else { exit }
}

/// Says how far an interrupted deed came, by what the store holds once this process does nothing more for it.
async fn interrupted(opened: settle::Opened, plan: &Plan) {
    let settle::Opened { handle, ledger, .. } = opened;
    let still = tokio::time::timeout(STILL_WITHIN, handle.ended()).await.is_ok();
    let goes_on = "`gonogo status` shows it, the next process settles it";
    let id = plan.id.short();
    out::words(&match ledger.deed(&plan.id.to_string()).await {
        Ok(deed) if deed.facts.effective.is_some() => {
            format!("gonogo: interrupted; deed {id} is {}, its watch goes on in the next process", deed.state.word().to_uppercase())
        }
        Ok(deed) if still && deed.facts.sent.is_none() => {
            format!("gonogo: interrupted; deed {id} is recorded and nothing of it was sent: {goes_on}")
        }
        Ok(deed) => format!("gonogo: interrupted; deed {id} is under way ({}): {goes_on}", deed.state.word().to_uppercase()),
        Err(LedgerError::NoPlan(_)) if still => format!("gonogo: interrupted before deed {id} was recorded: nothing was sent"),
        Err(error) => format!("gonogo: interrupted; how far deed {id} came is not known here ({error}): {goes_on}"),
    });
}

async fn wished(around: &Surroundings, flags: &Flags, wish: Wish) -> Result<Ready, Exit> {
    let mut args = arguments(wish.verb, &wish.words, wish.run.as_deref(), wish.failed_only)?;
    args.change = wish.flags.change;
    args.ticket = wish.flags.ticket.clone();
    args.break_glass = wish.break_glass;
    let opened = settle::open(around, flags, true).await?;
    (args.at, args.train) = booking(&opened, &wish.flags.time)?;
    let target = target::find(&opened.handle.world(), &wish.target)?;
    prepare(opened, wish.verb, target, args, wish.flags).await
}

async fn stored_wish(around: &Surroundings, flags: &Flags, id: &str, how: ExecuteFlags) -> Result<Ready, Exit> {
    let opened = settle::open(around, flags, true).await?;
    let plan = stored::find(&opened, id, "execute").await?;
    let (verb, target, args) = (plan.intent.verb, plan.target().clone(), plan.intent.args.clone());
    if opened.handle.world().target(&target).is_none() {
        out::words(&format!("gonogo: {target} of plan {} is no longer configured", plan.id.short()));
        return Err(Exit::Target);
    }
    let ExecuteFlags { yes, dry_run, wait, json } = how;
    let flags = DeedFlags {
        reason: String::new(),
        yes,
        change: None,
        ticket: None,
        time: Time::default(),
        if_plan: Some(plan.id.to_string()),
        dry_run,
        wait,
        json,
    };
    prepare(opened, verb, target, args, flags).await
}

/// Plans, judges and asks for the confirmation. A dry run ends here.
async fn prepare(mut opened: settle::Opened, verb: Verb, target: Target, args: Arguments, how: DeedFlags) -> Result<Ready, Exit> {
    // Only the target's own sources are waited for: another backend's trouble is none of this deed.
    let world = settle::settled_for_deed(&mut opened.handle, verb, &target, Duration::from_secs(12)).await;
    let world = tended(&mut opened.handle, &target, world).await;
    let (world, plan, now) = if let Some(id) = &how.if_plan {
        stored_plan(&mut opened, id, (verb, &args), &target, world).await?
    } else {
        let reason = Text::clean_within(&how.reason, 500);
        let requester = world.actor.clone();
        drawn_up(&mut opened, world, Intent { verb, target, args, requester, reason }).await?
    };
    let verdict = gate::judge(&world, &plan, &now);
    if how.dry_run {
        tell_plan(&plan, &verdict, changes::state_of(&world, &plan, &verdict, false, &now), how.json);
        return Err(match &verdict {
            Verdict::Permit(_) | Verdict::Early(_) => Exit::Done,
            Verdict::SecondPerson { .. } => Exit::Waits,
            Verdict::Deny(reasons) => Exit::of_reasons(reasons),
        });
    }
    if matches!(verdict, Verdict::Permit(_)) {
        confirm(&world, &plan, how.yes).await?;
    }
    Ok(Ready { opened, plan, world, wait: how.wait, json: how.json })
}

/// Waits until what a dead process left on the target is settled: a verb that ended before would leave it to the next one for ever.
async fn tended(handle: &mut Handle, target: &Target, mut world: Arc<World>) -> Arc<World> {
    let mut told = false;
    while let Some(left) = world.under_way(target).filter(|deed| !deed.elsewhere).cloned() {
        if !told {
            out::words(&format!("gonogo: settling {} {} first, whose process died", left.verb.word(), left.target));
            told = true;
        }
        if !handle.changed().await {
            break;
        }
        world = handle.world();
    }
    world
}

/// Asks for the typed text where protection wants it.
async fn confirm(world: &World, plan: &Plan, yes: bool) -> Result<(), Exit> {
    let forward = matches!(plan.direction, Direction::Forward | Direction::Release);
    let typed = gate::asks_for_text(world, plan.target());
    if !forward || !typed || yes {
        return Ok(());
    }
    let target = plan.target().to_string();
    typed_name(&target, &target, &in_short(plan)).await
}

/// A plan in three lines, to be looked at before its name is typed.
fn in_short(plan: &Plan) -> String {
    format!("{} {}\n  now   {}\n  after {}\n", plan.intent.verb.word(), plan.target(), plan.now, plan.after)
}

/// Asks for a name to be typed; `what` it is the name of, and `shown` before.
async fn typed_name(name: &str, what: &str, shown: &str) -> Result<(), Exit> {
    if !std::io::stdin().is_terminal() {
        out::words(&format!("gonogo: {what} asks for its name to be typed; without a terminal give --yes"));
        return Err(Exit::Usage);
    }
    let _ = write!(std::io::stderr(), "{shown}type {name} to go on: ");
    // Beside the rest, so that an interrupt is heard while somebody types.
    let typing = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    let line = typing.await.ok().and_then(Result::ok).unwrap_or_default();
    if line.trim() == name {
        return Ok(());
    }
    out::words(&format!("gonogo: not the name of {what}; nothing was done"));
    Err(Exit::Usage)
}

/// Follows a deed until it has come as far as was asked for, or will come no further.
async fn follow(handle: &mut Handle, plan: &Plan, wait: Wait) -> Option<Arc<Deed>> {
    loop {
        let found = handle.world().deeds.get(&plan.id).cloned();
        if let Some(deed) = found.filter(|deed| is_there(deed, wait)) {
            return Some(deed);
        }
        if !handle.changed().await {
            return None;
        }
    }
}

fn is_there(deed: &Deed, wait: Wait) -> bool {
    match deed.state {
        DeedState::Held | DeedState::Unwatched | DeedState::Superseded | DeedState::Slipped | DeedState::Failed => true,
        DeedState::Effective => wait != Wait::Held || deed.held_due.is_none() || deed.is_settled,
        DeedState::Accepted => wait == Wait::Accepted || deed.is_settled,
        // A denial or a wait is told once it is durable; UNKNOWN once it was looked up; and what could not be recorded goes no further.
        DeedState::Denied | DeedState::Waiting | DeedState::Scheduled | DeedState::Unknown | DeedState::Intended | DeedState::Sent => {
            deed.is_settled
        }
    }
}

fn exit_of(deed: &Deed, wait: Wait) -> Exit {
    match deed.state {
        DeedState::Waiting => Exit::Waits,
        DeedState::Denied => Exit::of_reasons(&deed.reasons),
        DeedState::Unknown => Exit::Unknown,
        DeedState::Failed if !deed.reasons.is_empty() => Exit::of_reasons(&deed.reasons),
        DeedState::Failed if deed.facts.accepted.is_some() && deed.facts.effective.is_none() => Exit::NotInTime,
        DeedState::Failed => of_error(deed),
        // Its outcome could not be recorded.
        DeedState::Intended | DeedState::Sent | DeedState::Accepted | DeedState::Effective if !deed.reasons.is_empty() => {
            Exit::of_reasons(&deed.reasons)
        }
        DeedState::Slipped | DeedState::Unwatched | DeedState::Superseded if wait == Wait::Held => Exit::Failed,
        DeedState::Slipped
        | DeedState::Unwatched
        | DeedState::Superseded
        | DeedState::Intended
        | DeedState::Sent
        | DeedState::Accepted
        | DeedState::Effective
        | DeedState::Held
        // It was asked to be scheduled, and it is.
        | DeedState::Scheduled => Exit::Done,
    }
}

/// The exit of a deed whose step surely did not happen, by what stood in its way.
fn of_error(deed: &Deed) -> Exit {
    match deed.steps.iter().find_map(|step| step.error.as_ref()) {
        Some(SendError::NotDone(error)) => match error.kind {
            PortErrorKind::Unreachable | PortErrorKind::TimedOut => Exit::Unreachable,
            PortErrorKind::Conflict => Exit::Stale,
            PortErrorKind::Unauthorised
            | PortErrorKind::Forbidden
            | PortErrorKind::NotFound
            | PortErrorKind::RateLimited { .. }
            | PortErrorKind::Unsupported
            | PortErrorKind::Malformed
            | PortErrorKind::Refused => Exit::Failed,
        },
        Some(SendError::Unknown(_)) | None => Exit::Failed,
    }
}

fn tell(deed: &Deed, plan: &Plan, world: &World, as_json: bool) {
    if as_json {
        let mut told = json::deed(deed, world.catalog.simulated);
        if let Some(told) = told.as_object_mut().filter(|_| !plan.order.left.is_empty()) {
            told.insert("not_reached".to_owned(), serde_json::json!(plan.order.left));
        }
        out::json(&told);
    }
    let say = |text: &str| if as_json { out::words(text) } else { out::line(text) };
    say(&format!("{} {} {}: {}", deed.plan.short(), deed.verb.word(), deed.target, deed.state.word().to_uppercase()));
    if !deed.words.is_empty() {
        say(&format!("  {}", deed.words));
    }
    for error in deed.steps.iter().filter_map(|step| step.error.as_ref()) {
        out::words(&format!("  do: {}", error.port().remedy()));
    }
    for reason in &deed.reasons {
        out::words(&format!("  {}: {}; {}", reason.rule, reason.text, reason.fix));
    }
    if !deed.reasons.is_empty() && !plan.commands.is_empty() {
        out::words("  by hand:");
        for command in &plan.commands {
            out::words(&format!("    {command}"));
        }
    }
    if deed.state == DeedState::Scheduled {
        out::words(&format!("  plan {} is stored until {}", deed.plan, plan.expires.format("%Y-%m-%d %H:%M:%SZ")));
    }
    if deed.state == DeedState::Waiting {
        out::words(&format!("  plan {} is stored until {}", deed.plan, plan.expires.format("%Y-%m-%d %H:%M:%SZ")));
        if let Verdict::SecondPerson { may, .. } = gate::judge(world, plan, &world.at) {
            out::words(&format!("  here:  {}", of_them(&world.here, &may)));
        }
        out::words(&format!("  they:  gonogo approve {} --plan {}", deed.target, deed.plan.short()));
        let from = plan.order.begin().map(|begin| format!(" from {} on", begin.format("%Y-%m-%d %H:%M:%SZ"))).unwrap_or_default();
        out::words(&format!("  then:  gonogo execute {}{from}", deed.plan.short()));
    }
}

/// Prints a plan with its verdict, and the state of its change.
pub fn tell_plan(plan: &Plan, verdict: &Verdict, state: ChangeState, as_json: bool) {
    if as_json {
        out::json(&json::plan(plan, verdict, state));
        return;
    }
    out::line(&format!("PLAN {} {} {}", plan.id.short(), plan.intent.verb.word(), plan.target()));
    out::line(&format!("  now    {}", plan.now));
    out::line(&format!("  after  {}", plan.after));
    for effect in &plan.order.effects {
        out::line(&format!("  step   {}", planner::words(effect)));
    }
    for effect in plan.order.back.iter().rev() {
        out::line(&format!("  else   back at {}", planner::words(effect)));
    }
    for left in &plan.order.left {
        out::line(&format!("  NOT REACHED: {}; {}", left.backend, left.told()));
    }
    for reach in &plan.reach {
        out::line(&format!("  reach  {} % wished, {:.1} % reached by whole weights", reach.wished, reach.reached.percent()));
    }
    for checked in &plan.preconditions {
        out::line(&format!("  {} {}", if checked.holds { "+" } else { "x" }, checked.text));
    }
    if let Some(ticket) = &plan.order.ticket {
        out::line(&format!("  ticket {ticket}"));
    }
    if let Some(typed) = &plan.typed {
        out::line(&format!("  type   {}: {}", plan.order.change_type.word(), typed.because));
    }
    for check in &plan.checks {
        let mark = match (check.finding, check.counts) {
            (Finding::Holds, _) => '+',
            (Finding::Fails | Finding::NotKnown | Finding::NoSource, Counts::Require) => 'x',
            (Finding::Fails | Finding::NotKnown | Finding::NoSource, Counts::Warn) => '~',
        };
        out::line(&format!("  {mark} {}: {}", check.kind.word(), check.text));
    }
    for one in &plan.evidence {
        let age = one.age_s.map_or_else(|| "never read".to_owned(), |age| format!("{age} s"));
        out::line(&format!("  {} {} ({}, {age})", if one.warns { "~" } else { "+" }, one.text, one.source));
    }
    for cost in &plan.costs {
        out::line(&format!("  {:<15} {}", cost.name, cost.text.as_ref().map_or("not known", Text::as_str)));
    }
    out::line(&format!("  verdict {}, good until {}", verdict.word(), plan.expires.format("%Y-%m-%d %H:%M:%SZ")));
    for reason in verdict.reasons() {
        out::line(&format!("    {}: {}; {}", reason.rule, reason.text, reason.fix));
    }
    if let (Verdict::Permit(permit), Some(until)) = (verdict, &plan.order.break_glass) {
        out::line(&format!("  BREAK GLASS until {until}; a review will be owed"));
        glass::tell_waived(permit.waived(), out::line);
    }
    if let Some(undo) = &plan.undo {
        out::line(&format!("  undo   gonogo {undo}"));
    }
    for command in &plan.commands {
        out::line(&format!("  $ {command}"));
    }
    out::line(&format!("  plan   {}", plan.id));
}

/// Recognises `--as PERSON`.
///
/// # Errors
/// Exit 2 when there is no such person.
pub fn actor_named(world: &World, name: &str) -> Result<Actor, Exit> {
    let found = world.catalog.people.iter().find(|person| person.name.as_str() == name);
    found.map(|person| Actor::Person(person.name.clone())).ok_or_else(|| {
        let known: Vec<_> = world.catalog.people.iter().map(|person| person.name.to_string()).collect();
        out::words(&format!("gonogo: nobody called `{}` is configured; known: {}", Text::clean_within(name, 40), known.join(", ")));
        Exit::Usage
    })
}
