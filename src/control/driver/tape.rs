//! The tape: what happens in a room, handed to whoever writes it down, without ever making the room wait.

use tokio::sync::mpsc;

use crate::control::record::Told;
use crate::model::time::Moment;

/// What waits on a tape; when it is full there is a hole, and its size is told.
const LENGTH: usize = 256;

/// What a tape carries, with its moment.
pub type Taped = (Moment, Told);

/// The writing end, held by the room.
#[derive(Debug)]
pub(super) struct Tape {
    sender: mpsc::Sender<Taped>,
    lost: u64,
    /// Whether happenings alone are wanted.
    only_happenings: bool,
    /// Whether it leads into the journal.
    journal: bool,
}

impl Tape {
    /// A tape and its reading end.
    pub(super) fn new() -> (Self, mpsc::Receiver<Taped>) {
        let (sender, tape) = mpsc::channel(LENGTH);
        (Self { sender, lost: 0, only_happenings: false, journal: false }, tape)
    }

    /// The journal's tape.
    pub(super) fn of_journal(only_happenings: bool) -> (Self, mpsc::Receiver<Taped>) {
        let (tape, taped) = Self::new();
        (Self { only_happenings, journal: true, ..tape }, taped)
    }

    /// Whether it leads into the journal.
    pub(super) fn is_journal(&self) -> bool {
        self.journal
    }

    /// Hands over what was told, or counts it as lost.
    pub(super) fn tell(&mut self, now: &Moment, told: &impl Fn() -> Told) {
        let told = told();
        if self.only_happenings && !matches!(told, Told::Happening(_)) {
            return;
        }
        if self.lost > 0 {
            if self.sender.try_send((*now, Told::Hole(self.lost))).is_err() {
                self.lost += 1;
                return;
            }
            self.lost = 0;
        }
        if self.sender.try_send((*now, told)).is_err() {
            self.lost += 1;
        }
    }
}
