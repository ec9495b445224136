//! The planner: an intent and the world make a plan, or say why there can be none. Pure.

mod answer;
mod beside;
mod booking;
mod check;
mod checks;
mod cost;
mod drain;
mod flag;
mod of_workload;
mod rollout;
mod run;
mod silence;
mod slots;
mod step_flags;
mod still;
mod traffic;
mod wished;
mod workload;

use std::time::Duration;

pub use answer::waits_in_a_line;
pub use check::{recheck, told_since};
pub use wished::{Choice, Wished, choices, instant, never_scheduled, wished};

use crate::control::authors;
use crate::control::conflicts;
use crate::control::released;
use crate::control::world::World;
use crate::model::authorship::Authorship;
use crate::model::both::LeftOut;
use crate::model::catalog::{Deploy, Service};
use crate::model::gate::{CheckKind, Counts, Finding};
use crate::model::intent::{Direction, Intent, Verb};
use crate::model::name::{PlanId, Target};
use crate::model::plan::{Cost, Evidence, ORDER_FORMAT, Order, OrderTarget, Plan, Precondition, Reach, StepEffect};
use crate::model::reason::Reason;
use crate::model::review::{LONGEST_BOX, SHORTEST_BOX};
use crate::model::run_gate::AskedBy;
use crate::model::share::Percent;
use crate::model::silence::SilenceChange;
use crate::model::slot::Slot;
use crate::model::spec::Spec;
use crate::model::text::Text;
use crate::model::time::{Moment, rfc3339};
use crate::model::timetable::Span;
use crate::model::verdict::Verdict;
use crate::policy::conflict::{Conflict, Scheduled};
use crate::policy::{approval, both, gate};

/// How long a plan may be carried out by its requester.
const GOOD_FOR: Duration = Duration::from_mins(10);
/// How long a plan waits for other persons.
const WAITS_FOR: Duration = Duration::from_hours(4);

/// Why no plan can even be drawn up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No such target is configured.
    #[error("no target `{target}` is configured{}", near.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    UnknownTarget {
        /// What was asked for.
        target: Target,
        /// The nearest configured one.
        near: Option<Target>,
    },
    /// An argument is missing or of the wrong kind.
    #[error("{0}")]
    Arguments(Text),
    /// No run was named, and not exactly one waits at a gate.
    #[error("{text}")]
    WhichRun {
        /// Why it is not clear which one is meant.
        text: Text,
        /// The runs that wait, each in a line.
        waiting: Vec<Text>,
    },
    /// The Order could not be written in canonical form.
    #[error("failed to write the order in canonical form: {0}")]
    Canonical(Text),
}

/// What a verb's own planner fills in.
#[derive(Debug, Default)]
struct Draft {
    direction: Option<Direction>,
    effects: Vec<StepEffect>,
    ends: Option<Slot>,
    percent: Option<Percent>,
    slot: Option<Slot>,
    digest: Option<Text>,
    /// The version and digest that the deed itself brings into the slot that is not stable.
    brings: Option<(Text, Option<Text>)>,
    /// Routers that a way back leaves out because they do not answer.
    left: Vec<LeftOut>,
    run: Option<String>,
    /// Its attempt, where the backend counts attempts.
    attempt: Option<u64>,
    preconditions: Vec<Precondition>,
    evidence: Vec<Evidence>,
    now: String,
    after: String,
    costs: Vec<Cost>,
    reach: Vec<Reach>,
    undo: Option<String>,
    impossible: Vec<Reason>,
    /// Who asked for the run whose gates are opened.
    asked_by: Option<AskedBy>,
    /// What the rollout does that it starts.
    rollout: Option<Spec>,
}

/// Where a verb's planner looks.
#[derive(Clone, Copy)]
struct Scene<'a> {
    world: &'a World,
    now: &'a Moment,
    intent: &'a Intent,
    service: &'a Service,
    deploy: &'a Deploy,
}

