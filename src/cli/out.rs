//! What goes to standard output and standard error; a closed pipe ends quietly.

use std::io::Write as _;

/// Writes text and a newline to standard output. A reader that went away is no failure of ours.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Writes words to standard error.
pub fn words(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes a JSON object on one line to standard output.
pub fn json(value: &serde_json::Value) {
    line(&value.to_string());
}
