//! What goes to standard output and standard error; a closed pipe ends quietly.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::model::text::is_hidden;

/// Writes text and a newline to standard output. A reader that went away is no failure of ours.
pub fn line(text: &str) {
    let _ = try_line(text);
}

/// The same.
///
/// # Errors
/// The reader went away.
pub fn try_line(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all([text, "\n"].concat().as_bytes())?;
    out.flush()
}

/// Writes words to standard error.
pub fn words(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes a JSON object on one line to standard output.
pub fn json(value: &serde_json::Value) {
    line(&harmless(value.to_string()));
}

/// JSON in which no character hides: RFC 8259 (section 7) asks for C0 alone to be escaped, and standard output may be a terminal, which obeys
/// more than that. It means the same.
pub fn harmless(json: String) -> String {
    // Between its strings JSON has no such character.
    if !json.chars().any(is_hidden) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_hidden(c) {
            let _ = c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_means_the_same() {
        let value = json!({ "a\u{9b}2J": ["\u{202e}gnp\u{202c}", "gr\u{fc}n \u{65e5}\u{672c}", "\u{e0041}"] });
        let text = harmless(value.to_string());
        assert_eq!(text, "{\"a\\u009b2J\":[\"\\u202egnp\\u202c\",\"gr\u{fc}n \u{65e5}\u{672c}\",\"\\udb40\\udc41\"]}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    proptest! {
        #[test]
        fn any_text_comes_back_and_none_of_it_hides(text in any::<String>()) {
            let escaped = harmless(json!({ text.as_str(): text }).to_string());
            prop_assert!(!escaped.chars().any(is_hidden));
            prop_assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), json!({ text.as_str(): text }));
        }
    }
}
