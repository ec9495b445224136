//! The file that `gonogo init` writes: what was found, from where, what was not, and what of it is live.

use super::found::{Context, Found, Login, Seen};
use super::quoted::{GITHUB, quoted};
use super::services::{self, Draft, free};
use crate::model::catalog::BackendKind;
use crate::model::text::Text;

/// Variables that hold a token, in the order in which they are taken.
const GITHUB_TOKENS: [&str; 2] = ["GITHUB_TOKEN", "GH_TOKEN"];
const UNLEASH_TOKENS: [&str; 2] = ["UNLEASH_TOKEN", "UNLEASH_API_TOKEN"];
/// Names in one line of a comment.
const MOST_NAMES: usize = 12;

/// The file, and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its text.
    pub text: String,
    /// The names of backends that are live.
    pub backends: Vec<String>,
    /// The names of services that are live.
    pub services: Vec<String>,
    /// How many backends and services stand in comments.
    pub suggested: usize,
    /// One line for each thing that was found: what, where, and what became of it.
    pub told: Vec<Told>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it is.
    pub what: String,
    /// Where it is.
    pub place: String,
    /// Why it was looked for there, and what it said.
    pub from: String,
    /// Why it is not live in the file; none: it is, or it is nothing that could be.
    pub not_live: Option<String>,
}

/// A backend as it is written.
struct Backend {
    name: String,
    kind: BackendKind,
    says: String,
    lines: Vec<String>,
    why_not: Option<String>,
}

/// Text from outside within a comment: one line, nothing hidden.
fn plain(text: &str) -> String {
    Text::clean_within(text, 200).to_string()
}

/// Makes the file.
pub fn written(found: &Found) -> Written {
    let mut names: Vec<String> = Vec::new();
    let mut backends: Vec<(Backend, Option<&Seen>)> = Vec::new();
    for seen in &found.backends {
        let name = free(usual_name(seen.kind), &names);
        names.push(name.clone());
        backends.push((of_seen(name, seen, found), Some(seen)));
    }
    let mut current = None;
    // A context may have any name, and the configuration names none by a blank one.
    let contexts: Vec<&Context> = found.contexts.iter().filter(|context| !context.name.trim().is_empty()).collect();
    for context in &contexts {
        let name = free("k8s", &names);
        names.push(name.clone());
        let backend = of_context(name, context);
        if backend.why_not.is_none() {
            current = Some(backend.name.clone());
        }
        backends.push((backend, None));
    }
    if found.remotes.iter().any(|remote| remote.host == GITHUB) {
        backends.push((github(free("github", &names), found), None));
    }
    let live: Vec<(&str, &Seen)> = backends
        .iter()
        .filter(|(backend, _)| backend.why_not.is_none())
        .filter_map(|(backend, seen)| Some((backend.name.as_str(), (*seen)?)))
        .collect();
    let drafts = services::drafts(found, &live, current.as_deref());
    let mut text = head(found);
    for (backend, _) in &backends {
        push_backend(&mut text, backend);
    }
    text.push_str(ENVIRONMENT);
    let measured = live.iter().find(|(_, seen)| seen.kind == BackendKind::Prometheus).map(|(name, _)| *name);
    push_services(&mut text, &drafts, measured);
    let is_live = |draft: &&Draft| draft.why_not.is_none();
    let suggested =
        backends.iter().filter(|(backend, _)| backend.why_not.is_some()).count() + drafts.iter().filter(|draft| !is_live(draft)).count();
    Written {
        text,
        backends: backends.iter().filter(|(backend, _)| backend.why_not.is_none()).map(|(backend, _)| backend.name.clone()).collect(),
        services: drafts.iter().filter(is_live).map(|draft| draft.name.clone()).collect(),
        suggested,
        told: told(found, &contexts, &backends),
    }
}

fn usual_name(kind: BackendKind) -> &'static str {
    match kind {
        BackendKind::Prometheus => "prom",
        BackendKind::Alertmanager => "alerts",
        BackendKind::Haproxy => "edge",
        BackendKind::Buildbot => "ci",
        BackendKind::Kubernetes => "k8s",
        BackendKind::Envoy
        | BackendKind::Traefik
        | BackendKind::Caddy
        | BackendKind::GatewayApi
        | BackendKind::Istio
        | BackendKind::Github
        | BackendKind::Unleash
        | BackendKind::Flagd => kind.word(),
    }
}

