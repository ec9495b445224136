//! The reading: the newest runs of each workflow, and jobs and gates only of runs that are under way or looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use super::{Github, PAGE, Workflow, translate, wire};
use crate::model::error::{PortError, PortErrorKind};
use crate::model::pipeline::{Builder, LogPart, Run, RunReading};
use crate::model::run_gate::RunGate;
use crate::model::text::Text;

/// The most runs of a workflow.
const MOST_RUNS: &str = "20";
/// The most runs that are read for somebody although they are not among the newest.
const MOST_OLDER: usize = 4;
/// The most lines of a log at once.
const MOST_LINES: u32 = 2_000;
/// The most bytes of a log.
const MOST_LOG: usize = 32 * 1024 * 1024;
/// The most jobs whose repository is remembered.
const MOST_JOBS: usize = 10_000;

impl Github {
    pub(super) async fn read_builders(&self, builders: &[String], detail: &[u64]) -> Result<RunReading, PortError> {
        let mut reading = RunReading { builders: BTreeMap::new(), missing: Vec::new(), backend_clock: None };
        let names: BTreeSet<&str> = builders.iter().map(String::as_str).collect();
        for name in names {
            let read = match Workflow::of(name) {
                Some(workflow) => self.read_workflow(name, &workflow, detail, &mut reading).await?,
                None => None,
            };
            match read {
                Some(builder) => {
                    reading.builders.insert(name.to_owned(), builder);
                }
                None => reading.missing.push(Text::clean_within(name, 256)),
            }
        }
        self.add_older(&mut reading, detail).await?;
        Ok(reading)
    }

