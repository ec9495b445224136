//! The rules and roles that verdicts read, as one thing that has a digest, can be kept, and can be put in force again.
// long because: what is digested, kept, put in force again and compared is one format, and its tests stand beside it.

mod differ;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::catalog::{Assurance, Catalog, Environment, OnConflict, Protection, Repository, Scheduling, Service};
use super::deed::EntryKind;
use super::gate::Gates;
use super::judging::ServiceJudge;
use super::name::{BackendName, EnvironmentName, PersonName, ServiceName, Target};
use super::operator::Person;
use super::self_service::SelfService;
use super::text::Text;
use super::timetable::{Excepted, Exception, Freeze, Timetable, Train, Window};
use differ::differ;

pub use differ::{Difference, How, Kind};

/// The format number of a rule set.
const FORMAT: u32 = 1;

/// The role whose holders accept changed rules.
pub const POLICY_OWNER: &str = "policy-owner";

/// What is ruled in one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ruled {
    /// The environment.
    pub name: EnvironmentName,
    /// Who signs.
    pub assurance: Assurance,
    /// What protects it.
    pub protection: Protection,
    /// What must be true before a change goes forward there.
    pub gates: Gates,
    /// What becomes of conflicts, where the verdict reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<OnConflict>,
    /// Which roles people may take for a while; left out where none, so that a configuration without them keeps its digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub self_service: Vec<SelfService>,
}

/// Windows, freezes, exceptions and trains by their names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Times {
    /// Windows.
    pub windows: Vec<Window>,
    /// Freezes.
    pub freezes: Vec<Freeze>,
    /// Exceptions for a target on a day.
    pub exceptions: Vec<Exception>,
    /// Trains, whose cut-off binds who goes with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trains: Vec<Train>,
}

/// Where the changes of a service come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The backend that is asked.
    pub backend: BackendName,
    /// The repository's name there.
    pub repository: String,
    /// The tag of a version.
    pub tag: Option<String>,
}

impl Origin {
    fn of(service: &Service) -> Option<Self> {
        let repository = service.repository.as_ref()?;
        Some(Self { backend: repository.backend.clone()?, repository: repository.name.clone(), tag: repository.tag.clone() })
    }
}

/// All rules of a configuration. The order of tables in the files does not matter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleSet {
    /// [`FORMAT`].
    pub format: u32,
    /// People, by name.
    pub people: Vec<Person>,
    /// Environments, by name.
    pub environments: Vec<Ruled>,
    /// Windows, freezes and trains; none where there are none of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timetable: Option<Times>,
    /// Where each service's changes come from, by which its authors are told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<ServiceName, Origin>,
    /// What the checks of each service read (signals with their limits, alerts, pipeline, version, repository), as digests; empty in a
    /// set that is only digested, and where no environment makes checks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<ServiceName, String>,
}

/// How the rules of a process stand to those that were accepted in its ledger.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RuleStanding {
    /// The digest of the process's own rules; empty before they were named.
    pub current: String,
    /// The digest of the rules that were accepted last; none before the first entry about rules.
    pub accepted: Option<String>,
    /// Who stands for the process's own rules, in order.
    pub names: Vec<String>,
    /// The rules that were accepted, where a policy-owner guards them and the process's own are others.
    pub older: Option<Arc<RuleSet>>,
}

impl RuleStanding {
    /// Whether changed rules wait for somebody to accept them.
    pub fn waits(&self) -> bool {
        self.older.is_some()
    }
}

/// That a person stands for changed rules, to be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// Who: a person, or `os:NAME`.
    pub person: String,
    /// The digest of the rules.
    pub digest: String,
    /// The digest of those that were accepted before.
    pub from: String,
    /// In the person's own words; may be empty.
    pub words: Text,
}

impl Naming {
    /// What is recorded, and from tier T1 on signed by the person's own key: RFC 8785 JSON.
    ///
    /// # Errors
    /// When serialisation fails, which it cannot for texts.
    pub fn body(&self, installation: &str) -> Result<Vec<u8>, serde_json::Error> {
        serde_json_canonicalizer::to_vec(&serde_json::json!({
            "deed": null,
            "digest": self.digest,
            "format": FORMAT,
            "from": self.from,
            "installation": installation,
            "kind": EntryKind::Policy.word(),
            "requester": self.person,
            "state": "named",
            "step": null,
            "words": self.words,
        }))
    }
}

