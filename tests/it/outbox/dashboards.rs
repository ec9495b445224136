//! Deployments on dashboards: Grafana's annotations, log records by OTLP, gauges at a real Pushgateway; each told once however it breaks.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use gonogo::adapters::clock::SystemClock;
use gonogo::adapters::notify::grafana::Grafana;
use gonogo::adapters::notify::otlp::Otlp;
use gonogo::adapters::notify::pushgateway::Pushgateway;
use gonogo::adapters::notify::webhook::Resolved;
use gonogo::config::secret::Secret;
use gonogo::config::settings::{WebhookAddress, WebhookSettings};
use gonogo::control::driver::courier::{Courier, Way};
use gonogo::model::deed::{EntryKind, Permit};
use gonogo::model::intent::{Direction, Verb};
use gonogo::model::part::{Part, PartOf};
use gonogo::model::plan::{Plan, StepEffect};
use gonogo::model::share::Percent;
use gonogo::model::slot::Slot;
use gonogo::model::text::Text;
use gonogo::model::verdict::Verdict;
use gonogo::ports::ledger::{Ledger as _, Outcome};
use gonogo::ports::notify::Notify;
use gonogo::ports::outbox::Outbox as _;
use gonogo::store::SqliteStore;
use serde_json::{Value, json};

use super::bench::{Work, know, note, passed, plan, settings, store, until};
use crate::servers::grafana::{Grafana as Annotations, TOKEN};
use crate::servers::prometheus::Prometheus;
use crate::servers::pushgateway::Pushgateway as Gateway;
use crate::servers::receiver::{Answer, Receiver};
use crate::servers::support::{get, installed, wait_for};

/// A deed of a verb, with an effect unless it starts a rollout.
fn deed(store: &SqliteStore, verb: Verb, nonce: &str, percent: Option<u8>) -> Plan {
    let mut plan = plan(store, "", nonce);
    (plan.order.verb, plan.intent.verb, plan.order.text) = (verb, verb, None);
    plan.order.percent = percent.and_then(Percent::new);
    if verb != Verb::Rollout {
        let weights = [("v1".parse().unwrap(), 80), ("v2".parse().unwrap(), 20)].into();
        plan.order.effects = vec![StepEffect::Weights { backend: "edge".parse().unwrap(), pool: "be_checkout".parse().unwrap(), weights }];
        plan.order.targets[0].slot = Some(Slot::Second);
    }
    plan.direction = Direction::Forward;
    if verb == Verb::Abort {
        plan.direction = Direction::Back;
        plan.order.ends = Some(Slot::First);
    }
    plan.released.from.version = Some(Text::clean("2.4.1"));
    plan.released.to.version = Some(Text::clean("2.5.0"));
    plan.id = plan.order.id().unwrap();
    plan
}

/// Records a deed from its intent to what became of it.
async fn recorded(store: &SqliteStore, plan: &Plan, end: EntryKind) {
    let id = plan.id;
    let begun = store.begin(plan, &move |_: &_| Verdict::Permit(Permit::grant(id))).await.unwrap();
    if plan.order.effects.is_empty() {
        return;
    }
    store.sending(&begun, 0).await.unwrap();
    let outcome = |kind, step: Option<u32>, releases| Outcome {
        kind,
        step,
        words: Text::clean("seen"),
        error: None,
        changes: Vec::new(),
        releases,
        held_due: None,
        no_help: false,
    };
    if end == EntryKind::Effective {
        store.record(id, &outcome(EntryKind::Accepted, Some(0), false)).await.unwrap();
        store.record(id, &outcome(EntryKind::Effective, Some(0), false)).await.unwrap();
        store.record(id, &outcome(EntryKind::Effective, None, true)).await.unwrap();
    } else {
        store.record(id, &outcome(end, Some(0), true)).await.unwrap();
    }
}

/// A rollout from its beginning over a step to its way back.
async fn story(store: &SqliteStore) {
    recorded(store, &deed(store, Verb::Rollout, "1", None), EntryKind::Effective).await;
    recorded(store, &deed(store, Verb::Shift, "2", Some(20)), EntryKind::Effective).await;
    recorded(store, &deed(store, Verb::Abort, "3", Some(0)), EntryKind::Effective).await;
    note(store, "said").await;
}

fn of(name: &str, receiver: &Receiver, url: &str) -> (WebhookSettings, Resolved) {
    let settings = WebhookSettings { address: WebhookAddress::Plain(url.to_owned()), ..settings(name, receiver) };
    (settings, Resolved { url: url.to_owned(), secret: None, token: Some(Secret::new(TOKEN.to_owned())) })
}

