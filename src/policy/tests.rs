//! The judge by examples: who may act, who may agree, and which reasons come first.

mod authors;
mod both;
mod course;
mod edges;
mod glass;
mod grant;
mod rollout;
mod rules;
mod scheduled;
mod stricter;

use chrono::{DateTime, TimeDelta, Utc};

use super::approval::{Ask, groups, reasons_against, requirements};
use super::gate::{Facts, derive, still_fits, stricter};
use super::judge::{Case, judge};
use super::role::Roles;
use crate::model::approval::{Approval, Decision};
use crate::model::catalog::{ApprovalGroup, Assurance, Guard, Protection};
use crate::model::change::ChangeType;
use crate::model::gate::{Check, CheckKind, Counts, EmergencyRule, Finding, Gates, StandardModel, Typed};
use crate::model::intent::{Arguments, Direction, Intent, Verb};
use crate::model::operator::{Actor, Grant, Person};
use crate::model::plan::{ORDER_FORMAT, Order, Plan};
use crate::model::share::Percent;
use crate::model::text::Text;
use crate::model::time::rfc3339;
use crate::model::verdict::Verdict;

fn noon() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn person(name: &str, role: &str) -> Person {
    Person {
        name: name.parse().unwrap(),
        os_user: None,
        keys: Vec::new(),
        emails: Vec::new(),
        logins: Vec::new(),
        bots: Vec::new(),
        teams: Vec::new(),
        roles: vec![Grant { role: role.parse().unwrap(), environments: Vec::new(), services: Vec::new() }],
    }
}

fn people() -> Vec<Person> {
    vec![person("ana", "captain"), person("bo", "captain"), person("cy", "captain"), person("rea", "reader")]
}

fn actor(name: &str) -> Actor {
    Actor::Person(name.parse().unwrap())
}

fn protection(approvals: u32) -> Protection {
    let captain = vec!["captain".parse().unwrap()];
    Protection { approvals, approver_roles: captain.clone(), actor_roles: captain, ..Protection::default() }
}

fn plan(verb: Verb, direction: Direction) -> Plan {
    let expires = noon() + TimeDelta::hours(4);
    let order = Order {
        begins: None,
        train: None,
        back: Vec::new(),
        left: Vec::new(),
        break_glass: None,
        change_type: ChangeType::Normal,
        effects: Vec::new(),
        ends: None,
        expires: rfc3339(&expires),
        format: ORDER_FORMAT,
        installation: "test".to_owned(),
        nonce: "1".to_owned(),
        of: None,
        rollout: None,
        percent: None,
        requester: "ana".to_owned(),
        rules: "00".to_owned(),
        targets: Vec::new(),
        text: None,
        ticket: None,
        verb,
    };
    let intent = Intent {
        verb,
        target: "checkout@prod".parse().unwrap(),
        args: Arguments::default(),
        requester: actor("ana"),
        reason: Text::empty(),
    };
    Plan {
        id: order.id().unwrap(),
        intent,
        direction,
        order,
        made: noon(),
        expires,
        checks: Vec::new(),
        typed: None,
        authors: None,
        preconditions: Vec::new(),
        evidence: Vec::new(),
        released: crate::model::released::Released::default(),
        now: Text::empty(),
        after: Text::empty(),
        costs: Vec::new(),
        reach: Vec::new(),
        undo: None,
        commands: Vec::new(),
        impossible: Vec::new(),
        asked_by: None,
        waived: Vec::new(),
    }
}

fn approval(person: &str, minutes: i64) -> Approval {
    Approval {
        person: person.to_owned(),
        at: noon(),
        expires: noon() + TimeDelta::minutes(minutes),
        evidence: String::new(),
        is_own_key: false,
        words: Text::empty(),
        authors: None,
    }
}

fn guard<'a>(protection: &'a Protection, gates: &'a Gates) -> Guard<'a> {
    Guard { protection, gates, assurance: Assurance::T0, self_service: &[] }
}

fn case<'a>(plan: &'a Plan, approvals: &'a [Approval], people: &'a [Person]) -> Case<'a> {
    Case {
        shut: &[],
        plan,
        guard: None,
        is_own_key: None,
        people,
        grants: &[],
        read_only: false,
        record_trouble: None,
        rules: "00",
        at: noon(),
        hold: None,
        rollout: None,
        busy: None,
        approvals,
        owed: &[],
    }
}

