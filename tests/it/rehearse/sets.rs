//! Rollouts that move together: none goes on before all of them would, none ends alone, and one that goes back takes the others along.

use std::sync::Arc;

use gonogo::control::world::{TargetView, told};
use gonogo::model::deed::DeedState;
use gonogo::model::intent::{Arguments, Verb};
use gonogo::model::name::Target;
use gonogo::model::spec::Ending;
use gonogo::model::together::{OnFailure, RolloutSet, SetRun};

use super::{Room, Stage, prod};

/// Another service beside the one of the small story; its first steps are the same, and it has one less.
const LEDGER: &str = r#"
[[service]]
name = "ledger"
team = "money"
tier = 1
requests = 2400.0
latency = "20ms"
version = "1.0.0"
steps = [5, 20, 100]
pushes = 0.0
build = "12s"
failing = 0.0

[[event]]
kind = "deploy"
at = "-35s"
by = "bo"
target = "ledger@prod"
slot = "second"
version = "2.0.0"
"#;

/// 2.0.0 of the ledger fails from a fifth of the traffic on.
const BAD: &str = r#"
[[version]]
service = "ledger"
version = "2.0.0"
environments = ["prod"]
errors = 0.25
from_percent = 20
"#;

fn ledger() -> Target {
    "ledger@prod".parse().unwrap()
}

fn pair(more: &str, on_failure: OnFailure, seed: u64) -> Stage {
    let mut stage = Stage::new(&format!("{}{LEDGER}{more}", super::SMALL.replace("requests = 60.0", "requests = 2400.0")), seed);
    let set = RolloutSet { name: "pair".parse().unwrap(), targets: vec![ledger(), prod()], on_failure };
    Arc::make_mut(&mut stage.catalog).sets.push(set);
    stage
}

/// Starts one of the set.
async fn start(room: &mut Room, target: Target) {
    let alone = room.plan_with(target.clone(), Verb::Rollout, Arguments::default());
    assert!(alone.after.as_str().ends_with("without the others of its set: `gonogo rollout start pair` starts all"), "{}", alone.after);
    let run = SetRun { set: "pair".parse().unwrap(), nonce: "n1".to_owned() };
    let plan = room.plan_with(target, Verb::Rollout, Arguments { set: Some(Box::new(run)), ..Arguments::default() });
    assert!(plan.after.as_str().contains("from step to step together with"), "{}", plan.after);
    let id = room.confirm(plan);
    room.reach(id, DeedState::Effective).await;
}

fn view(room: &Room, target: &Target) -> TargetView {
    (**room.world().targets.get(target).unwrap()).clone()
}

fn share(room: &Room, target: &Target) -> u8 {
    view(room, target).wished().unwrap().nearest().get()
}

fn how(room: &Room, target: &Target) -> Option<Ending> {
    view(room, target).state.last.map(|last| last.how)
}

fn next(room: &Room, target: &Target) -> (&'static str, String) {
    room.world().ahead.get(target).map_or(("nothing", String::new()), |ahead| (told(&ahead.next).0, told(&ahead.next).1))
}

#[tokio::test]
async fn none_moves_before_all_are_started_and_they_go_step_by_step_and_end_together() {
    let stage = pair("", OnFailure::Hold, 81);
    let mut room = stage.open().await;
    room.seconds(11).await;
    start(&mut room, ledger()).await;
    room.seconds(60).await;
    let (kind, words) = next(&room, &ledger());
    assert_eq!((share(&room, &ledger()), kind), (0, "together"), "{words}");
    assert!(words.contains("shop@prod was not started yet"), "{words}");
    start(&mut room, prod()).await;
    let mut both = vec![(0, 0)];
    let mut ended = Vec::new();
    while ended.len() < 2 && room.clock.elapsed().as_secs() < 4000 {
        room.seconds(1).await;
        for target in [ledger(), prod()] {
            if how(&room, &target).is_some() && !ended.iter().any(|(known, _)| *known == target) {
                ended.push((target, room.clock.elapsed()));
            }
        }
        let now = (share(&room, &ledger()), share(&room, &prod()));
        if ended.is_empty() && both.last() != Some(&now) {
            both.push(now);
        }
    }
    // The ledger has one step less: it is watched at its last one while the shop goes on.
    let steps = |share: u8, all: &[u8]| all.iter().position(|step| *step == share).unwrap();
    for (ledger, shop) in &both {
        let (ledger, shop) = (steps(*ledger, &[0, 5, 20, 100]), steps(*shop, &[0, 5, 20, 50, 100]));
        assert!(ledger.abs_diff(shop.min(3)) <= 1, "one step apart at most: {both:?}");
    }
    assert_eq!(both.last(), Some(&(100, 100)), "{both:?} {}", room.story());
    let apart = ended[1].1.abs_diff(ended[0].1).as_secs();
    assert!(apart <= 15, "they end together: {apart} s apart");
    assert_eq!((how(&room, &ledger()), how(&room, &prod())), (Some(Ending::Promoted), Some(Ending::Promoted)));
}

