//! Watches an effective deed for its hold time: held only when readings without a gap cover it.

use std::time::Duration;

use super::confirm::newest;
use super::flag::{is_as_set, newest_flags};
use super::{Machine, Phase, drain, silence, workload};
use crate::control::task::Task;
use crate::control::world::World;
use crate::control::{rolling, rollouts};
use crate::model::deed::EntryKind;
use crate::model::part::Part;
use crate::model::plan::StepEffect;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::ports::ledger::Outcome;

impl Machine {
    /// Looks whether an effective deed still holds.
    pub(super) fn watch(&mut self, world: &World, now: &Moment, due: Boot, last: Boot) -> Vec<Task> {
        let mut oldest = now.boot;
        let mut allowed = Duration::MAX;
        for effect in &self.plan.order.effects {
            if !matches!(
                effect,
                StepEffect::Weights { .. }
                    | StepEffect::Flag { .. }
                    | StepEffect::Drain { .. }
                    | StepEffect::Silence { .. }
                    | StepEffect::Workload { .. }
            ) {
                continue;
            }
            let backend = effect.backend();
            let Some(source) = world.sources.get(backend) else {
                let words = format!("not watched to its end: {backend} is no longer configured");
                return self.record(EntryKind::Unwatched, None, &words, true, None);
            };
            allowed = allowed.min(source.backend.stale_after);
            // What this process has not read yet covers nothing.
            let Some((slipped, seen)) = slipped(world, effect) else {
                oldest = oldest.min(last);
                continue;
            };
            oldest = oldest.min(seen.boot);
            if let (Some(what), true) = (slipped, seen.boot > last) {
                let words = format!("slipped back: {what}");
                return self.record(EntryKind::Slipped, None, &words, true, None);
            }
        }
        let covered = oldest.max(last);
        let gap = now.boot.since(covered).max(oldest.since(last));
        if gap > allowed {
            let words = format!("not watched for {} s of its hold time, {} s are allowed", gap.as_secs(), allowed.as_secs());
            return self.record(EntryKind::Unwatched, None, &words, true, None);
        }
        if covered >= due {
            return self.held(world, now);
        }
        self.phase = Phase::Watching { due, last: covered };
        Vec::new()
    }

    /// It held. When the rules of a rollout took it back and the version it went back to is past its limits, a person is called.
    fn held(&mut self, world: &World, now: &Moment) -> Vec<Task> {
        let words = format!("still so after {} s", self.hold_time.as_secs());
        let by_rule = self.plan.order.of.is_some_and(|of| of.part == Part::WayBack);
        let unwell = by_rule.then(|| rollouts::unwell(world, self.plan.target(), now)).flatten();
        let told = unwell.as_ref().map_or_else(|| words.clone(), |unwell| format!("{words}, but going back did not help: {unwell}"));
        let (kind, step, error, changes) = (EntryKind::Held, None, None, Vec::new());
        let words = Text::clean(&told);
        self.write(Outcome { kind, step, words, error, changes, releases: true, held_due: None, no_help: unwell.is_some() })
    }
}

/// What of an effect no longer stands as it was set, by the newest reading, and when that was asked for; none when there is none.
fn slipped(world: &World, effect: &StepEffect) -> Option<(Option<String>, Moment)> {
    let backend = effect.backend();
    if let StepEffect::Flag { flag, .. } = effect {
        let (reading, seen) = newest_flags(world, backend)?;
        let what = match reading.state(flag) {
            None => Some(format!("{} is no longer there", flag.name)),
            Some(state) if is_as_set(effect, &state.mark) => None,
            Some(state) => Some(format!("{} is {}, changed by another hand", flag.name, state.mark.words())),
        };
        return Some((what, seen));
    }
    if let StepEffect::Workload { change, .. } = effect {
        let (reading, seen) = workload::newest(world, backend)?;
        let what = (!workload::reads_as(&reading, change)).then(|| rolling::elsewhere(reading.get(&change.workload), change, &change.wish));
        return Some((what, seen));
    }
    if let StepEffect::Silence { .. } = effect {
        return silence::slipped(world, effect);
    }
    if let StepEffect::Drain { server, .. } = effect {
        let (reading, seen) = newest(world, backend)?;
        return Some((
            drain::slipped(&reading, effect).map(|now| format!("{server} {now}, changed by another hand or a reload of {backend}")),
            seen,
        ));
    }
    let StepEffect::Weights { pool, weights, .. } = effect else { return None };
    let (reading, seen) = newest(world, backend)?;
    let what = (!reading.stands_at(pool, weights))
        .then(|| format!("weights of {pool} are no longer as set, changed by another hand or a reload of {backend}"));
    Some((what, seen))
}
