//! Parts of a rollout: each is begun once, by whichever process comes first, unless surely nothing of it happened.

use super::*;
use crate::model::both::LeftOut;
use crate::model::outbox::NoticeKind;
use crate::model::part::{Part, PartOf};
use crate::model::plan::StepEffect;
use crate::model::rollout::{Rollout, StateChange};
use crate::model::spec::{Course, Ending, Spec, SpecStep};
use crate::model::strategy::{Strategy, Trigger};
use crate::model::workload::{WorkloadChange, WorkloadForm, WorkloadKind, WorkloadName};
use crate::ports::ledger::{Ledger as _, LedgerError};
use crate::ports::outbox::Outbox as _;
use crate::store::parts::reached;

const STARTED: PlanId = PlanId([7; 32]);

/// A deed that is a part of the rollout.
fn part(clock: &Still, verb: Verb, nonce: &str, part: Part, ends: Option<Slot>) -> Plan {
    let mut plan = plan_with(clock, verb, nonce, 1, ends);
    plan.order.of = Some(PartOf { part, rollout: STARTED });
    plan.order.percent = crate::model::share::Percent::new(if part == Part::WayBack { 0 } else { 20 });
    plan.id = plan.order.id().unwrap();
    plan
}

/// A store that remembers a rollout of `checkout@prod` at 5 %.
async fn walked(dir: &Path, clock: &Arc<Still>) -> SqliteStore {
    let store = store(dir, clock).await;
    let step = |percent| crate::model::spec::SpecStep {
        effects: Vec::new(),
        pace_s: None,
        paused: false,
        percent: crate::model::share::Percent::new(percent).unwrap(),
    };
    let spec = Spec {
        after_s: 0,
        back: None,
        bake_s: 0,
        budgets: std::collections::BTreeMap::new(),
        deadline_s: 60,
        ends: Vec::new(),
        judged: true,
        steps: vec![step(5), step(20), step(100)],
        strategy: Strategy::Canary,
        mirror: None,
        testers: None,
        checks: Vec::new(),
        together: None,
        trial: Slot::Second,
        wait_s: 0,
        way_back: vec![Trigger::Judge],
    };
    let course = Course {
        spec,
        by: Actor::Person("ana".parse().unwrap()),
        ticket: None,
        step: Some(0),
        since: clock.now().wall,
        rolled: None,
        way_back: None,
        stopped: None,
    };
    let rollout = Rollout {
        begun: clock.now().wall,
        by: "ana".to_owned(),
        plan: Some(STARTED),
        from: None,
        to: None,
        course: Some(Box::new(course)),
    };
    let target = plan(clock, Verb::Note, "0").target().clone();
    store.remember(&[StateChange::Start { target, rollout: Box::new(rollout) }]).await.unwrap();
    store
}

async fn course(store: &SqliteStore) -> Course {
    *store.states().await.unwrap().remove(0).rollout.unwrap().course.unwrap()
}

fn spent(result: Result<crate::ports::ledger::Begun, LedgerError>) -> bool {
    matches!(result, Err(LedgerError::Spent(why)) if why.as_str().contains("as another deed"))
}

#[tokio::test]
async fn p13_the_way_back_of_a_rollout_is_begun_once_whoever_asks() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (one, other) = (walked(dir.path(), &clock).await, store(dir.path(), &clock).await);
    let [first, second] = ["1", "2"].map(|nonce| part(&clock, Verb::Abort, nonce, Part::WayBack, Some(Slot::First)));
    let begun = one.begin(&first, &yes(first.id)).await.unwrap();
    assert_eq!(course(&one).await.way_back, Some(first.id));
    one.sending(&begun, 0).await.unwrap();
    one.record(first.id, &outcome(EntryKind::Accepted, Some(0))).await.unwrap();
    let refused = Outcome { releases: true, ..outcome(EntryKind::Failed, Some(0)) };
    one.record(first.id, &refused).await.unwrap();
    assert!(course(&one).await.stopped.unwrap().stranded, "nothing more of it is tried by itself");
    // Neither the process that began it nor another one begins it again, although the target is free and policy says yes.
    let size = one.size().await.unwrap();
    assert!(spent(one.begin(&second, &yes(second.id)).await) && spent(other.begin(&second, &yes(second.id)).await));
    assert_eq!(one.size().await.unwrap(), size, "and nothing is recorded of it");
}

