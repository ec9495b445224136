//! OSCAL assessment results 1.2.1: deeds as observations with their evidence, and findings on the controls that are configured.
//!
//! Nothing here is kept for a deed but a count: the document is written as the ledger is read, once for each of its lists.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::NAMES;
use super::topic::Topic;
use super::uuid5::Namespace;
use crate::config::settings::OscalSettings;
use crate::model::deed::EntryKind;
use crate::model::dossier::{Dossier, Noted, Selection};
use crate::model::name::{EnvironmentName, ServiceName};
use crate::model::time::rfc3339;

/// The version of OSCAL.
const VERSION: &str = "1.2.1";
/// Reasons that a finding tells; the observations tell all.
const REASONS: usize = 20;

/// What is assessed: a ledger as it was at one moment, and a part of it.
pub struct Assessment<'a> {
    /// The configuration.
    pub settings: &'a OscalSettings,
    /// The installation.
    pub installation: &'a str,
    /// The ledger's entries.
    pub size: u64,
    /// The time of its last entry.
    pub at: DateTime<Utc>,
    /// Which deeds.
    pub wanted: &'a Selection,
    names: Namespace,
}

/// What a topic comes to over all deeds.
#[derive(Debug, Default)]
pub struct Counted {
    looked_at: u64,
    against: u64,
    reasons: Vec<String>,
}

/// What all deeds come to, as far as the document must know it before it tells them.
#[derive(Debug, Default)]
pub struct Tally {
    topics: [Counted; Topic::ALL.len()],
    persons: BTreeSet<String>,
    deeds: u64,
    first: Option<DateTime<Utc>>,
}

impl<'a> Assessment<'a> {
    /// An assessment of a part of a ledger.
    pub fn new(settings: &'a OscalSettings, installation: &'a str, size: u64, at: DateTime<Utc>, wanted: &'a Selection) -> Self {
        Self { settings, installation, size, at, wanted, names: Namespace::of_url(&format!("{NAMES}/installation/{installation}")) }
    }

    /// The time by which reviews count as overdue: the end of the period, or the ledger's last entry; not the clock, so that the
    /// same ledger gives the same document.
    fn by(&self) -> DateTime<Utc> {
        self.wanted.to.map_or(self.at, |to| to.min(self.at))
    }

    /// Counts a deed.
    pub fn count(&self, tally: &mut Tally, dossier: &Dossier) {
        tally.deeds += 1;
        tally.first = tally.first.or(dossier.at());
        tally.persons.insert(dossier.requester.clone());
        tally.persons.extend(dossier.said().iter().map(|said| said.person.to_owned()));
        for (topic, counted) in Topic::ALL.into_iter().zip(&mut tally.topics) {
            let Some(against) = topic.judge(dossier, self.by()) else { continue };
            counted.looked_at += 1;
            let Some(why) = against else { continue };
            counted.against += 1;
            if counted.reasons.len() < REASONS {
                counted.reasons.push(format!("{}: {why}", dossier.plan.short()));
            }
        }
    }

