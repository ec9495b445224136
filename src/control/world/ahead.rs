//! What a rollout does next by itself, as the world shows it, and in words.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::analysis::trial::TrialStanding;
use crate::model::kept::Anew;
use crate::model::name::{CheckName, PlanId};
use crate::model::probe::{ProbeAnswer, When};
use crate::model::share::Percent;
use crate::policy::rollout::{Next, Says};

/// How a rollout stands, for screens and verbs.
#[derive(Debug, Clone, PartialEq)]
pub struct Ahead {
    /// The plan that started it.
    pub plan: PlanId,
    /// What it does next.
    pub next: Next,
    /// What the evidence says.
    pub says: Says,
    /// The judgement, measure by measure; none before the first answer.
    pub trial: Option<Arc<TrialStanding>>,
    /// Where the judgement began anew while the rollout was under way.
    pub anew: Option<Anew>,
    /// Its checks in the order of the configuration.
    pub checks: Arc<[CheckView]>,
}

/// A check of a rollout, for screens and verbs.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckView {
    /// Its name.
    pub name: CheckName,
    /// Before what it must hold.
    pub when: When,
    /// What it asks, in words.
    pub asks: String,
    /// Whether it counts before the coming step.
    pub counts: bool,
    /// When it was asked, and the answer; none where none counts now.
    pub answer: Option<(DateTime<Utc>, ProbeAnswer)>,
}

/// What comes next as one word of JSON, in words, and when, where that is known.
pub fn told(next: &Next) -> (&'static str, String, Option<DateTime<Utc>>) {
    let clock = |at: &DateTime<Utc>| at.format("%H:%M:%SZ");
    match next {
        Next::Moving(words) => ("moving", words.clone(), None),
        Next::Step { percent: Percent::NONE, .. } => ("step", "goes to its step before the first share now".to_owned(), None),
        Next::Step { percent, .. } => ("step", format!("goes to {percent} % now"), None),
        Next::StepAt { percent, judged, at } => {
            let judged = if *judged { ", if judged no worse" } else { "" };
            ("step-at", format!("to {percent} % at {} at the earliest{judged}", clock(at)), Some(*at))
        }
        Next::Evidence { percent, words } => ("evidence", format!("to {percent} % once judged no worse; {words}"), None),
        Next::Rolls(words) => ("rolls", format!("instances are being replaced: {words}"), None),
        Next::Bakes { until } => ("bakes", format!("watched until {}, then it is the stable version", clock(until)), Some(*until)),
        Next::End => ("end", "becomes the stable version now".to_owned(), None),
        Next::Back { trigger, words } => ("back", format!("goes back now by rule {}: {words}", trigger.word()), None),
        Next::BackAt { at, trigger, words, .. } => {
            ("back-at", format!("goes back at {} by rule {}, unless it passes: {words}", clock(at), trigger.word()), Some(*at))
        }
        Next::Holds(words) => ("holds", words.clone(), None),
        Next::Checking(words) => ("checking", words.clone(), None),
        Next::Together(words) => ("together", words.clone(), None),
        Next::Held(words) => ("held", format!("{words}; the way back stays armed"), None),
        Next::Person(words) => ("person", words.clone(), None),
    }
}

/// That a judgement began anew, in words.
pub fn begun_anew(anew: &Anew) -> String {
    format!("judged since {}, begun anew after a restart: {}", anew.at.format("%H:%M:%SZ"), anew.why)
}

/// What the evidence says, as one word of JSON and in words.
pub fn said(says: &Says) -> (&'static str, String) {
    match says {
        Says::Pass => ("pass", "no worse than the stable version".to_owned()),
        Says::Early(words) => ("early", words.clone()),
        Says::Fail => ("fail", "worse than the stable version".to_owned()),
        Says::Nothing(words) => ("nodata", format!("nothing: {words}")),
    }
}
