//! What is advised of which facts, and why: the rule itself.

use crate::analysis::judge::figure::{figure, grouped, span};
use crate::analysis::reach::Effect;
use crate::model::share::Percent;

/// Points of risk from which on it is high, as [`super::risk`] has it.
pub(super) const HIGH: u32 = 60;
/// Days after which a way back that was seen to work is no proof any more.
pub(super) const OLD: i64 = 90;
/// Days within which it must have been seen for all of the traffic to move at once.
const RECENT: i64 = 30;
/// The largest share of a canary: above it more users have the new version than the old one.
pub(super) const LARGEST: u8 = 50;
/// Shares beside the configured ones at which a canary may begin.
const SHARES: [u8; 3] = [10, 20, 50];

/// A measure that decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The signal.
    pub name: String,
    /// The share of events that is bad as it is usual; none: it has no data.
    pub usual: Option<f64>,
    /// By how much more the new version may be worse.
    pub margin: f64,
    /// The share past which it sends a rollout back by itself.
    pub limit: Option<f64>,
}

/// How going back went so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Back {
    /// How many days ago it was last seen to work; none: never.
    pub proven_days: Option<i64>,
    /// How many ways back failed or are unknown since.
    pub failed: usize,
}

/// What the advice is a fact about.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Whether a router splits the traffic between two slots.
    pub slots: bool,
    /// How many instances an orchestrator replaces; none: there is none, or it is not known.
    pub instances: Option<u32>,
    /// Whether it keeps state; none: not said.
    pub stateful: Option<bool>,
    /// Requests a second of the whole target; none: not known.
    pub rate: Option<f64>,
    /// The measures of events that decide.
    pub measures: Vec<Measured>,
    /// How often judgement may be wrong, over all measures.
    pub alpha: f64,
    /// How often harm is to be found.
    pub power: f64,
    /// Objectives that call a person.
    pub objectives: usize,
    /// Whether alerts of it are read.
    pub alerts: bool,
    /// The configured steps.
    pub steps: Vec<Percent>,
    /// How long a step lasts at least, in seconds.
    pub wait_s: u64,
    /// How long it may last.
    pub deadline_s: u64,
    /// How long the old version is kept ready after the last one.
    pub bake_s: u64,
    /// How going back went.
    pub back: Back,
    /// Points of risk of 100; none: not known.
    pub risk: Option<u32>,
}

/// A strategy that is advised, from the most careful to the boldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Advised {
    /// None by itself: a person must watch.
    Person,
    /// Step by step between two slots, judged.
    Canary,
    /// Instance by instance.
    Rolling,
    /// At once between two slots.
    BlueGreen,
    /// All old instances end before the first new one begins.
    Recreate,
}

impl Advised {
    /// Its word on screens and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Canary => "canary",
            Self::Rolling => "rolling",
            Self::BlueGreen => "blue-green",
            Self::Recreate => "recreate",
        }
    }
}

/// What is advised, without its reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The strategy.
    pub strategy: Advised,
    /// The first step of a canary.
    pub first: Option<Percent>,
    /// Whether a person says go before it begins.
    pub asks: bool,
}

impl Choice {
    /// How bold it is: a person before it begins makes any strategy more careful, and none as careful as to leave it to a person.
    pub fn boldness(self) -> (Advised, bool) {
        (self.strategy, !self.asks)
    }

    /// In words.
    pub fn words(&self) -> String {
        let first = self.first.map(|first| format!(", first step {first} %")).unwrap_or_default();
        let asks = if self.asks { ", begun when a person says so" } else { "" };
        match self.strategy {
            Advised::Person => "not by itself: a person must watch".to_owned(),
            Advised::Canary | Advised::Rolling | Advised::BlueGreen | Advised::Recreate => format!("{}{first}{asks}", self.strategy.word()),
        }
    }
}

impl Facts {
    /// How long a share takes to settle the slowest measure, in seconds; none where that is not known or never ends.
    pub fn tells(&self, share: Percent) -> Option<f64> {
        self.slowest(share).map(|(_, seconds, _)| seconds)
    }

