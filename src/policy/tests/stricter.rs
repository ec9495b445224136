//! The stricter of two verdicts: every pair of kinds, and what holds of any two.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::deed::Permit;
use crate::model::name::PlanId;
use crate::model::reason::Reason;
use crate::policy::calendar::Readiness;
use crate::policy::ready;
use crate::policy::rules::stricter;

fn reason(rule: &str) -> Reason {
    Reason::new(rule, rule, "mend it")
}

fn permit(review: Option<u64>, waived: &[&str]) -> Verdict {
    let permit = Permit::grant(PlanId([1; 32])).over(waived.iter().map(|rule| reason(rule)).collect());
    Verdict::Permit(review.map_or(permit.clone(), |hours| permit.owing(Duration::from_hours(hours))))
}

fn early() -> Verdict {
    Verdict::Early(reason("too-early"))
}

fn second(needs: u32, given: u32, may: &[&str]) -> Verdict {
    Verdict::SecondPerson { needs, given, may: may.iter().map(|name| (*name).to_owned()).collect(), reasons: vec![reason("approvals")] }
}

fn deny(rules: &[&str]) -> Verdict {
    Verdict::Deny(rules.iter().map(|rule| reason(rule)).collect())
}

fn told(verdict: &Verdict) -> (&'static str, Vec<&str>) {
    (verdict.word(), verdict.reasons().iter().map(|reason| reason.rule.as_str()).collect())
}

/// How much stands between a plan and its beginning: the kind, the persons that are missing, how soon a review is owed, every rule that
/// is named or waived.
fn strength(verdict: &Verdict) -> (u8, u32, u32, Option<std::cmp::Reverse<Duration>>, BTreeSet<String>) {
    let of = |reasons: &[Reason]| reasons.iter().map(|reason| reason.rule.clone()).collect();
    match verdict {
        Verdict::Permit(permit) => (0, 0, 0, permit.review_within().map(std::cmp::Reverse), of(permit.waived())),
        Verdict::Early(reason) => (1, 0, 0, None, of(std::slice::from_ref(reason))),
        Verdict::SecondPerson { needs, given, reasons, .. } => (2, needs.saturating_sub(*given), *needs, None, of(reasons)),
        Verdict::Deny(reasons) => (3, 0, 0, None, of(reasons)),
    }
}

#[test]
fn of_every_two_kinds_the_stricter_one_holds_whichever_is_the_new_one() {
    let kinds = [permit(None, &[]), early(), second(1, 0, &["cy"]), deny(&["freeze"])];
    let both = |new: usize, old: usize| told(&stricter(kinds[new].clone(), kinds[old].clone())).0;
    let table: Vec<Vec<&str>> = (0..4).map(|new| (0..4).map(|old| both(new, old)).collect()).collect();
    assert_eq!(
        table,
        [
            ["permit", "scheduled", "second-person", "deny"],
            ["scheduled", "scheduled", "second-person", "deny"],
            ["second-person", "second-person", "second-person", "deny"],
            ["deny", "deny", "deny", "deny"],
        ]
    );
}

#[test]
fn who_lacks_is_named_beside_the_time_that_is_to_come() {
    for (new, old) in [(early(), second(2, 1, &["cy"])), (second(2, 1, &["cy"]), early())] {
        let found = stricter(new, old);
        assert_eq!(told(&found), ("second-person", vec!["approvals", "too-early"]));
        let Verdict::SecondPerson { needs, given, may, .. } = found else { panic!() };
        assert_eq!((needs, given, may), (2, 1, vec!["cy".to_owned()]));
    }
    // Only what the older rules say is told as theirs; the time is the Order's.
    let theirs = |verdict: &Verdict| verdict.reasons().iter().map(|one| one.fix.as_str().contains("were accepted")).collect::<Vec<_>>();
    assert_eq!(theirs(&stricter(early(), second(1, 0, &[]))), [true, false]);
    assert_eq!(theirs(&stricter(second(1, 0, &[]), early())), [false, false]);
    assert_eq!(theirs(&stricter(permit(None, &[]), early())), [false]);
    assert_eq!(theirs(&stricter(early(), deny(&["freeze"]))), [true]);
}

#[test]
fn of_two_permits_what_either_waives_is_waived_and_the_earlier_review_is_owed() {
    let found = |new: Verdict, old: Verdict| match stricter(new, old) {
        Verdict::Permit(permit) => {
            let waived: Vec<String> = permit.waived().iter().map(|reason| reason.rule.clone()).collect();
            (permit.review_within().map(|span| span.as_secs() / 3600), waived.join(" "))
        }
        other @ (Verdict::SecondPerson { .. } | Verdict::Early(_) | Verdict::Deny(_)) => panic!("{other:?}"),
    };
    assert_eq!(found(permit(None, &[]), permit(None, &[])), (None, String::new()));
    assert_eq!(found(permit(Some(48), &["freeze"]), permit(Some(24), &["window", "freeze"])), (Some(24), "freeze window".to_owned()));
    assert_eq!(found(permit(Some(24), &[]), permit(Some(48), &["window"])), (Some(24), "window".to_owned()));
    assert_eq!(found(permit(None, &[]), permit(Some(48), &[])), (Some(48), String::new()));
    assert_eq!(found(permit(Some(48), &[]), permit(None, &[])), (Some(48), String::new()));
}

