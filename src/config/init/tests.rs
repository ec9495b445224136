//! What is written for what was found: live where it is sure, a comment with its reason where it is not.

use super::found::{Cluster, Context, Deployment, Found, Login, Missing, Remote, Seen, SeenPool};
use super::{Written, written};
use crate::config::surroundings::{Flags, Surroundings};
use crate::config::{Loaded, load};
use crate::model::catalog::BackendKind;

fn seen(kind: BackendKind, place: &str) -> Seen {
    Seen::new(kind, place, "its usual place", kind.word().to_owned())
}

fn router(pools: &[(&str, &[(&str, u32)])]) -> Seen {
    let servers = |servers: &[(&str, u32)]| servers.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect();
    let pools = pools.iter().map(|(name, of)| SeenPool { name: (*name).to_owned(), servers: servers(of) });
    Seen { pools: pools.collect(), ..seen(BackendKind::Haproxy, "/run/haproxy/admin.sock") }
}

/// What the file says to the configuration, with its warnings.
fn loaded(written: &Written) -> Loaded {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("gonogo.toml");
    std::fs::write(&file, &written.text).expect("written");
    let flags = Flags { config: Some(file), ..Flags::default() };
    load(&Surroundings::default(), &flags).unwrap_or_else(|problems| panic!("{problems}\n{}", written.text))
}

fn services(written: &Written) -> Vec<String> {
    loaded(written).config.catalog.services.keys().map(ToString::to_string).collect()
}

#[test]
fn of_everything_at_once_the_file_is_right_and_live_is_what_is_sure() {
    let deployment = |name: &str, image: &str, containers| Deployment {
        name: name.to_owned(),
        container: "main".to_owned(),
        image: image.to_owned(),
        containers,
    };
    let cluster = Cluster {
        version: "v1.36".to_owned(),
        namespace: "shop".to_owned(),
        deployments: vec![
            deployment("cart", "registry:5000/cart:1.2.3", 1),
            deployment("pinned", "registry/pinned@sha256:00", 1),
            deployment("sidecars", "registry/sidecars:1", 2),
        ],
    };
    let context = |name: &str, current, cluster| Context { file: "kube.conf".to_owned(), name: name.to_owned(), current, cluster };
    let found = Found {
        folder: "here".to_owned(),
        backends: vec![
            Seen { services: vec!["checkout".to_owned(), "mail".to_owned()], ..seen(BackendKind::Prometheus, "http://127.0.0.1:9090") },
            seen(BackendKind::Prometheus, "http://127.0.0.1:9091"),
            seen(BackendKind::Alertmanager, "http://127.0.0.1:9093"),
            router(&[("be_checkout", &[("v1", 0), ("v2", 100)]), ("web", &[("a", 1), ("b", 1)])]),
            seen(BackendKind::Envoy, "http://127.0.0.1:9901"),
            seen(BackendKind::Traefik, "http://127.0.0.1:8080"),
            seen(BackendKind::Caddy, "http://127.0.0.1:2019"),
            Seen { builders: vec!["checkout".to_owned(), "docs".to_owned()], ..seen(BackendKind::Buildbot, "http://127.0.0.1:8010") },
            seen(BackendKind::Unleash, "http://127.0.0.1:4242"),
            seen(BackendKind::Flagd, "http://127.0.0.1:8016"),
        ],
        contexts: vec![context("prod \"eu\"", true, Some(Ok(cluster))), context("other", false, None)],
        remotes: vec![Remote { remote: "origin".to_owned(), host: "github.com".to_owned(), name: "acme/checkout".to_owned() }],
        workflows: vec!["release.yml".to_owned()],
        logins: vec![Login { tool: "gh".to_owned(), host: "github.com".to_owned(), from: "hosts.yml".to_owned(), runs: true }],
        variables: Vec::new(),
        missing: vec![Missing { what: "x".to_owned(), place: "y\n[[evil]]".to_owned(), why: "z".to_owned() }],
    };
    let written = written(&found);
    let loaded = loaded(&written);
    assert_eq!(loaded.warnings, [], "{:?}", loaded.warnings);
    let catalog = &loaded.config.catalog;
    let live: Vec<String> = catalog.backends.keys().map(ToString::to_string).collect();
    assert_eq!(live, ["alerts", "caddy", "ci", "edge", "envoy", "github", "k8s", "prom", "prom-2"]);
    assert_eq!(services(&written), ["cart", "checkout"]);
    assert_eq!(catalog.room.name, "checkout");
    let deploy = catalog.deploy(&"checkout@prod".parse().expect("a target")).expect("deployed");
    assert_eq!((deploy.traffic[0].first[0].as_str(), deploy.traffic[0].second[0].as_str()), ("v2", "v1"));
    let cart = catalog.deploy(&"cart@prod".parse().expect("a target")).and_then(|deploy| deploy.workload.clone()).expect("a workload");
    assert_eq!(cart.image, "registry:5000/cart:$version");
    let checkout = &catalog.services[&"checkout".parse().expect("a name")];
    assert!(checkout.alerts.is_some() && checkout.pipeline.is_some() && checkout.repository.is_some());
    for words in [
        "cannot be seen from outside: write it into `file`",
        "set UNLEASH_TOKEN",
        "its cluster was not asked",
        "has no version that could be set",
        "which of them bears the version is not seen",
        "{ command = [\"gh\", \"auth\", \"token\"] }",
    ] {
        assert!(written.text.contains(words), "{words}\n{}", written.text);
    }
    assert_eq!(written.services, ["checkout", "cart"]);
    assert!(written.text.lines().all(|line| !line.starts_with("[[evil")));
}

