//! The change in full: the verdict over it, what its reader can do, approvals, type, checks; and what it does.

use crate::control::pack::risk_of;
use crate::model::approval::Decision;
use crate::model::catalog::Assurance;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::verdict::Verdict;
use crate::ui::command::Command;
use crate::ui::plans::{self, Part, Queued};
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::screens::changes::booking;
use crate::ui::screens::plan::page::Page;
use crate::ui::screens::plan::{gate, sections};
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

/// The verdict over the marked plan, what its reader can do, its approvals and its checks.
pub fn verdict_rows(scene: &Scene<'_>, marked: &Queued<'_>, width: usize) -> Vec<Row> {
    let plan = &marked.waiting.plan;
    let mut page = Page { scene, width, rows: Vec::new() };
    match &marked.verdict {
        Verdict::Permit(_) => page.mark(Mark::Proven, Role::Strong, &format!("may go: {} executes it", plan.intent.requester)),
        Verdict::Early(_) => page.mark(Mark::Waits, Role::Plain, "waits for its time; nothing else stands in its way"),
        Verdict::SecondPerson { .. } => {}
        Verdict::Deny(reasons) => {
            page.mark(Mark::Failed, Role::Watched, &blocked(reasons));
        }
    }
    for reason in marked.verdict.reasons() {
        page.reason(reason);
    }
    mine(&mut page, marked);
    booking::rows(&mut page, marked);
    gate::approvals(&mut page, marked);
    tier(&mut page, plan);
    gate::change_type(&mut page, plan);
    gate::checks(&mut page, plan, &marked.fresh.checks);
    page.rows
}

/// What the reader can do to it now, with its keys.
fn mine(page: &mut Page<'_, '_>, marked: &Queued<'_>) {
    let world = page.scene.world;
    let mut can: Vec<String> = Vec::new();
    for decision in [Decision::Approve, Decision::Reject, Decision::Withdraw] {
        if plans::against(world, marked.waiting, decision, page.scene.now).is_empty() {
            can.push(format!("{} {}", page.scene.keymap.shown(Command::Rule(decision)), decision.word()));
        }
    }
    if marked.waiting.plan.intent.requester == world.actor {
        let does = if marked.part == Part::MayGo { "execute" } else { "look at it as a deed" };
        can.push(format!("{} {does}", page.scene.keymap.shown(Command::Execute)));
    }
    let text = if can.is_empty() { "nothing: it is for others".to_owned() } else { can.join(", ") };
    page.say(Role::Quiet, "you can", Role::Plain, &text);
}

/// What the marked plan does, and what was looked at when it was made.
pub fn plan_rows(scene: &Scene<'_>, marked: &Queued<'_>, width: usize) -> Vec<Row> {
    let plan = &marked.waiting.plan;
    let mut page = Page { scene, width, rows: Vec::new() };
    sections::what(&mut page, plan, false);
    page.say(Role::Quiet, "asked by", Role::Plain, &format!("{}, {} ago", plan.intent.requester, scene.ago(&plan.made)));
    if !plan.intent.reason.is_empty() {
        page.say(Role::Quiet, "reason", Role::Plain, plan.intent.reason.as_str());
    }
    way_back(&mut page, plan);
    risk(&mut page, plan);
    sections::how(&mut page, plan);
    sections::cost(&mut page, plan);
    sections::evidence(&mut page, plan);
    page.rows
}

/// How sure the record of it is.
fn tier(page: &mut Page<'_, '_>, plan: &Plan) {
    let tier = page.scene.world.catalog.guard(plan.target()).map(|guard| guard.assurance);
    let text = match tier {
        Some(Assurance::T0) => {
            "T0: the process signs; changes by others show, the owner of this machine can forge: tamper-evident, not tamper-proof"
        }
        Some(Assurance::T1) => "T1: each person's own key signs what they say and ask for",
        Some(Assurance::T2) => "T2: the keys of two persons sign whatever goes forward",
        None => return,
    };
    page.text(3, Role::Quiet, text);
}

/// How to get back, and when that was last seen to work.
fn way_back(page: &mut Page<'_, '_>, plan: &Plan) {
    let scene = page.scene;
    let undo = plan.undo.as_ref().map_or_else(|| "nothing undoes it".to_owned(), |undo| format!("gonogo {undo}"));
    let proof = scene.world.target(plan.target()).and_then(|view| view.state.way_back.as_ref());
    let proven = match proof {
        Some(proof) => format!("last proven {}, {} ago", scene.zone.stamp(&proof.at), scene.ago(&proof.at)),
        None => "never proven on this target".to_owned(),
    };
    page.say(Role::Quiet, "way back", Role::Plain, &format!("{undo}; {proven}"));
}

/// The risk with every part that adds to it.
fn risk(page: &mut Page<'_, '_>, plan: &Plan) {
    let world = page.scene.world;
    let risk = risk_of(world, &world.ledger.entries, plan, page.scene.now);
    let parts = risk.parts.iter().filter(|part| part.points > 0).map(|part| format!("{} {} ({})", part.points, part.name, part.why));
    let parts: Vec<String> = parts.collect();
    let sum = if parts.is_empty() { String::new() } else { format!(" = {}", parts.join(" + ")) };
    page.say(Role::Quiet, "risk", Role::Plain, &format!("{}, {} of {}{sum}", risk.word(), risk.points(), risk.most()));
}

/// How many reasons block it, and by which rules: where there is no room for their words, none of them goes unseen.
fn blocked(reasons: &[Reason]) -> String {
    let rules: Vec<&str> = reasons.iter().map(|reason| reason.rule.as_str()).collect();
    format!("blocked, for {}: {}", words::counted(reasons.len(), "reason", "reasons"), rules.join(", "))
}
