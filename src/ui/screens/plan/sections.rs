//! What a plan says of itself: now and afterwards, the steps, the cost, what stands in the way, what was looked at.

use crate::control::conflicts;
use crate::control::gate as rules;
use crate::model::plan::{Plan, StepEffect};
use crate::model::presence::of_them;
use crate::model::text::Text;
use crate::model::verdict::Verdict;
use crate::ui::row::Row;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

use super::page::Page;

/// What is so now, what is so afterwards, and what happens otherwise.
pub fn what(page: &mut Page<'_, '_>, plan: &Plan, sent: bool) {
    let mut rule = Row::rule(page.scene.theme, "what");
    let ends = if sent {
        String::new()
    } else if plan.expires <= page.scene.now.wall {
        "it has ended ".to_owned()
    } else {
        format!("good until {} ({}) ", page.scene.zone.time(&plan.expires), page.scene.left(&plan.expires))
    };
    if !ends.is_empty() {
        rule.end(Role::Quiet, format!(" {ends}"));
    }
    page.rows.push(rule);
    // What stood when it was planned is no longer so once a precondition is broken.
    let is_old = plan.preconditions.iter().any(|checked| checked.broken.is_some());
    let when = match (sent, is_old) {
        (true, _) => "before",
        (false, true) => "planned",
        (false, false) => "now",
    };
    page.say(Role::Quiet, when, Role::Plain, plan.now.as_str());
    page.say(Role::Quiet, "after", Role::Strong, plan.after.as_str());
    for cost in plan.costs.iter().filter(|cost| cost.name == "if I do nothing" && !sent) {
        page.say(Role::Quiet, "if you do not:", Role::Plain, cost.text.as_ref().map_or("not known", Text::as_str));
    }
    for change in page.scene.world.ledger.desk_changes_of(plan.id) {
        let whose = if change.ours { "" } else { ", not made by gonogo" };
        page.say(Role::Quiet, "change", Role::Plain, &format!("{} at {}, {}{whose}", change.number, change.desk, change.state));
    }
}

/// Each step, in order.
pub fn how(page: &mut Page<'_, '_>, plan: &Plan) {
    page.rows.push(Row::rule(page.scene.theme, "how"));
    if let Some(spec) = &plan.order.rollout {
        page.say(
            Role::Quiet,
            "",
            Role::Plain,
            "written into the ledger; then, each as a deed of its own that only sets what is agreed to here:",
        );
        for step in &spec.steps {
            for effect in &step.effects {
                let label = if step.scales() { "first".to_owned() } else { format!("{} %", step.percent) };
                page.say(Role::Strong, &label, Role::Plain, &in_words(effect));
            }
        }
        for effect in &spec.ends {
            page.say(Role::Strong, "end", Role::Plain, &format!("{}, unless it gets traffic", in_words(effect)));
        }
        if let Some(back) = &spec.back {
            page.say(Role::Strong, "back", Role::Plain, &format!("sets {back}"));
        }
    } else if plan.order.effects.is_empty() {
        page.say(Role::Quiet, "", Role::Plain, "no backend is touched; it is written into the ledger");
    }
    for (number, effect) in plan.order.effects.iter().enumerate() {
        page.say(Role::Strong, &format!("{} {}", number + 1, effect.backend()), Role::Plain, &in_words(effect));
    }
    for effect in plan.order.back.iter().rev() {
        page.say(Role::Quiet, "", Role::Plain, &format!("else back: {}: {}", effect.backend(), in_words(effect)));
    }
    for left in &plan.order.left {
        page.say(Role::Abnormal, "", Role::Abnormal, &format!("NOT REACHED: {}", left.told()));
    }
    for reach in &plan.reach {
        let (wished, reached) = (reach.wished.to_string(), words::share(reach.reached));
        if wished != reached {
            page.say(Role::Quiet, "", Role::Plain, &format!("wished {wished} %, whole weights reach {reached} %"));
        }
    }
}

