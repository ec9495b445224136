//! The digest of the rules and roles that verdicts read: an Order bears it, so a change of them voids a plan.

use super::super::trust;
use crate::model::catalog::{Assurance, Environment, Protection, Service};
use crate::model::gate::Gates;
use crate::model::name::{BackendName, ServiceName};
use crate::model::operator::Person;
use crate::model::timetable::{Excepted, Exception, Freeze, Timetable, Window};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Rules<'a> {
    format: u32,
    people: Vec<&'a Person>,
    environments: Vec<Protected<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timetable: Option<Ordered<'a>>,
    /// Where each service's changes come from, by which its authors are told.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    sources: BTreeMap<&'a ServiceName, (&'a BackendName, &'a str, Option<&'a str>)>,
}

/// Windows, freezes and exceptions by their names.
#[derive(Serialize)]
struct Ordered<'a> {
    windows: Vec<&'a Window>,
    freezes: Vec<&'a Freeze>,
    exceptions: Vec<&'a Exception>,
}

impl<'a> Ordered<'a> {
    /// None without windows and freezes, so that a configuration without them keeps its digest.
    fn of(timetable: &'a Timetable) -> Option<Self> {
        let mut windows: Vec<_> = timetable.windows.iter().collect();
        windows.sort_by_key(|window| &window.name);
        let mut freezes: Vec<_> = timetable.freezes.iter().collect();
        freezes.sort_by_key(|freeze| &freeze.name);
        // An exception for one plan names that plan's hash, which covers this digest: to count it would void the plan.
        let mut exceptions: Vec<_> =
            timetable.exceptions.iter().filter(|exception| matches!(exception.lets, Excepted::Day { .. })).collect();
        exceptions.sort_by_key(|exception| (&exception.freeze, &exception.by, &exception.reason));
        (windows.len() + freezes.len() > 0).then_some(Self { windows, freezes, exceptions })
    }
}

#[derive(Serialize)]
struct Protected<'a> {
    name: &'a str,
    assurance: Assurance,
    protection: &'a Protection,
    gates: &'a Gates,
}

fn source(service: &Service) -> Option<(&BackendName, &str, Option<&str>)> {
    let repository = service.repository.as_ref()?;
    Some((repository.backend.as_ref()?, repository.name.as_str(), repository.tag.as_deref()))
}

/// SHA-256 in lower-case hexadecimal over the RFC 8785 form of people, their roles, the protections, windows, freezes, and where the
/// changes of services come from. The order of tables in the files does not matter.
pub(super) fn rules(
    people: &[Person],
    environments: &[Environment],
    timetable: &Timetable,
    services: &BTreeMap<ServiceName, Service>,
) -> String {
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
    let sources = services.iter().filter_map(|(name, service)| Some((name, source(service)?))).collect();
    let rules = Rules { format: 1, people, environments, timetable: Ordered::of(timetable), sources };
    // Serialising strings and small integers cannot fail; an empty text would still be a stable digest.
    let bytes = serde_json_canonicalizer::to_vec(&rules).unwrap_or_default();
    trust::digest(&bytes)
}
