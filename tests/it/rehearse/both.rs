//! A service behind two routers moves at both or at none, whoever refuses, whose answer is lost and whoever dies in between; and a way back
//! goes on where it can.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::adapters::simulated::Injection;
use gonogo::model::capability::Capability;
use gonogo::model::deed::{DeedState, Effect, EffectKey, EntryKind};
use gonogo::model::error::{PortError, PortErrorKind, SendError};
use gonogo::model::intent::Verb;
use gonogo::model::name::{PlanId, PoolName};
use gonogo::model::plan::StepEffect;
use gonogo::model::text::Text;
use gonogo::model::traffic::{Pool, RouterProcess, Server, ServerState, TrafficReading, Weights};
use gonogo::ports::ledger::Ledger as _;
use gonogo::ports::traffic::Traffic;
use gonogo::ports::{Pending, Port};

use super::{Room, Stage, backend, prod, weights};

/// What the router inside does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Answers,
    /// Refuses to set anything.
    Refuses,
    /// Cannot be reached.
    Dead,
    /// Sets it, and the answer is lost.
    LosesAnswers,
    /// Sets nothing, and the answer is lost.
    LosesWrites,
    /// Sets a part of it, and the answer is lost.
    BreaksHalfWay,
    /// Says yes and sets nothing.
    Pretends,
}

/// A router inside, beside the simulated one at the edge.
struct Inside {
    weights: Mutex<Weights>,
    does: Mutex<Does>,
    /// What happens elsewhere when it is written to.
    meanwhile: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl Inside {
    fn fail(kind: PortErrorKind) -> PortError {
        PortError::new(kind, &backend("inside"), "set weights", "not today")
    }
    fn does(&self, what: Does) {
        *self.does.lock().unwrap() = what;
    }
    fn canary(&self) -> u32 {
        self.weights.lock().unwrap()[&"b1".parse().unwrap()]
    }
}

impl Traffic for Inside {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::Shift]
    }
    fn read<'a>(&'a self, pools: &'a [PoolName]) -> Pending<'a, Result<TrafficReading, PortError>> {
        if *self.does.lock().unwrap() == Does::Dead {
            return Box::pin(std::future::ready(Err(Self::fail(PortErrorKind::Unreachable))));
        }
        let server = |(name, weight): (&_, &u32)| Server {
            name: Clone::clone(name),
            weight: *weight,
            effective_weight: *weight,
            initial_weight: *weight,
            greatest_weight: 100,
            state: ServerState::Up,
            requests: None,
            errors: None,
            current: 0,
        };
        let servers: Vec<Server> = self.weights.lock().unwrap().iter().map(server).collect();
        let pools = pools
            .iter()
            .map(|name| (name.clone(), Pool { name: name.clone(), servers: servers.clone(), copies: false, ways: None }))
            .collect();
        let process = RouterProcess { version: Text::clean("1"), pid: None, started: None, start_mark: 1 };
        Box::pin(std::future::ready(Ok(TrafficReading { process, pools, missing: Vec::new() })))
    }
    fn set_weights<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        let StepEffect::Weights { weights, .. } = effect.what() else { panic!("{effect:?}") };
        if let Some(meanwhile) = self.meanwhile.lock().unwrap().take() {
            meanwhile();
        }
        let mut now = self.weights.lock().unwrap();
        let lost = || Err(SendError::Unknown(Self::fail(PortErrorKind::TimedOut)));
        let does = *self.does.lock().unwrap();
        let result = match does {
            Does::Refuses => Err(SendError::NotDone(Self::fail(PortErrorKind::Refused))),
            Does::Dead => Err(SendError::NotDone(Self::fail(PortErrorKind::Unreachable))),
            Does::Answers | Does::LosesAnswers if effect.expect().is_some_and(|before| *before != *now) => {
                Err(SendError::NotDone(Self::fail(PortErrorKind::Conflict)))
            }
            Does::Answers => {
                now.clone_from(weights);
                Ok(())
            }
            Does::LosesAnswers => {
                now.clone_from(weights);
                lost()
            }
            Does::BreaksHalfWay => {
                let raised = now.iter().map(|(name, old)| (name.clone(), weights[name].max(*old))).collect();
                *now = raised;
                lost()
            }
            Does::LosesWrites => lost(),
            Does::Pretends => Ok(()),
        };
        Box::pin(std::future::ready(result))
    }
    fn commands(&self, _effect: &StepEffect) -> Vec<String> {
        Vec::new()
    }
}

