//! `gonogo init` by a newcomer: an empty home, real servers on ports that are named, and a file that `config check` and `doctor` confirm.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::place::{Place, texts};
use crate::servers::alertmanager::Alertmanager;
use crate::servers::fault::Fault;
use crate::servers::haproxy::{Haproxy, Line, PoolLines};
use crate::servers::prometheus::{Exporter, Prometheus};
use crate::servers::support::{get, wait_for};

const FILE: &str = "config/gonogo/gonogo.toml";

/// What stands at each name in a list of objects.
fn by(list: &Value, key: &str, value: &str) -> Vec<(String, String)> {
    texts(list, key).into_iter().zip(texts(list, value)).collect()
}

#[test]
fn a_newcomer_gets_a_file_that_check_and_doctor_confirm() {
    let exporter = Exporter::start();
    exporter.set("http_requests_total{service=\"checkout\",track=\"stable\"}", 1.0);
    exporter.set("http_requests_total{service=\"mail\",track=\"stable\"}", 1.0);
    let prometheus = Prometheus::start(&[exporter.port], "", "");
    let alertmanager = Alertmanager::start();
    let pool = |name, servers| PoolLines { name, balance: "roundrobin", servers };
    let haproxy = Haproxy::start(&[
        pool("be_checkout", vec![Line::new("v1", 100), Line::new("v2", 0)]),
        pool("web", vec![Line::new("a", 1), Line::new("b", 1)]),
        pool("three", vec![Line::new("a", 1), Line::new("b", 1), Line::new("c", 1)]),
    ]);
    wait_for("Prometheus to have scraped", std::time::Duration::from_secs(30), || {
        get(prometheus.port, "/api/v1/label/service/values").filter(|answer| answer.contains("mail"))
    });
    let gonogo::config::settings::Address::Unix(socket) = haproxy.unix() else { panic!("no UNIX socket") };
    let at = [
        format!("prometheus={}", prometheus.url()),
        format!("alertmanager=http://127.0.0.1:{}", alertmanager.port),
        format!("haproxy={}", socket.display()),
        "caddy=http://127.0.0.1:1".to_owned(),
    ];
    let args: Vec<&str> = ["init", "--only"].into_iter().chain(at.iter().flat_map(|at| ["--at", at])).collect();

    let place = Place::bare();
    let said = place.run(&args).exits(0);
    for words in [
        "  prometheus http://127.0.0.1:",
        "named by --at",
        "looked for, and not found",
        "  caddy http://127.0.0.1:1: nothing listens there",
        "3 backends, 1 service, 2 suggestions in comments",
        "do: read it, then `gonogo doctor`",
    ] {
        assert!(said.out.contains(words), "{words}: {said:?}");
    }
    let file = place.path(FILE);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("traffic = [{ backend = \"edge\", pool = \"be_checkout\", stable = [\"v1\"], canary = [\"v2\"] }]"), "{text}");
    assert!(text.contains("# name = \"web\"") && text.contains("two copies of one version") && !text.contains("three"), "{text}");
    assert!(text.contains("prom has series of it") && text.contains("# name = \"mail\""), "{text}");

    let checked = place.run(&["config", "check"]).exits(0);
    assert!(checked.out.contains("3 backends, 1 environments, 1 services") && checked.err.is_empty(), "{checked:?}");
    let told = place.json(0, &["doctor"]);
    let states = by(&told["backends"], "name", "state");
    assert_eq!(states, [("alerts", "fresh"), ("edge", "fresh"), ("prom", "fresh")].map(|(a, b)| (a.to_owned(), b.to_owned())), "{told}");
    assert!(told["backends"].as_array().unwrap().iter().all(|one| one["fix"].is_null()), "{told}");
    assert_eq!(told["store"]["whole"], true, "{told}");
    let status = place.json(0, &["status"]);
    assert_eq!(status["services"][0]["name"], "checkout", "{status}");

    // What is there stays, byte for byte, unless it is told to go.
    place.write(FILE, "# mine\n[room]\nname = \"mine\"\n");
    let said = place.run(&args).exits(2);
    assert!(said.err.contains("is there already and stays as it is") && said.out.is_empty(), "{said:?}");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("# mine"));
    let forced: Vec<&str> = args.iter().copied().chain(["--force", "--json"]).collect();
    let told = place.run(&forced).exits(0).json();
    super::shape::keys(&told, "schema file text backends services suggested found missing next");
    assert_eq!(texts(&told["found"], "what"), ["prometheus", "alertmanager", "haproxy"], "{told}");
    assert_eq!((&told["services"], &told["next"]), (&serde_json::json!(["checkout"]), &"gonogo doctor".into()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let left: Vec<_> = std::fs::read_dir(file.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["gonogo.toml"], "something was left behind");
}

#[test]
fn where_nothing_is_a_file_is_written_all_the_same_and_says_where_was_looked() {
    let place = Place::bare();
    let said = place.run(&["init", "--only"]).exits(0);
    assert!(said.out.starts_with("nothing was found\nlooked for, and not found\n"), "{said:?}");
    assert!(said.out.contains("what is elsewhere is named with `--at KIND=ADDRESS`"), "{said:?}");
    assert!(said.out.contains("a kubeconfig ") && said.out.contains(".kube/config: there is no such file"), "{said:?}");
    place.run(&["config", "check"]).exits(0);
    assert!(place.run(&["doctor"]).exits(0).out.contains("store: writable"));

    // A file of the project is trusted by who read it.
    let place = Place::bare();
    let said = place.run(&["init", "--only", "--out", "gonogo.toml"]).exits(0);
    assert!(said.out.contains("`gonogo config trust gonogo.toml && gonogo doctor`"), "{said:?}");
    let said = place.run(&["init", "--only", "--out", "other.toml"]).exits(0);
    assert!(said.out.contains("`gonogo --config other.toml doctor`"), "{said:?}");
    place.run(&["--config", "other.toml", "config", "check"]).exits(0);
    let shown = place.run(&["init", "--only", "--out", "-"]).exits(0);
    assert!(shown.out.starts_with("# gonogo.toml") && shown.err.contains("nothing was found"), "{shown:?}");
}

#[test]
fn what_is_wrong_on_the_command_line_is_told_without_the_address() {
    let place = Place::bare();
    for (at, words) in [
        ("prometheus", "expected KIND=ADDRESS"),
        ("kubernetes=http://127.0.0.1:1", "no kind that can be looked for is called `kubernetes`"),
        ("prometheus=http://192.0.2.1:9090", "plain http to a host that is not this one"),
        ("haproxy=relative.sock", "expected an absolute path"),
        ("prometheus=http://ana:hunter2@127.0.0.1:9090", "without user, password and query"),
    ] {
        let said = place.run(&["init", "--at", at]).exits(2);
        assert!(said.err.contains(words) && !said.err.contains("hunter2"), "{at}: {said:?}");
    }
}

/// Secrets that stand where `init` looks.
const PLANTED: [&str; 6] = ["ghp_planted1", "planted2", "gho_planted3", "planted4", "planted5", "glpat-planted6"];

#[test]
fn no_secret_that_stands_where_it_looks_is_written_or_said() {
    let place = Place::bare();
    let git = |args: &[&str]| assert!(place.command("git", args).status().unwrap().success());
    git(&["init", "-q"]);
    git(&["remote", "add", "origin", "https://ana:planted2@github.com/acme/shop.git"]);
    place.write("config/gh/hosts.yml", "github.com:\n    user: ana\n    oauth_token: gho_planted3\n");
    place.write("config/glab-cli/config.yml", "hosts:\n    gitlab.com:\n        token: glpat-planted6\n");
    let kubeconfig = place.write(
        "kube.conf",
        "apiVersion: v1\nkind: Config\ncurrent-context: shop\ncontexts:\n- name: shop\n  context: {cluster: shop, user: ana}\n\
         - name: other\n  context: {cluster: shop, user: ana}\n\
         clusters:\n- name: shop\n  cluster: {server: \"https://127.0.0.1:1\"}\nusers:\n- name: ana\n  user: {token: planted4}\n",
    );
    place.write(".github/workflows/release.yml", "on: {workflow_dispatch: {}}\n");
    let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), &["init", "--only"]);
    command.env("GITHUB_TOKEN", "ghp_planted1").env("PROMETHEUS_TOKEN", "planted5").env("KUBECONFIG", &kubeconfig);
    let said = Place::started(&mut command).end().exits(0);
    let text = std::fs::read_to_string(place.path(FILE)).unwrap();
    for secret in PLANTED {
        assert!(!said.out.contains(secret) && !said.err.contains(secret) && !text.contains(secret), "{secret}: {said:?}\n{text}");
    }
    for words in [
        "git remote acme/shop: origin at github.com",
        "gh login github.com",
        "glab login gitlab.com",
        "variable GITHUB_TOKEN",
        "workflow release.yml",
    ] {
        assert!(said.out.contains(words), "{words}: {said:?}");
    }
    assert!(text.contains("kind = \"github\"\ntoken = { env = \"GITHUB_TOKEN\" }"), "{text}");
    assert!(text.contains("name = \"shop\"") && text.contains("# context = \"other\""), "{text}");
    let mut check = place.command(env!("CARGO_BIN_EXE_gonogo"), &["config", "check"]);
    let checked = Place::started(&mut check).end().exits(0);
    assert!(checked.out.contains("1 backends") && checked.err.is_empty(), "{checked:?}");
}

