//! Roles that people take for a while: what they let their holders do, and what they never do.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::model::catalog::{Environment, Scheduling};
use crate::model::self_service::{Agreement, GrantWish, Place, Revocation, SelfGrant, SelfService};
use crate::policy::grant::{self, against_agreement, against_grant, against_revocation};
use std::time::Duration;

fn offer(role: &str, approvals: u32) -> SelfService {
    SelfService {
        role: role.parse().unwrap(),
        teams: vec!["payments".to_owned()],
        services: Vec::new(),
        at_most: Duration::from_hours(4),
        pause: Duration::from_hours(1),
        approvals,
    }
}

/// Rea and dee are of the team that may take the role, eve is not; ana, bo and cy have it.
fn crowd() -> Vec<Person> {
    let mut all = people();
    all.push(person("dee", "reader"));
    all.push(person("eve", "reader"));
    for one in all.iter_mut().filter(|one| matches!(one.name.as_str(), "rea" | "dee")) {
        one.teams = vec!["payments".to_owned()];
    }
    all
}

fn taken(person: &str, place: &str, minutes: i64) -> SelfGrant {
    SelfGrant {
        id: format!("{person}{place}{minutes}"),
        person: person.parse().unwrap(),
        role: "captain".parse().unwrap(),
        place: place.parse().unwrap(),
        reason: Text::clean("cy is ill"),
        at: noon() - TimeDelta::minutes(1),
        until: noon() + TimeDelta::minutes(minutes),
        needs: 0,
        agreed: Vec::new(),
        revoked: None,
    }
}

fn agreed(grant: SelfGrant, by: &str) -> SelfGrant {
    SelfGrant { agreed: vec![Agreement { person: by.to_owned(), at: noon() }], ..grant }
}

fn asked_by(name: &str) -> Plan {
    let mut plan = plan(Verb::Shift, Direction::Forward);
    plan.intent.requester = actor(name);
    plan
}

/// The rules of the reasons of a verdict over a plan, with their words and what would change them.
fn told(plan: &Plan, offers: &[SelfService], grants: &[SelfGrant], at: DateTime<Utc>, approvals: &[Approval]) -> Vec<(String, String)> {
    let (rule, gates, people) = (protection(1), Gates::default(), crowd());
    let guard = Guard { self_service: offers, ..guard(&rule, &gates) };
    let verdict = judge(&Case { guard: Some(guard), grants, at, ..case(plan, approvals, &people) });
    verdict.reasons().iter().map(|reason| (reason.rule.clone(), format!("{}; {}", reason.text, reason.fix))).collect()
}

fn rules_of(plan: &Plan, offers: &[SelfService], grants: &[SelfGrant]) -> Vec<String> {
    told(plan, offers, grants, noon(), &[]).into_iter().map(|(rule, _)| rule).collect()
}

