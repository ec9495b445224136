//! What a backtest found, in words and as JSON.

use serde_json::{Value, json};

use crate::analysis::burn::backtest::{self, Alarm};
use crate::analysis::burn::score::{ACCEPTABLE_PER_10_MIN, FLOOD_PER_10_MIN, Incident, Load, Score};
use crate::cli::json as shapes;
use crate::cli::objectives::at;
use crate::config::duration;
use crate::model::burn_rule::Severity;
use crate::model::name::{ServiceName, Target};
use crate::model::objective::Objective;

/// The rules of one objective over the past.
pub(super) struct Walked<'a> {
    pub(super) objective: &'a Objective,
    pub(super) target: Target,
    pub(super) found: backtest::Walked,
    pub(super) step_s: u32,
}

/// All of them.
pub(super) struct Backtest<'a> {
    pub(super) walks: Vec<Walked<'a>>,
    /// Known incidents, where they were given.
    pub(super) incidents: Option<Vec<Incident>>,
    pub(super) span: (i64, i64),
    pub(super) operators: u32,
}

const COUNTED: [(&str, Option<Severity>); 3] = [("page", Some(Severity::Page)), ("ticket", Some(Severity::Ticket)), ("any", None)];

impl Backtest<'_> {
    fn alarms(&self) -> Vec<(ServiceName, Alarm)> {
        let of = |walk: &Walked<'_>| walk.found.alarms.iter().map(|alarm| (walk.target.service.clone(), alarm.clone())).collect::<Vec<_>>();
        self.walks.iter().flat_map(of).collect()
    }

    /// Incidents that lie in the time, of services that have an objective here.
    fn counted(&self) -> Vec<Incident> {
        let (from, to) = self.span;
        let inside = |incident: &&Incident| {
            incident.to_s >= from && incident.from_s <= to && self.walks.iter().any(|walk| walk.target.service == incident.service)
        };
        self.incidents.iter().flatten().filter(inside).cloned().collect()
    }

    fn load(&self) -> Load {
        let begun: Vec<i64> =
            self.alarms().iter().filter(|(_, alarm)| alarm.severity == Severity::Page).map(|(_, alarm)| alarm.from_s).collect();
        Load::of(&begun, self.span, self.operators)
    }

    /// As JSON.
    pub(super) fn object(&self) -> Value {
        let alarms = self.alarms();
        let incidents = self.counted();
        let scores: serde_json::Map<String, Value> = COUNTED
            .iter()
            .map(|(word, severity)| {
                let score = Score::of(&alarms, &incidents, *severity);
                let detected: Vec<_> = score.detected.iter().map(|after| after.map(|after| after.as_secs())).collect();
                let object = json!({
                    "alarms": score.alarms,
                    "right": score.right,
                    "incidents": score.incidents,
                    "found": score.found,
                    "precision": score.precision().map(per_cent),
                    "recall": score.recall().map(per_cent),
                    "time_to_detect_s": detected,
                    "median_time_to_detect_s": score.median_detection().map(|after| after.as_secs()),
                });
                ((*word).to_owned(), object)
            })
            .collect();
        let load = self.load();
        json!({
            "schema": shapes::SCHEMA,
            "from": at(self.span.0),
            "to": at(self.span.1),
            "objectives": self.walks.iter().map(walk).collect::<Vec<_>>(),
            "incidents": self.incidents.as_ref().map(|_| incidents.iter().map(incident).collect::<Vec<_>>()),
            "score": self.incidents.as_ref().map(|_| Value::Object(scores)),
            "load": {
                "operators": self.operators,
                "pages_per_hour": rounded(load.per_hour),
                "pages_per_10_min": rounded(load.per_10_min),
                "worst_10_min": load.worst_10_min,
                "acceptable_per_10_min": ACCEPTABLE_PER_10_MIN,
                "flood_per_10_min": FLOOD_PER_10_MIN,
                "acceptable": load.is_acceptable,
                "flood": load.is_flood,
            },
        })
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        let mut out = format!("{} to {}\n", at(self.span.0), at(self.span.1));
        for walk in &self.walks {
            let walked = &walk.found;
            out.push_str(&format!(
                "\n{} {}  {} % of the time measured, in stretches of {} s\n",
                walk.target,
                walk.objective.name,
                per_cent(walked.coverage),
                walk.step_s
            ));
            for alarm in &walked.alarms {
                let lasted = duration::write(std::time::Duration::from_secs(u64::try_from(alarm.to_s - alarm.from_s).unwrap_or(0)));
                out.push_str(&format!(
                    "  {}  {:<6}  {}, after {:.1} % of the budget; lasted {lasted}\n",
                    at(alarm.from_s),
                    alarm.severity.word(),
                    alarm.rule.words(),
                    alarm.budget * 100.0
                ));
            }
            if walked.alarms.is_empty() {
                out.push_str("  no alarm\n");
            }
            if walked.unknown > 0 || walked.too_few > 0 {
                let share = |count: usize| per_cent(number(count) / number(walked.looks.max(1)));
                out.push_str(&format!(
                    "  a rule could not say for {} % of the time, and was held by too few events for {} %\n",
                    share(walked.unknown),
                    share(walked.too_few)
                ));
            }
        }
        if self.incidents.is_some() {
            out.push_str(&self.scores());
        }
        let load = self.load();
        let verdict = if load.is_flood {
            "a FLOOD"
        } else if load.is_acceptable {
            "acceptable"
        } else {
            "too many"
        };
        out.push_str(&format!(
            "\npages: {:.3} an hour for each of {} operators, at worst {} within 10 minutes: {verdict} by EEMUA 191 (1 in 10 minutes is acceptable, more than {FLOOD_PER_10_MIN} a flood)\n",
            load.per_hour, self.operators, load.worst_10_min
        ));
        out
    }

    fn scores(&self) -> String {
        let (alarms, incidents) = (self.alarms(), self.counted());
        let mut out = format!("\nagainst {} known incidents\n", incidents.len());
        for (word, severity) in COUNTED {
            let score = Score::of(&alarms, &incidents, severity);
            let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{} %", per_cent(share)));
            let median = score.median_detection().map_or_else(|| "-".to_owned(), duration::write);
            out.push_str(&format!(
                "  {word:<6}  precision {} ({} of {} alarms)  recall {} ({} of {})  median time to detect {median}\n",
                share(score.precision()),
                score.right,
                score.alarms,
                share(score.recall()),
                score.found,
                score.incidents
            ));
        }
        out
    }
}

fn walk(walk: &Walked<'_>) -> Value {
    let walked = &walk.found;
    let share = |count: usize| per_cent(number(count) / number(walked.looks.max(1)));
    json!({
        "service": walk.target.service,
        "environment": walk.target.environment,
        "name": walk.objective.name,
        "coverage": per_cent(walked.coverage),
        "step_s": walk.step_s,
        "unknown": share(walked.unknown),
        "too_few": share(walked.too_few),
        "alarms": walked.alarms.iter().map(alarm).collect::<Vec<_>>(),
    })
}

fn alarm(alarm: &Alarm) -> Value {
    json!({
        "severity": alarm.severity,
        "rule": alarm.rule.words(),
        "from": at(alarm.from_s),
        "to": at(alarm.to_s),
        "budget": per_cent(alarm.budget),
    })
}

fn incident(incident: &Incident) -> Value {
    json!({ "service": incident.service, "start": at(incident.from_s), "end": at(incident.to_s) })
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn per_cent(share: f64) -> f64 {
    (share * 10_000.0).round() / 100.0
}

fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}
