//! Workloads of a cluster, read and changed: looked at, asked whether the change would be taken, changed, looked at again.

use serde_json::Value;

use super::cluster::Cluster;
use super::kind::Kind;
use super::object::{Meta, Place};
use super::request::{Change, Part};
use super::workload::{Canary, Images, Revision, Workload, WorkloadKind};
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::workload::{WorkloadChange, WorkloadForm, counted};

/// How often a write is made that came too late for its controller's notes.
const MOST_TRIES: usize = 6;

/// What is done to a workload; each says how it should be, not by how much it should change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A deployment goes on no further.
    Pause,
    /// It goes on.
    Resume,
    /// These containers run these images.
    Images(Images),
    /// So many replicas.
    Scale(u32),
    /// Only ordinals from this one on are replaced.
    Partition(u32),
    /// Back to what this revision was.
    Undo(u64),
    /// Everything that a form says, in one write.
    Form(WorkloadForm),
    /// All pods anew, noted with this time (RFC 3339), which tells one restart from the next.
    Restart(String),
}

impl Deed {
    /// Whether it sets a number of replicas beside other things, which an autoscaler may mind.
    fn scales(&self) -> bool {
        matches!(self, Self::Form(form) if form.replicas.is_some())
    }
}

/// What must be so of an object right before it is written.
#[derive(Debug, Clone, Copy)]
pub enum Expect<'a> {
    /// Nothing but that nobody changes its wishes meanwhile.
    Any,
    /// Its wishes are as they were when it was read.
    Wishes(&'a Meta),
    /// It is that object and stands as that form says; what else of it changes, its number of replicas above all, does not matter.
    From(&'a WorkloadChange),
}

impl Expect<'_> {
    /// What is said against writing the object.
    pub(super) fn against(self, now: &Workload) -> Option<String> {
        match self {
            Self::Any => None,
            Self::Wishes(meta) => (!meta.same_wish(&now.meta)).then(|| "it changed since it was planned".to_owned()),
            Self::From(change) if change.uid != now.meta.uid => Some("another object has its name now".to_owned()),
            Self::From(change) => {
                let seen = now.seen();
                (!seen.is_as(&change.from)).then(|| {
                    let all: Vec<String> = seen.images.iter().map(|(name, image)| format!("{name} {image}")).collect();
                    let many = change.from.replicas.map(|_| format!(", with {}", counted(seen.replicas.wished))).unwrap_or_default();
                    format!("another hand changed it: it was to stand at {}, and its images are {}{many}", change.from, all.join(", "))
                })
            }
        }
    }

    /// Whether it is the object that was planned on, where one was.
    pub(super) fn is_of(self, now: &Workload) -> bool {
        if let Self::From(change) = self { change.uid == now.meta.uid } else { true }
    }

    /// Whether an object that changed meanwhile may be written all the same.
    fn still(self, before: &Workload, now: &Workload) -> bool {
        match self {
            Self::Any | Self::Wishes(_) => now.meta.same_wish(&before.meta),
            Self::From(_) => self.against(now).is_none(),
        }
    }
}

/// The workloads of one cluster.
pub struct Workloads {
    cluster: Cluster,
}

impl Workloads {
    /// Those of a cluster.
    pub fn new(cluster: Cluster) -> Self {
        Self { cluster }
    }

    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Reads one; none when there is none of that name.
    ///
    /// # Errors
    /// As [`Cluster::get`].
    pub async fn read(&self, doing: &str, kind: WorkloadKind, place: &Place) -> Result<Option<Workload>, PortError> {
        let Some(object) = self.cluster.get(doing, kind.kind(), place).await? else { return Ok(None) };
        let read = match kind {
            WorkloadKind::Canary => self.read_canary(doing, place, &object).await?,
            WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet | WorkloadKind::Rollout => {
                Workload::of(kind, place, &object)
            }
        };
        read.map(Some).map_err(|why| self.cluster.fault(PortErrorKind::Malformed, doing, &why))
    }

