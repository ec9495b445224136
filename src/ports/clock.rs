//! The clock: wall time for people, a clock that counts while the machine sleeps for everything that is measured.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::model::time::{Boot, Moment};

/// Tells the time. Everything that a test would want to control asks this and nothing else.
pub trait Clock: Send + Sync {
    /// Both clocks, read together.
    fn now(&self) -> Moment;

    /// A clock that stands still while the machine sleeps (`CLOCK_MONOTONIC`), in milliseconds. The growth of the gap between
    /// it and [`Moment::boot`] is the time that the machine slept.
    fn awake(&self) -> Boot;

    /// The identity of this boot of the machine, so that leases of an earlier one are known to be over.
    fn boot_id(&self) -> String;
}

/// The virtual machine booted a thousand seconds before its story begins: a boot time of 0 stands for "never".
pub const BOOTED: Boot = Boot(1_000_000);

/// A clock that moves only when it is told to, for rehearsals and tests.
#[derive(Debug)]
pub struct VirtualClock {
    origin: Moment,
    elapsed_ms: AtomicU64,
    wall_s: AtomicI64,
}

impl VirtualClock {
    /// A clock that stands at `begin`.
    pub fn new(begin: DateTime<Utc>) -> Self {
        Self { origin: Moment { wall: begin, boot: BOOTED }, elapsed_ms: AtomicU64::new(0), wall_s: AtomicI64::new(0) }
    }

    /// Somebody sets the wall clock ahead by so many seconds, or back; the machine's clock knows nothing of it.
    pub fn set_wall(&self, seconds: i64) {
        self.wall_s.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Moves on by `span`.
    pub fn advance(&self, span: Duration) {
        self.elapsed_ms.fetch_add(millis(span), Ordering::SeqCst);
    }

    /// Moves forward to `elapsed` after the beginning, never back.
    pub fn advance_to(&self, elapsed: Duration) {
        self.elapsed_ms.fetch_max(millis(elapsed), Ordering::SeqCst);
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms.load(Ordering::SeqCst))
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl Clock for VirtualClock {
    fn now(&self) -> Moment {
        let now = self.origin.plus(self.elapsed());
        let set = chrono::TimeDelta::seconds(self.wall_s.load(Ordering::SeqCst));
        Moment { wall: now.wall.checked_add_signed(set).unwrap_or(now.wall), ..now }
    }

    fn awake(&self) -> Boot {
        self.now().boot
    }

    fn boot_id(&self) -> String {
        "virtual".to_owned()
    }
}
