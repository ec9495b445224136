//! Keeps the journal: lines are written in batches beside the room, old ones dropped, and a disk that takes none is told in the room.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::tape::Taped;
use crate::control::event::{Event, Reading};
use crate::control::record::{Line, Recorder, Told};
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::ports::journal::{Journal, Retention};

/// Readings wait at most this long for others, so that one write carries many; happenings do not wait.
const BATCH: Duration = Duration::from_secs(5);
/// A batch of this many bytes is written at once.
const BATCH_BYTES: usize = 512 * 1024;
/// Lines that wait for a disk that takes none, at most; then there is a hole.
const WAITING_BYTES: usize = 4 * 1024 * 1024;
/// Services, or answers about them, that are written on the room's own thread.
const MANY: usize = 500;
/// How often what is too old, or too much, is dropped.
const COMPACT_EVERY: Duration = Duration::from_mins(10);
/// How often every source is written whole again, so that the oldest lines can be dropped.
const WHOLE_EVERY: Duration = Duration::from_hours(1);

/// What waits to be written.
struct Keeper {
    journal: Arc<dyn Journal>,
    recorder: Recorder,
    waiting: Vec<Line>,
    bytes: usize,
    lost: u64,
    trouble: bool,
}

/// Writes what comes from a tape until the room is gone, then the rest.
pub(super) async fn keep(
    journal: Arc<dyn Journal>,
    retention: Retention,
    mut tape: mpsc::Receiver<Taped>,
    events: mpsc::WeakSender<Event>,
) {
    let recorder = Recorder::whole_every(WHOLE_EVERY);
    let mut keeper = Keeper { journal, recorder, waiting: Vec::new(), bytes: 0, lost: 0, trouble: false };
    let mut compacted: Option<Boot> = None;
    while let Some((at, told)) = tape.recv().await {
        let mut now = at;
        let mut hurry = keeper.take(at, told).await;
        let pause = tokio::time::sleep(BATCH);
        tokio::pin!(pause);
        while !hurry && keeper.bytes < BATCH_BYTES {
            let next = tokio::select! {
                next = tape.recv() => next,
                () = &mut pause => None,
            };
            let Some((at, told)) = next else { break };
            now = at;
            hurry = keeper.take(at, told).await;
        }
        // What came together is written together.
        while let Ok((at, told)) = tape.try_recv() {
            now = at;
            keeper.take(at, told).await;
        }
        if let Some(news) = keeper.write(&now).await
            && let Some(events) = events.upgrade()
        {
            let _ = events.send(news).await;
        }
        if compacted.is_none_or(|last| now.boot.since(last) >= COMPACT_EVERY) {
            compacted = Some(now.boot);
            if let Err(error) = keeper.journal.compact(retention.days, retention.bytes).await {
                tracing::warn!(%error, "old lines of the journal were not dropped");
            }
        }
    }
}

/// Whether so much was told that its line is long in the making.
fn is_long(told: &Told) -> bool {
    if let Told::Opened(opened) = told {
        return opened.catalog.services.len() > MANY;
    }
    let Told::Event(Event::Polled { result: Ok(Reading::Signals(reading)), .. }) = told else { return false };
    reading.answers.len() > MANY
}

fn lines(recorder: &mut Recorder, at: &Moment, told: &Told) -> Vec<Line> {
    let mut lines = recorder.again(at);
    lines.extend(recorder.line(at, told));
    lines
}

impl Keeper {
    /// Takes in what was told; true when it should not wait.
    async fn take(&mut self, at: Moment, told: Told) -> bool {
        let hurry = matches!(told, Told::Happening(_));
        let lines = if is_long(&told) || self.recorder.is_due(&at) {
            // What ten thousand services said takes a quarter of a second to write, and the room's thread has deeds to carry out.
            let mut recorder = std::mem::take(&mut self.recorder);
            let written = tokio::task::spawn_blocking(move || {
                let lines = lines(&mut recorder, &at, &told);
                (recorder, lines)
            });
            let (recorder, lines) = written.await.unwrap_or_else(|error| {
                tracing::warn!(%error, "a line of the journal was not made; history has a hole, no deed is lost");
                let mut recorder = Recorder::whole_every(WHOLE_EVERY);
                let hole = recorder.line(&at, &Told::Hole(1)).into_iter().collect();
                (recorder, hole)
            });
            self.recorder = recorder;
            lines
        } else {
            lines(&mut self.recorder, &at, &told)
        };
        for line in lines {
            self.bytes += line.json.kept_bytes();
            self.waiting.push(line);
        }
        hurry
    }

    /// Writes what waits; an event when the journal could not be written, or can be again.
    async fn write(&mut self, now: &Moment) -> Option<Event> {
        if self.waiting.is_empty() {
            return None;
        }
        match self.journal.append(&self.waiting).await {
            Ok(()) => {
                self.waiting.clear();
                (self.bytes, self.lost) = (0, 0);
                std::mem::take(&mut self.trouble).then_some(Event::JournalWritten { trouble: None })
            }
            Err(error) => {
                tracing::warn!(%error, "the journal was not written; history has a hole, no deed is lost");
                if self.bytes > WAITING_BYTES {
                    self.lost += self.waiting.len() as u64;
                    // What comes next builds on nothing that was lost.
                    self.waiting = self.recorder.line(now, &Told::Hole(self.lost)).into_iter().collect();
                    self.bytes = 0;
                }
                let trouble = Some(Text::clean(&error.to_string()));
                (!std::mem::replace(&mut self.trouble, true)).then_some(Event::JournalWritten { trouble })
            }
        }
    }
}
