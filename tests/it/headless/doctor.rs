//! `gonogo doctor` on what is to be mended beside the backends: each with one sentence of what to do.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::place::Place;
use crate::servers::fault::Fault;

/// What is told about something, with what to do.
fn told(answer: &Value, about: &str) -> String {
    let findings = answer["findings"].as_array().unwrap().iter().filter(|one| one["about"].as_str().unwrap().contains(about));
    findings.map(|one| format!("{} DO {}", one["told"].as_str().unwrap(), one["fix"].as_str().unwrap())).collect::<Vec<_>>().join("\n")
}

fn chmod(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_smells_in_a_configuration_is_told_with_what_to_do() {
    let place = Place::bare();
    chmod(&place.write("token", "planted\n"), 0o644);
    place.configure(&format!(
        "[ledger]\nwitness = [\"{witness}\"]\n\
         [[person]]\nname = \"ana\"\nos_user = \"ana\"\nroles = [{{ role = \"captain\" }}]\n\
         [[person]]\nname = \"bo\"\nos_user = \"bo\"\nroles = [{{ role = \"captain\" }}]\n\
         [[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = \"/nonexistent.sock\"\nevery = \"1m\"\n\
         [[backend]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:1\"\ntoken = {{ file = \"{token}\" }}\nevery = \"20s\"\nstale_after = \"10s\"\n\
         [[backend]]\nname = \"flags\"\nkind = \"unleash\"\nurl = \"http://127.0.0.1:1\"\ntoken = {{ env = \"NOT_SET\" }}\n\
         [[environment]]\nname = \"prod\"\norder = 1\n\
         [[environment]]\nname = \"strict\"\norder = 2\nprotection = {{ approvals = 2, approver_roles = [\"captain\"] }}\n\
         [[service]]\nname = \"checkout\"\n[service.deploy.prod]\nstrategy = \"canary\"\n\
         traffic = [{{ backend = \"edge\", pool = \"be\", stable = [\"v1\"], canary = [\"v2\"] }}]\n\
         [[service]]\nname = \"search\"\n[service.deploy.prod]\nstrategy = \"canary\"\n\
         [[service.signal]]\nname = \"errors\"\nkind = \"value\"\nbackend = \"prom\"\nquery = \"x\"\n\
         [[service]]\nname = \"lonely\"\n",
        witness = place.path("data/witness").display(),
        token = place.path("token").display(),
    ));
    chmod(&place.path("config/gonogo/gonogo.toml"), 0o666);
    let answer = place.json(0, &["doctor"]);
    for (about, words, fix) in [
        ("environment prod", "called like production, and anybody may change it", "typed_confirmation = true"),
        ("environment prod", "`effective_within` is over before edge is asked again", "a shorter `every` of edge"),
        ("environment strict", "needs 2 approvals of others, and 2 people may give one", "one more person"),
        ("checkout@prod", "a canary without signals", "[[service.signal]]"),
        ("search@prod", "no deed is possible", "write `traffic`"),
        ("signal errors of search", "no limit", "write `limit`"),
        ("service lonely", "neither a pipeline nor a deployment", "take it out"),
        ("backend flags", "polled for nothing", "take it out"),
        ("backend flags", "variable NOT_SET of its secret is not set", "set NOT_SET"),
        ("backend prom", "may read or write the file of its secret", "chmod 600"),
        ("configuration", "others may write", "chmod go-w"),
        ("gonogo.toml:", "facts are stale before the next poll", "write `stale_after` longer than `every`"),
        ("store", "lies on the same file system as the store", "another machine or disk"),
    ] {
        let found = told(&answer, about);
        assert!(found.lines().any(|line| line.contains(words) && line.contains(fix)), "{about}: {words}, {fix}:\n{found}\n{answer:#}");
    }
    let said = place.run(&["doctor"]).exits(0).out;
    assert!(said.contains("service lonely: it has neither") && said.contains("\n  do: write `pipeline` or"), "{said}");
    assert!(!said.contains("planted"), "{said}");
}

/// Fails the test unless Prometheus' own tool takes these metrics, without a remark.
pub fn promtool_takes(text: &str) {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = promtool.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = child.wait_with_output().unwrap();
    assert!(said.status.success() && said.stdout.is_empty() && said.stderr.is_empty(), "{said:?}\n{text}");
}

#[test]
fn what_it_tells_of_itself_are_metrics_that_promtool_takes() {
    let pair = super::place::Pair::shared();
    let place = pair.room(&super::place::Pair::pool()).place();
    let text = place.run(&["metrics"]).exits(0).out;
    for line in [
        "gonogo_backend_fresh{backend=\"edge\",kind=\"haproxy\"} 1",
        "gonogo_ledger_writable 1",
        "gonogo_store_whole 1",
        "gonogo_findings ",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    promtool_takes(&text);
    // A backend that is away is 0, and has no age.
    let away = super::place::Room { socket: "/nonexistent.sock".to_owned(), ..pair.room("p") }.place();
    let text = away.run(&["metrics"]).exits(0).out;
    assert!(text.contains("gonogo_backend_fresh{backend=\"edge\",kind=\"haproxy\"} 0"), "{text}");
    assert!(!text.contains("gonogo_backend_age_seconds{backend=\"edge\""), "{text}");
    assert!(Place::bare().run(&["metrics"]).exits(8).err.contains("gonogo init"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_is_told_by_how_much() {
    let late = Fault::start(|mut stream, _| async move {
        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await;
    })
    .await;
    let url = late.url();
    tokio::task::spawn_blocking(move || {
        let place = Place::with(&format!("[[backend]]\nname = \"alerts\"\nkind = \"alertmanager\"\nurl = \"{url}\"\n"));
        let said = place.run(&["doctor"]).exits(0).out;
        assert!(said.contains("  its clock is ") && said.contains(" s behind ours; set both by NTP"), "{said}");
        assert!(place.json(0, &["doctor"])["backends"][0]["skew_ms"].as_i64().unwrap() < -2000);
    })
    .await
    .unwrap();
}
