//! The five facts of a deed or a step in one row: INTENDED, SENT, ACCEPTED, EFFECTIVE, HELD; or UNKNOWN, FAILED.

use chrono::{DateTime, Utc};

use crate::model::deed::{Deed, DeedState, DeedStep, Facts};

use super::scene::Scene;
use super::theme::{Mark, Role};
use super::words;

/// The pieces of a row.
pub type Pieces = Vec<(Role, String)>;

/// A deed's facts.
pub fn of_deed(scene: &Scene<'_>, deed: &Deed) -> Pieces {
    let mut pieces = row(scene, deed.state, &deed.facts, deed.held_due.as_ref());
    if matches!(deed.state, DeedState::Failed | DeedState::Unknown | DeedState::Slipped) && !deed.words.is_empty() {
        pieces.push((Role::Plain, format!(" {}", deed.words)));
    }
    if deed.elsewhere {
        pieces.push((Role::Quiet, "  in another process".to_owned()));
    }
    pieces
}

/// A deed's facts in little room: once it is effective, what came before is left out.
pub fn of_deed_short(scene: &Scene<'_>, deed: &Deed) -> Pieces {
    let mut short = deed.clone();
    if deed.facts.effective.is_some() || !deed.state.is_under_way() {
        (short.facts.sent, short.facts.accepted) = (None, None);
        short.facts.intended = deed.facts.intended.filter(|_| deed.facts.effective.is_none());
    }
    of_deed(scene, &short)
}

/// The facts of a deed's step, and how it was seen or what went wrong.
pub fn of_step(scene: &Scene<'_>, deed: &Deed, step: &DeedStep) -> Pieces {
    let left_out = step.state == DeedState::Intended && !deed.state.is_under_way();
    let mut pieces =
        if left_out { vec![(Role::Quiet, "not begun".to_owned())] } else { row(scene, step.state, &step.facts, deed.held_due.as_ref()) };
    if let Some(seen) = &step.seen {
        pieces.push((Role::Quiet, format!("  {seen}")));
    }
    if let Some(error) = &step.error {
        pieces.push((Role::Abnormal, format!("  {error}")));
    }
    pieces
}

fn row(scene: &Scene<'_>, state: DeedState, facts: &Facts, held_due: Option<&DateTime<Utc>>) -> Pieces {
    let mut pieces = Vec::new();
    let mut done = |word: &str, at: Option<&DateTime<Utc>>, before: Option<&DateTime<Utc>>| {
        let Some(at) = at else { return };
        let when = match before {
            Some(before) if (*at - *before).num_milliseconds() < 1000 => {
                let ms = (*at - *before).num_milliseconds().max(0);
                if ms == 0 { String::new() } else { format!(" {ms} ms") }
            }
            Some(_) | None => format!(" {}", scene.zone.time(at)),
        };
        pieces.push((Role::Plain, format!("{word}{when}  ")));
    };
    done("INTENDED", facts.intended.as_ref(), None);
    done("SENT", facts.sent.as_ref(), facts.intended.as_ref());
    done("ACCEPTED", facts.accepted.as_ref(), facts.sent.as_ref());
    if let Some(at) = &facts.effective {
        pieces.push((Role::Strong, format!("EFFECTIVE {}  ", scene.zone.time(at))));
    }
    let last = match state {
        DeedState::Intended | DeedState::Sent | DeedState::Accepted => (Role::Moving, format!("{} under way", scene.glyph(Mark::Moving))),
        DeedState::Effective => match held_due.filter(|due| **due > scene.now.wall) {
            Some(due) => (Role::Moving, format!("{} watched {} more, then HELD", scene.glyph(Mark::Moving), scene.left(due))),
            None => (Role::Quiet, String::new()),
        },
        DeedState::Held => match &facts.held {
            Some(at) => (Role::Strong, format!("HELD {}", scene.zone.time(at))),
            None => (Role::Strong, "HELD".to_owned()),
        },
        DeedState::Waiting => (Role::Waits, format!("{} WAITING", scene.glyph(Mark::Waits))),
        DeedState::Scheduled => (Role::Plain, format!("{} SCHEDULED", scene.glyph(Mark::Waits))),
        DeedState::Denied => (Role::Watched, format!("{} DENIED", scene.glyph(Mark::Failed))),
        DeedState::Unwatched => (Role::Quiet, format!("{} UNWATCHED", scene.glyph(Mark::Unknown))),
        DeedState::Superseded => (Role::Quiet, "SUPERSEDED by a later deed".to_owned()),
        DeedState::Slipped => (Role::Abnormal, format!("{} SLIPPED", scene.glyph(Mark::Abnormal))),
        DeedState::Unknown => (Role::Abnormal, format!("{} UNKNOWN", scene.glyph(Mark::Unknown))),
        DeedState::Failed => (Role::Abnormal, format!("{} FAILED", scene.glyph(Mark::Failed))),
    };
    if !last.1.is_empty() {
        pieces.push(last);
    }
    pieces
}

/// A deed in one line of words: for lists.
pub fn sentence(deed: &Deed) -> String {
    let reason = if deed.reason.is_empty() { String::new() } else { format!(": {}", deed.reason) };
    format!("{} {} by {}, {}{reason}", deed.verb.word(), deed.target, deed.requester, deed.state.word().to_uppercase())
}

/// How long ago a deed began, in words.
pub fn begun(scene: &Scene<'_>, deed: &Deed) -> String {
    deed.facts.intended.map(|at| scene.age(words::ago(&at, &scene.now.wall))).unwrap_or_default()
}
