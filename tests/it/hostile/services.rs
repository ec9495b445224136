//! A flagd, a Caddy, a Prometheus, an Alertmanager and a Buildbot, all hostile.

use serde_json::{Value, json};

use super::stand_in::{brief, in_line, said};

/// A flagd as OFREP shows it; what it goes by beside that stands in [`FLAGS`].
pub fn flagd(path: &str) -> Option<Value> {
    let told = said("flagd-says");
    (path == "ofrep/v1/evaluate/flags").then(|| {
        json!({
            "flags": [
                {"key": "new", "value": true, "variant": told, "reason": told, "metadata": {told.clone(): told}},
                {"key": "odd", "errorCode": told, "errorDetails": told},
                {"key": told, "value": told, "variant": told, "reason": told},
            ],
            "metadata": {told.clone(): told},
        })
    })
}

/// The file that the flagd watches.
pub const FLAGS: &str = r#"{"flags": {
    "new": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [["on", 25], ["off", 75]]}},
    "odd": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}
}}"#;

/// A Caddy; its metrics are no JSON.
pub fn caddy(path: &str) -> Option<Value> {
    let told = said("caddy-says");
    Some(match path {
        "id/cart" => json!({
            "handler": "reverse_proxy", "@id": "cart",
            "upstreams": [{"@id": "v1", "dial": told}, {"@id": "v2", "dial": "127.0.0.1:2", told.clone(): told}],
            "load_balancing": {"selection_policy": {"policy": "weighted_round_robin", "weights": [80, 20]}},
            "health_checks": {"passive": {"fail_duration": told, "max_fails": 3}},
        }),
        "reverse_proxy/upstreams" => json!([{"address": told, "num_requests": 1, "fails": 0}]),
        "metrics" => {
            let told = in_line(&told).replace('\\', "\\\\").replace('"', "\\\"");
            Value::String(format!(
                "go_build_info{{path=\"{told}\",version=\"v{told}\"}} 1\nprocess_start_time_seconds 1.79e+09\n\
                 caddy_reverse_proxy_upstreams_healthy{{upstream=\"{told}\"}} 1\n"
            ))
        }
        _ => return None,
    })
}

/// A Prometheus. A series of a longer label would be refused as a whole.
pub fn prometheus(path: &str, request: &str, now: i64) -> Option<Value> {
    let (told, brief) = (said("prometheus-says"), brief("prometheus-says"));
    let vector = |rows: Value| json!({"status": "success", "warnings": [told], "data": {"resultType": "vector", "result": rows}});
    let with_time = |metric: Value| {
        let mut timed = metric.clone();
        timed["gonogo_sample"] = json!("time");
        json!([{"metric": metric, "value": [now, "0.25"]}, {"metric": timed, "value": [now, now.to_string()]}])
    };
    Some(match path.split('?').next().unwrap_or_default() {
        "api/v1/query" if request.contains("count_values") => vector(json!([{"metric": {"up": "1"}, "value": [now, "3"]}])),
        "api/v1/query" if request.contains("traces_service_graph") => {
            json!({"status": "success", "data": {"resultType": "vector", "result": [
                {"metric": {"gonogo_part": "all", "client": brief, "server": "cart"}, "value": [now, "5"]},
                {"metric": {"gonogo_part": "all", "client": "web", "server": format!("used {brief}")}, "value": [now, "5"]},
            ]}})
        }
        "api/v1/query" if request.contains("app_info") => {
            vector(with_time(json!({"service": "checkout", "version": format!("2.4.1 {brief}"), brief.clone(): brief})))
        }
        "api/v1/query" => vector(with_time(json!({"service": "checkout", brief.clone(): brief}))),
        "api/v1/rules" => json!({"status": "success", "data": {"groups": [{"name": told, "rules": [
            {"type": "alerting", "name": told, "health": told, "lastError": told, "lastEvaluation": told},
        ]}]}}),
        _ => return None,
    })
}

/// An Alertmanager.
pub fn alertmanager(path: &str) -> Option<Value> {
    let told = said("alertmanager-says");
    Some(match path.split('?').next().unwrap_or_default() {
        "api/v2/alerts" => json!([{
            "annotations": {"summary": told, "description": told, told.clone(): told},
            "labels": {"alertname": told, "severity": told, "service": "checkout", told.clone(): told},
            "startsAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z", "endsAt": "2099-01-01T00:00:00.000Z",
            "fingerprint": told, "generatorURL": said("http://there/"), "receivers": [{"name": told}],
            "status": {"state": "suppressed", "silencedBy": [told], "inhibitedBy": [told], "mutedBy": [told]},
        }]),
        "api/v2/alerts/groups" => json!([{"labels": {told.clone(): told}, "receiver": {"name": told}, "alerts": [{"fingerprint": told}]}]),
        "api/v2/silences" => json!([{
            "id": told, "createdBy": told, "comment": told, "startsAt": "2026-01-01T00:00:00.000Z", "endsAt": "2099-01-01T00:00:00.000Z",
            "status": {"state": "active"}, "matchers": [{"name": told, "value": told, "isEqual": true, "isRegex": false}],
        }]),
        _ => return None,
    })
}

/// A Buildbot.
pub fn buildbot(path: &str, now: i64) -> Option<Value> {
    let told = said("buildbot-says");
    let property = json!([told, told]);
    let properties = json!({
        "owner": property, "reason": property, "revision": property, "branch": property, "version": property, told.clone(): property,
    });
    let build = |id: u64, complete: bool, results: Value| {
        json!({
            "buildid": id, "builderid": 1, "number": id, "complete": complete, "results": results, "started_at": now - 60,
            "complete_at": if complete { json!(told) } else { Value::Null }, "buildrequestid": 5, "state_string": told,
            "properties": properties,
        })
    };
    let path = path.split('?').next().unwrap_or_default();
    Some(match path {
        "api/v2/builders" => json!({"builders": [{"builderid": 1, "name": "checkout", "description": told}], "meta": {"total": null}}),
        "api/v2/builders/1/builds" => {
            json!({"builds": [build(8, false, Value::Null), build(7, true, json!(told)), build(6, true, json!(2))]})
        }
        "api/v2/builders/1/buildrequests" => json!({"buildrequests": [
            {"buildrequestid": 9, "buildsetid": 4, "claimed": false, "complete": false, "submitted_at": told, "properties": properties},
        ]}),
        "api/v2/buildrequests" => json!({"buildrequests": [{"buildrequestid": 5, "buildsetid": 4, "submitted_at": now - 70}]}),
        "api/v2/buildsets" => json!({"buildsets": [
            {"bsid": 4, "complete": false, "reason": told, "submitted_at": now - 70, "sourcestamps": [{"branch": told, "revision": told}]},
        ]}),
        _ if path.ends_with("/steps") => json!({"steps": [
            {"stepid": 21, "number": 0, "name": told, "complete": false, "hidden": false, "started_at": now - 50, "state_string": told},
        ]}),
        _ if path.ends_with("/logs") => json!({"logs": [{"logid": 31, "name": told, "num_lines": 2, "complete": false, "type": "s"}]}),
        "api/v2/logs/31" => json!({"logs": [{"logid": 31, "name": told, "num_lines": 2, "complete": false, "type": "s"}]}),
        "api/v2/logs/31/contents" => json!({"logchunks": [{"firstline": 0, "content": format!("o{told}\ne{}\n", told.replace('\n', ""))}]}),
        "api/v2/forceschedulers/force" => json!({"forceschedulers": [{"enabled": true, "builder_names": [told], "all_fields": []}]}),
        _ => return None,
    })
}
