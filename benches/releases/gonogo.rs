//! A release walked by gonogo: the course of `policy::rollout::next`, on the running trial and the limits of its signals.
#![expect(clippy::cast_possible_wrap, reason = "counts stay far below 2^52")]

use chrono::{DateTime, TimeDelta, Utc};
use gonogo::analysis::histogram;
use gonogo::analysis::limit::{self, Seen};
use gonogo::analysis::trial::{Outcome, Raw, Trial};
use gonogo::control::rollouts::lasting;
use gonogo::model::catalog::{Signal, SignalKind};
use gonogo::model::operator::Actor;
use gonogo::model::share::Percent;
use gonogo::model::signal::{Better, Sample, Series};
use gonogo::model::slot::Slot;
use gonogo::model::spec::{Course, Spec, SpecStep};
use gonogo::model::strategy::{RolloutRules, Strategy, Trigger};
use gonogo::model::text::Text;
use gonogo::model::trial::{MeasureRules, TrialRules};
use gonogo::policy::rollout::{Facts, Harm, Next, Says, Stands, next};

use super::judges::{Judge, Moves};
use super::release::{BOUNDS, Counted, Interval, LIMIT, SCRAPE_S};

/// Scrapes in the two minutes that the room looks back for a signal.
const WINDOW: usize = 8;

/// gonogo with everything at its defaults: two signals, steps 5, 20, 50 and 100 %.
pub struct Gonogo {
    signals: [Signal; 2],
    trial: Trial,
    course: Course,
    harm: Option<Harm>,
    /// Counters of both sides since they began, at each scrape.
    seen: Vec<[Counted; 2]>,
    triggers: Vec<Trigger>,
}

impl Gonogo {
    /// Before its first step.
    pub fn new(triggers: &[Trigger]) -> Self {
        Self::within(triggers, None)
    }

    /// The same with a margin of its own for both signals.
    pub fn within(triggers: &[Trigger], margin: Option<f64>) -> Self {
        let signals = [
            signal("errors", SignalKind::Ratio { bad: "".into(), total: "".into() }, 0.01, ""),
            signal("latency", SignalKind::Histogram { buckets: "".into(), quantile: 0.99 }, BOUNDS[LIMIT], "s"),
        ];
        let measures = signals.iter().map(|signal| MeasureRules::of(signal, margin, None)).collect();
        let rules = RolloutRules::default();
        let step =
            |percent| SpecStep { effects: Vec::new(), pace_s: None, paused: false, percent: Percent::new(percent).expect("a share") };
        let spec = Spec {
            after_s: rules.after.as_secs(),
            back: None,
            bake_s: rules.bake.as_secs(),
            budgets: std::collections::BTreeMap::new(),
            checks: Vec::new(),
            deadline_s: rules.deadline.as_secs(),
            ends: Vec::new(),
            judged: rules.judged,
            steps: [5, 20, 50, 100].map(step).to_vec(),
            strategy: Strategy::Canary,
            mirror: None,
            testers: None,
            together: None,
            trial: Slot::Second,
            wait_s: rules.wait.as_secs(),
            way_back: triggers.to_vec(),
        };
        let by = Actor::Person("ana".parse().expect("a name"));
        let course = Course { spec, by, ticket: None, step: None, since: time(0), rolled: None, way_back: None, stopped: None };
        let trial = Trial::new(TrialRules { alpha: 0.05, power: 0.8, measures });
        Self { signals, trial, course, harm: None, seen: vec![Default::default()], triggers: triggers.to_vec() }
    }

    fn is_full(&self) -> bool {
        self.course.step.is_some_and(|step| self.course.spec.is_last(step))
    }

    /// What the room shows of a signal's side: what the last two minutes hold.
    fn of_window(&self, signal: usize, side: usize) -> Seen {
        let last = self.seen.len() - 1;
        let (now, then) = (self.seen[last][side], self.seen[last.saturating_sub(WINDOW)][side]);
        let total = now.total - then.total;
        if total <= 0.0 {
            return Seen::default();
        }
        if signal == 0 {
            let bad = now.errors - then.errors;
            return Seen { value: Some(bad / total), bad: Some(bad), total: Some(total) };
        }
        let at = last as i64 * SCRAPE_S;
        let series: Vec<Series> = buckets(&[(at - SCRAPE_S * WINDOW as i64, then), (at, now)]);
        Seen { value: histogram::quantile(&series, 0.99).map(|found| found.value), bad: None, total: Some(total) }
    }

