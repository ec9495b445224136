//! A canary of Flagger as it is: the Deployment whose template is released, the primary that takes the traffic, and how far the analysis
//! of its own has come.
//!
//! Flagger notes neither a generation nor the images that it speaks of, only hashes of Go's own memory. So what its phase is about is told by
//! the two Deployments: what its target wishes and its primary wishes, too, is promoted, whatever the phase says; and a failure is one of what
//! is wished now only when it came after that was written.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::steps::{What, stripped};
use super::{Images, Next, Progress, Replicas, Workload, WorkloadKind};
use crate::adapters::kubernetes::kind::Kind;
use crate::adapters::kubernetes::object::{Meta, Place, condition};
use crate::adapters::kubernetes::request::{Change, Part};
use crate::model::error::PortErrorKind;
use crate::model::text::Text;
use crate::model::walk::{Failed, Walk};
use crate::model::workload::WorkloadForm;

/// The interval of an analysis that says none.
const INTERVAL: &str = "60s";

/// A canary before its Deployments were read.
pub struct Canary<'a> {
    place: &'a Place,
    object: &'a Value,
    meta: Meta,
    spec: Spec,
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    target_ref: TargetRef,
    #[serde(default)]
    suspend: bool,
    analysis: Option<Analysis>,
    /// Its older name.
    canary_analysis: Option<Analysis>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TargetRef {
    kind: String,
    name: String,
}

#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "camelCase", default)]
struct Analysis {
    interval: String,
    iterations: u32,
    max_weight: u32,
    step_weight: u32,
    step_weights: Vec<u32>,
    threshold: u32,
    r#match: Vec<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: String,
    failed_checks: u32,
    canary_weight: u32,
    iterations: u32,
}

impl Analysis {
    /// As Flagger tells them apart.
    fn strategy(&self) -> &'static str {
        match (self.iterations, self.r#match.is_empty()) {
            (0, _) => "canary",
            (_, true) => "blue-green",
            (_, false) => "ab-testing",
        }
    }

    /// How many steps there are, and which is under way: a weight, or an iteration.
    fn steps(&self, status: &Status) -> (u32, u32) {
        if self.iterations > 0 {
            return (self.iterations, status.iterations.saturating_sub(1).min(self.iterations));
        }
        let most = if self.max_weight > 0 { self.max_weight } else { 100 };
        let (many, come) = if self.step_weights.is_empty() {
            let by = self.step_weight.max(1);
            (most.div_ceil(by), status.canary_weight.div_ceil(by))
        } else {
            let count = |list: usize| u32::try_from(list).unwrap_or(u32::MAX);
            (count(self.step_weights.len()), count(self.step_weights.iter().filter(|weight| **weight <= status.canary_weight).count()))
        };
        (many, come.saturating_sub(1).min(many))
    }
}

impl<'a> Canary<'a> {
    /// Reads the object itself.
    ///
    /// # Errors
    /// Why it is not what it should be.
    pub fn of(place: &'a Place, object: &'a Value) -> Result<Self, String> {
        let meta = Meta::of(object)?;
        let other = |error: serde_json::Error| format!("the Canary is another than expected: {error}");
        let spec = Spec::deserialize(object.get("spec").unwrap_or(&Value::Null)).map_err(other)?;
        let status = object.get("status").map(Status::deserialize).transpose().map_err(other)?.unwrap_or_default();
        Ok(Self { place, object, meta, spec, status })
    }

    /// The Deployment that is released; none where its target is of another kind.
    pub fn target(&self) -> Option<Place> {
        let TargetRef { kind, name } = &self.spec.target_ref;
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
        let place = || Place { namespace: self.place.namespace.clone(), name: name.clone() };
        (plain && matches!(kind.as_str(), "" | "Deployment")).then(place)
    }

    /// The Deployment that Flagger makes of a target for the version that takes the traffic.
    pub fn primary(target: &Place) -> Place {
        Place { namespace: target.namespace.clone(), name: format!("{}-primary", target.name) }
    }

    /// Its identity.
    pub fn uid(&self) -> &str {
        &self.meta.uid
    }

    /// Whether checks of what its target wishes fail, or failed.
    pub fn fails(&self, (target, primary): (Option<&Value>, Option<&Value>)) -> bool {
        let of = |deployment: Option<&Value>| deployment.and_then(|one| one.pointer("/spec/template")).map(super::images);
        of(target) != of(primary) && (self.status.phase == "Failed" || self.status.phase == "Progressing" && self.status.failed_checks > 0)
    }