fn of_seen(name: String, seen: &Seen, found: &Found) -> Backend {
    let key = if seen.kind == BackendKind::Haproxy { "socket" } else { "url" };
    let mut lines = vec![format!("{key} = {}", quoted(&seen.place))];
    let needed = match seen.kind {
        BackendKind::Traefik => {
            lines.push(
                "file = \"/etc/traefik/dynamic/shop.yml\"   # the file of its file provider that holds the weighted services".to_owned(),
            );
            Some("the file that it reads weights from cannot be seen from outside: write it into `file`".to_owned())
        }
        BackendKind::Flagd => {
            lines.push("file = \"/etc/flagd/flags.json\"           # the flag file that it watches".to_owned());
            Some("the file that it reads flags from cannot be seen from outside: write it into `file`".to_owned())
        }
        BackendKind::Unleash => {
            let variable = found.variable(&UNLEASH_TOKENS);
            lines.push(format!("token = {{ env = \"{}\" }}", variable.unwrap_or("UNLEASH_TOKEN")));
            variable.is_none().then(|| "it answers nothing without a token: set UNLEASH_TOKEN".to_owned())
        }
        BackendKind::Prometheus
        | BackendKind::Alertmanager
        | BackendKind::Haproxy
        | BackendKind::Envoy
        | BackendKind::Caddy
        | BackendKind::GatewayApi
        | BackendKind::Istio
        | BackendKind::Kubernetes
        | BackendKind::Buildbot
        | BackendKind::Github => None,
    };
    let why_not = seen.trouble.clone().or(needed);
    Backend { name, kind: seen.kind, says: format!("{}, {}.", seen.says, seen.from), lines, why_not }
}

fn of_context(name: String, context: &Context) -> Backend {
    let which = if context.current { "the current context" } else { "a context" };
    let lines = vec![format!("context = {}", quoted(&context.name))];
    let (says, why_not) = match &context.cluster {
        Some(Ok(cluster)) => (format!("Kubernetes {}, ", cluster.version), None),
        Some(Err(why)) => (String::new(), Some(format!("its cluster did not answer: {why}"))),
        None => (String::new(), Some("its cluster was not asked".to_owned())),
    };
    Backend { name, kind: BackendKind::Kubernetes, says: format!("{says}{which} of {}.", context.file), lines, why_not }
}

fn github(name: String, found: &Found) -> Backend {
    let variable = found.variable(&GITHUB_TOKENS);
    let login = found.logins.iter().find(|login| login.tool == "gh" && login.host == GITHUB && login.runs);
    let (token, why_not) = match (variable, login) {
        (Some(variable), _) => (format!("{{ env = \"{variable}\" }}"), None),
        (None, Some(_)) => ("{ command = [\"gh\", \"auth\", \"token\"] }".to_owned(), None),
        (None, None) => {
            let why = "no token was found: set GITHUB_TOKEN, or log in with `gh auth login`";
            ("{ env = \"GITHUB_TOKEN\" }".to_owned(), Some(why.to_owned()))
        }
    };
    let remote = found.remotes.iter().find(|remote| remote.host == GITHUB);
    let of = remote.map(|remote| format!("the remote {} is {}", remote.remote, remote.name)).unwrap_or_default();
    Backend { name, kind: BackendKind::Github, says: format!("GitHub: {of}."), lines: vec![format!("token = {token}")], why_not }
}

fn head(found: &Found) -> String {
    let mut text = String::from(
        "# gonogo.toml, written by `gonogo init` from what it found. Read it: nobody else knows your estate.\n\
         # What stands in comments is a suggestion, with why it is no more than that. All keys: `gonogo config example`.\n#\n",
    );
    if !found.missing.is_empty() {
        text.push_str("# Looked for and not found:\n");
        for missing in &found.missing {
            text.push_str(&format!("#   {} at {}: {}\n", plain(&missing.what), plain(&missing.place), plain(&missing.why)));
        }
        text.push_str("#\n");
    }
    let forges: Vec<String> = found.remotes.iter().filter(|remote| remote.host != GITHUB).map(|remote| remote.host.clone()).collect();
    if let Some(host) = forges.first() {
        text.push_str(&format!("# The repository has a remote at {}, a forge that gonogo has no adapter for.\n#\n", plain(host)));
    }
    let room = found.remotes.first().and_then(|remote| remote.name.rsplit('/').next()).filter(|name| !name.is_empty());
    let room = room.unwrap_or(if found.folder.trim().is_empty() { "gonogo" } else { &found.folder });
    text.push_str(&format!(
        "[room]\nname = {}    # stands on line 1\n# read_only = true    # nothing can be changed with this file until the line goes\n",
        quoted(&plain(room))
    ));
    text
}

fn push_backend(text: &mut String, backend: &Backend) {
    text.push_str(&format!("\n# {}\n", plain(&backend.says)));
    let dash = match &backend.why_not {
        Some(why) => {
            text.push_str(&format!("# Not live: {}.\n", plain(why)));
            "# "
        }
        None => "",
    };
    text.push_str(&format!("{dash}[[backend]]\n{dash}name = {}\n{dash}kind = \"{}\"\n", quoted(&backend.name), backend.kind.word()));
    for line in &backend.lines {
        text.push_str(&format!("{dash}{line}\n"));
    }
}

