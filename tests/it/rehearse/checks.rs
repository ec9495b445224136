//! Checks of a rollout: nothing begins, goes on or ends before they hold, and one that fails sends it back where that is its rule.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use gonogo::control::world::told;
use gonogo::model::deed::DeedState;
use gonogo::model::intent::Verb;
use gonogo::model::probe::{Held, Probe, ProbeAnswer, StepCheck, When};
use gonogo::model::spec::Ending;
use gonogo::model::strategy::Trigger;
use gonogo::ports::Pending;
use gonogo::ports::probe::Prober;

use super::{Room, Stage, prod};

/// Answers by address as it is told; what nobody told holds.
#[derive(Default)]
pub struct Scripted {
    answers: Mutex<BTreeMap<String, Held>>,
    asked: Mutex<u32>,
}

impl Scripted {
    fn set(&self, url: &str, held: Held) {
        self.answers.lock().unwrap().insert(url.to_owned(), held);
    }

    fn asked(&self) -> u32 {
        *self.asked.lock().unwrap()
    }
}

impl Prober for Scripted {
    fn probe<'a>(&'a self, probe: &'a Probe, _: Duration) -> Pending<'a, ProbeAnswer> {
        *self.asked.lock().unwrap() += 1;
        let Probe::Http { url, .. } = probe else { panic!("only addresses are scripted: {probe:?}") };
        let held = self.answers.lock().unwrap().get(url).copied().unwrap_or(Held::Holds);
        let answer = ProbeAnswer::new(held, &format!("{url} was asked"));
        Box::pin(async move { answer })
    }
}

fn check(name: &str, when: When, url: &str) -> StepCheck {
    let probe = Probe::Http { url: url.to_owned(), status: None, contains: None };
    StepCheck { every_s: 15, name: name.parse().unwrap(), probe, when, within_s: 5 }
}

fn stage(seed: u64, checks: Vec<StepCheck>, way_back: Vec<Trigger>) -> Stage {
    Stage::new(super::SMALL, seed).ruled(|rules| {
        rules.checks = checks;
        rules.judged = false;
        rules.way_back = way_back;
    })
}

async fn started(stage: &Stage) -> Room {
    let mut room = stage.open().await;
    room.seconds(11).await;
    room.order_until(Verb::Rollout, DeedState::Effective).await;
    room
}

fn next(room: &Room) -> (&'static str, String) {
    room.world().ahead.get(&prod()).map_or(("nothing", String::new()), |ahead| (told(&ahead.next).0, told(&ahead.next).1))
}

fn share(room: &Room) -> u8 {
    room.world().target(&prod()).unwrap().wished().unwrap().nearest().get()
}

#[tokio::test]
async fn nothing_begins_before_its_check_holds_and_the_step_bears_its_evidence() {
    // What the address names is filled in when it is planned.
    let stage = stage(91, vec![check("smoke", When::Before, "http://$service.$environment/$version")], Vec::new());
    let url = "http://shop.prod/2.0.0";
    stage.prober.set(url, Held::Fails);
    let mut room = started(&stage).await;
    room.seconds(40).await;
    let would = "would go to 5 %, but check smoke fails: http://shop.prod/2.0.0 was asked";
    assert_eq!((share(&room), next(&room)), (0, ("holds", would.to_owned())));
    // What is not known is no pass either.
    stage.prober.set(url, Held::NotKnown);
    room.seconds(40).await;
    assert_eq!((share(&room), next(&room).0), (0, "holds"), "{:?}", next(&room));
    stage.prober.set(url, Held::Holds);
    room.until("5 %", 60, |world| world.target(&prod()).unwrap().wished().unwrap().nearest().get() == 5).await;
    let first = room.world().newest_deeds().into_iter().find(|deed| deed.verb == Verb::Shift).unwrap().clone();
    assert_eq!(first.reason.as_str(), "the rollout begins with 5 %; checks held: smoke (http://shop.prod/2.0.0 was asked)");
    // From then on it does not count, and is not made any more.
    let asked = stage.prober.asked();
    room.seconds(100).await;
    assert_eq!(stage.prober.asked(), asked);
    assert!(share(&room) > 5, "{}", room.story());
}

#[tokio::test]
async fn a_check_that_fails_on_the_way_sends_it_back_once_and_one_that_is_not_known_only_holds() {
    let stage = stage(92, vec![check("orders", When::Each, "http://orders")], vec![Trigger::Check]);
    let mut room = started(&stage).await;
    room.until("20 %", 300, |world| world.target(&prod()).unwrap().wished().unwrap().nearest().get() == 20).await;
    stage.prober.set("http://orders", Held::NotKnown);
    room.seconds(120).await;
    assert_eq!((share(&room), next(&room).0), (20, "holds"), "P13: {:?}", next(&room));
    assert!(next(&room).1.contains("check orders is not known"), "{:?}", next(&room));
    stage.prober.set("http://orders", Held::Fails);
    room.until("it goes back", 120, |world| world.target(&prod()).unwrap().state.rollout.is_none()).await;
    let view = room.world().target(&prod()).unwrap().clone();
    assert_eq!((share(&room), view.state.last.as_ref().map(|last| last.how)), (0, Some(Ending::WentBack)));
    let back = room.world().newest_deeds().into_iter().find(|deed| deed.verb == Verb::Abort).unwrap().clone();
    assert_eq!(back.reason.as_str(), "check: check orders fails: http://orders was asked");
}

#[tokio::test]
async fn nothing_ends_before_the_check_after_it_holds() {
    let stage = stage(93, vec![check("totals", When::After, "http://totals")], Vec::new());
    stage.prober.set("http://totals", Held::Fails);
    let mut room = started(&stage).await;
    room.until("100 %", 600, |world| world.target(&prod()).unwrap().wished().unwrap().nearest().get() == 100).await;
    let earlier = stage.prober.asked();
    room.seconds(240).await;
    assert_eq!(next(&room), ("holds", "would end, but check totals fails: http://totals was asked".to_owned()));
    assert!(earlier <= 1 && stage.prober.asked() > 8, "it is made at the last step alone: {earlier}, then {}", stage.prober.asked());
    stage.prober.set("http://totals", Held::Holds);
    room.until("it ends", 60, |world| world.target(&prod()).unwrap().state.rollout.is_none()).await;
    assert_eq!(room.world().target(&prod()).unwrap().state.last.as_ref().map(|last| last.how), Some(Ending::Promoted));
}

#[tokio::test]
async fn a_version_that_is_no_plain_text_is_put_into_no_address() {
    let stage = Stage::new(&super::SMALL.replace("version = \"2.0.0\"", "version = \"2.0.0/../x\""), 94)
        .ruled(|rules| rules.checks = vec![check("smoke", When::Before, "http://shop/$version")]);
    let mut room = stage.open().await;
    room.seconds(11).await;
    let plan = room.plan(Verb::Rollout);
    let said: Vec<_> = plan.impossible.iter().map(|reason| reason.text.to_string()).collect();
    assert_eq!(said, ["check smoke names $version, which is not known, or no plain text, of what is on trial"]);
}
