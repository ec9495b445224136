//! What would have fired: the rules walked over a history, as the room evaluates them live.

use std::time::Duration;

use super::history::{History, seconds};
use super::rate::Burn;
use super::rules::{Verdict, look};
use crate::model::burn_rule::{self, BurnRule, Severity};
use crate::model::objective::Objective;

/// How an alarm is made of a rule that fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// How long a rule must fire before it calls, as `for` of Prometheus.
    pub after: Duration,
    /// How long an alarm stays after the rule fell silent, as `keep_firing_for` of Prometheus.
    pub keep: Duration,
}

/// An alarm: rules of one severity of one objective that fired without a break.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Whom it called.
    pub severity: Severity,
    /// The first rule that fired.
    pub rule: BurnRule,
    /// When it called, in seconds since 1970.
    pub from_s: i64,
    /// When it ended; the end of the history while it went on.
    pub to_s: i64,
    /// The share of the period's budget that the long window had spent when it called.
    pub budget: f64,
}

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Walked {
    /// Alarms in order of time.
    pub alarms: Vec<Alarm>,
    /// Moments that were looked at.
    pub looks: usize,
    /// Those at which a rule could not say whether it fires.
    pub unknown: usize,
    /// Those at which a rule would have fired but for the number of events.
    pub too_few: usize,
    /// The share of the time of which anything is known.
    pub coverage: f64,
}

/// Walks from one time to another in steps.
pub fn walk(objective: &Objective, history: &History, (from_s, to_s): (i64, i64), step: Duration, manner: Manner) -> Walked {
    let step = i64::try_from(step.as_secs()).unwrap_or(60).max(1);
    let mut walked = Walked { coverage: history.between(from_s, to_s).coverage(), ..Walked::default() };
    let mut running: [Running; 2] = [Running::new(Severity::Page), Running::new(Severity::Ticket)];
    let mut at = from_s;
    while at <= to_s {
        let states: Vec<_> = objective.rules.iter().map(|rule| look(objective, rule, history, at)).collect();
        walked.looks += 1;
        walked.unknown += usize::from(states.iter().any(|state| state.verdict == Verdict::Unknown));
        walked.too_few += usize::from(states.iter().any(|state| state.verdict == Verdict::TooFew));
        for one in &mut running {
            let firing = states.iter().find(|state| state.rule.severity == one.severity && state.verdict.fires());
            walked.alarms.extend(one.step(at, firing.map(|state| (state.rule, spent(objective, &state.long))), manner));
        }
        at += step;
    }
    walked.alarms.extend(running.into_iter().filter_map(|one| one.open));
    walked.alarms.sort_by_key(|alarm| (alarm.from_s, alarm.severity));
    walked
}

fn spent(objective: &Objective, long: &Burn) -> f64 {
    super::rate::spent(long.rate.unwrap_or(0.0), long.window, objective.period.nominal())
}

/// An alarm that is being made.
struct Running {
    severity: Severity,
    /// Since when a rule fires without a break.
    since: Option<i64>,
    /// When one fired last.
    last: i64,
    open: Option<Alarm>,
}

impl Running {
    fn new(severity: Severity) -> Self {
        Self { severity, since: None, last: i64::MIN, open: None }
    }

    /// The next moment; gives the alarm that ended.
    fn step(&mut self, at: i64, firing: Option<(BurnRule, f64)>, manner: Manner) -> Option<Alarm> {
        let whole = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        let Some((rule, budget)) = firing else {
            self.since = None;
            let over = self.open.is_some() && at.saturating_sub(self.last) >= whole(manner.keep);
            return if over { self.open.take() } else { None };
        };
        self.last = at;
        let since = *self.since.get_or_insert(at);
        if let Some(open) = &mut self.open {
            open.to_s = at;
        } else if at - since >= whole(manner.after) {
            self.open = Some(Alarm { severity: self.severity, rule, from_s: at, to_s: at, budget });
        }
        None
    }
}

/// How long after its beginning an error rate that is `share` of all events calls by each rule, and what it has spent by then, where
/// everything before was good: the workbook's way to compare rules.
pub fn detection(objective: &Objective, share: f64) -> Vec<(BurnRule, Option<(Duration, f64)>)> {
    let burn = share / objective.allowed();
    let after = |rule: &BurnRule| {
        let long = super::rate::detected_after(burn, rule.burn, rule.long)?;
        let short = super::rate::detected_after(burn, rule.burn, rule.short)?;
        let both = long.max(short);
        Some((both, super::rate::spent(burn, both, objective.period.nominal())))
    };
    objective.rules.iter().filter(|rule| burn_rule::can_fire(rule, objective.goal)).map(|rule| (*rule, after(rule))).collect()
}

/// Hours as floating point.
pub(super) fn hours(from_s: i64, to_s: i64) -> f64 {
    seconds(to_s.saturating_sub(from_s).max(0)) / 3600.0
}
