//! The room as a person sees it: the built binary in a pseudo-terminal, keys in, a screen read through a terminal emulator out.
//!
//! ```ignore
//! let room = Term::start(&["demo", "bad-canary"], (120, 40), &[]);
//! room.sees("checkout", SOON).press("j j s 0 <ret>").sees("EFFECTIVE", SOON);
//! room.press("q");
//! assert_eq!(room.exit_code(SOON), 0);
//! room.gave_the_terminal_back();
//! ```

pub mod grammar;
mod keys;
mod line;
mod proof;
mod term;

pub use line::Line;
pub use term::{Home, Manners, SOON, Term};