/// The small story with a second router inside.
fn two(seed: u64) -> (Stage, Arc<Inside>) {
    let mut stage = Stage::small(seed);
    let inside = Arc::new(Inside {
        weights: Mutex::new(weights(&[("a1", 100), ("b1", 0)])),
        does: Mutex::new(Does::Answers),
        meanwhile: Mutex::default(),
    });
    let name = backend("inside");
    stage.ports.insert(name.clone(), Port::Traffic(inside.clone()));
    let catalog = Arc::make_mut(&mut stage.catalog);
    let edge = catalog.backends[&backend("edge")].clone();
    catalog.backends.insert(name.clone(), gonogo::model::catalog::Backend { name: name.clone(), ..edge });
    let deploy = catalog.services.get_mut(&prod().service).unwrap().deploy.get_mut(&prod().environment).unwrap();
    let entry = deploy.traffic[0].clone();
    deploy.traffic.push(gonogo::model::catalog::TrafficEntry { backend: name, ..entry });
    (stage, inside)
}

fn edge(stage: &Stage) -> u32 {
    stage.weights()[&"b1".parse().unwrap()]
}

/// A shift to 20 % with the router inside as it is.
async fn shifted(stage: &Stage, inside: &Inside, does: Does) -> (Room, PlanId) {
    let mut room = stage.open().await;
    room.seconds(11).await;
    let plan = room.plan_shift(20);
    assert_eq!((plan.order.effects.len(), plan.order.back.len()), (2, 1), "{plan:?}");
    // A dead one is seen before anything begins; here it dies afterwards.
    inside.does(if does == Does::Dead { Does::Answers } else { does });
    let id = room.confirm(plan);
    if does == Does::Dead {
        room.until("the edge to be moved", 60, |world| world.deeds.get(&id).is_some_and(|deed| deed.steps[0].facts.accepted.is_some()))
            .await;
        inside.does(does);
    }
    room.until("it to be settled", 120, |world| {
        world.deeds.get(&id).is_some_and(|deed| !deed.state.is_under_way() && (deed.state != DeedState::Unknown || deed.is_settled))
    })
    .await;
    (room, id)
}

#[tokio::test]
async fn a_second_router_that_refuses_sends_the_first_back_each_effect_on_record_under_its_own_key() {
    for does in [Does::Refuses, Does::Dead, Does::LosesWrites] {
        let (stage, inside) = two(5);
        let (room, id) = shifted(&stage, &inside, does).await;
        let deed = room.deed(id);
        let told = format!("{does:?}: {deed:?}");
        assert_eq!((deed.state, edge(&stage), inside.canary()), (DeedState::Failed, 0, 0), "{told}");
        assert!(deed.words.as_str().contains("taken back: edge at a1 100, b1 0 again, inside not moved"), "{told}");
        let keys: Vec<_> = room.tap.sent().into_iter().map(|(key, times)| (key.step, times)).collect();
        assert_eq!(keys, [(0, 1), (1, 1), (2, 1)], "{told}");
        assert_eq!(room.count(id, EntryKind::Sending).await, 3, "{told}");
        assert!(room.store.verify().await.unwrap().intact);
        assert!(room.store.open_deeds().await.unwrap().is_empty(), "{told}");
    }
}

