//! What a rollout does next by itself: on, back, or nothing, and why. It goes on only on evidence, and back only on evidence.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::name::Target;
use crate::model::operator::Actor;
use crate::model::part::Part;
use crate::model::plan::{Plan, StepEffect};
use crate::model::reason::Reason;
use crate::model::rollout::{Hold, Rollout};
use crate::model::share::Percent;
use crate::model::spec::{Course, Spec, SpecStep};
use crate::model::strategy::Trigger;
use crate::model::together::OnFailure;

/// What is said against a deed of a rollout's rules: it must be what the rollout does next, in the name of whoever started it. A deed of
/// a person is none of them.
pub fn against(plan: &Plan, rollout: Option<&Rollout>) -> Vec<Reason> {
    let rule = matches!(plan.intent.requester, Actor::Rule { .. });
    let Some(of) = plan.order.of.filter(|_| rule) else {
        let mixed = rule || plan.order.of.is_some();
        let text = "only the rules of a rollout order its parts";
        return mixed.then(|| Reason::new("not-of-a-rollout", text, "order the deed yourself")).into_iter().collect();
    };
    let gone = |text: String| vec![Reason::new("not-of-a-rollout", &text, "look at the rollout; a person decides")];
    let under_way = rollout.filter(|rollout| rollout.plan == Some(of.rollout));
    let Some(course) = under_way.and_then(|rollout| rollout.course.as_deref()) else {
        return gone(format!("rollout {} of {} is over", of.rollout.short(), plan.target()));
    };
    let name = Actor::Rule { plan: of.rollout, of: Box::new(course.by.clone()) };
    if plan.intent.requester != name || plan.order.requester != name.to_string() {
        return gone(format!("{} did not start rollout {}", plan.order.requester, of.rollout.short()));
    }
    let wrong = match of.part {
        Part::Step { step } => {
            let next = course.spec.after(course.step);
            let is_next = next.is_some_and(|(next, what)| {
                next == step
                    && agreed(&plan.order.effects, &what.effects)
                    && Some(what.percent) == plan.order.percent
                    && plan.order.ends.is_none()
            });
            (!is_next || course.stopped.is_some() || course.way_back.is_some())
                .then(|| format!("{} is not what the rollout does next as it was agreed to", of.part))
        }
        Part::End => {
            let is_last = course.step.is_some_and(|step| course.spec.is_last(step));
            let effects = &plan.order.effects;
            let ends = (effects.is_empty() || agreed(effects, &course.spec.ends)) && plan.order.ends == Some(course.spec.trial);
            (!is_last || !ends || course.stopped.is_some() || course.way_back.is_some())
                .then(|| "it has not come to its end, or stopped there".to_owned())
        }
        Part::WayBack => {
            // Where a router does not answer the rollout stays open.
            let stable = Some(course.spec.trial.other()).filter(|_| plan.order.left.is_empty());
            let back = plan.order.ends == stable && plan.order.percent == Some(Percent::NONE);
            let stranded = course.stopped.as_ref().is_some_and(|stopped| stopped.stranded);
            let back = back && goes_to_agreed(&plan.order.effects, &course.spec) && flags_as_before(&plan.order.effects, &course.spec);
            (!back || course.spec.way_back.is_empty() || course.way_back.is_some() || stranded)
                .then(|| "its automatic way back is not armed, or was begun before".to_owned())
        }
    };
    wrong.map(gone).unwrap_or_default()
}

/// Whether a step does exactly what was agreed to.
fn agreed(effects: &[StepEffect], to: &[StepEffect]) -> bool {
    effects.len() == to.len() && effects.iter().zip(to).all(|(effect, to)| effect.is_as_agreed(to))
}

/// Whether a way back of a workload sets exactly what was agreed to when the rollout was started; between two slots it sets none.
fn goes_to_agreed(effects: &[StepEffect], spec: &Spec) -> bool {
    let Some(agreed) = &spec.back else { return effects.iter().all(|effect| effect.workload().is_none()) };
    let of_steps = spec.steps.iter().flat_map(|step| &step.effects).find_map(StepEffect::workload);
    let same = |effect: &StepEffect| {
        let (asked, stepped) = (effect.workload(), of_steps);
        asked.is_some_and(|(backend, change)| {
            let object = stepped.is_some_and(|(at, of)| at == backend && of.workload == change.workload);
            object && change.wish == *agreed
        })
    };
    !effects.is_empty() && effects.iter().all(same)
}