#[test]
fn where_nobody_may_agree_by_both_one_of_each_is_asked() {
    let may = |new: &[&str], old: &[&str]| match stricter(second(1, 0, new), second(1, 0, old)) {
        Verdict::SecondPerson { may, .. } => may.join(" "),
        other @ (Verdict::Permit(_) | Verdict::Early(_) | Verdict::Deny(_)) => panic!("{other:?}"),
    };
    assert_eq!(may(&["bo", "cy"], &["cy", "dee"]), "cy");
    assert_eq!(may(&["bo"], &["dee"]), "bo dee");
    assert_eq!(may(&[], &["dee"]), "dee");
}

#[test]
fn a_plan_is_ready_for_a_train_when_it_is_by_both_rules() {
    let ready = |minutes: Option<i64>, lacks: &[&str]| Readiness {
        service: "checkout".parse().unwrap(),
        kind: ChangeType::Normal,
        since: minutes.map(|minutes| noon() + TimeDelta::minutes(minutes)),
        lacks: lacks.iter().map(|rule| reason(rule)).collect(),
        plan: None,
        requester: actor("ana"),
    };
    let found = |new: Readiness, old: Option<Readiness>, against: &[&str]| {
        let both = ready::stricter(new, old, against.iter().map(|rule| reason(rule)).collect());
        let lacks: Vec<String> = both.lacks.iter().map(|reason| reason.rule.clone()).collect();
        (both.since.map(|since| (since - noon()).num_minutes()), lacks.join(" "))
    };
    let is = |since: Option<i64>, lacks: &str| (since, lacks.to_owned());
    // The later of both, whichever it is.
    assert_eq!(found(ready(Some(1), &[]), Some(ready(Some(5), &[])), &[]), is(Some(5), ""));
    assert_eq!(found(ready(Some(5), &[]), Some(ready(Some(1), &[])), &[]), is(Some(5), ""));
    // What it lacks by either.
    assert_eq!(found(ready(Some(1), &[]), Some(ready(None, &["approvals"])), &[]), is(None, "approvals"));
    assert_eq!(found(ready(None, &["approvals"]), Some(ready(Some(1), &[])), &[]), is(None, "approvals"));
    assert_eq!(found(ready(None, &["approvals"]), Some(ready(None, &["approvals", "soak"])), &[]), is(None, "approvals soak"));
    assert_eq!(found(ready(Some(1), &[]), Some(ready(Some(1), &[])), &["identity"]), is(None, "identity"));
    assert_eq!(found(ready(Some(1), &[]), None, &[]), is(None, "rules-changed"));
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    let rules = proptest::collection::vec(proptest::sample::select(vec!["freeze", "role", "hold", "window"]), 1..4);
    let names = proptest::collection::vec(proptest::sample::select(vec!["ana", "bo", "cy"]), 0..3);
    prop_oneof![
        (proptest::option::of(1..5_u64), rules.clone()).prop_map(|(review, waived)| permit(review, &waived)),
        Just(permit(None, &[])),
        Just(early()),
        (1..4_u32, 0..3_u32, names).prop_map(|(needs, given, may)| second(needs, given.min(needs - 1), &may)),
        rules.prop_map(|rules| deny(&rules)),
    ]
}

proptest! {
    #[test]
    fn it_is_as_strict_either_way_round_never_weaker_than_either_and_the_same_of_one(one in any_verdict(), other in any_verdict()) {
        let both = stricter(one.clone(), other.clone());
        prop_assert_eq!(strength(&both), strength(&stricter(other.clone(), one.clone())));
        let found = strength(&both);
        for each in [strength(&one), strength(&other)] {
            prop_assert!((found.0, found.1, found.2, found.3) >= (each.0, each.1, each.2, each.3), "{:?} < {:?}", found, each);
            // Nothing that stands in the way by the rules whose answer holds is left unsaid.
            prop_assert!(each.0 < found.0 || each.4.is_subset(&found.4), "{:?} < {:?}", found, each);
        }
        prop_assert_eq!(strength(&stricter(one.clone(), one.clone())), strength(&one));
        prop_assert_eq!(strength(&stricter(both.clone(), one)), strength(&both));
    }
}
