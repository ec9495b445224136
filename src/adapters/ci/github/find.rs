//! Looking up what an effect made: by the key in a run's title or in an answer's words, by the attempt, or the run itself.

use super::send::answered_by;
use super::{Github, PAGE, Workflow, translate, wire};
use crate::model::deed::EffectKey;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::pipeline::Run;
use crate::model::plan::StepEffect;
use crate::model::run_gate::{GateAnswer, GateRef};
use crate::model::text::Text;
use crate::ports::ci::Found;
use crate::ports::gates::Gates;

impl Github {
    pub(super) async fn find_effect(&self, effect: &StepEffect, key: EffectKey) -> Result<Option<Found>, PortError> {
        let found = match effect {
            StepEffect::Start { builder, .. } => self.find_start(builder, &key.to_string()).await?,
            StepEffect::Repeat { builder, run, attempt, .. } => {
                let read = self.run_of("look for a repetition", builder, *run).await?;
                Some(read).filter(|read| read.attempt.is_some_and(|newest| newest > *attempt))
            }
            StepEffect::Answer { builder, run, attempt, gates, opens, .. } => {
                return self.find_answer(builder, *run, *attempt, gates, *opens, key).await;
            }
            StepEffect::Cancel { builder, run, .. } => {
                let workflow = self.workflow("look for a run", builder)?;
                let told = self.told_run("look for a run", workflow.repository, *run).await?;
                told.map(|told| translate::run(&self.name, builder, &told))
            }
            StepEffect::Retry { .. } => {
                return Err(self.fault(PortErrorKind::Unsupported, "look for a run", "GitHub repeats a run under its own number"));
            }
            StepEffect::Weights { .. }
            | StepEffect::Workload { .. }
            | StepEffect::Flag { .. }
            | StepEffect::Drain { .. }
            | StepEffect::Silence { .. } => {
                return Err(self.fault(PortErrorKind::Unsupported, "look for a run", "neither weights nor a workload are a run"));
            }
        };
        Ok(found.map(|run| Found::Run(Box::new(run))))
    }

    /// The run whose title bears the key, among the newest that somebody started by hand or by a call.
    async fn find_start(&self, builder: &str, key: &str) -> Result<Option<Run>, PortError> {
        let doing = format!("look for a run of {builder}");
        let workflow = self.workflow(&doing, builder)?;
        let path = format!("{}/runs", self.workflow_path(&doing, &workflow)?);
        let most = PAGE.to_string();
        let query = [("event", "workflow_dispatch"), ("per_page", most.as_str()), ("exclude_pull_requests", "true")];
        let (read, _) = self.get::<wire::Runs>(&doing, &path, &query).await?;
        let bears = |run: &wire::Run| run.display_title.as_deref().and_then(translate::key_in) == Some(key);
        let newest = read.workflow_runs.into_iter().filter(bears).max_by_key(|run| run.id);
        Ok(newest.map(|run| translate::run(&self.name, builder, &run)))
    }

    /// The run once the answer that bears the key is recorded, and none of its gates waits any more; or that another answer stands
    /// there in its place. GitHub tells the answers of all attempts without saying of which: only in the first one another hand is
    /// surely told from an earlier answer.
    async fn find_answer(
        &self,
        builder: &str,
        run: u64,
        attempt: u64,
        gates: &[GateRef],
        opens: bool,
        key: EffectKey,
    ) -> Result<Option<Found>, PortError> {
        let doing = "look for an answer";
        let read = Gates::gates(self, builder, run).await?;
        let (key, same) = (key.to_string(), read.attempt == attempt);
        if same && read.waiting.iter().any(|waits| gates.iter().any(|gate| gate.id == waits.id)) {
            return Ok(None);
        }
        let bears = |answer: &&GateAnswer| translate::key_in(answer.words.as_str()) == Some(key.as_str());
        match read.answered.iter().find(bears) {
            Some(ours) if ours.opened == Some(opens) => {
                let run = self.run_of(doing, builder, run).await?;
                Ok(Some(Found::Run(Box::new(run))))
            }
            Some(_) => Ok(None),
            None => {
                let theirs = gates.iter().find(|gate| read.answered.iter().any(|answer| answer.gates.contains(&gate.id)));
                let theirs = theirs.filter(|_| attempt == 1 && same);
                Ok(theirs.map(|gate| Found::Other { why: Text::clean(&answered_by(&read.answered, gate)) }))
            }
        }
    }

    /// A run that must be there and be one of that workflow.
    pub(super) async fn run_of(&self, doing: &str, builder: &str, run: u64) -> Result<Run, PortError> {
        let workflow: Workflow<'_> = self.workflow(doing, builder)?;
        let Some(told) = self.told_run(doing, workflow.repository, run).await? else {
            return Err(self.fault(PortErrorKind::NotFound, doing, &format!("there is no run {run} in {}", workflow.repository)));
        };
        if !workflow.has(&told) {
            return Err(self.fault(PortErrorKind::Conflict, doing, &format!("run {run} is none of {builder}")));
        }
        Ok(translate::run(&self.name, builder, &told))
    }
}
