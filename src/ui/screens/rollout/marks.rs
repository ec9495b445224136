//! What is marked on the charts of a rollout: when its share moved and by whom, holds, the way back, alerts.

use crate::control::world::{TargetView, World};
use crate::model::deed::DeedState;
use crate::model::intent::Verb;
use crate::model::timeline::{Happening, HappeningKind};

use crate::ui::widgets::chart::Event;

/// The events of a target, the oldest first.
pub fn of(world: &World, view: &TargetView) -> Vec<Event> {
    let here = world.timeline.iter().filter(|happening| happening.target.as_ref() == Some(&view.target));
    let mut events: Vec<Event> = here
        .filter_map(|happening| {
            let (letter, words) = mark(happening)?;
            Some(Event { at_ms: happening.at.timestamp_millis(), letter, words })
        })
        .collect();
    events.sort_by_key(|event| event.at_ms);
    events
}

fn mark(happening: &Happening) -> Option<(char, String)> {
    let text = happening.text.as_str();
    match (happening.kind, happening.deed) {
        (HappeningKind::Change, None) => {
            if let Some(flag) = flag(text) {
                return Some(('F', flag));
            }
            let (was, is) = moved(text)?;
            // Who moved it stands in the timeline; on the chart a rule's plan would take all the room.
            let by = if text.ends_with(" by another hand") { " by another hand" } else { "" };
            Some(if is > was { ('S', format!("{is} %{by}")) } else { ('B', format!("back to {is} %{by}")) })
        }
        (HappeningKind::Alarm, None) if text.starts_with("moved forward") => Some(('X', "moved while held".to_owned())),
        (HappeningKind::Alert, None) => Some(('A', text.split(" since ").next().unwrap_or(text).to_owned())),
        (_, Some((Verb::Hold, DeedState::Effective))) => Some(('H', format!("held by {}", happening.source))),
        (_, Some((Verb::Resume, DeedState::Effective))) => Some(('G', format!("resumed by {}", happening.source))),
        _ => None,
    }
}

/// What became of a flag, of a line such as `flag new-checkout: on at 5 % to on at 40 % by ana`.
fn flag(text: &str) -> Option<String> {
    let (name, what) = text.strip_prefix("flag ")?.split_once(": ")?;
    let is = what.split_once(" to ").map_or(what, |(_, is)| is);
    let is = is.split(" by ").next().and_then(|is| is.split(", ").next()).unwrap_or(is);
    Some(format!("{name} {is}"))
}

/// From which share to which, of a line such as `10 to 20 % by ana`.
fn moved(text: &str) -> Option<(u32, u32)> {
    let (was, rest) = text.split_once(" to ")?;
    Some((was.parse().ok()?, rest.split_once(" %")?.0.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::Text;

    fn line(kind: HappeningKind, text: &str, deed: Option<(Verb, DeedState)>) -> Option<(char, String)> {
        let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        mark(&Happening { at, kind, target: None, text: Text::clean(text), source: "cy".to_owned(), deed, links: Vec::new() })
    }

    #[test]
    fn steps_holds_and_the_way_back_are_marked_and_nothing_else() {
        let said = |mark: Option<(char, String)>| mark.map(|(letter, words)| format!("{letter} {words}"));
        let change = HappeningKind::Change;
        assert_eq!(said(line(change, "5 to 10 % by rule of plan 7c7c, ana", None)).as_deref(), Some("S 10 %"));
        assert_eq!(said(line(change, "20 to 0 % by rule of plan 7c7c, ana", None)).as_deref(), Some("B back to 0 %"));
        assert_eq!(said(line(change, "0 to 50 % by another hand", None)).as_deref(), Some("S 50 % by another hand"));
        assert_eq!(said(line(change, "flag new-pay: on at 5 % to on at 40 % by ana", None)).as_deref(), Some("F new-pay on at 40 %"));
        assert_eq!(said(line(change, "flag new-pay: on to off, changed there by bo", None)).as_deref(), Some("F new-pay off"));
        assert_eq!(said(line(change, "rollout of 2.5.0 begins", None)), None);
        let deed = |state| line(HappeningKind::Deed, "hold ..", Some((Verb::Hold, state)));
        assert_eq!(said(deed(DeedState::Effective)).as_deref(), Some("H held by cy"));
        assert_eq!(said(deed(DeedState::Held)), None, "it is marked once");
        assert_eq!(said(line(HappeningKind::Note, "a note", None)), None);
    }
}
