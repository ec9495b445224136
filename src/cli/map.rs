//! `show map --json`: the map of an environment, whole, whatever fits on a screen.

use serde_json::{Value, json};

use super::json::{SCHEMA, time};
use crate::control::map::{Map, MapLink, MapService};
use crate::control::world::{DiscoveryView, World};
use crate::model::link::Flow;
use crate::model::name::Target;
use crate::model::time::{Moment, rfc3339};
use crate::policy::map::{Against, Doubt, GoNoGo, Stage, WayBack, Window};

/// The map of a target's environment; without one, of the last environment.
pub fn object(world: &World, now: &Moment, target: Option<&Target>) -> Value {
    let last = world.catalog.environments.last().map(|environment| &environment.name);
    let environment = target.map(|target| &target.environment).or(last);
    let map = environment.map(|environment| Map::of(world, environment, now));
    let views = environment.map(|environment| world.discoveries_of(environment).collect::<Vec<_>>()).unwrap_or_default();
    let discoveries: Vec<_> = views.iter().map(|view| discovery(view, now)).collect();
    let services = map.iter().flat_map(|map| map.services.iter().enumerate().map(|(place, one)| service(map, place, one)));
    let links = map.iter().flat_map(|map| map.links.iter().map(|(ends, seen)| link(map, *ends, seen)));
    json!({
        "schema": SCHEMA,
        "simulated": world.catalog.simulated,
        "at": rfc3339(&now.wall),
        "screen": "map",
        "environment": environment,
        "discoveries": discoveries,
        "window": map.as_ref().map(window),
        "verdict": map.as_ref().map(verdict),
        "services": services.collect::<Vec<_>>(),
        "links": links.collect::<Vec<_>>(),
        "circles": map.as_ref().map_or_else(Vec::new, |map| map.graph.circles().map(|circle| names(map, circle)).collect::<Vec<_>>()),
    })
}

fn name(map: &Map, place: usize) -> Value {
    map.service(place).map_or(Value::Null, |service| json!(service.target.service))
}

fn names<'a>(map: &Map, places: impl IntoIterator<Item = &'a usize>) -> Value {
    places.into_iter().map(|place| name(map, *place)).collect()
}

fn discovery(view: &DiscoveryView, now: &Moment) -> Value {
    json!({
        "name": view.discovery.name,
        "backend": view.discovery.backend,
        "kind": view.discovery.ask.kind.word(),
        "state": view.freshness(now).word(),
        "age_s": view.age(now).map(|age| age.as_secs()),
        "trouble": view.fact.trouble.as_ref().map(ToString::to_string),
        "unknown_names": *view.strangers,
    })
}

fn window(map: &Map) -> Value {
    let word = match map.window {
        Window::Open => "open",
        Window::Left(_) => "left",
        Window::Shut => "shut",
    };
    json!({
        "state": word,
        "ends": map.until.as_ref().map(|(_, at)| rfc3339(at)),
        "by": map.until.as_ref().map(|(name, _)| name.clone()),
    })
}

fn verdict(map: &Map) -> Value {
    let against: Vec<Value> = match &map.go {
        GoNoGo::Nothing | GoNoGo::Go => Vec::new(),
        GoNoGo::NoGo(against) => against
            .iter()
            .map(|one| match one {
                Against::Shut => json!({ "rule": "shut", "service": null, "seconds": null }),
                Against::TooLong(by) => json!({ "rule": "too-long", "service": null, "seconds": by }),
                Against::Abnormal(place) => json!({ "rule": "abnormal", "service": name(map, *place), "seconds": null }),
                Against::Stopped(place) => json!({ "rule": "stopped", "service": name(map, *place), "seconds": null }),
            })
            .collect(),
        GoNoGo::Unknown(doubts) => doubts
            .iter()
            .map(|one| match one {
                Doubt::Length(place) => json!({ "rule": "length-unknown", "service": name(map, *place), "seconds": null }),
                Doubt::Links => json!({ "rule": "links-unknown", "service": null, "seconds": null }),
            })
            .collect(),
    };
    json!({
        "go": map.go.word(),
        "against": against,
        "chain": { "services": names(map, &map.chain.0), "at_least_s": map.chain.1 },
    })
}

fn service(map: &Map, place: usize, one: &MapService) -> Value {
    let stage = match map.stage(place) {
        Stage::Quiet => "quiet",
        Stage::Planned => "planned",
        Stage::Moving(_) => "moving",
        Stage::Done { .. } => "done",
    };
    let none = Vec::new();
    let (how, after) = match &one.way_back {
        WayBack::NotBegun => ("not-begun", &none),
        WayBack::Alone => ("alone", &none),
        WayBack::After(first) => ("after", first),
    };
    json!({
        "name": one.target.service,
        "team": one.team,
        "state": one.standing.word(),
        "change": stage,
        "from": one.from,
        "to": one.to,
        "left_at_least_s": one.left_s,
        "stopped_by": one.stops,
        "waits_for": names(map, &one.waits_for),
        "way_back": { "how": how, "after": names(map, after) },
        "users": map.graph.users(place).map(|user| name(map, user)).collect::<Vec<_>>(),
        "all_users": names(map, &map.graph.all_users(place)),
        "requests_per_s": one.got.map(|flow| flow.rate),
        "failing": one.got.as_ref().map(Flow::failing),
    })
}

fn link(map: &Map, (user, used): (usize, usize), link: &MapLink) -> Value {
    let gone = if let crate::control::map::Sight::Gone(at) = link.sight { Some(at) } else { None };
    let flow = link.sight.flow();
    json!({
        "user": name(map, user),
        "used": name(map, used),
        "declared": link.declared,
        "seen": link.sight.word(),
        "since": time(link.since),
        "not_seen_since": time(gone),
        "requests_per_s": flow.map(|flow| flow.rate),
        "failing": flow.as_ref().map(Flow::failing),
    })
}
