//! Named testers reach the new version before anybody else, and copies of requests do, through the binary at real routers: who answers is
//! counted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use gonogo::config::settings::Address;
use serde_json::Value;

use super::place::{Place, texts};
use crate::servers::haproxy::{Haproxy, Line, PoolLines};
use crate::servers::named::request_with;
use crate::servers::support::wait_for;
use crate::servers::{envoy, traefik};

const SOON: Duration = Duration::from_secs(40);

/// A router that was prepared for testers, and what its backend and its entry say in the configuration.
struct Front {
    port: u16,
    path: &'static str,
    /// The header line that testers bear.
    bears: &'static str,
    backend: String,
    entry: String,
    testers: &'static str,
}

impl Front {
    fn place(&self, more: &str, steps: &str, hold: &str) -> Place {
        let Self { backend, entry, testers, .. } = self;
        Place::with(&format!(
            "[[backend]]\nname = \"edge\"\n{backend}\nevery = \"200ms\"\nstale_after = \"20s\"\nlookup_within = \"1s\"\n\
             [[environment]]\nname = \"prod\"\nhold_time = \"{hold}\"\neffective_within = \"20s\"\n[[service]]\nname = \"checkout\"\n\
             [service.deploy.prod]\nstrategy = \"canary\"\nsteps = {steps}\n{testers}\n{more}\n\
             traffic = [{{ backend = \"edge\", {entry}, stable = [\"v1\"], canary = [\"v2\"] }}]\n\
             rollout = {{ judged = false, way_back = [], wait = \"1s\", bake = \"1s\", pause_before = [20] }}\n"
        ))
    }

    /// The same with copies at the pool that the router copies with.
    fn copying(self, pool: &str) -> Self {
        Self { entry: format!("{}, mirror = \"{pool}\"", self.entry), ..self }
    }

    /// Who answers so many requests, of testers or of others; one that fails fails the test.
    fn asks(&self, count: u32, testers: bool) -> BTreeMap<String, u32> {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let mut by = BTreeMap::new();
        for _ in 0..count {
            *by.entry(request_with(&address, self.path, if testers { self.bears } else { "" }).unwrap()).or_default() += 1;
        }
        by
    }

    /// All testers are answered by one version, and all others by one.
    fn answers(&self, testers: &str, others: &str) {
        assert_eq!(self.asks(20, true), BTreeMap::from([(testers.to_owned(), 20)]), "testers");
        assert_eq!(self.asks(40, false), BTreeMap::from([(others.to_owned(), 40)]), "others");
    }
}

fn status(place: &Place) -> Value {
    place.json(0, &["rollout", "status", "checkout@prod", "--settle", "2s"])["rollouts"][0].clone()
}

/// Starts a rollout, conducts it, and waits until it stands at its first step.
fn begin(place: &Place) -> super::place::Running {
    place.run(&["rollout", "start", "checkout@prod", "--yes"]).exits(0);
    let watch = place.start(&["rollout", "watch", "checkout@prod", "--json"]);
    wait_for("the first step", SOON, || (status(place)["steps"][0]["state"] == "here").then_some(()));
    watch
}

/// From the first step to the end: testers first, then a share, then everybody; nobody else at 0 %, and nothing fails on the way.
fn first_testers_then_everybody(front: &Front, more: &str) {
    let place = front.place(more, "[0, 20, 100]", "1s");
    front.answers("v1", "v1");
    let plan = place.run(&["rollout", "start", "checkout@prod", "--dry-run"]).exits(0).out;
    assert!(plan.contains("0 % but testers ("), "{plan}");
    let watch = begin(&place);
    front.answers("v2", "v1");
    let seen = wait_for("it to wait for a person", SOON, || Some(status(&place)).filter(|status| status["next"]["kind"] == "person"));
    assert_eq!((&seen["weight_wished"], &seen["steps"][0]["percent"]), (&0.0.into(), &0.into()), "{seen}");
    assert_eq!((&seen["testers"]["to"], &seen["testers"]["slot"]), (&"v2".into(), &"canary".into()), "{seen}");
    place.run(&["promote", "checkout@prod", "--yes"]).exits(0);
    assert_eq!(front.asks(20, true), BTreeMap::from([("v2".to_owned(), 20)]), "testers, whatever the share is");
    assert_eq!(watch.end().exits(0).code, Some(0));
    assert_eq!(status(&place)["last"]["how"], "promoted");
    front.answers("v2", "v2");
    let deeds = place.json(0, &["ledger", "list"]);
    assert_eq!(place.json(0, &["ledger", "verify"])["intact"], true, "{deeds}");
}

