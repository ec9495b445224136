//! What the configuration says beyond the catalog: addresses, secrets by reference, places of the store.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::model::catalog::{BackendKind, Catalog};
use crate::model::judging::JudgeRules;
use crate::model::name::BackendName;
use crate::model::outbox::{Opens, Wants};

use super::secret::SecretRef;

/// Where a backend listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `http://..` or `https://..`, without user, password, query or fragment, without a slash at the end.
    Http(String),
    /// A UNIX socket.
    Unix(PathBuf),
    /// `tcp://host:port`.
    Tcp(String),
    /// The server of a cluster, as a kubeconfig names it.
    Kubeconfig {
        /// The file; none: those of `KUBECONFIG`, else `~/.kube/config`.
        file: Option<PathBuf>,
        /// The context; none: the file's current one.
        context: Option<String>,
    },
    /// The server of the cluster in which gonogo itself runs, by its service account.
    InCluster,
}

/// How to talk to one backend.
#[derive(Debug, Clone)]
pub struct BackendSettings {
    /// Its name.
    pub name: BackendName,
    /// What it is.
    pub kind: BackendKind,
    /// Where it listens.
    pub address: Address,
    /// A bearer token.
    pub token: Option<SecretRef>,
    /// A user for Basic authentication.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<SecretRef>,
    /// Certificates that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Plain text over a network was allowed.
    pub insecure: bool,
    /// The longest wait for a whole answer.
    pub deadline: Duration,
    /// The file in which weights are set, where the backend reads them from one.
    pub file: Option<PathBuf>,
    /// The namespace of a Kubernetes cluster in which names without one are looked for; none: the context's.
    pub namespace: Option<String>,
}

/// Where the store lies and how long the journal keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// The directory; none: the data directory of the user.
    pub path: Option<PathBuf>,
    /// Days that the journal keeps.
    pub journal_days: u32,
    /// Bytes that the journal keeps.
    pub journal_bytes: u64,
}

/// `[metrics]`: the file into which an open room writes what it tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsSettings {
    /// The file; its name ends in `.prom`, which is what collectors read.
    pub file: PathBuf,
    /// It is written at most so often.
    pub every: Duration,
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What went wrong.
    Error,
    /// What a person should look at as well.
    Warn,
    /// What happened as well.
    #[default]
    Info,
    /// Each poll as well.
    Debug,
    /// Everything that the room takes in as well.
    Trace,
}

impl LogLevel {
    /// All, with their words.
    pub const WORDS: [(&str, Self); 6] = [
        ("off", Self::Off),
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

/// `[log]`: the file in which an open room tells what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// The file.
    pub file: PathBuf,
    /// What is logged.
    pub level: LogLevel,
    /// The bytes of a file before it is renamed.
    pub bytes: u64,
    /// The older files that are kept.
    pub keep: u32,
}

/// What an open room tells of itself, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSettings {
    /// Where its metrics are written; none: nowhere.
    pub metrics: Option<MetricsSettings>,
    /// Its log.
    pub log: LogSettings,
}

/// Second places of the record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerSettings {
    /// Second places of checkpoints.
    pub witness: Vec<PathBuf>,
    /// Where break glass is recorded when the store cannot be written.
    pub break_glass: Option<PathBuf>,
}

/// `[oscal]`: what an export in OSCAL names, with controls of NIST SP 800-53 unless others are configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OscalSettings {
    /// Where the assessment plan is.
    pub import_ap: String,
    /// Controls that ask for the approval of changes.
    pub approvals: Vec<String>,
    /// Controls that ask for the separation of duties.
    pub segregation: Vec<String>,
    /// Controls that ask for non-repudiation.
    pub audit: Vec<String>,
    /// Controls that ask for recovery.
    pub rollback: Vec<String>,
    /// Controls that ask for the review of what was done.
    pub reviews: Vec<String>,
}

impl Default for OscalSettings {
    fn default() -> Self {
        let one = |control: &str| vec![control.to_owned()];
        Self {
            import_ap: "#assessment-plan".to_owned(),
            approvals: one("cm-3"),
            segregation: one("ac-5"),
            audit: one("au-10"),
            rollback: one("cp-10"),
            reviews: one("au-6"),
        }
    }
}

/// Where a calendar lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalendarAddress {
    /// A file.
    File(PathBuf),
    /// `http://..` or `https://..`, without user, password, query or fragment.
    Url(String),
}

/// How to read one calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarSettings {
    /// Its name in messages.
    pub name: BackendName,
    /// Where it lies.
    pub address: CalendarAddress,
}

/// How a notice is written for a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Format {
    /// A CloudEvent whole in the body.
    #[default]
    Structured,
    /// A CloudEvent whose attributes are heads.
    Binary,
    /// A JSON object with one member that holds a line of text, for chats.
    Text {
        /// The member's name.
        member: String,
    },
    /// Annotations of a Grafana: deployments as marks, rollouts as regions.
    Grafana,
    /// Log records with an event's name, by OTLP over HTTP in JSON.
    Otlp,
    /// Gauges of a Prometheus Pushgateway, a group for each service and environment.
    Pushgateway,
}

/// Where a webhook listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookAddress {
    /// An address without query.
    Plain(String),
    /// An address that is a secret itself.
    Secret(SecretRef),
}

/// How to tell one webhook what happened.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Its name.
    pub name: BackendName,
    /// Where it listens.
    pub address: WebhookAddress,
    /// What it wants to be told.
    pub wants: Wants,
    /// How that is written.
    pub format: Format,
    /// The secret that notices are signed with.
    pub secret: Option<SecretRef>,
    /// A bearer token.
    pub token: Option<SecretRef>,
    /// Certificates that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Plain text over a network was allowed.
    pub insecure: bool,
    /// The longest wait for an answer.
    pub deadline: Duration,
}

/// How to talk to one desk.
#[derive(Debug, Clone)]
pub struct DeskSettings {
    /// Its name.
    pub name: BackendName,
    /// Where it listens.
    pub url: String,
    /// What it is told: the environments whose changes it keeps.
    pub wants: Wants,
    /// From when on it has a change for a plan.
    pub opens: Opens,
    /// Fields that are written into every change.
    pub fields: BTreeMap<String, String>,
    /// The template of standard changes.
    pub template: Option<String>,
    /// A bearer token.
    pub token: Option<SecretRef>,
    /// A user for Basic authentication.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<SecretRef>,
    /// Certificates that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The longest wait for a whole answer.
    pub deadline: Duration,
}

/// The whole configuration after all layers.
#[derive(Debug, Clone)]
pub struct Config {
    /// The nouns.
    pub catalog: Arc<Catalog>,
    /// How to talk to each backend.
    pub backends: Vec<BackendSettings>,
    /// How to read each calendar of windows and freezes.
    pub calendars: Vec<CalendarSettings>,
    /// Who is told what happened.
    pub webhooks: Vec<WebhookSettings>,
    /// Where changes have a number.
    pub desks: Vec<DeskSettings>,
    /// The store.
    pub store: StoreSettings,
    /// What an open room tells of itself, and where.
    pub health: HealthSettings,
    /// Second places.
    pub ledger: LedgerSettings,
    /// What an assessment in OSCAL names.
    pub oscal: OscalSettings,
    /// How canaries are judged.
    pub judge: JudgeRules,
    /// The files that were read, lowest layer first.
    pub files: Vec<PathBuf>,
}