impl RuleSet {
    /// What people, environments, the timetable and the sources of changes rule, without what checks read: what every Order bears.
    pub fn of_parts(
        people: &[Person],
        environments: &[Environment],
        timetable: &Timetable,
        services: &BTreeMap<ServiceName, Service>,
    ) -> Self {
        let mut people = people.to_vec();
        people.sort_by(|one, other| one.name.cmp(&other.name));
        let ruled = |environment: &Environment| Ruled {
            name: environment.name.clone(),
            assurance: environment.assurance,
            protection: environment.protection.clone(),
            gates: environment.gates.clone(),
            conflicts: Some(environment.scheduling.conflicts).filter(|conflicts| *conflicts == OnConflict::Refuse),
            self_service: environment.self_service.clone(),
        };
        let mut environments: Vec<_> = environments.iter().map(ruled).collect();
        environments.sort_by(|one, other| one.name.cmp(&other.name));
        let sources = services.iter().filter_map(|(name, service)| Some((name.clone(), Origin::of(service)?))).collect();
        Self { format: FORMAT, people, environments, timetable: Times::of(timetable), sources, services: BTreeMap::new() }
    }

    /// All rules of a catalog.
    pub fn of(catalog: &Catalog) -> Self {
        let rules = Self::of_parts(&catalog.people, &catalog.environments, &catalog.timetable, &catalog.services);
        let services = if rules.makes_checks() {
            catalog.services.values().map(|service| (service.name.clone(), measured(service))).collect()
        } else {
            BTreeMap::new()
        };
        Self { services, ..rules }
    }

    /// SHA-256 in lower-case hexadecimal over the RFC 8785 form.
    pub fn digest(&self) -> String {
        // Serialising strings and small integers cannot fail; an empty text would still be a stable digest.
        digest(&serde_json_canonicalizer::to_vec(self).unwrap_or_default())
    }

    /// Whether somebody guards them: a person has the role [`POLICY_OWNER`].
    pub fn is_guarded(&self) -> bool {
        self.people.iter().any(|person| person.roles.iter().any(|grant| grant.role.as_str() == POLICY_OWNER))
    }

    /// The person of that name.
    pub fn person(&self, name: &PersonName) -> Option<&Person> {
        self.people.iter().find(|person| &person.name == name)
    }

    /// The people of both rule sets, each with the keys that both give the person.
    pub fn shared_keys(&self, newer: &Self) -> Vec<Person> {
        let shared = |one: &Person| {
            let other = newer.person(&one.name)?;
            let keys = one.keys.iter().filter(|key| other.has_key(key)).cloned().collect();
            Some(Person { keys, ..one.clone() })
        };
        self.people.iter().filter_map(shared).collect()
    }

    fn makes_checks(&self) -> bool {
        self.environments.iter().any(|environment| !environment.gates.checks.is_empty())
    }

    /// The services with the sources of these rules; a service without one has no source of changes.
    fn sourced(&self, services: &BTreeMap<ServiceName, Service>) -> BTreeMap<ServiceName, Service> {
        let sourced = |(name, service): (&ServiceName, &Service)| {
            let ours = self.sources.get(name);
            let mut service = service.clone();
            if Origin::of(&service).as_ref() != ours {
                let paths = service.repository.take().map(|repository| repository.paths).unwrap_or_default();
                let there = |origin: &Origin| Repository {
                    backend: Some(origin.backend.clone()),
                    name: origin.repository.clone(),
                    paths,
                    tag: origin.tag.clone(),
                };
                service.repository = ours.map(there);
            }
            (name.clone(), service)
        };
        services.iter().map(sourced).collect()
    }

