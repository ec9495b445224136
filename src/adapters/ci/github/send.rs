//! Start, repeat, cancel and answer, each sent once, after everything was looked at that GitHub itself does not bind a call to.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding as _};
use serde_json::{Map, Value, json};

use super::{Github, KEY, translate, wire};
use crate::adapters::http::segment;
use crate::model::deed::{Effect, EffectKey};
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::pipeline::Run;
use crate::model::plan::StepEffect;
use crate::model::run_gate::{GateAnswer, GateRef, RunGate};
use crate::model::text::Text;
use crate::ports::ci::RunReceipt;
use crate::ports::gates::Gates;

/// The most inputs of a run.
const MOST_INPUTS: usize = 25;

impl Github {
    pub(super) async fn send_effect(&self, effect: &Effect) -> Result<RunReceipt, SendError> {
        let key = effect.key();
        let (doing, path, body) = match effect.what() {
            StepEffect::Start { builder, scheduler, properties, .. } => {
                let doing = format!("start {builder}");
                let call = self.start_call(&doing, builder, scheduler, properties, key).await.map_err(SendError::NotDone)?;
                (doing, call.0, call.1)
            }
            StepEffect::Repeat { builder, run, attempt, failed_only, .. } => {
                let doing = format!("run {run} again");
                let read = self.run_of(&doing, builder, *run).await.map_err(SendError::NotDone)?;
                self.check_repeat(&doing, &read, *attempt).map_err(SendError::NotDone)?;
                let path = self.run_path(&doing, builder, *run, repeat_word(*failed_only)).map_err(SendError::NotDone)?;
                (doing, path, json!({}))
            }
            StepEffect::Cancel { builder, run, .. } => {
                let doing = format!("cancel {run}");
                let read = self.run_of(&doing, builder, *run).await.map_err(SendError::NotDone)?;
                if read.state.is_over() {
                    let detail = format!("it has ended already: {}", read.state.word());
                    return Err(SendError::NotDone(self.fault(PortErrorKind::Conflict, &doing, &detail)));
                }
                let path = self.run_path(&doing, builder, *run, "cancel").map_err(SendError::NotDone)?;
                (doing, path, Value::Null)
            }
            StepEffect::Answer { builder, run, attempt, revision, gates, opens, .. } => {
                let doing = format!("{} {run}", if *opens { "approve" } else { "reject" });
                let read = self.run_of(&doing, builder, *run).await.map_err(SendError::NotDone)?;
                self.check_answer(&doing, builder, &read, *attempt, revision, gates).await.map_err(SendError::NotDone)?;
                let path = self.run_path(&doing, builder, *run, "pending_deployments").map_err(SendError::NotDone)?;
                (doing, path, answer_body(gates, *opens, &comment(key, effect.requester())))
            }
            StepEffect::Retry { .. } => {
                let why = "GitHub repeats a run under its own number: the plan must name the attempt";
                return Err(SendError::NotDone(self.fault(PortErrorKind::Unsupported, "run it again", why)));
            }
            StepEffect::Weights { .. }
            | StepEffect::Workload { .. }
            | StepEffect::Flag { .. }
            | StepEffect::Drain { .. }
            | StepEffect::Silence { .. } => {
                let why = "a CI system has no weights and no workloads";
                return Err(SendError::NotDone(self.fault(PortErrorKind::Unsupported, "set weights", why)));
            }
        };
        match self.write(&doing, &path, &body).await {
            Ok(_) => Ok(RunReceipt { request: None }),
            Err(SendError::NotDone(error)) => Err(SendError::NotDone(self.why_not_taken(&doing, effect.what(), error).await)),
            Err(error @ SendError::Unknown(_)) => Err(error),
        }
    }

    /// Why an answer was not taken: GitHub says the same words (422) when another hand was quicker and when we may not answer.
    async fn why_not_taken(&self, doing: &str, effect: &StepEffect, error: PortError) -> PortError {
        let StepEffect::Answer { builder, run, attempt, gates, .. } = effect else { return error };
        if !matches!(error.kind, PortErrorKind::Refused | PortErrorKind::Conflict) {
            return error;
        }
        let Ok(read) = Gates::gates(self, builder, *run).await else { return error };
        let conflict = |detail: &str| self.fault(PortErrorKind::Conflict, doing, detail);
        if read.attempt != *attempt {
            return conflict(&format!("attempt {} is the newest by now, planned was attempt {attempt}", read.attempt));
        }
        match still_waits(&read.waiting, gates) {
            Ok(Some(waits)) if !waits.may_answer => self.not_ours_to_answer(doing, waits),
            Ok(_) => error,
            Err(gone) => conflict(&answered_by(&read.answered, gone)),
        }
    }