    /// Everything above the observations, without the brackets that stay open: what is written first.
    pub fn head(&self, tally: &Tally) -> String {
        let part = self.part();
        let person = |name: &String| json!({ "uuid": self.person(name), "type": "person", "name": held(name) });
        let mut parties: Vec<Value> = tally.persons.iter().filter(|name| !name.trim().is_empty()).map(person).collect();
        parties.insert(0, json!({ "uuid": self.tool(), "type": "organization", "name": format!("gonogo {}", self.installation) }));
        let metadata = json!({
            "title": format!("Changes through gonogo, installation {}", self.installation),
            "last-modified": rfc3339(&self.at),
            "version": self.size.to_string(),
            "oscal-version": VERSION,
            "props": [prop("installation", self.installation)],
            "parties": parties,
        });
        let start = self.wanted.from.or(tally.first).unwrap_or(self.at);
        let mut result = json!({
            "uuid": self.names.uuid(&format!("result/{part}")),
            "title": "Changes to production and their approval",
            "description": format!("{} plans and deeds of the ledger of {}, which then had {} entries", tally.deeds, self.installation, self.size),
            "start": rfc3339(&start),
            "end": rfc3339(&self.by().max(start)),
            "reviewed-controls": { "control-selections": [{ "include-controls": self.controls() }] },
            "local-definitions": { "assessment-assets": {
                "components": [{
                    "uuid": self.names.uuid("component"), "type": "software", "title": "gonogo",
                    "description": "The release control room through which the changes went; its ledger is what was examined.",
                    "status": { "state": "operational" },
                }],
                "assessment-platforms": [{ "uuid": self.names.uuid("platform"), "title": format!("The ledger of {}", self.installation) }],
            } },
        });
        if let Some(result) = result.as_object_mut() {
            let filters = [
                ("environment", self.wanted.environment.as_ref().map(ToString::to_string)),
                ("service", self.wanted.service.as_ref().map(ToString::to_string)),
            ];
            let filters: Vec<Value> = filters.into_iter().filter_map(|(name, value)| Some(prop(name, &value?))).collect();
            if !filters.is_empty() {
                result.insert("props".to_owned(), Value::Array(filters));
            }
        }
        let uuid = Value::from(self.names.uuid(&format!("assessment/{part}/{}", self.size)));
        let import = json!({ "href": self.settings.import_ap });
        let result = result.to_string();
        let open = result.strip_suffix('}').unwrap_or(&result);
        format!("{{\"assessment-results\":{{\"uuid\":{uuid},\"metadata\":{metadata},\"import-ap\":{import},\"results\":[{open}")
    }