    /// Reads one, and the autoscaler that minds it where its number of replicas is to be set.
    async fn look(&self, doing: &str, kind: WorkloadKind, place: &Place, scales: bool) -> Result<Option<Workload>, PortError> {
        let Some(mut workload) = self.read(doing, kind, place).await? else { return Ok(None) };
        if scales {
            workload.autoscaler = workload.minded_by(&self.autoscalers(doing, &place.namespace).await?);
        }
        Ok(Some(workload))
    }

    /// The autoscalers of a namespace; none where we may not ask for them: what one sets afterwards is then another hand.
    ///
    /// # Errors
    /// As [`Cluster::list`].
    pub(super) async fn autoscalers(&self, doing: &str, namespace: &str) -> Result<Vec<Value>, PortError> {
        match self.cluster.list(doing, Kind::HorizontalPodAutoscaler, namespace, "").await {
            Err(error) if error.kind == PortErrorKind::Forbidden => Ok(Vec::new()),
            listed => listed,
        }
    }

    /// A canary with the Deployments that it releases from and into, which are read after it: what is read of them is no older than its phase.
    async fn read_canary(&self, doing: &str, place: &Place, object: &Value) -> Result<Result<Workload, String>, PortError> {
        let canary = match Canary::of(place, object) {
            Ok(canary) => canary,
            Err(why) => return Ok(Err(why)),
        };
        let Some(target) = canary.target() else { return Ok(canary.with((None, None), &[])) };
        let release = self.cluster.get(doing, Kind::Deployment, &target).await?;
        let primary = self.cluster.get(doing, Kind::Deployment, &Canary::primary(&target)).await?;
        let both = (release.as_deref(), primary.as_deref());
        // Which check failed stands in its events alone. Who may not read them is told the rest.
        let events = if canary.fails(both) { self.cluster.events(doing, &place.namespace, canary.uid()).await.ok() } else { None };
        Ok(canary.with(both, &events.unwrap_or_default()))
    }

    /// Reads its revisions, the newest first.
    ///
    /// # Errors
    /// As [`Cluster::list`].
    pub async fn revisions(&self, doing: &str, workload: &Workload) -> Result<Vec<Revision>, PortError> {
        let around = self.cluster.list(doing, workload.kind.revisions(), &workload.place.namespace, &workload.selector).await?;
        Ok(workload.revisions(&around))
    }

    /// Carries out a deed, once, and only what `expect` says; what is as wished already is not written.
    ///
    /// Its controller writes its own notes into the object all the while: a write that came too late for those is made again for what the
    /// object is now, as long as nobody changed its wishes.
    ///
    /// # Errors
    /// `NotDone` when surely nothing changed: of kind `Conflict` when it is not as it was read or planned. `Unknown` when what was sent
    /// cannot be read back, or reads back as something else.
    pub async fn carry_out(&self, kind: WorkloadKind, place: &Place, deed: &Deed, expect: Expect<'_>) -> Result<(), SendError> {
        let doing = format!("change {} {}", kind.kind().word(), place.name);
        let not_done = |kind, why: &str| SendError::NotDone(self.cluster.fault(kind, &doing, why));
        let before = self.look(&doing, kind, place, deed.scales()).await.map_err(SendError::NotDone)?;
        let mut before = before.ok_or_else(|| not_done(PortErrorKind::NotFound, "it is not there"))?;
        if expect.is_of(&before) && matches!(deed, Deed::Form(_)) && before.is_as(deed, None) {
            return Ok(());
        }
        if let (Deed::Form(form), WorkloadKind::Rollout | WorkloadKind::Canary) = (deed, kind) {
            return self.walk(&doing, (place, before), form, expect).await;
        }
        if let Some(why) = expect.against(&before) {
            return Err(not_done(PortErrorKind::Conflict, &why));
        }
        let back = match deed {
            Deed::Undo(number) => {
                let all = self.revisions(&doing, &before).await.map_err(SendError::NotDone)?;
                all.into_iter().find(|one| one.number == *number)
            }
            Deed::Pause | Deed::Resume | Deed::Images(_) | Deed::Scale(_) | Deed::Partition(_) | Deed::Form(_) | Deed::Restart(_) => None,
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let change = before.change(deed, back.as_ref()).map_err(|why| not_done(PortErrorKind::Refused, &why))?;
            if before.is_as(deed, back.as_ref()) {
                return Ok(());
            }
            let sent = self.cluster.patch(&doing, (kind.kind(), Part::Whole), place, &change).await;
            match sent {
                Err(SendError::NotDone(error)) if error.kind == PortErrorKind::Conflict && tries < MOST_TRIES => {
                    match self.look(&doing, kind, place, deed.scales()).await.map_err(SendError::NotDone)? {
                        Some(now) if expect.still(&before, &now) => before = now,
                        Some(_) | None => return Err(SendError::NotDone(error)),
                    }
                }
                Err(SendError::NotDone(error)) => return Err(SendError::NotDone(error)),
                Err(SendError::Unknown(error)) => return self.settle(&doing, &before, deed, (back.as_ref(), Some(error))).await,
                Ok(_) => return self.settle(&doing, &before, deed, (back.as_ref(), None)).await,
            }
        }
    }

