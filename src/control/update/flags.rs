//! Flags that changed between two readings: a line of the timeline, whoever changed them.

use super::Room;
use crate::control::task::Task;
use crate::model::deed::Deed;
use crate::model::flag::{FlagReading, FlagRef, FlagSeen};
use crate::model::name::{BackendName, Target};
use crate::model::plan::StepEffect;
use crate::model::time::Moment;
use crate::model::timeline::HappeningKind;

impl Room {
    fn flagged_by(&self, backend: &BackendName) -> Vec<Target> {
        self.world.targets.keys().filter(|target| self.world.catalog.flag_services(target).contains(backend)).cloned().collect()
    }

    /// Tells which flags of which targets stand otherwise than by the reading before.
    pub(super) fn flags_changed(&mut self, now: &Moment, backend: &BackendName, before: &FlagReading) -> Vec<Task> {
        let Some(reading) = self.world.flags(backend).and_then(|fact| fact.value.clone()) else { return Vec::new() };
        let mut tasks = Vec::new();
        for target in self.flagged_by(backend) {
            let Some(deploy) = self.world.catalog.deploy(&target).cloned() else { continue };
            for entry in deploy.flags.iter().filter(|entry| &entry.backend == backend) {
                let (Some(was), Some(is)) = (before.find(&entry.flag), reading.find(&entry.flag)) else { continue };
                let Some(what) = what(was, is) else { continue };
                let ours =
                    self.world.deeds.values().find(|deed| sets(deed, &target, &entry.flag)).map(|deed| format!(" by {}", deed.requester));
                // The account there may be that of gonogo's own token, so no more is said than what the flag service tells.
                let there = is.state.as_ref().and_then(|state| state.changed.as_ref()).filter(|changed| !changed.by.is_empty());
                let by = ours.or_else(|| there.map(|changed| format!(", changed there by {}", changed.by)));
                let text = format!("flag {}: {what}{}", entry.flag.name, by.unwrap_or_default());
                tasks.extend(self.say(now, HappeningKind::Change, Some(target.clone()), &text, backend.as_str()));
            }
        }
        tasks
    }
}

/// In words what changed; none when nothing did that decides who gets it.
fn what(was: &FlagSeen, is: &FlagSeen) -> Option<String> {
    match (&was.state, &is.state) {
        (Some(was), Some(is)) if was.mark == is.mark => None,
        (Some(was), Some(is)) if was.mark.on == is.mark.on && was.mark.percent == is.mark.percent => {
            Some(format!("{}, for other users than before", is.mark.words()))
        }
        (Some(was), Some(is)) => Some(format!("{} to {}", was.mark.words(), is.mark.words())),
        (Some(was), None) => Some(format!("{}, and is not there any more", was.mark.words())),
        (None, Some(is)) => Some(format!("{}, was not there before", is.mark.words())),
        (None, None) => None,
    }
}

/// Whether a deed that is under way sets this flag.
fn sets(deed: &Deed, target: &Target, wanted: &FlagRef) -> bool {
    let sets = |effect: &StepEffect| matches!(effect, StepEffect::Flag { flag, .. } if flag == wanted);
    &deed.target == target && deed.state.is_under_way() && deed.steps.iter().any(|step| sets(&step.effect))
}