/// Taken back at its first step: testers get the old version again.
fn taken_back(front: &Front, more: &str) {
    let place = front.place(more, "[0, 20, 100]", "1s");
    let watch = begin(&place);
    front.answers("v2", "v1");
    let deed = place.json(0, &["abort", "checkout@prod", "--yes"]);
    assert_eq!(deed["state"], "effective", "{deed}");
    front.answers("v1", "v1");
    assert_eq!(watch.end().code, Some(1));
    assert_eq!(status(&place)["last"]["how"], "aborted");
    place.run(&["abort", "checkout@prod"]).exits(3);
}

/// The same with copies; once everybody is at the new version nothing is copied any more.
fn then_nothing_is_copied(router: &crate::servers::router::Router, front: &Front) {
    first_testers_then_everybody(front, "mirror = 50");
    let before = router.backs[0].asked();
    front.answers("v2", "v2");
    assert_eq!(router.backs[0].asked(), before, "no copy goes to the old version either");
}

fn at_envoy() -> (crate::servers::router::Router, Front) {
    let router = envoy::start();
    let front = Front {
        port: router.port,
        path: "checkout",
        bears: "X-Canary: yes\r\n",
        backend: format!("kind = \"envoy\"\nurl = \"{}\"", router.url()),
        entry: format!("pool = \"{}\", testers = \"{}\"", envoy::POOL, envoy::TESTERS),
        testers: "testers = { header = \"x-canary\", value = \"yes\" }",
    };
    (router, front)
}

fn at_haproxy() -> (Haproxy, Front) {
    let pool = |name| PoolLines { name, balance: "roundrobin", servers: vec![Line::new("v1", 100), Line::new("v2", 0)] };
    let rule = "  use_backend be_testers if { path /be_checkout } { req.hdr(x-canary) -m str yes }\n";
    let router = Haproxy::start_with(&[pool("be_checkout"), pool("be_testers")], rule);
    let Address::Unix(socket) = router.unix() else { panic!("no UNIX socket") };
    let front = Front {
        port: router.port,
        path: "be_checkout",
        bears: "X-Canary: yes\r\n",
        backend: format!("kind = \"haproxy\"\nsocket = \"{}\"", socket.display()),
        entry: "pool = \"be_checkout\", testers = \"be_testers\"".to_owned(),
        testers: "testers = { header = \"x-canary\", value = \"yes\" }",
    };
    (router, front)
}

fn at_traefik(file: &'static str) -> (crate::servers::router::Router, Front) {
    let router = traefik::start_copying(file);
    let front = Front {
        port: router.port,
        path: "checkout",
        bears: "Cookie: theme=dark; canary=yes\r\n",
        backend: format!("kind = \"traefik\"\nurl = \"{}\"\nfile = \"{}\"", router.url(), traefik::file(&router).display()),
        entry: format!("pool = \"{}\", testers = \"{}\"", traefik::POOL, traefik::TESTERS),
        testers: "testers = { cookie = \"canary\", value = \"yes\" }",
    };
    (router, front)
}

#[test]
fn at_an_envoy_testers_go_first_and_requests_are_copied_before_the_first_share() {
    let (router, front) = at_envoy();
    let front = front.copying(envoy::MIRROR);
    let place = front.place("mirror = true", "[0, 20, 100]", "1s");
    // What is copied may fail as it likes.
    router.backs[1].fail();
    let watch = begin(&place);
    let before = router.backs[1].asked();
    assert_eq!(front.asks(40, false), BTreeMap::from([("v1".to_owned(), 40)]), "nobody else is answered by the new version");
    wait_for("the copies", SOON, || (router.backs[1].asked() == before + 40).then_some(()));
    let seen = status(&place);
    assert_eq!((&seen["mirror"]["percent"], &seen["mirror"]["to"]), (&100.into(), &"v2".into()), "{seen}");
    place.run(&["abort", "checkout@prod", "--yes"]).exits(0);
    assert_eq!(watch.end().code, Some(1));
    let before = router.backs[1].asked();
    front.answers("v1", "v1");
    assert_eq!(router.backs[1].asked(), before, "nothing is copied any more");
}