fn verdict(plan: &Plan, protection: &Protection, approvals: &[Approval]) -> Verdict {
    judge(&Case { guard: Some(guard(protection, &Gates::default())), ..case(plan, approvals, &people()) })
}

fn against(decision: Decision, who: &Actor, plan: &Plan) -> Vec<String> {
    let reasons = reasons_against(&Ask {
        plan,
        decision,
        actor: who,
        people: &people(),
        grants: &[],
        guard: Some(guard(&protection(2), &Gates::default())),
        is_own_key: None,
        rules: "00",
        read_only: false,
        at: noon(),
    });
    reasons.into_iter().map(|reason| reason.rule).collect()
}

#[test]
fn two_other_persons_with_the_role_are_two_approvals() {
    let plan = plan(Verb::Shift, Direction::Forward);
    let rule = protection(2);
    for (approvals, given) in [
        (vec![], 0),
        (vec![approval("bo", 5)], 1),
        (vec![approval("bo", 5), approval("bo", 5)], 1),
        (vec![approval("bo", 5), approval("ana", 5)], 1),
        (vec![approval("bo", 5), approval("rea", 5)], 1),
        (vec![approval("bo", 5), approval("nobody", 5)], 1),
        (vec![approval("bo", 5), approval("cy", 0)], 1),
    ] {
        let Verdict::SecondPerson { given: found, may, reasons, .. } = verdict(&plan, &rule, &approvals) else { panic!("{approvals:?}") };
        assert_eq!((found, may), (given, vec!["bo".to_owned(), "cy".to_owned()]), "{approvals:?}");
        assert_eq!(reasons[0].fix.as_str().contains("bo"), given == 0, "who agreed already is not asked again: {reasons:?}");
    }
    assert!(matches!(verdict(&plan, &rule, &[approval("bo", 5), approval("cy", 5)]), Verdict::Permit(_)));
}

#[test]
fn the_way_back_needs_only_what_is_written_for_it() {
    let back = plan(Verb::Abort, Direction::Back);
    assert!(matches!(verdict(&back, &protection(2), &[]), Verdict::Permit(_)));
    let written = Protection { way_back_approvals: 1, ..protection(0) };
    assert!(matches!(verdict(&back, &written, &[]), Verdict::SecondPerson { needs: 1, .. }));
}

#[test]
fn nobody_approves_his_own_plan_nor_without_the_role() {
    let plan = plan(Verb::Shift, Direction::Forward);
    for decision in [Decision::Approve, Decision::Reject] {
        assert_eq!(against(decision, &actor("ana"), &plan), ["own-plan"]);
        assert_eq!(against(decision, &actor("rea"), &plan), ["role"]);
        assert_eq!(against(decision, &Actor::Stranger("mallory".to_owned()), &plan), ["role"]);
        assert_eq!(against(decision, &Actor::Unverified("root".to_owned()), &plan), ["nobody-configured"]);
        assert!(against(decision, &actor("bo"), &plan).is_empty());
    }
    assert!(against(Decision::Withdraw, &actor("ana"), &plan).is_empty());
}

#[test]
fn changed_rules_and_a_plan_that_has_ended_are_not_approved() {
    let plan = plan(Verb::Shift, Direction::Forward);
    let people = people();
    let (rule, gates) = (protection(2), Gates::default());
    let bo = actor("bo");
    let ask = Ask {
        plan: &plan,
        decision: Decision::Approve,
        actor: &bo,
        people: &people,
        grants: &[],
        guard: Some(guard(&rule, &gates)),
        is_own_key: None,
        rules: "other",
        read_only: true,
        at: plan.expires,
    };
    let rules: Vec<_> = reasons_against(&ask).into_iter().map(|reason| reason.rule).collect();
    assert_eq!(rules, ["read-only", "expired", "rules"]);
}

fn model() -> Gates {
    Gates {
        standard: Some(StandardModel {
            verbs: vec![Verb::Shift, Verb::Promote],
            max_percent: Percent::new(20),
            way_back_proven_within: Some(DAY * 30),
            approvals: 0,
        }),
        emergency: Some(EmergencyRule {
            severities: vec!["critical".to_owned()],
            approvals: 1,
            approver_roles: vec!["reader".parse().unwrap()],
            review_within: DAY * 3,
        }),
        ..Gates::default()
    }
}

const DAY: std::time::Duration = std::time::Duration::from_hours(24);

