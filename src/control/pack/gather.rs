//! Gathers the pack from the world and from entries of the ledger.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Coming, Done, Failure, Pack, Times};
use crate::control::gate;
use crate::control::planner;
use crate::control::world::{EntryRow, World};
use crate::model::approval::Waiting;
use crate::model::deed::EntryKind;
use crate::model::intent::Direction;
use crate::model::name::{PlanId, ServiceName};
use crate::model::plan::Plan;
use crate::model::share::Share;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::timetable::Span;
use crate::model::verdict::Verdict;
use crate::policy::approval;
use crate::policy::conflict::{self, Scheduled};
use crate::policy::risk::{Facts, Risk, risk};

/// How far back a failure counts in the risk.
const LATELY: TimeDelta = TimeDelta::days(30);

/// How many failures of a service are listed.
const FAILURES: usize = 10;

/// The pack of a period. `entries`: the ledger's, the oldest first, all of them or the newest.
pub fn pack(world: &World, entries: &[EntryRow], period: Span, now: &Moment) -> Pack {
    let mut waiting: Vec<(&Waiting, Span, bool)> =
        world.waiting_at(now).map(|one| (one, time(&one.plan), one.plan.booking().is_some())).collect();
    waiting.retain(|(_, time, _)| time.meets(&period));
    waiting.sort_by_key(|(one, time, _)| (time.begin, one.plan.id));
    let scheduled: Vec<Scheduled> = waiting.iter().map(|(one, time, _)| scheduled(&one.plan, *time, now)).collect();
    let clashes = conflict::conflicts(&world.catalog.services, &scheduled);
    let coming = waiting.iter().zip(&scheduled).map(|((one, time, booked), scheduled)| {
        let mut conflicts = shut(world, &one.plan, scheduled, now);
        let mine = clashes.iter().filter(|clash| clash.one == scheduled.id || clash.other == scheduled.id);
        conflicts.extend(mine.map(|clash| clash.text.to_string()));
        coming(world, entries, one, (*time, *booked), conflicts, now)
    });
    let ahead = &world.calendars.ahead;
    let freezes = ahead.environments.iter().flat_map(|agenda| {
        let of = agenda.freezes.iter().flat_map(|line| line.spans.iter().map(move |span| (line, *span)));
        of.filter(|(_, span)| span.meets(&period)).map(|(line, span)| Times {
            environment: agenda.environment.clone(),
            name: line.name.clone(),
            span,
            reason: line.reason.clone(),
        })
    });
    let not_believed = ahead.environments.iter().flat_map(|agenda| {
        let doubts = agenda.windows.iter().chain(&agenda.freezes);
        doubts.filter_map(|line| Some(format!("{} in {}: {}", line.name, agenda.environment, line.belief(now).doubt()?)))
    });
    let in_period = |at: &DateTime<Utc>| period.holds(*at);
    Pack {
        room: world.catalog.room.name.clone(),
        simulated: world.catalog.simulated,
        made: now.wall,
        period,
        coming: coming.collect(),
        done: done(entries, period),
        freezes: freezes.collect(),
        not_believed: not_believed.collect(),
        known_until: ahead.span.end,
        glass: world.reviews.iter().filter(|review| in_period(&review.at)).cloned().collect(),
        overdue: world.reviews.iter().filter(|review| review.is_overdue(&now.wall)).cloned().collect(),
        entries_from: entries.first().map(|entry| entry.at),
        older_entries: entries.first().is_some_and(|entry| entry.n > 0),
    }
}

/// When a plan may be carried out.
fn time(plan: &Plan) -> Span {
    plan.booking().unwrap_or(Span { begin: plan.made, end: plan.expires })
}

/// What windows and freezes have against a plan at its time.
fn shut(world: &World, plan: &Plan, scheduled: &Scheduled, now: &Moment) -> Vec<String> {
    if plan.direction != Direction::Forward {
        return Vec::new();
    }
    let reasons = conflict::against(&world.calendars.spans, scheduled, Some(plan.id), &plan.intent.requester, *now);
    reasons.iter().map(|reason| format!("{}: {}", reason.rule, reason.text)).collect()
}

