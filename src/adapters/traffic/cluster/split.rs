//! A split of traffic as an object of a cluster has it: targets with weights, where each weight stands, and whether it is in force.

use serde_json::{Value, json};

use crate::adapters::kubernetes::{Meta, Place};
use crate::model::name::{PoolName, ServerName};
use crate::model::text::Text;
use crate::model::traffic::Weights;

/// What a pool's name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Called {
    /// The object.
    pub(super) place: Place,
    /// The rule in it, by its name or its place; none: the only one that splits.
    pub(super) rule: Option<String>,
}

impl Called {
    /// Takes a name apart. Nothing in Kubernetes has a name with `_`.
    pub(super) fn of(pool: &PoolName, namespace: &str) -> Self {
        let (object, rule) = pool.as_str().split_once('_').map_or((pool.as_str(), None), |(object, rule)| (object, Some(rule)));
        let (namespace, name) = object.split_once('.').unwrap_or((namespace, object));
        Self { place: Place { namespace: namespace.to_owned(), name: name.to_owned() }, rule: rule.map(str::to_owned) }
    }

    /// The one rule of these that is meant: each with its name and whether it splits.
    pub(super) fn choose(&self, rules: &[(Option<&str>, bool)]) -> Result<usize, String> {
        let Some(asked) = &self.rule else {
            let splitting: Vec<usize> = rules.iter().enumerate().filter(|(_, (_, splits))| *splits).map(|(at, _)| at).collect();
            return match splitting.as_slice() {
                [one] => Ok(*one),
                [] => Err("none of its rules splits traffic between two or more".to_owned()),
                many => Err(format!("{} of its rules split traffic; name one after `_`", many.len())),
            };
        };
        let named = rules.iter().position(|(name, _)| *name == Some(asked.as_str()));
        let at = named.or_else(|| asked.parse().ok().filter(|at| *at < rules.len())).ok_or_else(|| format!("it has no rule {asked}"))?;
        let splits = rules.get(at).is_some_and(|(_, splits)| *splits);
        if splits { Ok(at) } else { Err(format!("its rule {asked} does not split traffic between two or more")) }
    }
}

/// Whether the weights of the object are those that the traffic goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// They are.
    Yes,
    /// A controller serves this route and has not said so of these weights.
    NotYet,
    /// Nobody serves this route, for this reason.
    No(String),
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// What it is called here.
    pub(super) name: ServerName,
    /// Its weight.
    pub(super) weight: u32,
    /// Where in the object it stands, as a JSON pointer.
    pub(super) at: String,
    /// Where beneath that its name stands, and what stands there.
    pub(super) named: (&'static str, String),
    /// The service behind it.
    pub(super) service: Place,
    /// The subset of the service's pods.
    pub(super) subset: Option<String>,
}

/// A split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// What was asked for.
    pub(super) called: Called,
    /// The object as it was read.
    pub(super) meta: Meta,
    /// The targets in the object's order.
    pub(super) targets: Vec<Target>,
    /// Whether it is in force.
    pub(super) taken: Taken,
    /// The ways into it, each with what a request's headers must be.
    pub(super) ways: Vec<Vec<Text>>,
}

impl Split {
    /// Checks what holds for every split.
    pub(super) fn new(called: &Called, meta: Meta, targets: Vec<Target>, taken: Taken) -> Result<Self, String> {
        for (at, target) in targets.iter().enumerate() {
            if targets.iter().skip(at + 1).any(|other| other.name == target.name) {
                return Err(format!("two of its targets are called {}", target.name));
            }
        }
        Ok(Self { called: called.clone(), meta, targets, taken, ways: Vec::new() })
    }

    /// The same with the ways into it; without any, every request goes there.
    #[must_use]
    pub(super) fn reached_by(self, ways: Vec<Vec<Text>>) -> Self {
        Self { ways: if ways.is_empty() { vec![Vec::new()] } else { ways }, ..self }
    }

    /// Whether both are of one object with the same wishes.
    pub(super) fn same_wish(&self, other: &Self) -> bool {
        self.meta.same_wish(&other.meta) && self.targets == other.targets
    }

    /// The JSON patch that sets weights. With `exact` it holds for the very object that was read: a patch that sets a `resourceVersion`
    /// other than the present one is refused with 409.
    pub(super) fn patch(&self, weights: &Weights, exact: bool) -> Value {
        let mut operations = Vec::new();
        if exact {
            operations.push(json!({ "op": "add", "path": "/metadata/resourceVersion", "value": self.meta.resource_version }));
        }
        for target in &self.targets {
            if let Some(weight) = weights.get(&target.name) {
                operations.push(json!({ "op": "test", "path": format!("{}{}", target.at, target.named.0), "value": target.named.1 }));
                operations.push(json!({ "op": "add", "path": format!("{}/weight", target.at), "value": weight }));
            }
        }
        Value::Array(operations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_a_route_perhaps_in_a_namespace_perhaps_one_of_its_rules() {
        let of = |name: &str| {
            let called = Called::of(&PoolName::new(name).unwrap(), "shop");
            (called.place.namespace, called.place.name, called.rule)
        };
        let rule = |rule: &str| Some(rule.to_owned());
        assert_eq!(of("checkout"), ("shop".to_owned(), "checkout".to_owned(), None));
        assert_eq!(of("pay.checkout.v2_0"), ("pay".to_owned(), "checkout.v2".to_owned(), rule("0")));
        assert_eq!(of("checkout_by_header"), ("shop".to_owned(), "checkout".to_owned(), rule("by_header")));
    }

    #[test]
    fn a_rule_is_chosen_by_name_before_place_and_never_guessed() {
        let called = |name: &str| Called::of(&PoolName::new(name).unwrap(), "shop");
        let rules = [(Some("1"), true), (Some("main"), true), (None, false)];
        assert_eq!(called("c_1").choose(&rules), Ok(0));
        assert_eq!(called("c_main").choose(&rules), Ok(1));
        assert_eq!(called("c_0").choose(&rules), Ok(0));
        assert!(called("c_2").choose(&rules).unwrap_err().contains("does not split"));
        assert!(called("c_9").choose(&rules).unwrap_err().contains("no rule 9"));
        assert!(called("c").choose(&rules).unwrap_err().contains("name one"));
        assert_eq!(called("c").choose(&rules[1..]), Ok(0));
    }
}