fn small() -> Facts<'static> {
    Facts {
        verb: Verb::Shift,
        direction: Direction::Forward,
        percent: Percent::new(20),
        is_reversible: true,
        way_back_age: Some(DAY * 30),
        severities: &[],
    }
}

#[test]
fn the_type_of_a_change_follows_from_the_written_rules() {
    let (critical, warning) = (["critical".to_owned()], ["warning".to_owned()]);
    for (facts, wanted, because) in [
        (small(), ChangeType::Standard, "small, reversible"),
        (Facts { percent: Percent::new(21), ..small() }, ChangeType::Normal, "21 % is more than the 20 %"),
        (Facts { verb: Verb::Start, percent: None, ..small() }, ChangeType::Normal, "start is not in the model"),
        (Facts { is_reversible: false, ..small() }, ChangeType::Normal, "no command undoes it"),
        (Facts { way_back_age: None, ..small() }, ChangeType::Normal, "never seen to work"),
        (Facts { way_back_age: Some(DAY * 31), ..small() }, ChangeType::Normal, "31 days ago, asked for are 30"),
        (Facts { severities: &warning, ..small() }, ChangeType::Standard, "small"),
        (Facts { severities: &critical, percent: Percent::new(100), ..small() }, ChangeType::Emergency, "critical fires"),
        (Facts { direction: Direction::Back, severities: &critical, ..small() }, ChangeType::Standard, "way back is pre-approved"),
        (Facts { direction: Direction::Still, ..small() }, ChangeType::Standard, "moves no traffic"),
    ] {
        let typed = derive(&model(), &facts);
        assert_eq!(typed.change, wanted, "{facts:?}");
        assert!(typed.because.as_str().contains(because), "{}", typed.because);
    }
    // Without rules everything that goes forward is a normal change.
    assert_eq!(derive(&Gates::default(), &Facts { severities: &critical, ..small() }).change, ChangeType::Normal);
}

#[test]
fn by_hand_a_type_is_only_made_stricter() {
    for derived in ChangeType::ALL {
        for wished in ChangeType::ALL {
            let typed = Typed { change: derived, because: Text::clean("a rule") };
            let allowed = derived == wished || wished == ChangeType::Normal;
            assert_eq!(stricter(typed, Some(wished)).is_ok(), allowed, "{derived:?} to {wished:?}");
            // Planned as one type, carried out when the rules say another one.
            assert_eq!(still_fits(wished, derived), allowed, "{wished:?} when it is {derived:?}");
        }
    }
}

#[test]
fn what_each_type_needs() {
    let rule = Protection {
        also: vec![ApprovalGroup { roles: vec!["reader".parse().unwrap()], teams: Vec::new(), approvals: 1 }],
        ..protection(1)
    };
    let gates = model();
    let needs = |change: ChangeType, direction: Direction| {
        let mut plan = plan(Verb::Shift, direction);
        plan.order.change_type = change;
        let needed = requirements(&plan, guard(&rule, &gates), &Roles::of(&people(), &[], None, noon()));
        needed.into_iter().map(|one| (one.approvals, one.may.join(" "))).collect::<Vec<_>>()
    };
    assert!(needs(ChangeType::Standard, Direction::Forward).is_empty());
    assert_eq!(needs(ChangeType::Normal, Direction::Forward), [(1, "bo cy".to_owned()), (1, "rea".to_owned())]);
    assert_eq!(needs(ChangeType::Emergency, Direction::Forward), [(1, "rea".to_owned())]);
    for change in ChangeType::ALL {
        assert!(needs(change, Direction::Back).is_empty(), "{change:?}");
    }
    // One of each group: two of one group are not enough.
    let plan = plan(Verb::Shift, Direction::Forward);
    let asked = |approvals: &[Approval]| match judge(&Case { guard: Some(guard(&rule, &gates)), ..case(&plan, approvals, &people()) }) {
        Verdict::Permit(_) => Vec::new(),
        other @ (Verdict::SecondPerson { .. } | Verdict::Early(_) | Verdict::Deny(_)) => {
            other.reasons().iter().map(|reason| reason.text.to_string()).collect()
        }
    };
    let lacking = asked(&[approval("bo", 5), approval("cy", 5)]);
    assert!(lacking.len() == 1 && lacking[0].contains("with the role reader, 0 given"), "{lacking:?}");
    assert!(asked(&[approval("bo", 5), approval("rea", 5)]).is_empty());
}

