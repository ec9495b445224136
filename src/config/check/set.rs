//! `[[set]]`: targets whose rollouts move together, with a barrier between steps.

use super::super::file::Fields;
use super::super::nearest::instead;
use super::super::node::Node;
use super::super::problem::Findings;
use crate::model::catalog::Service;
use crate::model::name::{SetName, Target};
use crate::model::together::{OnFailure, RolloutSet};

pub(super) const SET: &[&str] = &["name", "targets", "on_failure"];

/// The sets in order of their names. A target may be in several of them, for only one can be started at a time.
pub(super) fn sets(nodes: &[Node], services: &[Service], found: &mut Findings) -> Vec<RolloutSet> {
    let mut sets: Vec<RolloutSet> = Vec::new();
    for node in nodes {
        let Some(set) = set(node, services, found) else { continue };
        if services.iter().any(|service| service.name.as_str() == set.name.as_str()) {
            found.problem(
                node.at,
                &format!("a service and a set are named `{}`", set.name),
                "a name of its own: both are typed after `rollout start`",
            );
        }
        sets.push(set);
    }
    sets.sort_by(|one, other| one.name.cmp(&other.name));
    sets
}

fn set(node: &Node, services: &[Service], found: &mut Findings) -> Option<RolloutSet> {
    let what = super::label("set", node);
    let fields = Fields::open(node, &what, SET, found)?;
    let name = fields.name(SetName::new, found);
    let mut targets: Vec<Target> = Vec::new();
    for (at, text) in fields.texts("targets", found) {
        let known = text.parse::<Target>().ok().filter(|target| is_deployed(services, target));
        match known {
            Some(target) if targets.contains(&target) => found.problem(at, &format!("`{text}` stands twice"), "each target once"),
            Some(target) => targets.push(target),
            None => {
                let all: Vec<String> = services.iter().flat_map(targets_of).map(|target| target.to_string()).collect();
                let right = instead(text, all.iter().map(String::as_str));
                found.problem(at, &format!("no service is deployed as `{text}`"), &right);
            }
        }
    }
    if targets.len() < 2 {
        let at = fields.get("targets").map_or(node.at, |node| node.at);
        found.problem(at, &format!("{what} has fewer than two targets"), "targets = [\"service@environment\", ..], at least two");
    }
    let on_failure = match fields.get("on_failure") {
        None => OnFailure::default(),
        Some(node) => {
            let text = node.text("on_failure", found)?;
            let known = OnFailure::ALL.into_iter().find(|one| one.word() == text);
            if known.is_none() {
                let right = instead(text, OnFailure::ALL.map(OnFailure::word));
                found.problem(node.at, &format!("`{text}` is nothing that becomes of the others"), &right);
            }
            known?
        }
    };
    Some(RolloutSet { name: name?, targets, on_failure })
}

fn targets_of(service: &Service) -> impl Iterator<Item = Target> + '_ {
    service.deploy.keys().map(|environment| Target::new(service.name.clone(), environment.clone()))
}

fn is_deployed(services: &[Service], target: &Target) -> bool {
    services.iter().any(|service| service.name == target.service && service.deploy.contains_key(&target.environment))
}
