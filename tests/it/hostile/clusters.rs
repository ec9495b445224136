//! Clusters at their API, all hostile: HTTPRoutes, VirtualServices, Rollouts of Argo and Canaries of Flagger, with what stands around them.

use serde_json::{Value, json};

use super::stand_in::{brief, said};

/// A cluster whose HTTPRoutes are served.
pub fn gateway(path: &str) -> Option<Value> {
    let told = said("gateway-says");
    let rule = |headers: Value| {
        json!({
            "name": told, "matches": [{"headers": headers}],
            "backendRefs": [{"name": "v1", "weight": 80}, {"name": "v2", "weight": 20}],
        })
    };
    let route = |name: &str, headers: Value| {
        json!({
            "metadata": meta(name), "spec": {"hostnames": [told], "rules": [rule(headers)]},
            "status": {"parents": [{"parentRef": {"name": told}, "controllerName": told, "conditions": [
                {"type": "Accepted", "status": "True", "observedGeneration": 3, "reason": told, "message": told},
            ]}]},
        })
    };
    Some(match plain(path) {
        "version" => version("gateway"),
        "apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/checkout" => route("checkout", json!([])),
        "apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/trial" => {
            route("trial", json!([{"name": told, "value": told}, {"name": "x", "type": "RegularExpression", "value": told}]))
        }
        "apis/discovery.k8s.io/v1/namespaces/shop/endpointslices" => slices(),
        _ => return None,
    })
}

/// A cluster with Istio.
pub fn istio(path: &str) -> Option<Value> {
    let told = said("istio-says");
    let to = |subset: &str, weight: u32| json!({"destination": {"host": "search", "subset": subset}, "weight": weight});
    let service = |name: &str, matches: Value| {
        json!({
            "metadata": meta(name),
            "spec": {"hosts": [told], "http": [{"name": told, "match": matches, "route": [to("v1", 80), to("v2", 20)]}]},
            "status": {"conditions": [
                {"type": "Reconciled", "status": "True", "observedGeneration": "3", "reason": told, "message": told},
            ]},
        })
    };
    let subset = |name: &str| json!({"name": name, "labels": {"version": name}});
    Some(match plain(path) {
        "version" => version("istio"),
        "apis/networking.istio.io/v1/namespaces/shop/virtualservices/search" => service("search", json!([])),
        "apis/networking.istio.io/v1/namespaces/shop/virtualservices/trial" => {
            service("trial", json!([{"headers": {"a": {"regex": told}, "b": {told.clone(): told}, told.clone(): {"exact": told}}}]))
        }
        "apis/networking.istio.io/v1/namespaces/shop/destinationrules" => json!({"items": [
            {"metadata": {"name": told, "namespace": "shop"}, "spec": {"host": told, "subsets": [{"name": told, "labels": {told.clone(): told}}]}},
            {"metadata": {"name": "search", "namespace": "shop"}, "spec": {"host": "search", "subsets": [subset("v1"), subset("v2")]}},
        ]}),
        "api/v1/namespaces/shop/pods" => json!({"items": [
            {"metadata": {"name": "one"}, "status": {"conditions": [{"type": "Ready", "status": "True", "message": told}]}},
            {"metadata": {"name": told}, "status": {"conditions": [{"type": told, "status": told}]}},
        ]}),
        "apis/discovery.k8s.io/v1/namespaces/shop/endpointslices" => slices(),
        _ => return None,
    })
}

/// A cluster with Argo Rollouts.
pub fn argo(path: &str) -> Option<Value> {
    let told = said("argo-says");
    let run = json!({"name": brief("argo-says"), "status": told, "message": told});
    Some(match plain(path) {
        "version" => version("argo"),
        "apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web" => json!({
            "metadata": meta("web"),
            "spec": {"replicas": 3, "selector": {"matchLabels": {"app": told}}, "template": pods(&told),
                "strategy": {"canary": {"steps": [{"setWeight": 20}, {told.clone(): told}, {"pause": {"duration": told}}]}}},
            "status": {
                "observedGeneration": "3", "phase": "Progressing", "message": brief("argo-message"), "stableRS": told, "currentPodHash": "b",
                "currentStepIndex": 0, "replicas": 4, "updatedReplicas": 1, "readyReplicas": 4, "availableReplicas": 4,
                "canary": {"currentStepAnalysisRunStatus": run, "currentBackgroundAnalysisRunStatus": run, "weights": {"canary": {"weight": 20}}},
                "conditions": [{"type": told, "status": told, "reason": told, "message": told}],
            },
        }),
        _ => return None,
    })
}

/// A cluster with Flagger.
pub fn flagger(path: &str) -> Option<Value> {
    let told = said("flagger-says");
    let deployment = |name: &str, version: &str| {
        let mut template = pods(&told);
        template["spec"]["containers"][0]["image"] = json!(format!("shop:{version}-{told}"));
        let owned = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"main\"}": {"f:image": {}}}}}}});
        let mut meta = meta(name);
        meta["managedFields"] = json!([{"manager": told, "time": "2026-01-01T00:00:10Z", "fieldsV1": owned}]);
        json!({
            "metadata": meta, "spec": {"replicas": 3, "selector": {"matchLabels": {"app": told}}, "template": template},
            "status": {"observedGeneration": 3, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3},
        })
    };
    Some(match plain(path) {
        "version" => version("flagger"),
        "apis/flagger.app/v1beta1/namespaces/shop/canaries/site" => json!({
            "metadata": meta("site"),
            "spec": {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "site"},
                "analysis": {"interval": told, "threshold": 3, "maxWeight": 50, "stepWeight": 10}},
            "status": {"phase": "Progressing", "canaryWeight": 20, "failedChecks": 1, "iterations": 0, "conditions": [
                {"type": "Promoted", "status": "Unknown", "reason": told, "message": told, "lastTransitionTime": "2026-01-01T00:00:20Z"},
            ]},
        }),
        "apis/apps/v1/namespaces/shop/deployments/site" => deployment("site", "2.0"),
        "apis/apps/v1/namespaces/shop/deployments/site-primary" => deployment("site-primary", "1.0"),
        "api/v1/namespaces/shop/events" => json!({"items": [
            {"message": format!("Halt site.shop advancement {told}"), "lastTimestamp": "2026-01-01T00:00:40Z", "reason": told},
        ]}),
        _ => return None,
    })
}

fn plain(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

fn version(cluster: &str) -> Value {
    json!({"major": "1", "minor": "34", "gitVersion": format!("v1.34.0 {}", said(&format!("{cluster}-version")))})
}

fn meta(name: &str) -> Value {
    json!({"name": name, "namespace": "shop", "uid": said("uid"), "resourceVersion": "7", "generation": 3,
        "labels": {said("label"): said("value")}, "annotations": {said("note"): said("value")}})
}

fn pods(told: &str) -> Value {
    json!({"metadata": {"labels": {told: told}}, "spec": {"containers": [
        {"name": "main", "image": format!("shop:2.0-{told}")}, {"name": told, "image": told},
    ]}})
}

fn slices() -> Value {
    json!({"items": [{"endpoints": [
        {"conditions": {"ready": true}, "targetRef": {"kind": "Pod", "name": "one"}},
        {"conditions": {"ready": true}, "targetRef": {"kind": said("kind"), "name": said("pod")}},
    ]}]})
}