    /// A catalog in which these rules stand in place of its own; what no rule is about stays.
    pub fn over(&self, catalog: &Catalog) -> Catalog {
        let environment = |environment: &Environment| {
            let ruled = self.environments.iter().find(|ruled| ruled.name == environment.name)?;
            let Ruled { assurance, protection, gates, conflicts, self_service, .. } = ruled.clone();
            let scheduling = Scheduling { conflicts: conflicts.unwrap_or_default(), ..environment.scheduling };
            Some(Environment { assurance, protection, gates, scheduling, self_service, ..environment.clone() })
        };
        let Times { windows, freezes, mut exceptions, trains } = self.timetable.clone().unwrap_or_default();
        // An exception for one plan is given for it alone and is no rule.
        exceptions.extend(catalog.timetable.exceptions.iter().filter(|exception| matches!(exception.lets, Excepted::Plan(_))).cloned());
        Catalog {
            people: self.people.clone(),
            environments: catalog.environments.iter().filter_map(environment).collect(),
            timetable: Timetable { windows, freezes, exceptions, trains, ..catalog.timetable.clone() },
            services: self.sourced(&catalog.services),
            ..catalog.clone()
        }
    }

    /// The digest of what is read for a target: of the rules for all, and where its environment makes checks, of what they read.
    pub fn digest_for(&self, target: &Target) -> String {
        let alike = Self { services: BTreeMap::new(), ..self.clone() };
        of_target(&alike.digest(), self.gates(&target.environment), || self.services.get(&target.service).cloned())
    }

    /// The gates of an environment.
    pub fn gates(&self, name: &EnvironmentName) -> Option<&Gates> {
        self.environments.iter().find(|environment| &environment.name == name).map(|environment| &environment.gates)
    }

    /// What differs between these rules and newer ones, in order.
    pub fn differences(&self, newer: &Self) -> Vec<Difference> {
        let (old, new) = (self.timetable.clone().unwrap_or_default(), newer.timetable.clone().unwrap_or_default());
        let excepted = |exception: &Exception| match &exception.lets {
            Excepted::Plan(plan) => format!("{} for plan {}", exception.freeze, plan.short()),
            Excepted::Day { target, date } => format!("{} for {target} on {date}", exception.freeze),
        };
        let mut all = differ(Kind::Person, &self.people, &newer.people, |person| person.name.to_string());
        all.extend(differ(Kind::Environment, &self.environments, &newer.environments, |ruled| ruled.name.to_string()));
        all.extend(differ(Kind::Window, &old.windows, &new.windows, |window| window.name.clone()));
        all.extend(differ(Kind::Freeze, &old.freezes, &new.freezes, |freeze| freeze.name.clone()));
        all.extend(differ(Kind::Exception, &old.exceptions, &new.exceptions, excepted));
        all.extend(differ(Kind::Train, &old.trains, &new.trains, |train| train.name.clone()));
        let read = |rules: &Self, name: &ServiceName| (rules.sources.get(name).cloned(), rules.services.get(name).cloned());
        let pairs = |rules: &Self| {
            let names: std::collections::BTreeSet<&ServiceName> = rules.sources.keys().chain(rules.services.keys()).collect();
            names.into_iter().map(|name| (name.clone(), read(rules, name))).collect::<Vec<_>>()
        };
        all.extend(differ(Kind::Service, &pairs(self), &pairs(newer), |(name, _)| name.to_string()));
        all.sort_by(|one, other| (one.what, &one.name).cmp(&(other.what, &other.name)));
        all
    }
}

impl Times {
    /// None without windows, freezes and trains, so that a configuration without them keeps its digest.
    fn of(timetable: &Timetable) -> Option<Self> {
        let mut windows = timetable.windows.clone();
        windows.sort_by(|one, other| one.name.cmp(&other.name));
        let mut freezes = timetable.freezes.clone();
        freezes.sort_by(|one, other| one.name.cmp(&other.name));
        // An exception for one plan names that plan's hash, which covers this digest: to count it would void the plan.
        let days = timetable.exceptions.iter().filter(|exception| matches!(exception.lets, Excepted::Day { .. }));
        let mut exceptions: Vec<_> = days.cloned().collect();
        exceptions.sort_by(|one, other| (&one.freeze, &one.by, &one.reason).cmp(&(&other.freeze, &other.by, &other.reason)));
        let mut trains = timetable.trains.clone();
        trains.sort_by(|one, other| one.name.cmp(&other.name));
        (windows.len() + freezes.len() + trains.len() > 0).then_some(Self { windows, freezes, exceptions, trains })
    }
}