/// Draws up a plan. What stands in its way (`Plan::impossible`, broken preconditions) is in the plan; only what cannot be planned at all is an error.
///
/// `nonce` makes two equal wishes two plans; it comes from outside so that the same seed gives the same plans.
///
/// # Errors
/// The target is not configured, or an argument is missing.
pub fn plan(world: &World, intent: Intent, now: &Moment, nonce: &str) -> Result<Plan, PlanError> {
    let unknown = || PlanError::UnknownTarget { target: intent.target.clone(), near: nearest(world, &intent.target) };
    let service = world.catalog.services.get(&intent.target.service).ok_or_else(unknown)?;
    world.catalog.environment(&intent.target.environment).ok_or_else(unknown)?;
    let deploy = service.deploy.get(&intent.target.environment).ok_or_else(unknown)?;
    let scene = Scene { world, now, intent: &intent, service, deploy };
    if !scene.deploy.takes_version() && intent.args.version.is_some() {
        let text = format!(
            "{} stands in two slots: what is released is the version that was deployed there; leave the version out",
            intent.target
        );
        return Err(PlanError::Arguments(Text::clean(&text)));
    }
    if scene.deploy.workload.is_none() && intent.args.full {
        let text =
            format!("{} stands in two slots: there are no steps of an orchestrator that could be skipped; leave --full out", intent.target);
        return Err(PlanError::Arguments(Text::clean(&text)));
    }
    let of_workload = scene.deploy.workload.as_ref().map(|entry| workload::plan(&scene, entry)).transpose()?.flatten();
    if let Some(draft) = of_workload {
        return finish(world, intent, now, nonce, draft);
    }
    if let Some(step) = slots::step(&scene) {
        let draft = slots::brings_up(&scene, step);
        return finish(world, intent, now, nonce, draft);
    }
    let draft = match scene.intent.verb {
        Verb::Shift => traffic::shift(&scene)?,
        Verb::Promote => traffic::promote(&scene),
        Verb::Abort => traffic::abort(&scene),
        Verb::Rollback => traffic::rollback(&scene),
        Verb::Hold => still::hold(&scene),
        Verb::Resume => still::resume(&scene),
        Verb::Note => still::note(&scene)?,
        Verb::Rollout => slots::asked(&scene).map(|()| rollout::start(&scene))?,
        Verb::Flag => flag::set(&scene)?,
        Verb::Drain => drain::set(&scene, true)?,
        Verb::Ready => drain::set(&scene, false)?,
        Verb::Silence | Verb::Unsilence => silence::set(&scene)?,
        Verb::Start => run::start(&scene),
        Verb::Retry => run::retry(&scene)?,
        Verb::Cancel => run::cancel(&scene)?,
        Verb::Approve => answer::answer(&scene, true)?,
        Verb::Reject => answer::answer(&scene, false)?,
    };
    finish(world, intent, now, nonce, draft)
}

