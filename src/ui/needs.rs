//! What needs a person, and what will happen without one, gathered from the world for the board and the key row.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::control::gate;
use crate::control::gated::{self, AtGate};
use crate::control::standing::{ByItself, Standing};
use crate::control::world::{SignalView, TargetView, World};
use crate::model::approval::{Decision, Waiting};
use crate::model::deed::{Deed, DeedState};
use crate::model::intent::Verb;
use crate::model::name::{BackendName, Target};
use crate::model::outbox::Progress;
use crate::model::reading::Freshness;
use crate::model::share::Percent;
use crate::model::spec::{Ended, Ending};
use crate::model::time::Moment;

use super::ahead;
use super::command::Command;
use super::plans::{self, Part, asked};
use super::screen::Screen;
use super::signal;
use super::words;

/// A row of "needs you": a target or a source, what is the matter, what happens otherwise, who has it, which key helps.
#[derive(Debug, Clone, PartialEq)]
pub struct NeedRow {
    /// The target; none when a source is the matter.
    pub target: Option<Target>,
    /// The target or the source in words.
    pub subject: String,
    /// Its standing.
    pub standing: Standing,
    /// What is the matter, from long to short.
    pub what: Vec<String>,
    /// What happens if nobody does anything, from long to short.
    pub otherwise: Vec<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// Who has it.
    pub holder: Option<String>,
    /// The command that helps.
    pub command: Command,
    /// The time by which it must be done, where there is one.
    pub by: Option<DateTime<Utc>>,
}

/// Everything that needs a person, the worst first. `standings` are those of all targets that are not quiet.
pub fn needs(world: &World, now: &Moment, standings: &[(&Target, Standing)]) -> Vec<NeedRow> {
    let mut rows: Vec<NeedRow> = Vec::new();
    for (target, standing) in standings {
        match standing {
            Standing::Abnormal => rows.extend(world.target(target).map(|view| abnormal(world, now, view))),
            Standing::Failed => rows.extend(world.target(target).and_then(|view| failed(world, view))),
            // Ten thousand targets may be unknown, and hardly one of them waits.
            Standing::Waiting | Standing::Unknown => {
                let stands = world.ahead.get(target).and_then(ahead::waits).zip(world.target(target));
                rows.extend(stands.map(|(what, view)| stands_still(view, what, *standing)));
            }
            Standing::Held | Standing::Moving | Standing::Split | Standing::Quiet => {}
        }
    }
    // Also where something worse is the matter with the target: the plan waits none the less.
    let waits = world.waiting_at(now).filter(|one| world.target(one.plan.target()).is_some() && gate::asks_now(world, one, now));
    rows.extend(waits.map(|one| waiting(world, one, now)));
    let may_wait = gated::some_wait(world);
    for (target, _) in standings.iter().filter(|(_, standing)| may_wait && *standing != Standing::Quiet) {
        rows.extend(gated::waiting(world, target).iter().filter_map(|at| at_gate(world, target, at, now)));
    }
    rows.extend(world.sources.values().filter_map(|source| lost(world, &source.backend.name, source.freshness(now))));
    rows.extend(world.ledger.receivers.iter().map(receiver));
    rows.sort_by(|a, b| (a.standing, a.by.is_none(), a.by, &a.subject).cmp(&(b.standing, b.by.is_none(), b.by, &b.subject)));
    rows
}

