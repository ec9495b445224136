//! The driver: feeds events to the update, does its tasks, publishes the newest world. One task owns the room.

pub mod alarm;
mod clerk;
pub mod counts;
pub mod courier;
mod keep;
mod nonces;
pub mod outside;
pub mod past;
mod picture;
pub mod rehearse;
mod said;
pub mod script;
pub mod switchboard;
mod tape;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use self::alarm::Alarm;
use self::counts::Counts;
use self::outside::{Outside, Written};
use self::tape::Tape;
pub use self::tape::Taped;
use crate::control::event::Event;
use crate::control::record::{Opened, Told};
use crate::control::task::Task;
use crate::control::update::{Equipment, Opening, Room};
use crate::control::world::World;
use crate::model::time::{Boot, Moment};
use crate::ports::clock::Clock;

/// Events that may wait for the room; a sender waits when it is full.
const QUEUE: usize = 1024;
/// The longest sleep of the loop: a machine that slept is noticed within it.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// A gap between the two clocks that counts as sleep of the machine.
const SLEPT: Duration = Duration::from_secs(2);

/// How sessions and verbs speak to the room.
#[derive(Clone)]
pub struct Handle {
    events: mpsc::Sender<Event>,
    world: watch::Receiver<Arc<World>>,
    counts: Arc<Counts>,
}

/// Sees a room's worlds and what it counts, without keeping it open.
pub struct Onlooker {
    world: watch::Receiver<Arc<World>>,
    counts: Arc<Counts>,
}

impl Onlooker {
    /// The newest world.
    pub fn world(&self) -> Arc<World> {
        self.world.borrow().clone()
    }

    /// What the room counts.
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Waits for a newer world than the last one seen here; false when the room is gone.
    pub async fn changed(&mut self) -> bool {
        self.world.changed().await.is_ok()
    }
}

impl Handle {
    /// What the room counts.
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Whoever looks on.
    pub fn onlooker(&self) -> Onlooker {
        Onlooker { world: self.world.clone(), counts: self.counts.clone() }
    }

    /// Gives the room an event; false when the room is gone.
    pub async fn send(&self, event: Event) -> bool {
        self.events.send(event).await.is_ok()
    }

    /// Gives the room an event if it has place for it at once.
    pub fn try_send(&self, event: Event) -> bool {
        self.events.try_send(event).is_ok()
    }

    /// The newest world.
    pub fn world(&self) -> Arc<World> {
        self.world.borrow().clone()
    }

    /// Lets go of the room and waits until it stands still: nothing is begun, recorded or sent by it any more. It ends only when
    /// every other handle is gone too, and an answer that is under way is waited for.
    pub async fn ended(self) {
        let Self { events, mut world, .. } = self;
        drop(events);
        while world.changed().await.is_ok() {}
    }

    /// Waits for a newer world than the last one seen here; false when the room is gone.
    pub async fn changed(&mut self) -> bool {
        self.world.changed().await.is_ok()
    }
}

/// Opens a room and drives it until every handle is gone. Must be called within a runtime.
pub fn open(outside: Outside, opening: Opening) -> Handle {
    open_with(outside, opening, None)
}

/// The same, with a tape of everything that happens. A reader who is too slow finds holes in it; the room does not wait.
pub fn open_taped(outside: Outside, opening: Opening) -> (Handle, mpsc::Receiver<Taped>) {
    let (tape, taped) = Tape::new();
    (open_with(outside, opening, Some(tape)), taped)
}

fn open_with(outside: Outside, opening: Opening, tape: Option<Tape>) -> Handle {
    let room = Room::open(opening, outside.clock().now());
    let (events, inbox) = mpsc::channel(QUEUE);
    let (publish, world) = watch::channel(Arc::new(room.world().clone()));
    let counts = Arc::new(Counts::default());
    tokio::spawn(drive(outside, room, Mouth { inbox, events: events.downgrade(), counts: counts.clone() }, publish, tape));
    Handle { events, world, counts }
}

