//! A VirtualService of Istio (networking.istio.io/v1): its routes of HTTP, and the subsets that DestinationRules define.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::split::{Called, Split, Taken, Target};
use crate::adapters::kubernetes::{Meta, Place, condition};
use crate::model::name::ServerName;
use crate::model::testers::{header, other};
use crate::model::text::Text;

/// Reads a virtual service; or says why it is no pool.
pub(super) fn split(object: &Value, called: &Called) -> Result<Split, String> {
    #[derive(Deserialize)]
    struct Spec {
        #[serde(default)]
        http: Vec<Rule>,
    }
    #[derive(Deserialize)]
    struct Rule {
        name: Option<String>,
        #[serde(default)]
        route: Vec<Destination>,
        #[serde(default, rename = "match")]
        matches: Vec<Match>,
    }
    #[derive(Deserialize)]
    struct Match {
        #[serde(default)]
        headers: BTreeMap<String, Value>,
    }
    #[derive(Deserialize)]
    struct Destination {
        destination: Named,
        #[serde(default)]
        weight: u32,
    }
    #[derive(Deserialize)]
    struct Named {
        host: String,
        subset: Option<String>,
    }
    let meta = Meta::of(object)?;
    let spec = object.get("spec").ok_or("it has no spec")?;
    let spec = Spec::deserialize(spec).map_err(|error| format!("its spec is another than expected: {error}"))?;
    let choices: Vec<(Option<&str>, bool)> = spec.http.iter().map(|one| (one.name.as_deref(), one.route.len() > 1)).collect();
    let at = called.choose(&choices)?;
    let mut targets = Vec::new();
    for (place, one) in spec.http.get(at).into_iter().flat_map(|one| &one.route).enumerate() {
        let Named { host, subset } = &one.destination;
        let name = subset.as_ref().map_or_else(|| host.clone(), |subset| format!("{host}_{subset}"));
        let service = service(host, &called.place.namespace).ok_or_else(|| {
            format!("{} is no service of the cluster, and whether it is up cannot be seen", Text::clean_within(host, 120))
        })?;
        targets.push(Target {
            name: ServerName::new(&name).map_err(|error| error.to_string())?,
            weight: one.weight,
            at: format!("/spec/http/{at}/route/{place}"),
            named: subset.as_ref().map_or_else(|| ("/destination/host", host.clone()), |subset| ("/destination/subset", subset.clone())),
            service,
            subset: subset.clone(),
        });
    }
    // Istio tells this only where its status reporting is switched on.
    let reconciled = condition(object.pointer("/status/conditions"), "Reconciled");
    let waiting =
        reconciled.is_some_and(|one| one.status == "False" || one.observed_generation < meta.generation && one.observed_generation > 0);
    let taken = if waiting { Taken::NotYet } else { Taken::Yes };
    let asked = |(name, matcher): (&String, &Value)| {
        let text = |key: &str| matcher.get(key).and_then(Value::as_str);
        match (text("exact"), text("regex")) {
            (Some(value), _) => header(name, value),
            (None, Some(pattern)) => other(name, &format!("~ {pattern}")),
            (None, None) => other(name, &matcher.to_string()),
        }
    };
    let matches = spec.http.get(at).map(|one| one.matches.as_slice()).unwrap_or_default();
    let ways = matches.iter().map(|way| way.headers.iter().map(asked).collect()).collect();
    Ok(Split::new(called, meta, targets, taken)?.reached_by(ways))
}

/// The service that a host means: a short name is in the object's own namespace.
fn service(host: &str, namespace: &str) -> Option<Place> {
    let place = |namespace: &str, name: &str| Some(Place { namespace: namespace.to_owned(), name: name.to_owned() });
    match host.split('.').collect::<Vec<_>>().as_slice() {
        [name] if !name.is_empty() && *name != "*" => place(namespace, name),
        [name, namespace] | [name, namespace, "svc", ..] => place(namespace, name),
        _ => None,
    }
}

