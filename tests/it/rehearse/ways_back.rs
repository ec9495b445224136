//! Ways back that harm asks for and that do not come about, or do not help: a person is called, once, and nothing third is tried.

use gonogo::control::world::told;
use gonogo::model::deed::{DeedState, EntryKind};
use gonogo::model::intent::Verb;
use gonogo::ports::ledger::EntryRow;
use gonogo::ports::outbox::Outbox as _;

use super::rollouts::{BAD, entries_of, pages, parts, share, started, words};
use super::{Stage, prod};

/// When the only server of the stable version goes down, in seconds.
const DOWN: u32 = 108;

/// While no server of the stable version is up there is no way back: that is put on record and a person called, once, whoever restarts;
/// as soon as one is up again it goes back by itself.
#[tokio::test]
async fn a_way_back_that_may_not_begin_calls_a_person_once_and_begins_when_it_may() {
    let stable = |at: u32, state: &str| {
        format!("\n[[event]]\nkind = \"server\"\nat = \"{at}s\"\ntarget = \"shop@prod\"\nserver = \"a1\"\nstate = \"{state}\"\n")
    };
    let story = super::SMALL.replace("requests = 60.0", "requests = 2400.0");
    // With this seed 20 % is reached and the harm of it seen just before, and its way back is due after that.
    let stage = Stage::new(&format!("{story}{}{}{BAD}", stable(DOWN, "down"), stable(DOWN + 300, "up")), 67);
    let mut room = started(&stage).await;
    room.store.know(&["audit".parse().unwrap()]).await.unwrap();
    room.until("harm", 900, |world| world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).0 == "back-at")).await;
    room.until("no server is up to go back to", 900, |world| {
        world.ahead.get(&prod()).is_some_and(|ahead| told(&ahead.next).1.contains("would go back, but no server"))
    })
    .await;
    room.seconds(20).await;
    assert_eq!(pages(&room).await, Vec::<String>::new(), "what passes by itself within half a minute calls nobody");
    room.seconds(20).await;
    assert_eq!(pages(&room).await, ["denied"], "{}", words(&room));
    let denied = |entries: &[EntryRow]| entries.iter().filter(|entry| entry.kind == EntryKind::Denied).count();
    assert_eq!((denied(&room.entries().await), entries_of(&room, "abort").await, share(&room)), (1, 0, 20));
    // Whoever comes after it asks again, and nobody is called again.
    drop(room);
    let mut room = stage.open().await;
    room.seconds(60).await;
    assert_eq!((pages(&room).await.len(), denied(&room.entries().await)), (1, 1), "{}", words(&room));
    room.until("it goes back", 300, |world| world.target(&prod()).unwrap().state.rollout.is_none()).await;
    assert_eq!((share(&room), pages(&room).await.len(), entries_of(&room, "abort").await), (0, 1, 1), "{}", room.story());
}

/// A person takes it back from the second step to the first, and resumes it: it goes on through the second step again, by itself.
#[tokio::test]
async fn after_a_person_took_it_back_a_step_it_goes_up_again_once_resumed() {
    let stage = Stage::new(&super::SMALL.replace("requests = 60.0", "requests = 2400.0"), 93);
    let mut room = started(&stage).await;
    room.until("20 %", 900, |world| {
        world.target(&prod()).unwrap().state.rollout.as_ref().unwrap().course.as_ref().unwrap().step == Some(1)
    })
    .await;
    room.shift_until(5, DeedState::Held).await;
    room.order_until(Verb::Resume, DeedState::Effective).await;
    room.until("20 % again", 900, |world| {
        world.target(&prod()).unwrap().state.rollout.as_ref().unwrap().course.as_ref().unwrap().step == Some(1)
    })
    .await;
    let denied = room.entries().await.iter().filter(|entry| entry.kind == EntryKind::Denied).count();
    assert_eq!((share(&room), denied), (20, 0), "{}", room.story());
}

/// When the version that it goes back to fails as well, going back was right and did not help: a person is called, and nothing more is
/// tried.
#[tokio::test]
async fn a_way_back_that_did_not_help_calls_a_person_and_tries_nothing_more() {
    let errors = "\n[[event]]\nkind = \"errors\"\nat = \"85s\"\ntarget = \"shop@prod\"\nratio = 0.3\n";
    let story = super::SMALL.replace("requests = 60.0", "requests = 2400.0");
    let stage = Stage::new(&format!("{story}{errors}{BAD}"), 67);
    let mut room = started(&stage).await;
    room.store.know(&["audit".parse().unwrap()]).await.unwrap();
    room.until("it is back and was watched", 900, |world| {
        world.newest_deeds().iter().any(|deed| deed.verb == Verb::Abort && deed.state == DeedState::Held)
    })
    .await;
    let back = room.world().newest_deeds().into_iter().find(|deed| deed.verb == Verb::Abort).unwrap().words.to_string();
    assert!(back.contains("but going back did not help: errors past limit: "), "{back}");
    assert_eq!(pages(&room).await, ["no-help"]);
    room.seconds(120).await;
    assert_eq!((share(&room), pages(&room).await.len(), parts(&room).last().unwrap().0.as_str()), (0, 1, "abort"), "{}", room.story());
}
