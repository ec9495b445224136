//! Every backend at its socket, as far as a room reads it, all hostile: a HAProxy, an Envoy, a Traefik, a GitHub, a Kubernetes and an Unleash
//! here, and the others beside this.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use super::{clusters, desks, services};
use crate::servers::between;
use crate::stream::{HOSTILE, REASON};

/// What they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Answers that can be read.
    Answers,
    /// Faults.
    Faults,
}

/// All of them; they end with the test's process.
pub struct StandIn {
    /// Where those behind HTTP are, each below a path of its own.
    pub http: String,
    /// Where HAProxy's socket is.
    pub socket: String,
    /// Where that of one is that answers whatever the others do.
    pub router: String,
}

impl StandIn {
    /// Starts them.
    pub fn start(says: Says) -> Self {
        let http = listen(move |stream| http(stream, says));
        let socket = listen(move |stream| haproxy(stream, says));
        let router = listen(|stream| haproxy(stream, Says::Answers));
        Self { http: format!("http://{http}"), socket: format!("tcp://{socket}"), router: format!("tcp://{router}") }
    }
}

fn listen(answer: impl Fn(TcpStream) + Copy + Send + 'static) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

/// The words of a backend with everything that could be done to a terminal: sequences in seven and in eight bits, what reorders, what
/// hides, NUL, marks without end on one letter, letters that run the other way, and a tail that no line holds.
pub fn said(words: &str) -> String {
    let (storm, tail) = ("\u{301}".repeat(200), "x".repeat(5_000));
    format!("{words} {HOSTILE}\u{0}\u{2066}\u{feff}\u{85}\u{90}1$r\u{9c}שלום e{storm} {tail}")
}

/// The same without what no line and no label holds.
pub fn brief(words: &str) -> String {
    format!("{words} {HOSTILE}\u{0}\u{2066}\u{feff}\u{85}")
}

/// The same in a line, where a protocol ends an answer with one.
pub fn in_line(text: &str) -> String {
    text.replace(['\r', '\n'], "")
}

/// The runtime API: one line of commands, an answer for each.
fn haproxy(mut stream: TcpStream, says: Says) {
    let mut line = String::new();
    let _ = BufReader::new(&stream).read_line(&mut line);
    let name = "e\u{1b}[2J\u{202e}vil";
    for command in line.trim_end().split(';') {
        let answer = match says {
            Says::Answers if command == "show info" => {
                // A version is cut at a hundred characters.
                format!("Name: HAProxy\nVersion: 3.0 {}\nPid: 7\nStart_time_sec: 1790000000\nStopping: 0\n", in_line(&said("haproxy-says")))
            }
            Says::Answers if command.starts_with("show servers state") => format!(
                "1\n# be_name srv_name srv_op_state srv_admin_state srv_uweight srv_iweight\n\
                 be v1 2 0 80 80\nbe v2 2 0 20 20\nbe {name} 2 0 20 20\n"
            ),
            Says::Answers if command.starts_with("show stat") => {
                format!("# pxname,svname,weight,stot,hrsp_5xx,scur\nbe,v1,80,10,0,0\nbe,v2,20,5,0,0\nbe,{name},1,1,1,1\n")
            }
            Says::Answers | Says::Faults => in_line(&said("haproxy-says")),
        };
        let _ = stream.write_all(format!("{}\n\n", answer.trim_end_matches('\n')).as_bytes());
    }
}

fn http(mut stream: TcpStream, says: Says) {
    // Whole: an answer to what was not read to its end may be lost with the connection.
    let Some(request) = between::request(&mut stream) else { return };
    let mut words = request.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (backend, path) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec;
    let body = match (says, method, backend) {
        // Both are asked by POST.
        (Says::Answers, "POST", "flagd") => services::flagd(path),
        (Says::Answers, "GET" | "POST", "prometheus") => services::prometheus(path, &request, now),
        (Says::Answers, "GET", "envoy") => envoy(path),
        (Says::Answers, "GET", "traefik") => traefik(path),
        (Says::Answers, "GET", "github") => github(path),
        (Says::Answers, "GET", "kubernetes") => kubernetes(path),
        (Says::Answers, "GET", "unleash") => unleash(path),
        (Says::Answers, "GET", "gateway") => clusters::gateway(path),
        (Says::Answers, "GET", "istio") => clusters::istio(path),
        (Says::Answers, "GET", "argo") => clusters::argo(path),
        (Says::Answers, "GET", "flagger") => clusters::flagger(path),
        (Says::Answers, "GET", "caddy") => services::caddy(path),
        (Says::Answers, "GET", "alertmanager") => services::alertmanager(path),
        (Says::Answers, "GET", "buildbot") => services::buildbot(path, now),
        (Says::Answers, _, "servicenow" | "stuck") => desks::servicenow(backend, method, path, &request),
        (Says::Answers, "GET", "calendar" | "page" | "media") => Some(desks::calendar(backend)),
        (Says::Answers, _, "grafana" | "otlp" | "pushgateway" | "structured" | "binary" | "text") => Some(desks::receiver(backend, method)),
        (Says::Faults | Says::Answers, ..) => None,
    };
    let told = said(&format!("{backend}-says"));
    let usual = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": told, "code": 403,
        "message": told, "error": told, "name": told, "details": [{"message": told}], "errorCode": told, "errorDetails": told,
    });
    let fault = if matches!(backend, "servicenow" | "stuck") { desks::refusal(backend) } else { usual };
    let status = if body.is_some() { "200 OK".to_owned() } else { format!("403 {REASON}") };
    let (media, body) = match body {
        Some(Value::String(text)) if backend == "media" => (desks::MEDIA, text),
        Some(Value::String(text)) => ("text/plain", text),
        Some(value) => ("application/json", value.to_string()),
        None => ("application/json", fault.to_string()),
    };
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {media}\r\nETag: \"a\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

