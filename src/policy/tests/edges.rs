//! What mutants of the rules showed that no other test here looks at: tiers, groups in words, and where a role counts.

use rstest::rstest;

use super::*;
use crate::policy::role::Act;

fn rules(reasons: &[crate::model::reason::Reason]) -> Vec<&str> {
    reasons.iter().map(|reason| reason.rule.as_str()).collect()
}

#[rstest]
#[case(Assurance::T0, Some(false), false)]
#[case(Assurance::T0, None, false)]
#[case(Assurance::T1, Some(false), true)]
#[case(Assurance::T1, Some(true), false)]
#[case(Assurance::T1, None, false)]
#[case(Assurance::T2, Some(false), true)]
fn what_is_said_of_a_plan_bears_the_persons_own_signature_from_t1_on(
    #[case] assurance: Assurance,
    #[case] is_own_key: Option<bool>,
    #[case] refused: bool,
) {
    let (plan, protection, gates) = (plan(Verb::Shift, Direction::Forward), protection(1), Gates::default());
    let (people, bo) = (people(), actor("bo"));
    for decision in [Decision::Approve, Decision::Reject] {
        let reasons = reasons_against(&Ask {
            plan: &plan,
            decision,
            actor: &bo,
            people: &people,
            grants: &[],
            guard: Some(Guard { protection: &protection, gates: &gates, assurance, self_service: &[] }),
            is_own_key,
            rules: "00",
            read_only: false,
            at: noon(),
        });
        assert_eq!(rules(&reasons), if refused { vec!["assurance"] } else { Vec::new() }, "{decision:?}");
    }
}

#[test]
fn only_an_approval_is_refused_where_none_is_needed() {
    let (plan, protection, gates) = (plan(Verb::Shift, Direction::Forward), protection(0), Gates::default());
    let (people, bo) = (people(), actor("bo"));
    let said = |decision| {
        reasons_against(&Ask {
            plan: &plan,
            decision,
            actor: &bo,
            people: &people,
            grants: &[],
            guard: Some(guard(&protection, &gates)),
            is_own_key: None,
            rules: "00",
            read_only: false,
            at: noon(),
        })
    };
    assert_eq!(rules(&said(Decision::Approve)), ["no-approval-needed", "role"]);
    assert_eq!(rules(&said(Decision::Reject)), ["role"]);
}

#[test]
fn a_refusal_names_the_groups_that_were_asked_for() {
    let (plan, gates) = (plan(Verb::Shift, Direction::Forward), Gates::default());
    let board = ApprovalGroup { roles: vec!["board".parse().unwrap()], teams: Vec::new(), approvals: 1 };
    let protection = Protection { also: vec![board], ..protection(1) };
    let (people, rea) = (people(), actor("rea"));
    let reasons = reasons_against(&Ask {
        plan: &plan,
        decision: Decision::Approve,
        actor: &rea,
        people: &people,
        grants: &[],
        guard: Some(guard(&protection, &gates)),
        is_own_key: None,
        rules: "00",
        read_only: false,
        at: noon(),
    });
    let texts: Vec<_> = reasons.iter().map(|reason| reason.text.to_string()).collect();
    assert_eq!(texts, ["rea may not approve it: that asks for a person with the role captain, or with the role board"]);
}

#[rstest]
#[case(&[], &[], true)]
#[case(&["prod"], &[], true)]
#[case(&["stage"], &[], false)]
#[case(&["stage", "prod"], &["checkout"], true)]
#[case(&["prod"], &["cart"], false)]
#[case(&["stage"], &["checkout"], false)]
#[case(&[], &["checkout", "cart"], true)]
#[case(&[], &["cart"], false)]
fn a_role_counts_where_and_for_what_it_was_given(#[case] environments: &[&str], #[case] services: &[&str], #[case] counts: bool) {
    let mut bo = person("bo", "captain");
    bo.roles[0].environments = environments.iter().map(|name| name.parse().unwrap()).collect();
    bo.roles[0].services = services.iter().map(|name| name.parse().unwrap()).collect();
    let (people, roles, target) = (vec![bo], vec!["captain".parse().unwrap()], "checkout@prod".parse().unwrap());
    let held = Roles::of(&people, &[], None, noon());
    assert_eq!(held.may(&actor("bo"), Act::Act, &roles, &target), counts);
    assert_eq!(held.approvers(&roles, &[], &target, &actor("ana")).len(), usize::from(counts));
    // Another role counts nowhere.
    assert!(!held.may(&actor("bo"), Act::Act, &["board".parse().unwrap()], &target));
}
