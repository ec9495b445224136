//! `gonogo support-bundle`: what is in it is told before, and no secret is, wherever it stands.

use std::os::unix::fs::PermissionsExt as _;

use super::place::Place;

const PLANTED: [&str; 8] =
    ["planted-env", "planted-file", "planted-comment", "planted-query", "planted-argument", "planted-value", "planted-key", "planted-log"];

#[test]
fn a_bundle_holds_no_secret_and_says_what_it_holds_before_it_is_written() {
    let place = Place::bare();
    let file = place.write("token", "planted-file\n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    place.configure(&format!(
        "# planted-comment\n[[backend]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:1\"\ntoken = {{ env = \"PROM_TOKEN\" }}\n\
         [[backend]]\nname = \"flags\"\nkind = \"unleash\"\nurl = \"http://127.0.0.1:1\"\ntoken = {{ file = \"{}\" }}\n\
         [[backend]]\nname = \"alerts\"\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:1\"\ntoken = {{ command = [\"echo\", \"planted-argument\"] }}\n\
         [[environment]]\nname = \"prod\"\n\
         [[service]]\nname = \"checkout\"\nalerts = {{ backend = \"alerts\", match = {{ service = \"planted-key\" }} }}\n\
         [service.deploy.prod]\nstrategy = \"canary\"\n\
         version = {{ backend = \"prom\", query = 'x{{key=\"planted-query\"}}' }}\n\
         traffic = [{{ backend = \"edge\", pool = \"be\", testers = \"t\", stable = [\"v1\"], canary = [\"v2\"] }}]\n\
         testers = {{ header = \"x-test\", value = \"planted-value\" }}\n\
         [[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = \"/nonexistent.sock\"\n",
        file.display()
    ));
    place.write("data/gonogo/log/gonogo.log", "{\"message\":\"asked with planted-env\"}\n{\"message\":\"asked with planted-file\"}\n");
    let bundle = |args: &[&str]| {
        let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), args);
        command.env("PROM_TOKEN", "planted-env");
        Place::started(&mut command).end()
    };
    let said = bundle(&["support-bundle", "--out", "b.json"]).exits(0);
    assert!(
        said.err.contains("b.json\nit holds: versions of gonogo") && said.out.contains("do: look through it, then send it"),
        "{said:?}"
    );
    let path = place.path("b.json");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    for secret in PLANTED {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    for words in ["asked with (", "\"gonogo\": \"", "PROM_TOKEN", "\"findings\": [", "schema_version"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let again = bundle(&["support-bundle", "--out", "b.json"]).exits(1);
    assert!(again.err.contains("`--out FILE` names another one"), "{again:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    // A configuration that is refused may hold the secret itself: only the places are told.
    place.configure("[[backend]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:1\"\ntoken = \"planted-key\"\n");
    let said = bundle(&["support-bundle", "--out", "-"]).exits(0);
    assert!(said.out.contains("gonogo.toml:5\"") && !format!("{said:?}").contains("planted-key"), "{said:?}");
    let bare = Place::bare().run(&["support-bundle", "--out", "-"]).exits(0);
    assert!(bare.out.contains("\"doctor\": null"), "{bare:?}");
}
