//! Plans that wait, as one reader sees them: what blocks each, who has agreed and who still could, and what the reader can do about it.

use chrono::{DateTime, Utc};

use crate::control::authors;
use crate::control::gate;
use crate::control::planner;
use crate::control::world::{EntryRow, World};
use crate::model::approval::{Approval, Decision, Waiting};
use crate::model::deed::EntryKind;
use crate::model::intent::Verb;
use crate::model::operator::Actor;
use crate::model::pipeline::Run;
use crate::model::plan::Plan;
use crate::model::presence::persons;
use crate::model::reason::Reason;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;
use crate::policy;
use crate::policy::approval;
use crate::policy::authors::Known;

/// What a plan that waits is to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The reader may agree to it.
    MayAgree,
    /// The reader asked for it, and it may go.
    MayGo,
    /// The reader asked for it, and its time has not come.
    MineLater,
    /// The reader asked for it, and something other than agreement stands in its way.
    Blocked,
    /// The reader asked for it, and others must agree.
    MineWaits,
    /// The reader has agreed to it.
    Agreed,
    /// It is for others.
    Others,
}

impl Part {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::MayAgree => "may-agree",
            Self::MayGo => "may-go",
            Self::MineLater => "mine-later",
            Self::Blocked => "blocked",
            Self::MineWaits => "mine-waits",
            Self::Agreed => "agreed",
            Self::Others => "others",
        }
    }
}

/// Somebody whose agreement is still wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Could {
    /// The name.
    pub name: String,
    /// When the newest entries of the ledger last bear the name; none when they do not.
    pub seen: Option<DateTime<Utc>>,
    /// Whether the person sits before a room that is open now.
    pub here: bool,
}

/// A plan that waits, judged as the world stands now.
#[derive(Debug, Clone)]
pub struct Queued<'a> {
    /// As the store keeps it.
    pub waiting: &'a Waiting,
    /// The plan with its preconditions and checks looked at now.
    pub fresh: Plan,
    /// The verdict over it now.
    pub verdict: Verdict,
    /// Approvals needed; none when its target is not configured.
    pub needs: Option<u32>,
    /// Approvals that count.
    pub given: u32,
    /// Who has not agreed and could.
    pub could: Vec<Could>,
    /// What it is to the reader.
    pub part: Part,
    /// Who made what it brings.
    pub authors: Known,
    /// Why approvals that were given do not count, by who gave them.
    void: Vec<(String, Reason)>,
}

/// Looks at one plan that waits.
pub fn queued<'a>(world: &World, waiting: &'a Waiting, now: &Moment) -> Queued<'a> {
    let fresh = planner::recheck(world, &waiting.plan, now);
    let verdict = gate::judge(world, &fresh, now);
    let (needs, given) = gate::agreed(world, waiting);
    let part = part(world, waiting, &verdict, needs.is_some_and(|needs| given >= needs), now);
    let (authors, void) = match world.catalog.guard(fresh.target()) {
        None => (Known::default(), Vec::new()),
        Some(guard) => {
            let people = &world.catalog.people;
            let void = waiting.approvals.iter();
            let void = void.filter_map(|one| Some((one.person.clone(), approval::void_one(&fresh, guard, people, one)?)));
            (policy::authors::of_plan(&fresh, guard, people), void.collect())
        }
    };
    Queued { could: could(world, waiting, now), fresh, verdict, needs, given, part, authors, void, waiting }
}

impl Queued<'_> {
    /// Why an approval does not count although it has not ended; none when it counts.
    pub fn void(&self, approval: &Approval) -> Option<Reason> {
        self.void.iter().find(|(person, _)| person == &approval.person).map(|(_, reason)| reason.clone())
    }
}

