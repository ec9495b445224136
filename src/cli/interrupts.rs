//! How a verb that goes on until it is ended hears that it shall end, and how it writes its lines meanwhile.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Exit;
use super::out;

/// How long a line that was begun is waited for once the verb shall end: a reader that takes nothing keeps nobody alive.
const WHOLE_WITHIN: Duration = Duration::from_secs(1);

/// What asks a verb to end: SIGINT, SIGTERM and SIGHUP. From the beginning on none of them ends the process by itself, and none is lost.
pub struct Interrupts(Vec<Signal>);

impl Interrupts {
    /// Begins to listen. Must be called within a runtime.
    ///
    /// # Errors
    /// Exit 1 when the system does not let it; it is said.
    pub fn listen() -> Result<Self, Exit> {
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        if !is_hang_up_ignored() {
            kinds.push(SignalKind::hangup());
        }
        kinds.into_iter().map(signal).collect::<std::io::Result<_>>().map(Self).map_err(|error| {
            out::words(&format!("gonogo: failed to listen for an interrupt: {error}; nothing was begun"));
            Exit::Failed
        })
    }

    /// Waits until the verb shall end.
    pub async fn asked(&mut self) {
        poll_fn(|context| {
            let asked = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if asked { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Writes a line to standard output, whole and at once, however slow its reader is.
    ///
    /// # Errors
    /// Exit 0 when the reader went away, 130 when the verb shall end; the line is whole then unless its reader takes nothing.
    pub async fn line(&mut self, line: String) -> Result<(), Exit> {
        let mut writing = tokio::task::spawn_blocking(move || out::try_line(&line));
        let written = tokio::select! {
            written = &mut writing => written,
            () = self.asked() => {
                let _ = tokio::time::timeout(WHOLE_WITHIN, writing).await;
                return Err(Exit::Interrupted);
            }
        };
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Exit::Done),
            Err(_) => Err(Exit::Failed),
        }
    }
}

/// Whether whoever started this process had it ignore a hang-up, as `nohup` does: then it goes on.
fn is_hang_up_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    // SIGHUP is the first signal.
    ignored.is_some_and(|ignored| ignored & 1 == 1)
}
