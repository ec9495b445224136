//! A workload of an orchestrator: what it wishes, how many instances of it are new, and how far a change of it has come.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::name::BackendName;
use super::slot::Slot;
use super::text::Text;
use super::walk::Walk;

/// Images by the names of their containers, exactly as they are set.
pub type Images = BTreeMap<String, String>;

/// What a workload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WorkloadKind {
    /// Replicas that are alike.
    Deployment,
    /// Replicas with names of their own.
    StatefulSet,
    /// One on each node.
    DaemonSet,
    /// Replicas that are alike, changed by steps of its own: a rollout of Argo Rollouts.
    Rollout,
    /// A Deployment that Flagger releases by an analysis of its own, into a second Deployment that takes the traffic.
    Canary,
}

impl WorkloadKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Deployment, Self::StatefulSet, Self::DaemonSet, Self::Rollout, Self::Canary];

    /// The word in configuration and JSON: the orchestrator's own.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Rollout => "Rollout",
            Self::Canary => "Canary",
        }
    }

    /// Whether it can be told to stand still.
    pub fn can_pause(self) -> bool {
        match self {
            Self::Deployment | Self::Rollout | Self::Canary => true,
            Self::StatefulSet | Self::DaemonSet => false,
        }
    }
}

/// Which workload.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkloadName {
    /// What it is.
    pub kind: WorkloadKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name there.
    pub name: String,
}

impl std::fmt::Display for WorkloadName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.word(), self.namespace, self.name)
    }
}

/// The workload that a target is, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadEntry {
    /// The orchestrator.
    pub backend: BackendName,
    /// Which.
    pub workload: WorkloadName,
    /// The container whose image is set.
    pub container: String,
    /// The image of a version, with `$version`.
    pub image: String,
}

impl WorkloadEntry {
    /// The image of a version.
    pub fn image_of(&self, version: &str) -> String {
        self.image.replacen("$version", version, 1)
    }

    /// The version of an image; none when it is not one that the template makes.
    pub fn version_of<'a>(&self, image: &'a str) -> Option<&'a str> {
        let (before, after) = self.image.split_once("$version")?;
        image.strip_prefix(before)?.strip_suffix(after).filter(|version| !version.is_empty())
    }
}

/// The two workloads whose instances the slots of a target are, as they are configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotWorkloads {
    /// That of the slot that was stable when it was first configured.
    pub first: WorkloadEntry,
    /// That of the other slot.
    pub second: WorkloadEntry,
    /// To how many instances a rollout brings the version on trial; none: to as many as the stable one has.
    pub replicas: Option<u32>,
    /// How many instances the old version keeps once the rollout ended; none: all of them.
    pub after: Option<u32>,
}

impl SlotWorkloads {
    /// That of a slot.
    pub fn of(&self, slot: Slot) -> &WorkloadEntry {
        match slot {
            Slot::First => &self.first,
            Slot::Second => &self.second,
        }
    }

    /// The orchestrator of both.
    pub fn backend(&self) -> &BackendName {
        &self.first.backend
    }
}

/// Counts of instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Replicas {
    /// How many there should be.
    pub wished: u32,
    /// How many there are, of any revision.
    pub present: u32,
    /// How many are of the newest revision.
    pub updated: u32,
    /// How many take requests, of any revision.
    pub ready: u32,
    /// How many have done so for `minReadySeconds`.
    pub available: u32,
}

/// How far a change has come, by the rules of `kubectl rollout status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "progress", content = "words", rename_all = "kebab-case")]
pub enum Progress {
    /// Its controller has not seen the newest form of it yet.
    Unseen,
    /// It is paused on the way.
    Paused(Text),
    /// It stands at a step of its own until a person sends it on.
    Waits(Text),
    /// It goes on.
    Moving(Text),
    /// It got no further within its own deadline, or cannot make its replicas.
    Stuck(Text),
    /// New instances come only when somebody deletes the old ones.
    ByHand(Text),
    /// Everything that should be new is, up to the partition of a stateful set.
    Done,
}