    fn looked(&mut self, at_s: i64) -> Moves {
        let now = time(at_s);
        let outcome = self.trial.outcome(now);
        let views = [0, 1].map(|signal| [0, 1].map(|side| self.of_window(signal, side)));
        let on_trial = self.course.step.is_some();
        let unseen = views.iter().any(|view| view[1].value.is_none()).then(|| "no data".to_owned());
        let armed = |trigger| on_trial && self.triggers.contains(&trigger);
        let of = |trigger: Trigger, words: &str| Harm { trigger, since: now, seen: now, words: words.to_owned() };
        let judged = armed(Trigger::Judge) && outcome == Outcome::Fail;
        let limited = armed(Trigger::Limit)
            && self.signals.iter().zip(views).any(|(signal, [old, new])| {
                let worse = limit::worse(signal, new, limit::difference(signal, old, new));
                let alone = self.is_full();
                let proven = self.trial.past_limit(&signal.name).is_none_or(|past| past.alone && (alone || past.beside));
                (worse || alone && limit::surely_past(signal, new)) && proven
            });
        let seen = judged.then(|| of(Trigger::Judge, "")).or_else(|| limited.then(|| of(Trigger::Limit, "")));
        let seen = seen.or_else(|| self.harm.as_ref().filter(|_| unseen.is_some()).cloned());
        self.harm = lasting(self.harm.as_ref(), seen);
        let facts = Facts {
            course: &self.course,
            hold: None,
            under_way: None,
            stands: Stands::AtStep,
            rolled: gonogo::policy::rollout::Rolled::No,
            says: said(outcome),
            harm: self.harm.clone(),
            unseen: unseen.filter(|_| on_trial),
            checks: gonogo::policy::rollout::Checks::Hold,
            at: now,
        };
        match next(&facts) {
            Next::Step { step, percent } => {
                (self.course.step, self.course.since) = (Some(step), now);
                Moves::To(f64::from(percent.get()) / 100.0)
            }
            Next::End => Moves::Promoted,
            Next::Back { trigger, .. } => Moves::Back(trigger.word()),
            Next::Person(_) => Moves::Waits,
            Next::Moving(_)
            | Next::StepAt { .. }
            | Next::Evidence { .. }
            | Next::Rolls(_)
            | Next::Bakes { .. }
            | Next::BackAt { .. }
            | Next::Checking(_)
            | Next::Together(_)
            | Next::Holds(_)
            | Next::Held(_) => Moves::Stays,
        }
    }
}

impl Judge for Gonogo {
    fn begins(&mut self) -> f64 {
        match self.looked(0) {
            Moves::To(share) => share,
            other @ (Moves::Stays | Moves::Waits | Moves::Back(_) | Moves::Promoted) => unreachable!("{other:?} before the first step"),
        }
    }

    fn takes(&mut self, at_s: i64, interval: &Interval) -> Moves {
        let before = *self.seen.last().expect("the beginning");
        let now = [0, 1].map(|side| before[side].plus(&interval.of[side]));
        self.seen.push(now);
        let samples = [0, 1].map(|side| [(at_s - SCRAPE_S, before[side]), (at_s, now[side])]);
        let [old, new] = samples.map(|of| [one(&of, |counted| counted.errors), one(&of, |counted| counted.total)]);
        let raw = of_ratio;
        let name = self.signals[0].name.clone();
        self.trial.take(&name, raw(&old), raw(&new));
        let [old, new] = samples.map(|of| buckets(&of));
        let name = self.signals[1].name.clone();
        self.trial.take(&name, Raw::Buckets(&old), Raw::Buckets(&new));
        self.looked(at_s)
    }
}

/// As `control::rollouts::says` has it, without words.
fn said(outcome: Outcome) -> Says {
    match outcome {
        Outcome::Pass => Says::Pass,
        Outcome::Fail => Says::Fail,
        Outcome::Early => Says::Early(String::new()),
        Outcome::Nodata => Says::Nothing(String::new()),
    }
}

pub fn of_ratio(side: &[Vec<Series>; 2]) -> Raw<'_> {
    Raw::Ratio { bad: &side[0], total: &side[1] }
}

pub fn signal(name: &str, kind: SignalKind, limit: f64, unit: &str) -> Signal {
    let (name, backend) = (name.parse().expect("a name"), "prometheus".parse().expect("a name"));
    Signal {
        name,
        kind,
        backend,
        better: Better::Lower,
        limit: Some(limit),
        unit: unit.to_owned(),
        critical: true,
        margin: None,
        weight: None,
    }
}

pub fn time(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_790_000_000 + second)
}

pub fn one(of: &[(i64, Counted)], value: impl Fn(&Counted) -> f64) -> Vec<Series> {
    let samples = of.iter().map(|(at, counted)| Sample { at_ms: time(*at).timestamp_millis(), value: value(counted) }).collect();
    vec![Series { labels: [].into(), samples }]
}

pub fn buckets(of: &[(i64, Counted)]) -> Vec<Series> {
    let bound = |at: usize| BOUNDS.get(at).map_or_else(|| "+Inf".to_owned(), ToString::to_string);
    let within = |counted: &Counted, at: usize| counted.within.get(at).copied().unwrap_or(counted.total);
    let labelled = |at: usize| {
        let samples = of.iter().map(|(second, counted)| Sample { at_ms: time(*second).timestamp_millis(), value: within(counted, at) });
        Series { labels: [(Text::clean("le"), Text::clean(&bound(at)))].into(), samples: samples.collect() }
    };
    (0..=BOUNDS.len()).map(labelled).collect()
}