/// The labels of a subset's pods as a selector; none when no rule defines it, or without any label.
pub(super) fn subset(rules: &[Value], of: &Place, wanted: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Spec {
        host: String,
        #[serde(default)]
        subsets: Vec<Subset>,
    }
    #[derive(Deserialize)]
    struct Subset {
        name: String,
        #[serde(default)]
        labels: BTreeMap<String, String>,
    }
    rules.iter().find_map(|rule| {
        let namespace = rule.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
        let spec = Spec::deserialize(rule.get("spec")?).ok()?;
        if service(&spec.host, namespace).as_ref() != Some(of) {
            return None;
        }
        let labels = spec.subsets.into_iter().find(|one| one.name == wanted)?.labels;
        let words: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!words.is_empty()).then(|| words.join(","))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::PoolName;
    use serde_json::json;

    fn read(object: &Value) -> Result<Split, String> {
        split(object, &Called::of(&PoolName::new("checkout").unwrap(), "shop"))
    }

    fn service_of(targets: &Value) -> Value {
        json!({
            "metadata": { "name": "checkout", "namespace": "shop", "resourceVersion": "7", "generation": 2 },
            "spec": { "hosts": ["checkout"], "http": [{ "route": targets }] },
        })
    }

    #[test]
    fn destinations_are_called_by_host_and_subset_and_their_pods_by_labels() {
        let split = read(&service_of(&json!([
            { "destination": { "host": "checkout", "subset": "v1" }, "weight": 100 },
            { "destination": { "host": "checkout.shop.svc.cluster.local", "subset": "v2" } },
        ])))
        .unwrap();
        let names: Vec<(&str, u32)> = split.targets.iter().map(|target| (target.name.as_str(), target.weight)).collect();
        assert_eq!(names, [("checkout_v1", 100), ("checkout.shop.svc.cluster.local_v2", 0)]);
        assert_eq!(split.targets[0].service, split.targets[1].service);
        let rules = [json!({ "metadata": { "namespace": "shop" }, "spec": { "host": "checkout", "subsets": [
            { "name": "v1", "labels": { "version": "1", "app": "checkout" } }, { "name": "v2" },
        ] } })];
        assert_eq!(subset(&rules, &split.targets[0].service, "v1").unwrap(), "app=checkout,version=1");
        // Without a label it would be everything.
        assert_eq!(subset(&rules, &split.targets[0].service, "v2"), None);
        assert_eq!(subset(&rules, &Place { namespace: "pay".to_owned(), name: "checkout".to_owned() }, "v1"), None);
    }

    #[test]
    fn each_match_is_a_way_and_without_one_everybody_goes_there() {
        let ways = |matches: Value| {
            let mut object = service_of(&json!([{ "destination": { "host": "v1" } }, { "destination": { "host": "v2" } }]));
            object["spec"]["http"][0]["match"] = matches;
            read(&object).unwrap().ways
        };
        let by = |matcher: Value| json!([{ "headers": { "x-canary": matcher } }]);
        assert_eq!(ways(by(json!({ "exact": "yes" }))), [[header("x-canary", "yes")]]);
        assert_eq!(ways(by(json!({ "prefix": "yes" }))), [[other("x-canary", "{\"prefix\":\"yes\"}")]]);
        assert_eq!(ways(json!([])), [Vec::<Text>::new()]);
    }

    #[test]
    fn what_is_not_reconciled_yet_is_not_taken_over_however_its_generation_is_written() {
        let taken = |condition: Value| {
            let mut object = service_of(&json!([{ "destination": { "host": "v1" } }, { "destination": { "host": "v2" } }]));
            object["status"] = json!({ "conditions": [condition] });
            read(&object).unwrap().taken
        };
        let of = |status: &str, observed: Value| json!({ "type": "Reconciled", "status": status, "observedGeneration": observed });
        assert_eq!(taken(of("True", json!("2"))), Taken::Yes);
        assert_eq!(taken(json!({ "type": "Reconciled", "status": "True" })), Taken::Yes);
        for late in [of("True", json!("1")), of("True", json!(1)), of("False", json!("2")), of("False", json!(2))] {
            assert_eq!(taken(late.clone()), Taken::NotYet, "{late}");
        }
    }

    #[test]
    fn what_lies_outside_of_the_cluster_is_no_pool() {
        let outside = service_of(&json!([{ "destination": { "host": "api.example.com" } }, { "destination": { "host": "checkout" } }]));
        assert!(read(&outside).unwrap_err().contains("no service of the cluster"));
    }
}
