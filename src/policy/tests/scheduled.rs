//! Plans that are scheduled, before the judge: too early, what is not looked at before their time, and since when they are ready.

use super::*;
use crate::model::plan::{Checked, Precondition};
use crate::model::reason::Reason;
use crate::model::rollout::Hold;
use crate::policy::approval::agreed_since;
use crate::policy::role::Roles;

/// A shift that is booked for an hour from noon + 2 h on.
fn booked() -> Plan {
    let mut plan = plan(Verb::Shift, Direction::Forward);
    plan.order.begins = Some(rfc3339(&(noon() + TimeDelta::hours(2))));
    plan.expires = noon() + TimeDelta::hours(3);
    plan.order.expires = rfc3339(&plan.expires);
    plan.id = plan.order.id().unwrap();
    plan
}

fn told(verdict: &Verdict) -> (&'static str, Vec<&str>) {
    (verdict.word(), verdict.reasons().iter().map(|reason| reason.rule.as_str()).collect())
}

#[test]
fn before_its_time_it_is_too_early_whatever_else_is_well_and_at_its_time_it_may_go() {
    let (rule, gates, people) = (protection(0), Gates::default(), people());
    let plan = booked();
    let at = |minutes: i64| {
        judge(&Case { at: noon() + TimeDelta::minutes(minutes), guard: Some(guard(&rule, &gates)), ..case(&plan, &[], &people) })
    };
    assert_eq!(told(&at(0)), ("scheduled", vec!["too-early"]));
    let early = at(119);
    assert!(early.reasons()[0].text.as_str().contains("from 2026-11-24 14:00:00Z on, until 2026-11-24 15:00:00Z"), "{early:?}");
    assert_eq!(at(120).word(), "permit");
    assert_eq!(at(179).word(), "permit");
    assert_eq!(told(&at(180)), ("deny", vec!["expired"]));
    // A time that cannot be read never comes.
    let mut plan = plan.clone();
    plan.order.begins = Some("soon".to_owned());
    let verdict = judge(&Case { at: noon() + TimeDelta::minutes(150), guard: Some(guard(&rule, &gates)), ..case(&plan, &[], &people) });
    assert_eq!(verdict.word(), "scheduled");
}

#[test]
fn agreement_is_asked_for_before_its_time_and_what_stands_in_the_way_now_is_no_reason_yet() {
    let (rule, people) = (protection(1), people());
    let check = Check {
        kind: CheckKind::Alerts,
        counts: Counts::Require,
        finding: Finding::Fails,
        text: Text::clean("fires: Errors"),
        fix: Text::empty(),
        source: String::new(),
        age_s: None,
    };
    let gates = Gates { checks: vec![(CheckKind::Alerts, Counts::Require)], ..Gates::default() };
    let mut plan = booked();
    plan.checks = vec![check];
    let stale = Reason::new("stale", "edge is stale", "wait");
    let must = Precondition::Fresh { backend: "edge".parse().unwrap() };
    plan.preconditions = vec![Checked { must, text: Text::empty(), holds: false, broken: Some(stale) }];
    let hold = Hold { by: "bo".to_owned(), since: noon(), reason: Text::empty(), deed: plan.id, share: None };
    let given = [approval("bo", 600)];
    let judged = |minutes: i64, approvals: &[Approval]| {
        let verdict = judge(&Case {
            at: noon() + TimeDelta::minutes(minutes),
            guard: Some(guard(&rule, &gates)),
            hold: Some(&hold),
            busy: Some("shift of bo is under way"),
            ..case(&plan, approvals, &people)
        });
        verdict.reasons().iter().map(|reason| reason.rule.clone()).collect::<Vec<_>>()
    };
    assert_eq!(judged(0, &[]), ["approvals"]);
    assert_eq!(judged(0, &given), ["too-early"]);
    // At its time everything counts.
    assert_eq!(judged(120, &given), ["hold", "busy", "stale", "check-alerts"]);
    // Weights that changed stay changed until somebody plans again.
    let changed = Reason::new("changed", "weights changed", "plan again");
    let must = Precondition::WeightsUnchanged {
        backend: "edge".parse().unwrap(),
        pool: "be_checkout".parse().unwrap(),
        weights: crate::model::traffic::Weights::new(),
    };
    let mut plan = booked();
    plan.preconditions = vec![Checked { must, text: Text::empty(), holds: false, broken: Some(changed) }];
    let verdict = judge(&Case { guard: Some(guard(&rule, &gates)), ..case(&plan, &given, &people) });
    assert_eq!(told(&verdict), ("deny", vec!["changed"]));
}

fn held(people: &[Person]) -> Roles<'_> {
    Roles::of(people, &[], None, noon())
}

#[test]
fn a_plan_is_ready_when_the_last_of_those_who_must_agree_has_agreed() {
    let (rule, gates, people) = (protection(2), Gates::default(), people());
    let plan = booked();
    let of = |person: &str, minutes: i64| Approval { at: noon() + TimeDelta::minutes(minutes), ..approval(person, 600) };
    let since = |approvals: &[Approval]| {
        agreed_since(&plan, guard(&rule, &gates), &held(&people), approvals, &(noon() + TimeDelta::hours(1)))
            .map(|at| at.signed_duration_since(noon()).num_minutes())
    };
    assert_eq!(since(&[]), None);
    assert_eq!(since(&[of("bo", 3), of("rea", 4)]), None);
    assert_eq!(since(&[of("cy", 30), of("bo", 3)]), Some(30));
    let nobody = protection(0);
    assert_eq!(agreed_since(&plan, guard(&nobody, &gates), &held(&people), &[of("bo", 3)], &noon()), Some(plan.made));
}