#[tokio::test]
async fn one_that_waits_for_a_person_keeps_the_other_where_it_is_until_then() {
    let mut stage = pair("", OnFailure::Hold, 82);

    let catalog = Arc::make_mut(&mut stage.catalog);
    let service = catalog.services.get_mut(&ledger().service).unwrap();
    service.deploy.get_mut(&ledger().environment).unwrap().rollout.pause_before.push(gonogo::model::share::Percent::new(20).unwrap());
    let mut room = stage.open().await;
    room.seconds(11).await;
    start(&mut room, ledger()).await;
    start(&mut room, prod()).await;
    room.until("the shop is ready", 600, |world| world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "together")).await;
    room.seconds(60).await;
    assert_eq!((share(&room, &ledger()), share(&room, &prod())), (5, 5), "{}", room.story());
    let ready = |world: &gonogo::control::world::World| {
        world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).1.contains("ready for 20 %, and ledger@prod is not so far"))
    };
    room.until("the shop is ready and waits", 300, ready).await;
    // A person sends the one that waited for one; then both go on.
    let plan = room.plan_with(ledger(), Verb::Promote, Arguments::default());
    room.confirm(plan);
    room.until("both go on", 300, |world| [ledger(), prod()].iter().all(|one| world.targets[one].wished().unwrap().nearest().get() == 20))
        .await;
}

#[tokio::test]
async fn one_that_goes_back_takes_the_others_along_by_the_rule_of_the_set() {
    let stage = pair(BAD, OnFailure::Return, 83);
    let mut room = stage.open().await;
    room.seconds(11).await;
    start(&mut room, ledger()).await;
    start(&mut room, prod()).await;
    room.until("both went back", 900, |world| [ledger(), prod()].iter().all(|one| world.targets[one].state.last.is_some())).await;
    assert_eq!((how(&room, &ledger()), how(&room, &prod())), (Some(Ending::WentBack), Some(Ending::WentBack)));
    assert_eq!((share(&room, &ledger()), share(&room, &prod())), (0, 0), "{}", room.story());
    let backs: Vec<_> = room.world().newest_deeds().into_iter().filter(|deed| deed.verb == Verb::Abort).cloned().collect();
    let of_shop = backs.iter().find(|deed| deed.target == prod()).unwrap();
    assert_eq!((backs.len(), of_shop.reason.as_str()), (2, "together: ledger@prod of set pair went back"));
    room.seconds(120).await;
    assert_eq!(room.world().newest_deeds().into_iter().filter(|deed| deed.verb == Verb::Abort).count(), 2, "at most once each");
}

#[tokio::test]
async fn one_that_goes_back_stops_the_others_for_a_person_where_the_set_holds() {
    let stage = pair(BAD, OnFailure::Hold, 84);
    let mut room = stage.open().await;
    room.seconds(11).await;
    start(&mut room, ledger()).await;
    start(&mut room, prod()).await;
    room.until("the ledger went back", 900, |world| world.targets[&ledger()].state.last.is_some()).await;
    room.seconds(300).await;
    let (kind, words) = next(&room, &prod());
    assert_eq!((kind, words.as_str()), ("person", "ledger@prod of set pair went back"), "{}", room.story());
    assert_eq!(share(&room, &prod()), 20, "it stays where it was");
}
