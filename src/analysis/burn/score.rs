//! How good the alarms of a backtest were: precision, recall and time to detect against known incidents, and the load on a person.

use std::time::Duration;

use super::backtest::{Alarm, hours};
use super::history::seconds;
use crate::model::burn_rule::Severity;
use crate::model::name::ServiceName;

/// EEMUA Publication 191: over a long time about one alarm in ten minutes is what an operator can deal with.
pub const ACCEPTABLE_PER_10_MIN: f64 = 1.0;
/// EEMUA Publication 191: more than ten alarms within ten minutes are a flood.
pub const FLOOD_PER_10_MIN: usize = 10;
const TEN_MINUTES_S: i64 = 600;

/// An incident that is known to have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// The service.
    pub service: ServiceName,
    /// Its beginning, in seconds since 1970.
    pub from_s: i64,
    /// Its end.
    pub to_s: i64,
}

impl Incident {
    /// Whether an alarm was about it: they overlap, or the alarm began while its short window still saw the incident.
    fn has(&self, service: &ServiceName, alarm: &Alarm) -> bool {
        let short = i64::try_from(alarm.rule.short.as_secs()).unwrap_or(i64::MAX);
        service == &self.service && alarm.from_s.saturating_sub(short) <= self.to_s && alarm.to_s >= self.from_s
    }
}

/// How alarms stand to incidents.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Alarms.
    pub alarms: usize,
    /// Alarms that were about an incident.
    pub right: usize,
    /// Incidents.
    pub incidents: usize,
    /// Incidents that had an alarm.
    pub found: usize,
    /// How long after its beginning each of them had its first alarm, in the order of the incidents; none: it had none.
    pub detected: Vec<Option<Duration>>,
}

impl Score {
    /// Compares; `severity` counts alarms of one severity alone.
    pub fn of(alarms: &[(ServiceName, Alarm)], incidents: &[Incident], severity: Option<Severity>) -> Self {
        let counted: Vec<_> = alarms.iter().filter(|(_, alarm)| severity.is_none_or(|only| alarm.severity == only)).collect();
        let right = counted.iter().filter(|(service, alarm)| incidents.iter().any(|incident| incident.has(service, alarm))).count();
        let detected: Vec<_> = incidents
            .iter()
            .map(|incident| {
                let first = counted.iter().filter(|(service, alarm)| incident.has(service, alarm)).map(|(_, alarm)| alarm.from_s).min();
                first.map(|at| super::rate::duration(incident.from_s, at))
            })
            .collect();
        let found = detected.iter().flatten().count();
        Self { alarms: counted.len(), right, incidents: incidents.len(), found, detected }
    }

    /// The share of alarms that were about an incident; none without an alarm.
    pub fn precision(&self) -> Option<f64> {
        share(self.right, self.alarms)
    }

    /// The share of incidents that had an alarm; none without an incident.
    pub fn recall(&self) -> Option<f64> {
        share(self.found, self.incidents)
    }

    /// The median time to detect, the longest first when there are two.
    pub fn median_detection(&self) -> Option<Duration> {
        let mut all: Vec<Duration> = self.detected.iter().flatten().copied().collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied()
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    (whole > 0).then(|| number(part) / number(whole))
}

/// The load of alarms on one person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Alarms an hour for each operator.
    pub per_hour: f64,
    /// Alarms in ten minutes for each operator, on average.
    pub per_10_min: f64,
    /// The most alarms that began within ten minutes, for all operators together.
    pub worst_10_min: usize,
    /// Whether [`FLOOD_PER_10_MIN`] was passed for an operator.
    pub is_flood: bool,
    /// Whether the average is at most [`ACCEPTABLE_PER_10_MIN`].
    pub is_acceptable: bool,
}

impl Load {
    /// The load of alarms that began at these times, over a time, on so many operators.
    pub fn of(begun_s: &[i64], (from_s, to_s): (i64, i64), operators: u32) -> Self {
        let mut begun = begun_s.to_vec();
        begun.sort_unstable();
        let within = |at: &i64| begun.iter().filter(|other| (*at..at + TEN_MINUTES_S).contains(other)).count();
        let worst_10_min = begun.iter().map(within).max().unwrap_or(0);
        let operators = operators.max(1);
        let count = seconds(i64::try_from(begun.len()).unwrap_or(i64::MAX));
        let per_hour = count / hours(from_s, to_s).max(1.0 / 60.0) / f64::from(operators);
        let each = worst_10_min.div_ceil(usize::try_from(operators).unwrap_or(1));
        Self {
            per_hour,
            per_10_min: per_hour / 6.0,
            worst_10_min,
            is_flood: each > FLOOD_PER_10_MIN,
            is_acceptable: per_hour / 6.0 <= ACCEPTABLE_PER_10_MIN,
        }
    }
}
