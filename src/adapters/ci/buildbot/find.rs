//! Looking up what an effect made: by the key in the request's properties, by the repeated build, or the build itself.

use std::collections::BTreeSet;

use super::read::{Requests, Sets};
use super::{Buildbot, KEY, translate, wire};
use crate::model::deed::EffectKey;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::plan::StepEffect;
use crate::model::text::Text;
use crate::ports::ci::Found;

/// The newest requests of a builder among which a key is looked for.
const NEWEST: &str = "100";
/// The newest repetitions of a run among which one is looked for.
const REPETITIONS: &str = "10";

impl Buildbot {
    pub(super) async fn find_effect(&self, effect: &StepEffect, key: EffectKey, after: Option<u64>) -> Result<Option<Found>, PortError> {
        match effect {
            StepEffect::Start { builder, properties, .. } => {
                let bearing = properties.iter().filter(|(_, value)| value.as_str() == KEY).map(|(name, _)| name.as_str());
                self.find_start(builder, &bearing.collect::<Vec<_>>(), &key.to_string()).await
            }
            StepEffect::Retry { builder, run, .. } => self.find_retry(builder, *run, after).await,
            StepEffect::Cancel { builder, run, .. } => {
                let read = self.build(*run).await?;
                Ok(read.map(|read| Found::Run(Box::new(self.run_of(builder, &read)))))
            }
            StepEffect::Weights { .. }
            | StepEffect::Workload { .. }
            | StepEffect::Flag { .. }
            | StepEffect::Drain { .. }
            | StepEffect::Silence { .. } => {
                Err(self.fault(PortErrorKind::Unsupported, "look for a run", "neither weights nor a workload are a run"))
            }
            StepEffect::Repeat { .. } | StepEffect::Answer { .. } => {
                Err(self.fault(PortErrorKind::Unsupported, "look for a run", "Buildbot knows neither attempts nor gates"))
            }
        }
    }

    /// The request that bears the key. A rebuild copies all properties, the key too, and is another effect: it is passed over.
    async fn find_start(&self, builder: &str, bearing: &[&str], key: &str) -> Result<Option<Found>, PortError> {
        let doing = format!("look for a run of {builder}");
        let Some(id) = self.builder_id(builder).await? else {
            return Err(self.fault(PortErrorKind::NotFound, &doing, "there is no such builder"));
        };
        if bearing.is_empty() {
            return Err(self.fault(PortErrorKind::Unsupported, &doing, "no property bears the key"));
        }
        let mut query = vec![("order", "-buildrequestid"), ("limit", NEWEST)];
        query.extend(bearing.iter().map(|name| ("property", *name)));
        let read = self.get::<wire::BuildRequests>(&doing, &format!("/builders/{id}/buildrequests"), &query).await?;
        let bears = |request: &wire::BuildRequest| {
            let properties = translate::properties(request.properties.as_ref());
            bearing.iter().any(|name| properties.get(*name).is_some_and(|text| text.as_str() == key))
        };
        let mut candidates: Vec<wire::BuildRequest> = read.buildrequests.into_iter().filter(bears).collect();
        let sets = self.sets(&candidates.iter().filter_map(|request| request.buildsetid).collect()).await?;
        let is_rebuild =
            |request: &wire::BuildRequest| request.buildsetid.and_then(|id| sets.get(&id)).is_some_and(|set| set.rebuilt_buildid.is_some());
        candidates.retain(|request| !is_rebuild(request));
        match candidates.into_iter().max_by_key(|request| request.buildrequestid) {
            Some(request) => self.follow(&doing, builder, request, &sets).await.map(Some),
            None => Ok(None),
        }
    }