#[tokio::test]
async fn a_part_of_which_surely_nothing_happened_may_begin_anew_and_one_that_happened_may_not() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = walked(dir.path(), &clock).await;
    let [first, second, third] = ["1", "2", "3"].map(|nonce| part(&clock, Verb::Shift, nonce, Part::Step { step: 1 }, None));
    store.begin(&first, &yes(first.id)).await.unwrap();
    store.record(first.id, &Outcome { releases: true, ..outcome(EntryKind::NotBegun, Some(0)) }).await.unwrap();
    assert_eq!(course(&store).await.stopped, None);
    let begun = store.begin(&second, &yes(second.id)).await.unwrap();
    store.sending(&begun, 0).await.unwrap();
    store.record(second.id, &outcome(EntryKind::Accepted, Some(0))).await.unwrap();
    store.record(second.id, &outcome(EntryKind::Effective, Some(0))).await.unwrap();
    store.record(second.id, &Outcome { releases: true, ..outcome(EntryKind::Effective, None) }).await.unwrap();
    let here = course(&store).await;
    assert_eq!((here.step, here.stopped), (Some(1), None));
    assert!(spent(store.begin(&third, &yes(third.id)).await));
}

#[tokio::test]
async fn a_rollout_that_went_back_is_remembered_as_one() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = walked(dir.path(), &clock).await;
    let back = part(&clock, Verb::Abort, "1", Part::WayBack, Some(Slot::First));
    let begun = store.begin(&back, &yes(back.id)).await.unwrap();
    store.sending(&begun, 0).await.unwrap();
    store.record(back.id, &outcome(EntryKind::Accepted, Some(0))).await.unwrap();
    store.record(back.id, &outcome(EntryKind::Effective, None)).await.unwrap();
    let state = store.states().await.unwrap().remove(0);
    assert_eq!((state.rollout, state.last.map(|last| (last.plan, last.how))), (None, Some((Some(STARTED), Ending::WentBack))));
}

#[test]
fn p14_a_way_back_that_left_a_router_out_keeps_the_rollout_open_and_is_not_sent_forward_again() {
    let mut plan = part(&Still::new(), Verb::Abort, "1", Part::WayBack, None);
    let seen = Some([("v2".parse().unwrap(), 20)].into());
    plan.order.left = vec![LeftOut { backend: "mesh".parse().unwrap(), pool: "checkout".parse().unwrap(), seen, seen_at: None }];
    let Some(StateChange::Reach { stopped: Some(stopped), .. }) = reached(&plan, plan.made) else { panic!("{plan:?}") };
    assert!(stopped.stranded, "{stopped:?}");
    assert!(stopped.words.as_str().contains("not reached: mesh stands at v2 20; gonogo abort checkout@prod sends the rest"), "{stopped:?}");
}

#[tokio::test]
async fn the_step_before_the_first_share_is_reached_by_a_step_or_a_promote_and_never_by_a_shift_to_nothing() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = walked(dir.path(), &clock).await;
    let percent = |number| crate::model::share::Percent::new(number).unwrap();
    let mut from = course(&store).await;
    from.spec.steps[0].percent = percent(0);
    from.step = None;
    assert_eq!((from.spec.at_share(percent(0)), from.spec.at_share(percent(20))), (None, Some(1)));
    let rollout = Rollout { course: Some(Box::new(from)), ..*store.states().await.unwrap().remove(0).rollout.unwrap() };
    let mut step = part(&clock, Verb::Shift, "1", Part::Step { step: 0 }, None);
    step.order.percent = Some(percent(0));
    let mut by_hand = plan_with(&clock, Verb::Shift, "2", 1, None);
    by_hand.order.percent = Some(percent(0));
    let mut promoted = plan_with(&clock, Verb::Promote, "3", 1, None);
    promoted.order.percent = Some(percent(0));
    for (plan, at) in [(&step, Some(0)), (&by_hand, None), (&promoted, Some(0))] {
        let target = plan.target().clone();
        store.remember(&[StateChange::Start { target, rollout: Box::new(rollout.clone()) }]).await.unwrap();
        store.remember(&[reached(plan, plan.made).unwrap()]).await.unwrap();
        assert_eq!(course(&store).await.step, at, "{:?}", plan.order.verb);
    }
}

