//! Which services a newcomer's configuration begins with: what is sure is written live, what may be is written in comments, with why.

use super::found::{Cluster, Context, Deployment, Found, Seen, SeenPool};
use super::quoted::{GITHUB, quoted};
use crate::model::catalog::BackendKind;
use crate::model::name::{BackendName, PoolName, ServerName, ServiceName};

/// The most services that are written; who has more will not take them all from here.
const MOST: usize = 50;
/// The ends and beginnings that a pool's name has beside its service's.
const AFFIXES: (&[&str], &[&str]) = (&["be_", "bk_", "backend_", "be-", "bk-", "backend-"], &["_backend", "-backend", "_be", "-be"]);

/// A service as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) name: String,
    /// Why it stands in comments; none: it is live.
    pub(super) why_not: Option<String>,
    /// From what it was made.
    pub(super) from: String,
    /// The lines of `[[service]]`, after the name.
    pub(super) lines: Vec<String>,
    /// The lines of `[service.deploy.prod]`.
    pub(super) deploy: Vec<String>,
}

/// What a backend is called in the file.
pub(super) type Named<'a> = (&'a str, &'a Seen);

/// Every service that something of what was found speaks for, each name once.
pub(super) fn drafts(found: &Found, live: &[Named<'_>], cluster: Option<&str>) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut add = |draft: Draft| {
        if drafts.len() < MOST && !drafts.iter().any(|known| known.name == draft.name) {
            drafts.push(draft);
        }
    };
    for (router, seen) in live.iter().filter(|(_, seen)| seen.kind == BackendKind::Haproxy) {
        seen.pools.iter().filter_map(|pool| of_pool(router, pool)).for_each(&mut add);
    }
    for (context, seen) in reached(found) {
        if let Some(backend) = cluster.filter(|_| context.current) {
            deployments(backend, seen).for_each(&mut add);
        }
    }
    for (name, seen) in live.iter().filter(|(_, seen)| seen.kind == BackendKind::Buildbot) {
        let only = |builder: &&String| ServiceName::new(builder).is_ok();
        seen.builders.iter().filter(only).map(|builder| of_builder(name, builder)).for_each(&mut add);
    }
    for (_, seen) in live.iter().filter(|(_, seen)| seen.kind == BackendKind::Prometheus) {
        seen.services.iter().filter(|name| ServiceName::new(name).is_ok()).map(|name| of_label(name)).for_each(&mut add);
    }
    for draft in &mut drafts {
        beside(draft, found, live);
    }
    drafts
}

/// The contexts whose cluster answered.
pub(super) fn reached(found: &Found) -> impl Iterator<Item = (&Context, &Cluster)> {
    found.contexts.iter().filter_map(|context| Some((context, context.cluster.as_ref()?.as_ref().ok()?)))
}

/// A pool of two servers is a service with two slots when its weights tell which of them is the stable one.
fn of_pool(router: &str, pool: &SeenPool) -> Option<Draft> {
    let [(first, one), (second, two)] = pool.servers.as_slice() else { return None };
    let takes = |name: &str| ServerName::new(name).is_ok();
    if PoolName::new(&pool.name).is_err() || !takes(first) || !takes(second) {
        return None;
    }
    let name = service_of(&pool.name);
    ServiceName::new(&name).ok()?;
    let (stable, canary) = if one >= two { (first, second) } else { (second, first) };
    let why_not = (one == two).then(|| format!("both servers of the pool have the weight {one}, so they may be two copies of one version"));
    Some(Draft {
        name,
        why_not,
        from: format!("the pool {} of {router}, whose servers {first} and {second} have the weights {one} and {two}", pool.name),
        lines: Vec::new(),
        deploy: vec![
            "strategy = \"canary\"                   # or \"blue-green\"".to_owned(),
            "steps = [5, 20, 50, 100]              # per cent".to_owned(),
            format!(
                "traffic = [{{ backend = {}, pool = {}, stable = [{}], canary = [{}] }}]",
                quoted(router),
                quoted(&pool.name),
                quoted(stable),
                quoted(canary)
            ),
        ],
    })
}

fn service_of(pool: &str) -> String {
    let (before, after) = AFFIXES;
    let name = before.iter().find_map(|start| pool.strip_prefix(start)).unwrap_or(pool);
    let name = after.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    if name.is_empty() { pool.to_owned() } else { name.to_owned() }
}