/// Opens a room that can be shown at once, while its backends and its store are still being opened beside it.
///
/// Until then nothing is known, nothing is polled and no deed is possible; what is sent to the room waits. Must be called within a
/// runtime.
pub fn open_meanwhile(
    clock: &Arc<dyn Clock>,
    opening: Opening,
    outside: impl Future<Output = (Outside, Equipment)> + Send + 'static,
) -> Handle {
    let mut room = Room::bare(opening, clock.now());
    let (events, inbox) = mpsc::channel(QUEUE);
    let (publish, world) = watch::channel(Arc::new(room.world().clone()));
    let counts = Arc::new(Counts::default());
    let mouth = Mouth { inbox, events: events.downgrade(), counts: counts.clone() };
    let clock = clock.clone();
    tokio::spawn(async move {
        let (outside, equipment) = outside.await;
        room.equip(&clock.now(), equipment);
        publish.send_replace(Arc::new(room.world().clone()));
        drive(outside, room, mouth, publish, None).await;
    });
    Handle { events, world, counts }
}

/// A handle to a world in which nothing happens: that of a room which is only replayed. Must be called within a runtime.
pub fn standing(world: World) -> Handle {
    let (events, _) = mpsc::channel(1);
    let (publish, world) = watch::channel(Arc::new(world));
    // It stands as long as somebody looks at it.
    tokio::spawn(async move { publish.closed().await });
    Handle { events, world, counts: Arc::default() }
}

/// The ledger's tasks, one after another.
async fn write_in_order(outside: Arc<Outside>, mut tasks: mpsc::Receiver<Task>, events: mpsc::WeakSender<Event>) {
    while let Some(task) = tasks.recv().await {
        let Written { events: happened, outgoing } = outside.write(task).await;
        let Some(sender) = events.upgrade() else { return };
        for event in happened {
            if sender.send(event).await.is_err() {
                return;
            }
        }
        if let Some(outgoing) = outgoing {
            let outside = outside.clone();
            tokio::spawn(async move {
                let event = outside.send(outgoing).await;
                let _ = sender.send(event).await;
            });
        }
    }
}

/// Where events come in, and who counts them.
struct Mouth {
    inbox: mpsc::Receiver<Event>,
    events: mpsc::WeakSender<Event>,
    counts: Arc<Counts>,
}

