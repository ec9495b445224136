//! The digest of the rules and roles that verdicts read: an Order bears it, so a change of them voids a plan.

use super::super::trust;
use crate::model::catalog::{Assurance, Environment, Protection};
use crate::model::gate::Gates;
use crate::model::operator::Person;
use serde::Serialize;

#[derive(Serialize)]
struct Rules<'a> {
    format: u32,
    people: Vec<&'a Person>,
    environments: Vec<Protected<'a>>,
}

#[derive(Serialize)]
struct Protected<'a> {
    name: &'a str,
    assurance: Assurance,
    protection: &'a Protection,
    gates: &'a Gates,
}

/// SHA-256 in lower-case hexadecimal over the RFC 8785 form of people, their roles, and the protections. The order of
/// tables in the files does not matter.
pub(super) fn rules(people: &[Person], environments: &[Environment]) -> String {
    let mut people: Vec<&Person> = people.iter().collect();
    people.sort_by(|one, other| one.name.cmp(&other.name));
    let mut environments: Vec<_> = environments
        .iter()
        .map(|environment| Protected {
            name: environment.name.as_str(),
            assurance: environment.assurance,
            protection: &environment.protection,
            gates: &environment.gates,
        })
        .collect();
    environments.sort_by_key(|environment| environment.name);
    // Serialising strings and small integers cannot fail; an empty text would still be a stable digest.
    let bytes = serde_json_canonicalizer::to_vec(&Rules { format: 1, people, environments }).unwrap_or_default();
    trust::digest(&bytes)
}
