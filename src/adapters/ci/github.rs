//! GitHub: runs of workflows, their jobs, logs and gates, and where changes come from, over its REST API (version 2022-11-28).

mod authors;
mod commands;
mod find;
mod gates;
mod read;
mod send;
mod source;
mod translate;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::DateTime;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::adapters::http::{Answer, HttpClient, segment};
use crate::model::capability::Capability;
use crate::model::deed::{Effect, EffectKey};
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::BackendName;
use crate::model::pipeline::{LogPart, RunReading};
use crate::model::plan::StepEffect;
use crate::model::text::Text;
use crate::model::time::Boot;
use crate::ports::Pending;
use crate::ports::ci::{Ci, Found, RunReceipt};
use crate::ports::gates::Gates;
use crate::ports::source::Source;

/// The value of an input that stands for the effect's key.
const KEY: &str = "$key";
/// The time between two writes that GitHub asks for (APIS, A1).
const BETWEEN_WRITES: Duration = Duration::from_secs(1);
/// The most items of a page.
const PAGE: usize = 100;

/// A GitHub. Builders are workflows, named `owner/name/file.yml`.
///
/// GitHub tells nothing of the inputs that a run was started with, so a run bears the effect's key in its title: the workflow needs a
/// `run-name` with the input that takes the key. Without it nothing is started, because a lost answer could never be settled.
pub struct Github {
    name: BackendName,
    http: HttpClient,
    /// The repositories of jobs that were read: a log is asked for by its job alone.
    jobs: Mutex<BTreeMap<u64, Arc<str>>>,
    /// The log that was read last; the log of an ended job grows no more.
    log: Mutex<Option<(u64, Arc<str>)>>,
    /// When the last write ended; held while one is under way.
    writes: tokio::sync::Mutex<Option<Boot>>,
    access: Mutex<Access>,
}

/// What GitHub said of our access.
#[derive(Debug, Clone, Default)]
struct Access {
    scopes: Option<String>,
    left: Option<u64>,
    limit: Option<u64>,
    reset: Option<i64>,
}

/// A workflow as a builder's name tells it.
struct Workflow<'a> {
    /// `owner/name`.
    repository: &'a str,
    file: &'a str,
}

impl<'a> Workflow<'a> {
    fn of(builder: &'a str) -> Option<Self> {
        let (repository, file) = builder.rsplit_once('/')?;
        let (owner, name) = repository.split_once('/')?;
        let whole = !(owner.is_empty() || name.is_empty() || name.contains('/') || file.is_empty());
        whole.then_some(Self { repository, file })
    }

    /// Whether a run is one of this workflow; a run tells the path of its file, sometimes with the branch behind it.
    fn has(&self, run: &wire::Run) -> bool {
        let path = run.path.as_deref().and_then(|path| path.split('@').next()).unwrap_or_default();
        path.strip_prefix(".github/workflows/").is_some_and(|file| file == self.file)
    }
}

impl Github {
    /// The adapter of the backend that is configured as `name`; nothing is read before the first question.
    pub fn new(name: BackendName, http: HttpClient) -> Self {
        Self { name, http, jobs: Mutex::default(), log: Mutex::default(), writes: tokio::sync::Mutex::default(), access: Mutex::default() }
    }

    fn fault(&self, kind: PortErrorKind, doing: &str, detail: &str) -> PortError {
        PortError::new(kind, &self.name, doing, detail)
    }

    /// The path of a repository; what is no `owner/name` is not there.
    fn repository(&self, doing: &str, repository: &str) -> Result<String, PortError> {
        match repository.split_once('/') {
            Some((owner, name)) if !(owner.is_empty() || name.is_empty() || name.contains('/')) => {
                Ok(format!("/repos/{}/{}", segment(owner), segment(name)))
            }
            Some(_) | None => Err(self.fault(PortErrorKind::NotFound, doing, &format!("`{repository}` is no owner/name"))),
        }
    }