fn part(world: &World, waiting: &Waiting, verdict: &Verdict, enough: bool, now: &Moment) -> Part {
    let me = &world.actor;
    if &waiting.plan.intent.requester == me {
        return match verdict {
            Verdict::Permit(_) => Part::MayGo,
            Verdict::SecondPerson { .. } => Part::MineWaits,
            Verdict::Early(_) => Part::MineLater,
            Verdict::Deny(_) => Part::Blocked,
        };
    }
    if has_agreed(world, waiting, me, now) {
        return Part::Agreed;
    }
    let may = against(world, waiting, Decision::Approve, now).is_empty();
    if may && !enough { Part::MayAgree } else { Part::Others }
}

/// Whether somebody's approval counts; one that was given to another change is none.
fn has_agreed(world: &World, waiting: &Waiting, who: &Actor, now: &Moment) -> bool {
    let plan = authors::looked_at(world, &waiting.plan, now);
    let guard = world.catalog.guard(plan.target());
    let is_void = |one| guard.is_some_and(|guard| approval::void_one(&plan, guard, &world.catalog.people, one).is_some());
    waiting.counting(&now.wall).any(|approval| approval.person == who.to_string() && !is_void(approval))
}

/// Why the reader may not say this about a plan that waits; the store looks at it again.
pub fn against(world: &World, waiting: &Waiting, decision: Decision, now: &Moment) -> Vec<Reason> {
    let plan = &authors::looked_at(world, &waiting.plan, now);
    let mut reasons = gate::against(world, plan, decision, now);
    let me = world.actor.to_string();
    match decision {
        Decision::Approve if has_agreed(world, waiting, &world.actor, now) => reasons.push(Reason::new(
            "approved-already",
            &format!("{me} has approved plan {} already", plan.id.short()),
            "another person approves, or withdraw takes it back",
        )),
        Decision::Withdraw if plan.intent.requester != world.actor && !waiting.approvals.iter().any(|approval| approval.person == me) => {
            reasons.push(Reason::new(
                "nothing-to-withdraw",
                &format!("{me} neither asked for plan {} nor approved it", plan.id.short()),
                "its requester withdraws the plan, an approver an approval",
            ));
        }
        Decision::Approve | Decision::Reject | Decision::Withdraw => {}
    }
    reasons
}

fn could(world: &World, waiting: &Waiting, now: &Moment) -> Vec<Could> {
    let plan = &authors::looked_at(world, &waiting.plan, now);
    let Some(guard) = world.catalog.guard(plan.target()) else { return Vec::new() };
    let counting = approval::counting(plan, guard, &world.catalog.people, &waiting.approvals, &now.wall);
    let mut names: Vec<String> = Vec::new();
    for required in approval::requirements(plan, guard, &gate::roles(world, plan.target(), now.wall)) {
        let gave = approval::of_group(&counting, &required.may);
        if usize::try_from(required.approvals).is_ok_and(|needs| gave.len() >= needs) {
            continue;
        }
        names.extend(required.may.iter().filter(|name| !gave.iter().any(|one| &one.person == *name)).cloned());
    }
    names.sort();
    names.dedup();
    let here = persons(&world.here);
    names.into_iter().map(|name| Could { seen: last_seen(world, &name), here: here.contains(&name.as_str()), name }).collect()
}

/// When the newest entries of the ledger last bear a person's name, as the one who signed or asked.
fn last_seen(world: &World, name: &str) -> Option<DateTime<Utc>> {
    let of = |entry: &&EntryRow| entry.signer == name || entry.requester.as_deref() == Some(name);
    world.ledger.entries.iter().rev().find(of).map(|entry| entry.at)
}

/// The plans that wait, the oldest first: what comes anew stands last, so that nothing moves under a mark.
pub fn queue<'a>(world: &'a World, now: &Moment) -> Vec<&'a Waiting> {
    let mut all: Vec<&Waiting> = world.waiting_at(now).collect();
    all.sort_by_key(|one| (one.plan.made, one.plan.id));
    all
}

/// The plan that waits and is about the gates of a run.
pub fn about<'a>(world: &'a World, run: &Run, now: &Moment) -> Option<&'a Waiting> {
    let of_run = |plan: &Plan| {
        matches!(plan.intent.verb, Verb::Approve | Verb::Reject)
            && plan.order.targets.first().and_then(|target| target.run.as_deref()) == Some(run.id.to_string().as_str())
    };
    world.waiting_at(now).find(|one| of_run(&one.plan))
}

