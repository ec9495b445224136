//! What readings show of a silence that a deed makes or ends.

use super::as_read::AsRead;
use crate::control::world::World;
use crate::model::alert::AlertReading;
use crate::model::plan::StepEffect;
use crate::model::silence::{SilenceChange, is_it};
use crate::model::time::Moment;

/// What a silence was read as, by a reading that was asked for since.
pub(super) fn shown(world: &World, effect: &StepEffect, since: &Moment) -> Option<AsRead> {
    let StepEffect::Silence { backend, alert, .. } = effect else { return None };
    let fact = world.alerts(backend)?;
    let reading = fact.value.as_ref().filter(|_| fact.seen.is_some_and(|seen| seen.boot > since.boot))?;
    let as_set = stands(effect, reading);
    let begins = matches!(effect, StepEffect::Silence { change: SilenceChange::Until { .. }, .. });
    let quiet = if as_set == begins { "silenced" } else { "not silenced" };
    Some(AsRead {
        what: "silence",
        stands: format!("{alert} is {quiet}"),
        as_set,
        as_before: !as_set,
        then: if begins { "; an automatic way back is not stopped by it" } else { "" },
    })
}

/// Whether a reading shows it as the effect sets it.
fn stands(effect: &StepEffect, reading: &AlertReading) -> bool {
    let StepEffect::Silence { matchers, change, .. } = effect else { return false };
    match change {
        SilenceChange::Until { ends, comment } => reading.silences.iter().any(|silence| is_it(silence, matchers, ends, comment)),
        SilenceChange::Over { ids } => !reading.silences.iter().any(|silence| ids.iter().any(|id| id == silence.id.as_str())),
    }
}

/// How it no longer stands as it was set, with when that was read; nothing while it does, and once its own end has come.
pub(super) fn slipped(world: &World, effect: &StepEffect) -> Option<(Option<String>, Moment)> {
    let StepEffect::Silence { backend, alert, change, .. } = effect else { return None };
    let fact = world.alerts(backend)?;
    let (reading, seen) = (fact.value.as_ref()?, fact.seen?);
    let is_over = match change {
        SilenceChange::Until { ends, .. } => chrono::DateTime::parse_from_rfc3339(ends).is_ok_and(|ends| ends <= seen.wall),
        SilenceChange::Over { .. } => false,
    };
    let what = (!is_over && !stands(effect, reading)).then(|| match change {
        SilenceChange::Until { .. } => format!("the silence of {alert} was ended by another hand"),
        SilenceChange::Over { .. } => format!("the silence of {alert} is there again"),
    });
    Some((what, seen))
}
