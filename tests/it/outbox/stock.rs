//! What a receiver has: the stock libraries of Standard Webhooks and CloudEvents take what we send.

use std::io::Write as _;
use std::process::{Command, Stdio};

use gonogo::config::settings::Format;
use gonogo::ports::ledger::Ledger as _;
use serde_json::{Value, json};

use super::bench::{SECRET, Work, courier, know, note, settings, store, until};
use crate::servers::receiver::{Got, Receiver};
use crate::servers::support::installed;

/// Reads requests as `[{heads, body}]`, verifies each signature and reads each event; says what it read as JSON.
const PROGRAM: &str = r#"
import base64, json, sys
from standardwebhooks import Webhook, WebhookVerificationError
from cloudevents.http import from_http
import jsonschema
told = json.load(sys.stdin)
schema = json.load(open(told["schema"]))
hook = Webhook(told["secret"])
out = []
for one in told["requests"]:
    body = base64.b64decode(one["body"])
    hook.verify(body, one["heads"])
    changed = body.replace(b"prod", b"prud")
    try:
        hook.verify(changed, one["heads"])
        raise SystemExit("a changed body was taken")
    except WebhookVerificationError:
        pass
    if one["event"]:
        event = from_http(one["heads"], body)
        jsonschema.validate(event.data, schema)
        out.append({"id": event["id"], "source": event["source"], "type": event["type"], "subject": event["subject"],
                    "time": event["time"], "specversion": event["specversion"], "data": event.data})
    else:
        out.append(json.loads(body))
print(json.dumps(out))
"#;

fn read_by_stock(requests: &[Got], event: bool) -> Vec<Value> {
    use base64ct::Encoding as _;
    let told = json!({
        "secret": SECRET,
        "schema": concat!(env!("CARGO_MANIFEST_DIR"), "/src/adapters/notify/event-1.schema.json"),
        "requests": requests.iter().map(|got| json!({
            "heads": got.heads.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "body": base64ct::Base64::encode_string(&got.body),
            "event": event,
        })).collect::<Vec<_>>(),
    });
    let mut child = Command::new(installed().join("venv/bin/python"))
        .args(["-c", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(told.to_string().as_bytes()).unwrap();
    let said = child.wait_with_output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).unwrap()
}

/// What a receiver got, each notice once: on a slow machine an answer may come too late, and then the notice comes again.
fn once(receiver: &Receiver) -> Vec<Got> {
    let mut ids = std::collections::BTreeSet::new();
    receiver.got().into_iter().filter(|got| ids.insert(got.id().to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_modes_and_the_line_of_text_are_verified_and_read_by_stock_libraries() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let (whole, heads, chat) = (Receiver::start(), Receiver::start(), Receiver::start());
    know(&store, &["whole", "heads", "chat"]).await;
    let first = store.size().await.unwrap();
    note(&store, "hello <b> & \u{e9}\u{1b}[2J").await;
    let mut binary = settings("heads", &heads);
    binary.format = Format::Binary;
    let mut text = settings("chat", &chat);
    text.format = Format::Text { member: "text".to_owned() };
    let couriers = vec![courier(&settings("whole", &whole), &whole), courier(&binary, &heads), courier(&text, &chat)];
    let _work = Work::of(&store, couriers);
    until("3 notices each", || [&whole, &heads, &chat].iter().all(|one| one.taken().len() >= 3)).await;
    let installation = store.installation();
    let (by_body, by_heads) = (read_by_stock(&once(&whole), true), read_by_stock(&once(&heads), true));
    assert_eq!(by_body, by_heads, "both modes say the same");
    for (place, event) in by_body.iter().enumerate() {
        let n = first + u64::try_from(place).unwrap();
        assert_eq!(event["id"], format!("{installation}/{n}"));
        assert_eq!(event["source"], format!("gonogo/{installation}"));
        assert_eq!((&event["specversion"], &event["subject"]), (&"1.0".into(), &"checkout@prod".into()));
        assert_eq!((&event["data"]["n"], &event["data"]["requester"]), (&n.into(), &"ana".into()));
    }
    let types: Vec<_> = by_body.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["dev.gonogo.deed.intended.v1", "dev.gonogo.note.written.v1", "dev.gonogo.deed.effective.v1"]);
    assert_eq!(whole.got()[0].head("content-type"), Some("application/cloudevents+json; charset=utf-8"));
    assert_eq!((heads.got()[0].head("content-type"), heads.got()[0].head("ce-datacontenttype")), (Some("application/json"), None));
    let lines = read_by_stock(&once(&chat), false);
    assert_eq!(lines[1], json!({"text": "[shop] NOTE note checkout@prod by ana: hello &lt;b&gt; &amp; \u{e9}\u{241b}[2J"}));
}