impl Catalog {
    /// The digest of the rules that a verdict over a target reads: an Order bears it, so a change of them voids the plan, and a
    /// change of another service's measures does not.
    pub fn rules_for(&self, target: &Target) -> String {
        let gates = self.environment(&target.environment).map(|environment| &environment.gates);
        of_target(&self.rules_digest, gates, || self.services.get(&target.service).map(measured))
    }
}

fn of_target(all: &str, gates: Option<&Gates>, measured: impl FnOnce() -> Option<String>) -> String {
    if gates.is_none_or(|gates| gates.checks.is_empty()) {
        return all.to_owned();
    }
    joined(all, &measured().unwrap_or_default())
}

/// The digest of two digests that count together.
pub fn joined(one: &str, other: &str) -> String {
    digest(format!("{one}\n{other}\n").as_bytes())
}

/// The digest of what the checks of a service read.
fn measured(service: &Service) -> String {
    let deploys: BTreeMap<_, _> =
        service.deploy.iter().map(|(name, deploy)| (name, (&deploy.version, &deploy.github_environment))).collect();
    let Service { team, repository, alerts, pipeline, signals, judge, .. } = service;
    let all = digest(&serde_json_canonicalizer::to_vec(&(team, repository, alerts, pipeline, signals, deploys)).unwrap_or_default());
    // A service that says nothing of its judge keeps its digest.
    if *judge == ServiceJudge::default() {
        all
    } else {
        joined(&all, &digest(&serde_json_canonicalizer::to_vec(judge).unwrap_or_default()))
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::operator::Grant;

    fn person(name: &str, role: &str) -> Person {
        Person {
            name: name.parse().unwrap(),
            os_user: None,
            keys: Vec::new(),
            emails: Vec::new(),
            logins: Vec::new(),
            bots: Vec::new(),
            teams: Vec::new(),
            roles: vec![Grant { role: role.parse().unwrap(), environments: Vec::new(), services: Vec::new() }],
        }
    }

    fn rules(people: &[Person]) -> RuleSet {
        RuleSet::of_parts(people, &[], &Timetable::default(), &BTreeMap::new())
    }

    #[test]
    fn the_order_of_people_makes_no_difference_and_a_role_does() {
        let (ana, bo) = (person("ana", "captain"), person("bo", POLICY_OWNER));
        let (one, other) = (rules(&[ana.clone(), bo.clone()]), rules(&[bo.clone(), ana.clone()]));
        assert_eq!((one.digest(), one.differences(&other)), (other.digest(), Vec::new()));
        assert!(one.is_guarded() && !rules(&[ana]).is_guarded());
        let (cy, ana) = (person("cy", "captain"), person("ana", POLICY_OWNER));
        let newer = rules(&[ana, cy]);
        assert_ne!(one.digest(), newer.digest());
        let told: Vec<_> = one.differences(&newer).into_iter().map(|one| (one.name, one.how)).collect();
        let details: Vec<String> = one.differences(&newer).iter().flat_map(|one| one.details.iter().map(ToString::to_string)).collect();
        assert_eq!(
            details,
            [
                r#"roles: without {"role":"captain","environments":[],"services":[]}"#,
                r#"roles: with {"role":"policy-owner","environments":[],"services":[]}"#
            ]
        );
        assert_eq!(told, [("ana".to_owned(), How::Changed), ("bo".to_owned(), How::Removed), ("cy".to_owned(), How::Added)]);
    }

    #[test]
    fn what_is_kept_is_read_back_with_the_same_digest() {
        let set = rules(&[person("ana", "captain")]);
        let kept: RuleSet = serde_json::from_slice(&serde_json_canonicalizer::to_vec(&set).unwrap()).unwrap();
        assert_eq!((kept.digest(), kept), (set.digest(), set));
    }
}
