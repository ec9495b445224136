//! A clock that moves only when it is told to, for headless runs and tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::model::time::{Boot, Moment};
use crate::ports::clock::Clock;

/// A clock that stands still until [`VirtualClock::advance`] moves it.
#[derive(Debug)]
pub struct VirtualClock {
    origin: Moment,
    passed_ms: AtomicU64,
}

impl VirtualClock {
    /// A clock that shows `origin`.
    pub fn new(origin: Moment) -> Self {
        Self { origin, passed_ms: AtomicU64::new(0) }
    }

    /// Moves both clocks on.
    pub fn advance(&self, span: Duration) {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.passed_ms.fetch_add(span, Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Moment {
        self.origin.plus(Duration::from_millis(self.passed_ms.load(Ordering::SeqCst)))
    }

    fn awake(&self) -> Boot {
        self.now().boot
    }

    fn boot_id(&self) -> String {
        "virtual".to_owned()
    }
}
