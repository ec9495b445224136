//! What an open room tells of itself: metrics in a file, and a log in which no secret is, whatever a backend says and however much is logged.

use std::path::Path;

use serde_json::Value;

use crate::headless::doctor::promtool_takes;
use crate::headless::place::{Pair, Place, Room};
use crate::pty::{SOON, Term};
use crate::servers::fault::Fault;
use crate::servers::support::wait_for;

/// A room in a terminal over what is configured here.
fn room(place: &Place, env: &[(&str, &str)]) -> Term {
    let file = place.path("config/gonogo/gonogo.toml");
    Term::start_in(place.home(), &["--config", file.to_str().unwrap()], (120, 40), env)
}

/// The value of a line of metrics.
fn value(text: &str, line: &str) -> Option<f64> {
    text.lines().find_map(|one| one.strip_prefix(line)?.strip_prefix(' ')?.parse().ok())
}

fn until(file: &Path, what: &str, is_so: impl Fn(&str) -> bool) -> String {
    wait_for(what, SOON, || std::fs::read_to_string(file).ok().filter(|text| is_so(text)))
}

#[test]
fn an_open_room_writes_metrics_that_promtool_takes_and_its_last_word() {
    let pair = Pair::shared();
    let more = "[metrics]\nfile = \"gonogo.prom\"\nevery = \"1s\"\n\
                [[backend]]\nname = \"away\"\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:1\"\nevery = \"1s\"\n";
    let place = Room { more: more.to_owned(), ..pair.room(&Pair::pool()) }.place();
    let file = place.path("config/gonogo/gonogo.prom");
    let room = room(&place, &[]);
    room.sees("checkout", SOON).press("j k j k");
    let polls = "gonogo_polls_total{backend=\"edge\",kind=\"haproxy\",result=\"ok\"}";
    let lost = "gonogo_polls_total{backend=\"away\",kind=\"alertmanager\",result=\"unreachable\"}";
    let text = until(&file, "polls, keys and frames to be counted", |text| {
        let at_least = |line: &str, least: f64| value(text, line).is_some_and(|value| value >= least);
        at_least(polls, 2.0)
            && at_least(lost, 1.0)
            && at_least("gonogo_inputs_total", 4.0)
            && at_least("gonogo_terminal_write_seconds_count", 2.0)
    });
    promtool_takes(&text);
    assert!(value(&text, "gonogo_backend_age_seconds{backend=\"edge\",kind=\"haproxy\"}").unwrap() < 60.0, "{text}");
    assert!(!text.contains("gonogo_backend_age_seconds{backend=\"away\""), "what was never read has no age: {text}");
    let frames = value(&text, "gonogo_frame_seconds_count").unwrap();
    assert!(frames >= 2.0 && value(&text, "gonogo_frame_seconds_bucket{le=\"+Inf\"}") == Some(frames), "{text}");
    assert!(value(&text, "gonogo_terminal_written_bytes_total").unwrap() > 1000.0, "{text}");
    for line in ["gonogo_room_open", "gonogo_ledger_writable", "gonogo_journal_writable"] {
        assert_eq!(value(&text, line), Some(1.0), "{line}: {text}");
    }
    // It is written again and again, and when the room is closed once more.
    let before = value(&text, polls).unwrap();
    until(&file, "more polls", |text| value(text, polls).is_some_and(|polls| polls > before));
    room.press("q").exit_code(SOON);
    let last = std::fs::read_to_string(&file).unwrap();
    assert_eq!(value(&last, "gonogo_room_open"), Some(0.0), "{last}");
    promtool_takes(&last);
    let said = place.run(&["doctor"]).exits(0).out;
    assert!(said.contains("metrics: an open room writes ") && said.contains("gonogo.prom; written "), "{said}");
}

