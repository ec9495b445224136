//! Secrets by reference: never printed, never stored; a file that others may read is refused; the rest of the room lives.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::place::{Pair, Place, Room};
use crate::servers::fault::{Fault, answer};

const TOKEN: &str = "s3cr3t-t0k3n-4711";

/// Every file below a folder that contains the bytes.
fn containing(folder: &Path, what: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(containing(&path, what));
        } else if std::fs::read(&path).is_ok_and(|bytes| bytes.windows(what.len()).any(|window| window == what.as_bytes())) {
            found.push(path.display().to_string());
        }
    }
    found
}

fn with_token(pair: &Pair, url: &str, reference: &str) -> Room {
    let more =
        format!("[[backend]]\nname = \"guarded\"\nkind = \"alertmanager\"\nurl = \"{url}\"\nevery = \"200ms\"\ntoken = {reference}\n");
    Room { more, ..pair.room(&Pair::pool()) }
}

fn state_of(place: &Place, backend: &str) -> (String, String) {
    let status = place.json(0, &["status"]);
    super::shape::status(&status);
    let one = status["backends"].as_array().unwrap().iter().find(|one| one["name"] == backend).unwrap().clone();
    (one["state"].as_str().unwrap().to_owned(), one["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_goes_to_its_backend_and_nowhere_else() {
    let server = Fault::start(|mut stream, request| async move {
        // A backend that repeats what it was told, in an answer that is refused.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &answer("401 Unauthorized", "", &request)).await;
    })
    .await;
    let url = server.url();
    let place = tokio::task::spawn_blocking(move || {
        let pair = Pair::shared();
        let room = with_token(&pair, &url, "{ env = \"GUARD\" }");
        let place = room.place();
        let mut told = String::new();
        for args in [
            &["status"][..],
            &["status", "--json"],
            &["doctor"],
            &["doctor", "--json"],
            &["show", "incident"],
            &["show", "board", "--json"],
            &["render", "board"],
            &["note", "checkout@prod", "text"],
            &["shift", "checkout@prod", "5", "--json"],
            &["plan", "shift", "checkout@prod", "0", "--json"],
            &["ledger", "list", "--json"],
            &["config", "check"],
            &["whoami"],
        ] {
            let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), args);
            let said = Place::started(command.env("GUARD", TOKEN)).end().exits(0);
            told.push_str(&said.out);
            told.push_str(&said.err);
        }
        assert!(!told.contains(TOKEN), "{told}");
        assert!(told.contains("unauthorised"), "{told}");
        assert_eq!(containing(&place.path("."), TOKEN), Vec::<String>::new());
        place
    })
    .await
    .unwrap();
    assert!(server.requests().iter().any(|request| request.contains(TOKEN)), "it was sent to its own backend");
    drop(place);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_its_backend_repeats_in_any_form_is_shown_nowhere() {
    const PASSWORD: &str = "p4ssw0rd-of-ana";
    let server = Fault::start(|mut stream, request| async move {
        use base64ct::Encoding as _;
        // The header as it came, and what is in it.
        let sent = request.lines().find_map(|line| line.strip_prefix("authorization: Basic ")).unwrap_or_default().to_owned();
        let inside = String::from_utf8(base64ct::Base64::decode_vec(&sent).unwrap()).unwrap();
        let body = serde_json::json!({"error": format!("{inside} is not known, {sent} neither")}).to_string();
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &answer("401 Unauthorized", "", body)).await;
    })
    .await;
    let url = server.url();
    tokio::task::spawn_blocking(move || {
        let pair = Pair::shared();
        let keys = format!("every = \"200ms\"\nuser = \"ana\"\npassword = {{ env = \"GUARD\" }}\nurl = \"{url}\"");
        let more = format!(
            "[[backend]]\nname = \"guarded\"\nkind = \"prometheus\"\n{keys}\n[[backend]]\nname = \"builds\"\nkind = \"buildbot\"\n{keys}\n\
             [[service]]\nname = \"mail\"\npipeline = {{ backend = \"builds\", builder = \"mail\", scheduler = \"force\", properties = {{ gonogo_key = \"$key\" }} }}\n\
             [service.deploy.prod]\nstrategy = \"canary\"\n"
        );
        let place = Room { more, ..pair.room(&Pair::pool()) }.place();
        let mut told = String::new();
        for (args, code) in [
            (&["status"][..], 0),
            (&["status", "--json"], 0),
            (&["doctor"], 0),
            (&["doctor", "--json"], 0),
            (&["render", "board"], 0),
            (&["render", "pipeline", "--target", "mail@prod"], 0),
            (&["plan", "start", "mail@prod"], 0),
            (&["start", "mail@prod", "--json"], 6),
            (&["shift", "checkout@prod", "5"], 0),
            (&["ledger", "list", "--json"], 0),
        ] {
            let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), args);
            let said = Place::started(command.env("GUARD", PASSWORD)).end().exits(code);
            told.push_str(&said.out);
            told.push_str(&said.err);
        }
        let sent = <base64ct::Base64 as base64ct::Encoding>::encode_string(format!("ana:{PASSWORD}").as_bytes());
        for secret in [PASSWORD, &sent] {
            assert!(!told.contains(secret), "{told}");
            assert_eq!(containing(&place.path("."), secret), Vec::<String>::new());
        }
        assert!(told.contains("ana:(secret) is not known, (secret) neither"), "{told}");
    })
    .await
    .unwrap();
    assert!(!server.requests().is_empty());
}

#[test]
fn a_token_that_cannot_be_had_leaves_the_rest_alive() {
    let pair = Pair::shared();
    let place = Place::bare();
    let token = place.write("token", TOKEN);
    let room = with_token(&pair, "http://127.0.0.1:1", &format!("{{ file = \"{}\" }}", token.display()));
    place.configure(&room.text());
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (state, error) = state_of(&place, "guarded");
    assert!(state == "unauthorised" && error.contains("600"), "{state} {error}");
    let said = place.run(&["doctor"]).exits(0);
    assert!(!said.out.contains(TOKEN) && said.out.contains("token"), "{said:?}");
    assert_eq!(state_of(&place, "edge").0, "fresh");
    place.run(&["shift", "checkout@prod", "5"]).exits(0);
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(state_of(&place, "guarded").0, "unreachable", "with the right mode it is the server that is missing");
    for reference in ["{ env = \"NOT_SET\" }", "{ command = [\"false\"] }", "{ file = \"/nonexistent/token\" }"] {
        place.configure(&with_token(&pair, "http://127.0.0.1:1", reference).text());
        assert_eq!(state_of(&place, "guarded").0, "unauthorised", "{reference}");
    }
}

#[test]
fn a_secret_in_plain_text_is_refused_and_not_repeated() {
    let pair = Pair::shared();
    let place = with_token(&pair, "http://127.0.0.1:1", &format!("\"{TOKEN}\"")).place();
    let said = place.run(&["config", "check"]).exits(8);
    assert!(!said.err.contains(TOKEN) && said.err.contains("token"), "{said:?}");
}
