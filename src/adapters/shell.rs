//! Words as a shell takes them, for the commands that a person can paste.

/// A word, quoted where a shell would misread it.
pub(crate) fn quoted(word: &str) -> String {
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "./_-:[]@%+".contains(c)) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
