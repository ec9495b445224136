//! From GitHub's answers to runs, steps and gates: states by status and conclusion, every text cleaned.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::wire;
use crate::model::name::BackendName;
use crate::model::pipeline::{LogRef, Run, RunId, RunState, RunStep};
use crate::model::run_gate::{GateAnswer, RunGate, WAITS};
use crate::model::text::Text;

/// The longest short text, in characters.
const LONGEST: usize = 400;
/// The most steps of a run, jobs and their steps together.
const MOST_STEPS: usize = 100;
/// The name under which a run tells the key that its title bears.
pub const KEY_PROPERTY: &str = "gonogo_key";

/// A date as GitHub writes it; none when it is none.
pub fn date(text: Option<&str>) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc3339(text?).ok()?.to_utc();
    // GitHub writes the year 1 where it knows no time.
    (946_684_800..4_102_444_800).contains(&date.timestamp()).then_some(date)
}

/// A short text, empty when there is none.
pub fn short(text: Option<&str>) -> Text {
    text.map_or_else(Text::empty, |text| Text::clean_within(text, LONGEST))
}

/// An account or team by the name that people know it by.
pub fn account(user: Option<&wire::User>) -> Text {
    short(user.and_then(|user| user.login.as_deref().or(user.slug.as_deref())))
}

/// The state of a run or job, with words where the state alone does not tell.
pub fn state(status: Option<&str>, conclusion: Option<&str>) -> (RunState, String) {
    let plain = |state| (state, String::new());
    let told = |state, words: &str| (state, words.to_owned());
    match (status.unwrap_or_default(), conclusion.unwrap_or_default()) {
        ("queued" | "requested", _) => plain(RunState::Queued),
        ("pending", _) => told(RunState::Queued, "waits for another run of its group"),
        ("waiting", _) => told(RunState::Running, WAITS),
        ("in_progress", _) => plain(RunState::Running),
        ("completed", "success") => plain(RunState::Passed),
        ("completed", "neutral") => told(RunState::Warned, "neutral"),
        ("completed", "failure") => plain(RunState::Failed),
        ("completed", "timed_out") => told(RunState::Failed, "took too long"),
        ("completed", "action_required") => told(RunState::Failed, "needs a person at GitHub before it may run"),
        ("completed", "skipped") => plain(RunState::Skipped),
        ("completed", "cancelled") => plain(RunState::Cancelled),
        ("completed", "stale") => told(RunState::Broken, "GitHub gave it up"),
        ("completed", "startup_failure") => told(RunState::Broken, "GitHub could not begin it: look at the workflow file"),
        ("completed", other) => (RunState::Broken, format!("the conclusion `{other}` is not known")),
        // Neither over nor well: whoever acts on it must look.
        (other, _) => (RunState::Running, format!("the status `{other}` is not known")),
    }
}

