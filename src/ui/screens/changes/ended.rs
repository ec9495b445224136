//! What became of the changes of the last days that wait no more.

use crate::model::course::ChangeState;
use crate::ui::changes;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::theme::Role;

/// The newest of them, below a rule; nothing when there is none.
pub fn rows(scene: &Scene<'_>, most: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = changes::ended(scene.world, scene.now)
        .take(most)
        .map(|one| {
            let past = one.past;
            let role = match one.state {
                ChangeState::Failed => Role::Watched,
                ChangeState::Implementing | ChangeState::Reviewed => Role::Moving,
                ChangeState::Closed => Role::Strong,
                ChangeState::Draft | ChangeState::Assessed | ChangeState::Scheduled | ChangeState::Approved | ChangeState::Withdrawn => {
                    Role::Plain
                }
            };
            let to = past.percent.map(|percent| format!(" to {percent} %")).unwrap_or_default();
            let mut row = Row::new();
            row.at(3).add(Role::Quiet, scene.zone.minute(&past.at, &scene.now.wall));
            row.at(16).add(role, one.state.word());
            row.at(30).add(Role::Plain, format!("{} {}{to} of {} {}", past.verb.word(), past.target, past.requester, past.plan.short()));
            row.add(Role::Quiet, format!("  {}", one.words));
            row
        })
        .collect();
    if !rows.is_empty() {
        rows.insert(0, Row::rule(scene.theme, "changes that wait no more"));
    }
    rows
}