    fn workflow<'a>(&self, doing: &str, builder: &'a str) -> Result<Workflow<'a>, PortError> {
        let none = || self.fault(PortErrorKind::NotFound, doing, &format!("`{builder}` is no owner/name/file.yml"));
        Workflow::of(builder).ok_or_else(none)
    }

    async fn get<T: DeserializeOwned>(&self, doing: &str, path: &str, query: &[(&str, &str)]) -> Result<(T, Answer), PortError> {
        let answer = self.http.get_json(doing, path, query).await?;
        self.note_access(&answer);
        let value = T::deserialize(&*answer.value)
            .map_err(|error| self.fault(PortErrorKind::Malformed, doing, &format!("answered what GitHub does not: {error}")))?;
        Ok((value, answer))
    }

    /// Reads an object that may not be there.
    async fn get_one<T: DeserializeOwned>(&self, doing: &str, path: &str, query: &[(&str, &str)]) -> Result<Option<T>, PortError> {
        match self.get(doing, path, query).await {
            Ok((value, _)) => Ok(Some(value)),
            Err(error) if error.kind == PortErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a list page by page, one after another, at most `pages` of them, and whether there would be more.
    async fn get_all<T: DeserializeOwned>(&self, doing: &str, path: &str, pages: usize) -> Result<(Vec<T>, bool), PortError> {
        let (mut all, most) = (Vec::new(), PAGE.to_string());
        for page in 1..=pages {
            let number = page.to_string();
            let (items, answer) = self.get::<Vec<T>>(doing, path, &[("per_page", &most), ("page", &number)]).await?;
            all.extend(items);
            if !answer.more {
                return Ok((all, false));
            }
        }
        Ok((all, true))
    }

    /// Writes once: one write at a time, and each a while after the one before.
    async fn write(&self, doing: &str, path: &str, body: &Value) -> Result<Answer, SendError> {
        let mut last = self.writes.lock().await;
        if let Some(last) = *last {
            let since = self.http.clock().now().boot.since(last);
            if let Some(rest) = BETWEEN_WRITES.checked_sub(since) {
                tokio::time::sleep(rest).await;
            }
        }
        let result = self.http.post_json(doing, path, body).await;
        *last = Some(self.http.clock().now().boot);
        if let Ok(answer) = &result {
            self.note_access(answer);
        }
        result
    }

    fn note_access(&self, answer: &Answer) {
        let text = |name: &str| answer.heads.get(name).and_then(|value| value.to_str().ok());
        let mut access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        // An answer tells of one of several budgets; ours is the one of ordinary requests.
        if text("x-ratelimit-resource").is_none_or(|resource| resource == "core") {
            access.left = text("x-ratelimit-remaining").and_then(|text| text.parse().ok()).or(access.left);
            access.limit = text("x-ratelimit-limit").and_then(|text| text.parse().ok()).or(access.limit);
            access.reset = text("x-ratelimit-reset").and_then(|text| text.parse().ok()).or(access.reset);
        }
        if let Some(scopes) = text("x-oauth-scopes") {
            access.scopes = Some(scopes.to_owned());
        }
    }

    fn access_words(&self) -> Option<Text> {
        let access = self.access.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut words = Vec::new();
        if let (Some(left), Some(limit)) = (access.left, access.limit) {
            let reset = access.reset.and_then(|reset| DateTime::from_timestamp(reset, 0));
            let anew = reset.map(|reset| format!(", anew at {}", reset.format("%H:%M UTC"))).unwrap_or_default();
            words.push(format!("{left} of {limit} requests left{anew}"));
        }
        match access.scopes.as_deref().map(str::trim) {
            Some("") => words.push("the token has no scopes".to_owned()),
            Some(scopes) => words.push(format!("the token's scopes: {scopes}")),
            // Fine-grained and installation tokens have permissions, which GitHub does not tell.
            None if !words.is_empty() => words.push("GitHub tells no scopes of this token".to_owned()),
            None => {}
        }
        (!words.is_empty()).then(|| Text::clean_within(&words.join("; "), 400))
    }
}

impl Ci for Github {
    fn capabilities(&self) -> &'static [Capability] {
        &[
            Capability::ReadRuns,
            Capability::Logs,
            Capability::Start,
            Capability::Retry,
            Capability::Cancel,
            Capability::Answer,
            Capability::ReadSource,
        ]
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

    fn find<'a>(&'a self, effect: &'a StepEffect, key: EffectKey, _: Option<u64>) -> Pending<'a, Result<Option<Found>, PortError>> {
        Box::pin(self.find_effect(effect, key))
    }

    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        self.commands_of(effect)
    }

    fn gates(&self) -> Option<&dyn Gates> {
        Some(self)
    }

    fn source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn access(&self) -> Option<Text> {
        self.access_words()
    }
}
