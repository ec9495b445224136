//! What the gate says of a plan: its type of change, its checks with their evidence, the approvals with what each was given on.

use crate::model::approval::Approval;
use crate::model::gate::{Check, Counts, Finding};
use crate::model::intent::Direction;
use crate::model::plan::Plan;
use crate::ui::plans::Queued;
use crate::ui::row::Row;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

use super::page::Page;

/// The type of the change, and the written rule that made it so.
pub fn change_type(page: &mut Page<'_, '_>, plan: &Plan) {
    page.rows.push(Row::rule(page.scene.theme, "type of change"));
    let planned = plan.order.change_type;
    let because = match &plan.typed {
        None => "an older gonogo planned it and wrote no reason".to_owned(),
        Some(typed) if typed.change == planned => typed.because.to_string(),
        Some(typed) => format!("so planned; by now the rules say {}: {}", typed.change.word(), typed.because),
    };
    page.say(Role::Strong, planned.word(), Role::Plain, &because);
    if let Some(ticket) = &plan.order.ticket {
        page.say(Role::Quiet, "ticket", Role::Plain, ticket.as_str());
    }
}

/// The checks as they were found when it was planned, and where they are found otherwise now.
pub fn checks(page: &mut Page<'_, '_>, plan: &Plan, fresh: &[Check]) {
    let all = &plan.checks;
    if all.is_empty() && plan.direction != Direction::Forward {
        return;
    }
    let holds = all.iter().filter(|check| check.finding == Finding::Holds).count();
    let heading = match all.len() {
        0 => "gate".to_owned(),
        n => format!("gate: {holds} of {} hold", words::counted(n, "check", "checks")),
    };
    page.rows.push(Row::rule(page.scene.theme, &heading));
    if all.is_empty() {
        page.text(3, Role::Quiet, "no check is configured for this environment");
    }
    for check in all {
        one(page, check);
        let by_now = fresh.iter().find(|other| other.kind == check.kind);
        if let Some(by_now) = by_now.filter(|other| other.finding != check.finding) {
            page.text(5, Role::Watched, &format!("by now it is otherwise: {}: {}", by_now.finding.word(), by_now.text));
        }
    }
}

fn one(page: &mut Page<'_, '_>, check: &Check) {
    let counts = match check.counts {
        Counts::Require => "require",
        Counts::Warn => "warn",
    };
    let (mark, role) = match (check.finding, check.counts) {
        (Finding::Holds, _) => (Mark::Proven, Role::Plain),
        (Finding::Fails, _) => (Mark::Failed, Role::Watched),
        (Finding::NotKnown | Finding::NoSource, Counts::Require) => (Mark::Unknown, Role::Watched),
        (Finding::NotKnown | Finding::NoSource, Counts::Warn) => (Mark::Unknown, Role::Plain),
    };
    let from = match (check.source.as_str(), check.age_s) {
        ("", _) => String::new(),
        (source, Some(age)) => format!(" ({source} {})", words::span(age)),
        (source, None) => format!(" ({source} never read)"),
    };
    let colon = if check.text.is_empty() { "" } else { ": " };
    page.mark(mark, role, &format!("{} {} {}{colon}{}{from}", counts, check.kind.word(), check.finding.word(), check.text));
    if check.finding != Finding::Holds && !check.fix.is_empty() {
        page.text(5, Role::Plain, &format!("to change it: {}", check.fix));
    }
}

/// Who has agreed, on which evidence and by which signature, and who still could.
pub fn approvals(page: &mut Page<'_, '_>, queued: &Queued<'_>) {
    let waiting = queued.waiting;
    let agreed = match queued.needs {
        Some(needs) => format!("approvals: agreed {} of {needs}", queued.given),
        None => "approvals: its target is not configured".to_owned(),
    };
    page.rows.push(Row::rule(page.scene.theme, &agreed));
    let evidence = waiting.plan.evidence_digest().ok();
    for approval in &waiting.approvals {
        given(page, queued, approval, evidence.as_deref());
    }
    for (person, by) in &queued.authors.people {
        page.text(3, Role::Plain, &format!("{person} made some of it ({}) and may not agree", by.join(", ")));
    }
    let agreed = waiting.approvals.is_empty();
    let could: Vec<String> = queued
        .could
        .iter()
        .map(|one| match (one.here, &one.seen) {
            (true, _) => format!("{}, who is here now", one.name),
            (false, Some(at)) => format!("{}, not here, in the ledger {} ago", one.name, page.scene.ago(at)),
            (false, None) => format!("{}, not here, not in the newest entries", one.name),
        })
        .collect();
    match (could.as_slice(), queued.needs) {
        ([], Some(needs)) if queued.given < needs => {
            page.mark(Mark::Abnormal, Role::Watched, "nobody who is configured could still agree: give somebody the role, then plan again");
        }
        ([], _) if agreed => page.text(3, Role::Quiet, "it needs none"),
        ([], _) => {}
        (names, _) => {
            page.mark(Mark::Waits, Role::Waits, &format!("could agree: {}", names.join("; ")));
        }
    }
    if let Some(digest) = evidence.as_deref().and_then(|digest| digest.get(..8)) {
        page.text(3, Role::Quiet, &format!("evidence of this plan {digest}; an approval is bound to it and to the plan's hash"));
    }
}

fn given(page: &mut Page<'_, '_>, queued: &Queued<'_>, approval: &Approval, evidence: Option<&str>) {
    let scene = page.scene;
    let signed = if approval.is_own_key { "signed with their own key (T1)" } else { "signed by the process (T0)" };
    let digest = approval.evidence.get(..8).unwrap_or(&approval.evidence);
    let saw = if Some(approval.evidence.as_str()) == evidence { "this plan's" } else { "other than this plan's" };
    let ends = if approval.counts(&scene.now.wall) {
        format!("until {}", scene.zone.minute(&approval.expires, &scene.now.wall))
    } else {
        "ended, counts no more".to_owned()
    };
    let said = if approval.words.is_empty() { String::new() } else { format!(", \"{}\"", approval.words) };
    let text = format!("{} {} ago, {ends}, {signed}, saw evidence {digest}, {saw}{said}", approval.person, scene.ago(&approval.at));
    if let Some(reason) = queued.void(approval).filter(|_| approval.counts(&scene.now.wall)) {
        page.mark(Mark::Failed, Role::Watched, &format!("{text}; it does not count"));
        page.text(5, Role::Watched, &format!("{}; {}", reason.text, reason.fix));
        return;
    }
    let (mark, role) = if approval.counts(&scene.now.wall) { (Mark::Proven, Role::Plain) } else { (Mark::Unknown, Role::Quiet) };
    page.mark(mark, role, &text);
}