#[tokio::test]
async fn a_lost_answer_that_arrived_takes_nothing_back() {
    let (stage, inside) = two(6);
    let (room, id) = shifted(&stage, &inside, Does::LosesAnswers).await;
    assert!(room.deed(id).facts.effective.is_some(), "{}", room.story());
    assert_eq!((edge(&stage), inside.canary(), room.tap.sent().len()), (20, 20, 2));
}

#[tokio::test]
async fn what_nobody_knows_is_not_taken_back_blindly_and_says_what_stands() {
    for does in [Does::BreaksHalfWay, Does::Pretends] {
        let (stage, inside) = two(7);
        let (room, id) = shifted(&stage, &inside, does).await;
        let deed = room.deed(id);
        let told = format!("{does:?}: {deed:?}");
        if does == Does::Pretends {
            // It said yes, and reads as before: seen not to have happened.
            assert_eq!((deed.state, edge(&stage), inside.canary()), (DeedState::Failed, 0, 0), "{told}");
            continue;
        }
        assert_eq!((deed.state, edge(&stage), room.tap.sent().len()), (DeedState::Unknown, 20, 2), "{told}");
        assert!(deed.words.as_str().contains("edge at a1 80, b1 20"), "{told}");
        assert!(deed.words.as_str().contains("gonogo shift shop@prod 0"), "{told}");
    }
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_unknown_for_a_person_who_is_told_what_stands_and_what_to_press() {
    let (stage, inside) = two(8);
    // Between the two another hand changes the edge, which the taking back must not overwrite.
    let world = stage.world.clone();
    let by_hand = move || assert!(world.set_weights_by_hand(&prod(), &weights(&[("a1", 70), ("b1", 30)])));
    *inside.meanwhile.lock().unwrap() = Some(Box::new(by_hand));
    let (mut room, id) = shifted(&stage, &inside, Does::Refuses).await;
    let deed = room.deed(id);
    assert_eq!((deed.state, edge(&stage), deed.steps.len()), (DeedState::Unknown, 30, 3), "{deed:?}");
    assert!(
        deed.words
            .as_str()
            .contains("could not be taken back: edge was set to a1 80, b1 20 and is not taken back (failed to set weights at edge"),
        "{deed:?}"
    );
    assert!(deed.words.as_str().contains("gonogo shift shop@prod 0"), "{deed:?}");
    inside.does(Does::Answers);
    // A plan is made of what was read, so the other hand's weights must have been.
    room.seconds(6).await;
    room.order_until(Verb::Abort, DeedState::Effective).await;
    assert_eq!((edge(&stage), inside.canary()), (0, 0));
}

#[tokio::test]
async fn a_hold_between_the_two_routers_sends_the_first_back_and_does_not_stop_that() {
    let (stage, _inside) = two(9);
    let mut room = stage.open().await;
    let mut other = stage.open_as("bo").await;
    room.seconds(11).await;
    other.seconds(11).await;
    let id = room.shift(20);
    room.until("the edge to be moved", 60, |world| world.deeds.get(&id).is_some_and(|deed| deed.steps[0].facts.accepted.is_some())).await;
    let hold = other.order(Verb::Hold);
    other.seconds(1).await;
    assert_eq!(other.state(hold), DeedState::Effective, "{}", other.story());
    room.until("it to be settled", 120, |world| world.deeds.get(&id).is_some_and(|deed| !deed.state.is_under_way())).await;
    assert_eq!((room.state(id), edge(&stage)), (DeedState::Failed, 0), "{}", room.story());
}

#[tokio::test]
async fn p14_a_way_back_goes_on_at_the_router_that_answers_and_stays_open_at_the_one_that_does_not() {
    let (stage, inside) = two(10);
    let (mut room, id) = shifted(&stage, &inside, Does::Answers).await;
    assert!(room.deed(id).facts.effective.is_some(), "{}", room.story());
    // The edge refuses at the moment of the way back: the router inside goes back all the same.
    stage.inject("edge", Injection::RefuseNextWrite);
    let back = room.order(Verb::Abort);
    room.until("it to be settled", 120, |world| world.deeds.get(&back).is_some_and(|deed| deed.state == DeedState::Failed)).await;
    let deed = room.deed(back);
    assert_eq!((edge(&stage), inside.canary()), (20, 0), "{deed:?}");
    assert!(deed.words.as_str().contains("edge not moved, inside at a1 100, b1 0"), "{deed:?}");
    assert!(deed.words.as_str().contains("gonogo abort shop@prod when it answers"), "{deed:?}");
    room.order_until(Verb::Abort, DeedState::Effective).await;
    assert_eq!((edge(&stage), inside.canary()), (0, 0));
    // Dead before it is planned: left out, said, and sent later.
    inside.does(Does::Answers);
    room.shift_until(20, DeedState::Effective).await;
    inside.does(Does::Dead);
    room.seconds(60).await;
    let plan = room.plan(Verb::Abort);
    assert_eq!((plan.order.effects.len(), plan.order.left.len(), plan.order.ends), (1, 1, None), "{plan:?}");
    assert!(plan.evidence.iter().any(|one| one.warns && one.text.as_str().starts_with("NOT REACHED: inside")), "{plan:?}");
    let back = room.confirm(plan);
    room.reach(back, DeedState::Effective).await;
    assert_eq!((edge(&stage), inside.canary()), (0, 20));
    assert!(room.deed(back).words.as_str().contains("NOT REACHED: inside stands at a1 80, b1 20 as last seen"), "{}", room.story());
    inside.does(Does::Answers);
    room.seconds(10).await;
    room.order_until(Verb::Abort, DeedState::Effective).await;
    assert_eq!((edge(&stage), inside.canary()), (0, 0));
    assert!(room.world().target(&prod()).unwrap().state.rollout.is_none());
}

/// The process dies at every boundary of a shift over two routers; the next one leaves both moved, or none.
#[tokio::test]
async fn p24_killed_anywhere_between_two_routers_both_are_moved_or_none_is() {
    for does in [Does::Answers, Does::Refuses, Does::LosesWrites] {
        let (mut kill, mut unknown, mut taken_back) = (0, 0, 0);
        loop {
            kill += 1;
            let (stage, inside) = two(11);
            let mut room = stage.open().await;
            room.seconds(11).await;
            let plan = room.plan_shift(20);
            inside.does(does);
            let id = room.confirm(plan);
            room.tap.kill_at(kill);
            let died = room.pass_or_die(Duration::from_secs(40)).await;
            let mut sent = room.tap.sent();
            let over = !died;
            drop(room);
            // Whoever comes next may write again.
            let mut room = stage.open().await;
            room.seconds(50).await;
            for (key, times) in room.tap.sent() {
                *sent.entry(key).or_default() += times;
            }
            let what = format!("{does:?} killed at {kill}: {}", room.story());
            let Ok(deed) = room.store.deed(&id.to_string()).await else {
                assert_eq!((edge(&stage), inside.canary()), (0, 0), "never begun; {what}");
                continue;
            };
            assert!(!deed.state.is_under_way(), "{what}");
            let forward = |step| sent.get(&EffectKey { plan: id, step }).copied().unwrap_or(0);
            assert!(forward(0) <= 1 && forward(1) <= 1, "sent on: {sent:?}; {what}");
            assert!(forward(2) <= 1 + u32::try_from(room.count(id, EntryKind::NotBegun).await).unwrap(), "{sent:?}; {what}");
            let (at_edge, at_inside) = (edge(&stage), inside.canary());
            if deed.state == DeedState::Unknown {
                unknown += 1;
                assert!(deed.words.as_str().contains("edge"), "what stands is said; {what}");
            } else {
                assert_eq!(at_edge, at_inside, "both or none; {what}");
                taken_back += u32::from(at_edge == 0);
            }
            assert!(room.store.verify().await.unwrap().intact, "{what}");
            if over {
                break;
            }
        }
        assert_eq!(unknown, 0, "{does:?}: of {kill}");
        assert!(taken_back > 0, "{does:?}: of {kill}");
    }
}