#[tokio::test]
async fn what_was_brought_up_stands_whatever_becomes_of_the_traffic() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = walked(dir.path(), &clock).await;
    let none = crate::model::share::Percent::NONE;
    let mut from = course(&store).await;
    let workload = WorkloadName { kind: WorkloadKind::Deployment, namespace: "shop".to_owned(), name: "web".to_owned() };
    let (uid, from_form, wish) = ("u1".to_owned(), WorkloadForm::default(), WorkloadForm::default());
    let change = Box::new(WorkloadChange { workload, uid, from: from_form, wish });
    let up = StepEffect::Workload { backend: "k8s".parse().unwrap(), change };
    // Brought up, then testers, then shares.
    let first = SpecStep { percent: none, effects: vec![up.clone()], ..from.spec.steps[0].clone() };
    let testers = SpecStep { percent: none, ..from.spec.steps[0].clone() };
    from.spec.steps.splice(0..0, [first, testers]);
    let mut scaled = part(&clock, Verb::Shift, "1", Part::Step { step: 0 }, None);
    (scaled.order.percent, scaled.order.effects) = (Some(none), vec![up]);
    let mut testers = part(&clock, Verb::Shift, "2", Part::Step { step: 1 }, None);
    testers.order.percent = Some(none);
    let mut by_hand = plan_with(&clock, Verb::Shift, "3", 1, None);
    by_hand.order.percent = Some(none);
    for (plan, at, reached_at) in
        [(&scaled, None, Some(0)), (&testers, Some(0), Some(1)), (&by_hand, Some(2), Some(0)), (&by_hand, None, None)]
    {
        from.step = at;
        let rollout = Rollout { course: Some(Box::new(from.clone())), ..*store.states().await.unwrap().remove(0).rollout.unwrap() };
        store.remember(&[StateChange::Start { target: plan.target().clone(), rollout: Box::new(rollout) }]).await.unwrap();
        store.remember(&[reached(plan, plan.made).unwrap()]).await.unwrap();
        assert_eq!(course(&store).await.step, reached_at, "from {at:?}");
    }
}

/// What called a person about the rollout: the state of each, and its words.
async fn pages(store: &SqliteStore) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for line in store.before(&"audit".parse().unwrap(), 99).await.unwrap().lines {
        if line.kind == Some(NoticeKind::WayBackFailed) {
            let notice = store.notice(line.seq).await.unwrap().unwrap();
            assert_eq!((notice.target.unwrap().to_string(), notice.n), ("checkout@prod".to_owned(), None));
            assert!(notice.id.contains("rollout.way-back-failed-"), "{}", notice.id);
            pages.push((notice.state.unwrap(), notice.words.to_string()));
        }
    }
    pages
}

#[tokio::test]
async fn p13_a_way_back_that_failed_or_is_unknown_or_could_not_start_calls_a_person_once() {
    for kind in [EntryKind::Failed, EntryKind::Unknown, EntryKind::Slipped] {
        let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
        let (one, other) = (walked(dir.path(), &clock).await, store(dir.path(), &clock).await);
        one.know(&["audit".parse().unwrap()]).await.unwrap();
        // It could not start twice, which is told once; then it is sent and does not come about.
        for nonce in ["1", "2"] {
            let back = part(&clock, Verb::Abort, nonce, Part::WayBack, Some(Slot::First));
            other.begin(&back, &yes(back.id)).await.unwrap();
            other.record(back.id, &Outcome { releases: true, ..outcome(EntryKind::NotBegun, Some(0)) }).await.unwrap();
        }
        let told = pages(&one).await;
        assert_eq!((told.len(), told[0].0.as_str()), (1, "not-begun"), "{told:?}");
        assert!(told[0].1.contains("tried again"), "{told:?}");
        let back = part(&clock, Verb::Abort, "3", Part::WayBack, Some(Slot::First));
        let begun = one.begin(&back, &yes(back.id)).await.unwrap();
        one.sending(&begun, 0).await.unwrap();
        one.record(back.id, &outcome(EntryKind::Accepted, Some(0))).await.unwrap();
        // Who died before the answer was told records it again in its next life.
        for _ in 0..2 {
            one.record(back.id, &Outcome { releases: true, ..outcome(kind, Some(0)) }).await.unwrap();
        }
        one.record(back.id, &outcome(EntryKind::Failed, Some(0))).await.unwrap();
        let told = pages(&other).await;
        assert_eq!(told.iter().map(|(state, _)| state.as_str()).collect::<Vec<_>>(), ["not-begun", kind.word()]);
        assert!(told[1].1.contains("nothing more is tried by itself") && told[1].1.contains("gonogo abort checkout@prod"), "{told:?}");
    }
}

#[tokio::test]
async fn a_step_that_failed_calls_nobody_out_of_bed() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = walked(dir.path(), &clock).await;
    store.know(&["audit".parse().unwrap()]).await.unwrap();
    let step = part(&clock, Verb::Shift, "1", Part::Step { step: 1 }, None);
    let begun = store.begin(&step, &yes(step.id)).await.unwrap();
    store.sending(&begun, 0).await.unwrap();
    store.record(step.id, &Outcome { releases: true, ..outcome(EntryKind::Failed, Some(0)) }).await.unwrap();
    assert_eq!(pages(&store).await, []);
}