/// What it costs, and how to get back.
pub fn cost(page: &mut Page<'_, '_>, plan: &Plan) {
    page.rows.push(Row::rule(page.scene.theme, "cost"));
    let costs = || plan.costs.iter().filter(|cost| cost.name != "if I do nothing");
    // What must be weighed stands before what is routine.
    let first = |name: &str| matches!(name, "users" | "undo");
    for cost in costs().filter(|cost| first(&cost.name)).chain(costs().filter(|cost| !first(&cost.name))) {
        if let Some(text) = &cost.text {
            page.say(Role::Quiet, &cost.name, Role::Plain, text.as_str());
        }
    }
    let unknown: Vec<&str> = costs().filter(|cost| cost.text.is_none()).map(|cost| asks(&cost.name)).collect();
    if !unknown.is_empty() {
        page.say(Role::Quiet, "not known", Role::Quiet, &unknown.join(", "));
    }
    if !plan.costs.iter().any(|cost| cost.name == "undo") {
        page.say(Role::Quiet, "undo", Role::Plain, plan.undo.as_deref().unwrap_or("nothing undoes it"));
    }
}

/// What a cost answers, where its name alone would not say it.
fn asks(name: &str) -> &str {
    match name {
        "takes" => "how long it takes",
        "data" => "what it does to data",
        "load" => "what load is left to carry",
        "users" => "what users notice",
        other => other,
    }
}

/// What stands in the way, first; nothing when nothing does.
pub fn stops(page: &mut Page<'_, '_>, plan: &Plan, verdict: &Verdict) {
    let theme = page.scene.theme;
    let broken = plan.preconditions.iter().any(|checked| !checked.holds || checked.broken.is_some());
    if matches!(verdict, Verdict::Permit(_)) && !broken && verdict.reasons().is_empty() {
        return;
    }
    page.rows.push(Row::rule(theme, "may I"));
    match verdict {
        Verdict::Permit(_) => {}
        Verdict::Early(_) => page.mark(Mark::Waits, Role::Plain, "waits for its time; nothing else stands in its way"),
        Verdict::SecondPerson { needs, given, may, .. } => {
            let who = if may.is_empty() {
                "nobody who may is configured".to_owned()
            } else {
                format!("{} may, {}", may.join(", "), of_them(&page.scene.world.here, may))
            };
            page.mark(Mark::Waits, Role::Waits, &format!("waits for another person: agreed {given} of {needs}; {who}"));
        }
        Verdict::Deny(reasons) => {
            page.mark(Mark::Failed, Role::Abnormal, &format!("DENIED, for {}", words::counted(reasons.len(), "reason", "reasons")));
        }
    }
    for reason in verdict.reasons() {
        page.reason(reason);
    }
    let told: Vec<&str> = verdict.reasons().iter().map(|reason| reason.text.as_str()).collect();
    for checked in &plan.preconditions {
        match &checked.broken {
            Some(reason) if !told.contains(&reason.text.as_str()) => page.reason(reason),
            Some(_) => {}
            None if checked.holds => {}
            None => page.mark(Mark::Failed, Role::Watched, checked.text.as_str()),
        }
    }
}

/// What a person could do in its place at the backends, where it is denied.
pub fn by_hand(page: &mut Page<'_, '_>, plan: &Plan, verdict: &Verdict) {
    if matches!(verdict, Verdict::Deny(_)) && !plan.commands.is_empty() {
        page.rows.push(Row::rule(page.scene.theme, "by hand: goes past this denial, and nothing records it"));
        for command in &plan.commands {
            page.text(3, Role::Plain, command);
        }
    }
}

