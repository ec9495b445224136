//! An HTTPRoute of the Gateway API (v1): what its rules say, and what its parents' controllers say of it.

use serde::Deserialize;
use serde_json::Value;

use super::split::{Called, Split, Taken, Target};
use crate::adapters::kubernetes::{Meta, Place, condition};
use crate::model::name::ServerName;
use crate::model::testers::{header, other};
use crate::model::text::Text;

/// Reads a route; or says why it is no pool.
pub(super) fn split(object: &Value, called: &Called) -> Result<Split, String> {
    #[derive(Deserialize)]
    struct Spec {
        #[serde(default)]
        rules: Vec<Rule>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Rule {
        name: Option<String>,
        #[serde(default)]
        backend_refs: Vec<Reference>,
        #[serde(default)]
        matches: Vec<Match>,
    }
    #[derive(Deserialize)]
    struct Match {
        #[serde(default)]
        headers: Vec<Header>,
    }
    #[derive(Deserialize)]
    struct Header {
        r#type: Option<String>,
        name: String,
        value: String,
    }
    #[derive(Deserialize)]
    struct Reference {
        group: Option<String>,
        kind: Option<String>,
        name: String,
        namespace: Option<String>,
        weight: Option<u32>,
    }
    let meta = Meta::of(object)?;
    let spec = object.get("spec").ok_or("it has no spec")?;
    let spec = Spec::deserialize(spec).map_err(|error| format!("its spec is another than expected: {error}"))?;
    let choices: Vec<(Option<&str>, bool)> = spec.rules.iter().map(|rule| (rule.name.as_deref(), rule.backend_refs.len() > 1)).collect();
    let at = called.choose(&choices)?;
    let mut targets = Vec::new();
    for (place, reference) in spec.rules.get(at).into_iter().flat_map(|rule| &rule.backend_refs).enumerate() {
        let service =
            reference.kind.as_deref().unwrap_or("Service") == "Service" && reference.group.as_deref().unwrap_or_default().is_empty();
        if !service {
            return Err(format!("{} is no Service, and whether it is up cannot be seen", Text::clean_within(&reference.name, 80)));
        }
        let namespace = reference.namespace.clone().unwrap_or_else(|| called.place.namespace.clone());
        targets.push(Target {
            name: ServerName::new(&reference.name).map_err(|error| error.to_string())?,
            // What is not written is 1 (`BackendRef.weight`).
            weight: reference.weight.unwrap_or(1),
            at: format!("/spec/rules/{at}/backendRefs/{place}"),
            named: ("/name", reference.name.clone()),
            service: Place { namespace, name: reference.name.clone() },
            subset: None,
        });
    }
    let taken = taken(object, meta.generation);
    // What says no type must be exactly so (`HTTPHeaderMatch.type`).
    let asked = |one: &Header| match one.r#type.as_deref() {
        None | Some("Exact") => header(&one.name, &one.value),
        Some(_) => other(&one.name, &format!("~ {}", one.value)),
    };
    let matches = spec.rules.get(at).map(|rule| rule.matches.as_slice()).unwrap_or_default();
    let ways = matches.iter().map(|way| way.headers.iter().map(asked).collect()).collect();
    Ok(Split::new(called, meta, targets, taken)?.reached_by(ways))
}

