//! What happens when the program itself is wrong: the terminal is given back first, then the fault is told, then the process ends.

use super::exit::Exit;
use crate::serve::local;

/// Arranges that a panic anywhere gives the terminal back, says what happened and ends the process.
///
/// A room whose part died would show a world that no longer moves; what was under way is in the ledger, and the next start settles it.
pub fn prepare() {
    let (panics, reports) = color_eyre::config::HookBuilder::default().into_hooks();
    // It fails only when another hook is there already, and none is.
    let _ = reports.install();
    std::panic::set_hook(Box::new(move |fault| {
        local::give_back();
        super::out::words(&panics.panic_report(fault).to_string());
        std::process::exit(i32::from(Exit::Failed as u8));
    }));
}

/// Panics in a task after so many milliseconds, so that a test can see what is left of the terminal. Not in a release.
#[cfg(debug_assertions)]
#[expect(clippy::panic, reason = "a panic on demand is what it is for")]
pub fn on_demand(around: &crate::config::surroundings::Surroundings) {
    let wanted = around.variable("GONOGO_TEST_PANIC_MS").and_then(|ms| ms.parse().ok());
    if let Some(after) = wanted.map(std::time::Duration::from_millis) {
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            panic!("a fault that a test asked for");
        });
    }
}