    /// The slowest measure at a share, its seconds and its requests.
    fn slowest(&self, share: Percent) -> Option<(&Measured, f64, u64)> {
        let fraction = f64::from(share.get()) / 100.0;
        let of = |measure| {
            let effect = self.effect(measure)?;
            Some((measure, effect.seconds(self.rate?, fraction)?, effect.requests(fraction)?))
        };
        let all: Option<Vec<_>> = self.measures.iter().map(of).collect();
        all?.into_iter().max_by(|(_, one, _), (_, other, _)| one.total_cmp(other))
    }

    /// How long all of the traffic takes to show that a limit is passed, by the quickest measure that has one; in seconds.
    pub(super) fn tells_alone(&self) -> Option<f64> {
        let of = |measure: &Measured| {
            let effect = Effect { usual: measure.limit?, ..self.effect(measure)? };
            effect.seconds_alone(self.rate?)
        };
        self.measures.iter().filter_map(of).min_by(f64::total_cmp)
    }

    #[expect(clippy::cast_precision_loss, reason = "measures are few")]
    fn effect(&self, measure: &Measured) -> Option<Effect> {
        let alpha = self.alpha / self.measures.len().max(1) as f64;
        Some(Effect { usual: measure.usual?, margin: measure.margin, alpha, power: self.power })
    }