    async fn read_workflow(
        &self,
        name: &str,
        workflow: &Workflow<'_>,
        detail: &[u64],
        reading: &mut RunReading,
    ) -> Result<Option<Builder>, PortError> {
        let doing = format!("read runs of {name}");
        let path = format!("{}/runs", self.workflow_path(&doing, workflow)?);
        let query = [("per_page", MOST_RUNS), ("exclude_pull_requests", "true")];
        let (told, answer) = match self.get::<wire::Runs>(&doing, &path, &query).await {
            Ok(read) => read,
            Err(error) if error.kind == PortErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        reading.backend_clock = answer.date.or(reading.backend_clock);
        let mut told = told.workflow_runs;
        told.sort_by_key(|run| std::cmp::Reverse(run.id));
        told.dedup_by_key(|run| run.id);
        let id = told.first().and_then(|run| run.workflow_id).unwrap_or_default();
        let mut runs = Vec::new();
        for run in &told {
            runs.push(self.run(name, workflow.repository, run, detail.contains(&run.id)).await?);
        }
        Ok(Some(Builder { name: Text::clean_within(name, 256), id, runs, queued: Vec::new() }))
    }

    pub(super) fn workflow_path(&self, doing: &str, workflow: &Workflow<'_>) -> Result<String, PortError> {
        let repository = self.repository(doing, workflow.repository)?;
        Ok(format!("{repository}/actions/workflows/{}", crate::adapters::http::segment(workflow.file)))
    }

    /// A run with its jobs and gates, as far as somebody needs them.
    async fn run(&self, builder: &str, repository: &str, told: &wire::Run, in_full: bool) -> Result<Run, PortError> {
        let mut run = translate::run(&self.name, builder, told);
        if in_full || !run.state.is_over() {
            let jobs = self.jobs(repository, told.id).await?;
            run.steps = translate::steps(&jobs, in_full);
            let waits = told.status.as_deref() == Some("waiting") || jobs.iter().any(|job| job.status.as_deref() == Some("waiting"));
            if waits && !run.state.is_over() {
                let since = translate::waits_since(&jobs);
                let gates = self.waiting_gates(repository, told.id).await?;
                run.gates = gates.into_iter().map(|gate| RunGate { since, ..gate }).collect();
            }
        }
        Ok(run)
    }

    async fn jobs(&self, repository: &str, run: u64) -> Result<Vec<wire::Job>, PortError> {
        let doing = "read jobs";
        let path = format!("{}/actions/runs/{run}/jobs", self.repository(doing, repository)?);
        let most = PAGE.to_string();
        // A run may go while its list is still there.
        let read = self.get_one::<wire::Jobs>(doing, &path, &[("filter", "latest"), ("per_page", &most)]).await?;
        let jobs = read.map(|read| read.jobs).unwrap_or_default();
        let mut known = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let repository: Arc<str> = repository.into();
        known.extend(jobs.iter().map(|job| (job.id, repository.clone())));
        while known.len() > MOST_JOBS {
            known.pop_first();
        }
        Ok(jobs)
    }

    /// Adds runs that somebody looks at and that are no longer among the newest, at the end of their builder's.
    async fn add_older(&self, reading: &mut RunReading, detail: &[u64]) -> Result<(), PortError> {
        let known: BTreeSet<u64> = reading.builders.values().flat_map(|builder| &builder.runs).map(|run| run.id.number).collect();
        let older: BTreeSet<u64> = detail.iter().copied().filter(|id| !known.contains(id)).take(MOST_OLDER).collect();
        if older.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = reading.builders.keys().cloned().collect();
        let repositories: BTreeSet<&str> = names.iter().filter_map(|name| Workflow::of(name)).map(|workflow| workflow.repository).collect();
        for id in older {
            for repository in &repositories {
                let Some(told) = self.told_run("read a run", repository, id).await? else { continue };
                let is_its = |name: &&String| Workflow::of(name).is_some_and(|one| one.repository == *repository && one.has(&told));
                if let Some(name) = names.iter().find(is_its) {
                    let run = self.run(name, repository, &told, true).await?;
                    if let Some(builder) = reading.builders.get_mut(name) {
                        builder.runs.push(run);
                    }
                }
                break;
            }
        }
        Ok(())
    }

    /// A run by its number; none when it is not there.
    pub(super) async fn told_run(&self, doing: &str, repository: &str, run: u64) -> Result<Option<wire::Run>, PortError> {
        let path = format!("{}/actions/runs/{run}", self.repository(doing, repository)?);
        self.get_one(doing, &path, &[("exclude_pull_requests", "true")]).await
    }

    pub(super) async fn read_log(&self, job: u64, first: u64, limit: u32) -> Result<LogPart, PortError> {
        let doing = "read a log";
        let kept = self.log.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, text)) = kept.filter(|(kept, _)| *kept == job) {
            return Ok(part(&text, first, limit));
        }
        let repository = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).get(&job).cloned();
        let Some(repository) = repository else {
            return Err(self.fault(PortErrorKind::NotFound, doing, &format!("no run that was read has a job {job}")));
        };
        let path = format!("{}/actions/jobs/{job}", self.repository(doing, &repository)?);
        let (told, _) = self.get::<wire::Job>(doing, &path, &[]).await?;
        if told.status.as_deref() != Some("completed") {
            return Ok(LogPart { first, lines: Vec::new(), total: 0, complete: false });
        }
        let text: Arc<str> = self.http.get_text(doing, &format!("{path}/logs"), MOST_LOG).await?.into();
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = Some((job, text.clone()));
        Ok(part(&text, first, limit))
    }
}

/// Lines out of a whole log.
fn part(text: &str, first: u64, limit: u32) -> LogPart {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let total = text.lines().count();
    let skip = usize::try_from(first).unwrap_or(usize::MAX);
    let most = usize::try_from(limit.clamp(1, MOST_LINES)).unwrap_or(usize::MAX);
    let lines = text.lines().skip(skip).take(most).map(Text::clean).collect();
    LogPart { first, lines, total: total as u64, complete: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_log_is_counted_from_its_whole() {
        let text = "\u{feff}2026-11-23T10:00:00Z one\r\n\u{1b}[32mtwo\nthree\n";
        let lines = |part: &LogPart| part.lines.iter().map(|line| line.as_str().to_owned()).collect::<Vec<_>>();
        let whole = part(text, 0, 100);
        assert_eq!(
            (lines(&whole), whole.total, whole.complete),
            (vec!["2026-11-23T10:00:00Z one".into(), "␛[32mtwo".into(), "three".into()], 3, true)
        );
        assert_eq!(lines(&part(text, 1, 1)), ["␛[32mtwo"]);
        assert_eq!((part(text, 9, 5).lines.len(), part(text, u64::MAX, 0).total), (0, 3));
    }
}
