//! Buildbot 4: builders, builds, requests and logs over its data API; force, rebuild and stop over its JSON-RPC.

mod commands;
mod find;
mod read;
mod send;
mod translate;
mod wire;

use serde::de::DeserializeOwned;

use crate::adapters::http::{Answer, HttpClient};
use crate::model::capability::Capability;
use crate::model::deed::{Effect, EffectKey};
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::BackendName;
use crate::model::pipeline::{LogPart, RunReading};
use crate::model::plan::StepEffect;
use crate::ports::Pending;
use crate::ports::ci::{Ci, Found, RunReceipt};

/// The value of a property that stands for the effect's key.
const KEY: &str = "$key";

/// A Buildbot master.
///
/// It is only ever asked for bounded lists. Its builders must be configured with `collapseRequests=False`: otherwise Buildbot merges
/// requests that wait at the same time, whatever their properties, and those merged never run; [`Ci::find`] says so, as [`Found::Closed`].
pub struct Buildbot {
    name: BackendName,
    http: HttpClient,
}

impl Buildbot {
    /// The adapter of the backend that is configured as `name`; nothing is read before the first question.
    pub fn new(name: BackendName, http: HttpClient) -> Self {
        Self { name, http }
    }

    fn fault(&self, kind: PortErrorKind, doing: &str, detail: &str) -> PortError {
        self.http.fault(kind, doing, detail)
    }

    /// Reads an address of the data API.
    async fn get<T: DeserializeOwned>(&self, doing: &str, path: &str, query: &[(&str, &str)]) -> Result<T, PortError> {
        Ok(self.get_dated(doing, path, query).await?.0)
    }

    /// The same with the answer around it.
    async fn get_dated<T: DeserializeOwned>(&self, doing: &str, path: &str, query: &[(&str, &str)]) -> Result<(T, Answer), PortError> {
        let path = format!("/api/v2{path}");
        // A real Buildbot under load was seen to answer with a torn gzip stream; it writes answers to reads from a thread beside the one
        // that sends them, which would explain it. One more try tells that from an answer that is really no Buildbot's.
        let answer = match self.http.get_json(doing, &path, query).await {
            Err(error) if error.kind == PortErrorKind::Malformed => self.http.get_json(doing, &path, query).await?,
            first => first?,
        };
        let value = T::deserialize(&*answer.value)
            .map_err(|error| self.fault(PortErrorKind::Malformed, doing, &format!("answered what Buildbot does not: {error}")))?;
        Ok((value, answer))
    }

    /// Reads an object that may not be there.
    async fn get_one<T: DeserializeOwned>(&self, doing: &str, path: &str, query: &[(&str, &str)]) -> Result<Option<T>, PortError> {
        match self.get(doing, path, query).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind == PortErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Ci for Buildbot {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadRuns, Capability::Logs, Capability::Start, Capability::Retry, Capability::Cancel]
    }

    fn read<'a>(&'a self, builders: &'a [String], detail: &'a [u64]) -> Pending<'a, Result<RunReading, PortError>> {
        Box::pin(self.read_builders(builders, detail))
    }

    fn log(&self, log: u64, first: u64, limit: u32) -> Pending<'_, Result<LogPart, PortError>> {
        Box::pin(self.read_log(log, first, limit))
    }

    fn send<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<RunReceipt, SendError>> {
        Box::pin(self.send_effect(effect))
    }

    fn find<'a>(&'a self, effect: &'a StepEffect, key: EffectKey, after: Option<u64>) -> Pending<'a, Result<Option<Found>, PortError>> {
        Box::pin(self.find_effect(effect, key, after))
    }

    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        self.commands_of(effect)
    }
}