    /// With its Deployments as they were read after it, none where there is none, and its events.
    ///
    /// # Errors
    /// Why one of them is not what it should be.
    pub fn with(self, (target, primary): (Option<&Value>, Option<&Value>), events: &[Value]) -> Result<Workload, String> {
        let Some(place) = self.target() else { return Ok(self.of_another_kind()) };
        let read =
            |place: &Place, object: Option<&Value>| object.map(|object| Workload::of(WorkloadKind::Deployment, place, object)).transpose();
        let written = target.and_then(written);
        let (target, primary) = (read(&place, target)?, read(&Self::primary(&place), primary)?);
        let analysis = self.spec.analysis.clone().or_else(|| self.spec.canary_analysis.clone()).unwrap_or_default();
        let images = target.as_ref().map(|target| target.images.clone()).unwrap_or_default();
        let promoted = primary.as_ref().is_some_and(|primary| !images.is_empty() && primary.images == images);
        let halted = written.and_then(|written| halted(events, written));
        let at = At { target: target.as_ref(), primary: primary.as_ref(), promoted, failed: self.failed_since(written), halted };
        let walk = self.walk(&analysis, &at);
        let replicas = at.replicas();
        let progress = match self.progress(&analysis, &at, &walk, replicas) {
            Progress::Moving(words) | Progress::Waits(words) if self.spec.suspend => Progress::Paused(words),
            other @ (Progress::Unseen
            | Progress::Paused(_)
            | Progress::Waits(_)
            | Progress::Moving(_)
            | Progress::Stuck(_)
            | Progress::ByHand(_)
            | Progress::Done) => other,
        };
        let (selector, template) = target.as_ref().map(|target| (target.selector.clone(), target.template.clone())).unwrap_or_default();
        Ok(Workload {
            kind: WorkloadKind::Canary,
            place: self.place.clone(),
            paused: self.spec.suspend,
            partition: None,
            strategy: analysis.strategy().to_owned(),
            replicas,
            progress,
            images,
            revision: None,
            selector,
            template,
            walk: Some((walk, super::rollout::Notes { observed: true, promoted, inconclusive: false })),
            autoscaler: None,
            target: target.map(Box::new),
            meta: self.meta,
        })
    }

    /// One whose target is no Deployment: it is told, and nothing of it is changed.
    fn of_another_kind(self) -> Workload {
        let words = format!("its target is a {}, and gonogo releases only Deployments through Flagger", self.spec.target_ref.kind);
        Workload {
            kind: WorkloadKind::Canary,
            place: self.place.clone(),
            paused: self.spec.suspend,
            partition: None,
            strategy: "targetRef".to_owned(),
            replicas: Replicas::default(),
            progress: Progress::Stuck(Text::clean_within(&words, 400)),
            images: Images::new(),
            revision: None,
            selector: String::new(),
            template: Value::Null,
            walk: None,
            autoscaler: None,
            target: None,
            meta: self.meta,
        }
    }

