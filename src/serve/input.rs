//! Reads this terminal: every byte, in order, without a thread of its own and without ever waiting in a read.

use std::io::Stdin;
use std::os::fd::AsFd as _;
use std::pin::Pin;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tokio::time::Sleep;

use super::heard::{Ear, Heard};
use crate::control::driver::alarm::heeded;

/// After so long the rest of a sequence does not come: an Escape was the key of that name.
const REST: Duration = Duration::from_millis(25);
/// What is read at once: beyond it others get their turn.
const ONCE: usize = 64 << 10;

/// The terminal's side of the talk. crossterm's stream is not used: it swallows the answer to a status query, and takes an Escape whose
/// rest is still on its way for the key of that name, so that an answer cut in two would be keys.
pub struct Inputs {
    tty: AsyncFd<Stdin>,
    ear: Ear,
    /// Until when the rest of what was begun is waited for.
    rest: Option<Pin<Box<Sleep>>>,
    over: bool,
}

impl Inputs {
    /// Listens to standard input, which is a terminal.
    ///
    /// # Errors
    /// It cannot be listened to.
    pub fn new() -> std::io::Result<Self> {
        let tty = heeded(std::io::stdin())?;
        Ok(Self { tty, ear: Ear::default(), rest: None, over: false })
    }

    /// The next thing that it said; none once it is gone. May be dropped while it waits.
    ///
    /// # Errors
    /// It could not be read.
    pub async fn next(&mut self) -> std::io::Result<Option<Heard>> {
        loop {
            if let Some(heard) = self.ready()? {
                return Ok(Some(heard));
            }
            if self.over {
                return Ok(None);
            }
            if !self.ear.waits() {
                self.rest = None;
            } else if self.rest.is_none() {
                self.rest = Some(Box::pin(tokio::time::sleep(REST)));
            }
            tokio::select! {
                biased;
                guard = self.tty.readable() => {
                    let mut guard = guard?;
                    // Between the look and the clearing more may come: then it stays ready, as the guard knows.
                    if !is_readable(guard.get_inner())? {
                        guard.clear_ready();
                    }
                }
                () = async { match self.rest.as_mut() { Some(rest) => rest.await, None => std::future::pending().await } } => {
                    self.rest = None;
                    self.ear.give_up();
                }
            }
        }
    }

    /// What it said already; none when it must be waited for.
    ///
    /// # Errors
    /// It could not be read.
    pub fn ready(&mut self) -> std::io::Result<Option<Heard>> {
        let mut buffer = [0; 4096];
        let mut read = 0;
        loop {
            if let Some(heard) = self.ear.next() {
                return Ok(Some(heard));
            }
            if self.over || read >= ONCE || !is_readable(self.tty.get_ref())? {
                return Ok(None);
            }
            match rustix::io::read(self.tty.get_ref().as_fd(), &mut buffer) {
                Ok(0) | Err(Errno::IO) => self.over = true,
                Ok(length) => {
                    read += length;
                    self.rest = None;
                    self.ear.take(buffer.get(..length).unwrap_or_default());
                }
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Whether a read would not wait. The terminal is shared with whoever started us: it is not made one that never waits.
fn is_readable(tty: &Stdin) -> std::io::Result<bool> {
    let mut asked = [PollFd::new(tty, PollFlags::IN)];
    match poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
        Ok(found) => Ok(found > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
