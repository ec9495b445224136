//! The timeline as a list: what happened to a target, newest first.

use crate::model::deed::DeedState;
use crate::model::intent::Verb;
use crate::model::name::Target;
use crate::model::timeline::{Happening, HappeningKind};

use crate::ui::row::{Row, cells, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};

/// The rows of at most `most` happenings of a target, and of those that concern no target, newest first.
pub fn rows(scene: &Scene<'_>, target: Option<&Target>, most: usize, width: usize) -> Vec<Row> {
    let of_it = |happening: &&Happening| match target {
        None => true,
        // A line about links concerns those at both of their ends.
        Some(target) if happening.kind == HappeningKind::Link => is_linked(scene, happening, target),
        Some(target) => happening.target.as_ref().is_none_or(|of| of == target),
    };
    let mut rows = Vec::new();
    for happening in scene.world.timeline.iter().rev().filter(of_it).take(most) {
        let (mark, role) = looks(happening);
        let tail = format!(" {}", happening.source);
        let indent = 12;
        for (n, line) in wrap(happening.text.as_str(), width.saturating_sub(indent + cells(&tail) + 2)).into_iter().enumerate() {
            let mut row = Row::new();
            if n == 0 {
                row.add(Role::Quiet, format!(" {} ", scene.zone.time(&happening.at))).add(role, scene.glyph(mark));
                row.end(Role::Quiet, format!("{tail} "));
            }
            row.at(indent).add(Role::Plain, line);
            rows.push(row);
        }
    }
    if rows.is_empty() {
        rows.push(Row::of(Role::Quiet, " nothing has happened since this room was opened"));
    }
    rows
}

/// Whether a line about links tells of one of the target's.
fn is_linked(scene: &Scene<'_>, happening: &Happening, target: &Target) -> bool {
    let discovery = scene.world.catalog.discoveries.iter().find(|discovery| discovery.name.as_str() == happening.source);
    discovery.is_some_and(|discovery| discovery.environment == target.environment)
        && happening.links.iter().any(|told| told.link.user == target.service || told.link.used == target.service)
}

fn looks(happening: &Happening) -> (Mark, Role) {
    if let Some((verb, state)) = happening.deed {
        return of_deed(verb, state);
    }
    match happening.kind {
        HappeningKind::Alert | HappeningKind::Alarm => (Mark::Abnormal, Role::Abnormal),
        HappeningKind::Deed => (Mark::None, Role::Strong),
        HappeningKind::Change => (Mark::Moving, Role::Moving),
        HappeningKind::Source => (Mark::Unknown, Role::Quiet),
        HappeningKind::Run | HappeningKind::Note | HappeningKind::Link => (Mark::None, Role::Plain),
    }
}

/// A deed that went as ordered has the mark of what it did; any other one that of what became of it.
fn of_deed(verb: Verb, state: DeedState) -> (Mark, Role) {
    match state {
        DeedState::Waiting => (Mark::Waits, Role::Waits),
        DeedState::Intended | DeedState::Sent | DeedState::Accepted => (Mark::Moving, Role::Moving),
        DeedState::Effective | DeedState::Held => match verb {
            Verb::Hold => (Mark::Held, Role::Waits),
            Verb::Abort | Verb::Rollback => (Mark::Back, Role::Strong),
            Verb::Note => (Mark::None, Role::Plain),
            Verb::Shift
            | Verb::Promote
            | Verb::Rollout
            | Verb::Flag
            | Verb::Drain
            | Verb::Ready
            | Verb::Silence
            | Verb::Unsilence
            | Verb::Resume
            | Verb::Start
            | Verb::Retry
            | Verb::Cancel
            | Verb::Approve
            | Verb::Reject => (Mark::Proven, Role::Strong),
        },
        DeedState::Scheduled => (Mark::Waits, Role::Plain),
        DeedState::Superseded => (Mark::None, Role::Quiet),
        DeedState::Unwatched => (Mark::Unknown, Role::Quiet),
        DeedState::Denied => (Mark::Failed, Role::Watched),
        DeedState::Slipped => (Mark::Abnormal, Role::Abnormal),
        DeedState::Unknown => (Mark::Unknown, Role::Abnormal),
        DeedState::Failed => (Mark::Failed, Role::Abnormal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_or_is_not_known_never_has_the_mark_of_what_is_proven() {
        for state in
            [DeedState::Denied, DeedState::Failed, DeedState::Unknown, DeedState::Slipped, DeedState::Unwatched, DeedState::Waiting]
        {
            for verb in Verb::ALL {
                assert_ne!(of_deed(verb, state).0, Mark::Proven, "{verb:?} {state:?}");
            }
        }
        let marks = [DeedState::Denied, DeedState::Unknown, DeedState::Slipped, DeedState::Waiting, DeedState::Effective];
        assert_eq!(
            marks.map(|state| of_deed(Verb::Shift, state).0),
            [Mark::Failed, Mark::Unknown, Mark::Abnormal, Mark::Waits, Mark::Proven]
        );
        assert_eq!((of_deed(Verb::Hold, DeedState::Held).0, of_deed(Verb::Rollback, DeedState::Held).0), (Mark::Held, Mark::Back));
    }
}
