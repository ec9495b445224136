//! The reading: few, bounded requests a builder, and steps only of runs that somebody looks at or that are under way.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::translate::{self, Origin};
use super::{Buildbot, wire};
use crate::model::error::{PortError, PortErrorKind};
use crate::model::pipeline::{Builder, LogPart, Run, RunReading, RunStep};
use crate::model::text::Text;

/// The most runs of a builder.
const MOST_RUNS: usize = 20;
/// The most runs that are read for somebody although they are not among the newest.
const MOST_OLDER: usize = 4;
/// The most requests that wait at a builder, the oldest first.
const MOST_QUEUED: usize = 50;
/// The most steps of a run.
const MOST_STEPS: usize = 100;
/// The most logs of a step.
const MOST_LOGS: usize = 20;
/// The most lines of a log at once.
const MOST_LINES: u32 = 2_000;
/// The most builders in one question by name.
const NAMES_AT_ONCE: usize = 40;
/// Requests under way at the same time.
const AT_ONCE: usize = 4;

impl Buildbot {
    pub(super) async fn read_builders(&self, builders: &[String], detail: &[u64]) -> Result<RunReading, PortError> {
        let names: BTreeSet<&str> = builders.iter().map(String::as_str).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut reading = RunReading { builders: BTreeMap::new(), missing: Vec::new(), backend_clock: None };
        let mut there = Vec::new();
        for names in names.chunks(NAMES_AT_ONCE) {
            let (found, answer) = self.builders_named(names).await?;
            reading.backend_clock = answer.or(reading.backend_clock);
            for name in names {
                match found.iter().find(|builder| builder.name == *name) {
                    Some(builder) => there.push((builder.name.clone(), builder.builderid)),
                    None => reading.missing.push(Text::clean_within(name, 128)),
                }
            }
        }
        let reads = stream::iter(there).map(async |(name, id)| Ok((name.clone(), self.read_builder(&name, id, detail).await?)));
        let read: Vec<(String, Builder)> = reads.buffered(AT_ONCE).try_collect().await?;
        reading.builders.extend(read);
        self.add_older(&mut reading, detail).await?;
        Ok(reading)
    }

    /// Adds runs that somebody looks at and that are no longer among the newest, at the end of their builder's.
    async fn add_older(&self, reading: &mut RunReading, detail: &[u64]) -> Result<(), PortError> {
        let known: BTreeSet<u64> = reading.builders.values().flat_map(|builder| &builder.runs).map(|run| run.id.number).collect();
        let older: BTreeSet<u64> = detail.iter().copied().filter(|id| !known.contains(id)).take(MOST_OLDER).collect();
        for id in older {
            let Some(read) = self.build(id).await? else { continue };
            let Some((name, builder)) = reading.builders.iter_mut().find(|(_, builder)| read.0.builderid == Some(builder.id)) else {
                continue;
            };
            let mut run = self.run_of(name, &read);
            run.steps = self.steps(id, true).await?;
            builder.runs.truncate(MOST_RUNS.saturating_sub(1));
            builder.runs.push(run);
        }
        Ok(())
    }

    /// The builders of these names, by a filter: a path would take a name of digits for a number.
    async fn builders_named(&self, names: &[&str]) -> Result<(Vec<wire::Builder>, Option<chrono::DateTime<chrono::Utc>>), PortError> {
        let query: Vec<(&str, &str)> = names.iter().map(|name| ("name", *name)).collect();
        let (found, answer) = self.get_dated::<wire::Builders>("read builders", "/builders", &query).await?;
        Ok((found.builders, answer.date))
    }

    /// The number of a builder; none when there is no such builder.
    pub(super) async fn builder_id(&self, name: &str) -> Result<Option<u64>, PortError> {
        let (found, _) = self.builders_named(&[name]).await?;
        Ok(found.into_iter().find(|builder| builder.name == name).map(|builder| builder.builderid))
    }

    async fn read_builder(&self, name: &str, id: u64, detail: &[u64]) -> Result<Builder, PortError> {
        let doing = format!("read builds of {name}");
        let most = MOST_RUNS.to_string();
        let query = [("order", "-number"), ("limit", most.as_str()), ("property", "*")];
        let mut builds = self.get::<wire::Builds>(&doing, &format!("/builders/{id}/builds"), &query).await?.builds;
        builds.sort_by_key(|build| std::cmp::Reverse((build.number, build.buildid)));
        builds.dedup_by_key(|build| build.buildid);
        builds.truncate(MOST_RUNS);
        let waiting = self.waiting(name, id).await?;
        let (requests, sets) = self.origins(&builds, &waiting).await?;
        let mut runs = Vec::new();
        for build in &builds {
            let mut run = translate::run(&self.name, name, build, origin_of(build, &requests, &sets));
            let asked_for = detail.contains(&build.buildid);
            if asked_for || !run.state.is_over() {
                run.steps = self.steps(build.buildid, asked_for).await?;
            }
            runs.push(run);
        }
        let queued = waiting.iter().map(|request| translate::queued(name, request, set_of(request, &sets))).collect();
        Ok(Builder { name: Text::clean_within(name, 128), id, runs, queued })
    }

    /// Requests that no run has taken up.
    async fn waiting(&self, name: &str, id: u64) -> Result<Vec<wire::BuildRequest>, PortError> {
        let most = MOST_QUEUED.to_string();
        let open = [("complete", "false"), ("claimed", "false"), ("order", "buildrequestid"), ("limit", most.as_str()), ("property", "*")];
        let doing = format!("read the queue of {name}");
        let mut waiting = self.get::<wire::BuildRequests>(&doing, &format!("/builders/{id}/buildrequests"), &open).await?.buildrequests;
        waiting.retain(|request| request.claimed != Some(true) && request.complete != Some(true));
        waiting.truncate(MOST_QUEUED);
        Ok(waiting)
    }

