//! Where `gonogo init` looks: the usual places of each product, those that variables name, and those that the operator names.

use std::path::PathBuf;

use crate::config::address;
use crate::config::surroundings::Surroundings;
use crate::model::catalog::BackendKind;

/// Each product and where it listens when nobody said otherwise.
const USUAL: &[(BackendKind, &str)] = &[
    (BackendKind::Prometheus, "http://127.0.0.1:9090"),
    (BackendKind::Alertmanager, "http://127.0.0.1:9093"),
    (BackendKind::Haproxy, "/run/haproxy/admin.sock"),
    (BackendKind::Haproxy, "/run/haproxy.sock"),
    (BackendKind::Haproxy, "/var/lib/haproxy/stats"),
    (BackendKind::Envoy, "http://127.0.0.1:9901"),
    (BackendKind::Traefik, "http://127.0.0.1:8080"),
    (BackendKind::Caddy, "http://127.0.0.1:2019"),
    (BackendKind::Buildbot, "http://127.0.0.1:8010"),
    (BackendKind::Unleash, "http://127.0.0.1:4242"),
    (BackendKind::Flagd, "http://127.0.0.1:8016"),
];

/// Variables that name an address, which is no secret; one that holds a password is not taken.
const ADDRESSES: &[(BackendKind, &str)] = &[
    (BackendKind::Prometheus, "PROMETHEUS_URL"),
    (BackendKind::Alertmanager, "ALERTMANAGER_URL"),
    (BackendKind::Buildbot, "BUILDBOT_URL"),
    (BackendKind::Unleash, "UNLEASH_URL"),
];

/// Variables of which only the name is of interest.
const NAMES: &[&str] =
    &["KUBECONFIG", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "UNLEASH_TOKEN", "UNLEASH_API_TOKEN", "PROMETHEUS_TOKEN", "GRAFANA_TOKEN"];

/// Where HAProxy's own configuration lies.
const HAPROXY: &str = "/etc/haproxy/haproxy.cfg";

/// An address to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// For what.
    pub kind: BackendKind,
    /// Where.
    pub place: String,
    /// Why there.
    pub from: String,
}

/// Everything that is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// Addresses that are asked.
    pub asked: Vec<Asked>,
    /// Addresses that are not asked, and why not.
    pub refused: Vec<(String, String)>,
    /// Configurations of HAProxy that name its sockets.
    pub haproxy_files: Vec<PathBuf>,
    /// Kubeconfigs.
    pub kubeconfigs: Vec<PathBuf>,
    /// Whether the cluster of the current context is asked.
    pub asks_cluster: bool,
    /// The directory whose repository is looked at.
    pub folder: PathBuf,
    /// Command lines of forges and the file in which each keeps its logins.
    pub logins: Vec<(&'static str, PathBuf)>,
    /// The directories in which programs lie.
    pub programs: Vec<PathBuf>,
    /// Variables of known tools that are set.
    pub variables: Vec<String>,
}

impl Places {
    /// The places for these surroundings; `named` stands in place of the usual ones of its kind, and `only`: of all kinds.
    pub fn of(around: &Surroundings, named: &[(BackendKind, String)], only: bool) -> Self {
        let mut places = Self { folder: around.working_dir.clone(), asks_cluster: !only, ..Self::default() };
        for (kind, place) in named {
            places.ask(*kind, place, "named by --at");
        }
        let is_named = |kind: BackendKind| named.iter().any(|(named, _)| *named == kind);
        for (kind, variable) in ADDRESSES.iter().filter(|(kind, _)| !only && !is_named(*kind)) {
            let Some(value) = around.variable(variable) else { continue };
            places.variables.push((*variable).to_owned());
            // Nothing of a value that was refused is repeated: it may hold a password.
            match address::url(value) {
                Ok(url) if url.encrypted || url.loopback => places.ask(*kind, &url.text, &format!("from the variable {variable}")),
                Ok(_) => places.refuse(variable, "plain http to a host that is not this one: write it yourself, with `insecure = true`"),
                Err(_) => places.refuse(variable, "its value is no http or https address without user, password and query"),
            }
        }
        let by_variable = |kind: BackendKind| places.asked.iter().any(|asked| asked.kind == kind);
        let usual: Vec<_> = USUAL.iter().filter(|(kind, _)| !only && !is_named(*kind) && !by_variable(*kind)).collect();
        for (kind, place) in usual {
            places.ask(*kind, place, "its usual place");
        }
        if !only && !is_named(BackendKind::Haproxy) {
            places.haproxy_files.push(PathBuf::from(HAPROXY));
        }
        places.variables.extend(NAMES.iter().filter(|name| around.variable(name).is_some()).map(|name| (*name).to_owned()));
        let home = around.variable("HOME").map(PathBuf::from);
        places.kubeconfigs = match around.variable("KUBECONFIG") {
            Some(list) => std::env::split_paths(list).filter(|file| !file.as_os_str().is_empty()).collect(),
            None => home.iter().map(|home| home.join(".kube/config")).collect(),
        };
        if let Some(base) = around.config_dir.parent() {
            let gh = around.variable("GH_CONFIG_DIR").map_or_else(|| base.join("gh"), PathBuf::from);
            let glab = around.variable("GLAB_CONFIG_DIR").map_or_else(|| base.join("glab-cli"), PathBuf::from);
            places.logins = vec![("gh", gh.join("hosts.yml")), ("glab", glab.join("config.yml"))];
        }
        places.programs = around.variable("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
        places
    }

    fn ask(&mut self, kind: BackendKind, place: &str, from: &str) {
        if !self.asked.iter().any(|asked| asked.kind == kind && asked.place == place) {
            self.asked.push(Asked { kind, place: place.to_owned(), from: from.to_owned() });
        }
    }

    fn refuse(&mut self, variable: &str, why: &str) {
        self.refused.push((variable.to_owned(), why.to_owned()));
    }
}

/// Reads `KIND=ADDRESS` as it is typed.
///
/// # Errors
/// What is wrong with it, in words; an address is not repeated, for it may hold a password.
pub fn named(text: &str) -> Result<(BackendKind, String), String> {
    let kinds: Vec<BackendKind> = BackendKind::ALL.into_iter().filter(|kind| USUAL.iter().any(|(usual, _)| usual == kind)).collect();
    let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    let (word, place) = text.split_once('=').ok_or_else(|| format!("expected KIND=ADDRESS, with KIND one of {}", words.join(", ")))?;
    let kind = kinds.into_iter().find(|kind| kind.word() == word);
    let kind = kind.ok_or_else(|| format!("no kind that can be looked for is called `{word}`; expected one of {}", words.join(", ")))?;
    if kind == BackendKind::Haproxy {
        let right = place.starts_with('/') || place.strip_prefix("tcp://").is_some_and(|host| address::tcp(host) == Some(true));
        return if right {
            Ok((kind, place.to_owned()))
        } else {
            Err("expected an absolute path, or tcp://HOST:PORT of this machine".to_owned())
        };
    }
    match address::url(place) {
        Ok(url) if url.encrypted || url.loopback => Ok((kind, url.text)),
        Ok(_) => Err("plain http to a host that is not this one; write it yourself, with `insecure = true`".to_owned()),
        Err(_) => Err("expected http:// or https://, a host and a port, without user, password and query".to_owned()),
    }
}
