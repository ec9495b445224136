//! Whether the terminal tells what a mouse does: asked for where it is configured, and given back wherever it ever was.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::ui::glass::Glass;

/// Whether the mouse is wished now.
static WISHED: AtomicBool = AtomicBool::new(false);

/// Whether it ever was: a terminal that was asked for it once is told to end it, even where that was told already.
static ASKED: AtomicBool = AtomicBool::new(false);

/// The mouse is wished from now on, or not. What must be sent for that to a terminal that is ours already.
pub(super) fn wish(on: bool) -> &'static [u8] {
    if on {
        ASKED.store(true, Ordering::SeqCst);
    }
    match (WISHED.swap(on, Ordering::SeqCst), on) {
        (false, true) => Glass::MOUSE,
        (true, false) => Glass::MOUSE_BACK,
        (true, true) | (false, false) => &[],
    }
}

/// What is sent for it when the terminal is taken.
pub(super) fn taken() -> &'static [u8] {
    if WISHED.load(Ordering::SeqCst) { Glass::MOUSE } else { &[] }
}

/// What is sent for it when the terminal is given back.
pub(super) fn given_back() -> &'static [u8] {
    if ASKED.load(Ordering::SeqCst) { Glass::MOUSE_BACK } else { &[] }
}
