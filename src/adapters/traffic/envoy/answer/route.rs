//! What a route of Envoy asks of a request's headers and cookies, and to which clusters it copies requests.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::name::{PoolName, ServerName};
use crate::model::testers::{header, other};
use crate::model::text::Text;

/// What a request must bear to match; paths and the rest of a match are not told.
pub(super) fn conditions(asked: &Value) -> Vec<Text> {
    let list = |key: &str| asked.get(key).and_then(Value::as_array).into_iter().flatten();
    let headers = list("headers").map(|matcher| {
        let name = named(matcher);
        let exact = matcher.get("exact_match").or_else(|| plain(matcher)).and_then(Value::as_str);
        match exact.filter(|_| !inverted(matcher)) {
            Some(value) => header(name, value),
            None => other(name, &words(matcher)),
        }
    });
    let cookies = list("cookies").map(|matcher| match plain(matcher).and_then(Value::as_str).filter(|_| !inverted(matcher)) {
        Some(value) => other("cookie", &format!("with {}={value}", named(matcher))),
        None => other("cookie", &format!("{} {}", named(matcher), words(matcher))),
    });
    headers.chain(cookies).collect()
}

fn named(matcher: &Value) -> &str {
    matcher.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn inverted(matcher: &Value) -> bool {
    matcher.get("invert_match") == Some(&Value::Bool(true))
}

/// The one value that matches, in that spelling alone.
fn plain(matcher: &Value) -> Option<&Value> {
    let asked = matcher.get("string_match")?;
    asked.get("exact").filter(|_| asked.get("ignore_case") != Some(&Value::Bool(true)))
}

/// A matcher of another kind: `is not ..`, `~ pattern`, or as Envoy writes it.
fn words(matcher: &Value) -> String {
    let not = if inverted(matcher) { "is not " } else { "" };
    let pattern = matcher.get("string_match").and_then(|asked| {
        let pattern = asked.get("safe_regex").and_then(|regex| regex.get("regex")).or_else(|| asked.get("contains"));
        pattern.and_then(Value::as_str)
    });
    pattern.map_or_else(|| format!("{not}{matcher}"), |pattern| format!("{not}~ {pattern}"))
}

/// The clusters that get copies by the wanted pools, each with the configured per cent: a policy belongs to a pool when its runtime key is
/// the pool's name, a dot and the cluster.
pub(super) fn copied(policies: &[Value], wanted: &[PoolName]) -> BTreeMap<PoolName, Vec<(ServerName, u32)>> {
    let mut pools: BTreeMap<PoolName, Vec<(ServerName, u32)>> = BTreeMap::new();
    for policy in policies {
        let Some((pool, cluster, percent)) = policy_of(policy, wanted) else { continue };
        let clusters = pools.entry(pool).or_default();
        if !clusters.iter().any(|(known, _)| *known == cluster) {
            clusters.push((cluster, percent));
        }
    }
    pools
}

fn policy_of(policy: &Value, wanted: &[PoolName]) -> Option<(PoolName, ServerName, u32)> {
    let cluster = policy.get("cluster").and_then(Value::as_str)?;
    let fraction = policy.get("runtime_fraction")?;
    let key = fraction.get("runtime_key").and_then(Value::as_str)?;
    let pool = wanted.iter().find(|pool| key.strip_prefix(pool.as_str()).and_then(|rest| rest.strip_prefix('.')) == Some(cluster))?;
    let configured = fraction.get("default_value");
    // What is not written is 0, and of a hundred.
    let of_hundred = configured.and_then(|value| value.get("denominator")).is_none_or(|of| of == "HUNDRED");
    let percent = configured.and_then(|value| value.get("numerator")).map_or(Some(0), |count| u32::try_from(count.as_u64()?).ok());
    Some((pool.clone(), ServerName::new(cluster).ok()?, percent.filter(|_| of_hundred)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_plain_value_of_a_header_is_told_as_such() {
        let told = |asked: Value| conditions(&asked).into_iter().map(|text| text.to_string()).collect::<Vec<_>>();
        let exact = |value: &str| json!({ "name": "X-Canary", "string_match": { "exact": value } });
        assert_eq!(told(json!({ "prefix": "/", "headers": [exact("yes")] })), ["header x-canary=yes"]);
        let not = json!({ "name": "x-canary", "string_match": { "exact": "yes" }, "invert_match": true });
        assert!(told(json!({ "headers": [not] }))[0].starts_with("header x-canary is not"));
        let any_case = json!({ "name": "x-canary", "string_match": { "exact": "yes", "ignore_case": true } });
        assert_ne!(told(json!({ "headers": [any_case] })), ["header x-canary=yes"]);
        let cookie = json!({ "name": "cookie", "string_match": { "safe_regex": { "regex": "(^|; )canary=yes(;|$)" } } });
        assert_eq!(told(json!({ "headers": [cookie] })), ["header cookie ~ (^|; )canary=yes(;|$)"]);
        let cookie = json!({ "name": "canary", "string_match": { "exact": "yes" } });
        assert_eq!(told(json!({ "cookies": [cookie] })), ["header cookie with canary=yes"]);
        assert_eq!(told(json!({ "prefix": "/" })), Vec::<String>::new());
    }

    #[test]
    fn a_policy_belongs_to_a_pool_by_its_key_and_counts_in_hundredths() {
        let wanted = [PoolName::new("mirror.checkout").unwrap()];
        let policy = |key: &str, of: &str| json!({ "cluster": "v2", "runtime_fraction": { "runtime_key": key, "default_value": { "numerator": 7, "denominator": of } } });
        let copied = |policy: Value| copied(&[policy], &wanted).into_values().flatten().map(|(_, percent)| percent).collect::<Vec<_>>();
        assert_eq!(copied(policy("mirror.checkout.v2", "HUNDRED")), [7]);
        assert_eq!(copied(policy("mirror.checkout.v1", "HUNDRED")), Vec::<u32>::new(), "the key of another cluster");
        assert_eq!(copied(policy("mirror.checkout.v2", "MILLION")), Vec::<u32>::new());
        let bare = json!({ "cluster": "v2", "runtime_fraction": { "runtime_key": "mirror.checkout.v2", "default_value": {} } });
        assert_eq!(copied(bare), [0]);
        assert_eq!(copied(json!({ "cluster": "v2" })), Vec::<u32>::new());
    }
}