/// By the condition `Accepted` of each parent: it speaks of the generation that its controller saw.
fn taken(object: &Value, generation: i64) -> Taken {
    let parents = object.pointer("/status/parents").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if parents.is_empty() {
        return Taken::No("no gateway's controller serves this route: its `status.parents` is empty".to_owned());
    }
    let mut all = Taken::Yes;
    for parent in parents {
        let Some(accepted) = condition(parent.get("conditions"), "Accepted") else {
            all = Taken::NotYet;
            continue;
        };
        if accepted.observed_generation < generation {
            all = Taken::NotYet;
        } else if accepted.status != "True" {
            let name = parent.pointer("/parentRef/name").and_then(Value::as_str).unwrap_or("of no name");
            let (name, reason) = (Text::clean_within(name, 80), Text::clean_within(&accepted.reason, 80));
            return Taken::No(format!(
                "the gateway {name} does not accept this route: {reason}: {}",
                Text::clean_within(&accepted.message, 200)
            ));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::PoolName;
    use serde_json::json;

    fn route(status: &Value) -> Value {
        json!({
            "metadata": { "name": "checkout", "namespace": "shop", "uid": "u", "resourceVersion": "41", "generation": 3 },
            "spec": { "rules": [
                { "backendRefs": [{ "name": "static", "port": 80 }] },
                { "name": "main", "backendRefs": [{ "name": "v1", "port": 80 }, { "name": "v2", "namespace": "other", "port": 80, "weight": 0 }] },
            ]},
            "status": status,
        })
    }

    fn read(object: &Value, pool: &str) -> Result<Split, String> {
        split(object, &Called::of(&PoolName::new(pool).unwrap(), "shop"))
    }

    fn parent(accepted: &str, observed: i64) -> Value {
        let condition =
            json!({ "type": "Accepted", "status": accepted, "observedGeneration": observed, "reason": "R\u{1b}", "message": "m" });
        json!({ "parentRef": { "name": "edge" }, "conditions": [condition] })
    }

    #[test]
    fn a_weight_that_is_not_written_is_one_and_each_stands_where_the_patch_finds_it() {
        let split = read(&route(&json!({ "parents": [parent("True", 3)] })), "checkout").unwrap();
        let weights: Vec<(&str, u32)> = split.targets.iter().map(|target| (target.name.as_str(), target.weight)).collect();
        assert_eq!(weights, [("v1", 1), ("v2", 0)]);
        assert_eq!(split.targets[1].service, Place { namespace: "other".to_owned(), name: "v2".to_owned() });
        let patch = split.patch(&[(ServerName::new("v2").unwrap(), 20)].into(), true);
        assert_eq!(
            patch,
            json!([
                { "op": "add", "path": "/metadata/resourceVersion", "value": "41" },
                { "op": "test", "path": "/spec/rules/1/backendRefs/1/name", "value": "v2" },
                { "op": "add", "path": "/spec/rules/1/backendRefs/1/weight", "value": 20 },
            ])
        );
    }

    #[test]
    fn only_what_every_parents_controller_saw_and_accepted_is_in_force() {
        let taken = |parents: &[Value]| read(&route(&json!({ "parents": parents })), "checkout").unwrap().taken;
        assert_eq!(taken(&[parent("True", 3), parent("True", 3)]), Taken::Yes);
        assert_eq!(taken(&[parent("True", 3), parent("True", 2)]), Taken::NotYet);
        assert_eq!(taken(&[json!({ "parentRef": { "name": "edge" } })]), Taken::NotYet);
        let Taken::No(why) = taken(&[parent("False", 3)]) else { panic!("accepted") };
        assert_eq!(why, "the gateway edge does not accept this route: R␛: m");
        assert!(matches!(taken(&[]), Taken::No(_)));
    }

    #[test]
    fn each_match_of_a_rule_is_a_way_and_without_one_everybody_goes_there() {
        let ways = |matches: Value| {
            let mut object = route(&json!({}));
            object["spec"]["rules"][1]["matches"] = matches;
            read(&object, "checkout").unwrap().ways
        };
        let by = |kind: &str| json!([{ "path": { "value": "/" }, "headers": [{ "type": kind, "name": "X-Canary", "value": "yes" }] }]);
        assert_eq!(ways(by("Exact")), [[header("x-canary", "yes")]]);
        assert_eq!(ways(by("RegularExpression")), [[other("x-canary", "~ yes")]]);
        assert_eq!(ways(json!([])), [Vec::<Text>::new()]);
    }

    #[test]
    fn what_is_no_pool_says_why() {
        let mut other = route(&json!({}));
        other["spec"]["rules"][1]["backendRefs"][1]["kind"] = json!("S3Bucket");
        assert!(read(&other, "checkout").unwrap_err().contains("no Service"));
        other["spec"]["rules"][1]["backendRefs"][1] = json!({ "name": "v1" });
        assert!(read(&other, "checkout").unwrap_err().contains("two of its targets are called v1"));
        assert!(read(&json!({ "metadata": { "resourceVersion": "1" } }), "checkout").unwrap_err().contains("no spec"));
        assert!(read(&json!({}), "checkout").unwrap_err().contains("no metadata"));
    }
}