    /// Whether it failed, after the images that are wished now were written.
    fn failed_since(&self, written: Option<DateTime<Utc>>) -> bool {
        let all = self.object.pointer("/status/conditions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let promoted = all.iter().find(|one| one.get("type").and_then(Value::as_str) == Some("Promoted"));
        let since = promoted.and_then(|one| time(one.get("lastTransitionTime")?));
        self.status.phase == "Failed" && since.zip(written).is_some_and(|(since, written)| since > written)
    }

    fn walk(&self, analysis: &Analysis, at: &At<'_>) -> Walk {
        let (steps, step) = analysis.steps(&self.status);
        let phase = self.status.phase.as_str();
        let shifts = analysis.iterations == 0 && matches!(phase, "Progressing" | "Promoting");
        let full = at.promoted && !matches!(phase, "Promoting" | "Finalising");
        Walk {
            step: match phase {
                _ if full => steps,
                "Promoting" | "Finalising" => steps,
                "WaitingPromotion" => steps.saturating_sub(1),
                "Progressing" => step,
                _ => 0,
            },
            steps,
            weight: (shifts && !full).then_some(self.status.canary_weight),
            pauses: if self.waits() && !full { vec![Text::clean_within(phase, 100)] } else { Vec::new() },
            released: false,
            aborted: at.failed && !at.promoted,
            full,
            analyses: Vec::new(),
            phase: Some(Text::clean_within(phase, 100)),
            failed: (!full).then(|| Failed { checks: self.status.failed_checks, most: analysis.threshold.max(1) }),
        }
    }

    /// Whether it waits until a gate of its own is opened.
    fn waits(&self) -> bool {
        matches!(self.status.phase.as_str(), "Waiting" | "WaitingPromotion")
    }

    fn progress(&self, analysis: &Analysis, at: &At<'_>, walk: &Walk, replicas: Replicas) -> Progress {
        let text = |words: String| Text::clean_within(&words, 400);
        let phase = self.status.phase.as_str();
        let Some(target) = at.target else {
            return Progress::Stuck(text(format!("its target, the Deployment {}, is not there", self.spec.target_ref.name)));
        };
        let Some(primary) = at.primary.filter(|_| !matches!(phase, "" | "Initializing")) else {
            return Progress::Moving(text(format!("{phase}: Flagger makes its primary")));
        };
        let said = condition(self.object.pointer("/status/conditions"), "Promoted").map(|promoted| promoted.message).unwrap_or_default();
        match phase {
            "Terminating" | "Terminated" => return Progress::Stuck(text(format!("{phase}: it is being deleted"))),
            "Failed" if at.failed && self.status.canary_weight > 0 => {
                let words = format!(
                    "Failed: its primary does not get ready, and all of the traffic stays at its target: {}",
                    primary.progress.told()
                );
                return Progress::Stuck(text(words));
            }
            // Its promotion failed, and its target wishes another version since: the one that was promoted before is nothing new to Flagger.
            "Failed" if self.status.canary_weight > 0 && !at.promoted => {
                let words = format!(
                    "Failed: all of the traffic stays at its target, and its primary runs {}; Flagger takes nothing up before a new version comes",
                    images_of(primary)
                );
                return Progress::Stuck(text(words));
            }
            "Failed" if at.failed && !at.promoted => {
                let halted = at.halted.as_ref().map(|halted| format!("{halted}. ")).unwrap_or_default();
                return Progress::Stuck(text(format!("Flagger took it back: {halted}{said} Its primary runs {}", images_of(primary))));
            }
            "Promoting" | "Finalising" => {}
            // What is wished runs everywhere: also when an analysis of it goes on, as one does after it was taken back under way.
            _ if at.promoted => {
                return match (&primary.progress, &target.progress) {
                    (Progress::Done, Progress::Done) => Progress::Done,
                    (Progress::Done, other) | (other @ Progress::Stuck(_), _) => other.clone(),
                    (other, _) => Progress::Moving(text(format!("its primary: {}", other.told()))),
                };
            }
            "Initialized" | "Succeeded" | "Failed" => {
                let every = if analysis.interval.is_empty() { INTERVAL } else { &analysis.interval };
                return Progress::Moving(text(format!("Flagger has not taken it up yet; it looks every {every}")));
            }
            _ => {}
        }
        let checks = walk.failed.filter(|_| !matches!(phase, "Promoting" | "Finalising"));
        let told: Vec<String> = walk
            .told()
            .into_iter()
            .chain(walk.weight.map(|weight| format!("weight {weight} %")))
            .chain(checks.map(|failed| format!("failed checks {} of {}", failed.checks, failed.most)))
            .chain(at.halted.clone().filter(|_| checks.is_some()))
            .chain(self.waits().then(|| said.trim_end_matches('.').to_owned()))
            .chain([format!("{} of {} are new", replicas.updated, replicas.wished)])
            .chain((target.progress != Progress::Done).then(|| format!("its target: {}", target.progress.told())))
            .collect();
        let told = text(format!("{phase}: {}", told.join("; ")));
        if self.waits() { Progress::Waits(told) } else { Progress::Moving(told) }
    }
}

/// The Deployments of a canary, and what they say together.
struct At<'a> {
    target: Option<&'a Workload>,
    primary: Option<&'a Workload>,
    /// Whether the primary wishes what the target wishes.
    promoted: bool,
    /// Whether it failed with what is wished now.
    failed: bool,
    /// Which check of it failed last, by Flagger's words.
    halted: Option<String>,
}