fn envoy(path: &str) -> Option<Value> {
    let cluster = |name: &str| json!({"name": name, "host_statuses": [{"health_status": {"eds_health_status": "HEALTHY"}}]});
    let route = json!({
        "match": {"prefix": "/", "headers": [{"name": said("envoy-says"), "string_match": {"exact": said("envoy-says")}}]},
        "route": {"weighted_clusters": {"runtime_key_prefix": "routing.checkout", "clusters": [
            {"name": "v1", "weight": 80}, {"name": "v2", "weight": 20},
        ]}},
    });
    let (name, query) = path.split_once('?').unwrap_or((path, ""));
    Some(match name {
        "config_dump" if query.contains("mask") => json!({"configs": [
            {"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "last_updated": "2026-01-01T00:00:00.000Z"},
        ]}),
        "config_dump" if query.contains("static") => json!({"configs": [{"route_config": {"virtual_hosts": [{"routes": [route]}]}}]}),
        "config_dump" => json!({"configs": []}),
        "server_info" => json!({"version": format!("c0ffee/1.40.0 {}/x", said("envoy-says")), "state": "LIVE"}),
        "runtime" => json!({"entries": {said("key"): {"final_value": said("value")}}, "layers": []}),
        "clusters" => json!({"cluster_statuses": [cluster("v1"), cluster("v2"), cluster(&said("cluster"))]}),
        "stats" => json!({"stats": [{"name": said("stat"), "value": 1}]}),
        _ => return None,
    })
}

fn traefik(path: &str) -> Option<Value> {
    let below = |name: &str| json!({"name": name, "status": "enabled", "serverStatus": {said("server"): "UP"}, "provider": said("file")});
    Some(match path.split('?').next().unwrap_or_default() {
        "api/version" => json!({"Version": format!("3.0 {}", said("traefik-says")), "startDate": "2026-01-01T00:00:00.000Z"}),
        "api/http/services" => json!([
            {"name": "shop@file", "type": "weighted", "weighted": {"services": [
                {"name": "v1", "weight": 80}, {"name": "v2", "weight": 20},
            ]}},
            below("v1@file"), below("v2@file"), below(&said("other")),
        ]),
        "api/http/routers" => json!([{"name": said("router"), "rule": said("rule"), "service": "shop"}]),
        _ => return None,
    })
}

fn github(path: &str) -> Option<Value> {
    let path = path.split('?').next().unwrap_or_default();
    let user = json!({"login": said("github-says")});
    let run = |id: u64, status: &str, conclusion: Value| {
        json!({
            "id": id, "run_number": id, "run_attempt": 1, "workflow_id": 5, "display_title": said("github-says"), "path": said("path"),
            "event": said("event"), "status": status, "conclusion": conclusion, "head_branch": said("branch"), "head_sha": said("sha"),
            "actor": user, "triggering_actor": user, "created_at": "2026-01-01T00:00:00Z", "run_started_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
        })
    };
    if path.ends_with("/actions/workflows/release.yml/runs") {
        let all = [run(3, "in_progress", Value::Null), run(2, "completed", json!(said("unknown"))), run(1, "completed", json!("failure"))];
        return Some(json!({"total_count": 3, "workflow_runs": all}));
    }
    if path.ends_with("/jobs") {
        let step = json!({"name": said("step"), "status": "in_progress", "conclusion": null, "number": 1});
        let job = json!({
            "id": 11, "name": said("github-says"), "status": "in_progress", "runner_name": said("runner"), "steps": [step],
            "created_at": "2026-01-01T00:00:00Z", "started_at": "2026-01-01T00:00:00Z",
        });
        return Some(json!({"total_count": 1, "jobs": [job]}));
    }
    None
}

fn kubernetes(path: &str) -> Option<Value> {
    let told = said("kubernetes-says");
    Some(match path.split('?').next().unwrap_or_default() {
        "version" => json!({"major": "1", "minor": "34", "gitVersion": format!("v1.34.0 {told}")}),
        "apis/apps/v1/namespaces/shop/deployments/web" => json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "uid": told, "resourceVersion": "7", "generation": 3,
                "annotations": {"deployment.kubernetes.io/revision": "3"}},
            "spec": {"replicas": 3, "strategy": {"type": told}, "selector": {"matchLabels": {"app": "web"}}, "template": {"spec": {"containers": [
                {"name": "main", "image": format!("shop:2.0-{told}")}, {"name": told, "image": told},
            ]}}},
            "status": {"observedGeneration": 3, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 2, "availableReplicas": 2, "conditions": [
                {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": told},
            ]},
        }),
        _ => return None,
    })
}

fn unleash(path: &str) -> Option<Value> {
    let told = said("unleash-says");
    Some(match path.split('?').next().unwrap_or_default() {
        "api/admin/projects/default/features/new" => json!({
            "name": "new", "archived": false, "stale": true, "description": told, "dependencies": [],
            "environments": [
                {"name": told, "enabled": true, "strategies": []},
                {"name": "production", "enabled": true, "strategies": [
                    {"id": "a", "name": "flexibleRollout", "title": told, "parameters": {"rollout": "25", "stickiness": told, "groupId": told}},
                    {"id": "b", "name": told, "title": told, "parameters": {told.clone(): told}},
                ]},
            ],
        }),
        "api/admin/search/events" => json!({"events": [{"createdAt": "2026-01-01T00:00:00.000Z", "createdBy": told}], "total": 1}),
        _ => return None,
    })
}