#[test]
fn an_address_with_a_password_in_a_variable_is_not_asked_and_not_said() {
    let place = Place::bare();
    let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), &["init", "--out", "-", "--at", "haproxy=/nonexistent.sock"]);
    command.env("PROMETHEUS_URL", "http://ana:hunter2@127.0.0.1:1").env("UNLEASH_URL", "http://192.0.2.1:4242");
    let said = Place::started(&mut command).end().exits(0);
    assert!(!format!("{said:?}").contains("hunter2"), "{said:?}");
    assert!(said.err.contains("an address PROMETHEUS_URL: its value is no http or https address without user"), "{said:?}");
    assert!(said.err.contains("an address UNLEASH_URL: plain http to a host that is not this one"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_is_believed_by_its_shape_alone_and_its_text_is_made_harmless() {
    let html =
        Fault::sending(&b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<ok>"[..]).await;
    let locked = Fault::sending(&b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"[..]).await;
    let other = Fault::sending(&b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"version\": 1}"[..]).await;
    let silent = Fault::start(|stream, _| async move {
        tokio::time::sleep(std::time::Duration::from_hours(1)).await;
        drop(stream);
    })
    .await;
    let hostile = Fault::start(|mut stream, request| async move {
        let body = if request.contains("buildinfo") {
            r#"{"status":"success","data":{"version":"3\n[[backend]]\nname = \"evil\"\u001b[2J"}}"#
        } else {
            r#"{"status":"success","data":["good","bad\"\n[[service]]\nname = \"evil","\u202eevil"]}"#
        };
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await;
    })
    .await;
    let at = [
        format!("alertmanager={}", html.url()),
        format!("buildbot={}", locked.url()),
        format!("envoy={}", silent.url()),
        format!("traefik={}", other.url()),
        format!("prometheus={}", hostile.url()),
    ];
    tokio::task::spawn_blocking(move || {
        let place = Place::bare();
        let args: Vec<&str> = ["init", "--only"].into_iter().chain(at.iter().flat_map(|at| ["--at", at])).collect();
        let said = place.run(&args).exits(0);
        for words in [
            "something answers there, and not in JSON",
            "401 and asks for a credential",
            "no whole answer within 2 s",
            "and it is no Traefik",
        ] {
            assert!(said.out.contains(words), "{words}: {said:?}");
        }
        let text = std::fs::read_to_string(place.path(FILE)).unwrap();
        assert!(!said.out.contains('\u{1b}') && !text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
        assert!(!text.lines().any(|line| line.contains("evil") && !line.starts_with('#')), "{text}");
        let checked = place.run(&["config", "check"]).exits(0);
        assert!(checked.out.contains("1 backends, 1 environments, 0 services"), "{checked:?}");
    })
    .await
    .unwrap();
}
