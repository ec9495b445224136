//! Gates of runs: deployments of a run that wait for a review, and the reviews so far.

use super::{Github, translate, wire};
use crate::model::error::PortError;
use crate::model::pipeline::RunGates;
use crate::model::run_gate::RunGate;
use crate::ports::Pending;
use crate::ports::gates::Gates;

impl Github {
    /// Gates at which a run waits; none for a run that is not there.
    pub(super) async fn waiting_gates(&self, repository: &str, run: u64) -> Result<Vec<RunGate>, PortError> {
        let doing = "read gates";
        let path = format!("{}/actions/runs/{run}/pending_deployments", self.repository(doing, repository)?);
        let read = self.get_one::<Vec<wire::PendingDeployment>>(doing, &path, &[]).await?;
        Ok(read.unwrap_or_default().iter().map(translate::gate).collect())
    }

    /// Answers that were given for a run.
    pub(super) async fn answers(&self, repository: &str, run: u64) -> Result<Vec<wire::Approval>, PortError> {
        let doing = "read answers at gates";
        let path = format!("{}/actions/runs/{run}/approvals", self.repository(doing, repository)?);
        Ok(self.get_one::<Vec<wire::Approval>>(doing, &path, &[]).await?.unwrap_or_default())
    }

    async fn read_gates(&self, builder: &str, number: u64) -> Result<RunGates, PortError> {
        let doing = "read the gates of a run";
        let workflow = self.workflow(doing, builder)?;
        let run = self.run_of(doing, builder, number).await?;
        let told = self.told_run(doing, workflow.repository, number).await?.unwrap_or_default();
        Ok(RunGates {
            attempt: run.attempt.unwrap_or(1),
            revision: run.revision,
            state: run.state,
            asked_by: translate::asked_by(&told),
            waiting: self.waiting_gates(workflow.repository, number).await?,
            answered: self.answers(workflow.repository, number).await?.iter().map(translate::answer).collect(),
            run: run.id,
        })
    }
}

impl Gates for Github {
    fn gates<'a>(&'a self, builder: &'a str, run: u64) -> Pending<'a, Result<RunGates, PortError>> {
        Box::pin(self.read_gates(builder, run))
    }
}