async fn drive(outside: Outside, mut room: Room, mouth: Mouth, publish: watch::Sender<Arc<World>>, tape: Option<Tape>) {
    let Mouth { mut inbox, events, counts } = mouth;
    let mut tapes: Vec<Tape> = tape.into_iter().collect();
    if let Some((journal, retention)) = outside.journal() {
        // Of those who only look, what they saw is not kept: the room that tends keeps it.
        let (tape, taped) = Tape::of_journal(!room.tends());
        tokio::spawn(keep::keep(journal, retention, taped, events.clone()));
        tapes.push(tape);
    }
    let _couriers = outside
        .couriers()
        .filter(|_| room.tends())
        .map(|(couriers, outbox)| Ends(tokio::spawn(couriers.deliver(outbox, outside.clock().clone(), courier::chance()))));
    let outside = Arc::new(outside);
    let (writes, to_write) = mpsc::channel(QUEUE);
    let writer = tokio::spawn(write_in_order(outside.clone(), to_write, events.clone()));
    let clock = outside.clock().clone();
    let mut gap = asleep(clock.now().boot, clock.awake());
    let mut next = Some(Event::Woke);
    let mut alarm = Alarm::new();
    tell(&mut tapes, &clock.now(), || Told::Opened(Box::new(Opened::of(&room))));
    loop {
        let generation = room.world().generation;
        counts.waits(inbox.len() + usize::from(next.as_ref().is_some_and(|event| !matches!(event, Event::Woke))));
        while let Some(event) = next {
            let now = clock.now();
            counts.takes(&event, &now);
            log(&event, &now);
            let slept = asleep(now.boot, clock.awake());
            if slept > gap + SLEPT {
                let event = Event::Slept { span: slept.saturating_sub(gap) };
                tell(&mut tapes, &now, || Told::Event(event.clone()));
                let tasks = room.update(&now, event);
                start(&outside, tasks, &events, &writes, &mut tapes, &now).await;
            }
            gap = gap.max(slept);
            if let Event::Reloaded { result: Ok(catalog), .. } = &event {
                outside.ledger().name_people(&catalog.people);
                outside.ledger().name_rules(catalog);
                room.is_able(outside.abilities());
                tell(&mut tapes, &now, || Told::Opened(Box::new(Opened::goes_on(&room))));
            }
            if !matches!(event, Event::Woke) {
                tell(&mut tapes, &now, || Told::Event(event.clone()));
            }
            let tasks = room.update(&now, event);
            start(&outside, tasks, &events, &writes, &mut tapes, &now).await;
            next = inbox.try_recv().ok();
        }
        if room.world().generation != generation {
            publish.send_replace(Arc::new(room.world().clone()));
        }
        let now = clock.now().boot;
        let pause = room.wake().map_or(LONGEST_SLEEP, |wake| wake.since(now)).min(LONGEST_SLEEP).max(Duration::from_millis(1));
        next = tokio::select! {
            event = inbox.recv() => match event {
                Some(event) => Some(event),
                None => break,
            },
            () = alarm.after(pause) => Some(Event::Woke),
        };
    }
    // What is being written is written to its end before the world is closed.
    drop(writes);
    let _ = writer.await;
}

/// A task that ends with the room.
struct Ends(tokio::task::JoinHandle<()>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What comes in, for whoever looks for a fault: each poll, or everything.
fn log(event: &Event, now: &Moment) {
    if let Event::Polled { backend, asked, result, .. } = event {
        let took_ms = u64::try_from(now.since(asked).as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok(_) => tracing::debug!(%backend, took_ms, "a poll was answered"),
            Err(error) => tracing::debug!(%backend, took_ms, kind = error.kind.name(), %error, "a poll failed"),
        }
    } else if let Event::Reloaded { result: Err(why), .. } = event {
        tracing::warn!(%why, "the changed configuration was not taken over");
    }
    if !matches!(event, Event::Woke) {
        tracing::trace!(?event, "taken in");
    }
}

/// How long the machine has slept since it booted.
fn asleep(boot: Boot, awake: Boot) -> Duration {
    boot.since(awake)
}

/// Writes on the tapes that want it.
fn tell(tapes: &mut [Tape], now: &Moment, told: impl Fn() -> Told) {
    for tape in tapes.iter_mut() {
        tape.tell(now, &told);
    }
}

async fn start(
    outside: &Arc<Outside>,
    tasks: Vec<Task>,
    events: &mpsc::WeakSender<Event>,
    writes: &mpsc::Sender<Task>,
    tapes: &mut [Tape],
    now: &Moment,
) {
    for task in tasks {
        if let Task::Journal { happenings, elsewhere } = task {
            for line in happenings {
                let of = line.target.as_ref().map(ToString::to_string);
                tracing::info!(kind = ?line.kind, of, source = line.source, elsewhere, "{}", line.text);
                for tape in tapes.iter_mut().filter(|tape| !(elsewhere && tape.is_journal())) {
                    tape.tell(now, &|| Told::Happening(line.clone()));
                }
            }
            continue;
        }
        if Outside::is_written(&task) {
            let _ = writes.send(task).await;
            continue;
        }
        let (outside, events) = (outside.clone(), events.clone());
        tokio::spawn(async move {
            if let Some(event) = outside.read(task).await
                && let Some(events) = events.upgrade()
            {
                let _ = events.send(event).await;
            }
        });
    }
}