/// Whether a way back sets no flag but those of its steps, each to what stood there when it was started.
fn flags_as_before(effects: &[StepEffect], spec: &Spec) -> bool {
    let agreed = |effect: &StepEffect| {
        let StepEffect::Flag { backend, flag, on, percent, .. } = effect else { return true };
        spec.steps.iter().flat_map(|step| &step.effects).any(|of| {
            let StepEffect::Flag { backend: at, flag: named, was, .. } = of else { return false };
            (at, named) == (backend, flag) && (*on, *percent) == was.before()
        })
    };
    effects.iter().all(agreed)
}

/// How far the orchestrator has come with the step that was reached last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Rolled {
    /// No instances are replaced: traffic moves.
    #[default]
    No,
    /// All of that step are new, first seen so then.
    Done(DateTime<Utc>),
    /// It goes on, in words.
    Moving(String),
    /// It does not go on without a person, in words.
    Stuck(String),
}

/// How the routers stand to the step that was reached last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stands {
    /// All of them as that step set them.
    AtStep,
    /// Another way, in words.
    Elsewhere(String),
    /// It is not known, and why.
    NotKnown(String),
}

/// What the evidence says of the version on trial.
#[derive(Debug, Clone, PartialEq)]
pub enum Says {
    /// No worse, by what was asked for.
    Pass,
    /// Too early to tell; what is awaited, in words.
    Early(String),
    /// Worse.
    Fail,
    /// Nothing: no data, and of what.
    Nothing(String),
}

/// A reason to go back that stands now, on data that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Harm {
    /// Which rule saw it.
    pub trigger: Trigger,
    /// Since when it stands without a break.
    pub since: DateTime<Utc>,
    /// When the newest data was read that shows it: how long it stands is counted in data, not in hours of a clock.
    pub seen: DateTime<Utc>,
    /// What was seen, in words.
    pub words: String,
}

/// How the checks stand that count before the coming step or the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Checks {
    /// All of them hold, or there are none.
    #[default]
    Hold,
    /// Not all are answered yet; which, in words.
    Asked(String),
    /// One fails or is not known, in words.
    Against(String),
}

/// Everything that the answer is a fact about.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The rollout.
    pub course: &'a Course,
    /// The hold on its target.
    pub hold: Option<&'a Hold>,
    /// A deed under way on its target, in words.
    pub under_way: Option<String>,
    /// How the routers stand.
    pub stands: Stands,
    /// How far instances are replaced.
    pub rolled: Rolled,
    /// What the evidence says.
    pub says: Says,
    /// A reason to go back.
    pub harm: Option<Harm>,
    /// What cannot be seen now of what is judged: missing or stale data.
    pub unseen: Option<String>,
    /// The checks of the coming step, or of the end.
    pub checks: Checks,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What a rollout does next by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// A deed is under way.
    Moving(String),
    /// It goes on to a step now.
    Step {
        /// Its number from 0.
        step: u32,
        /// Its share.
        percent: Percent,
    },
    /// It goes on to a step then.
    StepAt {
        /// Its share.
        percent: Percent,
        /// Whether it must be judged no worse by then.
        judged: bool,
        /// When.
        at: DateTime<Utc>,
    },
    /// It goes on to a step as soon as it is judged no worse.
    Evidence {
        /// Its share.
        percent: Percent,
        /// What is awaited.
        words: String,
    },
    /// Its orchestrator replaces instances; how far, in words.
    Rolls(String),
    /// It is at its last step and watched until then.
    Bakes {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// It ends now: the version on trial becomes the stable one.
    End,
    /// It goes back now.
    Back {
        /// Which rule.
        trigger: Trigger,
        /// What was seen.
        words: String,
    },
    /// It goes back then, unless what was seen passes.
    BackAt {
        /// When.
        at: DateTime<Utc>,
        /// Since when it was seen.
        since: DateTime<Utc>,
        /// Which rule.
        trigger: Trigger,
        /// What was seen.
        words: String,
    },
    /// It would go on or back and does not for want of data.
    Holds(String),
    /// It would go on by itself, and waits for the answers of checks.
    Checking(String),
    /// It would go on by itself, and waits for others of its set.
    Together(String),
    /// A person holds it.
    Held(String),
    /// It does nothing more before a person does.
    Person(String),
}

