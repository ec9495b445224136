//! What was said last about plans, and what was denied.

use crate::ui::plans;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::screens::entry;
use crate::ui::theme::Role;

/// What was said last about plans, and what was denied.
pub fn rows(scene: &Scene<'_>, most: usize) -> Vec<Row> {
    let mut rows = vec![Row::rule(scene.theme, "said and denied last")];
    for said in plans::said(scene.world).take(most) {
        let of = said.requester.as_deref().unwrap_or(&said.signer);
        let mut row = Row::new();
        row.at(3).add(Role::Quiet, scene.zone.minute(&said.at, &scene.now.wall));
        row.at(10).add(entry::looks(said.kind), said.kind.word());
        let plan = said.deed.map(|plan| format!(" {}", plan.short())).unwrap_or_default();
        let (verb, target) = (said.verb.as_deref().unwrap_or_default(), said.target.as_deref().unwrap_or_default());
        row.at(22).add(Role::Plain, format!("{verb} {target} of {of}{plan}"));
        if !said.words.is_empty() {
            row.add(Role::Quiet, format!("  {}", said.words));
        }
        rows.push(row);
    }
    if rows.len() == 1 {
        rows.push(Row::of(Role::Quiet, "   nothing yet: approvals, rejections, withdrawals and denials stand here"));
    }
    rows
}