    fn not_ours_to_answer(&self, doing: &str, gate: &RunGate) -> PortError {
        let reviewers: Vec<&str> = gate.reviewers.iter().map(Text::as_str).collect();
        let who = if reviewers.is_empty() { "nobody by name".to_owned() } else { reviewers.join(", ") };
        let detail = format!("the token's account may not answer at {}; GitHub lets answer: {who}", gate.name);
        let fix = format!("make the account of the token a reviewer of {} at GitHub, or answer there by hand", gate.name);
        self.fault(PortErrorKind::Forbidden, doing, &detail).mended_by(&fix)
    }

    pub(super) fn run_path(&self, doing: &str, builder: &str, run: u64, verb: &str) -> Result<String, PortError> {
        let workflow = self.workflow(doing, builder)?;
        Ok(format!("{}/actions/runs/{run}/{verb}", self.repository(doing, workflow.repository)?))
    }

    pub(super) fn start_path(&self, doing: &str, builder: &str) -> Result<String, PortError> {
        let workflow = self.workflow(doing, builder)?;
        Ok(format!("{}/dispatches", self.workflow_path(doing, &workflow)?))
    }

    async fn start_call(
        &self,
        doing: &str,
        builder: &str,
        branch: &str,
        properties: &BTreeMap<String, String>,
        key: EffectKey,
    ) -> Result<(String, Value), PortError> {
        let refuse = |detail: &str| self.fault(PortErrorKind::Refused, doing, detail);
        if properties.len() > MOST_INPUTS {
            return Err(refuse(&format!("{} inputs are more than the {MOST_INPUTS} that GitHub takes", properties.len())));
        }
        let bearing: Vec<&str> = properties.iter().filter(|(_, value)| value.as_str() == KEY).map(|(name, _)| name.as_str()).collect();
        if bearing.is_empty() {
            return Err(refuse("no input takes `$key`, so that the run could not be found again; add e.g. gonogo_key = \"$key\""));
        }
        let file = self.workflow_file(doing, builder, branch).await?;
        if !bearing.iter().any(|input| titles_by(&file, input)) {
            let input = bearing.first().copied().unwrap_or_default();
            let detail = format!(
                "its title would not bear the key, so that the run could not be found again; add `run-name: release ${{{{ inputs.{input} }}}}` to the workflow on {branch}"
            );
            return Err(refuse(&detail));
        }
        Ok((self.start_path(doing, builder)?, start_body(branch, &filled(properties, &key.to_string()))))
    }

    /// The text of a workflow's file on the branch that it would be started from.
    async fn workflow_file(&self, doing: &str, builder: &str, branch: &str) -> Result<String, PortError> {
        let workflow = self.workflow(doing, builder)?;
        let file = segment(&format!(".github/workflows/{}", workflow.file));
        let path = format!("{}/contents/{file}", self.repository(doing, workflow.repository)?);
        let Some(read) = self.get_one::<wire::Contents>(doing, &path, &[("ref", branch)]).await? else {
            let detail = format!("there is no workflow {} on {branch}, or the token may not read it", workflow.file);
            return Err(self.fault(PortErrorKind::NotFound, doing, &detail));
        };
        let text = match (read.encoding.as_deref(), read.content) {
            (Some("base64"), Some(content)) => {
                let content: String = content.split_ascii_whitespace().collect();
                Base64::decode_vec(&content).ok().and_then(|bytes| String::from_utf8(bytes).ok())
            }
            (_, _) => None,
        };
        text.ok_or_else(|| self.fault(PortErrorKind::Malformed, doing, "the workflow's file could not be read"))
    }

    fn check_repeat(&self, doing: &str, read: &Run, attempt: u64) -> Result<(), PortError> {
        let conflict = |detail: &str| Err(self.fault(PortErrorKind::Conflict, doing, detail));
        if !read.state.is_over() {
            return conflict("it has not ended");
        }
        match read.attempt {
            Some(newest) if newest != attempt => conflict(&format!("attempt {newest} is the newest by now, planned was attempt {attempt}")),
            Some(_) | None => Ok(()),
        }
    }

    /// GitHub binds an answer to nothing but the environment, so that everything else is compared right before (APIS, A1).
    async fn check_answer(
        &self,
        doing: &str,
        builder: &str,
        read: &Run,
        attempt: u64,
        revision: &str,
        gates: &[GateRef],
    ) -> Result<(), PortError> {
        let conflict = |detail: &str| Err(self.fault(PortErrorKind::Conflict, doing, detail));
        if read.state.is_over() {
            return conflict(&format!("it has ended already: {}", read.state.word()));
        }
        if read.attempt != Some(attempt) {
            let newest = read.attempt.unwrap_or_default();
            return conflict(&format!("attempt {newest} is the newest by now, planned was attempt {attempt}"));
        }
        if read.revision.as_str() != revision {
            return conflict(&format!("it builds {}, planned was {revision}", read.revision));
        }
        if gates.is_empty() {
            return Err(self.fault(PortErrorKind::Refused, doing, "no gate is named"));
        }
        let workflow = self.workflow(doing, builder)?;
        let waiting = self.waiting_gates(workflow.repository, read.id.number).await?;
        match still_waits(&waiting, gates) {
            Ok(Some(waits)) => return Err(self.not_ours_to_answer(doing, waits)),
            Ok(None) => {}
            Err(gone) => {
                let answers = self.answers(workflow.repository, read.id.number).await.unwrap_or_default();
                let answers: Vec<_> = answers.iter().map(translate::answer).collect();
                return conflict(&answered_by(&answers, gone));
            }
        }
        Ok(())
    }
}

