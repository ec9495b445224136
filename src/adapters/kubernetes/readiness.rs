//! Whether anything behind a service can take requests, by its endpoint slices.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::model::traffic::ServerState;

/// What the endpoints of a service are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Readiness {
    /// Those that take requests.
    pub ready: usize,
    /// Those that finish what they have and take nothing new.
    pub ending: usize,
    /// All others.
    pub unready: usize,
}

impl Readiness {
    /// The state of a server that these stand behind. One that is not ready yet cannot be told from one that no longer is.
    pub fn state(self) -> ServerState {
        match self {
            Self { ready: 1.., .. } => ServerState::Up,
            Self { ending: 1.., .. } => ServerState::Draining,
            Self { .. } => ServerState::Down,
        }
    }
}

/// Counts the endpoints of slices; with `pods`, only those that one of these pods is behind. An endpoint that does not say whether it is
/// ready is (discovery.k8s.io/v1, `EndpointConditions`).
pub fn of_slices<'a>(slices: impl IntoIterator<Item = &'a Value>, pods: Option<&BTreeSet<String>>) -> Readiness {
    #[derive(Deserialize)]
    struct Slice {
        #[serde(default)]
        endpoints: Option<Vec<Endpoint>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Endpoint {
        #[serde(default)]
        conditions: Conditions,
        target_ref: Option<Target>,
    }
    #[derive(Deserialize, Default)]
    struct Conditions {
        ready: Option<bool>,
        serving: Option<bool>,
        terminating: Option<bool>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: Option<String>,
    }
    let mut found = Readiness::default();
    let slices = slices.into_iter().filter_map(|slice| Slice::deserialize(slice).ok());
    for endpoint in slices.flat_map(|slice| slice.endpoints.unwrap_or_default()) {
        let named = endpoint.target_ref.and_then(|target| target.name);
        if pods.is_some_and(|pods| !named.is_some_and(|name| pods.contains(&name))) {
            continue;
        }
        let ending = endpoint.conditions.terminating == Some(true);
        if endpoint.conditions.ready.unwrap_or(true) && !ending {
            found.ready += 1;
        } else if ending && endpoint.conditions.serving == Some(true) {
            found.ending += 1;
        } else {
            found.unready += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn endpoints_are_told_apart_and_one_that_does_not_say_is_ready() {
        let slice = json!({ "endpoints": [
            { "addresses": ["10.0.0.1"], "targetRef": { "kind": "Pod", "name": "a" } },
            { "conditions": { "ready": false, "serving": true, "terminating": true }, "targetRef": { "name": "b" } },
            { "conditions": { "ready": false }, "targetRef": { "name": "c" } },
        ]});
        assert_eq!(of_slices([&slice], None), Readiness { ready: 1, ending: 1, unready: 1 });
        let only = |names: &[&str]| of_slices([&slice], Some(&names.iter().map(|name| (*name).to_owned()).collect())).state();
        assert_eq!((only(&["a", "b"]), only(&["b", "c"])), (ServerState::Up, ServerState::Draining));
        assert_eq!((only(&["c"]), only(&["d"])), (ServerState::Down, ServerState::Down));
        assert_eq!(of_slices([&json!({ "endpoints": null }), &json!("nonsense")], None), Readiness::default());
    }
}
