//! Roles that people take for a while, in two processes on one store: what counts is what the store holds at the moment of the deed.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use gonogo::control::event::Event;
use gonogo::control::gate::{AtBegin, judge_at_commit};
use gonogo::control::saying;
use gonogo::model::catalog::Catalog;
use gonogo::model::deed::{DeedState, EntryKind};
use gonogo::model::name::{PlanId, RoleName};
use gonogo::model::plan::Plan;
use gonogo::model::self_service::{GrantState, OnGrant, Saying, SelfGrant, SelfService};
use gonogo::model::text::Text;
use gonogo::model::timeline::HappeningKind;
use gonogo::ports::ledger::Ledger as _;

use super::{Room, Stage};

fn captain() -> RoleName {
    "release-captain".parse().unwrap()
}

/// Prod asks for release captains, and lets anybody of payments be one for up to two hours; Bo is none by configuration, Ana and Cy are.
fn stage(seed: u64, change: impl Fn(&mut Catalog)) -> Stage {
    let stage = Stage::small(seed);
    let mut catalog = (*stage.catalog).clone();
    let mut cy = catalog.people[0].clone();
    cy.name = "cy".parse().unwrap();
    cy.os_user = None;
    catalog.people.push(cy);
    catalog.people.iter_mut().filter(|person| person.name.as_str() == "bo").for_each(|bo| bo.roles.clear());
    for environment in &mut catalog.environments {
        environment.self_service = vec![SelfService {
            role: captain(),
            teams: vec!["payments".to_owned()],
            services: Vec::new(),
            at_most: Duration::from_hours(2),
            pause: Duration::from_hours(1),
            approvals: 0,
        }];
        environment.protection.approver_roles = vec![captain()];
    }
    change(&mut catalog);
    Stage { catalog: Arc::new(catalog), ..stage }
}

async fn open(stage: &Stage, person: &str) -> Room {
    let mut room = stage.open_as(person).await;
    room.seconds(11).await;
    room
}

impl Room {
    fn takes(&mut self, place: &str, minutes: u64) -> Saying {
        let nonce = self.nonces.next();
        let span = Some(Duration::from_mins(minutes));
        let words = (Text::clean("stands in for cy tonight"), nonce);
        let wish = saying::wish(self.world(), captain(), place.parse().unwrap(), span, words, &self.now());
        Saying::Grant(wish)
    }

    async fn says(&mut self, saying: Saying) -> Vec<String> {
        self.give(Event::Speak { saying: saying.clone() });
        self.seconds(1).await;
        let heard = self.world().heard.iter().find(|one| one.saying == saying).expect("it was answered").result.clone();
        match heard {
            Ok(_) => Vec::new(),
            Err(gonogo::ports::ledger::LedgerError::Refused(reasons)) => reasons.into_iter().map(|reason| reason.rule).collect(),
            Err(error) => panic!("{error}"),
        }
    }

    async fn takes_at_once(&mut self, place: &str, minutes: u64) -> SelfGrant {
        let saying = self.takes(place, minutes);
        assert!(self.says(saying).await.is_empty());
        self.world().grants.last().unwrap().clone()
    }

    fn on(&self, grant: &SelfGrant) -> OnGrant {
        OnGrant { grant: grant.id.clone(), person: self.world().actor.to_string(), words: Text::empty() }
    }

    async fn denied(&mut self, plan: Plan) -> (Vec<String>, String) {
        let (id, sent) = (self.confirm(plan), self.tap.sent().len());
        self.seconds(2).await;
        assert_eq!(self.state(id), DeedState::Denied, "{}", self.story());
        assert_eq!(self.tap.sent().len(), sent);
        assert_eq!(self.count(id, EntryKind::Denied).await, 1, "it is in the ledger");
        (self.rules(id), self.deed(id).words.to_string())
    }

    async fn goes(&mut self, plan: Plan) -> PlanId {
        let id = self.confirm(plan);
        self.reach(id, DeedState::Held).await;
        id
    }