fn finish(world: &World, intent: Intent, now: &Moment, nonce: &str, draft: Draft) -> Result<Plan, PlanError> {
    let direction = draft.direction.unwrap_or(Direction::Forward);
    let typed = checks::typed(world, &intent, direction, draft.percent, draft.undo.is_some(), now);
    let mut impossible = draft.impossible;
    let change_type = match gate::stricter(typed.clone(), intent.args.change) {
        Ok(wished) => wished.change,
        Err(reason) => {
            impossible.push(reason);
            typed.change
        }
    };
    let catalogs = std::iter::once(&world.catalog).chain(world.rules.older.as_ref().map(|older| &older.catalog));
    let waits = catalogs.filter_map(|catalog| catalog.guard(&intent.target));
    let waits = intent.args.of.is_none() && waits.into_iter().any(|guard| !approval::groups(direction, change_type, guard).is_empty());
    let boxed = intent.args.break_glass;
    if boxed.is_some_and(|boxed| !(SHORTEST_BOX..=LONGEST_BOX).contains(&boxed)) {
        return Err(PlanError::Arguments(Text::clean("a time box of break glass lasts from 1m to 4h")));
    }
    let booked = booking::booking(world, &intent, direction, change_type, now)?;
    // The box of break glass is the life of its plan: nobody else is waited for, and afterwards it can do nothing any more.
    let lasts = boxed.unwrap_or(if waits { WAITS_FOR } else { GOOD_FOR });
    // By the ledger's time, which judges it: a clock that once ran ahead must not end every plan at its making.
    let expires = booked.as_ref().map_or_else(|| world.ledger.time(now) + lasts, |booked| booked.span.end);
    // Milliseconds are what the Order keeps; the plan must not outlive it by a fraction of one.
    let expires = chrono::DateTime::from_timestamp_millis(expires.timestamp_millis()).unwrap_or(expires);
    let preconditions: Vec<_> = draft.preconditions.into_iter().map(|must| check::check(world, &intent.target, must, now)).collect();
    let back = both::taken_back(direction, &draft.effects, &preconditions);
    let costs = cost::with_back(draft.costs, &draft.effects, &back);
    let order = Order {
        back,
        left: draft.left,
        begins: booked.as_ref().map(|booked| rfc3339(&booked.span.begin)),
        break_glass: boxed.map(|_| rfc3339(&expires)),
        change_type,
        effects: draft.effects,
        ends: draft.ends,
        expires: rfc3339(&expires),
        format: ORDER_FORMAT,
        installation: world.ledger.installation.clone(),
        nonce: nonce.to_owned(),
        of: intent.args.of.as_deref().copied(),
        rollout: draft.rollout,
        percent: draft.percent,
        requester: intent.requester.to_string(),
        rules: world.rules_in_force(&intent.target),
        targets: vec![OrderTarget {
            service: intent.target.service.to_string(),
            environment: intent.target.environment.to_string(),
            slot: draft.slot,
            digest: draft.digest,
            run: draft.run,
            attempt: draft.attempt,
        }],
        text: intent.args.text.clone(),
        ticket: intent.args.ticket.clone(),
        train: booked.as_ref().and_then(|booked| booked.train.clone()),
        verb: intent.verb,
    };
    let released = order.targets.first();
    let released = released.map(|target| released::of(world, &intent.target, target, &order.effects, draft.brings.as_ref()));
    let id = order.id().map_err(|error| PlanError::Canonical(Text::clean(&error.to_string())))?;
    let commands = order.effects.iter().flat_map(|effect| by_hand(world, effect)).collect();
    let mut evidence = draft.evidence;
    let made = authors::of(world, &intent.target, direction, (&order.effects, intent.args.version.as_ref()), now);
    evidence.extend(authorship(world, &intent.target, made.as_ref(), waits));
    if let Some(booked) = &booked {
        evidence.push(Evidence { text: Text::clean(&booked.text), source: "policy".to_owned(), age_s: None, warns: false });
    }
    evidence.extend(in_the_way(
        world,
        &order,
        &intent,
        direction,
        id,
        Span { begin: booked.map_or(now.wall, |booked| booked.span.begin), end: expires },
    ));
    if boxed.is_some() {
        let text = format!("BREAK GLASS until {}: waives approvals and checks, nothing else; a review will be owed", rfc3339(&expires));
        evidence.push(Evidence { text: Text::clean(&text), source: "policy".to_owned(), age_s: None, warns: true });
    }
    let brings = (&order.effects[..], intent.args.version.as_ref());
    let checks = if checks::are_asked(&intent, direction) { checks::checks(world, &intent.target, brings, now) } else { Vec::new() };
    Ok(Plan {
        id,
        direction,
        order,
        made: now.wall,
        expires,
        preconditions,
        evidence,
        released: released.unwrap_or_default(),
        now: Text::clean(&draft.now),
        after: Text::clean(&draft.after),
        costs,
        reach: draft.reach,
        undo: draft.undo,
        commands,
        impossible,
        asked_by: draft.asked_by,
        waived: Vec::new(),
        checks,
        typed: Some(typed),
        authors: made.map(|(made, _)| made),
        intent,
    })
}

/// Who made what a plan brings, as evidence, where no check of the gate says it. It warns where others must agree and it is not known
/// who made it: an author may be among them.
fn authorship(world: &World, target: &Target, made: Option<&(Authorship, Option<Duration>)>, waits: bool) -> Option<Evidence> {
    let (made, age) = made?;
    let gates = world.catalog.guard(target)?.gates;
    if gates.checks.iter().any(|(kind, _)| *kind == CheckKind::Authors) {
        return None;
    }
    let found = checks::authors(Some(made), *age, gates, &world.catalog.people);
    let check = found.into_check(CheckKind::Authors, Counts::Warn);
    let words = if check.finding == Finding::Holds { "authors" } else { "authors are not known" };
    let text = Text::clean(&format!("{words}: {}", check.text));
    Some(Evidence { text, source: check.source, age_s: check.age_s, warns: waits && check.finding != Finding::Holds })
}

