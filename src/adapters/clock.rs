//! The machine's clock: `CLOCK_BOOTTIME` for everything that is measured, the wall for people.

use chrono::{DateTime, Utc};
use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::model::time::{Boot, Moment};
use crate::ports::clock::Clock;

/// The clocks of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

fn boot(id: ClockId) -> Boot {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(id);
    let seconds = u64::try_from(tv_sec).unwrap_or_default();
    let nanos = u64::try_from(tv_nsec).unwrap_or_default();
    Boot(seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000))
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Realtime);
        let nanos = u32::try_from(tv_nsec).unwrap_or_default();
        let wall = DateTime::<Utc>::from_timestamp(tv_sec, nanos).unwrap_or(DateTime::UNIX_EPOCH);
        Moment { wall, boot: boot(ClockId::Boottime) }
    }

    fn awake(&self) -> Boot {
        boot(ClockId::Monotonic)
    }

    fn boot_id(&self) -> String {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        id.map_or_else(|_| "unknown".to_owned(), |id| id.trim().to_owned())
    }
}

/// A clock that runs at another pace than this machine's, from the moment at which it was made; 0 stands still.
#[derive(Debug)]
pub struct PacedClock {
    begun: Moment,
    pace: f64,
}

impl PacedClock {
    /// A clock that begins now. `pace` is finite and not negative.
    pub fn new(pace: f64) -> Self {
        Self { begun: SystemClock.now(), pace: pace.clamp(0.0, 1000.0) }
    }
}

impl Clock for PacedClock {
    fn now(&self) -> Moment {
        let passed = SystemClock.now().since(&self.begun);
        self.begun.plus(passed.mul_f64(self.pace))
    }

    fn awake(&self) -> Boot {
        self.now().boot
    }

    fn boot_id(&self) -> String {
        SystemClock.boot_id()
    }
}