impl Progress {
    /// The word in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Paused(_) => "paused",
            Self::Waits(_) => "waits",
            Self::Moving(_) => "moving",
            Self::Stuck(_) => "stuck",
            Self::ByHand(_) => "by-hand",
            Self::Done => "done",
        }
    }

    /// In words.
    pub fn told(&self) -> String {
        match self {
            Self::Unseen => "its controller has not taken the change up yet".to_owned(),
            Self::Paused(words) => format!("paused: {words}"),
            Self::Waits(words) => format!("at a pause of its own: {words}"),
            Self::Stuck(words) => format!("stuck: {words}"),
            Self::Moving(words) | Self::ByHand(words) => words.to_string(),
            Self::Done => "all that should be new is".to_owned(),
        }
    }
}

/// What a deed sets of a workload, or found there: what is none, or no container of `images`, is not its business.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WorkloadForm {
    /// Images by container.
    #[serde(default, skip_serializing_if = "Images::is_empty")]
    pub images: Images,
    /// The first ordinal of a stateful set that is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<u32>,
    /// Whether a deployment or a rollout goes on no further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// How many of its own steps are behind a rollout at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// Whether all further steps of a rollout are skipped; never set to false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<bool>,
    /// Whether a rollout gave the change up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aborted: Option<bool>,
    /// How many instances there are to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
}

impl std::fmt::Display for WorkloadForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let images = self.images.iter().map(|(container, image)| format!("image of {container} {image}"));
        let partition = self.partition.map(|first| match first {
            0 => "every ordinal replaced".to_owned(),
            first => format!("ordinals from {first} on replaced"),
        });
        let paused = self.paused.map(|paused| if paused { "paused".to_owned() } else { "not paused".to_owned() });
        let step = self.step.map(|step| format!("{step} of its steps behind it"));
        let full = self.full.map(|full| if full { "further steps skipped".to_owned() } else { "no step skipped".to_owned() });
        let aborted = self.aborted.map(|aborted| if aborted { "aborted".to_owned() } else { "not aborted".to_owned() });
        let replicas = self.replicas.map(counted);
        let all: Vec<String> = images.chain(replicas).chain(partition).chain(paused).chain(step).chain(full).chain(aborted).collect();
        f.write_str(&all.join(", "))
    }
}

/// `4 instances`.
pub fn counted(replicas: u32) -> String {
    match replicas {
        0 => "no instance".to_owned(),
        1 => "1 instance".to_owned(),
        many => format!("{many} instances"),
    }
}

/// An absolute change of one workload. Sent again it does nothing that is not wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadChange {
    /// Which.
    pub workload: WorkloadName,
    /// The identity of the object: another one of the same name is not changed.
    pub uid: String,
    /// What must stand there right before it is written, unless it is as wished already.
    pub from: WorkloadForm,
    /// What it is set to.
    pub wish: WorkloadForm,
}

/// A workload as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadSeen {
    /// Which.
    pub name: WorkloadName,
    /// The identity of the object.
    pub uid: String,
    /// The images that it wishes.
    pub images: Images,
    /// The first ordinal of a stateful set that is replaced; none at another kind.
    pub partition: Option<u32>,
    /// Whether a deployment is paused, or a canary suspended.
    pub paused: bool,
    /// How it replaces its instances by its own rule: `RollingUpdate`, `Recreate`, `OnDelete`; of a rollout `Canary`, `BlueGreen`, or
    /// `workloadRef` where its template is another object's; of a canary `canary`, `blue-green`, `ab-testing`, or `targetRef` where its target
    /// is no Deployment.
    pub strategy: Text,
    /// Its instances.
    pub replicas: Replicas,
    /// How far it has come.
    pub progress: Progress,
    /// Its own steps; none where its kind has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk: Option<Walk>,
    /// The autoscaler that sets how many instances there are; none where there is none, or where nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaler: Option<Text>,
}

