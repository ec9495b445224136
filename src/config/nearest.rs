//! The known word nearest to one that is not known.

/// The nearest of `known`, when it is near enough to be what was meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().count() > 128 {
        return None;
    }
    let most = (word.chars().count() / 3).clamp(1, 4);
    let near = |candidate: &'a str| (strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase()), candidate);
    known.into_iter().map(near).filter(|(distance, _)| *distance <= most).min().map(|(_, candidate)| candidate)
}

/// What would be right in place of an unknown word: the nearest one, or all of them.
pub fn instead<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(found) = nearest(word, known.clone()) {
        return format!("`{found}`");
    }
    let all: Vec<_> = known.into_iter().collect();
    match all.as_slice() {
        [] => "none, for none is configured".to_owned(),
        [only] => format!("`{only}`"),
        many => format!("one of {}", many.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_the_word_that_was_meant() {
        assert_eq!(nearest("stael_after", ["every", "stale_after"]), Some("stale_after"));
    }

    #[test]
    fn a_word_of_another_kind_finds_nothing() {
        assert_eq!(nearest("banana", ["every", "stale_after"]), None);
        assert_eq!(instead("banana", ["every", "kind"]), "one of every, kind");
    }
}
