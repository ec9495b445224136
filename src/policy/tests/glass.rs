//! Break glass by examples: what it waives, what it never waives, and which reviews stop what.

use super::*;
use crate::model::plan::{Checked, Precondition};
use crate::model::reason::Reason;
use crate::model::review::{Cause, Closed, Review};
use crate::model::rollout::Hold;
use crate::policy::glass::against_review;

const WHY: &str = "the shop sells nothing";

fn broken(direction: Direction, reason: &str) -> Plan {
    let mut plan = plan(Verb::Shift, direction);
    plan.order.break_glass = Some(plan.order.expires.clone());
    plan.intent.args.break_glass = Some(std::time::Duration::from_hours(4));
    plan.intent.reason = Text::clean(reason);
    plan.id = plan.order.id().unwrap();
    plan
}

fn failing() -> Check {
    Check {
        kind: CheckKind::Pipeline,
        counts: Counts::Require,
        finding: Finding::Fails,
        text: Text::clean("run ci/7 failed"),
        fix: Text::clean("mend it"),
        source: "ci".to_owned(),
        age_s: Some(3),
    }
}

fn rules(verdict: &Verdict) -> Vec<&str> {
    verdict.reasons().iter().map(|reason| reason.rule.as_str()).collect()
}

#[test]
fn it_waives_approvals_and_checks_and_says_which() {
    let mut plan = broken(Direction::Forward, WHY);
    plan.checks = vec![failing()];
    let Verdict::Permit(permit) = verdict(&plan, &protection(2), &[]) else { panic!("not permitted") };
    let waived: Vec<_> = permit.waived().iter().map(|reason| (reason.rule.as_str(), reason.text.as_str())).collect();
    assert_eq!(waived[0], ("check-pipeline", "run ci/7 failed"));
    assert!(waived.len() == 2 && waived[1].0 == "approvals" && waived[1].1.contains("0 given"), "{waived:?}");
    assert_eq!(permit.review_within(), Some(DAY * 3));
    let soon = Protection { review_within: Some(DAY), ..protection(2) };
    let Verdict::Permit(permit) = verdict(&plan, &soon, &[]) else { panic!("not permitted") };
    assert_eq!(permit.review_within(), Some(DAY));
    // The same plan without the glass: denied by its check, and then it would wait.
    plan.order.break_glass = None;
    assert_eq!(rules(&verdict(&plan, &protection(2), &[])), ["check-pipeline"]);
    plan.checks.clear();
    assert!(matches!(verdict(&plan, &protection(2), &[]), Verdict::SecondPerson { needs: 2, .. }));
    // Written approvals of the way back are waived too.
    let written = Protection { way_back_approvals: 1, ..protection(0) };
    assert!(matches!(verdict(&broken(Direction::Back, WHY), &written, &[]), Verdict::Permit(permit) if permit.waived().len() == 1));
}

#[test]
fn it_waives_a_freeze() {
    let shut = [Reason::new("freeze", "quarter's end", "wait until Monday")];
    let (rule, gates, people) = (protection(0), Gates::default(), people());
    let judged = |plan: &Plan| judge(&Case { guard: Some(guard(&rule, &gates)), shut: &shut, ..case(plan, &[], &people) });
    assert_eq!(rules(&judged(&plan(Verb::Shift, Direction::Forward))), ["freeze"]);
    assert!(matches!(judged(&broken(Direction::Forward, WHY)), Verdict::Permit(permit) if permit.waived() == shut));
}

#[test]
fn an_emergency_change_owes_a_review_and_a_normal_one_does_not() {
    let gates = model();
    for (change, owes) in [(ChangeType::Emergency, Some(DAY * 3)), (ChangeType::Normal, None)] {
        let mut plan = plan(Verb::Shift, Direction::Forward);
        plan.order.change_type = change;
        let (rule, given) = (protection(1), [approval("bo", 5), approval("rea", 5)]);
        let Verdict::Permit(permit) = judge(&Case { guard: Some(guard(&rule, &gates)), ..case(&plan, &given, &people()) }) else {
            panic!("not permitted")
        };
        assert_eq!(permit.review_within(), owes, "{change:?}");
    }
}