    /// Looks again after something was sent, and decides by what is there.
    async fn settle(
        &self,
        doing: &str,
        before: &Workload,
        deed: &Deed,
        (back, lost): (Option<&Revision>, Option<PortError>),
    ) -> Result<(), SendError> {
        let fault = |kind, why: &str| self.cluster.fault(kind, doing, why);
        match self.look(doing, before.kind, &before.place, deed.scales()).await {
            Ok(Some(after)) if after.meta.uid != before.meta.uid => {
                Err(SendError::Unknown(fault(PortErrorKind::Conflict, "another object has its name now")))
            }
            Ok(Some(after)) if after.is_as(deed, back) => Ok(()),
            // Its wishes have not changed since it was looked at first: what was sent never arrived.
            Ok(Some(after)) if after.meta.same_wish(&before.meta) => {
                let silent = || fault(PortErrorKind::Refused, "it said nothing against it, and nothing changed");
                Err(SendError::NotDone(lost.unwrap_or_else(silent)))
            }
            Ok(Some(_)) => {
                Err(SendError::Unknown(fault(PortErrorKind::Conflict, "another hand was there: it reads back as something else")))
            }
            Ok(None) => Err(SendError::Unknown(fault(PortErrorKind::NotFound, "it is gone"))),
            Err(error) => {
                let first = lost.map_or_else(|| "sent".to_owned(), |error| error.detail.as_str().to_owned());
                Err(SendError::Unknown(fault(error.kind.clone(), &format!("{first}; reading back: {}", error.detail))))
            }
        }
    }

    /// The patch that a deed would send now, for who wants to see it.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn shown(workload: &Workload, deed: &Deed, back: Option<&Revision>) -> Result<Value, String> {
        workload.change(deed, back).map(|change| match change {
            Change::Json(value) | Change::Merge(value) | Change::Strategic(value) => value,
        })
    }

    /// The call by which a person would do the same.
    pub fn command(&self, workload: &Workload, deed: &Deed) -> String {
        self.cluster.kubectl(&workload.place.namespace, &workload.words(deed))
    }

    /// The calls by which a person would bring a workload to a form.
    pub fn commands(&self, workload: &Workload, form: &WorkloadForm) -> Vec<String> {
        match workload.kind {
            WorkloadKind::Rollout | WorkloadKind::Canary => {
                let lines = workload.walked_by_hand(form);
                lines.iter().map(|line| self.cluster.kubectl(&workload.place.namespace, line)).collect()
            }
            WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => {
                vec![self.command(workload, &Deed::Form(form.clone()))]
            }
        }
    }
}
