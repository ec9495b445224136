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
}

impl Tape {
    /// A tape and its reading end.
    pub(super) fn new(only_happenings: bool) -> (Self, mpsc::Receiver<Taped>) {
        let (sender, tape) = mpsc::channel(LENGTH);
        (Self { sender, lost: 0, only_happenings }, tape)
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