#[test]
fn it_waives_nothing_else() {
    let plan = broken(Direction::Forward, WHY);
    let rule = protection(2);
    let people = people();
    let gates = Gates::default();
    let case = || Case { guard: Some(guard(&rule, &gates)), ..case(&plan, &[], &people) };
    let hold = Hold { by: "bo".to_owned(), since: noon(), reason: Text::empty(), deed: plan.id, share: None };
    let held = judge(&Case { hold: Some(&hold), ..case() });
    assert_eq!(rules(&held), ["hold"]);
    assert!(held.reasons()[0].fix.as_str().contains("break glass waives no hold; gonogo resume checkout@prod"), "{held:?}");
    assert_eq!(rules(&judge(&Case { read_only: true, ..case() })), ["read-only"]);
    assert_eq!(rules(&judge(&Case { record_trouble: Some("full"), ..case() })), ["record"]);
    assert_eq!(rules(&judge(&Case { rules: "01", ..case() })), ["rules"]);
    assert_eq!(rules(&judge(&Case { busy: Some("abort is under way"), ..case() })), ["busy"]);
    assert_eq!(rules(&judge(&Case { guard: None, ..case() })), ["target"]);
    // Its box is its end, in both of its forms.
    assert_eq!(rules(&judge(&Case { at: plan.expires, ..case() })), ["expired", "expired"]);
    let longer = Plan { expires: plan.expires + TimeDelta::hours(9), ..plan.clone() };
    assert_eq!(rules(&judge(&Case { plan: &longer, at: plan.expires, ..case() })), ["expired"]);
    for rule in ["stale", "changed", "no-server-up"] {
        let must = Precondition::NotHeld;
        let checked = Checked { must, text: Text::empty(), holds: false, broken: Some(Reason::new(rule, "so", "else")) };
        let plan = Plan { preconditions: vec![checked], ..plan.clone() };
        assert_eq!(rules(&judge(&Case { plan: &plan, ..case() })), [rule]);
    }
    let plan = Plan { impossible: vec![Reason::new("unreachable-share", "so", "else")], ..plan.clone() };
    assert_eq!(rules(&judge(&Case { plan: &plan, ..case() })), ["unreachable-share"]);
}

#[test]
fn who_may_break_it_and_with_what_words() {
    let named =
        |roles: &[&str]| Protection { break_glass_roles: Some(roles.iter().map(|role| role.parse().unwrap()).collect()), ..protection(2) };
    let by = |who: &str, rule: &Protection| {
        let mut plan = broken(Direction::Forward, WHY);
        plan.intent.requester = actor(who);
        matches!(verdict(&plan, rule, &[]), Verdict::Permit(_))
    };
    assert!(by("ana", &protection(2)) && !by("rea", &protection(2)));
    assert!(!by("ana", &named(&["reader"])) && by("rea", &named(&["reader"])));
    let denied = verdict(&broken(Direction::Forward, WHY), &named(&["reader"]), &[]);
    assert!(rules(&denied) == ["role"] && denied.reasons()[0].text.as_str().contains("may not break glass"), "{denied:?}");
    // Those roles break the glass and do nothing else.
    let mut plain = plan(Verb::Shift, Direction::Forward);
    plain.intent.requester = actor("rea");
    assert_eq!(rules(&verdict(&plain, &named(&["reader"]), &[])), ["role"]);
    for (reason, enough) in [("", false), ("urgent", false), ("  urgent!  ", false), ("1234567890", true), ("äöüäöüäöüä", true)] {
        let verdict = verdict(&broken(Direction::Forward, reason), &protection(2), &[]);
        assert_eq!(matches!(verdict, Verdict::Permit(_)), enough, "{reason}");
        assert!(enough || rules(&verdict) == ["break-glass-reason"]);
    }
    for verb in [Verb::Hold, Verb::Note] {
        let mut plan = broken(Direction::Still, WHY);
        plan.intent.verb = verb;
        assert_eq!(rules(&verdict(&plan, &protection(2), &[])), ["break-glass-verb"]);
    }
}