    async fn policy_entries(&self) -> Vec<String> {
        let all = self.entries().await;
        all.iter().filter(|entry| entry.kind == EntryKind::Policy).map(|entry| entry.words.to_string()).collect()
    }
}

#[tokio::test]
async fn a_role_that_was_taken_counts_until_it_ends_by_itself_and_its_end_is_told() {
    let stage = stage(301, |_| {});
    let mut bo = open(&stage, "bo").await;
    let plan = bo.plan_shift(5);
    assert_eq!(bo.denied(plan).await.0, ["role"]);
    let grant = bo.takes_at_once("shop@prod", 10).await;
    assert_eq!(bo.policy_entries().await.len(), 1);
    let plan = bo.plan_shift(5);
    bo.goes(plan).await;
    bo.until("the end of the role", 700, |world| world.timeline.iter().any(|line| line.text.as_str().contains("has ended by itself")))
        .await;
    assert!((bo.now().wall - grant.until).num_seconds().abs() <= 1, "at its end");
    bo.seconds(20).await;
    let ends = bo.lines(HappeningKind::Change).into_iter().filter(|line| line.contains("has ended by itself")).count();
    assert_eq!(ends, 1, "once");
    let plan = bo.plan_shift(20);
    let (rules, words) = bo.denied(plan).await;
    assert_eq!(rules, ["grant-ended"]);
    assert!(words.contains(grant.short()), "{words}");
    assert!(bo.store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn a_role_that_is_over_by_the_ledgers_clock_is_over_though_the_clock_was_set_back() {
    let stage = stage(302, |_| {});
    let (mut bo, mut ana) = (open(&stage, "bo").await, open(&stage, "ana").await);
    let grant = bo.takes_at_once("@prod", 5).await;
    bo.seconds(310).await;
    // Whatever is committed after its end tells the ledger's time.
    let note = ana.plan(gonogo::model::intent::Verb::Note);
    ana.confirm(note);
    ana.seconds(2).await;
    // What the judge saw in a room whose clock was set back: not ended. Inside the transaction the ledger's time counts.
    let back = gonogo::model::time::Moment { wall: grant.until - TimeDelta::minutes(2), ..bo.now() };
    let plan = bo.plan_shift(5);
    let catalog = stage.catalog.clone();
    let early = gonogo::policy::role::Roles::of(&catalog.people, std::slice::from_ref(&grant), catalog.guard(plan.target()), back.wall);
    assert!(early.granted("bo", &[captain()], plan.target()).is_some(), "by the clock that was set back it would count");
    let spans = bo.world().calendars.spans.clone();
    let judged = std::sync::Mutex::new(Vec::new());
    let result = bo
        .store
        .begin(&plan, &|found| {
            let by = AtBegin { catalog: &catalog, spans: &spans, asked: &back, read_only: false, older: None };
            let verdict = judge_at_commit(&by, &plan, found);
            judged.lock().unwrap().extend(verdict.reasons().iter().map(|reason| (reason.rule.clone(), found.at)));
            verdict
        })
        .await;
    assert!(result.is_err());
    let judged = judged.into_inner().unwrap();
    assert_eq!(judged[0].0, "grant-ended", "{judged:?}");
    assert!(judged[0].1 >= grant.until, "by the ledger's time");
}

#[tokio::test]
async fn a_role_that_is_taken_back_while_its_deed_is_on_the_way_refuses_it_inside_the_transaction() {
    let stage = stage(303, |_| {});
    let (mut bo, mut ana) = (open(&stage, "bo").await, open(&stage, "ana").await);
    let grant = bo.takes_at_once("@prod", 60).await;
    ana.seconds(2).await;
    let plan = bo.plan_shift(20);
    // Bo's room has not read the store since: only the transaction knows.
    let revoke = Saying::Revoke(ana.on(&grant));
    let by = saying::By::of(ana.world());
    ana.store.grant(&revoke, None, &|found| by.against_grant(&revoke, found)).await.unwrap();
    assert_eq!(bo.world().grants.last().unwrap().state(&bo.now().wall), GrantState::Granted, "the room still believes it");
    let (_, words) = bo.denied(plan).await;
    assert!(words.contains("was taken back by ana"), "{words}");
    bo.seconds(2).await;
    let plan = bo.plan_shift(20);
    assert_eq!(bo.denied(plan).await.0, ["grant-revoked"]);
    assert!(
        bo.lines(HappeningKind::Change).iter().any(|line| line.contains("of bo is taken back")),
        "{:?}",
        bo.lines(HappeningKind::Change)
    );
}

#[tokio::test]
async fn a_role_for_another_place_lets_nobody_act_here() {
    let stage = stage(304, |_| {});
    let mut bo = open(&stage, "bo").await;
    bo.takes_at_once("shop@dev", 60).await;
    let plan = bo.plan_shift(20);
    let (rules, words) = bo.denied(plan).await;
    assert_eq!(rules, ["grant-elsewhere"], "{words}");
    assert!(words.contains("is for shop@dev, not for shop@prod"), "{words}");
}

#[tokio::test]
async fn what_may_not_be_taken_is_refused_and_recorded() {
    let stage = stage(305, |catalog| {
        catalog.environments[0].self_service[0].teams = vec!["others".to_owned()];
    });
    let mut bo = open(&stage, "bo").await;
    let dev = bo.takes("shop@dev", 10);
    assert_eq!(bo.says(dev).await, ["self-service"]);
    let long = bo.takes("shop@prod", 121);
    assert_eq!(bo.says(long).await, ["at-most"]);
    bo.takes_at_once("shop@prod", 100).await;
    let more = bo.takes("@prod", 121);
    assert_eq!(bo.says(more).await, ["pause"]);
    let mut ana = open(&stage, "ana").await;
    let has = ana.takes("shop@prod", 10);
    assert_eq!(ana.says(has).await, ["has-role"]);
    // Nobody says it in another's name, and a signed wish is taken once.
    let Saying::Grant(wish) = bo.takes("shop@prod", 5) else { panic!("a wish") };
    assert_eq!(ana.says(Saying::Grant(wish.clone())).await, ["role"]);
    assert!(bo.says(Saying::Grant(wish.clone())).await.is_empty());
    let by = saying::By::of(bo.world());
    let again = Saying::Grant(wish);
    let twice = bo.store.grant(&again, None, &|found| by.against_grant(&again, found)).await;
    assert!(matches!(&twice, Err(gonogo::ports::ledger::LedgerError::Refused(reasons)) if reasons[0].rule == "taken-already"), "{twice:?}");
    let denied = bo.entries().await.iter().filter(|entry| entry.kind == EntryKind::Denied).count();
    assert_eq!(denied, 6);
    assert!(bo.store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn a_role_that_others_must_agree_to_counts_once_one_of_them_did() {
    let stage = stage(306, |catalog| {
        catalog.environments.iter_mut().for_each(|environment| environment.self_service[0].approvals = 1);
    });
    let (mut bo, mut ana) = (open(&stage, "bo").await, open(&stage, "ana").await);
    let grant = bo.takes_at_once("@prod", 60).await;
    let plan = bo.plan_shift(20);
    assert_eq!(bo.denied(plan).await.0, ["grant-not-agreed"]);
    let own = Saying::Agree(bo.on(&grant));
    assert_eq!(bo.says(own).await, ["own-grant"]);
    ana.seconds(2).await;
    let agree = Saying::Agree(ana.on(&grant));
    assert!(ana.says(agree).await.is_empty());
    bo.seconds(2).await;
    let plan = bo.plan_shift(20);
    bo.goes(plan).await;
    assert_eq!(bo.policy_entries().await.len(), 2);
    assert!(bo.store.verify().await.unwrap().intact);
}