fn abnormal(world: &World, now: &Moment, view: &TargetView) -> NeedRow {
    let share = view.wished().filter(|share| share.nearest() != Percent::NONE).map(words::share);
    let on = share.map(|share| [format!(", on {share} % of traffic"), format!(", on {share} %")]).unwrap_or_default();
    let fresh = |signal: &&SignalView| world.freshness(&signal.backend, now).is_fresh();
    let signal = view.signals.iter().map(Arc::as_ref).filter(|signal| signal::is_past(signal)).find(fresh);
    let mut alerts = view.alerts.iter().filter(|alert| alert.silenced_by.is_empty() && alert.inhibited_by.is_empty());
    let alert = alerts.next();
    let more = match alerts.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let fires = alert.map(|alert| format!("alert {}{more}", alert.name));
    let what = match (signal, fires) {
        (Some(signal), Some(fires)) => signal::forms(view, signal, &on).into_iter().map(|form| format!("{form}; {fires}")).collect(),
        (Some(signal), None) => signal::forms(view, signal, &on),
        (None, Some(fires)) => on.iter().map(|on| format!("{fires}{on}")).chain([fires.clone()]).collect(),
        (None, None) if view.workload.is_some() => {
            let told = view.workload.as_ref().map(|seen| format!("instances {}", seen.told())).unwrap_or_default();
            vec![told.clone(), super::words::shorter(&told)]
        }
        (None, None) => on.iter().map(|on| format!("abnormal{on}")).collect(),
    };
    let canary = view.wished().is_some_and(|share| share.nearest() != Percent::NONE);
    let clock = |at: &DateTime<Utc>| at.format("%H:%M:%SZ").to_string();
    let walked = world.ahead.get(&view.target).and_then(|ahead| ahead::otherwise(view, ahead, clock));
    let (walked, command) = walked.map_or((None, None), |(walked, command)| (Some(walked), Some(command)));
    NeedRow {
        target: Some(view.target.clone()),
        subject: view.target.to_string(),
        standing: Standing::Abnormal,
        what,
        otherwise: walked.unwrap_or_else(|| match &view.state.hold {
            Some(hold) => vec![format!("held by {}; nothing happens by itself", hold.by), "held; nothing happens by itself".to_owned()],
            None => {
                went_back(view, now).unwrap_or_else(|| vec!["nothing happens by itself".to_owned(), "nothing moves by itself".to_owned()])
            }
        }),
        since: alert.map(|alert| alert.since),
        holder: view.state.hold.as_ref().map(|hold| hold.by.clone()),
        command: command.unwrap_or(if canary { Command::Deed(Verb::Rollback) } else { Command::Look }),
        by: None,
    }
}

/// That its last rollout went back by itself, so that nobody looks for its fault in the version that serves now.
fn went_back(view: &TargetView, now: &Moment) -> Option<Vec<String>> {
    let lately = |last: &&Ended| now.wall - last.at < TimeDelta::hours(1);
    let last = view.state.last.as_deref().filter(|last| last.how == Ending::WentBack && view.state.rollout.is_none()).filter(lately)?;
    let (version, at) = (last.to.as_ref().map_or("it", |version| version.as_str()), last.at.format("%H:%M:%SZ"));
    Some(vec![
        format!("{version} went back by itself at {at}; nothing more happens by itself"),
        format!("{version} went back at {at}; nothing more does"),
        "went back; nothing more happens".to_owned(),
    ])
}

/// A rollout that does not go on by itself.
fn stands_still(view: &TargetView, what: Vec<String>, standing: Standing) -> NeedRow {
    let rollout = view.state.rollout.as_ref();
    NeedRow {
        target: Some(view.target.clone()),
        subject: view.target.to_string(),
        standing,
        what,
        otherwise: vec!["it stands where it is until then".to_owned(), "it stands".to_owned()],
        since: rollout.and_then(|rollout| rollout.course.as_ref()).map(|course| course.since),
        holder: rollout.map(|rollout| rollout.by.clone()),
        command: Command::Look,
        by: None,
    }
}

fn failed(world: &World, view: &TargetView) -> Option<NeedRow> {
    let deed = world.deeds.values().filter(|deed| deed.target == view.target).max_by_key(|deed| deed.facts.intended)?;
    let otherwise = match deed.state {
        DeedState::Unknown => ["nobody knows whether it happened; it is not sent again by itself", "not sent again by itself"],
        DeedState::Slipped => ["it did not stay so; nothing is done about it by itself", "nothing is done by itself"],
        DeedState::Waiting
        | DeedState::Scheduled
        | DeedState::Denied
        | DeedState::Intended
        | DeedState::Sent
        | DeedState::Accepted
        | DeedState::Effective
        | DeedState::Held
        | DeedState::Unwatched
        | DeedState::Superseded
        | DeedState::Failed => ["nothing more happens by itself", "nothing more happens"],
    };
    Some(NeedRow {
        target: Some(view.target.clone()),
        subject: view.target.to_string(),
        standing: Standing::Failed,
        what: failed_words(deed),
        otherwise: otherwise.map(ToOwned::to_owned).to_vec(),
        since: deed.facts.intended,
        holder: Some(deed.requester.clone()),
        command: Command::Look,
        by: None,
    })
}

