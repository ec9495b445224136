//! A cluster: opened on first use, opened anew when it knows us no more, read in pages, changed only where it still is as it was read.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use tokio::sync::Mutex;

use super::access;
use super::kind::Kind;
use super::means::{Access, Until};
use super::object::Place;
use super::request::{self, By, Change, Part, Spelled};
use crate::adapters::http::{Answer, HttpClient};
use crate::config::settings::{Address, BackendSettings};
use crate::config::surroundings::Surroundings;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::BackendName;
use crate::model::time::Moment;
use crate::ports::clock::Clock;

/// How long a token in a file is taken for the same.
const MINUTE: Duration = Duration::from_mins(1);
/// So long before its end a credential is asked for anew.
const BEFORE: TimeDelta = TimeDelta::seconds(30);
/// Pages of 500 that are read of one list; more is no list for a release.
const MOST_PAGES: usize = 20;

/// One cluster behind one backend.
pub struct Cluster {
    settings: BackendSettings,
    around: Surroundings,
    clock: Arc<dyn Clock>,
    open: Mutex<Option<Open>>,
}

/// A cluster that was opened.
#[derive(Clone)]
struct Open {
    http: Arc<HttpClient>,
    namespace: String,
    /// When it must be opened anew.
    until: Option<Moment>,
}

impl Cluster {
    /// A cluster by its settings; nothing is read or opened before the first request.
    pub fn new(settings: BackendSettings, around: Surroundings, clock: Arc<dyn Clock>) -> Self {
        Self { settings, around, clock, open: Mutex::new(None) }
    }

    /// The configured name.
    pub fn backend(&self) -> &BackendName {
        &self.settings.name
    }

    /// The longest wait for one answer.
    pub fn deadline(&self) -> Duration {
        self.settings.deadline
    }

    /// A failure here; `doing` finishes "failed to ..".
    pub fn fault(&self, kind: PortErrorKind, doing: &str, detail: &str) -> PortError {
        PortError::new(kind, &self.settings.name, doing, detail)
    }

    async fn open(&self) -> Result<Open, PortError> {
        let mut open = self.open.lock().await;
        let now = self.clock.now();
        if let Some(open) = open.as_ref().filter(|open| open.until.is_none_or(|until| now.boot < until.boot)) {
            return Ok(open.clone());
        }
        let (settings, around) = (self.settings.clone(), self.around.clone());
        let found = tokio::task::spawn_blocking(move || access::resolve(&settings, &around)).await;
        let found = found.map_err(|_| self.fault(PortErrorKind::Unauthorised, "find its cluster", "it could not be looked for"))?;
        let made = self.made(found?, &now)?;
        *open = Some(made.clone());
        Ok(made)
    }

    fn made(&self, access: Access, now: &Moment) -> Result<Open, PortError> {
        let like = BackendSettings { address: Address::Http(access.url), ca_file: access.trust.ca_file.clone(), ..self.settings.clone() };
        let http = HttpClient::new(&like, &access.credential, self.clock.clone())?.trusting(access.trust);
        let until = match access.until {
            Until::Refused => None,
            Until::Minute => Some(now.plus(MINUTE)),
            Until::Then(end) => Some(now.plus((end - BEFORE - now.wall).to_std().unwrap_or(Duration::from_secs(1)))),
        };
        Ok(Open { http: Arc::new(http), namespace: access.namespace, until })
    }

    /// The namespace of names without one.
    ///
    /// # Errors
    /// When the cluster cannot be found.
    pub async fn namespace(&self) -> Result<String, PortError> {
        Ok(self.open().await?.namespace)
    }

    /// Where its API is.
    ///
    /// # Errors
    /// When the cluster cannot be found.
    pub async fn address(&self) -> Result<String, PortError> {
        Ok(self.open().await?.http.address(""))
    }

    /// Reads what stands at a path, once more with a new credential when the cluster does not know us.
    async fn read(&self, doing: &str, spelled: &Spelled) -> Result<Answer, PortError> {
        let query: Vec<(&str, &str)> = spelled.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let first = self.open().await?.http.get_json(doing, &spelled.path, &query).await;
        match first {
            Err(error) if error.kind == PortErrorKind::Unauthorised => {
                *self.open.lock().await = None;
                self.open().await?.http.get_json(doing, &spelled.path, &query).await
            }
            done => done,
        }
    }

    /// The version of its API server.
    ///
    /// # Errors
    /// As [`HttpClient::get_json`].
    pub async fn version(&self, doing: &str) -> Result<String, PortError> {
        let answer = self.read(doing, &Spelled { path: "/version".to_owned(), query: Vec::new() }).await?;
        Ok(answer.value.get("gitVersion").and_then(Value::as_str).unwrap_or("of no known version").to_owned())
    }

    /// An object; none when there is none of that name.
    ///
    /// # Errors
    /// As [`HttpClient::get_json`]; `Unsupported` when the cluster knows no such kind.
    pub async fn get(&self, doing: &str, kind: Kind, place: &Place) -> Result<Option<Arc<Value>>, PortError> {
        let spelled = request::get(kind, place).map_err(|why| self.fault(PortErrorKind::Malformed, doing, &why))?;
        match self.read(doing, &spelled).await {
            Ok(answer) if answer.value.get("metadata").is_some() => Ok(Some(answer.value)),
            Ok(_) => Err(self.fault(PortErrorKind::Malformed, doing, &format!("what came is no {}", kind.word()))),
            Err(error) if error.kind == PortErrorKind::NotFound => self.absent(error, kind),
            Err(error) => Err(error),
        }
    }