/// The key that a title bears: a plan's hash, a hyphen and a step.
pub fn key_in(title: &str) -> Option<&str> {
    let is_key = |word: &&str| {
        word.split_once('-').is_some_and(|(plan, step)| {
            let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            plan.len() == 64 && plan.bytes().all(hexadecimal) && !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    title.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).find(is_key)
}

/// A run. Its steps and gates are read apart.
pub fn run(backend: &BackendName, builder: &str, told: &wire::Run) -> Run {
    let (state, words) = state(told.status.as_deref(), told.conclusion.as_deref());
    let began = date(told.run_started_at.as_deref());
    let title = told.display_title.as_deref().unwrap_or_default();
    let mut properties = BTreeMap::new();
    if let Some(key) = key_in(title) {
        properties.insert(KEY_PROPERTY.to_owned(), Text::clean(key));
    }
    if let Some(event) = &told.event {
        properties.insert("event".to_owned(), short(Some(event)));
    }
    let started = if state == RunState::Queued { None } else { began };
    // A run tells no end of its own; nothing changes it afterwards but its removal.
    let ended = date(told.updated_at.as_deref()).filter(|end| state.is_over() && began.is_none_or(|began| *end >= began));
    let attempt = told.run_attempt.unwrap_or(1);
    let asked = if attempt > 1 { began } else { date(told.created_at.as_deref()).or(began) };
    Run {
        id: RunId { backend: backend.clone(), number: told.id },
        number: told.run_number.unwrap_or_default(),
        builder: Text::clean_within(builder, 256),
        state,
        words: Text::clean_within(&words, LONGEST),
        reason: short(told.display_title.as_deref()),
        revision: short(told.head_sha.as_deref()),
        branch: short(told.head_branch.as_deref()),
        by: account(told.triggering_actor.as_ref().or(told.actor.as_ref())),
        asked_by: asked_by(told),
        asked: asked.map(|asked| started.map_or(asked, |started| asked.min(started))),
        started,
        ended,
        properties,
        retry_of: None,
        attempt: Some(attempt),
        gates: Vec::new(),
        steps: Vec::new(),
    }
}

/// Who asked for the run, and who for this attempt of it; empty when one of them is not told: half of an answer hides the other.
pub fn asked_by(told: &wire::Run) -> Vec<Text> {
    let (run, attempt) = (account(told.actor.as_ref()), account(told.triggering_actor.as_ref()));
    let repeated = told.run_attempt.is_some_and(|attempt| attempt > 1);
    match (run.is_empty(), attempt.is_empty()) {
        (true, _) => Vec::new(),
        (false, true) if repeated => Vec::new(),
        (false, true) => vec![run],
        (false, false) if run == attempt => vec![run],
        (false, false) => vec![run, attempt],
    }
}

/// Since when a job of a run waits at a gate; GitHub tells of no job at which one. A job that waits was made when its turn came.
pub fn waits_since(jobs: &[wire::Job]) -> Option<DateTime<Utc>> {
    let waits = jobs.iter().filter(|job| job.status.as_deref() == Some("waiting"));
    waits.filter_map(|job| date(job.created_at.as_deref()).or_else(|| date(job.started_at.as_deref()))).min()
}

/// The jobs of a run as its steps; with `in_full`, each job's own steps behind it.
pub fn steps(jobs: &[wire::Job], in_full: bool) -> Vec<RunStep> {
    let mut steps = Vec::new();
    for job in jobs {
        let (state, mut words) = state(job.status.as_deref(), job.conclusion.as_deref());
        let name = job.name.as_deref().unwrap_or_default();
        let own = job.steps.as_deref().unwrap_or_default();
        if let Some(runner) = job.runner_name.as_deref().filter(|runner| !runner.is_empty()) {
            words = if words.is_empty() { format!("on {runner}") } else { format!("{words}, on {runner}") };
        }
        // GitHub gives a log only when its job has ended.
        let has_log = state.is_over() && state != RunState::Skipped && job.started_at.is_some();
        let log = LogRef { id: job.id, name: Text::clean("job"), lines: 0, complete: true };
        steps.push(step(name, (state, &words), job.started_at.as_deref(), job.completed_at.as_deref(), has_log.then_some(log)));
        for one in own.iter().filter(|_| in_full) {
            let (state, words) = self::state(one.status.as_deref(), one.conclusion.as_deref());
            let name = format!("{name} / {}", one.name.as_deref().unwrap_or_default());
            steps.push(step(&name, (state, &words), one.started_at.as_deref(), one.completed_at.as_deref(), None));
        }
    }
    steps.truncate(MOST_STEPS);
    for (number, step) in (0..).zip(&mut steps) {
        step.number = number;
    }
    steps
}

fn step(name: &str, (state, words): (RunState, &str), started: Option<&str>, ended: Option<&str>, log: Option<LogRef>) -> RunStep {
    let started = date(started).filter(|_| state != RunState::Queued);
    let ended = date(ended).filter(|end| state.is_over() && started.is_none_or(|started| *end >= started));
    RunStep {
        number: 0,
        name: Text::clean_within(name, 200),
        state,
        words: Text::clean_within(words, LONGEST),
        started,
        ended,
        logs: log.into_iter().collect(),
    }
}

/// A gate at which a run waits.
pub fn gate(told: &wire::PendingDeployment) -> RunGate {
    let began = date(told.wait_timer_started_at.as_deref());
    let wait = told.wait_timer.filter(|minutes| *minutes > 0).map(|minutes| TimeDelta::minutes(i64::from(minutes)));
    RunGate {
        id: told.environment.id,
        name: short(told.environment.name.as_deref()),
        may_answer: told.current_user_can_approve == Some(true),
        reviewers: reviewers(told.reviewers.as_deref()),
        until: began.zip(wait).and_then(|(began, wait)| began.checked_add_signed(wait)),
        since: None,
    }
}

/// Reviewers by name, at most six as GitHub has them.
pub fn reviewers(told: Option<&[wire::Reviewer]>) -> Vec<Text> {
    let names = told.unwrap_or_default().iter().take(12).map(|one| account(one.reviewer.as_ref()));
    names.filter(|name| !name.is_empty()).collect()
}

/// An answer that was given.
pub fn answer(told: &wire::Approval) -> GateAnswer {
    GateAnswer {
        gates: told.environments.as_deref().unwrap_or_default().iter().take(100).map(|one| one.id).collect(),
        opened: match told.state.as_deref() {
            Some("approved") => Some(true),
            Some("rejected") => Some(false),
            Some(_) | None => None,
        },
        by: account(told.user.as_ref()),
        words: short(told.comment.as_deref()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn told(value: serde_json::Value) -> Run {
        run(&"github".parse().unwrap(), "acme/shop/release.yml", &serde_json::from_value(value).unwrap())
    }

    #[test]
    fn what_is_not_known_is_never_taken_for_good() {
        for (status, conclusion) in [(None, None), (Some("completed"), None), (Some("completed"), Some("new")), (Some("resting"), None)] {
            let (state, words) = state(status, conclusion);
            assert!(!state.is_good() && words.contains("not known"), "{status:?} {conclusion:?}: {state:?} {words}");
        }
        assert_eq!(state(Some("waiting"), None).0, RunState::Running);
        assert_eq!(state(Some("completed"), Some("cancelled")).0, RunState::Cancelled);
    }

    #[test]
    fn a_key_is_found_in_a_title_and_nothing_that_only_looks_like_one() {
        let key = format!("{}-12", "ab".repeat(32));
        assert_eq!(key_in(&format!("release ({key}) by ana")), Some(key.as_str()));
        for no in [format!("x{key}"), format!("{key}x"), "ab".repeat(32), format!("{}-", "ab".repeat(32)), key.to_uppercase()] {
            assert_eq!(key_in(&no), None, "{no}");
        }
    }

    #[test]
    fn a_run_tells_its_attempt_its_title_and_who_asked_for_it() {
        let run = told(json!({"id": 30_433_642_u64, "run_number": 562, "run_attempt": 2, "status": "completed", "conclusion": "success",
            "display_title": "release \u{1b}[2J", "head_sha": "ab", "created_at": "2026-11-23T10:00:00Z",
            "run_started_at": "2026-11-23T11:00:00Z", "updated_at": "2026-11-23T11:05:00Z",
            "actor": {"login": "ana"}, "triggering_actor": {"login": "cy"}}));
        assert_eq!((run.attempt, run.by.as_str(), run.reason.as_str()), (Some(2), "cy", "release ␛[2J"));
        assert_eq!(run.asked, run.started, "the attempt was asked for when it began, not when the first one was");
        assert_eq!((run.ended.unwrap() - run.started.unwrap()).num_minutes(), 5);
        let bare = told(json!({"id": 1, "run_attempt": "two", "actor": 7}));
        assert_eq!((bare.attempt, bare.by.as_str(), bare.state), (Some(1), "", RunState::Running));
    }

    #[test]
    fn jobs_are_steps_and_only_ended_ones_have_logs() {
        let jobs: Vec<wire::Job> = serde_json::from_value(json!([
            {"id": 1, "name": "build", "status": "completed", "conclusion": "success", "started_at": "2026-11-23T10:00:00Z",
             "completed_at": "2026-11-23T10:01:00Z", "runner_name": "r1",
             "steps": [{"name": "checkout", "number": 1, "status": "completed", "conclusion": "success"}]},
            {"id": 2, "name": "test", "status": "in_progress", "started_at": "2026-11-23T10:01:00Z", "completed_at": "0001-01-01T00:00:00Z"},
            {"id": 3, "name": "deploy", "status": "waiting"}
        ]))
        .unwrap();
        let names = |in_full| steps(&jobs, in_full).iter().map(|step| step.name.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(false), ["build", "test", "deploy"]);
        assert_eq!(names(true), ["build", "build / checkout", "test", "deploy"]);
        let steps = steps(&jobs, true);
        assert_eq!(steps.iter().map(|step| step.number).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(steps.iter().map(|step| step.logs.len()).collect::<Vec<_>>(), [1, 0, 0, 0]);
        assert_eq!((steps[2].state, steps[2].ended), (RunState::Running, None));
    }

    #[test]
    fn half_of_who_asked_for_a_run_is_told_as_nothing() {
        let asked = |attempt: u64, actor: Option<&str>, triggering: Option<&str>| {
            let user = |login: Option<&str>| login.map_or(json!(null), |login| json!({ "login": login }));
            let run = told(json!({"id": 1, "run_attempt": attempt, "actor": user(actor), "triggering_actor": user(triggering)}));
            run.asked_by.iter().map(|login| login.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(asked(1, Some("ana"), Some("ana")), ["ana"]);
        assert_eq!(asked(2, Some("ana"), Some("cy")), ["ana", "cy"]);
        assert_eq!(asked(1, Some("ana"), None), ["ana"], "an older GitHub tells no other one");
        assert!(asked(2, Some("ana"), None).is_empty() && asked(2, None, Some("cy")).is_empty() && asked(1, None, None).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_panics_on_any_text(status in any::<String>(), conclusion in any::<String>(), title in any::<String>(), at in any::<String>()) {
            let run = told(json!({"id": 1, "status": status, "conclusion": conclusion, "display_title": title, "created_at": at.clone(),
                "run_started_at": at, "updated_at": "2026-11-23T10:00:00Z"}));
            prop_assert!(run.reason.as_str().chars().all(|c| !c.is_control()));
        }
    }
}
