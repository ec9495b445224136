//! A recording is enough: it gives back every event as it was, and replayed through the update the same world.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use gonogo::adapters::simulated::{SimulatedWorld, ports};
use gonogo::config::scenario::Scenario;
use gonogo::control::driver::outside::{Outside, abilities};
use gonogo::control::driver::rehearse::{Nonces, Record, Rehearsal, VirtualClock};
use gonogo::control::event::Event;
use gonogo::control::planner;
use gonogo::control::record::{Entry, Opened, Player, Recorder, Told};
use gonogo::control::update::{Opening, Room};
use gonogo::control::world::{ByHand, RulesView, SourceFact, World};
use gonogo::model::intent::{Arguments, Intent, Verb};
use gonogo::model::operator::Actor;
use gonogo::model::share::Percent;
use gonogo::model::text::Text;
use gonogo::model::time::Moment;
use gonogo::store::{Identity, SqliteStore};

/// A story of `seconds` with a shift in its middle: what was told, and the room as it then stood.
async fn run(scenario: &str, seed: u64, seconds: u64) -> (Vec<(Moment, Told)>, Rehearsal) {
    let mut rehearsal = story(scenario, seed).await;
    let mut told = Vec::new();
    play(&mut rehearsal, seed, seconds, &mut |now, one| told.push((*now, one))).await;
    (told, rehearsal)
}

/// A story before it begins.
pub(super) async fn story(scenario: &str, seed: u64) -> Rehearsal {
    let scenario = Scenario::named(scenario).unwrap();
    let clock = Arc::new(VirtualClock::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap()));
    let catalog = Arc::new(scenario.catalog("ana").unwrap());
    let world = SimulatedWorld::new(scenario, seed, clock.clone()).unwrap();
    let ports = ports(&world).unwrap();
    let identity = Identity { installation: "recording".to_owned(), seed: [7; 32] };
    let store = Arc::new(SqliteStore::memory(clock.clone(), identity).await.unwrap());
    let opening = Opening {
        catalog,
        actor: Actor::recognise("ana", &[], &[]).actor,
        read_only: false,
        installation: "recording".to_owned(),
        has_second_place: false,
        record_trouble: None,
        abilities: abilities(&ports),
        seed,
        tends: true,
        conducts: true,
        rules: RulesView::default(),
        seat: gonogo::control::update::Seat::None,
    };
    let outside = Outside::new(ports, store.clone(), Some(store), clock.clone());
    Rehearsal::open(clock, outside, opening)
}

/// Plays it with a shift in its middle.
pub(super) async fn play(rehearsal: &mut Rehearsal, seed: u64, seconds: u64, keep: &mut Record<'_>) {
    rehearsal.run_until(Duration::from_secs(seconds / 2), keep).await;
    let intent = Intent {
        verb: Verb::Shift,
        target: "checkout@prod".parse().unwrap(),
        args: Arguments { percent: Percent::new(0), ..Arguments::default() },
        requester: rehearsal.room().world().actor.clone(),
        reason: Text::clean("recorded"),
    };
    let plan = planner::plan(rehearsal.room().world(), intent, &rehearsal.now(), &Nonces::of(seed).next()).unwrap();
    rehearsal.give(Event::Confirmed { plan: Box::new(plan) });
    rehearsal.run_until(Duration::from_secs(seconds), keep).await;
}

fn lines(told: &[(Moment, Told)], recorder: &mut Recorder) -> Vec<String> {
    told.iter().filter_map(|(now, told)| recorder.line(now, told)).map(|line| line.json.text().unwrap()).collect()
}

fn said(entry: Entry) -> Told {
    match entry {
        Entry::Opened(opened) => Told::Opened(opened),
        Entry::Event(event) => Told::Event(*event),
        Entry::Happening(happening) => Told::Happening(happening),
        Entry::Hole(lost) => Told::Hole(lost),
    }
}

fn assert_gives_back(told: &[(Moment, Told)], lines: &[String]) {
    let mut player = Player::default();
    let wanted = told.iter().filter(|(_, told)| !matches!(told, Told::Event(Event::Woke)));
    assert_eq!(wanted.clone().count(), lines.len());
    for ((at, told), line) in wanted.zip(lines) {
        let (now, entry) = player.read(line).unwrap_or_else(|error| panic!("{error}: {line:.300}"));
        assert!(now == *at || matches!(told, Told::Happening(line) if line.at == now.wall && now.boot == at.boot), "{line:.300}");
        match (told, said(entry)) {
            (Told::Opened(a), Told::Opened(b)) => assert_eq!(*a, b),
            (Told::Event(a), Told::Event(b)) => assert!(*a == b, "another event: {line:.300}"),
            (Told::Happening(a), Told::Happening(b)) => assert_eq!(*a, b),
            (a, b) => panic!("{a:?} is not {b:?}"),
        }
    }
}

#[tokio::test]
async fn every_line_gives_back_its_event_as_it_was() {
    for scenario in ["bad-canary", "broken-backend"] {
        let (told, _) = run(scenario, 3, 100).await;
        let lines = lines(&told, &mut Recorder::default());
        assert_gives_back(&told, &lines);
        let count = |kind: &str| lines.iter().filter(|line| line.contains(&format!("\"event\":\"{kind}\""))).count();
        for kind in ["opened", "polled", "changed", "still", "store-read", "store-changed", "confirmed", "sending", "answered", "happening"]
        {
            assert!(count(kind) > 0, "{scenario}: no {kind}");
        }
        let (whole, bytes) = (count("polled"), lines.iter().map(String::len).sum::<usize>());
        assert!(whole < 48 && bytes < 4_000_000, "{scenario}: {whole} readings whole, {bytes} bytes");
    }
}

