//! Shifts through the binary at the routers behind HTTP, and one service that stands behind two routers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use gonogo::config::settings::Address;
use serde_json::Value;

use super::place::{Pair, Place, texts};
use super::shape;
use crate::servers::between::{Between, Pass};
use crate::servers::haproxy::request;
use crate::servers::router::Router;
use crate::servers::runtime_proxy::{Proxy, Treat};
use crate::servers::support::wait_for;
use crate::servers::{caddy, envoy, traefik};

/// A configuration with these routers, each a `[[backend]]` table without its name, and their entries in the order of the traffic.
fn configuration(pair: &Pair, routers: &[(&str, &str, &str)], environment: &str) -> String {
    let tables: Vec<String> = routers
        .iter()
        .map(|(name, address, _)| {
            format!("[[backend]]\nname = \"{name}\"\n{address}\nevery = \"200ms\"\nstale_after = \"20s\"\nlookup_within = \"1s\"\n")
        })
        .collect();
    let entries: Vec<String> = routers
        .iter()
        .map(|(name, _, pool)| format!("{{ backend = \"{name}\", pool = \"{pool}\", stable = [\"v1\"], canary = [\"v2\"] }}"))
        .collect();
    format!(
        "[[backend]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"{}\"\nevery = \"1s\"\nstale_after = \"20s\"\n{}\
         [[environment]]\nname = \"prod\"\n{environment}\n[[service]]\nname = \"checkout\"\n[service.deploy.prod]\nstrategy = \"canary\"\nsteps = [20, 50, 100]\n\
         traffic = [{}]\nversion = {{ backend = \"prom\", query = 'app_info{{service=\"$service\",slot=\"$slot\"}}', label = \"version\", digest = \"digest\" }}\n",
        pair.prometheus.url(),
        tables.concat(),
        entries.join(", ")
    )
}

const QUICK: &str = "hold_time = \"1s\"\neffective_within = \"20s\"";

