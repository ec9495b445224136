//! A pause that wakes its thread once. A timer of the runtime of more than 64 ms wakes it twice: when its slot in the wheel comes up, and
//! when it is over.

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A timer of the machine's, which counts while the machine sleeps (`CLOCK_BOOTTIME`): what came due meanwhile is due at once. Where it has
/// none to give, the runtime's are used.
#[derive(Debug)]
pub struct Alarm {
    timer: Option<AsyncFd<OwnedFd>>,
}

impl Alarm {
    /// One that is not set. Must be called within a runtime.
    pub fn new() -> Self {
        let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC);
        Self { timer: timer.ok().and_then(|timer| heeded(timer).ok()) }
    }

    /// Waits so long. May be dropped while it waits: the next pause begins anew.
    pub async fn after(&mut self, pause: Duration) {
        let rung = match &self.timer {
            Some(timer) => ring(timer, pause).await,
            None => Err(Errno::NOSYS.into()),
        };
        if rung.is_err() {
            self.timer = None;
            tokio::time::sleep(pause).await;
        }
    }
}

/// What the runtime tells of when it can be read. It keeps its descriptor open for as long as it lives. Must be called within a runtime.
///
/// # Errors
/// The runtime cannot tell of it.
pub fn heeded<T: AsRawFd>(it: T) -> std::io::Result<AsyncFd<T>> {
    #[expect(deprecated, reason = "its successor is unsafe and asks that the descriptor stays open: those of this house do")]
    AsyncFd::with_interest(it, Interest::READABLE)
}

impl Default for Alarm {
    fn default() -> Self {
        Self::new()
    }
}

async fn ring(timer: &AsyncFd<OwnedFd>, pause: Duration) -> std::io::Result<()> {
    // Zero would stop it.
    let pause = pause.max(Duration::from_nanos(1));
    let value = Timespec { tv_sec: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(pause.subsec_nanos()) };
    let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
    timerfd_settime(timer.get_ref(), TimerfdTimerFlags::empty(), &once)?;
    loop {
        let mut ready = timer.readable().await?;
        match rustix::io::read(timer.get_ref(), &mut [0; 8]) {
            Ok(_) => return Ok(()),
            // It rang before it was set anew.
            Err(Errno::AGAIN) => ready.clear_ready(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn it_rings_after_the_pause_that_was_set_last_and_never_before() {
        let mut alarm = Alarm::new();
        assert!(alarm.timer.is_some());
        let late = Duration::from_secs(10);
        for pause in [0, 1, 30, 90].map(Duration::from_millis) {
            let begun = Instant::now();
            // One that rang unheard, and one that was dropped, are not heard later.
            assert!(tokio::time::timeout(Duration::from_millis(5), alarm.after(late)).await.is_err());
            alarm.after(pause).await;
            assert!(begun.elapsed() >= pause && begun.elapsed() < late, "{pause:?} took {:?}", begun.elapsed());
        }
    }

    #[tokio::test]
    async fn without_a_timer_of_the_machine_it_pauses_all_the_same() {
        let begun = Instant::now();
        Alarm { timer: None }.after(Duration::from_millis(20)).await;
        assert!(begun.elapsed() >= Duration::from_millis(20));
    }
}
