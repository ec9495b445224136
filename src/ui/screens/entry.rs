//! One entry of the ledger in full: its proof, its five facts, and what became of its deed.

use chrono::{DateTime, Utc};

use crate::control::world::{EntryRow, LedgerView};
use crate::model::deed::EntryKind;

use crate::ui::facts;
use crate::ui::row::{Row, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};

const VALUE: usize = 14;

/// The rows of an entry.
pub fn rows(scene: &Scene<'_>, entry: &EntryRow, width: usize) -> Vec<Row> {
    let mut rule = Row::rule(scene.theme, &format!("entry {} of {}", entry.n, scene.world.ledger.installation));
    rule.end(Role::Quiet, format!(" {} ago ", scene.ago(&entry.at)));
    let mut rows = vec![rule];
    let (mark, role, proven) = proof(&scene.world.ledger, entry.n);
    say(&mut rows, "proof", role, &format!("{} {proven}", scene.glyph(mark)), width);
    say(&mut rows, "time", Role::Plain, &scene.zone.absolute(&entry.at), width);
    say(&mut rows, "entry", looks(entry.kind), entry.kind.word(), width);
    say(&mut rows, "signed by", Role::Plain, &entry.signer, width);
    for (name, value) in [("asked by", &entry.requester), ("deed", &entry.verb), ("target", &entry.target), ("verdict", &entry.verdict)] {
        if let Some(value) = value {
            say(&mut rows, name, Role::Plain, value, width);
        }
    }
    if !entry.words.is_empty() {
        say(&mut rows, "in words", Role::Plain, entry.words.as_str(), width);
    }
    let Some(plan) = &entry.deed else { return rows };
    say(&mut rows, "plan", Role::Plain, &plan.to_string(), width);
    rows.push(Row::rule(scene.theme, "facts as of this entry"));
    let known = &entry.facts;
    for (name, at, says) in [
        ("INTENDED", &known.intended, "written before anything was sent"),
        ("SENT", &known.sent, "the first byte left"),
        ("ACCEPTED", &known.accepted, "the backend said yes"),
        ("EFFECTIVE", &known.effective, "a later reading showed it"),
        ("HELD", &known.held, "still so after the hold time"),
    ] {
        rows.push(fact(scene, name, at.as_ref(), says));
    }
    let Some(deed) = scene.world.deeds.get(plan) else { return rows };
    rows.push(Row::rule(scene.theme, "the deed now"));
    let mut row = Row::new();
    row.at(3).add(Role::Quiet, "state").at(VALUE);
    for (role, text) in facts::of_deed(scene, deed) {
        row.add(role, text);
    }
    rows.push(row);
    if let Some(ticket) = &deed.ticket {
        say(&mut rows, "ticket", Role::Plain, ticket.as_str(), width);
    }
    if !deed.reason.is_empty() {
        say(&mut rows, "reason", Role::Plain, deed.reason.as_str(), width);
    }
    for (n, step) in deed.steps.iter().enumerate() {
        say(&mut rows, &format!("step {}", n + 1), Role::Plain, step.words.as_str(), width);
        let mut row = Row::new();
        row.at(VALUE);
        for (role, text) in facts::of_step(scene, deed, step) {
            row.add(role, text);
        }
        rows.push(row);
    }
    rows
}

fn fact(scene: &Scene<'_>, name: &str, at: Option<&DateTime<Utc>>, says: &str) -> Row {
    let mut row = Row::new();
    row.at(3).add(if at.is_some() { Role::Plain } else { Role::Quiet }, name).at(VALUE);
    match at {
        Some(at) => row.add(Role::Plain, scene.zone.absolute(at)),
        None => row.add(Role::Quiet, "not yet"),
    };
    row.at(VALUE + 26).add(Role::Quiet, says);
    row
}

fn say(rows: &mut Vec<Row>, name: &str, role: Role, text: &str, width: usize) {
    for (n, line) in wrap(text, width.saturating_sub(VALUE + 1)).into_iter().enumerate() {
        let mut row = Row::new();
        row.at(3).add(Role::Quiet, if n == 0 { name } else { "" }).at(VALUE).add(role, line);
        rows.push(row);
    }
}

/// What is known of an entry's signature: a mark, how it looks, and in words.
pub fn proof(ledger: &LedgerView, n: u64) -> (Mark, Role, String) {
    let Some((_, found)) = &ledger.verified else { return (Mark::Unknown, Role::Quiet, "not verified in this room yet".to_owned()) };
    match found.first_bad {
        Some(bad) if n >= bad => {
            let why = found.reason.as_ref().map(ToString::to_string).unwrap_or_default();
            (Mark::Failed, Role::Abnormal, format!("NOT INTACT: nothing proves an entry from {bad} on: {why}"))
        }
        None if !found.intact => (Mark::Failed, Role::Abnormal, "NOT INTACT: the record as a whole does not hold together".to_owned()),
        Some(_) | None if n < found.entries => (Mark::Proven, Role::Plain, "verified: signature, chain and time hold".to_owned()),
        Some(_) | None => (Mark::Unknown, Role::Quiet, "written after the last verification".to_owned()),
    }
}

/// How an entry's kind looks; only what did not go as ordered stands out.
pub fn looks(kind: EntryKind) -> Role {
    match kind {
        EntryKind::Failed | EntryKind::Unknown | EntryKind::Slipped | EntryKind::Denied | EntryKind::Rejection | EntryKind::BreakGlass => {
            Role::Watched
        }
        EntryKind::Signers
        | EntryKind::Intent
        | EntryKind::Approval
        | EntryKind::Withdrawal
        | EntryKind::Sending
        | EntryKind::Accepted
        | EntryKind::Effective
        | EntryKind::Held
        | EntryKind::Unwatched
        | EntryKind::Superseded
        | EntryKind::NotBegun
        | EntryKind::Hold
        | EntryKind::Resume
        | EntryKind::Note
        | EntryKind::Policy
        | EntryKind::Imported => Role::Plain,
    }
}
