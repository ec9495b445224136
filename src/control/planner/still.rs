//! Plans that move nothing: hold, resume, note.

use super::{Draft, PlanError, Scene, cost};
use crate::model::intent::Direction;
use crate::model::reason::Reason;
use crate::model::share::Share;
use crate::model::text::Text;

/// Nothing that goes through gonogo moves the target forward until resumed.
pub(super) fn hold(scene: &Scene<'_>) -> Draft {
    let target = &scene.intent.target;
    let held = scene.world.target(target).and_then(|view| view.state.hold.as_ref());
    let impossible = held
        .map(|hold| {
            Reason::new(
                "held",
                &format!("{target} is already held by {} since {}", hold.by, hold.since.format("%H:%M:%SZ")),
                &format!("gonogo resume {target} ends that hold"),
            )
        })
        .into_iter()
        .collect();
    Draft {
        direction: Some(Direction::Still),
        // The share that is held: a rise above it by another hand is an alarm.
        percent: scene.world.target(target).and_then(|view| view.wished()).map(Share::nearest),
        now: format!("{}; {}", cost::shares(scene), if held.is_some() { "held" } else { "not held" }),
        after: "the same shares; nothing that goes through gonogo moves it forward until resumed; the way back stays open".to_owned(),
        costs: cost::of_still(scene),
        undo: Some(format!("resume {target}")),
        impossible,
        ..Draft::default()
    }
}

/// The hold ends.
pub(super) fn resume(scene: &Scene<'_>) -> Draft {
    let target = &scene.intent.target;
    let held = scene.world.target(target).and_then(|view| view.state.hold.as_ref());
    let stopped = scene.world.target(target).and_then(|view| view.state.rollout.as_ref()?.course.as_ref()?.stopped.as_ref());
    let impossible = match (held, stopped) {
        (Some(_), _) => Vec::new(),
        (None, Some(stopped)) if !stopped.stranded => Vec::new(),
        (None, Some(stopped)) => {
            let text = format!("{}: nothing of it is tried again by itself", stopped.words);
            vec![Reason::new("stranded", &text, &format!("look at the routers; gonogo abort {target} tries the way back by hand"))]
        }
        (None, None) => vec![Reason::new("not-held", &format!("{target} is not held"), "nothing to resume")],
    };
    let idle = || stopped.map_or_else(|| "not held".to_owned(), |stopped| format!("its rollout stopped: {}", stopped.words));
    let now = held.map_or_else(idle, |hold| format!("held by {} since {}", hold.by, hold.since.format("%H:%M:%SZ")));
    Draft {
        direction: Some(Direction::Release),
        now: format!("{}; {now}", cost::shares(scene)),
        after: match stopped {
            Some(_) => "the same shares; its rollout goes on by itself from where it is".to_owned(),
            None => "the same shares; forward moves may go again".to_owned(),
        },
        costs: cost::of_still(scene),
        undo: Some(format!("hold {target}")),
        impossible,
        ..Draft::default()
    }
}

/// A line into the timeline and the ledger.
pub(super) fn note(scene: &Scene<'_>) -> Result<Draft, PlanError> {
    let text = scene.intent.args.text.as_ref().filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| PlanError::Arguments(Text::clean("a note needs a text: gonogo note TARGET TEXT")))?;
    Ok(Draft {
        direction: Some(Direction::Still),
        now: "no such line".to_owned(),
        after: format!("timeline and ledger say: {text}"),
        costs: cost::of_still(scene),
        ..Draft::default()
    })
}
