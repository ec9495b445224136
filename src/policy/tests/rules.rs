//! Changed rules: who accepts them, and the stricter of two answers.

use std::sync::Arc;

use rstest::rstest;

use super::*;
use crate::model::deed::Permit;
use crate::model::reason::Reason;
use crate::model::rules::{POLICY_OWNER, RuleSet, RuleStanding, Ruled};
use crate::policy::rules::{self, AskName, may_name};

fn person(name: &str, grants: &[(&str, &[&str])]) -> Person {
    let grant = |(role, environments): &(&str, &[&str])| Grant {
        role: role.parse().unwrap(),
        environments: environments.iter().map(|name| name.parse().unwrap()).collect(),
        services: Vec::new(),
    };
    Person {
        name: name.parse().unwrap(),
        os_user: None,
        keys: Vec::new(),
        emails: Vec::new(),
        logins: Vec::new(),
        bots: Vec::new(),
        teams: Vec::new(),
        roles: grants.iter().map(grant).collect(),
    }
}

fn environment(name: &str, approvals: u32, assurance: Assurance) -> Ruled {
    Ruled {
        name: name.parse().unwrap(),
        assurance,
        protection: Protection { approvals, ..Protection::default() },
        gates: Gates::default(),
        conflicts: None,
        self_service: Vec::new(),
    }
}

fn rules(approvals: u32, people: &[Person]) -> RuleSet {
    let environments = vec![environment("dev", 0, Assurance::T0), environment("prod", approvals, Assurance::T0)];
    RuleSet {
        environments,
        ..RuleSet::of_parts(people, &[], &crate::model::timetable::Timetable::default(), &std::collections::BTreeMap::new())
    }
}

fn people() -> Vec<Person> {
    vec![
        person("ana", &[(POLICY_OWNER, &[])]),
        person("bo", &[("captain", &[])]),
        person("cy", &[(POLICY_OWNER, &["prod"])]),
        person("dee", &[(POLICY_OWNER, &["dev"])]),
    ]
}

/// What comes of it when `name` puts a name under rules for which `names` stand and which `authors` alone could have written.
fn named(name: &str, names: &[&str], authors: &[&str]) -> Result<bool, String> {
    let (older, current) = (rules(1, &people()), rules(0, &people()));
    let stands = RuleStanding {
        current: current.digest(),
        accepted: Some(older.digest()),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        older: Some(Arc::new(older)),
    };
    let authors: Vec<_> = authors.iter().map(|name| name.parse().unwrap()).collect();
    let actor = Actor::Person(name.parse().unwrap());
    let ask = AskName {
        stands: &stands,
        current: &current,
        actor: &actor,
        is_same_person: true,
        authors: &authors,
        is_own_key: None,
        read_only: false,
    };
    may_name(&ask).map_err(|reasons| reasons.into_iter().map(|reason| reason.rule).collect::<Vec<_>>().join(" "))
}

#[rstest]
#[case::nobody_stands_for_it("ana", &[], &[], Ok(false))]
#[case::whoever_is_known_may_stand_for_it("bo", &[], &[], Ok(false))]
#[case::another_accepts("ana", &["bo"], &[], Ok(true))]
#[case::not_oneself("ana", &["ana"], &[], Err("own-rules"))]
#[case::not_without_the_role("bo", &["ana"], &[], Err("role"))]
#[case::the_role_in_what_changed_is_enough("cy", &["ana"], &[], Ok(true))]
#[case::the_role_elsewhere_is_not("dee", &["ana"], &[], Err("role"))]
#[case::the_author_is_known("cy", &[], &["ana"], Ok(true))]
#[case::the_author_does_not_accept("ana", &[], &["ana"], Err("own-rules"))]
#[case::nor_after_another_stood_for_it("ana", &["bo"], &["ana"], Err("own-rules"))]
#[case::one_of_two_authors("ana", &[], &["ana", "bo"], Err("own-rules"))]
#[case::a_stranger("eve", &["ana"], &[], Err("identity"))]
fn who_accepts(#[case] name: &str, #[case] names: &[&str], #[case] authors: &[&str], #[case] wanted: Result<bool, &str>) {
    assert_eq!(named(name, names, authors), wanted.map_err(str::to_owned));
}

#[test]
fn a_new_policy_owner_of_the_changed_rules_is_none_by_those_that_count() {
    let older = rules(1, &people());
    let mut more = people();
    more.push(person("eve", &[(POLICY_OWNER, &[])]));
    let current = rules(0, &more);
    let stands = RuleStanding {
        current: current.digest(),
        accepted: Some(older.digest()),
        names: vec!["bo".to_owned()],
        older: Some(Arc::new(older)),
    };
    let actor = Actor::Person("eve".parse().unwrap());
    let ask = AskName {
        stands: &stands,
        current: &current,
        actor: &actor,
        is_same_person: true,
        authors: &[],
        is_own_key: None,
        read_only: false,
    };
    assert_eq!(may_name(&ask).unwrap_err()[0].rule, "identity");
}

#[test]
fn the_stricter_answer_holds_with_the_reasons_of_both() {
    let reason = |rule: &str| Reason::new(rule, rule, "mend it");
    let plan = crate::model::name::PlanId([1; 32]);
    let permit = || Verdict::Permit(Permit::grant(plan));
    let deny = |rules: &[&str]| Verdict::Deny(rules.iter().map(|rule| reason(rule)).collect());
    let second = |needs, given, may: &[&str]| Verdict::SecondPerson {
        needs,
        given,
        may: may.iter().map(|name| (*name).to_owned()).collect(),
        reasons: vec![reason("approvals")],
    };
    let told =
        |verdict: Verdict| (verdict.word().to_owned(), verdict.reasons().iter().map(|reason| reason.rule.clone()).collect::<Vec<_>>());
    assert_eq!(told(rules::stricter(permit(), permit())).0, "permit");
    assert_eq!(told(rules::stricter(permit(), deny(&["freeze"]))), ("deny".to_owned(), vec!["freeze".to_owned()]));
    assert_eq!(told(rules::stricter(deny(&["role"]), permit())), ("deny".to_owned(), vec!["role".to_owned()]));
    assert_eq!(
        told(rules::stricter(deny(&["role"]), deny(&["role", "freeze"]))),
        ("deny".to_owned(), vec!["role".to_owned(), "freeze".to_owned()])
    );
    assert_eq!(told(rules::stricter(permit(), second(1, 0, &["cy"]))).0, "second-person");
    assert_eq!(told(rules::stricter(second(1, 0, &["cy"]), deny(&["freeze"]))).0, "deny");
    let Verdict::SecondPerson { needs, given, may, .. } = rules::stricter(second(1, 0, &["bo", "cy"]), second(2, 0, &["cy", "dee"])) else {
        panic!("no second person")
    };
    assert_eq!((needs, given, may), (2, 0, vec!["cy".to_owned()]));
}