#[test]
fn at_an_envoy_first_testers_then_everybody() {
    let (router, front) = at_envoy();
    then_nothing_is_copied(&router, &front.copying(envoy::MIRROR));
}

#[test]
fn at_an_envoy_testers_are_taken_back() {
    let (_router, front) = at_envoy();
    taken_back(&front, "");
}

#[test]
fn another_hand_at_the_testers_route_is_no_success_and_is_not_overwritten() {
    let (router, front) = at_envoy();
    let place = front.place("", "[0, 20, 100]", "1m");
    let watch = begin(&place);
    envoy::set(&router, &format!("{}.v1", envoy::TESTERS), "100");
    let seen = wait_for("it to stop", SOON, || Some(status(&place)).filter(|status| status["next"]["kind"] == "person"));
    assert!(seen.to_string().contains("routing.testers"), "{seen}");
    // Whoever conducts it records that its step slipped.
    wait_for("it to be on record", SOON, || {
        let kinds = texts(&place.json(0, &["ledger", "list"])["entries"], "kind");
        kinds.contains(&"slipped".to_owned()).then_some(())
    });
    let runtime = crate::servers::support::get(router.api, "/runtime").unwrap();
    let value = runtime.split_once("\"routing.testers.v1\"").and_then(|(_, entry)| entry.split_once("\"final_value\": \"")).unwrap().1;
    assert!(value.starts_with("100\""), "{runtime}");
    watch.kill();
}

#[test]
fn a_route_that_others_than_testers_go_is_refused_when_planned() {
    let (_router, front) = at_envoy();
    let front = Front { testers: "testers = { header = \"x-canary\", value = \"certainly\" }", ..front };
    let place = front.place("", "[0, 20, 100]", "1s");
    let said = place.run(&["rollout", "start", "checkout@prod", "--yes"]).exits(3);
    let told = format!("{}{}", said.out, said.err);
    assert!(
        told.contains("edge gives routing.testers requests with header x-canary=yes, and testers are header x-canary=certainly"),
        "{told}"
    );
    // And one through which everybody would go.
    let place =
        Front { entry: format!("pool = \"{}\", testers = \"{}\"", envoy::TESTERS, envoy::POOL), ..front }.place("", "[0, 20, 100]", "1s");
    let said = place.run(&["rollout", "start", "checkout@prod", "--yes"]).exits(3);
    assert!(format!("{}{}", said.out, said.err).contains("every request"), "{}", said.err);
}

#[test]
fn at_a_haproxy_first_testers_then_everybody() {
    let (_router, front) = at_haproxy();
    first_testers_then_everybody(&front, "");
}

#[test]
fn at_a_haproxy_testers_are_taken_back() {
    let (_router, front) = at_haproxy();
    taken_back(&front, "");
}

#[test]
fn at_a_traefik_first_testers_then_everybody() {
    let (router, front) = at_traefik("shop.yml");
    then_nothing_is_copied(&router, &front.copying(traefik::MIRROR));
}

#[test]
fn at_a_traefik_requests_are_copied_before_the_first_share_and_all_is_taken_back() {
    let (router, front) = at_traefik("shop.toml");
    let front = front.copying(traefik::MIRROR);
    let file = std::fs::read_to_string(traefik::file(&router)).unwrap();
    let place = front.place("mirror = true", "[0, 20, 100]", "1s");
    router.backs[1].fail();
    let watch = begin(&place);
    let before = router.backs[1].asked();
    assert_eq!(front.asks(40, false), BTreeMap::from([("v1".to_owned(), 40)]), "nobody else is answered by the new version");
    wait_for("the copies", SOON, || (router.backs[1].asked() == before + 40).then_some(()));
    place.run(&["abort", "checkout@prod", "--yes"]).exits(0);
    assert_eq!(watch.end().code, Some(1));
    assert_eq!(std::fs::read_to_string(traefik::file(&router)).unwrap(), file, "byte for byte");
    let before = router.backs[1].asked();
    front.answers("v1", "v1");
    assert_eq!(router.backs[1].asked(), before, "nothing is copied any more");
}
