//! The way to this terminal: what it takes at once is written by whoever has it; what it does not, by a thread that may wait.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use tokio::task::JoinHandle;

use super::mouse;
use crate::ui::glass::Glass;

/// Whether this process has the terminal: asked and set only under the lock of standard output, so that no frame follows the farewell.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether the window's title is ours while the terminal is.
static TITLED: AtomicBool = AtomicBool::new(false);

/// The window's title is ours from now on, or not.
pub(super) fn title_is_ours(ours: bool) {
    TITLED.store(ours, Ordering::SeqCst);
}

/// Takes the terminal and shows the first frame, in one write.
pub(super) fn enter(first: &[u8]) -> std::io::Result<()> {
    let title = if TITLED.load(Ordering::SeqCst) { Glass::KEEP_TITLE } else { &[] };
    let bytes = [title, &Glass::enter(), mouse::taken(), first].concat();
    let mut out = std::io::stdout().lock();
    TAKEN.store(true, Ordering::SeqCst);
    put(&mut out, &bytes)
}

/// Gives the terminal back, if this process has it: called by every way out, panics included; twice does no harm.
pub fn give_back() {
    let mut out = std::io::stdout().lock();
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = put(&mut out, &[mouse::given_back(), &Glass::leave()].concat());
        if TITLED.load(Ordering::SeqCst) {
            let _ = put(&mut out, Glass::TITLE_BACK);
        }
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

/// Writes to the terminal while it is ours; a frame that comes too late is dropped.
fn write_out(bytes: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if !TAKEN.load(Ordering::SeqCst) {
        return Ok(());
    }
    put(&mut out, bytes)
}

/// One write call if the terminal takes it whole: standard output itself would cut it at its last line feed.
fn put(out: &mut std::io::StdoutLock<'_>, mut bytes: &[u8]) -> std::io::Result<()> {
    out.flush()?;
    while !bytes.is_empty() {
        match rustix::io::write(out.as_fd(), bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Writes frames, one under way at most.
pub(super) struct Wire {
    /// The terminal opened a second time, as one that never waits. The first is shared with whoever started us and stays as it is.
    unwaiting: Option<OwnedFd>,
    under_way: Option<JoinHandle<std::io::Result<()>>>,
    /// What goes out behind the next frame.
    behind: Vec<u8>,
}

impl Wire {
    /// To the terminal at standard output. Where it cannot be opened a second time, every frame is written by a thread.
    pub(super) fn new() -> Self {
        let name = rustix::termios::ttyname(std::io::stdout(), Vec::new());
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let unwaiting = name.and_then(|name| rustix::fs::open(OsStr::from_bytes(name.as_bytes()), flags, Mode::empty())).ok();
        Self { unwaiting, under_way: None, behind: Vec::new() }
    }

    /// Sends this behind the next frame: written beside one that is under way, it could come to stand within a sequence of it.
    pub(super) fn put_behind(&mut self, bytes: &[u8]) {
        self.behind.extend_from_slice(bytes);
    }

    /// What goes out behind the frame of now.
    pub(super) fn behind(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.behind)
    }

    /// Whether nothing is under way.
    pub(super) fn is_free(&self) -> bool {
        self.under_way.is_none()
    }

    /// Sends a frame; true when all of it is written already.
    ///
    /// # Errors
    /// The terminal could not be written.
    pub(super) fn send(&mut self, mut bytes: Vec<u8>) -> std::io::Result<bool> {
        let written = self.at_once(&bytes)?;
        bytes.drain(..written.min(bytes.len()));
        if bytes.is_empty() {
            return Ok(true);
        }
        self.under_way = Some(tokio::task::spawn_blocking(move || write_out(&bytes)));
        Ok(false)
    }

    /// Waits until what is under way is written; for ever when nothing is. May be dropped while it waits.
    ///
    /// # Errors
    /// The terminal could not be written.
    pub(super) async fn written(&mut self) -> std::io::Result<()> {
        let Some(write) = self.under_way.as_mut() else { return std::future::pending().await };
        let done = write.await;
        self.under_way = None;
        done.map_err(std::io::Error::other)?
    }

    /// Waits until what is under way is written.
    pub(super) async fn end(mut self) {
        if !self.is_free() {
            let _ = self.written().await;
        }
    }

    /// How many bytes the terminal took without waiting.
    fn at_once(&self, bytes: &[u8]) -> std::io::Result<usize> {
        let Some(unwaiting) = &self.unwaiting else { return Ok(0) };
        let mut out = std::io::stdout().lock();
        if !TAKEN.load(Ordering::SeqCst) {
            return Ok(bytes.len());
        }
        out.flush()?;
        match rustix::io::write(unwaiting, bytes) {
            Ok(written) => Ok(written),
            Err(Errno::INTR | Errno::AGAIN) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}