#[test]
fn a_name_that_no_pool_or_server_can_have_is_no_service() {
    let odd = written(&Found {
        backends: vec![router(&[("a b", &[("x", 1), ("y", 0)]), ("pool", &[("x\"", 1), ("y", 0)]), ("be_", &[("x", 1), ("y", 0)])])],
        ..Found::default()
    });
    assert_eq!(services(&odd), ["be_"]);
}

#[test]
fn a_backend_that_cannot_be_used_takes_its_services_with_it() {
    let pools: &[(&str, &[(&str, u32)])] = &[("be_checkout", &[("v1", 100), ("v2", 0)])];
    let forbidden = Seen { trouble: Some("it forbids".to_owned()), ..router(pools) };
    let written = written(&Found { backends: vec![forbidden], ..Found::default() });
    assert_eq!((written.backends.len(), services(&written).len(), written.suggested), (0, 0, 1));
    assert!(written.text.contains("# Not live: it forbids."));
}

#[test]
fn a_token_is_named_and_the_variable_counts_before_the_login() {
    let remote = Remote { remote: "origin".to_owned(), host: "github.com".to_owned(), name: "acme/shop".to_owned() };
    let of = |variables: &[&str], runs| {
        let login = Login { tool: "gh".to_owned(), host: "github.com".to_owned(), from: "hosts.yml".to_owned(), runs };
        let variables = variables.iter().map(|name| (*name).to_owned()).collect();
        written(&Found { remotes: vec![remote.clone()], logins: vec![login], variables, ..Found::default() }).text
    };
    assert!(of(&["GH_TOKEN"], true).contains("\ntoken = { env = \"GH_TOKEN\" }"));
    assert!(of(&[], true).contains("\ntoken = { command = [\"gh\", \"auth\", \"token\"] }"));
    assert!(of(&[], false).contains("\n# token = { env = \"GITHUB_TOKEN\" }"));
}

proptest::proptest! {
    #[test]
    fn whatever_names_are_found_the_file_is_right(pool in ".{0,20}", server in ".{0,12}", context in ".{0,20}", folder in ".{0,20}") {
        let found = Found {
            folder,
            backends: vec![
                router(&[(&pool, &[(&server, 1), ("y", 0)])]),
                Seen { services: vec![pool.clone()], builders: vec![server.clone()], ..seen(BackendKind::Prometheus, "http://127.0.0.1:9090") },
                Seen { builders: vec![pool.clone(), server], ..seen(BackendKind::Buildbot, "http://127.0.0.1:8010") },
            ],
            contexts: vec![Context {
                file: context.clone(),
                name: context.clone(),
                current: true,
                cluster: Some(Ok(Cluster {
                    version: context.clone(),
                    namespace: "shop".to_owned(),
                    deployments: vec![Deployment { name: "cart".to_owned(), container: "main".to_owned(), image: pool.clone(), containers: 1 }],
                })),
            }],
            missing: vec![Missing { what: pool.clone(), place: context, why: pool }],
            ..Found::default()
        };
        let _ = loaded(&written(&found));
    }
}
