//! Who uses whom, seen in the telemetry of a real Prometheus: each kind of it, and links that appear and are not seen any more.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::place::Place;
use super::shape::{keys, time};
use crate::servers::prometheus::{Exporter, Prometheus};
use crate::servers::support::wait_for;

const LONG: Duration = Duration::from_mins(1);

/// A room of web, cart and stock in these environments, each with a discovery of the kind that it is named after.
fn place(prometheus: &Prometheus, kinds: &[&str]) -> Place {
    let mut text = format!("[[backend]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"{}\"\nevery = \"1s\"\n", prometheus.url());
    let mut services = ["web", "cart", "stock"].map(|name| format!("[[service]]\nname = \"{name}\"\nteam = \"shop\"\n"));
    services[0].push_str("depends_on = [\"cart\", \"stock\"]\n");
    for kind in kinds {
        write!(text, "[[environment]]\nname = \"{kind}\"\n").unwrap();
        write!(
            text,
            "[[discovery]]\nname = \"of-{kind}\"\nbackend = \"prom\"\nenvironment = \"{kind}\"\nkind = \"{kind}\"\nwindow = \"10s\"\nevery = \"1s\"\n\
             names = {{ \"web-v1\" = \"web\" }}\n"
        )
        .unwrap();
        if *kind == "envoy" {
            text.push_str("user_label = \"app\"\n");
        }
        for service in &mut services {
            write!(service, "[service.deploy.{kind}]\nstrategy = \"canary\"\n").unwrap();
        }
    }
    Place::with(&(text + &services.concat()))
}

/// The series of a link from web to cart, all requests and failed ones, in each kind of telemetry.
fn series(kind: &str) -> [String; 2] {
    let both = |all: &str, failed: &str| [all.to_owned(), failed.to_owned()];
    match kind {
        "istio" => {
            let with = |code: u16| {
                format!(
                    "istio_requests_total{{reporter=\"source\",source_canonical_service=\"web-v1\",destination_canonical_service=\"cart\",response_code=\"{code}\"}}"
                )
            };
            [with(200), with(503)]
        }
        "linkerd" => {
            let with = |class: &str| {
                format!("response_total{{direction=\"outbound\",deployment=\"web-v1\",dst_deployment=\"cart\",classification=\"{class}\"}}")
            };
            [with("success"), with("failure")]
        }
        "envoy" => both(
            "envoy_cluster_upstream_rq_total{app=\"web-v1\",envoy_cluster_name=\"cart\"}",
            "envoy_cluster_upstream_rq_xx{app=\"web-v1\",envoy_cluster_name=\"cart\",envoy_response_code_class=\"5\"}",
        ),
        _ => both(
            "traces_service_graph_request_total{client=\"web-v1\",server=\"cart\"}",
            "traces_service_graph_request_failed_total{client=\"web-v1\",server=\"cart\"}",
        ),
    }
}

#[track_caller]
fn checked(map: &Value) {
    keys(map, "schema simulated at screen environment discoveries window verdict services links circles");
    time(&map["at"]);
    for one in map["discoveries"].as_array().unwrap() {
        keys(one, "name backend kind state age_s trouble unknown_names");
    }
    keys(&map["window"], "state ends by");
    keys(&map["verdict"], "go against chain");
    keys(&map["verdict"]["chain"], "services at_least_s");
    for one in map["services"].as_array().unwrap() {
        keys(one, "name team state change from to left_at_least_s stopped_by waits_for way_back users all_users requests_per_s failing");
        keys(&one["way_back"], "how after");
    }
    for one in map["links"].as_array().unwrap() {
        keys(one, "user used declared seen since not_seen_since requests_per_s failing");
    }
}

fn link<'a>(map: &'a Value, user: &str, used: &str) -> Option<&'a Value> {
    map["links"].as_array().unwrap().iter().find(|one| one["user"] == user && one["used"] == used)
}

