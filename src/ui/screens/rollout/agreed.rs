//! Who agreed to what is rolling out, as the newest entries of the ledger tell it.

use chrono::{DateTime, Utc};

use crate::control::world::{EntryRow, TargetView};
use crate::model::deed::EntryKind;
use crate::model::name::PlanId;

use crate::ui::row::{Row, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::Role;

/// The most deeds of a rollout whose approvals are named, the newest; the ledger has all.
const MOST: usize = 3;

/// Nothing where nobody had to agree. What stood in entries that are not kept here is not called nobody.
pub fn rows(scene: &Scene<'_>, view: &TargetView, width: usize) -> Vec<Row> {
    let Some(rollout) = &view.state.rollout else { return Vec::new() };
    let (entries, target) = (scene.world.ledger.entries.as_slice(), view.target.to_string());
    let of_it = |entry: &&EntryRow| {
        let later = entry.target.as_deref() == Some(target.as_str()) && entry.at >= rollout.begun;
        entry.kind == EntryKind::Intent && entry.deed.is_some() && (entry.deed == rollout.plan || later)
    };
    let begun = entries.iter().any(|entry| entry.kind == EntryKind::Intent && entry.deed == rollout.plan);
    let mut told: Vec<String> = entries.iter().filter(of_it).filter_map(|entry| deed(scene, entries, entry)).collect();
    told.drain(..told.len().saturating_sub(MOST));
    let words = match rollout.plan {
        _ if !told.is_empty() => format!("agreed to: {}", told.join("; ")),
        Some(plan) if !begun && scene.world.ledger.size > u64::try_from(entries.len()).unwrap_or(u64::MAX) => {
            format!("who agreed to it is older than the entries kept here; gonogo trace {} has it", plan.short())
        }
        Some(_) | None => return Vec::new(),
    };
    wrap(&words, width.saturating_sub(4)).into_iter().map(|line| Row::of(Role::Plain, format!("   {line}"))).collect()
}

/// One deed with its approvals; none where it has none.
fn deed(scene: &Scene<'_>, entries: &[EntryRow], intent: &EntryRow) -> Option<String> {
    let given = approvals(entries, intent.deed?);
    let named: Vec<String> = given.iter().map(|(who, at)| format!("{who} {}", scene.zone.minute(at, &scene.now.wall))).collect();
    let (verb, by) = (intent.verb.as_deref().unwrap_or("deed"), intent.requester.as_deref().unwrap_or(&intent.signer));
    (!named.is_empty()).then(|| format!("{verb} of {by} by {}", named.join(", ")))
}

/// Those whose approval of a plan stood when it began: given, and not taken back before.
fn approvals(entries: &[EntryRow], plan: PlanId) -> Vec<(&str, &DateTime<Utc>)> {
    let mut given: Vec<(&str, &DateTime<Utc>)> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.deed == Some(plan)) {
        if entry.kind == EntryKind::Intent {
            break;
        }
        let taken_back = entry.words.as_str().strip_prefix("withdraw by ").and_then(|rest| rest.split(':').next());
        let taken_back = taken_back.filter(|_| entry.kind == EntryKind::Withdrawal);
        given.retain(|(who, _)| Some(*who) != taken_back && Some(*who) != entry.agreed_by());
        given.extend(entry.agreed_by().map(|who| (who, &entry.at)));
    }
    given
}
