//! What the routers of Traefik that lead to a service ask of a request's headers.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::testers::{header, other};
use crate::model::text::Text;

/// The ways to a service of the file provider: one a router that leads to it, directly or through a service before it; none where none
/// is found, since a service may be reached in ways that are not told here.
pub(super) fn ways(routers: &Value, services: &Value, name: &str) -> Option<Vec<Vec<Text>>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let services = list(services);
    let mut lead: BTreeSet<String> = BTreeSet::from([name.to_owned()]);
    // As many rounds as there are services: each finds at least one more, or none.
    for _ in 0..services.len() {
        let found: Vec<String> = services.iter().filter(|one| gives_to(one, &lead)).filter_map(|one| named(one, "name")).collect();
        let known = lead.len();
        lead.extend(found);
        if lead.len() == known {
            break;
        }
    }
    let ways: Vec<_> = list(routers)
        .iter()
        .filter(|router| named(router, "service").is_some_and(|service| lead.contains(&service)))
        .map(|router| conditions(router.get("rule").and_then(Value::as_str).unwrap_or_default()))
        .collect();
    (!ways.is_empty()).then_some(ways)
}

/// A name without the file provider behind it; one of another provider stays whole.
fn named(one: &Value, key: &str) -> Option<String> {
    let name = one.get(key).and_then(Value::as_str)?;
    Some(name.strip_suffix("@file").unwrap_or(name).to_owned())
}

/// Whether a service gives requests to one of these.
fn gives_to(service: &Value, lead: &BTreeSet<String>) -> bool {
    let main = service.get("mirroring").and_then(|mirroring| named(mirroring, "service"));
    let below = service.get("weighted").and_then(|weighted| weighted.get("services")).and_then(Value::as_array);
    let below = below.into_iter().flatten().filter_map(|one| named(one, "name"));
    main.into_iter().chain(below).any(|name| lead.contains(&name))
}

/// What a rule asks of headers; one that is not a plain list of what must all be so is told as it is.
fn conditions(rule: &str) -> Vec<Text> {
    // Every second piece stands between backticks.
    let pieces: Vec<&str> = rule.split('`').collect();
    let code = || pieces.iter().step_by(2);
    if pieces.len().is_multiple_of(2) || code().any(|code| code.contains("||") || code.contains(['!', '"'])) {
        return vec![Text::clean(&format!("the rule {rule}"))];
    }
    let asked = |window: &[&str]| {
        let [before, name, comma, value] = window else { return None };
        let call = before.trim_end_matches(['(', ' ']).rsplit([' ', '&', '(']).next()?;
        match (call, comma.trim()) {
            ("Header" | "Headers", ",") => Some(header(name, value)),
            ("HeaderRegexp" | "HeadersRegexp", ",") => Some(other(name, &format!("~ {value}"))),
            _ => None,
        }
    };
    pieces.windows(4).step_by(2).filter_map(asked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(rule: &str) -> Vec<String> {
        conditions(rule).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_plain_rule_tells_its_headers_and_another_one_is_told_whole() {
        assert_eq!(told("PathPrefix(`/`)"), Vec::<String>::new());
        assert_eq!(told("Host(`shop`) && Header(`X-Canary`, `yes`)"), ["header x-canary=yes"]);
        assert_eq!(told("PathPrefix(`/`) && HeaderRegexp(`Cookie`, `(^|; )canary=yes(;|$)`)"), ["header cookie ~ (^|; )canary=yes(;|$)"]);
        for open in ["Header(`x`, `y`) || PathPrefix(`/`)", "!Header(`x`, `y`)", "Header(\"x\", `y`)", "Header(`x"] {
            assert_eq!(told(open), [format!("the rule {open}")]);
        }
    }

    #[test]
    fn a_service_is_reached_by_every_router_that_leads_to_it_through_whatever() {
        let services = json!([
            { "name": "testers@file", "weighted": { "services": [{ "name": "v1" }] } },
            { "name": "copied@file", "mirroring": { "service": "testers@file", "mirrors": [{ "name": "v2" }] } },
            { "name": "v1@file", "loadBalancer": {} },
        ]);
        let routers = json!([
            { "name": "a@file", "service": "testers", "rule": "Header(`x`, `y`)" },
            { "name": "b@docker", "service": "copied@file", "rule": "PathPrefix(`/`)" },
            { "name": "c@file", "service": "other", "rule": "PathPrefix(`/`)" },
        ]);
        assert_eq!(ways(&routers, &services, "testers"), Some(vec![vec![header("x", "y")], Vec::new()]));
        assert_eq!(ways(&routers, &services, "v2"), None, "what is only copied to is led to by nobody");
        assert_eq!(ways(&json!({}), &json!(null), "testers"), None);
    }
}
