//! The judge by examples: who may act, who may agree, and which reasons come first.

use chrono::{DateTime, TimeDelta, Utc};

use super::approval::{Ask, reasons_against};
use super::judge::{Case, judge};
use crate::model::approval::{Approval, Decision};
use crate::model::catalog::Protection;
use crate::model::intent::{Arguments, Direction, Intent, Verb};
use crate::model::operator::{Actor, Grant, Person};
use crate::model::plan::{ORDER_FORMAT, Order, Plan};
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
        change_type: "normal".to_owned(),
        effects: Vec::new(),
        ends: None,
        expires: rfc3339(&expires),
        format: ORDER_FORMAT,
        installation: "test".to_owned(),
        nonce: "1".to_owned(),
        percent: None,
        requester: "ana".to_owned(),
        rules: "00".to_owned(),
        targets: Vec::new(),
        text: None,
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
        preconditions: Vec::new(),
        evidence: Vec::new(),
        now: Text::empty(),
        after: Text::empty(),
        costs: Vec::new(),
        reach: Vec::new(),
        undo: None,
        commands: Vec::new(),
        impossible: Vec::new(),
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
    }
}

fn verdict(plan: &Plan, protection: &Protection, approvals: &[Approval]) -> Verdict {
    judge(&Case {
        plan,
        protection: Some(protection),
        people: &people(),
        read_only: false,
        record_trouble: None,
        rules: "00",
        at: noon(),
        hold: None,
        busy: None,
        approvals,
    })
}

fn against(decision: Decision, who: &Actor, plan: &Plan) -> Vec<String> {
    let reasons = reasons_against(&Ask {
        plan,
        decision,
        actor: who,
        people: &people(),
        protection: Some(&protection(2)),
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
    let rule = protection(2);
    let bo = actor("bo");
    let ask = Ask {
        plan: &plan,
        decision: Decision::Approve,
        actor: &bo,
        people: &people,
        protection: Some(&rule),
        rules: "other",
        read_only: true,
        at: plan.expires,
    };
    let rules: Vec<_> = reasons_against(&ask).into_iter().map(|reason| reason.rule).collect();
    assert_eq!(rules, ["read-only", "expired", "rules"]);
}