#[test]
fn a_room_opens_where_neither_metrics_nor_log_can_be_written_and_doctor_says_so() {
    let place = Place::with(
        "[metrics]\nfile = \"absent/gonogo.prom\"\n[log]\nfile = \"gonogo.toml/gonogo.log\"\n\
         [[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = \"/nonexistent.sock\"\n[[environment]]\nname = \"prod\"\n\
         [[service]]\nname = \"checkout\"\n[service.deploy.prod]\nstrategy = \"canary\"\n\
         traffic = [{ backend = \"edge\", pool = \"be\", stable = [\"v1\"], canary = [\"v2\"] }]\n",
    );
    let room = room(&place, &[]);
    room.sees("checkout", SOON).press("q").exit_code(SOON);
    room.gave_the_terminal_back();
    let answer = place.json(0, &["doctor"]);
    for (about, words) in [("metrics", "absent cannot be seen"), ("log", "gonogo.toml is no directory")] {
        assert!(answer[about]["error"].as_str().unwrap().contains(words), "{answer:#}");
        let told = answer["findings"].as_array().unwrap().iter().find(|one| one["about"] == about).unwrap();
        assert!(told["fix"].as_str().unwrap().contains("the room goes on without it"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_log_of_a_room_that_logs_everything() {
    const TOKEN: &str = "s3cr3t-t0k3n-4711";
    const PASSWORD: &str = "p4ssw0rd-of-ana";
    let server = Fault::start(|mut stream, request| async move {
        // A backend that repeats what it was told, and tells more than it should: of itself, and of others.
        let sent = request.lines().find_map(|line| line.to_ascii_lowercase().starts_with("authorization:").then(|| line.to_owned()));
        let body = serde_json::json!({
            "error": format!("{} is not known at https://ana:planted-pass@db.example/x?access_token=planted-query", sent.unwrap_or_default()),
            "Cookie": "session=planted-cookie",
        })
        .to_string();
        let answer = format!(
            "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nSet-Cookie: session=planted-set; Path=/\r\n\
             X-Api-Key: planted-key\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await;
    })
    .await;
    let url = server.url();
    tokio::task::spawn_blocking(move || {
        use base64ct::Encoding as _;
        let pair = Pair::shared();
        let more = format!(
            "[log]\nfile = \"room.log\"\nlevel = \"trace\"\nbytes = 10_000\nkeep = 500\n\
             [[backend]]\nname = \"guarded\"\nkind = \"alertmanager\"\nurl = \"{url}\"\nevery = \"200ms\"\ntoken = {{ env = \"GUARD\" }}\n\
             [[backend]]\nname = \"walled\"\nkind = \"prometheus\"\nurl = \"{url}\"\nevery = \"200ms\"\nuser = \"ana\"\npassword = {{ env = \"WALL\" }}\n"
        );
        let place = Room { more, ..pair.room(&Pair::pool()) }.place();
        let room = room(&place, &[("GUARD", TOKEN), ("WALL", PASSWORD)]);
        let folder = place.path("config/gonogo");
        let logs = || {
            let files = std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path());
            let mut files: Vec<_> = files.filter(|file| file.file_name().unwrap().to_str().unwrap().starts_with("room.log")).collect();
            files.sort();
            files
        };
        let all = || logs().iter().map(|file| std::fs::read_to_string(file).unwrap()).collect::<String>();
        room.sees("checkout", SOON);
        let text = wait_for("answers of both in the log, and a full file", SOON, || {
            let text = all();
            let both = ["\"guarded\"", "\"walled\""].iter().all(|name| text.matches(name).count() > 4);
            (both && logs().len() > 2 && text.contains("401")).then_some(text)
        });
        room.press("q").exit_code(SOON);
        let text = format!("{text}{}", all());
        let both = base64ct::Base64Unpadded::encode_string(format!("ana:{PASSWORD}").as_bytes());
        for secret in [TOKEN, PASSWORD, &both, "planted"] {
            assert!(!text.contains(secret), "{secret}: {}", text.lines().find(|line| line.contains(secret)).unwrap_or_default());
        }
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let at = chrono::DateTime::parse_from_rfc3339(line["time"].as_str().unwrap()).unwrap();
            assert!(at.offset().local_minus_utc() == 0 && line["target"].as_str().unwrap().starts_with("gonogo"), "{line}");
            assert!(line["level"].is_string() && line["message"].is_string() && line["fields"].is_object(), "{line}");
        }
        for words in ["(secret)", "a poll failed", "taken in", "the room is closed"] {
            assert!(text.contains(words), "{words}");
        }
    })
    .await
    .unwrap();
}
