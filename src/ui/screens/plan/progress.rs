//! How far a plan that was confirmed has come.

use crate::model::deed::DeedState;
use crate::model::plan::Plan;
use crate::ui::facts;
use crate::ui::row::Row;
use crate::ui::theme::Role;

use super::page::Page;

/// How far it has come.
pub fn draw(page: &mut Page<'_, '_>, plan: &Plan) {
    let scene = page.scene;
    let deed = scene.world.deeds.get(&plan.id);
    let heading = match deed.map(|deed| (begun(deed.state), deed.state)) {
        None | Some((Begun::UnderWay, _)) => "UNDER WAY".to_owned(),
        Some((Begun::Waits, _)) => "WAITS for another person".to_owned(),
        Some((Begun::Over, DeedState::Effective)) => "DONE: in effect".to_owned(),
        Some((Begun::Over, DeedState::Held)) => "DONE: HELD".to_owned(),
        Some((Begun::Over, state)) => state.word().to_uppercase(),
    };
    page.rows.push(Row::rule(scene.theme, &heading));
    let Some(deed) = deed else {
        page.say(Role::Quiet, "", Role::Moving, "asked; the record is being written");
        return;
    };
    let mut row = Row::of(Role::Strong, " deed     ");
    for (role, text) in facts::of_deed(scene, deed) {
        row.add(role, text);
    }
    page.rows.push(row);
    for (number, step) in deed.steps.iter().enumerate() {
        let mut row = Row::of(Role::Strong, format!(" {} {}", number + 1, step.effect.backend()));
        row.at(10);
        for (role, text) in facts::of_step(scene, deed, step) {
            row.add(role, text);
        }
        page.rows.push(row);
        page.text(10, Role::Quiet, step.words.as_str());
        if let Some(error) = &step.error {
            page.text(10, Role::Abnormal, &error.to_string());
            page.text(10, Role::Plain, error.port().remedy());
        }
    }
    if !deed.words.is_empty() {
        page.text(10, Role::Plain, deed.words.as_str());
    }
}

/// How far a deed has come, for the words around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// For another person.
    Waits,
    /// Not done yet.
    UnderWay,
    /// Nothing more comes, but perhaps its watch.
    Over,
}

/// How far a deed in this state has come.
pub fn begun(state: DeedState) -> Begun {
    match state {
        DeedState::Waiting => Begun::Waits,
        DeedState::Intended | DeedState::Sent | DeedState::Accepted => Begun::UnderWay,
        DeedState::Effective
        | DeedState::Held
        | DeedState::Scheduled
        | DeedState::Denied
        | DeedState::Unwatched
        | DeedState::Superseded
        | DeedState::Slipped
        | DeedState::Unknown
        | DeedState::Failed => Begun::Over,
    }
}