#[test]
fn who_uses_whom_is_seen_in_each_kind_of_telemetry() {
    let exporter = Exporter::start();
    let kinds = ["istio", "linkerd", "envoy", "otel"];
    // What the other end reports, and what comes in, would count the same requests again.
    let twice = [
        "istio_requests_total{reporter=\"destination\",source_canonical_service=\"stock\",destination_canonical_service=\"cart\",response_code=\"200\"}",
        "response_total{direction=\"inbound\",deployment=\"stock\",dst_deployment=\"cart\",classification=\"success\"}",
    ];
    let prometheus = Prometheus::start(&[exporter.port], "", "");
    let place = place(&prometheus, &kinds);
    let mut count = 0.0;
    for kind in kinds {
        let map = wait_for("the link to be seen", LONG, || {
            count += 10.0;
            let [all, failed] = series(kind);
            exporter.set(&all, count * 9.0);
            exporter.set(&failed, count);
            exporter.set("traces_service_graph_request_total{client=\"web-v1\",server=\"a stranger\"}", count);
            for series in twice {
                exporter.set(series, count);
            }
            let map = place.json(0, &["show", "map", &format!("web@{kind}")]);
            let seen = link(&map, "web", "cart").unwrap();
            (seen["seen"] == "seen" && seen["failing"].as_f64() > Some(0.0)).then_some(map)
        });
        checked(&map);
        assert_eq!(map["environment"], kind);
        assert_eq!(map["discoveries"][0]["state"], "fresh");
        let failing = link(&map, "web", "cart").unwrap()["failing"].as_f64().unwrap();
        // Envoy and traces count all requests in the one counter, the others by how they ended; samples of both are of one scrape.
        assert!((0.05..0.2).contains(&failing), "{kind}: {map}");
        let unseen = link(&map, "web", "stock").unwrap();
        assert_eq!((&unseen["declared"], &unseen["seen"]), (&true.into(), &"never".into()), "{kind}: {map}");
        assert!(link(&map, "stock", "cart").is_none(), "{kind}: {map}");
        let order: Vec<_> = map["services"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(order, ["cart", "stock", "web"], "providers first");
    }
    let map = place.json(0, &["show", "map", "web@otel"]);
    assert_eq!(map["discoveries"][0]["unknown_names"], serde_json::json!(["a stranger"]), "{map}");
}

#[test]
fn a_link_that_appears_or_is_not_seen_any_more_is_told_and_stays_on_the_map() {
    let exporter = Exporter::start();
    let prometheus = Prometheus::start(&[exporter.port], "", "");
    let place = place(&prometheus, &["otel"]);
    let file = place.path("watched.jsonl");
    let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), &["watch", "--jsonl"]);
    let watching = Place::started(command.stdout(std::fs::File::create(&file).unwrap()));
    let told =
        |words: &str| std::fs::read_to_string(&file).unwrap().lines().any(|line| line.contains("\"happening\"") && line.contains(words));
    wait_for("the first reading", LONG, || std::fs::read_to_string(&file).unwrap().contains("{\"links\":{").then_some(()));
    let mut count = 0.0;
    wait_for("the link to appear", LONG, || {
        count += 10.0;
        exporter.set("traces_service_graph_request_total{client=\"stock\",server=\"cart\"}", count);
        told("link stock > cart seen from now on").then_some(())
    });
    exporter.remove("traces_service_graph_request_total{client=\"stock\",server=\"cart\"}");
    wait_for("the link not to be seen any more", LONG, || told("link stock > cart not seen any more").then_some(()));
    watching.interrupt();
    watching.end().exits(130);
    // The next room knows of it from the journal.
    let map = place.json(0, &["show", "map", "web@otel"]);
    checked(&map);
    let gone = link(&map, "stock", "cart").unwrap_or_else(|| panic!("{map}"));
    assert_eq!((&gone["declared"], &gone["seen"]), (&false.into(), &"gone".into()), "{map}");
    time(&gone["not_seen_since"]);
    let drawn = place.run(&["show", "map", "stock@otel"]).exits(0).out;
    assert!(drawn.contains("not declared, not seen since"), "{drawn}");
}

#[test]
fn a_dead_monitoring_system_removes_no_declared_link() {
    let exporter = Exporter::start();
    let prometheus = Prometheus::start(&[exporter.port], "", "");
    let place = place(&prometheus, &["otel"]);
    drop(prometheus);
    let map = place.json(0, &["show", "map", "web@otel"]);
    checked(&map);
    assert_eq!(map["discoveries"][0]["state"], "unreachable");
    assert!(map["discoveries"][0]["trouble"].is_string());
    assert_eq!(map["links"].as_array().unwrap().len(), 2, "what is declared stays: {map}");
    assert_eq!(link(&map, "web", "cart").unwrap()["seen"], "unlooked");
}