fn review(target: &str, cause: Cause) -> Review {
    Review {
        plan: plan(Verb::Shift, Direction::Forward).id,
        target: target.parse().unwrap(),
        verb: Verb::Shift,
        by: "ana".to_owned(),
        reason: Text::clean(WHY),
        cause,
        at: noon() - TimeDelta::days(4),
        within: DAY * 4,
        due: Some(noon()),
        closed: None,
        trouble: None,
    }
}

#[test]
fn an_overdue_review_stops_the_next_normal_change_of_its_service_and_nothing_else() {
    let people = people();
    let (rule, gates) = (protection(0), Gates::default());
    let owed = [review("checkout@stage", Cause::Emergency)];
    let judged = |plan: &Plan, owed: &[Review], at| {
        let verdict = judge(&Case { guard: Some(guard(&rule, &gates)), owed, at, ..case(plan, &[], &people) });
        rules(&verdict).first().map(|rule| (*rule).to_owned())
    };
    let forward = plan(Verb::Shift, Direction::Forward);
    assert_eq!(judged(&forward, &owed, noon()).as_deref(), Some("review-overdue"));
    assert_eq!(judged(&forward, &owed, noon() - TimeDelta::seconds(1)), None);
    for direction in [Direction::Back, Direction::Release, Direction::Still] {
        assert_eq!(judged(&plan(Verb::Shift, direction), &owed, noon()), None, "{direction:?}");
    }
    assert_eq!(judged(&broken(Direction::Forward, WHY), &owed, noon()), None);
    let mut emergency = forward.clone();
    emergency.order.change_type = ChangeType::Emergency;
    assert_eq!(judged(&emergency, &owed, noon()), None);
    assert_eq!(judged(&forward, &[review("mail@prod", Cause::Emergency)], noon()), None);
    let closed = Closed { by: "bo".to_owned(), at: noon(), words: Text::clean("seen") };
    assert_eq!(judged(&forward, &[Review { closed: Some(closed), ..owed[0].clone() }], noon()), None);
    assert_eq!(judged(&forward, &[Review { due: None, ..owed[0].clone() }], noon()), None);
    let verdict = judge(&Case { guard: Some(guard(&rule, &gates)), owed: &owed, ..case(&forward, &[], &people) });
    let fix = verdict.reasons()[0].fix.as_str();
    assert!(fix.contains(&format!("gonogo review {}", owed[0].plan.short())), "{fix}");
}

#[test]
fn another_configured_person_reviews() {
    let mut people = people();
    people[0].os_user = Some("ana-on-host".to_owned());
    let review = review("checkout@prod", Cause::Emergency);
    let rules = |review: &Review, who: &Actor, read_only| {
        against_review(review, who, &people, read_only, false).into_iter().map(|reason| reason.rule).collect::<Vec<_>>()
    };
    assert!(rules(&review, &actor("bo"), false).is_empty() && rules(&review, &actor("rea"), false).is_empty());
    assert_eq!(rules(&review, &actor("ana"), false), ["own-deed"]);
    // What the account did before its owner was configured was done by its owner.
    let unverified = Review { by: "os:ana-on-host".to_owned(), ..review.clone() };
    assert_eq!(rules(&unverified, &actor("ana"), false), ["own-deed"]);
    assert!(rules(&unverified, &actor("bo"), false).is_empty());
    assert_eq!(rules(&review, &actor("nobody"), false), ["role"]);
    assert_eq!(rules(&review, &Actor::Stranger("x".to_owned()), false), ["role"]);
    assert_eq!(rules(&review, &Actor::Unverified("x".to_owned()), false), ["nobody-configured"]);
    assert_eq!(rules(&review, &actor("bo"), true), ["read-only"]);
}
