//! The ledger: who did what, when, with which outcome, and is the record intact?

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::command::Command;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

/// Draws the entries, newest first, from `scroll` on, and gives the furthest scroll.
pub fn draw(scene: &Scene<'_>, scroll: usize, buffer: &mut Buffer, area: Rect) -> usize {
    let ledger = &scene.world.ledger;
    let mut rule = Row::rule(scene.theme, &format!("ledger of {}: {} entries", ledger.installation, words::count(ledger.size)));
    let key = scene.keymap.shown(Command::Verify);
    match &ledger.verified {
        Some((at, found)) if found.intact => {
            rule.end(Role::Plain, format!(" {} intact, {} entries, verified {} ago ", scene.glyph(Mark::Proven), words::count(found.entries), scene.ago(at)));
        }
        Some((_, found)) => {
            let at = found.first_bad.map(|n| format!(" from entry {n}")).unwrap_or_default();
            let why = found.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            rule.end(Role::Abnormal, format!(" {} NOT INTACT{at}{why} ", scene.glyph(Mark::Abnormal)));
        }
        None => {
            rule.end(Role::Quiet, format!(" not verified yet: {key} verifies "));
        }
    }
    rule.draw(buffer, area, 0, scene.theme);
    if ledger.entries.is_empty() {
        let text = match (&ledger.trouble, ledger.read) {
            (Some(trouble), _) => format!("the record cannot be read or written: {trouble}"),
            (None, false) => "loading".to_owned(),
            (None, true) => "nothing there: no deed was ever ordered in this store".to_owned(),
        };
        Row::of(Role::Quiet, format!("   {text}")).draw(buffer, area, 1, scene.theme);
        return 0;
    }
    let body = usize::from(area.height.saturating_sub(1));
    let most = ledger.entries.len().saturating_sub(body);
    for (y, entry) in (1..area.height).zip(ledger.entries.iter().rev().skip(scroll.min(most))) {
        let mut row = Row::new();
        row.add(Role::Quiet, format!("{:>6} {} ", entry.n, scene.zone.time(&entry.at))).add(Role::Strong, entry.kind.word()).at(29);
        row.add(Role::Plain, entry.requester.clone().unwrap_or_else(|| entry.signer.clone()));
        let what: Vec<&str> = [entry.verb.as_deref(), entry.target.as_deref()].into_iter().flatten().collect();
        row.at(40).add(Role::Plain, what.join(" "));
        if let Some(verdict) = &entry.verdict {
            row.add(Role::Quiet, format!("  {verdict}"));
        }
        if !entry.words.is_empty() {
            row.add(Role::Quiet, format!("  {}", entry.words));
        }
        if let Some(deed) = &entry.deed {
            row.end(Role::Quiet, format!(" {} ", deed.short()));
        }
        row.draw(buffer, area, y, scene.theme);
    }
    most
}
