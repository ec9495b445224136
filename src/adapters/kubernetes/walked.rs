//! Brings a rollout of Argo Rollouts, or a canary of Flagger, to a form: write by write, each read back before the next one is thought of.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::object::Place;
use super::workload::{Next, Workload};
use super::workloads::{Expect, Workloads};
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::workload::WorkloadForm;

/// How often something is sent at most: three writes, and each again where its controller's notes came first.
const MOST_SENT: usize = 18;
/// How long nothing is asked while its controller takes a change up.
const PAUSE: Duration = Duration::from_millis(200);

impl Workloads {
    /// Brings it from how it was read to a form. What is so already is not written, so it may be sent again, also when it came half of
    /// the way before.
    ///
    /// # Errors
    /// As [`Workloads::carry_out`]; once a write was taken, what stops the next one is `Unknown`.
    pub(super) async fn walk(
        &self,
        doing: &str,
        (place, mut now): (&Place, Workload),
        form: &WorkloadForm,
        expect: Expect<'_>,
    ) -> Result<(), SendError> {
        let (kind, uid) = (now.kind, now.meta.uid.clone());
        let fault = |kind, why: &str| self.cluster().fault(kind, doing, why);
        let mut written = false;
        let stopped = |written: bool, error: PortError| if written { SendError::Unknown(error) } else { SendError::NotDone(error) };
        let until = Instant::now() + self.cluster().deadline();
        let images = WorkloadForm { images: form.images.clone(), ..WorkloadForm::default() };
        let mut sendings = 0;
        while sendings < MOST_SENT {
            // What an earlier sending brought half of the way stands at the images that are wished already.
            let ours = !images.images.is_empty() && expect.is_of(&now) && now.seen().is_as(&images);
            if let Some(why) = expect.against(&now).filter(|_| !ours) {
                return Err(stopped(written, fault(PortErrorKind::Conflict, &why)));
            }
            let next = now.next_write(form).map_err(|(kind, why)| stopped(written, fault(kind, &why)))?;
            let mut lost = None;
            let sent = match next {
                None => return Ok(()),
                Some(Next::Unobserved) if Instant::now() >= until => {
                    return Err(stopped(written, fault(PortErrorKind::TimedOut, "its controller has not taken the change up")));
                }
                Some(Next::Unobserved) => None,
                Some(Next::Write(what, part, change)) => {
                    sendings += 1;
                    let (object, at) = now.object_of(what);
                    match self.cluster().patch(doing, (object, part), at, &change).await {
                        Ok(_) => written = true,
                        // It is written again for what it is now, as long as that still is what it was planned on.
                        Err(SendError::NotDone(error)) if error.kind == PortErrorKind::Conflict => {}
                        Err(SendError::NotDone(error)) => return Err(stopped(written, error)),
                        Err(SendError::Unknown(error)) => lost = Some(error),
                    }
                    Some(what)
                }
            };
            if sent.is_none() {
                sleep(PAUSE).await;
            }
            now = match self.read(doing, kind, place).await {
                Ok(Some(after)) if after.meta.uid == uid => after,
                Ok(_) => return Err(stopped(written || lost.is_some(), fault(PortErrorKind::NotFound, "it is gone"))),
                Err(error) => return Err(stopped(written || lost.is_some(), lost.unwrap_or(error))),
            };
            if let (Some(error), Some(what)) = (lost, sent) {
                // What would be written next is the same: what was sent never arrived.
                if matches!(now.next_write(form), Ok(Some(Next::Write(next, _, _))) if next == what) {
                    return Err(stopped(written, error));
                }
                written = true;
            }
        }
        Err(stopped(written, fault(PortErrorKind::Conflict, "another hand changes it all the while")))
    }
}