    /// Tells an object that is not there from a kind that is not there.
    fn absent(&self, error: PortError, kind: Kind) -> Result<Option<Arc<Value>>, PortError> {
        let said = error.detail.as_str();
        if said.contains("could not find the requested resource") {
            let detail = format!("this cluster has no {}", kind.full());
            return Err(self
                .fault(PortErrorKind::Unsupported, error.doing.as_str(), &detail)
                .mended_by("install its custom resources there"));
        }
        // What stands before the API may answer 404 by itself.
        if said.contains("\" not found") { Ok(None) } else { Err(error) }
    }

    /// All objects of a kind that bear labels, in pages. A list that grew too old to be gone on with is read anew, once.
    ///
    /// # Errors
    /// As [`HttpClient::get_json`]; `Malformed` when there are more than 10,000.
    pub async fn list(&self, doing: &str, kind: Kind, namespace: &str, labels: &str) -> Result<Vec<Value>, PortError> {
        self.listed(doing, kind, namespace, By::Labels(labels)).await
    }

    /// What its controllers said of one object, as long as the cluster keeps it.
    ///
    /// # Errors
    /// As [`Cluster::list`].
    pub async fn events(&self, doing: &str, namespace: &str, uid: &str) -> Result<Vec<Value>, PortError> {
        self.listed(doing, Kind::Event, namespace, By::Fields(&format!("involvedObject.uid={uid}"))).await
    }

    async fn listed(&self, doing: &str, kind: Kind, namespace: &str, by: By<'_>) -> Result<Vec<Value>, PortError> {
        match self.pages(doing, kind, namespace, by).await {
            Err((error, true)) if error.detail.as_str().contains("410") => self.pages(doing, kind, namespace, by).await,
            done => done,
        }
        .map_err(|(error, _)| {
            if error.kind == PortErrorKind::NotFound { self.absent(error.clone(), kind).err().unwrap_or(error) } else { error }
        })
    }

    async fn pages(&self, doing: &str, kind: Kind, namespace: &str, by: By<'_>) -> Result<Vec<Value>, (PortError, bool)> {
        let (mut all, mut more) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let wrong = |why: &str| (self.fault(PortErrorKind::Malformed, doing, why), false);
            let spelled = request::list(kind, namespace, by, more.as_deref()).map_err(|why| wrong(&why))?;
            let answer = self.read(doing, &spelled).await.map_err(|error| (error, more.is_some()))?;
            let items = answer.value.get("items").and_then(Value::as_array).ok_or_else(|| wrong("what came is no list"))?;
            all.extend(items.iter().cloned());
            let token = answer.value.pointer("/metadata/continue").and_then(Value::as_str).filter(|token| !token.is_empty());
            match token {
                Some(token) => more = Some(token.to_owned()),
                None => return Ok(all),
            }
        }
        Err((self.fault(PortErrorKind::Malformed, doing, "there are more than 10,000 of them"), false))
    }

    /// Changes an object, first without effect (`dryRun=All`) so that whatever stands in the way says so before anything is written.
    /// The patch must hold the `resourceVersion` that was read.
    ///
    /// # Errors
    /// `NotDone` when nothing was written, with kind `Conflict` when it is not as it was read; `Unknown` when nobody knows.
    pub async fn patch(&self, doing: &str, (kind, part): (Kind, Part), place: &Place, how: &Change) -> Result<Answer, SendError> {
        let (media, body) = how.body();
        for dry in [true, false] {
            let wrong = |why: String| SendError::NotDone(self.fault(PortErrorKind::Malformed, doing, &why));
            let spelled = request::patch(kind, place, part, dry).map_err(wrong)?;
            let query: Vec<(&str, &str)> = spelled.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let http = self.open().await.map_err(SendError::NotDone)?.http;
            let sent = http.patch_as(doing, (&spelled.path, &query), (media, body)).await;
            match sent {
                // Nothing that was only asked for happened.
                Err(error) if dry => return Err(SendError::NotDone(error.port().clone())),
                Err(error) => return Err(error),
                Ok(answer) if !dry => return Ok(answer),
                Ok(_) => {}
            }
        }
        Err(SendError::NotDone(self.fault(PortErrorKind::Malformed, doing, "nothing was sent")))
    }

    /// A call by which a person would change an object so.
    pub fn command(&self, kind: Kind, place: &Place, how: &str, rest: &str) -> String {
        let name = crate::adapters::shell::quoted(&place.name);
        self.kubectl(&place.namespace, &format!("{how} {} {name}{rest}", kind.full()))
    }

    /// `kubectl` for this cluster and a namespace, with further words.
    pub fn kubectl(&self, namespace: &str, words: &str) -> String {
        let quoted = crate::adapters::shell::quoted;
        let mut all = vec!["kubectl".to_owned()];
        match &self.settings.address {
            Address::Kubeconfig { file, context } => {
                all.extend(file.iter().map(|file| format!("--kubeconfig {}", quoted(&file.display().to_string()))));
                all.extend(context.iter().map(|context| format!("--context {}", quoted(context))));
            }
            Address::Http(url) => all.push(format!("--server {}", quoted(url))),
            Address::InCluster | Address::Unix(_) | Address::Tcp(_) => {}
        }
        all.push(format!("-n {} {words}", quoted(namespace)));
        all.join(" ")
    }
}