/// The verb and the state always, then why, as far as there is room.
fn failed_words(deed: &Deed) -> Vec<String> {
    let word = format!("{} {}", deed.verb.word(), deed.state.word().to_uppercase());
    if deed.words.is_empty() { vec![word] } else { vec![format!("{word}: {}", deed.words)] }
}

fn waiting(world: &World, one: &Waiting, now: &Moment) -> NeedRow {
    let plan = &one.plan;
    let queued = plans::queued(world, one, now);
    let (asked, by) = (asked(plan), &plan.intent.requester);
    let of = if *by == world.actor { String::new() } else { format!(" by {by}") };
    let forms = queued.forms();
    NeedRow {
        target: Some(plan.target().clone()),
        subject: plan.target().to_string(),
        standing: Standing::Waiting,
        what: forms.iter().map(|form| format!("{asked}{of}: {form}")).chain(forms.last().map(|form| format!("{asked}: {form}"))).collect(),
        otherwise: match queued.part {
            Part::MayGo => vec!["agreed, it ends unless executed".to_owned(), "else it ends".to_owned()],
            Part::MayAgree | Part::MineLater | Part::Blocked | Part::MineWaits | Part::Agreed | Part::Others => {
                vec!["it ends unless agreed".to_owned(), "else it ends".to_owned()]
            }
        },
        since: Some(plan.made),
        holder: Some(by.to_string()),
        command: match queued.part {
            Part::MayAgree => Command::Rule(Decision::Approve),
            Part::MayGo => Command::Execute,
            Part::MineLater | Part::Blocked | Part::MineWaits | Part::Agreed | Part::Others => Command::Go(Screen::Changes),
        },
        by: Some(plan.expires),
    }
}

/// A run at a gate, for a reader who may open it; where a plan is about it already, that one waits instead.
fn at_gate(world: &World, target: &Target, at: &AtGate<'_>, now: &Moment) -> Option<NeedRow> {
    let is_fresh = world.freshness(&at.run.id.backend, now).is_fresh();
    let may = gate::against_answer(world, target, at, true, &world.actor).is_empty();
    if !is_fresh || !may || world.read_only || plans::about(world, at.run, now).is_some() {
        return None;
    }
    let (run, gates) = (&at.run.id, at.names());
    let by = if at.run.by.is_empty() { String::new() } else { format!(", asked for by {}", at.run.by) };
    let short = |revision: &str| revision.get(..8).unwrap_or(revision).to_owned();
    let of = if at.run.revision.is_empty() { String::new() } else { format!(" with {}", short(at.run.revision.as_str())) };
    Some(NeedRow {
        target: Some(target.clone()),
        subject: target.to_string(),
        standing: Standing::Waiting,
        what: vec![
            format!("run {run}{of} waits at {gates}{by}: open it?"),
            format!("run {run} waits at {gates}: open it?"),
            format!("{run} waits at {gates}"),
        ],
        otherwise: vec!["it waits on; nothing opens it by itself".to_owned(), "it waits on".to_owned()],
        since: at.since(),
        holder: None,
        command: Command::Rule(Decision::Approve),
        by: None,
    })
}