/// What was said about plans, and what was denied, the newest first.
pub fn said(world: &World) -> impl Iterator<Item = &EntryRow> {
    let of = |entry: &&EntryRow| {
        matches!(entry.kind, EntryKind::Approval | EntryKind::Rejection | EntryKind::Withdrawal | EntryKind::Denied | EntryKind::Policy)
    };
    world.ledger.entries.iter().rev().filter(of)
}

/// A plan's wish in words: `shift to 20 %`, `approve github/7`.
pub fn asked(plan: &Plan) -> String {
    let verb = plan.intent.verb.word();
    let run = plan.order.targets.first().and_then(|target| target.run.as_ref()).filter(|_| plan.intent.verb.is_of_a_run());
    if let Some(wish) = &plan.intent.args.flag {
        return format!("{verb} {} {}", wish.name, wish.to.typed());
    }
    if let Some(wish) = &plan.intent.args.silence {
        return format!("{verb} {}", Text::clean(&wish.alert));
    }
    match (plan.order.percent, run) {
        (Some(percent), _) => format!("{verb} to {percent} %"),
        (None, Some(run)) => format!("{verb} {run}"),
        (None, None) => verb.to_owned(),
    }
}

impl Queued<'_> {
    /// What is to be done about it by its reader, or whom it waits for, from long to short.
    pub fn forms(&self) -> Vec<String> {
        let agreed = match self.needs {
            Some(needs) => format!("agreed {} of {needs}", self.given),
            None => "its target is not configured".to_owned(),
        };
        let by = &self.waiting.plan.intent.requester;
        let names: Vec<String> =
            self.could.iter().map(|one| if one.here { format!("{} (here)", one.name) } else { one.name.clone() }).collect();
        let who = if names.is_empty() { "nobody who is configured".to_owned() } else { names.join(" or ") };
        let blocks = match (&self.verdict, self.verdict.reasons()) {
            (Verdict::Deny(_), [first, ..]) => Some(format!("{}: {}", first.rule, first.text)),
            (Verdict::Deny(_) | Verdict::Permit(_) | Verdict::Early(_) | Verdict::SecondPerson { .. }, _) => None,
        };
        let rule = self.verdict.reasons().iter().map(|reason| reason.rule.as_str()).collect::<Vec<_>>().join(", ");
        let also = blocks.as_ref().map(|why| format!("; blocked by {why}")).unwrap_or_default();
        match self.part {
            Part::MayAgree => match &blocks {
                Some(why) => vec![
                    format!("agree? {agreed}; blocked by {why}"),
                    format!("agree? {agreed}; blocked by {rule}"),
                    format!("blocked by {rule}"),
                ],
                None => vec![format!("agree? {agreed}"), "agree?".to_owned()],
            },
            Part::MayGo => vec![format!("{agreed}, may go: execute"), "may go: execute".to_owned()],
            Part::MineLater => vec![format!("{agreed}, waits for its time; then execute"), "waits for its time".to_owned()],
            Part::Blocked => {
                let why = blocks.unwrap_or_default();
                vec![format!("{agreed}; blocked by {why}"), format!("blocked by {why}"), format!("blocked by {rule}")]
            }
            Part::MineWaits => vec![format!("{agreed}, waits for {who}"), format!("waits for {who}"), agreed],
            Part::Agreed if self.could.is_empty() => {
                vec![format!("you agreed; {by} may execute it{also}"), format!("you agreed; {by} executes")]
            }
            Part::Agreed => vec![format!("you agreed, {agreed}; {who} could too"), format!("you agreed, {agreed}")],
            Part::Others if self.could.is_empty() && self.needs.is_some() => {
                vec![format!("{agreed}; {by} may execute it{also}"), format!("{agreed}; for {by}")]
            }
            Part::Others => vec![format!("{agreed}; {who} could agree{also}"), format!("{agreed}; for {who}"), agreed],
        }
    }
}
