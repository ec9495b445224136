//! Roles that people have for a while, and until when.

use crate::control::roles;
use crate::model::self_service::GrantState;
use crate::ui::command::Command;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::screens::roles::line;
use crate::ui::theme::{Mark, Role};

/// Those that wait for agreement and those that end first, below a rule; nothing when nobody has one.
pub fn rows(scene: &Scene<'_>, most: usize) -> Vec<Row> {
    let mut all = roles::running(scene.world, scene.now);
    if all.is_empty() {
        return Vec::new();
    }
    all.sort_by_key(|grant| grant.state(&scene.now.wall) != GrantState::Asked);
    let mut rule = Row::rule(scene.theme, &format!("roles for a while {}", all.len()));
    rule.end(Role::Quiet, format!(" {} shows them ", scene.keymap.shown(Command::Roles)));
    let listed = all.into_iter().take(most).map(|grant| {
        let (role, text) = line(scene, grant);
        let mark = if grant.state(&scene.now.wall) == GrantState::Asked { Mark::Waits } else { Mark::Held };
        Row::of(role, format!(" {} ", scene.glyph(mark))).put(role, text).put(Role::Quiet, format!("  {}", grant.reason))
    });
    std::iter::once(rule).chain(listed).collect()
}