/// The risk of one plan that waits, by windows and freezes alone and not by other plans; `entries` as for [`pack`].
pub fn risk_of(world: &World, entries: &[EntryRow], plan: &Plan, now: &Moment) -> Risk {
    let failures = failures(entries, &plan.target().service);
    let conflicts = shut(world, plan, &scheduled(plan, time(plan), now), now).len();
    of_plan(world, plan, &failures, conflicts, now)
}

fn of_plan(world: &World, plan: &Plan, failures: &[Failure], conflicts: usize, now: &Moment) -> Risk {
    let target = plan.target();
    let service = world.catalog.services.get(&target.service);
    let view = world.target(target);
    let lately = now.wall.checked_sub_signed(LATELY).unwrap_or(now.wall);
    let share = view.and_then(|view| view.wished()).map(Share::percent);
    let proven = view.and_then(|view| view.state.way_back.as_ref()).map(|proof| now.wall.signed_duration_since(proof.at));
    risk(&Facts {
        moved: plan.order.percent.map(|to| moved(share, to.get())),
        undo: plan.undo.is_some(),
        proven,
        tier: service.and_then(|service| service.tier),
        dependants: world.catalog.services.values().filter(|other| other.depends_on.contains(&target.service)).count(),
        failures: failures.iter().filter(|failure| failure.at >= lately).count(),
        conflicts,
    })
}

/// A plan as a change at its time; of one that waits only what is left of it.
fn scheduled(plan: &Plan, time: Span, now: &Moment) -> Scheduled {
    let begin = if plan.booking().is_some() { time.begin } else { time.begin.max(now.wall) };
    Scheduled {
        id: format!("plan {}", plan.id.short()),
        target: plan.target().clone(),
        kind: plan.order.change_type,
        span: Span { begin, end: time.end },
    }
}

fn coming(
    world: &World,
    entries: &[EntryRow],
    one: &Waiting,
    (time, booked): (Span, bool),
    conflicts: Vec<String>,
    now: &Moment,
) -> Coming {
    let plan = &one.plan;
    let target = plan.target();
    let fresh = planner::recheck(world, plan, now);
    let verdict = gate::judge(world, &fresh, now);
    let service = world.catalog.services.get(&target.service);
    let view = world.target(target);
    let proven = view.and_then(|view| view.state.way_back.as_ref()).map(|proof| proof.at);
    let failures = failures(entries, &target.service);
    let risk = of_plan(world, plan, &failures, conflicts.len(), now);
    let requirements = world.catalog.guard(target).map(|guard| approval::requirements(plan, guard, &gate::roles(world, target, now.wall)));
    let asked = requirements.unwrap_or_default();
    let asked = asked.iter().map(|group| {
        let who = if group.may.is_empty() { "nobody who is configured".to_owned() } else { group.may.join(", ") };
        format!("{} {}: {who}", group.approvals, group.group).replace("  ", " ")
    });
    let what = plan.order.percent.map_or_else(String::new, |percent| format!(" to {percent} %"));
    Coming {
        plan: plan.id,
        what: format!("{}{what}", plan.intent.verb.word()),
        target: target.clone(),
        team: service.and_then(|service| service.team.clone()),
        kind: plan.order.change_type,
        because: plan.typed.as_ref().map(|typed| typed.because.clone()),
        state: state(&verdict, booked),
        blocked: verdict.reasons().to_vec(),
        requester: plan.intent.requester.to_string(),
        reason: plan.intent.reason.clone(),
        made: plan.made,
        time,
        booked,
        now: plan.now.clone(),
        after: plan.after.clone(),
        risk,
        undo: plan.undo.as_ref().map(|undo| format!("gonogo {undo}")),
        proven,
        conflicts,
        failures: failures.into_iter().take(FAILURES).collect(),
        asked: asked.collect(),
        given: one.approvals.clone(),
        evidence: plan.evidence_digest().ok(),
        checks: fresh.checks,
    }
}