const ENVIRONMENT: &str = "
# One environment: how many there are, and how they are called, cannot be seen. Rename it if production has another name.
[[environment]]
name = \"prod\"
hold_time = \"5m\"                      # how long an effect is watched after it took
protection = { typed_confirmation = true }     # a forward deed asks for the target in full
# Once there are two people or more, let one agree to what the other does:
# protection = { approvals = 1, approver_roles = [\"captain\"], typed_confirmation = true, way_back_approvals = 0 }
# [[person]]
# name = \"ana\"
# os_user = \"ana\"
# roles = [{ role = \"captain\" }]
";

fn push_services(text: &mut String, drafts: &[Draft], measured: Option<&str>) {
    let mut suggested_signal = false;
    for draft in drafts.iter().filter(|draft| !draft.deploy.is_empty()) {
        text.push_str(&format!("\n# From {}.\n", plain(&draft.from)));
        let dash = match &draft.why_not {
            Some(why) => {
                text.push_str(&format!("# Not live: {}.\n", plain(why)));
                "# "
            }
            None => "",
        };
        text.push_str(&format!("{dash}[[service]]\n{dash}name = {}\n", quoted(&draft.name)));
        for line in &draft.lines {
            text.push_str(&format!("{dash}{line}\n"));
        }
        text.push_str(&format!("{dash}[service.deploy.prod]\n"));
        for line in &draft.deploy {
            text.push_str(&format!("{dash}{line}\n"));
        }
        if let (Some(prom), false) = (measured, suggested_signal) {
            suggested_signal = true;
            text.push_str(&signal(prom));
        }
    }
    let rest: Vec<&Draft> = drafts.iter().filter(|draft| draft.deploy.is_empty()).collect();
    if let Some(first) = rest.first() {
        text.push_str(&format!("\n# Names that may be services ({}, and the like):\n", plain(&first.from)));
        for draft in rest.iter().take(MOST_NAMES) {
            let why = draft.why_not.as_deref().unwrap_or_default();
            text.push_str(&format!("# [[service]]\n# name = {}    # {}\n", quoted(&draft.name), plain(why)));
        }
        if rest.len() > MOST_NAMES {
            text.push_str(&format!("# and {} more\n", rest.len() - MOST_NAMES));
        }
    }
    if drafts.is_empty() {
        text.push_str(NO_SERVICE);
    }
}

/// What a service is judged by; which of its series that is cannot be seen.
fn signal(prom: &str) -> String {
    format!(
        "# How good a version is, by series that tell the slots apart (their names and labels are a guess):\n\
         # [[service.signal]]\n# name = \"errors\"\n# kind = \"ratio\"\n# backend = {}\n\
         # bad = 'http_requests_total{{service=\"$service\",track=\"$track\",code=~\"5..\"}}'\n\
         # total = 'http_requests_total{{service=\"$service\",track=\"$track\"}}'\n# better = \"lower\"\n# limit = 0.01\n",
        quoted(prom)
    )
}

const NO_SERVICE: &str = "
# No service was seen. One is a name, and for each environment how its versions come there:
# [[service]]
# name = \"checkout\"
# [service.deploy.prod]
# strategy = \"canary\"
# traffic = [{ backend = \"edge\", pool = \"be_checkout\", stable = [\"v1\"], canary = [\"v2\"] }]
";

fn told(found: &Found, contexts: &[&Context], backends: &[(Backend, Option<&Seen>)]) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let clean = |what: &str, place: &str, from: &str, not_live: Option<&str>| Told {
        what: plain(what),
        place: plain(place),
        from: plain(from),
        not_live: not_live.map(plain),
    };
    let seen = |backend: &Backend, seen: &Seen| {
        clean(seen.kind.word(), &seen.place, &format!("{}; {}", seen.says, seen.from), backend.why_not.as_deref())
    };
    told.extend(backends.iter().filter_map(|(backend, of)| Some(seen(backend, (*of)?))));
    for (context, (backend, _)) in contexts.iter().zip(backends.iter().filter(|(backend, _)| backend.kind == BackendKind::Kubernetes)) {
        told.push(clean("kubeconfig context", &context.name, &context.file, backend.why_not.as_deref()));
    }
    let not_live =
        backends.iter().find(|(backend, _)| backend.kind == BackendKind::Github).and_then(|(backend, _)| backend.why_not.as_deref());
    for remote in &found.remotes {
        let none = "gonogo has no adapter for this forge";
        let why = if remote.host == GITHUB { not_live } else { Some(none) };
        told.push(clean("git remote", &remote.name, &format!("{} at {}", remote.remote, remote.host), why));
    }
    for workflow in &found.workflows {
        told.push(clean(
            "workflow",
            workflow,
            "a person may start it",
            Some("which service it is of cannot be seen: `pipeline = { backend = \"github\", workflow = \"..\" }`"),
        ));
    }
    told.extend(found.logins.iter().map(|login| clean(&format!("{} login", login.tool), &login.host, &login.from, login_trouble(login))));
    told.extend(found.variables.iter().map(|name| clean("variable", name, "it is set; only its name is written", None)));
    told
}

fn login_trouble(login: &Login) -> Option<&'static str> {
    (!login.runs).then_some("the program itself is not in PATH")
}
