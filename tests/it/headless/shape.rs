//! The objects of CONTRACTS.md, "JSON", as checks: exactly these keys, times in RFC 3339 UTC, states in lower case.

use serde_json::Value;

/// States of an environment.
const ENVIRONMENT: &[&str] = &["quiet", "moving", "held", "waiting", "split", "abnormal", "failed", "unknown"];
/// States of a backend.
const BACKEND: &[&str] = &["fresh", "stale", "unreachable", "unauthorised", "never"];
/// States of a change that has not begun.
pub const CHANGE: &[&str] = &["draft", "assessed", "scheduled", "approved", "withdrawn"];
/// States of a deed.
const DEED: &[&str] = &[
    "waiting",
    "scheduled",
    "denied",
    "intended",
    "sent",
    "accepted",
    "effective",
    "held",
    "unwatched",
    "superseded",
    "slipped",
    "unknown",
    "failed",
];
/// Kinds of an entry.
const KINDS: &[&str] = &[
    "signers",
    "intent",
    "denied",
    "approval",
    "rejection",
    "withdrawal",
    "sending",
    "accepted",
    "effective",
    "held",
    "slipped",
    "unwatched",
    "superseded",
    "failed",
    "unknown",
    "not-begun",
    "hold",
    "resume",
    "note",
    "policy",
    "break-glass",
    "imported",
];

/// Exactly these keys, whatever their order.
#[track_caller]
pub fn keys(object: &Value, wanted: &str) {
    let mut found: Vec<_> = object.as_object().unwrap_or_else(|| panic!("no object: {object}")).keys().map(String::as_str).collect();
    let mut wanted: Vec<_> = wanted.split_whitespace().collect();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{object}");
}

/// A time in UTC.
#[track_caller]
pub fn time(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("no time: {value}"));
    assert!(text.ends_with('Z'), "{text} is not in UTC");
    chrono::DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}"));
}

#[track_caller]
fn or_null(value: &Value, check: impl Fn(&Value)) {
    if !value.is_null() {
        check(value);
    }
}

#[track_caller]
fn one_of(value: &Value, words: &[&str]) {
    assert!(value.as_str().is_some_and(|word| words.contains(&word)), "{value} is none of {words:?}");
}

fn each(list: &Value, check: impl Fn(&Value)) {
    list.as_array().unwrap_or_else(|| panic!("no list: {list}")).iter().for_each(check);
}

fn text(value: &Value) {
    assert!(value.is_string(), "{value} is no text");
}

fn number(value: &Value) {
    assert!(value.is_number(), "{value} is no number");
}

/// The five facts.
#[track_caller]
pub fn facts(value: &Value) {
    keys(value, "intended sent accepted effective held");
    value.as_object().unwrap().values().for_each(|at| or_null(at, time));
}

fn reasons(list: &Value) {
    each(list, |one| {
        keys(one, "rule text fix");
        one.as_object().unwrap().values().for_each(text);
    });
}

/// `status --json`.
#[track_caller]
pub fn status(value: &Value) {
    keys(value, "schema simulated at services backends rollouts waiting alerts");
    time(&value["at"]);
    assert!(value["simulated"].is_boolean());
    each(&value["services"], |service| {
        keys(service, "name team environments");
        each(&service["environments"], |one| {
            keys(one, "name state version digest age_s stale");
            one_of(&one["state"], ENVIRONMENT);
            or_null(&one["age_s"], number);
            assert!(one["stale"].is_boolean());
        });
    });
    backends(&value["backends"]);
    each(&value["rollouts"], |one| {
        keys(one, "service environment from to weight_wished weight_measured requests step state by");
        for key in ["weight_wished", "weight_measured", "requests", "step"] {
            or_null(&one[key], number);
        }
    });
    each(&value["waiting"], |one| {
        keys(one, "kind id plan target verb requester needs given since expires changes");
        or_null(&one["since"], time);
        or_null(&one["expires"], time);
    });
    each(&value["alerts"], |one| {
        keys(one, "name severity service environment since fingerprint silenced");
        time(&one["since"]);
    });
}

/// The backends of a status.
#[track_caller]
pub fn backends(list: &Value) {
    each(list, |one| {
        keys(one, "name kind state age_s error");
        one_of(&one["state"], BACKEND);
        or_null(&one["age_s"], number);
        or_null(&one["error"], text);
    });
}

/// A deed.
#[track_caller]
pub fn deed(value: &Value) {
    keys(value, "schema deed plan verb target requester simulated verdict state facts held_due steps reasons");
    one_of(&value["state"], DEED);
    one_of(&value["verdict"], &["permit", "second-person", "scheduled", "deny"]);
    facts(&value["facts"]);
    or_null(&value["held_due"], time);
    plan_id(&value["plan"]);
    each(&value["steps"], |one| {
        keys(one, "backend effect state error");
        one_of(&one["state"], DEED);
        or_null(&one["error"], text);
    });
    reasons(&value["reasons"]);
}

/// A plan.
#[track_caller]
pub fn plan(value: &Value) {
    keys(value, "schema plan order preconditions evidence state verdict reasons undo commands");
    one_of(&value["state"], CHANGE);
    plan_id(&value["plan"]);
    each(&value["preconditions"], |one| {
        keys(one, "text holds");
        text(&one["text"]);
        assert!(one["holds"].is_boolean());
    });
    each(&value["evidence"], |one| {
        keys(one, "text source age_s");
        or_null(&one["age_s"], number);
    });
    one_of(&value["verdict"], &["permit", "second-person", "scheduled", "deny"]);
    reasons(&value["reasons"]);
    or_null(&value["undo"], text);
    each(&value["commands"], text);
}

#[track_caller]
fn plan_id(value: &Value) {
    let id = value.as_str().unwrap_or_default();
    assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{value} is no plan's ID");
}

/// `ledger list --json`.
#[track_caller]
pub fn entries(value: &Value) {
    keys(value, "schema entries");
    for (place, one) in value["entries"].as_array().unwrap().iter().enumerate() {
        keys(one, "n at kind signer deed verb target requester verdict facts");
        assert_eq!(one["n"], place);
        time(&one["at"]);
        one_of(&one["kind"], KINDS);
        facts(&one["facts"]);
        or_null(&one["deed"], plan_id);
    }
}

/// `ledger verify --json`.
#[track_caller]
pub fn verification(value: &Value) {
    keys(value, "schema intact entries first_bad reason");
    assert!(value["intact"].is_boolean());
    number(&value["entries"]);
    or_null(&value["first_bad"], number);
    or_null(&value["reason"], text);
}