fn state(verdict: &Verdict, booked: bool) -> &'static str {
    match verdict {
        Verdict::Permit(_) => "approved",
        Verdict::SecondPerson { .. } if booked => "scheduled, waits for agreement",
        Verdict::SecondPerson { .. } => "waits for agreement",
        Verdict::Early(_) => "approved, waits for its time",
        Verdict::Deny(_) => "blocked",
    }
}

/// How many per cent of the traffic go elsewhere; the whole new share when the present one is not known.
fn moved(share: Option<f64>, to: u8) -> u8 {
    let from = share.map_or(0.0, |share| share.clamp(0.0, 100.0));
    let apart = (from - f64::from(to)).abs().ceil();
    (0..=100_u8).find(|whole| f64::from(*whole) >= apart).unwrap_or(100)
}

/// Deeds of a service that failed, slipped or were taken back, the newest first.
fn failures(entries: &[EntryRow], service: &ServiceName) -> Vec<Failure> {
    let of = |entry: &&EntryRow| entry.target.as_deref().is_some_and(|target| target.split('@').next() == Some(service.as_str()));
    let failure = |entry: &EntryRow| {
        let verb = entry.verb.as_deref().unwrap_or("deed");
        let failed = matches!(entry.kind, EntryKind::Failed | EntryKind::Slipped);
        let taken_back = entry.kind == EntryKind::Intent && matches!(verb, "rollback" | "abort");
        let how = match (failed, taken_back) {
            (true, _) => format!("{verb} {}", entry.kind.word()),
            (false, true) => format!("taken back by {verb}"),
            (false, false) => return None,
        };
        Some(Failure {
            at: entry.at,
            how,
            target: entry.target.clone().unwrap_or_default(),
            by: entry.requester.clone().unwrap_or_else(|| entry.signer.clone()),
            words: entry.words.clone(),
        })
    };
    entries.iter().rev().filter(of).filter_map(failure).collect()
}

/// Deeds that were begun within the period, each with what became of it.
fn done(entries: &[EntryRow], period: Span) -> Vec<Done> {
    let mut all: Vec<Done> = Vec::new();
    let mut place: BTreeMap<PlanId, usize> = BTreeMap::new();
    let mut agreed: BTreeMap<PlanId, Vec<String>> = BTreeMap::new();
    for entry in entries {
        let Some(plan) = entry.deed else { continue };
        match entry.kind {
            EntryKind::Approval => agreed.entry(plan).or_default().extend(entry.agreed_by().map(ToOwned::to_owned)),
            EntryKind::Intent if period.holds(entry.at) => {
                place.insert(plan, all.len());
                all.push(Done {
                    at: entry.at,
                    plan,
                    verb: entry.verb.clone().unwrap_or_default(),
                    target: entry.target.clone().unwrap_or_default(),
                    by: entry.requester.clone().unwrap_or_else(|| entry.signer.clone()),
                    outcome: entry.kind,
                    words: Text::empty(),
                    agreed: agreed.get(&plan).cloned().unwrap_or_default(),
                });
            }
            EntryKind::Effective
            | EntryKind::Held
            | EntryKind::Slipped
            | EntryKind::Unwatched
            | EntryKind::Superseded
            | EntryKind::Failed
            | EntryKind::Unknown
            | EntryKind::NotBegun
            | EntryKind::Accepted => {
                if let Some(done) = place.get(&plan).and_then(|at| all.get_mut(*at)) {
                    done.outcome = entry.kind;
                    done.words = entry.words.clone();
                }
            }
            EntryKind::Intent
            | EntryKind::Signers
            | EntryKind::Denied
            | EntryKind::Rejection
            | EntryKind::Withdrawal
            | EntryKind::Sending
            | EntryKind::Hold
            | EntryKind::Resume
            | EntryKind::Note
            | EntryKind::Policy
            | EntryKind::BreakGlass
            | EntryKind::Imported => {}
        }
    }
    all
}