fn courier(settings: &WebhookSettings, way: impl Notify + 'static) -> Courier {
    Courier { name: settings.name.clone(), wants: settings.wants.clone(), way: Way::Notices(Arc::new(way)) }
}

fn grafana(at: &Annotations) -> Courier {
    let (settings, resolved) = of("grafana", &at.receiver, &format!("{}/grafana", at.receiver.origin()));
    courier(&settings, Grafana::new(&settings, &resolved, "shop", Arc::new(SystemClock)).unwrap())
}

fn otlp(at: &Receiver) -> Courier {
    let (settings, resolved) = of("otel", at, &at.origin());
    courier(&settings, Otlp::new(&settings, &resolved, "shop", Arc::new(SystemClock)).unwrap())
}

fn has(one: &Value, tag: &str) -> bool {
    one["tags"].as_array().unwrap().iter().any(|own| own == tag)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_is_one_region_on_grafana_and_each_deed_one_mark_however_often_it_breaks() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let at = Annotations::start();
    know(&store, &["grafana"]).await;
    recorded(&store, &deed(&store, Verb::Rollout, "1", None), EntryKind::Effective).await;
    let work = Work::of(&store, vec![grafana(&at)]);
    passed(&store, "grafana").await;
    let open = at.annotations();
    assert_eq!((open.len(), has(&open[0], "gonogo-rollout:open"), &open[0]["timeEnd"]), (1, true, &Value::Null), "{open:?}");
    drop(work);
    recorded(&store, &deed(&store, Verb::Shift, "2", Some(20)), EntryKind::Effective).await;
    recorded(&store, &deed(&store, Verb::Abort, "3", Some(0)), EntryKind::Effective).await;
    at.receiver.answers([
        Answer::Status(503, ""),
        Answer::Reset,
        Answer::Status(429, "Retry-After: 1\r\n"),
        Answer::Silent,
        Answer::Status(500, ""),
    ]);
    let _work = Work::of(&store, vec![grafana(&at)]);
    passed(&store, "grafana").await;
    let all = at.annotations();
    assert_eq!(all.len(), 3, "{all:?}");
    let region = &all[0];
    assert!(has(region, "gonogo-rollout:went-back") && !has(region, "gonogo-rollout:open"), "{region}");
    assert!(region["timeEnd"].as_i64() >= region["time"].as_i64(), "{region}");
    for (one, verb) in [(&all[1], "shift"), (&all[2], "abort")] {
        for tag in ["gonogo", "service:checkout", "environment:prod", "state:effective", &format!("verb:{verb}")] {
            assert!(has(one, tag), "{tag}: {one}");
        }
        assert!(one["time"].as_i64() <= one["timeEnd"].as_i64() && one["text"].as_str().unwrap().contains("checkout@prod"), "{one}");
    }
    assert!(has(&all[1], "version:2.5.0") && has(&all[2], "version:2.4.1"), "{all:?}");
    let got = at.receiver.got();
    let refused = got.iter().position(|got| got.status == Some(429)).unwrap();
    assert!(got[refused + 1].at - got[refused].at >= Duration::from_millis(950), "Retry-After is heeded");
}