#[test]
fn a_role_that_was_taken_lets_its_holder_act_until_it_ends() {
    let plan = asked_by("rea");
    let offers = [offer("captain", 0)];
    let [(rule, words)] = told(&plan, &offers, &[], noon(), &[]).try_into().unwrap();
    assert_eq!(rule, "role");
    for part in ["actor_roles", "captain", "gonogo grant captain checkout@prod --for 1h --reason", "ana, bo, cy has now"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let grants = [taken("rea", "@prod", 10)];
    assert_eq!(rules_of(&plan, &offers, &grants), ["approvals"]);
    let ended = told(&plan, &offers, &grants, noon() + TimeDelta::minutes(10), &[]);
    assert_eq!(ended[0].0, "grant-ended", "{ended:?}");
    let revoked = Revocation { person: "ana".to_owned(), at: noon(), words: Text::empty() };
    assert_eq!(rules_of(&plan, &offers, &[SelfGrant { revoked: Some(revoked), ..taken("rea", "@prod", 10) }]), ["grant-revoked"]);
}

#[test]
fn it_holds_only_where_it_was_taken_and_while_the_rules_offer_it() {
    let (plan, offers) = (asked_by("rea"), [offer("captain", 0)]);
    for place in ["web@prod", "@staging", "checkout@staging"] {
        assert_eq!(rules_of(&plan, &offers, &[taken("rea", place, 10)]), ["grant-elsewhere"], "{place}");
    }
    assert_eq!(rules_of(&plan, &offers, &[taken("dee", "@prod", 10)]), ["role"], "somebody else's");
    // The rules changed since: they are those of this moment.
    assert_eq!(rules_of(&plan, &[], &[taken("rea", "@prod", 10)]), ["grant-not-allowed"]);
    let [(rule, words)] = told(&plan, &[offer("captain", 1)], &[taken("rea", "@prod", 10)], noon(), &[]).try_into().unwrap();
    assert_eq!(rule, "grant-not-agreed");
    assert!(words.contains("one who holds the role runs `gonogo approve checkout@prod --grant "), "{words}");
    assert_eq!(rules_of(&plan, &[offer("captain", 1)], &[agreed(taken("rea", "@prod", 10), "ana")]), ["approvals"]);
    let brief = SelfService { at_most: Duration::from_secs(30), ..offer("captain", 0) };
    assert_eq!(rules_of(&plan, &[brief], &[taken("rea", "@prod", 10)]), ["grant-ended"]);
    let others = SelfService { teams: vec!["other".to_owned()], ..offer("captain", 0) };
    assert_eq!(rules_of(&plan, &[others], &[taken("rea", "@prod", 10)]), ["grant-not-allowed"]);
}

fn may_approve(name: &str, grants: &[SelfGrant], plan: &Plan) -> Vec<String> {
    let (rule, gates, people, offers) = (protection(2), Gates::default(), crowd(), [offer("captain", 0)]);
    let guard = Guard { self_service: &offers, ..guard(&rule, &gates) };
    let reasons = reasons_against(&Ask {
        plan,
        decision: Decision::Approve,
        actor: &actor(name),
        people: &people,
        grants,
        guard: Some(guard),
        is_own_key: None,
        rules: "00",
        read_only: false,
        at: noon(),
    });
    reasons.into_iter().map(|reason| reason.rule).collect()
}

#[test]
fn who_took_a_role_alone_agrees_to_nothing() {
    let anas = plan(Verb::Shift, Direction::Forward);
    let own = taken("rea", "@prod", 10);
    assert_eq!(may_approve("rea", std::slice::from_ref(&own), &anas), ["grant-own"]);
    assert_eq!(may_approve("rea", &[], &anas), ["role"]);
    // Somebody else who has it by configuration agreed.
    assert!(may_approve("rea", &[agreed(own.clone(), "bo")], &anas).is_empty());
    // But never to a plan of its own holder, nor to one of the only person who agreed.
    assert_eq!(may_approve("rea", &[agreed(own.clone(), "bo")], &asked_by("rea")), ["own-plan"]);
    assert_eq!(may_approve("rea", &[agreed(own.clone(), "ana")], &anas), ["grant-crosswise"]);
    let both = SelfGrant { agreed: ["ana", "bo"].map(|by| Agreement { person: by.to_owned(), at: noon() }).into(), ..own.clone() };
    assert!(may_approve("rea", &[both], &anas).is_empty());
    // Two who took it do not help each other, and oneself is nobody else.
    let crosswise = [agreed(own.clone(), "dee"), agreed(taken("dee", "@prod", 10), "rea")];
    assert_eq!(may_approve("rea", &crosswise, &anas), ["grant-own"]);
    assert_eq!(may_approve("rea", &[agreed(own, "rea")], &anas), ["grant-own"]);
}

#[test]
fn an_approval_by_a_role_that_was_taken_counts_only_while_the_role_does() {
    let (anas, offers) = (plan(Verb::Shift, Direction::Forward), [offer("captain", 0)]);
    let given = [approval("rea", 100)];
    let grants = [agreed(taken("rea", "@prod", 10), "bo")];
    assert!(told(&anas, &offers, &grants, noon(), &given).is_empty());
    assert_eq!(told(&anas, &offers, &grants, noon() + TimeDelta::minutes(10), &given)[0].0, "approvals");
    assert_eq!(told(&anas, &offers, &[taken("rea", "@prod", 10)], noon(), &given)[0].0, "approvals");
}

#[test]
fn a_role_that_was_taken_alone_breaks_no_glass() {
    let mut plan = asked_by("rea");
    plan.order.break_glass = Some(rfc3339(&plan.expires));
    plan.intent.reason = Text::clean("checkout sells nothing");
    let offers = [offer("captain", 0)];
    assert_eq!(rules_of(&plan, &offers, &[taken("rea", "@prod", 10)]), ["grant-own"]);
    assert!(rules_of(&plan, &offers, &[agreed(taken("rea", "@prod", 10), "bo")]).is_empty());
}

fn environment(offers: Vec<SelfService>) -> Environment {
    Environment {
        name: "prod".parse().unwrap(),
        order: 1,
        hold_time: Duration::ZERO,
        effective_within: Duration::ZERO,
        min_requests: 0,
        assurance: Assurance::T0,
        protection: protection(1),
        gates: Gates::default(),
        scheduling: Scheduling::default(),
        self_service: offers,
    }
}

struct Desk {
    environment: Environment,
    grants: Vec<SelfGrant>,
    at: DateTime<Utc>,
}

impl Desk {
    fn with(offers: Vec<SelfService>, grants: Vec<SelfGrant>) -> Self {
        Self { environment: environment(offers), grants, at: noon() }
    }

    fn asks<T>(&self, name: &str, then: impl Fn(&grant::Ask<'_>) -> T) -> T {
        let (actor, people) = (actor(name), crowd());
        then(&grant::Ask {
            actor: &actor,
            people: &people,
            environment: Some(&self.environment),
            grants: &self.grants,
            is_own_key: None,
            read_only: false,
            at: self.at,
        })
    }

    fn takes(&self, name: &str, role: &str, place: &str, minutes: i64) -> Vec<(String, String)> {
        let place: Place = place.parse().unwrap();
        let needs = self.environment.self_service.iter().find(|rule| rule.role.as_str() == role).map_or(0, |rule| rule.approvals);
        let wish = GrantWish {
            person: name.to_owned(),
            role: role.parse().unwrap(),
            place,
            until: self.at + TimeDelta::minutes(minutes),
            reason: Text::clean("stands in for cy"),
            needs,
            nonce: "1".to_owned(),
        };
        let reasons = self.asks(name, |ask| against_grant(ask, &wish));
        reasons.into_iter().map(|reason| (reason.rule.clone(), format!("{}; {}", reason.text, reason.fix))).collect()
    }

    #[track_caller]
    fn refuses(&self, name: &str, (role, place, minutes): (&str, &str, i64), rule: &str, part: &str) {
        let told = self.takes(name, role, place, minutes);
        assert_eq!(told.iter().map(|(rule, _)| rule.as_str()).collect::<Vec<_>>(), [rule], "{told:?}");
        assert!(told[0].1.contains(part), "{told:?}");
    }
}

#[test]
fn what_may_be_taken_and_by_whom() {
    let desk = Desk::with(vec![offer("captain", 0)], Vec::new());
    assert!(desk.takes("rea", "captain", "@prod", 240).is_empty());
    assert!(desk.takes("rea", "captain", "checkout@prod", 1).is_empty());
    desk.refuses("rea", ("captain", "@prod", 241), "at-most", "--for 4h");
    desk.refuses("eve", ("captain", "@prod", 60), "self-service", "to payments, of which eve is none");
    desk.refuses("rea", ("owner", "@prod", 60), "self-service", "offers the role owner");
    desk.refuses("rea", ("policy-owner", "@prod", 60), "self-service", "can never be taken");
    desk.refuses("ana", ("captain", "@prod", 60), "has-role", "by configuration");
    desk.refuses("rea", ("captain", "@prod", 0), "expired", "ended");
    // Not even when the configuration offers it.
    let owner = Desk::with(vec![offer("policy-owner", 0)], Vec::new());
    owner.refuses("rea", ("policy-owner", "@prod", 60), "self-service", "can never be taken");
    let narrow = Desk::with(vec![SelfService { services: vec!["checkout".parse().unwrap()], ..offer("captain", 0) }], Vec::new());
    assert!(narrow.takes("rea", "captain", "checkout@prod", 60).is_empty());
    narrow.refuses("rea", ("captain", "@prod", 60), "self-service", "for checkout, not for @prod");
    narrow.refuses("rea", ("captain", "web@prod", 60), "self-service", "for checkout, not for web@prod");
    for (who, rule) in [(Actor::Stranger("x".to_owned()), "role"), (Actor::Unverified("x".to_owned()), "nobody-configured")] {
        let told = desk.asks("rea", |ask| {
            let wish = GrantWish {
                person: who.to_string(),
                role: "captain".parse().unwrap(),
                place: "@prod".parse().unwrap(),
                until: noon() + TimeDelta::minutes(5),
                reason: Text::clean("stands in for cy"),
                needs: 0,
                nonce: "1".to_owned(),
            };
            against_grant(&grant::Ask { actor: &who, ..*ask }, &wish)
        });
        assert_eq!(told.into_iter().map(|reason| reason.rule).collect::<Vec<_>>(), [rule]);
    }
}

#[test]
fn without_a_pause_it_is_never_had_longer_than_at_most() {
    let hours = |from: i64, to: i64| SelfGrant {
        at: noon() + TimeDelta::hours(from),
        until: noon() + TimeDelta::hours(to),
        ..taken("rea", "@prod", 0)
    };
    let offers = || vec![offer("captain", 0)];
    // From two hours ago to one hour ahead: two more hours are left, wherever it is taken anew.
    let desk = Desk::with(offers(), vec![hours(-2, 1)]);
    assert!(desk.takes("rea", "captain", "checkout@prod", 120).is_empty());
    desk.refuses("rea", ("captain", "web@prod", 121), "pause", "--for 120m");
    // Several in a row, with pauses that are too short, are one.
    let desk = Desk::with(offers(), vec![hours(-4, -3), SelfGrant { at: noon() - TimeDelta::minutes(121), ..hours(0, 0) }]);
    desk.refuses("rea", ("captain", "@prod", 5), "pause", "after a pause of 1h");
    // After the pause it begins anew; another's and another role's do not count; nor what nobody agreed to.
    assert!(Desk::with(offers(), vec![hours(-5, -1)]).takes("rea", "captain", "@prod", 240).is_empty());
    let others = SelfGrant { person: "dee".parse().unwrap(), ..hours(-4, 0) };
    let reader = SelfGrant { role: "reader".parse().unwrap(), ..hours(-4, 0) };
    let unagreed = SelfGrant { needs: 1, ..hours(-4, 0) };
    assert!(Desk::with(offers(), vec![others, reader, unagreed]).takes("rea", "captain", "@prod", 240).is_empty());
    // What was taken back early ended then.
    let back = Revocation { person: "rea".to_owned(), at: noon() - TimeDelta::hours(1), words: Text::empty() };
    assert!(Desk::with(offers(), vec![SelfGrant { revoked: Some(back), ..hours(-2, 2) }]).takes("rea", "captain", "@prod", 240).is_empty());
}

#[test]
fn who_agrees_and_who_takes_back() {
    let desk = Desk::with(vec![offer("captain", 1)], vec![taken("dee", "@prod", 10)]);
    let asked = SelfGrant { needs: 1, ..taken("rea", "@prod", 10) };
    let agrees = |name: &str, grant: &SelfGrant| {
        desk.asks(name, |ask| against_agreement(ask, grant)).into_iter().map(|one| one.rule).collect::<Vec<_>>()
    };
    let revokes = |name: &str, grant: &SelfGrant| {
        desk.asks(name, |ask| against_revocation(ask, grant)).into_iter().map(|one| one.rule).collect::<Vec<_>>()
    };
    assert!(agrees("ana", &asked).is_empty());
    assert_eq!(agrees("rea", &asked), ["own-grant"]);
    // Dee took the role too, which does not do.
    assert_eq!((agrees("dee", &asked), agrees("eve", &asked)), (vec!["role".to_owned()], vec!["role".to_owned()]));
    assert_eq!(agrees("ana", &agreed(asked.clone(), "ana")), ["agreed-already"]);
    assert_eq!(agrees("ana", &taken("rea", "@prod", 0)), ["grant-ended"]);
    assert!(revokes("rea", &asked).is_empty() && revokes("bo", &asked).is_empty());
    assert_eq!(revokes("eve", &asked), ["role"]);
    let back = Revocation { person: "rea".to_owned(), at: noon(), words: Text::empty() };
    assert_eq!(revokes("rea", &SelfGrant { revoked: Some(back), ..asked }), ["grant-revoked"]);
}