impl At<'_> {
    /// Of both together; new are those of the target until its primary wishes the same.
    fn replicas(&self) -> Replicas {
        let of = |one: Option<&Workload>| one.map(|one| one.replicas).unwrap_or_default();
        let (target, primary) = (of(self.target), of(self.primary));
        let both = |one: u32, other: u32| one.saturating_add(other);
        Replicas {
            wished: if self.primary.is_some() { primary.wished } else { target.wished },
            present: both(target.present, primary.present),
            updated: if self.promoted { primary.updated } else { target.updated },
            ready: both(target.ready, primary.ready),
            available: both(target.available, primary.available),
        }
    }
}

fn images_of(workload: &Workload) -> String {
    workload.images.iter().map(|(name, image)| format!("{name} {image}")).collect::<Vec<_>>().join(", ")
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|time| time.to_utc())
}

/// When the images of a Deployment were written last at the latest: the newest word of those who own one of them, by the API server's clock.
fn written(deployment: &Value) -> Option<DateTime<Utc>> {
    let managers = deployment.pointer("/metadata/managedFields")?.as_array()?;
    let owns = |manager: &&Value| {
        let containers = manager.pointer("/fieldsV1/f:spec/f:template/f:spec/f:containers").and_then(Value::as_object);
        containers.is_some_and(|containers| containers.values().any(|one| one.get("f:image").is_some()))
    };
    managers.iter().filter(owns).filter_map(|manager| time(manager.get("time")?)).max()
}

/// What halted the analysis of what was written then last: `Halt NAME.NAMESPACE advancement ..`, an event of Flagger's.
fn halted(events: &[Value], written: DateTime<Utc>) -> Option<String> {
    let halts = events.iter().filter_map(|event| {
        let message = event.get("message")?.as_str().filter(|message| message.starts_with("Halt "))?;
        Some((time(event.get("lastTimestamp")?)?, message)).filter(|(at, _)| *at >= written)
    });
    halts.max_by_key(|(at, _)| *at).map(|(_, message)| message.trim_end_matches('.').to_owned())
}

impl Workload {
    /// The object that a write changes.
    pub fn object_of(&self, what: What) -> (Kind, &Place) {
        match self.target.as_ref().filter(|_| what == What::Spec) {
            Some(target) => (Kind::Deployment, &target.place),
            None => (self.kind.kind(), &self.place),
        }
    }

    /// The next write of a canary on the way to a form: the images of its target first, then whether it is suspended.
    pub(super) fn next_of_canary(&self, form: &WorkloadForm) -> Result<Option<Next>, (PortErrorKind, String)> {
        let refused = |why: &str| Err((PortErrorKind::Refused, why.to_owned()));
        if form.partition.is_some() || form.step.is_some() || form.full.is_some() || form.aborted.is_some() {
            return refused("a Canary has no such field: Flagger alone walks its analysis");
        }
        let images = WorkloadForm { images: form.images.clone(), ..WorkloadForm::default() };
        if !self.seen().is_as(&images) {
            let Some(target) = &self.target else { return refused("the Deployment that it releases is not there") };
            let change = target.to_form(&images).map_err(|why| (PortErrorKind::Refused, why))?;
            return Ok(Some(Next::Write(What::Spec, Part::Whole, change)));
        }
        let suspend = form.paused.filter(|paused| self.paused != *paused);
        Ok(suspend.map(|suspend| Next::Write(What::Suspend, Part::Whole, self.suspended(suspend))))
    }

    fn suspended(&self, suspend: bool) -> Change {
        Change::Merge(json!({ "metadata": { "resourceVersion": self.meta.resource_version }, "spec": { "suspend": suspend } }))
    }

    /// The calls by which a person would bring a canary to a form from how it stands, without the words that name the cluster.
    pub(super) fn canary_by_hand(&self, form: &WorkloadForm) -> Vec<String> {
        let quoted = crate::adapters::shell::quoted;
        let line = |what: What, change: &Change| {
            let (kind, place) = self.object_of(what);
            let object = quoted(&format!("{}/{}", kind.full(), place.name));
            format!("patch {object} --type={} -p {}", change.word(), quoted(&stripped(change.body().1).to_string()))
        };
        let images = WorkloadForm { images: form.images.clone(), ..WorkloadForm::default() };
        let first = self.next_of_canary(&images).ok().flatten().and_then(Next::change).map(|change| line(What::Spec, &change));
        let suspend = form.paused.filter(|paused| self.paused != *paused);
        first.into_iter().chain(suspend.map(|suspend| line(What::Suspend, &self.suspended(suspend)))).collect()
    }
}

#[cfg(test)]
mod tests;