/// P28: an answer that was lost after it was taken makes no second mark.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_grafana_took_before_the_answer_was_lost_is_not_marked_twice() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let at = Annotations::start();
    know(&store, &["grafana"]).await;
    recorded(&store, &deed(&store, Verb::Shift, "1", Some(20)), EntryKind::Effective).await;
    let name = "grafana".parse().unwrap();
    let lines = store.before(&name, 99).await.unwrap().lines;
    let told = lines.iter().map(|line| line.seq);
    let courier = grafana(&at);
    let Way::Notices(port) = &courier.way else { panic!("it takes notices") };
    for seq in told.clone().chain(told) {
        port.tell(&store.notice(seq).await.unwrap().unwrap()).await.unwrap();
    }
    assert_eq!(at.annotations().len(), 1, "{:?}", at.annotations());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_grafana_repeats_in_its_refusal_is_in_no_words_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let at = Annotations::start();
    know(&store, &["grafana"]).await;
    at.receiver.answers_by(|got| (403, json!({ "message": format!("no: {}", got.head("authorization").unwrap()) }).to_string()));
    recorded(&store, &deed(&store, Verb::Shift, "1", Some(20)), EntryKind::Effective).await;
    let _work = Work::of(&store, vec![grafana(&at)]);
    let name: gonogo::model::name::BackendName = "grafana".parse().unwrap();
    let parked = loop {
        let progress = store.progress().await.unwrap().into_iter().find(|one| one.name == name).unwrap();
        if let Some(parked) = progress.parked.first() {
            break parked.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(parked.why.as_str().contains("403") && !parked.why.as_str().contains(TOKEN), "{}", parked.why);
    assert!(parked.why.as_str().contains("(secret)"), "{}", parked.why);
}

/// Reads requests as the messages of the protocol, strictly; says what it read.
const READER: &str = r#"
import json, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
out = []
for body in json.load(sys.stdin):
    read = json_format.Parse(body, logs.ExportLogsServiceRequest())
    assert len(read.resource_logs) == 1 and len(read.resource_logs[0].scope_logs) == 1
    of = read.resource_logs[0]
    value = lambda v: getattr(v, v.WhichOneof("value"))
    named = lambda all: {one.key: value(one.value) for one in all}
    [record] = of.scope_logs[0].log_records
    out.append({"resource": named(of.resource.attributes), "scope": of.scope_logs[0].scope.name, "event": record.event_name,
                "time": record.time_unix_nano, "observed": record.observed_time_unix_nano, "severity": record.severity_number,
                "body": value(record.body), "attributes": named(record.attributes)})
print(json.dumps(out))
"#;

fn read(bodies: &[Vec<u8>]) -> Vec<Value> {
    let mut child = Command::new(installed().join("venv/bin/python"))
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let texts: Vec<_> = bodies.iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect();
    child.stdin.take().unwrap().write_all(json!(texts).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_records_are_what_the_protocol_s_own_messages_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let collector = Receiver::start();
    collector.answers_by(|_| (200, "{}".to_owned()));
    know(&store, &["otel"]).await;
    story(&store).await;
    recorded(&store, &deed(&store, Verb::Shift, "9", Some(50)), EntryKind::Failed).await;
    let _work = Work::of(&store, vec![otlp(&collector)]);
    passed(&store, "otel").await;
    let got = collector.got();
    assert!(got.iter().all(|got| got.line == "POST /v1/logs HTTP/1.1" && got.head("content-type") == Some("application/json")), "{got:?}");
    let records = read(&got.into_iter().map(|got| got.body).collect::<Vec<_>>());
    for one in &records {
        assert_eq!(
            (&one["resource"]["service.name"], &one["resource"]["deployment.environment.name"]),
            (&json!("checkout"), &json!("prod"))
        );
        assert!(one["time"].as_u64() > Some(1_700_000_000_000_000_000) && one["observed"].as_u64() >= one["time"].as_u64(), "{one}");
        assert!(one["event"].as_str().unwrap().starts_with("gonogo."), "{one}");
    }
    let events: Vec<_> = records.iter().map(|one| one["event"].as_str().unwrap()).collect();
    for event in ["gonogo.deed.intended", "gonogo.deed.effective", "gonogo.note.written", "gonogo.deed.failed"] {
        assert!(events.contains(&event), "{events:?}");
    }
    let failed = records.iter().find(|one| one["event"] == "gonogo.deed.failed").unwrap();
    assert_eq!((&failed["severity"], &failed["attributes"]["deployment.status"]), (&json!(17), &json!("failed")), "{failed}");
    assert_eq!((&failed["attributes"]["gonogo.share"], &failed["attributes"]["gonogo.version"]), (&json!(50), &json!("2.5.0")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otlp_is_tried_again_only_where_the_protocol_lets_it_and_a_rejected_record_is_set_aside_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let collector = Receiver::start();
    collector.answers_by(|_| (200, json!({ "partialSuccess": { "rejectedLogRecords": "1", "errorMessage": "too old" } }).to_string()));
    know(&store, &["otel"]).await;
    collector.answers([Answer::Status(503, ""), Answer::Status(429, "Retry-After: 1\r\n"), Answer::Reset, Answer::Status(500, "")]);
    note(&store, "said").await;
    let _work = Work::of(&store, vec![otlp(&collector)]);
    passed(&store, "otel").await;
    let statuses: Vec<_> = collector.got().iter().map(|got| got.status).collect();
    assert_eq!(statuses, [Some(503), Some(429), None, Some(500), Some(200), Some(200)], "a 500 and a rejection come once");
    let progress = store.progress().await.unwrap().remove(0);
    assert_eq!(progress.parked.len(), 3, "{progress:?}");
    assert!(progress.parked[1].why.as_str().contains("too old"), "{progress:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_reads_from_a_real_pushgateway_when_what_was_deployed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let gateway = Gateway::start();
    let spare = Receiver::start();
    let url = format!("http://127.0.0.1:{}", gateway.port);
    let (settings, resolved) = of("push", &spare, &url);
    know(&store, &["push"]).await;
    recorded(&store, &deed(&store, Verb::Rollout, "1", None), EntryKind::Effective).await;
    recorded(&store, &deed(&store, Verb::Shift, "2", Some(20)), EntryKind::Effective).await;
    let way = || courier(&settings, Pushgateway::new(&settings, &resolved, Arc::new(SystemClock)).unwrap());
    let work = Work::of(&store, vec![way()]);
    passed(&store, "push").await;
    let prometheus = Prometheus::start(&[gateway.port], "", "");
    let asked = |query: &str, wanted: &str| {
        wait_for(query, Duration::from_secs(30), || {
            let path = format!("/api/v1/query?query={}", query.replace('{', "%7B").replace('}', "%7D").replace('"', "%22"));
            let answer = get(prometheus.port, &path)?;
            answer.contains(wanted).then_some(answer)
        })
    };
    asked("gonogo_rollout_running{service=\"checkout\",environment=\"prod\",job=\"gonogo\"}", "\"1\"]");
    asked("gonogo_deployment_share_ratio{service=\"checkout\"}", "\"0.2\"]");
    asked("gonogo_deployment_info{service=\"checkout\",verb=\"shift\",version=\"2.5.0\"}", "\"1\"]");
    asked("gonogo_deployment_timestamp_seconds{environment=\"prod\"}", "\"gonogo_deployment_timestamp_seconds\"");
    drop(work);
    // What the way back says nothing of stays; what it says replaces what was there.
    recorded(&store, &deed(&store, Verb::Abort, "3", Some(0)), EntryKind::Effective).await;
    recorded(&store, &deed(&store, Verb::Shift, "4", Some(20)), EntryKind::Failed).await;
    let _work = Work::of(&store, vec![way()]);
    passed(&store, "push").await;
    let text = gateway.scraped();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("gonogo_")).collect();
    let of = |name: &str| lines.iter().filter(|line| line.starts_with(name)).collect::<Vec<_>>();
    assert_eq!(of("gonogo_deployment_info").len(), 1, "{lines:?}");
    assert!(of("gonogo_deployment_info")[0].contains("verb=\"abort\",version=\"2.4.1\""), "{lines:?}");
    assert!(of("gonogo_rollout_running")[0].ends_with(" 0") && of("gonogo_deployment_share_ratio")[0].ends_with(" 0"), "{lines:?}");
    assert_eq!(of("gonogo_deployment_failed_timestamp_seconds").len(), 1, "{lines:?}");
    let mut check = Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let own = text.lines().filter(|line| line.contains("gonogo_")).collect::<Vec<_>>().join("\n") + "\n";
    check.stdin.take().unwrap().write_all(own.as_bytes()).unwrap();
    let checked = check.wait_with_output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// The page: what calls a person is an annotation, a log record and a metric of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_back_that_failed_is_grave_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let (at, collector, gateway) = (Annotations::start(), Receiver::start(), Gateway::start());
    collector.answers_by(|_| (200, "{}".to_owned()));
    know(&store, &["grafana", "otel", "push"]).await;
    let mut back = deed(&store, Verb::Abort, "1", Some(0));
    back.order.of = Some(PartOf { part: Part::WayBack, rollout: gonogo::model::name::PlanId([7; 32]) });
    back.id = back.order.id().unwrap();
    recorded(&store, &back, EntryKind::Failed).await;
    let (settings, resolved) = of("push", &collector, &format!("http://127.0.0.1:{}", gateway.port));
    let push = courier(&settings, Pushgateway::new(&settings, &resolved, Arc::new(SystemClock)).unwrap());
    let _work = Work::of(&store, vec![grafana(&at), otlp(&collector), push]);
    for name in ["grafana", "otel", "push"] {
        passed(&store, name).await;
    }
    until("the annotation", || at.annotations().iter().any(|one| has(one, "severity:critical") && has(one, "state:way-back-failed"))).await;
    let bodies: Vec<_> = collector.got().into_iter().map(|got| got.body).collect();
    let fatal: Vec<_> = read(&bodies).into_iter().filter(|one| one["severity"] == 21).collect();
    assert_eq!((fatal.len(), &fatal[0]["event"]), (1, &json!("gonogo.rollout.way-back-failed")));
    assert!(fatal[0]["body"].as_str().unwrap().contains("CRITICAL checkout@prod DID NOT GO BACK BY ITSELF"), "{fatal:?}");
    assert!(gateway.scraped().contains("gonogo_way_back_failed_timestamp_seconds{"));
}
