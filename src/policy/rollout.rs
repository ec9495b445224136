//! What a rollout does next by itself: on, back, or nothing, and why. It goes on only on evidence, and back only on evidence.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::operator::Actor;
use crate::model::part::Part;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::rollout::{Hold, Rollout};
use crate::model::share::Percent;
use crate::model::spec::Course;
use crate::model::strategy::Trigger;

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
                next == step && what.effects == plan.order.effects && Some(what.percent) == plan.order.percent && plan.order.ends.is_none()
            });
            (!is_next || course.stopped.is_some() || course.way_back.is_some())
                .then(|| format!("{} is not what the rollout does next as it was agreed to", of.part))
        }
        Part::End => {
            let is_last = course.step.is_some_and(|step| course.spec.is_last(step));
            let ends = plan.order.effects.is_empty() && plan.order.ends == Some(course.spec.trial);
            (!is_last || !ends || course.stopped.is_some() || course.way_back.is_some())
                .then(|| "it has not come to its end, or stopped there".to_owned())
        }
        Part::WayBack => {
            // Where a router does not answer the rollout stays open.
            let stable = Some(course.spec.trial.other()).filter(|_| plan.order.left.is_empty());
            let back = plan.order.ends == stable && plan.order.percent == Some(Percent::NONE);
            let stranded = course.stopped.as_ref().is_some_and(|stopped| stopped.stranded);
            (!back || course.spec.way_back.is_empty() || course.way_back.is_some() || stranded)
                .then(|| "its automatic way back is not armed, or was begun before".to_owned())
        }
    };
    wrong.map(gone).unwrap_or_default()
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
    /// What the evidence says.
    pub says: Says,
    /// A reason to go back.
    pub harm: Option<Harm>,
    /// What cannot be seen now of what is judged: missing or stale data.
    pub unseen: Option<String>,
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
    /// It goes on to a step then, if it is judged no worse.
    StepAt {
        /// Its share.
        percent: Percent,
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
    let Some((step, to)) = spec.after(course.step) else {
        let until = course.since + seconds(spec.bake_s);
        return match unseen {
            _ if *at < until => Next::Bakes { until },
            Some(words) => Next::Holds(format!("would end, but {words}")),
            None => Next::End,
        };
    };
    let percent = to.percent;
    let go =
        || if to.paused { Next::Person(format!("{percent} % waits for a person, as configured")) } else { Next::Step { step, percent } };
    if course.step.is_none() {
        return go();
    }
    let earliest = course.since + seconds(spec.wait_s);
    if *at < earliest {
        return Next::StepAt { percent, at: earliest };
    }
    if !spec.judged {
        return go();
    }
    let late = *at >= course.since + seconds(spec.deadline_s);
    match (&facts.says, unseen) {
        (Says::Fail, _) => Next::Person("judged worse, and no rule sends it back".to_owned()),
        (_, Some(words)) | (Says::Nothing(words), None) => Next::Holds(format!("would go to {percent} %, but {words}")),
        (Says::Pass, None) => go(),
        (Says::Early(words), None) if late => Next::Person(format!("stuck: still too early to tell at its deadline ({words})")),
        (Says::Early(words), None) => Next::Evidence { percent, words: words.clone() },
    }
}

/// The way back, when a rule asks for it.
fn back(facts: &Facts<'_>, harm: &Harm) -> Option<Next> {
    let spec = &facts.course.spec;
    if facts.course.way_back.is_some() || !spec.way_back.contains(&harm.trigger) {
        return None;
    }
    if let Some(words) = &facts.unseen {
        return Some(Next::Holds(format!("would go back, but {words}")));
    }
    let Harm { trigger, since, seen, words } = harm.clone();
    let due = since + seconds(spec.after_s);
    Some(if seen >= due { Next::Back { trigger, words } } else { Next::BackAt { at: due, since, trigger, words } })
}

fn seconds(count: u64) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(count).unwrap_or(i64::MAX / 1000).min(i64::MAX / 1000))
}