/// Requests until it is dropped.
struct Load {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    fn on(port: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                let _ = request(port, "checkout");
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn at_envoy(url: &str) -> String {
    format!("kind = \"envoy\"\nurl = \"{url}\"")
}

/// The runtime values of an Envoy, asked of Envoy itself.
fn runtime(router: &Router) -> [Option<String>; 2] {
    let answer = crate::servers::support::get(router.api, "/runtime").unwrap();
    ["v1", "v2"].map(|name| {
        let (_, entry) = answer.split_once(&format!("\"routing.checkout.{name}\""))?;
        let (_, value) = entry.split_once("\"final_value\": \"")?;
        value.split_once('"').map(|(value, _)| value.to_owned())
    })
}

#[test]
fn a_shift_at_an_envoy_is_effective_when_its_counters_say_so_and_slips_when_it_restarts() {
    let (pair, mut router) = (Pair::shared(), envoy::start());
    let load = Load::on(router.port);
    let place = Place::with(&configuration(
        &pair,
        &[("mesh", &at_envoy(&router.url()), envoy::POOL)],
        "hold_time = \"1m\"\neffective_within = \"20s\"",
    ));
    let said = place.run(&["shift", "checkout@prod", "20", "--wait", "effective", "--json"]).exits(0);
    let deed = said.json();
    shape::deed(&deed);
    assert_eq!((&deed["state"], &deed["steps"][0]["backend"]), (&"effective".into(), &"mesh".into()), "{deed}");
    assert_eq!(runtime(&router), [Some("80".to_owned()), Some("20".to_owned())]);
    let plan = place.json(0, &["plan", "shift", "checkout@prod", "50"]);
    assert!(plan["commands"][0].as_str().unwrap().starts_with("curl -fsS -X POST 'http://"), "{plan}");
    let said = place.run(&["show", "rollout", "checkout@prod", "--settle", "3s", "--json"]).exits(0).out;
    assert!(said.contains("measured"), "{said}");
    let doctor = place.run(&["doctor"]).exits(0).out;
    assert!(doctor.contains("Envoy 1.40.0, up since"), "{doctor}");
    // Its runtime values are gone with the process, and the watch of the deed says so.
    drop(load);
    let watching = place.start(&["shift", "checkout@prod", "50", "--wait", "held", "--json"]);
    wait_for("the second shift", Duration::from_secs(30), || (runtime(&router)[1].as_deref() == Some("50")).then_some(()));
    wait_for("it to be effective", Duration::from_secs(30), || (place.newest().as_deref() == Some("effective")).then_some(()));
    router.restart();
    let said = watching.end();
    let deed = said.json();
    assert_eq!((said.code, &deed["state"]), (Some(1), &"slipped".into()), "{deed}");
}

#[test]
fn a_shift_at_a_caddy_is_effective_by_configuration_and_says_so() {
    let (pair, router) = (Pair::shared(), caddy::start());
    let _load = Load::on(router.port);
    let place =
        Place::with(&configuration(&pair, &[("web", &format!("kind = \"caddy\"\nurl = \"{}\"", router.url()), caddy::POOL)], QUICK));
    let plan = place.run(&["plan", "shift", "checkout@prod", "20"]).exits(0).out;
    assert!(plan.contains("all weights change at once") && plan.contains("Caddy reloads"), "what it costs is said: {plan}");
    let deed = place.json(0, &["shift", "checkout@prod", "20"]);
    shape::deed(&deed);
    assert_eq!(deed["state"], "effective");
    assert_eq!(caddy::weights(&router), "[80,20]");
    let status = place.json(0, &["status", "--settle", "3s"]);
    let rollout = &status["rollouts"][0];
    assert_eq!((&rollout["weight_wished"], &rollout["weight_measured"], &rollout["requests"]), (&20.0.into(), &Value::Null, &Value::Null));
    let doctor = place.run(&["doctor"]).exits(0).out;
    assert!(doctor.contains("Caddy of unknown version, up since"), "{doctor}");
}

#[test]
fn a_shift_at_a_traefik_is_measured_and_the_way_back_leads_to_the_same_file() {
    let (pair, router) = (Pair::shared(), traefik::start());
    let _load = Load::on(router.port);
    let file = traefik::file(&router);
    let before = std::fs::read_to_string(&file).unwrap();
    let backend = format!("kind = \"traefik\"\nurl = \"{}\"\nfile = \"{}\"", router.url(), file.display());
    let place = Place::with(&configuration(&pair, &[("web", &backend, traefik::POOL)], QUICK));
    let deed = place.json(0, &["shift", "checkout@prod", "20"]);
    assert_eq!(deed["state"], "effective", "{deed}");
    assert!(traefik::shown(&router).contains("\"name\":\"v2\",\"weight\":20"));
    let deed = place.json(0, &["abort", "checkout@prod", "--yes"]);
    assert_eq!(deed["state"], "effective", "{deed}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before, "byte for byte");
}

/// A HAProxy at the edge whose writes go through `treat`, and an Envoy inside behind `decide`.
struct Two {
    pair: Arc<Pair>,
    pool: String,
    envoy: Arc<Mutex<Router>>,
    place: Place,
}

impl Two {
    fn start(
        treat: impl Fn(&str, &Arc<Mutex<Router>>) -> Treat + Send + Sync + 'static,
        decide: impl Fn(&str) -> Pass + Send + Sync + 'static,
    ) -> Self {
        let (pair, pool) = (Pair::shared(), Pair::pool());
        let envoy = envoy::start();
        let between = Between::start(envoy.api, decide);
        let envoy = Arc::new(Mutex::new(envoy));
        let seen = Arc::clone(&envoy);
        let proxy = Proxy::start(pair.haproxy.admin_port, move |line| treat(line, &seen));
        let Address::Tcp(edge) = proxy.address() else { panic!("no TCP address") };
        let edge = format!("kind = \"haproxy\"\nsocket = \"tcp://{edge}\"\ndeadline = \"5s\"");
        let inside = format!("{}\ndeadline = \"2s\"", at_envoy(&between.url()));
        let place = Place::with(&configuration(&pair, &[("edge", &edge, &pool), ("inside", &inside, envoy::POOL)], QUICK));
        Self { pair, pool, envoy, place }
    }
}

#[test]
fn a_service_behind_two_routers_is_shifted_at_both_in_the_stated_order() {
    let two = Two::start(|_, _| Treat::Forward, |_| Pass::On);
    let deed = two.place.json(0, &["shift", "checkout@prod", "20"]);
    shape::deed(&deed);
    assert_eq!(texts(&deed["steps"], "backend"), ["edge", "inside"]);
    assert_eq!(texts(&deed["steps"], "state"), ["effective", "effective"], "{deed}");
    assert_eq!(two.pair.weight(&two.pool), 20);
    assert_eq!(runtime(&two.envoy.lock().unwrap()), [Some("80".to_owned()), Some("20".to_owned())]);
}

#[test]
fn a_second_router_that_refuses_is_answered_by_taking_the_first_back() {
    let two = Two::start(
        |_, _| Treat::Forward,
        |request| {
            if request.starts_with("POST ") {
                return Pass::Say(crate::servers::fault::answer("403 Forbidden", "", "not today"));
            }
            Pass::On
        },
    );
    let plan = two.place.run(&["plan", "shift", "checkout@prod", "20"]).exits(0).out;
    assert!(plan.contains("if inside refuses, edge goes back to v1 100, v2 0 by itself"), "{plan}");
    let said = two.place.run(&["shift", "checkout@prod", "20", "--json"]).exits(1);
    let deed = said.json();
    shape::deed(&deed);
    assert_eq!(deed["state"], "failed");
    assert_eq!(texts(&deed["steps"], "backend"), ["edge", "inside", "edge"]);
    assert_eq!(texts(&deed["steps"], "state"), ["effective", "failed", "effective"], "{deed}");
    assert!(deed["steps"][1]["error"].as_str().unwrap().contains("not today"), "{deed}");
    assert!(said.err.contains("taken back: edge at v1 100, v2 0 again, inside not moved"), "{}", said.err);
    assert_eq!(two.pair.weight(&two.pool), 0, "moved at both or at none");
    assert_eq!(runtime(&two.envoy.lock().unwrap()), [None, None]);
    // Each effect on record with a key of its own, before it was sent.
    let entries = two.place.json(0, &["ledger", "list"]);
    let kinds: Vec<_> = entries["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["verb"] == "shift")
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    let moved = ["intent", "sending", "accepted", "effective"];
    assert_eq!(kinds, [&moved[..], &["sending", "failed"], &moved[1..], &["failed"]].concat());
    assert_eq!(two.place.json(0, &["ledger", "verify"])["intact"], true);
}

#[test]
fn a_second_router_that_dies_between_is_answered_by_taking_the_first_back() {
    let dies = AtomicBool::new(true);
    let two = Two::start(
        move |line, envoy| {
            if line.contains("v1 weight 80") && dies.swap(false, Ordering::Relaxed) {
                envoy.lock().unwrap().kill();
            }
            Treat::Forward
        },
        |_| Pass::On,
    );
    let said = two.place.run(&["shift", "checkout@prod", "20", "--json"]).exits(6);
    let deed = said.json();
    assert_eq!(texts(&deed["steps"], "state"), ["effective", "failed", "effective"], "{deed}");
    assert_eq!(two.pair.weight(&two.pool), 0, "moved at both or at none");
    // Once it answers the same is ordered anew and arrives at both.
    two.envoy.lock().unwrap().restart();
    let deed = two.place.json(0, &["shift", "checkout@prod", "20"]);
    assert_eq!((&deed["state"], two.pair.weight(&two.pool)), (&"effective".into(), 20), "{deed}");
}

#[test]
fn p14_a_second_router_that_is_dead_does_not_hold_the_way_back_of_the_first_and_stays_open() {
    let two = Two::start(|_, _| Treat::Forward, |_| Pass::On);
    assert_eq!(two.place.json(0, &["shift", "checkout@prod", "20"])["state"], "effective");
    two.envoy.lock().unwrap().kill();
    let plan = two.place.json(0, &["plan", "abort", "checkout@prod"]);
    assert_eq!((&plan["verdict"], &plan["order"]["left"][0]["backend"]), (&"permit".into(), &"inside".into()), "{plan}");
    assert_eq!((plan["order"]["left"][0]["seen"]["v2"].as_u64(), &plan["order"]["ends"]), (Some(20), &Value::Null), "{plan}");
    let said = two.place.run(&["abort", "checkout@prod", "--json"]).exits(6);
    let deed = said.json();
    assert_eq!(deed["state"], "effective", "{deed}");
    assert_eq!(texts(&deed["steps"], "backend"), ["edge"]);
    assert_eq!((&deed["not_reached"][0]["backend"], two.pair.weight(&two.pool)), (&"inside".into(), 0), "{deed}");
    assert!(said.err.contains("NOT REACHED: inside stands at v1 80, v2 20 as last seen"), "{}", said.err);
    assert!(said.err.contains("gonogo abort checkout@prod when it answers sends the rest"), "{}", said.err);
    // When it answers, the same word sends the rest, and only then is it over.
    two.envoy.lock().unwrap().restart();
    crate::servers::envoy::set(&two.envoy.lock().unwrap(), "routing.checkout.v1", "80");
    crate::servers::envoy::set(&two.envoy.lock().unwrap(), "routing.checkout.v2", "20");
    let deed = two.place.json(0, &["abort", "checkout@prod"]);
    assert_eq!(texts(&deed["steps"], "backend"), ["edge", "inside"], "{deed}");
    assert_eq!(runtime(&two.envoy.lock().unwrap()), [Some("100".to_owned()), Some("0".to_owned())]);
    two.place.run(&["abort", "checkout@prod"]).exits(3);
}

#[test]
fn p14_a_router_that_dies_on_the_way_back_does_not_hold_the_next_one() {
    let refuses = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&refuses);
    let two = Two::start(
        move |line, _| if line.contains("set ") && seen.load(Ordering::Relaxed) { Treat::Reset } else { Treat::Forward },
        |_| Pass::On,
    );
    assert_eq!(two.place.json(0, &["shift", "checkout@prod", "20"])["state"], "effective");
    refuses.store(true, Ordering::Relaxed);
    let said = two.place.run(&["abort", "checkout@prod", "--json"]);
    let deed = said.json();
    assert!(matches!(said.code, Some(1 | 6 | 7)), "{deed}");
    assert_eq!(texts(&deed["steps"], "state")[1], "effective", "{deed}");
    assert_eq!((two.pair.weight(&two.pool), runtime(&two.envoy.lock().unwrap())), (20, [Some("100".to_owned()), Some("0".to_owned())]));
    refuses.store(false, Ordering::Relaxed);
    let deed = two.place.json(0, &["abort", "checkout@prod"]);
    assert_eq!((&deed["state"], two.pair.weight(&two.pool)), (&"effective".into(), 0), "{deed}");
}