#[test]
fn a_required_check_stops_what_goes_forward_and_never_the_way_back() {
    let check = |counts, finding| Check {
        kind: CheckKind::Pipeline,
        counts,
        finding,
        text: Text::clean("run ci/7 failed"),
        fix: Text::clean("mend it"),
        source: "ci".to_owned(),
        age_s: Some(3),
    };
    let found = [Finding::Holds, Finding::Fails, Finding::NotKnown, Finding::NoSource];
    for (counts, finding) in found.into_iter().flat_map(|finding| [(Counts::Require, finding), (Counts::Warn, finding)]) {
        for direction in [Direction::Forward, Direction::Back] {
            let mut plan = plan(Verb::Shift, direction);
            plan.checks = vec![check(counts, finding)];
            let stops = counts == Counts::Require && finding != Finding::Holds && direction == Direction::Forward;
            let verdict = verdict(&plan, &protection(0), &[]);
            assert_eq!(matches!(verdict, Verdict::Deny(_)), stops, "{counts:?} {finding:?} {direction:?}");
            assert!(!stops || verdict.reasons()[0].rule == "check-pipeline");
        }
    }
}

#[test]
fn where_a_ticket_is_wanted_what_goes_forward_without_one_is_denied_and_the_way_back_is_not() {
    let gates = Gates { require_ticket: true, ..Gates::default() };
    let rule = protection(0);
    let rules = |plan: &Plan| -> Vec<String> {
        let verdict = judge(&Case { guard: Some(guard(&rule, &gates)), ..case(plan, &[], &people()) });
        verdict.reasons().iter().map(|reason| reason.rule.clone()).collect()
    };
    let mut forward = plan(Verb::Shift, Direction::Forward);
    assert_eq!(rules(&forward), ["ticket"]);
    assert!(rules(&plan(Verb::Rollback, Direction::Back)).is_empty());
    forward.order.ticket = Some("CHG0030001".parse().unwrap());
    assert!(rules(&forward).is_empty());
}

#[test]
fn a_plan_whose_change_is_no_longer_of_its_type_is_denied() {
    let mut plan = plan(Verb::Shift, Direction::Forward);
    plan.order.change_type = ChangeType::Standard;
    plan.typed = Some(Typed { change: ChangeType::Normal, because: Text::clean("its way back was never seen to work here") });
    let verdict = verdict(&plan, &protection(0), &[]);
    assert_eq!(verdict.reasons()[0].rule, "change-type");
}

#[test]
fn from_tier_one_on_only_signatures_by_own_keys_count() {
    let plan = plan(Verb::Shift, Direction::Forward);
    let (rule, gates) = (protection(1), Gates::default());
    let own = Approval { is_own_key: true, ..approval("bo", 5) };
    let judged = |assurance, signed, approval: &Approval| {
        let guard = Guard { assurance, ..guard(&rule, &gates) };
        let approvals = [approval.clone()];
        judge(&Case { guard: Some(guard), is_own_key: signed, ..case(&plan, &approvals, &people()) })
    };
    assert!(matches!(judged(Assurance::T0, Some(false), &approval("bo", 5)), Verdict::Permit(_)));
    assert!(matches!(judged(Assurance::T1, Some(true), &own), Verdict::Permit(_)));
    assert!(matches!(judged(Assurance::T1, None, &own), Verdict::Permit(_)), "before anybody was asked to sign");
    assert!(matches!(judged(Assurance::T1, Some(true), &approval("bo", 5)), Verdict::SecondPerson { given: 0, .. }));
    assert_eq!(judged(Assurance::T1, Some(false), &own).reasons()[0].rule, "assurance");
    // At T2 two persons sign what goes forward, also where no approval is asked for.
    let alone = Guard { assurance: Assurance::T2, ..guard(&rule, &gates) };
    let none = protection(0);
    let alone = Guard { protection: &none, ..alone };
    let verdict = judge(&Case { guard: Some(alone), is_own_key: Some(true), ..case(&plan, &[], &people()) });
    assert!(matches!(verdict, Verdict::SecondPerson { needs: 1, .. }));
    // So its plan waits as long as one that needs approvals.
    assert_eq!(groups(Direction::Forward, ChangeType::Normal, alone).len(), 1);
    assert!(groups(Direction::Back, ChangeType::Standard, alone).is_empty());
}
