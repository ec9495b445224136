//! Drives a traveller on a thread of its own: what it reads and folds keeps neither the room nor the glass waiting.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use crate::control::replay::reel::Reel;
use crate::control::replay::traveller::{Ask, Shown, Traveller};
use crate::model::text::Text;
use crate::ports::Pending;
use crate::ports::journal::{Journal, JournalError, Marked, Stretch, Written};

/// How often playing moves on.
const TICK: Duration = Duration::from_millis(100);
/// How long it is waited for the first lines of a room, in looks and pauses.
const LOOKS: usize = 40;
const PAUSE: Duration = Duration::from_millis(250);
/// Keys that may wait.
const ASKS: usize = 256;

/// What was found last.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The world; none before the first.
    pub shown: Option<Shown>,
    /// Why what was asked last could not be done.
    pub trouble: Option<Text>,
}

/// The past, opened: what is asked goes in, worlds come out, the newest only.
pub struct Past {
    asks: mpsc::Sender<Ask>,
    seen: watch::Receiver<Seen>,
}

impl Past {
    /// Asks for something; what does not fit any more is dropped, as keys are.
    pub fn ask(&self, ask: Ask) {
        let _ = self.asks.try_send(ask);
    }

    /// What was found last.
    pub fn seen(&mut self) -> Seen {
        self.seen.borrow_and_update().clone()
    }

    /// Waits for something newer; false when there will be nothing any more.
    pub async fn changed(&mut self) -> bool {
        self.seen.changed().await.is_ok()
    }
}

/// Opens the past; `has_now`: whether there is a room to go back to. Must be called within a runtime.
pub fn open(reel: Box<dyn Reel>, has_now: bool, first: Option<Ask>) -> Past {
    let (asks, inbox) = mpsc::channel(ASKS);
    let (publish, seen) = watch::channel(Seen::default());
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || travel(&runtime, reel, has_now, first, inbox, &publish));
    Past { asks, seen }
}

/// The past of a journal. Must be called within a runtime.
pub fn of_journal(journal: Arc<dyn Journal>) -> Box<dyn Reel> {
    Box::new(JournalReel { journal, runtime: Handle::current() })
}

fn travel(
    runtime: &Handle,
    mut reel: Box<dyn Reel>,
    has_now: bool,
    first: Option<Ask>,
    mut inbox: mpsc::Receiver<Ask>,
    publish: &watch::Sender<Seen>,
) {
    // A room that was just opened writes its first lines soon.
    for _ in 0..LOOKS {
        let nothing_yet = reel.stretches().is_ok_and(|stretches| stretches.is_empty());
        if !has_now || !nothing_yet || inbox.is_closed() {
            break;
        }
        runtime.block_on(tokio::time::sleep(PAUSE));
    }
    let mut traveller = match Traveller::open(reel, has_now) {
        Ok(traveller) => traveller,
        Err(why) => {
            publish.send_replace(Seen { shown: None, trouble: Some(Text::clean(&why)) });
            return;
        }
    };
    let mut done = first.map_or(Ok(()), |first| traveller.on(first));
    let mut ticks = runtime.block_on(async {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks
    });
    loop {
        let trouble = std::mem::replace(&mut done, Ok(())).err().map(|why| Text::clean(&why));
        publish.send_replace(Seen { shown: Some(traveller.shown()), trouble });
        let asked = runtime.block_on(async {
            if !traveller.plays() {
                let asked = inbox.recv().await;
                ticks.reset();
                return asked.map(Some);
            }
            tokio::select! {
                asked = inbox.recv() => asked.map(Some),
                _ = ticks.tick() => Some(None),
            }
        });
        match asked {
            None => return,
            Some(None) => done = traveller.tick(TICK),
            Some(Some(ask)) => {
                done = traveller.on(ask);
                // Everything that was asked meanwhile is done before anything is shown.
                while let Ok(ask) = inbox.try_recv() {
                    done = done.and(traveller.on(ask));
                }
            }
        }
    }
}

/// A journal, read by whoever may wait for it.
struct JournalReel {
    journal: Arc<dyn Journal>,
    runtime: Handle,
}

impl JournalReel {
    fn wait<T>(&self, read: Pending<'_, Result<T, JournalError>>) -> Result<T, String> {
        self.runtime.block_on(read).map_err(|error| error.to_string())
    }
}

impl Reel for JournalReel {
    fn stretches(&mut self) -> Result<Vec<Stretch>, String> {
        self.wait(self.journal.stretches())
    }

    fn lines(&mut self, room: &str, after: i64, upto: i64, most: u32) -> Result<Vec<Written>, String> {
        self.wait(self.journal.lines(room, after, upto, most))
    }

    fn lines_before(&mut self, room: &str, before: i64, most: u32) -> Result<Vec<Written>, String> {
        self.wait(self.journal.lines_before(room, before, most))
    }

    fn line_at(&mut self, room: &str, at_ms: i64) -> Result<Option<i64>, String> {
        self.wait(self.journal.line_at(room, at_ms))
    }

    fn marks(&mut self, room: &str) -> Result<Vec<Marked>, String> {
        self.wait(self.journal.marks(room))
    }
}
