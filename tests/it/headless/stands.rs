//! `status`, `show`, `doctor`: how everything stands, also where a backend answers nonsense.

use std::time::Duration;

use super::place::{Pair, Room, texts};
use super::shape;
use crate::servers::fault::{Fault, answer, json};

#[test]
fn status_has_every_key_and_says_where_it_comes_from() {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    let status = place.json(0, &["status"]);
    shape::status(&status);
    assert_eq!(status["simulated"], false);
    assert_eq!(texts(&status["backends"], "state"), ["fresh", "fresh"]);
    let one = &status["services"][0];
    assert_eq!((&one["name"], &one["team"]), (&"checkout".into(), &"payments".into()));
    let one = &one["environments"][0];
    assert_eq!(
        (&one["name"], &one["version"], &one["digest"], &one["stale"]),
        (&"prod".into(), &"2.4.1".into(), &"sha256:v1".into(), &false.into())
    );
    let words = place.run(&["status"]).exits(0);
    assert!(words.out.contains("checkout@prod") && words.out.contains("2.4.1") && words.err.is_empty(), "{words:?}");
}

#[test]
fn a_selector_narrows_and_one_that_selects_nothing_is_exit_10() {
    let pair = Pair::shared();
    let more =
        "[[environment]]\nname = \"stage\"\n[[service]]\nname = \"mail\"\n[service.deploy.stage]\nstrategy = \"canary\"\n".to_owned();
    let place = Room { more, ..pair.room(&Pair::pool()) }.place();
    for (selector, wanted) in
        [("checkout", vec!["checkout"]), ("mail@stage", vec!["mail"]), ("@prod", vec!["checkout"]), ("*@stage", vec!["mail"])]
    {
        let status = place.json(0, &["status", selector]);
        shape::status(&status);
        assert_eq!(texts(&status["services"], "name"), wanted, "{selector}");
    }
    for selector in ["mail@prod", "nothing", "@nowhere", "*@nowhere"] {
        let said = place.run(&["status", selector, "--json"]).exits(10);
        assert!(said.out.is_empty() && !said.err.is_empty(), "{said:?}");
    }
}

#[test]
fn every_screen_has_a_headless_twin() {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    place.run(&["shift", "checkout@prod", "20"]).exits(0);
    for screen in ["board", "pipeline", "rollout", "incident", "ledger"] {
        let said = place.run(&["show", screen]).exits(0);
        assert!(!said.out.trim().is_empty() && !said.out.contains('\u{1b}') && said.err.is_empty(), "{screen}: {said:?}");
        place.json(0, &["show", screen, "checkout@prod"]);
    }
    shape::status(&place.json(0, &["show", "board"]));
    shape::entries(&place.json(0, &["show", "ledger"]));
    let rollout = place.json(0, &["show", "rollout", "checkout@prod"]);
    shape::keys(&rollout, "schema simulated at screen target state backends remembered versions traffic signals deeds");
    rollout["deeds"].as_array().unwrap().iter().for_each(|deed| {
        let mut deed = deed.clone();
        deed["schema"] = 1.into();
        shape::deed(&deed);
    });
    let ansi = place.run(&["render", "rollout", "--target", "checkout@prod", "--format", "ansi"]).exits(0).out;
    assert!(ansi.contains("\u{1b}["));
}