/// What a rollout does next. The way back comes before everything: a hold does not stop it.
pub fn next(facts: &Facts<'_>) -> Next {
    let Facts { course, hold, under_way, stands, harm, unseen, at, .. } = facts;
    let spec = &course.spec;
    if let Some(words) = under_way {
        return Next::Moving(words.clone());
    }
    if let Some(stopped) = course.stopped.as_ref().filter(|stopped| stopped.stranded) {
        return Next::Person(format!("{}; nothing more is tried by itself", stopped.words));
    }
    if let Some(next) = harm.as_ref().filter(|_| course.step.is_some()).and_then(|harm| back(facts, harm)) {
        return next;
    }
    if let Some(stopped) = &course.stopped {
        return Next::Person(stopped.words.to_string());
    }
    if let Some(hold) = hold {
        return Next::Held(format!("held by {} since {}", hold.by, hold.since.format("%H:%M:%SZ")));
    }
    match stands {
        Stands::AtStep => {}
        Stands::Elsewhere(words) => return Next::Person(words.clone()),
        Stands::NotKnown(words) => return Next::Holds(words.clone()),
    }
    let mut since = course.since;
    match &facts.rolled {
        _ if course.step.is_none() => {}
        Rolled::No => {}
        // The old ones are kept ready, and the next batch waits, from when all of this one are new.
        Rolled::Done(at) => since = since.max(*at),
        Rolled::Moving(words) => return Next::Rolls(words.clone()),
        Rolled::Stuck(words) => return Next::Person(words.clone()),
    }
    let Some((step, to)) = spec.after(course.step) else {
        let until = since + seconds(spec.bake_s);
        return match unseen {
            _ if *at < until => Next::Bakes { until },
            Some(words) => Next::Holds(format!("would end, but {words}")),
            None => match &facts.checks {
                Checks::Hold => Next::End,
                Checks::Asked(words) => Next::Checking(words.clone()),
                Checks::Against(words) => Next::Holds(format!("would end, but {words}")),
            },
        };
    };
    let percent = to.percent;
    let go = || match &facts.checks {
        _ if to.paused => Next::Person(format!("{percent} % waits for a person, as configured")),
        Checks::Hold => Next::Step { step, percent },
        Checks::Asked(words) => Next::Checking(words.clone()),
        Checks::Against(words) => Next::Holds(format!("would go to {percent} %, but {words}")),
    };
    // Before anybody got another version there is nothing to wait for but the instances, and nothing to judge.
    if course.step.is_none_or(|step| spec.step(step).is_some_and(SpecStep::scales)) {
        return go();
    }
    let pace = course.step.and_then(|step| spec.step(step)).and_then(|step| step.pace_s);
    let earliest = since + seconds(pace.unwrap_or(spec.wait_s));
    if *at < earliest {
        return Next::StepAt { percent, judged: spec.judged && pace.is_none(), at: earliest };
    }
    if !spec.judged {
        return go();
    }
    let late = *at >= course.since + seconds(spec.deadline_s);
    match (&facts.says, unseen) {
        (Says::Fail, _) => Next::Person("judged worse, and no rule sends it back".to_owned()),
        (_, Some(words)) | (Says::Nothing(words), None) => Next::Holds(format!("would go to {percent} %, but {words}")),
        (Says::Pass, None) => go(),
        // On a ramp there is evidence, and none of it says worse.
        (Says::Early(_), None) if pace.is_some() => go(),
        (Says::Early(words), None) if late => Next::Person(format!(
            "stuck: its deadline passed, still too early to tell ({words}); once judged no worse it goes on by itself"
        )),
        (Says::Early(words), None) => Next::Evidence { percent, words: words.clone() },
    }
}

/// How another rollout of the same set stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    /// Its target.
    pub target: Target,
    /// How it stands.
    pub at: OtherAt,
}

/// How another rollout of the same set stands.
#[derive(Debug, Clone, PartialEq)]
pub enum OtherAt {
    /// It was not started yet.
    NotStarted,
    /// It is on its way.
    Under {
        /// How many of its steps were reached.
        reached: usize,
        /// How many it has.
        steps: usize,
        /// What it would do next if it were alone.
        next: Next,
    },
    /// Its new version is the stable one.
    Promoted,
    /// It went back, or was taken back.
    Back {
        /// When.
        at: DateTime<Utc>,
        /// How, in words.
        words: &'static str,
    },
}