fn deployments<'a>(backend: &'a str, cluster: &'a Cluster) -> impl Iterator<Item = Draft> + 'a {
    let plain = |text: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && edge(text.chars().next())
            && edge(text.chars().next_back())
    };
    let fits = move |one: &&Deployment| {
        plain(&one.name) && plain(&one.container) && plain(&cluster.namespace) && ServiceName::new(&one.name).is_ok()
    };
    cluster.deployments.iter().filter(fits).map(move |one| {
        let template = template(&one.image);
        let why_not = template.is_none().then(|| format!("its image {} has no version that could be set", one.image)).or_else(|| {
            (one.containers > 1).then(|| format!("it has {} containers, and which of them bears the version is not seen", one.containers))
        });
        let image = template.unwrap_or_else(|| "registry/app:$version".to_owned());
        Draft {
            name: one.name.clone(),
            why_not,
            from: format!("the Deployment {} in the namespace {} of {backend}", one.name, cluster.namespace),
            lines: Vec::new(),
            deploy: vec![
                "strategy = \"rolling\"                  # or \"recreate\"".to_owned(),
                format!(
                    "workload = {{ backend = {}, kind = \"Deployment\", namespace = {}, name = {}, container = {}, image = {} }}",
                    quoted(backend),
                    quoted(&cluster.namespace),
                    quoted(&one.name),
                    quoted(&one.container),
                    quoted(&image)
                ),
            ],
        }
    })
}

/// `registry/app:1.2.3` with a place for the version; none where the image has no tag, or is named by its digest.
fn template(image: &str) -> Option<String> {
    let (name, tag) = image.rsplit_once(':')?;
    let plain = !tag.contains('/') && !image.contains('@') && !image.contains('$') && !image.contains(char::is_whitespace);
    plain.then(|| format!("{name}:$version"))
}

fn of_builder(backend: &str, builder: &str) -> Draft {
    Draft {
        name: builder.to_owned(),
        why_not: Some("a builder of this name is no more than a guess at a service".to_owned()),
        from: format!("the builder {builder} of {backend}"),
        lines: Vec::new(),
        deploy: Vec::new(),
    }
}

fn of_label(name: &str) -> Draft {
    Draft {
        name: name.to_owned(),
        why_not: Some("nothing was found that moves its traffic or deploys it".to_owned()),
        from: "the label `service` of series in Prometheus".to_owned(),
        lines: Vec::new(),
        deploy: Vec::new(),
    }
}

/// What else of what was found bears the service's name.
fn beside(draft: &mut Draft, found: &Found, live: &[Named<'_>]) {
    let of = |kind: BackendKind| live.iter().filter(move |(_, seen)| seen.kind == kind);
    if let Some((alerts, _)) = of(BackendKind::Alertmanager).next() {
        draft.lines.push(format!("alerts = {{ backend = {}, match = {{ service = \"$service\" }} }}", quoted(alerts)));
    }
    let built = of(BackendKind::Buildbot).find(|(_, seen)| seen.builders.contains(&draft.name));
    if let Some((ci, _)) = built {
        draft.lines.push(format!("pipeline = {{ backend = {}, builder = {} }}", quoted(ci), quoted(&draft.name)));
    }
    // A repository of the service's own name is its own; of any other nobody can see which services are built from it.
    let own = found.remotes.iter().find(|remote| remote.host == GITHUB && remote.name.rsplit('/').next() == Some(&draft.name));
    if let Some(remote) = own {
        draft.lines.push(format!("repository = {{ name = {} }}", quoted(&remote.name)));
    }
    let measured = of(BackendKind::Prometheus).find(|(_, seen)| seen.services.contains(&draft.name));
    if let (Some((prom, _)), false) = (measured, draft.deploy.is_empty()) {
        draft.from.push_str(&format!("; {prom} has series of it"));
    }
}

/// A name for a backend that no other has.
pub(super) fn free(wanted: &str, taken: &[String]) -> String {
    let mut name = wanted.to_owned();
    let mut n = 2_u32;
    while taken.contains(&name) || BackendName::new(&name).is_err() {
        name = format!("{wanted}-{n}");
        n = n.saturating_add(1);
    }
    name
}