    /// What became of a request: its newest build, a place in the queue, or an end without a build.
    async fn follow(&self, doing: &str, builder: &str, request: wire::BuildRequest, sets: &Sets) -> Result<Found, PortError> {
        let id = request.buildrequestid;
        let query = [("order", "-buildid"), ("limit", "1"), ("property", "*")];
        let read = self.get::<wire::Builds>(doing, &format!("/buildrequests/{id}/builds"), &query).await?;
        if let Some(build) = read.builds.into_iter().max_by_key(|build| build.buildid) {
            let requests = Requests::from([(id, request)]);
            return Ok(Found::Run(Box::new(self.run_of(builder, &(build, requests, sets.clone())))));
        }
        if request.complete != Some(true) {
            return Ok(Found::Queued(id));
        }
        let why = match request.results.as_i64() {
            Some(3) => "Buildbot merged it into a newer request; the builder needs collapseRequests=False",
            Some(6) => "it was cancelled while it waited",
            Some(_) | None => "Buildbot does not say why",
        };
        Ok(Found::Closed { request: id, why: Text::clean(why) })
    }

    /// The newest repetition of a run. Buildbot names the first build of a chain of rebuilds, so that is what is asked for.
    async fn find_retry(&self, builder: &str, run: u64, after: Option<u64>) -> Result<Option<Found>, PortError> {
        let doing = format!("look for a repetition of build {run}");
        let Some(first) = self.first_of(run).await? else {
            return Err(self.fault(PortErrorKind::NotFound, &doing, "there is no such build"));
        };
        for set in self.repetitions(&doing, first).await? {
            let Some(request) = self.request_of(&doing, set.bsid).await? else { continue };
            let sets = Sets::from([(set.bsid, set)]);
            match self.follow(&doing, builder, request, &sets).await? {
                // The run itself may be the newest repetition of its chain.
                Found::Run(found) if found.id.number <= after.unwrap_or_default().max(run) => return Ok(None),
                found @ (Found::Run(_) | Found::Queued(_) | Found::Closed { .. } | Found::Other { .. }) => return Ok(Some(found)),
            }
        }
        Ok(None)
    }

    /// The build that rebuilds of this one will name: itself, or the one that it repeats already; none when it is not there.
    pub(super) async fn first_of(&self, run: u64) -> Result<Option<u64>, PortError> {
        let Some((build, requests, sets)) = self.build(run).await? else { return Ok(None) };
        let request = build.buildrequestid.and_then(|id| requests.get(&id));
        let set = request.and_then(|request| request.buildsetid).and_then(|id| sets.get(&id));
        if let Some(first) = set.and_then(|set| set.rebuilt_buildid) {
            return Ok(Some(first));
        }
        // A request whose worker was lost has several builds; Buildbot names the first that its list gives.
        let Some(request) = request else { return Ok(Some(run)) };
        let path = format!("/buildrequests/{}/builds", request.buildrequestid);
        let read = self.get::<wire::Builds>("read the builds of a request", &path, &[("limit", "1")]).await?;
        Ok(Some(read.builds.first().map_or(run, |build| build.buildid)))
    }

    /// Sets that repeat a build, the newest first.
    pub(super) async fn repetitions(&self, doing: &str, first: u64) -> Result<Vec<wire::BuildSet>, PortError> {
        let first_text = first.to_string();
        let query = [("rebuilt_buildid", first_text.as_str()), ("order", "-bsid"), ("limit", REPETITIONS)];
        let mut sets = self.get::<wire::BuildSets>(doing, "/buildsets", &query).await?.buildsets;
        sets.retain(|set| set.rebuilt_buildid == Some(first));
        sets.sort_by_key(|set| std::cmp::Reverse(set.bsid));
        Ok(sets)
    }

    async fn request_of(&self, doing: &str, set: u64) -> Result<Option<wire::BuildRequest>, PortError> {
        let text = set.to_string();
        let query = [("buildsetid", text.as_str()), ("limit", "2")];
        let read = self.get::<wire::BuildRequests>(doing, "/buildrequests", &query).await?;
        let seen: BTreeSet<u64> = read.buildrequests.iter().map(|request| request.buildrequestid).collect();
        if seen.len() > 1 {
            return Err(self.fault(PortErrorKind::Malformed, doing, "a repetition has several requests"));
        }
        Ok(read.buildrequests.into_iter().find(|request| request.buildsetid == Some(set)))
    }
}