    /// Shares at which a canary may begin, rising.
    pub(super) fn shares(&self) -> Vec<Percent> {
        let extra = SHARES.into_iter().filter_map(Percent::new);
        let mut all: Vec<_> = self.steps.iter().copied().chain(extra).filter(|share| (1..=LARGEST).contains(&share.get())).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The share at which a canary would begin: the least that tells within a step's wait, else the least within its deadline.
    pub fn begins(&self) -> Option<Percent> {
        let shares = self.shares();
        let within = |most: u64| shares.iter().copied().find(|share| self.tells(*share).is_some_and(|takes| takes <= seconds(most)));
        within(self.wait_s).or_else(|| within(self.deadline_s))
    }

    pub(super) fn watched(&self) -> bool {
        self.objectives > 0 || self.alerts
    }

    fn is_high(&self) -> bool {
        self.risk.is_none_or(|points| points >= HIGH)
    }

    pub(super) fn back_in_doubt(&self) -> bool {
        self.back.failed > 0 || self.back.proven_days.is_none_or(|days| days > OLD)
    }
}

pub(super) fn choose(facts: &Facts) -> (Choice, Vec<String>) {
    let asks = facts.is_high() || facts.stateful.is_none() || facts.back_in_doubt();
    let of = |strategy, first, reasons: Vec<String>| (Choice { strategy, first, asks: asks && strategy != Advised::Person }, reasons);
    let person = |why: String| (Choice { strategy: Advised::Person, first: None, asks: false }, vec![why]);
    if facts.measures.is_empty() && !facts.watched() {
        return person("no signal of events, no objective and no alert watches it: nothing would notice a bad version".to_owned());
    }
    if facts.stateful == Some(true) {
        let kept = "it keeps state, which two versions would write to side by side".to_owned();
        return match facts.instances {
            Some(_) if !facts.watched() => person(format!("{kept}, and neither an objective nor an alert watches it")),
            Some(1) => of(Advised::Recreate, None, vec![kept, "it is one instance: the old one ends before the new one begins".to_owned()]),
            Some(count @ 2..) => of(Advised::Rolling, None, vec![kept, format!("its orchestrator replaces {count} instances one by one")]),
            Some(0) | None => person(format!("{kept}, and no orchestrator that replaces its instances is known")),
        };
    }
    if !facts.slots {
        return match facts.instances {
            Some(count @ 1..) if facts.watched() && !facts.is_high() => of(
                Advised::Rolling,
                None,
                vec![format!("no router splits its traffic; its orchestrator replaces {count} instances one by one")],
            ),
            Some(_) | None => {
                person("no router splits its traffic between two slots, and nothing else moves it step by step safely".to_owned())
            }
        };
    }
    if let Some(mute) = facts.measures.iter().find(|measure| measure.usual.is_none()) {
        return person(format!("what is usual of {} is not known now: a rollout would hold on it", mute.name));
    }
    if facts.measures.is_empty() {
        return person("no signal of events compares the two versions: a canary would be judged by nothing".to_owned());
    }
    let Some(rate) = facts.rate else {
        return person("its traffic is not known: how long a share would take to tell is not either".to_owned());
    };
    let least = facts.shares().first().copied();
    if let Some(first) = facts.begins() {
        let mut reasons: Vec<_> = least.filter(|least| *least != first).and_then(|least| too_slow(facts, least)).into_iter().collect();
        reasons.extend(tells(facts, first));
        return of(Advised::Canary, Some(first), reasons);
    }
    let blind = Percent::new(LARGEST).and_then(|share| too_slow(facts, share));
    let blind = blind.unwrap_or_else(|| format!("{} requests an hour tell nothing of a share of it", grouped(rate * 3_600.0)));
    let sure = facts.stateful == Some(false) && !facts.is_high() && facts.back.failed == 0 && facts.watched();
    let proven = facts.back.proven_days.is_some_and(|days| days <= RECENT);
    match facts.tells_alone() {
        Some(takes) if takes <= seconds(facts.bake_s) && sure && proven => {
            let seen = format!(
                "all of its traffic would show a passed limit in {}, and it is watched for {}",
                long(takes),
                long(seconds(facts.bake_s))
            );
            of(
                Advised::BlueGreen,
                None,
                vec![blind, seen, "going back to the old version, which is kept ready, was seen to work lately".to_owned()],
            )
        }
        Some(_) | None => {
            let (choice, mut reasons) = person(blind);
            reasons.push(format!("all at once is not advised either: {}", why_not(facts, proven)));
            (choice, reasons)
        }
    }
}

/// Why all of the traffic is not moved at once.
fn why_not(facts: &Facts, proven: bool) -> String {
    if facts.stateful.is_none() {
        "it is not said whether it keeps state".to_owned()
    } else if facts.is_high() {
        facts.risk.map_or_else(|| "its risk is not known".to_owned(), |points| format!("its risk is high ({points} of 100)"))
    } else if facts.back.failed > 0 || !proven {
        format!("going back was not seen to work within {RECENT} days")
    } else if !facts.watched() {
        "neither an objective nor an alert watches it".to_owned()
    } else {
        format!("in the {} for which it is watched even that would not tell", long(seconds(facts.bake_s)))
    }
}

/// That a share takes longer than a step waits, with figures.
fn too_slow(facts: &Facts, share: Percent) -> Option<String> {
    let (measure, takes, needs) = facts.slowest(share)?;
    let shown = facts.rate? * f64::from(share.get()) / 100.0 * seconds(facts.wait_s);
    let rate = figure((measure.usual? + measure.margin) * 100.0);
    #[expect(clippy::cast_precision_loss, reason = "requests stay far below 2^52")]
    let needs = grouped(needs as f64);
    Some(format!(
        "at {share} % it shows {} requests in {}; {rate} % of {} in place of {} % would need {needs}: {} until it is told",
        grouped(shown),
        long(seconds(facts.wait_s)),
        measure.name,
        figure(measure.usual? * 100.0),
        long(takes),
    ))
}

/// That a share tells in time.
fn tells(facts: &Facts, share: Percent) -> Option<String> {
    let (measure, takes, _) = facts.slowest(share)?;
    let bound = if takes <= seconds(facts.wait_s) { ("least time", facts.wait_s) } else { ("deadline", facts.deadline_s) };
    Some(format!("{share} % tells of {} in {}, within a step's {} of {}", measure.name, long(takes), bound.0, long(seconds(bound.1))))
}

/// A time, rounded as people say it.
#[expect(clippy::cast_possible_truncation, reason = "bounded before")]
pub(super) fn long(seconds: f64) -> String {
    span(seconds.min(1e12).round() as i64)
}

#[expect(clippy::cast_precision_loss, reason = "a span stays far below 2^52 seconds")]
pub(super) fn seconds(count: u64) -> f64 {
    count as f64
}
