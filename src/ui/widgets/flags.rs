//! The feature flags of a target, one row each: how it stands, who changed it last, and how old that is.

use crate::model::flag::{FlagEntry, FlagState};
use crate::model::name::Target;

use crate::ui::row::{Row, cells, fit};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

/// The rows; none where no flag is configured.
pub fn rows(scene: &Scene<'_>, target: &Target, width: usize) -> Vec<Row> {
    let Some(deploy) = scene.world.catalog.deploy(target).filter(|deploy| !deploy.flags.is_empty()) else { return Vec::new() };
    let name = deploy.flags.iter().map(|entry| cells(&entry.flag.name)).max().unwrap_or(0).min(width / 3);
    let rows = deploy.flags.iter().map(|entry| row(scene, entry, name, width));
    std::iter::once(Row::rule(scene.theme, "feature flags")).chain(rows).collect()
}

fn row(scene: &Scene<'_>, entry: &FlagEntry, name: usize, width: usize) -> Row {
    let source = scene.world.sources.get(&entry.backend);
    let freshness = scene.freshness(&entry.backend);
    let age = source.and_then(|source| source.age(scene.now)).map(|age| scene.age(age));
    let age = age.map_or_else(|| format!("{} never read", entry.backend), |age| format!("{} {age}", entry.backend));
    let seen = scene.world.flags(&entry.backend).and_then(|fact| fact.value.as_ref()).and_then(|reading| reading.find(&entry.flag));
    let state = seen.and_then(|seen| seen.state.as_ref());
    // What is not fresh has no colour and says so first.
    let (role, mark) = match (state, freshness.is_fresh()) {
        (_, false) => (Role::Stale, Mark::Unknown),
        (Some(state), true) if state.mark.on => (Role::Strong, Mark::None),
        (Some(_), true) => (Role::Plain, Mark::None),
        (None, true) => (Role::Watched, Mark::Unknown),
    };
    let tail = if freshness.is_fresh() { format!(" {age} ") } else { format!(" {}, {age} ", freshness.word().to_uppercase()) };
    let missing = || seen.and_then(|seen| seen.missing.as_ref()).map_or_else(|| "not known".to_owned(), |why| format!("not known: {why}"));
    let forms = state.map_or_else(|| vec![missing(), "not known".to_owned()], |state| forms(scene, state));
    let title = fit(std::slice::from_ref(&entry.flag.name), name);
    let room = width.saturating_sub(name + cells(&tail) + 7);
    let mut row = Row::of(role, format!(" {} ", scene.glyph(mark)));
    row.add(if freshness.is_fresh() { Role::Plain } else { Role::Stale }, format!("{title:<name$}  "));
    row.add(role, fit(&forms, room));
    row.end(if freshness.is_fresh() { Role::Quiet } else { Role::Stale }, tail);
    row
}

/// How it stands, from long to short.
fn forms(scene: &Scene<'_>, state: &FlagState) -> Vec<String> {
    let stands = state.mark.words();
    let several = if state.fixed.is_some() { format!(", {} strategies", state.strategies.len()) } else { String::new() };
    let stale = if state.stale { ", to be taken out of the code" } else { "" };
    let changed = state.changed.as_ref().map(|changed| {
        let ago = scene.age(words::ago(&changed.at, &scene.now.wall));
        let by = if changed.by.is_empty() { String::new() } else { format!(" by {}", changed.by) };
        format!(", changed {ago} ago{by}")
    });
    let changed = changed.unwrap_or_default();
    vec![format!("{stands}{several}{stale}{changed}"), format!("{stands}{several}{stale}"), format!("{stands}{several}"), stands]
}