impl WorkloadSeen {
    /// Whether it wishes what a form says.
    pub fn is_as(&self, form: &WorkloadForm) -> bool {
        form.images.iter().all(|(container, image)| self.images.get(container) == Some(image))
            && form.partition.is_none_or(|first| self.partition == Some(first))
            && form.paused.is_none_or(|paused| self.paused == paused)
            && form.step.is_none_or(|step| self.walk.as_ref().is_some_and(|walk| !walk.aborted && walk.reached() >= step))
            && form.full.is_none_or(|full| self.walk.as_ref().is_some_and(|walk| walk.full == full))
            && form.aborted.is_none_or(|aborted| self.walk.as_ref().is_some_and(|walk| walk.aborted == aborted))
            && form.replicas.is_none_or(|replicas| self.has(replicas))
    }

    /// Whether it wishes so many instances. Where an autoscaler minds them, any number stands for another one: gonogo brings a workload up
    /// from none and down to none, and what lies between is the autoscaler's.
    fn has(&self, replicas: u32) -> bool {
        let wished = self.replicas.wished;
        wished == replicas || self.autoscaler.is_some() && wished > 0 && replicas > 0
    }

    /// Whether everything that should be new is. After a stateful set was taken back its revisions are equal while instances of the
    /// other one are still there, so they are counted.
    pub fn is_done(&self) -> bool {
        let due = self.replicas.wished.saturating_sub(self.partition.unwrap_or(0));
        let fresh = self.name.kind != WorkloadKind::StatefulSet || self.replicas.updated >= due;
        // What its controller says of the number before: of none there is none.
        let gone = self.replicas.wished > 0 || self.replicas.present == 0;
        self.progress == Progress::Done && fresh && gone
    }

    /// How far it has come, in words.
    pub fn told(&self) -> String {
        let Replicas { wished, present, updated, .. } = self.replicas;
        match &self.progress {
            Progress::Done if wished == 0 && present == 0 => "it has no instance".to_owned(),
            Progress::Done if wished == 0 => format!("{} on the way out", counted(present)),
            Progress::Done if self.is_done() => format!("{updated} of {wished} are new"),
            Progress::Done => format!("{updated} of {wished} are of the newest revision"),
            other @ (Progress::Unseen
            | Progress::Paused(_)
            | Progress::Waits(_)
            | Progress::Moving(_)
            | Progress::Stuck(_)
            | Progress::ByHand(_)) => other.told(),
        }
    }
}

/// A workload that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadAsk {
    /// Which.
    pub name: WorkloadName,
    /// Whether its number of instances may be set, so that an autoscaler of it is asked for, too.
    pub scaled: bool,
}

/// The workloads that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WorkloadReading {
    /// Those that are there.
    pub workloads: Vec<WorkloadSeen>,
    /// Those that are not.
    pub missing: Vec<WorkloadName>,
}

impl WorkloadReading {
    /// One of them.
    pub fn get(&self, name: &WorkloadName) -> Option<&WorkloadSeen> {
        self.workloads.iter().find(|seen| &seen.name == name)
    }
}

/// The first ordinal that is replaced when so many per cent of `replicas` are to be new; at least one is.
pub fn partition(replicas: u32, percent: u8) -> u32 {
    let fresh = (u64::from(replicas) * u64::from(percent)).div_ceil(100);
    replicas.saturating_sub(u32::try_from(fresh).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_rounded_up_and_the_last_one_leaves_nothing() {
        let firsts =
            [(3, 30), (3, 34), (3, 100), (10, 25), (10, 1), (0, 50), (1, 1)].map(|(replicas, percent)| partition(replicas, percent));
        assert_eq!(firsts, [2, 1, 0, 7, 9, 0, 0]);
    }

    #[test]
    fn a_version_is_what_the_template_leaves_open() {
        let entry = WorkloadEntry {
            backend: "k8s".parse().unwrap(),
            workload: WorkloadName { kind: WorkloadKind::Deployment, namespace: "shop".to_owned(), name: "web".to_owned() },
            container: "main".to_owned(),
            image: "registry/shop:$version-slim".to_owned(),
        };
        assert_eq!(entry.image_of("2.5"), "registry/shop:2.5-slim");
        assert_eq!(entry.version_of("registry/shop:2.5-slim"), Some("2.5"));
        assert_eq!(entry.version_of("other/shop:2.5-slim"), None);
        assert_eq!(entry.version_of("registry/shop:-slim"), None);
    }
}