/// Whether a scheduled plan may be put aside for its time: nothing but time and agreement is lacking, and the facts that it was made of hold.
pub fn may_be_listed(plan: &Plan, verdict: &Verdict) -> bool {
    plan.order.begins.is_some()
        && plan.preconditions.iter().all(|checked| checked.holds)
        && match verdict {
            Verdict::Early(_) | Verdict::SecondPerson { .. } => true,
            Verdict::Permit(_) | Verdict::Deny(_) => false,
        }
}

/// Plans that wait and that this one would be in the way of, or they of it.
fn in_the_way(world: &World, order: &Order, intent: &Intent, direction: Direction, id: PlanId, span: Span) -> Vec<Evidence> {
    if direction != Direction::Forward || order.effects.is_empty() && order.rollout.is_none() {
        return Vec::new();
    }
    let mine = Scheduled { id: id.to_string(), target: intent.target.clone(), kind: order.change_type, span };
    let form = "%Y-%m-%d %H:%MZ";
    let told = |conflict: Conflict| Evidence {
        text: Text::clean(&format!(
            "in the way from {} to {}: {}",
            conflict.overlap.begin.format(form),
            conflict.overlap.end.format(form),
            conflict.text
        )),
        source: "store".to_owned(),
        age_s: Some(0),
        warns: true,
    };
    conflicts::of_plan(world, &mine, span.begin).into_iter().map(told).collect()
}

fn by_hand(world: &World, effect: &StepEffect) -> Vec<String> {
    world.sources.get(effect.backend()).map(|source| source.by_hand.commands(effect)).unwrap_or_default()
}

/// The configured target whose name is nearest, when one is near at all.
pub fn nearest(world: &World, target: &Target) -> Option<Target> {
    let wanted = target.to_string();
    world
        .targets
        .keys()
        .map(|known| (strsim::damerau_levenshtein(&wanted, &known.to_string()), known))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= wanted.len() / 3 + 1)
        .map(|(_, known)| known.clone())
}

/// One effect in words, for the plan and the deed row.
pub fn words(effect: &StepEffect) -> Text {
    Text::clean(&match effect {
        StepEffect::Weights { backend, pool, weights } => {
            let weights: Vec<_> = weights.iter().map(|(server, weight)| format!("{server} {weight}")).collect();
            format!("{backend}: weights of {pool} to {}", weights.join(", "))
        }
        StepEffect::Flag { backend, flag, on, percent, .. } => {
            let place = if flag.environment.is_empty() { String::new() } else { format!(" in {}", flag.environment) };
            let to = match (on, percent) {
                (true, Some(percent)) => format!("on at {percent} %"),
                (true, None) => "on".to_owned(),
                (false, _) => "off".to_owned(),
            };
            format!("{backend}: flag {}{place} {to}", flag.name)
        }
        StepEffect::Drain { backend, pool, server, drains, .. } => {
            format!("{backend}: server {server} of {pool} to {}", if *drains { "drain" } else { "ready" })
        }
        StepEffect::Silence { backend, alert, change, .. } => match change {
            SilenceChange::Until { ends, .. } => format!("{backend}: silence {alert} until {ends}"),
            SilenceChange::Over { ids } => {
                format!("{backend}: end {} of {alert}", if ids.len() == 1 { "the silence" } else { "the silences" })
            }
        },
        StepEffect::Start { backend, builder, .. } => format!("{backend}: start a run of {builder}"),
        StepEffect::Retry { backend, builder, run } => format!("{backend}: run {backend}/{run} of {builder} again"),
        StepEffect::Repeat { backend, builder, run, attempt, failed_only } => {
            let what = if *failed_only { "what failed in " } else { "" };
            format!("{backend}: {what}run {backend}/{run} of {builder} again, after attempt {attempt}")
        }
        StepEffect::Answer { backend, builder, run, attempt, gates, opens, .. } => {
            let gates: Vec<_> = gates.iter().map(|gate| gate.name.as_str()).collect();
            let does = if *opens { "approve" } else { "reject" };
            format!("{backend}: {does} run {backend}/{run} of {builder}, attempt {attempt}, at {}", gates.join(", "))
        }
        StepEffect::Workload { backend, change } => format!("{backend}: {} to {}", change.workload, change.wish),
        StepEffect::Cancel { backend, builder, run } => format!("{backend}: stop run {backend}/{run} of {builder}"),
    })
}