#[tokio::test]
async fn whole_readings_come_again_so_that_the_beginning_may_be_dropped() {
    let (told, _) = run("bad-canary", 3, 90).await;
    let mut recorder = Recorder::whole_every(Duration::from_secs(30));
    let mut lines = lines(&told, &mut recorder);
    assert_gives_back(&told, &lines);
    let later = lines.split_off(lines.len() / 2);
    let mut player = Player::default();
    let read: Vec<_> = later.iter().map(|line| player.read(line).is_ok()).collect();
    assert!(!read[0..20].iter().all(|ok| *ok), "what builds on dropped lines is refused");
    assert!(read[read.len() - 20..].iter().all(|ok| *ok), "the end can be read without the beginning");
}

#[tokio::test]
async fn after_a_hole_nothing_builds_on_what_was_before_it() {
    let (told, _) = run("bad-canary", 3, 20).await;
    let half = told.len() / 2;
    let mut recorder = Recorder::default();
    let mut all = lines(&told[..half], &mut recorder);
    all.push(recorder.line(&told[half].0, &Told::Hole(7)).unwrap().json.text().unwrap());
    let after = lines(&told[half..], &mut recorder);
    let mut player = Player::default();
    for line in &all {
        player.read(line).unwrap();
    }
    assert_gives_back(&told[half..], &after);
}

/// Plays lines through the update, letting time pass between them as the driver does.
fn replay(lines: &[String], until: Moment) -> World {
    let mut player = Player::default();
    let mut room: Option<Room> = None;
    let mut last = until;
    for line in lines {
        let (at, entry) = player.read(line).unwrap();
        match (entry, room.as_mut()) {
            (Entry::Opened(opened), _) => {
                let Opened { catalog, actor, read_only, installation, tends, conducts, able, .. } = *opened;
                let able = able.into_iter().map(|name| (name, (&[][..], ByHand::new(|_| Vec::new()))));
                let abilities = able.collect();
                let opening = Opening {
                    catalog,
                    actor,
                    read_only,
                    installation,
                    record_trouble: None,
                    has_second_place: false,
                    abilities,
                    seed: 0,
                    tends,
                    conducts,
                    rules: RulesView::default(),
                    seat: gonogo::control::update::Seat::None,
                };
                let mut opened = Room::open(opening, at);
                opened.update(&at, Event::Woke);
                (room, last) = (Some(opened), at);
            }
            (Entry::Event(event), Some(room)) => {
                pass(room, &mut last, at);
                room.update(&at, *event);
            }
            (Entry::Happening(_) | Entry::Hole(_), _) => {}
            (entry, None) => panic!("{entry:?} before the room was opened"),
        }
    }
    let mut room = room.unwrap();
    pass(&mut room, &mut last, until);
    room.world().clone()
}

fn pass(room: &mut Room, last: &mut Moment, until: Moment) {
    while last.boot < until.boot {
        let soonest = last.plus(Duration::from_millis(1));
        let next = room.wake().map_or(until.boot, |wake| wake.max(soonest.boot)).min(until.boot);
        *last = last.plus(next.since(last.boot));
        room.update(last, Event::Woke);
    }
}

#[tokio::test]
async fn replayed_through_the_update_it_gives_the_same_world() {
    for (scenario, seed) in [("bad-canary", 3), ("broken-backend", 5), ("calm", 8)] {
        let (told, rehearsal) = run(scenario, seed, 200).await;
        let world = rehearsal.room().world();
        let again = replay(&lines(&told, &mut Recorder::default()), rehearsal.now());
        for (target, view) in &world.targets {
            assert_eq!(again.target(target), Some(view), "{scenario}: {target}");
        }
        for (name, source) in &world.sources {
            let other = &again.sources[name];
            let same = match (&source.fact, &other.fact) {
                (SourceFact::Traffic(a), SourceFact::Traffic(b)) => a == b,
                (SourceFact::Metrics(a), SourceFact::Metrics(b)) => a == b,
                (SourceFact::Alerts(a), SourceFact::Alerts(b)) => a == b,
                (SourceFact::Ci(a), SourceFact::Ci(b)) => a == b,
                (SourceFact::Workloads(a), SourceFact::Workloads(b)) => a == b,
                _ => false,
            };
            assert!(same && source.skew_ms == other.skew_ms && source.reached == other.reached, "{scenario}: {name}");
        }
        assert_eq!(again.timeline, world.timeline, "{scenario}");
        assert_eq!(again.ledger, world.ledger, "{scenario}");
        let deeds = |world: &World| world.newest_deeds().into_iter().cloned().collect::<Vec<_>>();
        assert!(!deeds(world).is_empty() && deeds(&again) == deeds(world), "{scenario}");
        assert!(world.timeline.iter().any(|line| line.text.as_str().contains("EFFECTIVE")), "{scenario}: the story has a deed");
    }
}