    /// The brackets that [`Assessment::head`] left open.
    pub fn tail(&self) -> &'static str {
        "}]}}\n"
    }

    /// What names the part of the ledger that is assessed.
    fn part(&self) -> String {
        let Selection { from, to, environment, service } = self.wanted;
        let time = |at: &Option<DateTime<Utc>>| at.map(|at| rfc3339(&at)).unwrap_or_default();
        let name = |name: Option<&str>| name.unwrap_or_default().to_owned();
        let (environment, service) =
            (name(environment.as_ref().map(EnvironmentName::as_str)), name(service.as_ref().map(ServiceName::as_str)));
        format!("{}/{}/{environment}/{service}", time(from), time(to))
    }

    fn controls(&self) -> Vec<Value> {
        let all: BTreeSet<&String> = Topic::ALL.into_iter().flat_map(|topic| topic.controls(self.settings)).collect();
        all.into_iter().map(|control| json!({ "control-id": control })).collect()
    }

    fn tool(&self) -> String {
        self.names.uuid("tool")
    }

    fn person(&self, name: &str) -> String {
        self.names.uuid(&format!("person/{name}"))
    }

    fn observation_uuid(&self, dossier: &Dossier) -> String {
        self.names.uuid(&format!("deed/{}", dossier.plan))
    }

    /// A deed as an observation.
    pub fn observation(&self, dossier: &Dossier) -> Value {
        let target = dossier.target.as_ref().map(ToString::to_string).unwrap_or_default();
        let verb = dossier.verb.as_deref().unwrap_or("plan");
        let share = dossier.order.as_ref().and_then(|order| order.percent).map(|percent| format!(" {percent} %")).unwrap_or_default();
        let approvers: Vec<&str> = dossier.approvals().map(|said| said.person).collect();
        let approvers = if approvers.is_empty() { "nobody".to_owned() } else { approvers.join(", ") };
        let reason = if dossier.reason.is_empty() { String::new() } else { format!(" Reason: {}", dossier.reason) };
        let description =
            format!("{verb} {target}{share}, asked by {}, approved by {approvers}; state {}.{reason}", dossier.requester, dossier.state());
        let against: Vec<(Topic, String)> =
            Topic::ALL.into_iter().filter_map(|topic| Some((topic, topic.judge(dossier, self.by())??))).collect();
        let mut props = vec![prop("plan", &dossier.plan.to_string()), prop("state", dossier.state())];
        let order = dossier.order.as_ref();
        let more = [
            ("verb", dossier.verb.clone()),
            ("target", Some(target.clone())),
            ("change-type", order.map(|order| order.change_type.word().to_owned())),
            ("ticket", dossier.ticket().map(str::to_owned)),
            ("version", dossier.released.to.version.as_ref().map(ToString::to_string)),
            ("digest", dossier.released.to.digest.as_ref().map(ToString::to_string)),
            ("revision", dossier.released.to.revision.as_ref().map(ToString::to_string)),
            ("break-glass", dossier.break_glass().map(str::to_owned)),
        ];
        props.extend(more.into_iter().filter_map(|(name, value)| Some(prop(name, &value.filter(|value| !value.trim().is_empty())?))));
        props.extend(against.iter().map(|(topic, why)| prop(&format!("against-{}", topic.word()), why)));
        let mut evidence: Vec<Value> = dossier.entries.iter().map(evidence).collect();
        if let Some(digest) = dossier.evidence() {
            evidence.push(json!({
                "href": format!("evidence/{digest}"),
                "description": "What the verdict saw: the checks and readings, kept under this digest.",
                "props": [prop("sha256", digest)],
            }));
        }
        let methods = if dossier.facts().effective.is_some() { vec!["EXAMINE", "TEST"] } else { vec!["EXAMINE"] };
        json!({
            "uuid": self.observation_uuid(dossier),
            "title": format!("{verb} {target}{share}"),
            "description": description,
            "props": props,
            "methods": methods,
            "types": [if against.is_empty() { "control-objective" } else { "finding" }],
            "origins": [{ "actors": [{ "type": "tool", "actor-uuid": self.tool() }] }],
            "subjects": [{ "subject-uuid": self.names.uuid(&format!("target/{target}")), "type": "component", "title": held(&target) }],
            "relevant-evidence": evidence,
            "collected": rfc3339(&dossier.at().unwrap_or(self.at)),
        })
    }

    /// Findings that have something to tell: the topic, the control, and the finding without its observations.
    pub fn findings(&self, tally: &Tally) -> Vec<(Topic, Value)> {
        let mut all = Vec::new();
        for (topic, counted) in Topic::ALL.into_iter().zip(&tally.topics) {
            if counted.looked_at == 0 {
                continue;
            }
            for control in topic.controls(self.settings) {
                all.push((topic, self.finding(topic, control, counted)));
            }
        }
        all
    }

    fn finding(&self, topic: Topic, control: &str, counted: &Counted) -> Value {
        let is_so = counted.against == 0;
        let mut status =
            json!({ "state": if is_so { "satisfied" } else { "not-satisfied" }, "reason": if is_so { "pass" } else { "fail" } });
        if let (false, Some(status)) = (is_so, status.as_object_mut()) {
            let more = counted.against.saturating_sub(u64::try_from(counted.reasons.len()).unwrap_or(u64::MAX));
            let mut reasons = counted.reasons.join("; ");
            if more > 0 {
                reasons = format!("{reasons}; and {more} more, each told by its observation");
            }
            status.insert("remarks".to_owned(), Value::from(reasons));
        }
        json!({
            "uuid": self.names.uuid(&format!("finding/{}/{control}/{}/{}", topic.word(), self.part(), self.size)),
            "title": topic.title(),
            "description": format!("{} deeds were looked at, {} speak against it.", counted.looked_at, counted.against),
            "target": { "type": "objective-id", "target-id": format!("{control}_obj"), "status": status },
        })
    }

    /// How a finding refers to a deed; none when the deed says nothing on its topic.
    pub fn related(&self, topic: Topic, dossier: &Dossier) -> Option<Value> {
        topic.judge(dossier, self.by())?;
        Some(json!({ "observation-uuid": self.observation_uuid(dossier) }))
    }
}

impl Tally {
    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.deeds == 0
    }
}

/// A string as OSCAL takes it: not empty, no blanks at its ends.
fn held(text: &str) -> &str {
    let text = text.trim();
    if text.is_empty() { "none" } else { text }
}

/// A property of our own.
fn prop(name: &str, value: &str) -> Value {
    json!({ "name": name, "ns": NAMES, "value": held(value) })
}

/// An entry as evidence.
fn evidence(entry: &Noted) -> Value {
    let leaf = entry.leaf.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let by = if entry.kind == EntryKind::Signers { String::new() } else { format!(", signed by {}", entry.signer) };
    json!({
        "href": format!("ledger/{}", entry.n),
        "description": format!("Entry {} of the ledger: {} at {}{by}.", entry.n, entry.kind.word(), rfc3339(&entry.at)),
        "props": [prop("ledger-entry", &entry.n.to_string()), prop("leaf-sha256", &leaf)],
    })
}