/// The first of the gates that waits and does not take our answer; an error names one that does not wait.
fn still_waits<'a, 'g>(waiting: &'a [RunGate], gates: &'g [GateRef]) -> Result<Option<&'a RunGate>, &'g GateRef> {
    let mut refuses = None;
    for gate in gates {
        let waits = waiting.iter().find(|waits| waits.id == gate.id && waits.name.as_str() == gate.name).ok_or(gate)?;
        refuses = refuses.or((!waits.may_answer).then_some(waits));
    }
    Ok(refuses)
}

/// That a gate does not wait, and who answered there last.
pub(super) fn answered_by(answers: &[GateAnswer], gate: &GateRef) -> String {
    let last = answers.iter().rev().find(|answer| answer.gates.contains(&gate.id));
    let who = last.map(|answer| {
        let did = match answer.opened {
            Some(true) => "opened it",
            Some(false) => "closed it",
            None => "answered there",
        };
        format!("; {} {did}", if answer.by.is_empty() { "somebody" } else { answer.by.as_str() })
    });
    format!("it does not wait at {} any more{}", gate.name, who.unwrap_or_default())
}

/// What travels with an answer: GitHub knows only the token's account, so the words say for whom it was sent, and by which plan. The
/// key stands first, so that no name can stand in its place.
fn comment(key: EffectKey, requester: &str) -> String {
    format!("gonogo {key}: {requester}, plan {}", key.plan.short())
}

/// The last word of the call that repeats a run.
pub(super) fn repeat_word(failed_only: bool) -> &'static str {
    if failed_only { "rerun-failed-jobs" } else { "rerun" }
}

pub(super) fn start_body(branch: &str, inputs: &Map<String, Value>) -> Value {
    json!({ "ref": branch, "inputs": inputs })
}

pub(super) fn answer_body(gates: &[GateRef], opens: bool, words: &str) -> Value {
    let ids: Vec<u64> = gates.iter().map(|gate| gate.id).collect();
    json!({ "environment_ids": ids, "state": if opens { "approved" } else { "rejected" }, "comment": words })
}

/// The inputs with the key in place of its word.
pub(super) fn filled(properties: &BTreeMap<String, String>, key: &str) -> Map<String, Value> {
    let value = |value: &String| if value == KEY { json!(key) } else { json!(value) };
    properties.iter().map(|(name, text)| (name.clone(), value(text))).collect()
}

/// Whether a workflow's `run-name` holds an input. The key at the top level is read, with the lines that belong to it.
fn titles_by(file: &str, input: &str) -> bool {
    let mut lines = file.lines().skip_while(|line| !line.starts_with("run-name:"));
    let Some(first) = lines.next() else { return false };
    let more = lines.take_while(|line| line.starts_with([' ', '\t']));
    let name = std::iter::once(first).chain(more).collect::<Vec<_>>().join("\n");
    name.match_indices("inputs.").any(|(at, word)| {
        let behind = name.get(at + word.len()..).unwrap_or_default();
        behind.strip_prefix(input).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("run-name: release ${{ inputs.gonogo_key }}\non: push\n", true)]
    #[case("name: x\nrun-name: >-\n  release\n  ${{ github.event.inputs.gonogo_key}}\non: push\n", true)]
    #[case("run-name: release ${{ inputs.gonogo_key_2 }}\n", false)]
    #[case("run-name: release ${{ inputs.version }}\nenv:\n  A: ${{ inputs.gonogo_key }}\n", false)]
    #[case("jobs:\n  a:\n    run-name: ${{ inputs.gonogo_key }}\n", false)]
    #[case("# run-name: ${{ inputs.gonogo_key }}\n", false)]
    #[case("", false)]
    fn a_title_bears_the_key_only_by_the_workflows_own_run_name(#[case] file: &str, #[case] bears: bool) {
        assert_eq!(titles_by(file, "gonogo_key"), bears, "{file}");
    }

    #[test]
    fn the_key_takes_the_place_of_its_word() {
        let properties = BTreeMap::from([("gonogo_key".to_owned(), "$key".to_owned()), ("slot".to_owned(), "v2".to_owned())]);
        assert_eq!(start_body("main", &filled(&properties, "k-0")), json!({"ref": "main", "inputs": {"gonogo_key": "k-0", "slot": "v2"}}));
    }
}