fn lost(world: &World, backend: &BackendName, freshness: Freshness) -> Option<NeedRow> {
    let source = world.sources.get(backend)?;
    let (what, otherwise) = match (freshness, source.trouble()) {
        (Freshness::Fresh, _) | (Freshness::Never, None) => return None,
        (_, Some(error)) => (format!("{}: {}", freshness.word(), error.detail), error.remedy().to_owned()),
        (_, None) => (freshness.word().to_owned(), "it is asked again by itself".to_owned()),
    };
    let hidden = world
        .catalog
        .services
        .values()
        .flat_map(|service| service.deploy.values())
        .filter(|deploy| deploy.traffic.iter().any(|entry| &entry.backend == backend))
        .count();
    let unseen = if hidden == 0 { String::new() } else { format!("; {} unseen", words::counted(hidden, "target", "targets")) };
    let word = freshness.word();
    Some(NeedRow {
        target: None,
        subject: format!("source {backend}"),
        standing: Standing::Unknown,
        what: vec![format!("{what}{unseen}"), words::shorter(&format!("{what}{unseen}")), words::shorter(&format!("{word}{unseen}"))],
        otherwise: vec![otherwise.clone(), words::shorter(&otherwise)],
        since: source.seen().map(|seen| seen.wall),
        holder: None,
        command: Command::Detail,
        by: None,
    })
}

/// A receiver that refuses what it is told, or cannot be reached: that always, then why, as far as there is room.
fn receiver(of: &Progress) -> NeedRow {
    let name = &of.name;
    let (what, otherwise, since) = if let Some(first) = of.parked.first() {
        let many = words::counted(of.parked.len(), "notice", "notices");
        let what = format!("{many} refused: {}", first.why);
        (what, vec![format!("set aside; `gonogo outbox retry {name}` or drop"), "set aside".to_owned()], Some(first.at))
    } else {
        let why = of.trouble.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        (
            format!("not reached{why}"),
            vec!["it is tried again by itself; nothing is lost".to_owned(), "tried again".to_owned()],
            of.delivered,
        )
    };
    NeedRow {
        target: None,
        subject: format!("receiver {name}"),
        standing: Standing::Unknown,
        what: vec![what],
        otherwise,
        since,
        holder: None,
        command: Command::Go(Screen::Ledger),
        by: None,
    }
}

/// What will happen without a person, the soonest first.
pub fn by_itself(world: &World, now: &Moment) -> Vec<ByItself> {
    let left = |due: &DateTime<Utc>| (*due - now.wall).to_std().ok();
    let mut rows: Vec<ByItself> = world.deeds.values().filter_map(|deed| watched(world, deed)).collect();
    rows.extend(ahead::rows(world));
    rows.extend(world.waiting_at(now).map(|one| {
        let (plan, id) = (&one.plan, one.plan.id.short());
        let begin = plan.order.begin().filter(|begin| now.wall < *begin);
        let text = match (&plan.order.train, begin) {
            (Some(train), Some(_)) => format!("{train} leaves; {} may be executed ({id})", asked(plan)),
            (None, Some(_)) => format!("{} may be executed ({id})", asked(plan)),
            (_, None) => format!("{} ends unless agreed ({id})", asked(plan)),
        };
        ByItself { due: Some(begin.unwrap_or(plan.expires)), left: None, target: plan.target().clone(), text }
    }));
    for row in &mut rows {
        row.left = row.due.as_ref().and_then(left);
    }
    rows.sort_by(|a, b| (a.due.is_none(), a.due, &a.target).cmp(&(b.due.is_none(), b.due, &b.target)));
    rows
}

fn watched(world: &World, deed: &Deed) -> Option<ByItself> {
    let (due, text) = match deed.state {
        DeedState::Effective => (deed.held_due?, format!("{} counts as HELD if nothing changes", deed.verb.word())),
        DeedState::Accepted | DeedState::Sent => {
            let within = world.catalog.environment(&deed.target.environment)?.effective_within;
            let from = deed.facts.accepted.or(deed.facts.sent)?;
            let due = from.checked_add_signed(chrono::TimeDelta::from_std(within).ok()?)?;
            (due, format!("{} counts as not effective unless seen", deed.verb.word()))
        }
        DeedState::Waiting
        | DeedState::Scheduled
        | DeedState::Denied
        | DeedState::Intended
        | DeedState::Held
        | DeedState::Unwatched
        | DeedState::Superseded
        | DeedState::Slipped
        | DeedState::Unknown
        | DeedState::Failed => return None,
    };
    Some(ByItself { due: Some(due), left: None, target: deed.target.clone(), text })
}