/// What a rollout of a set does next, of what it would do alone and how the others stand: on only when all of them stand at the same step
/// and each would go on; by the set's rule back, or to a person, when one of them went back.
pub fn together(alone: Next, course: &Course, others: &[Other]) -> Next {
    let Some(of) = &course.spec.together else { return alone };
    let may_move = match &alone {
        Next::Step { .. }
        | Next::StepAt { .. }
        | Next::Evidence { .. }
        | Next::Rolls(_)
        | Next::Bakes { .. }
        | Next::End
        | Next::Checking(_)
        | Next::Together(_) => true,
        // A hold, and what stopped it, keep it from going on; neither keeps it from going back with the others.
        Next::Held(_) | Next::Holds(_) | Next::Person(_) => false,
        Next::Moving(_) | Next::Back { .. } | Next::BackAt { .. } => return alone,
    };
    if let Some((target, words)) = others.iter().find_map(|other| match &other.at {
        OtherAt::Back { words, .. } => Some((&other.target, *words)),
        OtherAt::NotStarted | OtherAt::Under { .. } | OtherAt::Promoted => None,
    }) {
        let words = format!("{target} of set {} {words}", of.set);
        let stranded = course.stopped.as_ref().is_some_and(|stopped| stopped.stranded);
        return match of.on_failure {
            OnFailure::Return if course.way_back.is_none() && !stranded => Next::Back { trigger: Trigger::Together, words },
            OnFailure::Hold if may_move => Next::Person(words),
            OnFailure::Return | OnFailure::Hold => alone,
        };
    }
    let mine = course.step.map_or(0, |step| usize::try_from(step).unwrap_or(usize::MAX).saturating_add(1));
    let awaited = |other: &Other| -> Option<String> {
        let target = &other.target;
        match &other.at {
            OtherAt::Promoted | OtherAt::Back { .. } => None,
            OtherAt::NotStarted => Some(format!("{target} was not started yet")),
            OtherAt::Under { reached, steps, next } => {
                let ready = match (&alone, next) {
                    (Next::End, next) => matches!(next, Next::End),
                    // One with fewer steps is at its last one, and watched there.
                    (_, Next::Bakes { .. } | Next::End) => *reached >= mine.min(*steps),
                    (_, next) => *reached > mine || *reached == mine && matches!(next, Next::Step { .. }),
                };
                (!ready).then(|| format!("{target} is not so far{}", delayed(target, next)))
            }
        }
    };
    match &alone {
        Next::Step { percent, .. } => match others.iter().find_map(awaited) {
            Some(words) => Next::Together(format!("ready for {percent} %, and {words}: set {} moves together", of.set)),
            None => alone,
        },
        Next::End => match others.iter().find_map(awaited) {
            Some(words) => Next::Together(format!("ready to end, and {words}: set {} moves together", of.set)),
            None => alone,
        },
        Next::Moving(_)
        | Next::StepAt { .. }
        | Next::Evidence { .. }
        | Next::Rolls(_)
        | Next::Bakes { .. }
        | Next::Back { .. }
        | Next::BackAt { .. }
        | Next::Checking(_)
        | Next::Together(_)
        | Next::Holds(_)
        | Next::Held(_)
        | Next::Person(_) => alone,
    }
}

/// Why another one of a set is not so far, and what a person can do about it; nothing where only its time has not come.
fn delayed(target: &Target, next: &Next) -> String {
    match next {
        Next::Holds(words) | Next::Person(words) => format!(" ({words}; see to that, or send it on with `gonogo promote {target}`)"),
        Next::Held(words) => format!(" ({words}; `gonogo resume {target}` ends that)"),
        Next::Moving(words) | Next::Checking(words) | Next::Rolls(words) | Next::Evidence { words, .. } => format!(" ({words})"),
        Next::Back { words, .. } | Next::BackAt { words, .. } => format!(" (it goes back: {words})"),
        Next::Step { .. } | Next::StepAt { .. } | Next::Bakes { .. } | Next::End | Next::Together(_) => String::new(),
    }
}

/// The way back, when a rule asks for it.
fn back(facts: &Facts<'_>, harm: &Harm) -> Option<Next> {
    let spec = &facts.course.spec;
    if facts.course.way_back.is_some() || !spec.way_back.contains(&harm.trigger) {
        return None;
    }
    // What a check was answered stands by itself; the other rules read what is judged.
    if let Some(words) = facts.unseen.as_ref().filter(|_| harm.trigger != Trigger::Check) {
        return Some(Next::Holds(format!("would go back, but {words}")));
    }
    let Harm { trigger, since, seen, words } = harm.clone();
    let due = since + seconds(spec.after_s);
    Some(if seen >= due { Next::Back { trigger, words } } else { Next::BackAt { at: due, since, trigger, words } })
}

fn seconds(count: u64) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(count).unwrap_or(i64::MAX / 1000).min(i64::MAX / 1000))
}