#[test]
fn doctor_says_what_came_back_and_what_to_do() {
    let pair = Pair::shared();
    let place = Room { pool: "no_such_pool".to_owned(), ..pair.room("") }.place();
    let told = place.json(0, &["doctor"]);
    shape::keys(&told, "schema backends store receivers terminal findings log metrics");
    let store = "installation entries error witnesses path schema_version ledger_bytes journal_bytes free_bytes mode shared whole";
    shape::keys(&told["store"], store);
    shape::keys(&told["terminal"], "term colours columns rows locale unicode multiplexer ssh");
    for one in told["backends"].as_array().unwrap() {
        shape::keys(one, "name kind address state told fix skew_ms capabilities access");
    }
    let said = place.run(&["doctor"]).exits(0);
    assert!(said.out.contains("no pool no_such_pool") && said.err.is_empty(), "{said:?}");
    for words in ["schema 6, mode 0700, its pages are whole", "terminal: xterm-256color, the output is no terminal, 256 colours, Unicode"] {
        assert!(said.out.contains(words), "{words}: {said:?}");
    }
    // A pool that is not there is nothing that could be shifted.
    let said = place.run(&["shift", "checkout@prod", "20"]);
    assert!([3, 5].contains(&said.code.unwrap()) && said.err.contains("no_such_pool"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn backends_that_answer_nonsense_stand_beside_those_that_live() {
    let html = Fault::sending(answer("200 OK", "Content-Type: text/html\r\n", "<html>it works</html>")).await;
    let garbage = Fault::sending(b"\xff\xfe\x00 not HTTP".to_vec()).await;
    let invalid = Fault::sending(json(b"{\"status\":\"success\",\"data\":\"\xff\xff\"}")).await;
    let silent = Fault::start(|stream, _| async move {
        tokio::time::sleep(Duration::from_hours(1)).await;
        drop(stream);
    })
    .await;
    let closing = Fault::start(|stream, _| async move { drop(stream) }).await;
    let wrong = [
        ("html", html.url()),
        ("garbage", garbage.url()),
        ("invalid", invalid.url()),
        ("silent", silent.url()),
        ("closing", closing.url()),
    ];
    tokio::task::spawn_blocking(move || {
        let pair = Pair::shared();
        let pool = Pair::pool();
        let backend = |(name, url): &(&str, String)| {
            format!("[[backend]]\nname = \"{name}\"\nkind = \"alertmanager\"\nurl = \"{url}\"\nevery = \"500ms\"\ndeadline = \"1s\"\n")
        };
        let more: String = wrong.iter().map(backend).collect();
        let place = Room { more, ..pair.room(&pool) }.place();
        let status = place.json(0, &["status"]);
        shape::status(&status);
        for one in status["backends"].as_array().unwrap() {
            let good = ["edge", "prom"].contains(&one["name"].as_str().unwrap());
            assert_eq!(one["state"] == "fresh", good, "{one}");
            assert_eq!(one["error"].is_null(), good, "{one}");
        }
        place.run(&["doctor"]).exits(0);
        place.run(&["shift", "checkout@prod", "20"]).exits(0);
        assert_eq!(pair.weight(&pool), 20);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_from_a_backend_is_made_harmless() {
    let alert = r#"[{"annotations":{},"startsAt":"2026-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z","fingerprint":"aa11","receivers":[{"name":"x"}],"status":{"state":"active","silencedBy":[],"inhibitedBy":[],"mutedBy":[]},"labels":{"alertname":"Evil\u001b[2J\u202e","service":"checkout","severity":"page"}}]"#;
    let server = Fault::start(move |mut stream, request| async move {
        let body = if request.contains("/alerts/groups") {
            "[]"
        } else if request.contains("/alerts") {
            alert
        } else {
            "[]"
        };
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &json(body)).await;
    })
    .await;
    let url = server.url();
    tokio::task::spawn_blocking(move || {
        let pair = Pair::shared();
        let mut room = pair.room(&Pair::pool());
        room.more = format!("[[backend]]\nname = \"alerts\"\nkind = \"alertmanager\"\nurl = \"{url}\"\nevery = \"500ms\"\n");
        let text = room.text().replacen(
            "team = \"payments\"",
            "team = \"payments\"\nalerts = { backend = \"alerts\", match = { service = \"$service\" } }",
            1,
        );
        let place = super::place::Place::with(&text);
        let status = place.json(0, &["status"]);
        shape::status(&status);
        assert_eq!(status["alerts"][0]["fingerprint"], "aa11", "{status}");
        assert_eq!((&status["alerts"][0]["service"], &status["alerts"][0]["environment"]), (&"checkout".into(), &"prod".into()));
        for args in [&["status"][..], &["status", "--json"], &["show", "incident"], &["show", "board"]] {
            let said = place.run(args).exits(0);
            assert!(!said.out.contains(['\u{1b}', '\u{202e}']), "{said:?}");
        }
    })
    .await
    .unwrap();
}
