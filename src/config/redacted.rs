//! A configuration file that may be shown to anybody: keys, numbers and harmless words stay; every other text becomes its length.

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::node::{self, Node, Table, Value};
use super::problem::Findings;

/// Keys whose text says how the room is set up and nothing about who is behind it. Whatever is not here is not shown: a key that is new, or
/// written wrongly, hides its value.
const PLAIN: &[&str] = &[
    "name",
    "kind",
    "every",
    "stale_after",
    "lookup_within",
    "deadline",
    "hold_time",
    "effective_within",
    "assurance",
    "booking",
    "conflicts",
    "strategy",
    "backend",
    "pool",
    "stable",
    "canary",
    "environment",
    "environments",
    "services",
    "service",
    "depends_on",
    "team",
    "teams",
    "better",
    "unit",
    "wait",
    "bake",
    "after",
    "way_back",
    "way_back_proven_within",
    "soak_time",
    "review_within",
    "approvals_expire",
    "role",
    "approver_roles",
    "actor_roles",
    "break_glass_roles",
    "timezone",
    "theme",
    "keymap",
    "days",
    "from",
    "to",
    "begin",
    "end",
    "running",
    "types",
    "method",
    "window",
    "long",
    "short",
    "severity",
    "format",
    "events",
    "opens",
    "when",
    "within",
    "at_most",
    "pause",
    "verbs",
    "severities",
    "on_failure",
    "targets",
    "namespace",
    "container",
    "unmapped",
    "cut_off",
    "departs",
    "env",
];
/// Keys whose text is an address: its scheme, host and port are shown.
const ADDRESSES: &[&str] = &["url", "http", "socket", "calendar"];
/// Keys below which a name of a user's choice may be a secret itself.
const OPAQUE: &[&str] = &["properties", "fields", "logins", "match", "names"];

/// The file without what could be secret.
///
/// # Errors
/// In words, when it is no TOML; none of them repeats the text.
pub fn redacted(text: &str) -> Result<Json, String> {
    let mut found = Findings::default();
    let start = found.source("file", Path::new("/"), text.to_owned());
    node::parse(text, start, &mut found).map(|table| of_table(&table)).ok_or_else(|| "it is no valid TOML".to_owned())
}

fn of_table(table: &Table) -> Json {
    Json::Object(table.0.iter().map(|(key, node)| (key.name.to_string(), of_node(&key.name, node))).collect::<Map<_, _>>())
}

fn of_node(key: &str, node: &Node) -> Json {
    match &node.value {
        Value::Text(text) if PLAIN.contains(&key) => json!(text),
        Value::Text(text) if ADDRESSES.contains(&key) => json!(address(text)),
        Value::Text(text) => hidden(text),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Flag(flag) => json!(flag),
        Value::Date => json!("(a date)"),
        Value::List(items) => items.iter().map(|item| of_node(key, item)).collect(),
        Value::Table(table) if OPAQUE.contains(&key) => json!(format!("({} keys)", table.0.len())),
        Value::Table(table) => of_table(table),
    }
}

fn hidden(text: &str) -> Json {
    json!(format!("({} characters)", text.chars().count()))
}

/// Scheme, host and port. What is no address by its form is hidden whole: it may be a secret that stands in the wrong place.
fn address(text: &str) -> String {
    let plain = |host: &str| !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:[]".contains(c));
    if text.starts_with('/') {
        return "(a path)".to_owned();
    }
    let parts = text.split_once("://").map(|(scheme, rest)| (scheme, rest.split(['/', '?', '#']).next().unwrap_or_default()));
    let without_user = parts.map(|(scheme, authority)| (scheme, authority.rsplit('@').next().unwrap_or_default()));
    match without_user {
        Some((scheme @ ("http" | "https" | "tcp"), host)) if plain(host) => format!("{scheme}://{host}"),
        Some(_) | None => format!("({} characters)", text.chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_could_be_secret_is_shown() {
        let text = "# planted0\n[[backend]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"https://ana:planted1@prom.example:9090/planted2?token=planted3\"\n\
                    token = { command = [\"vault\", \"planted4\"] }\npassword = \"planted5\"\npasswrod = \"planted6\"\nevery = \"5s\"\n\
                    [[webhook]]\nurl = { env = \"HOOK\" }\n[[service]]\nname = \"checkout\"\ntier = 1\n\
                    alerts = { match = { planted7 = \"planted8\" } }\n[service.deploy.prod]\ntesters = { header = \"x\", value = \"planted9\" }\n";
        let shown = redacted(text).expect("TOML").to_string();
        assert!(!shown.contains("planted"), "{shown}");
        for words in [
            "\"url\":\"https://prom.example:9090\"",
            "\"env\":\"HOOK\"",
            "\"every\":\"5s\"",
            "\"tier\":1",
            "\"name\":\"checkout\"",
            "\"(1 keys)\"",
        ] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
    }

    #[test]
    fn what_is_no_toml_is_not_repeated() {
        assert_eq!(redacted("password = planted"), Err("it is no valid TOML".to_owned()));
    }

    proptest::proptest! {
        #[test]
        fn no_password_in_an_address_is_shown(password in "[a-z]{12}", rest in "[/@?#:]{0,3}") {
            let shown = [address(&format!("https://ana:{password}@host{rest}")), address(&password)];
            proptest::prop_assert!(shown.iter().all(|shown| !shown.contains(&password)), "shown");
        }
    }
}