    /// The requests of these builds, and the sets of all requests: two questions, whatever their number.
    async fn origins(&self, builds: &[wire::Build], waiting: &[wire::BuildRequest]) -> Result<(Requests, Sets), PortError> {
        let ids: BTreeSet<u64> = builds.iter().filter_map(|build| build.buildrequestid).collect();
        let requests = self.requests(&ids).await?;
        let sets: BTreeSet<u64> = requests.values().chain(waiting).filter_map(|request| request.buildsetid).collect();
        Ok((requests, self.sets(&sets).await?))
    }

    async fn requests(&self, ids: &BTreeSet<u64>) -> Result<Requests, PortError> {
        if ids.is_empty() {
            return Ok(Requests::new());
        }
        let read = self.get::<wire::BuildRequests>("read requests", "/buildrequests", &id_query("buildrequestid", &texts(ids))).await?;
        Ok(read.buildrequests.into_iter().map(|request| (request.buildrequestid, request)).collect())
    }

    pub(super) async fn sets(&self, ids: &BTreeSet<u64>) -> Result<Sets, PortError> {
        if ids.is_empty() {
            return Ok(Sets::new());
        }
        let read = self.get::<wire::BuildSets>("read build sets", "/buildsets", &id_query("bsid", &texts(ids))).await?;
        Ok(read.buildsets.into_iter().map(|set| (set.bsid, set)).collect())
    }

    /// One build with where it comes from; none when it is not there.
    pub(super) async fn build(&self, id: u64) -> Result<Option<(wire::Build, Requests, Sets)>, PortError> {
        let path = format!("/builds/{id}");
        let Some(read) = self.get_one::<wire::Builds>("read a build", &path, &[("property", "*")]).await? else { return Ok(None) };
        let Some(build) = read.builds.into_iter().find(|build| build.buildid == id) else { return Ok(None) };
        let (requests, sets) = self.origins(std::slice::from_ref(&build), &[]).await?;
        Ok(Some((build, requests, sets)))
    }

    /// A run as [`Self::build`] read it.
    pub(super) fn run_of(&self, builder: &str, (build, requests, sets): &(wire::Build, Requests, Sets)) -> Run {
        translate::run(&self.name, builder, build, origin_of(build, requests, sets))
    }

    /// The steps of a run. Logs are read of all steps when somebody looks at the run, else of those that run or went wrong.
    async fn steps(&self, build: u64, all_logs: bool) -> Result<Vec<RunStep>, PortError> {
        let most = MOST_STEPS.to_string();
        let query = [("order", "number"), ("limit", most.as_str())];
        let read = self.get::<wire::Steps>("read steps", &format!("/builds/{build}/steps"), &query).await?;
        let steps = read.steps.into_iter().take(MOST_STEPS).enumerate();
        let steps = steps.map(|(place, step)| (step.hidden == Some(true), step.stepid, translate::step(place, &step)));
        // A hidden step stays hidden as long as it is well.
        let steps: Vec<_> = steps.filter(|(hidden, _, step)| !(*hidden && step.state.is_good())).collect();
        let with_logs = stream::iter(steps).map(async |(_, id, mut step)| {
            let begun = step.started.is_some() || step.state.is_over();
            if begun && (all_logs || !step.state.is_good()) {
                let query = [("limit", "20")];
                let read = self.get::<wire::Logs>("read the logs of a step", &format!("/steps/{id}/logs"), &query).await?;
                step.logs = read.logs.iter().take(MOST_LOGS).map(translate::log_ref).collect();
            }
            Ok(step)
        });
        with_logs.buffered(AT_ONCE).try_collect().await
    }

    pub(super) async fn read_log(&self, log: u64, first: u64, limit: u32) -> Result<LogPart, PortError> {
        let doing = "read a log";
        let read = self.get::<wire::Logs>(doing, &format!("/logs/{log}"), &[]).await?;
        let Some(about) = read.logs.into_iter().find(|found| found.logid == log) else {
            return Err(self.fault(PortErrorKind::Malformed, doing, &format!("answered about another log than {log}")));
        };
        let limit = limit.clamp(1, MOST_LINES);
        let lines = usize::try_from(limit).unwrap_or(usize::MAX);
        if about.num_lines.is_some_and(|total| first >= total) {
            return Ok(translate::log_part(&about, first, lines, None));
        }
        let (offset, limit) = (first.to_string(), limit.to_string());
        let query = [("offset", offset.as_str()), ("limit", limit.as_str())];
        let read = self.get::<wire::LogChunks>(doing, &format!("/logs/{log}/contents"), &query).await?;
        Ok(translate::log_part(&about, first, lines, read.logchunks.first()))
    }
}

/// Requests by number.
pub(super) type Requests = BTreeMap<u64, wire::BuildRequest>;
/// Sets by number.
pub(super) type Sets = BTreeMap<u64, wire::BuildSet>;

fn set_of<'a>(request: &wire::BuildRequest, sets: &'a Sets) -> Option<&'a wire::BuildSet> {
    request.buildsetid.and_then(|id| sets.get(&id))
}

fn origin_of<'a>(build: &wire::Build, requests: &'a Requests, sets: &'a Sets) -> Origin<'a> {
    let request = build.buildrequestid.and_then(|id| requests.get(&id));
    Origin { request, set: request.and_then(|request| set_of(request, sets)) }
}

fn texts(ids: &BTreeSet<u64>) -> Vec<String> {
    ids.iter().map(u64::to_string).collect()
}

fn id_query<'a>(field: &'a str, ids: &'a [String]) -> Vec<(&'a str, &'a str)> {
    ids.iter().map(|id| (field, id.as_str())).collect()
}