/// The time for which it is scheduled, and what is booked in its way; nothing when it is not scheduled.
pub fn when(page: &mut Page<'_, '_>, plan: &Plan) {
    let Some(span) = plan.booking() else { return };
    let scene = page.scene;
    page.rows.push(Row::rule(scene.theme, "when"));
    let with = plan.order.train.as_ref().map(|train| format!(", with {train}")).unwrap_or_default();
    let left = if scene.now.wall < span.begin { format!("in {}", scene.left(&span.begin)) } else { "now".to_owned() };
    let (from, to) = (scene.zone.stamp(&span.begin), scene.zone.stamp(&span.end));
    page.say(Role::Quiet, "booked", Role::Strong, &format!("{from} to {to} ({left}){with}; nothing begins by itself"));
    for conflict in conflicts::of_plan(scene.world, &conflicts::scheduled(plan, span.begin), span.begin) {
        page.mark(Mark::Abnormal, Role::Watched, &format!("in the way: {}", conflict.text));
    }
}

/// Who may, and what was checked, in one line.
pub fn passed(page: &mut Page<'_, '_>, plan: &Plan, verdict: &Verdict) {
    let passed = plan.preconditions.iter().filter(|checked| checked.holds && checked.broken.is_none()).count();
    let checks = format!("{} passed", words::counted(passed, "check", "checks"));
    let line = match verdict {
        Verdict::Permit(_) => format!("you may: {}{}; {checks}", page.scene.world.actor, by_grant(page, plan)),
        Verdict::SecondPerson { .. } | Verdict::Early(_) | Verdict::Deny(_) if passed == 0 => return,
        Verdict::SecondPerson { .. } | Verdict::Early(_) | Verdict::Deny(_) => checks,
    };
    page.rows.push(Row::rule(page.scene.theme, "checks"));
    page.mark(Mark::Proven, Role::Plain, &line);
}

/// The role that the requester took for a while and acts by, and until when; nothing where none is needed.
fn by_grant(page: &Page<'_, '_>, plan: &Plan) -> String {
    let (world, target, at) = (page.scene.world, plan.target(), page.scene.now.wall);
    let asked = world.catalog.protection(target).map(|protection| protection.actor_roles.as_slice()).unwrap_or_default();
    let actor = world.actor.to_string();
    match rules::roles(world, target, at).granted(&actor, asked, target) {
        Some(grant) => format!(", {} by a grant until {}", grant.role, page.scene.zone.time(&grant.until)),
        None => String::new(),
    }
}

/// What was looked at and does not bind.
pub fn evidence(page: &mut Page<'_, '_>, plan: &Plan) {
    if plan.evidence.is_empty() {
        return;
    }
    page.rows.push(Row::rule(page.scene.theme, "evidence, does not bind"));
    for evidence in &plan.evidence {
        let age = evidence.age_s.map_or_else(|| "never read".to_owned(), words::span);
        let (mark, role) = if evidence.warns { (Mark::Unknown, Role::Watched) } else { (Mark::None, Role::Plain) };
        page.mark(mark, role, &format!("{} ({} {age})", evidence.text, evidence.source));
    }
}

/// An effect in words.
pub fn in_words(effect: &StepEffect) -> String {
    match effect {
        StepEffect::Weights { pool, weights, .. } => {
            let all: Vec<String> = weights.iter().map(|(server, weight)| format!("{server} {weight}")).collect();
            format!("{pool}: weights {}", all.join(", "))
        }
        StepEffect::Start { builder, properties, .. } => {
            let version = properties.get("version").map(|version| format!(" with version {version}")).unwrap_or_default();
            format!("starts a run of {builder}{version}")
        }
        StepEffect::Retry { builder, run, .. } => format!("runs {run} of {builder} again"),
        StepEffect::Flag { .. }
        | StepEffect::Drain { .. }
        | StepEffect::Silence { .. }
        | StepEffect::Repeat { .. }
        | StepEffect::Answer { .. }
        | StepEffect::Workload { .. } => crate::control::planner::words(effect).to_string(),
        StepEffect::Cancel { builder, run, .. } => format!("stops run {run} of {builder}"),
    }
}
