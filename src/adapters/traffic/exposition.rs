//! Metrics in Prometheus' text form: the samples of one family, with their labels.

use std::collections::BTreeMap;

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    labels: BTreeMap<String, String>,
    /// Its value, always finite.
    pub(super) value: f64,
}

impl Sample {
    /// A label's value.
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }

    /// The value as a count; none when it is none.
    pub(super) fn count(&self) -> Option<u64> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^53")]
        (0.0..=9_007_199_254_740_992.0).contains(&self.value).then_some(self.value as u64)
    }
}

/// The samples of a family; a line that cannot be read, or is no finite number, is none of them.
pub(super) fn samples(text: &str, family: &str) -> Vec<Sample> {
    text.lines().filter_map(|line| line.strip_prefix(family)).filter_map(sample).collect()
}

/// What follows a family's name on its line.
fn sample(rest: &str) -> Option<Sample> {
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None if rest.starts_with([' ', '\t']) => (BTreeMap::new(), rest),
        None => return None,
    };
    // A time stamp may follow.
    let value: f64 = rest.split_ascii_whitespace().next()?.parse().ok()?;
    value.is_finite().then_some(Sample { labels, value })
}

/// The labels, and what follows their closing brace.
fn labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((labels, behind));
        }
        let (name, behind) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = behind.char_indices();
        rest = loop {
            match chars.next()? {
                (at, '"') => break behind.get(at + 1..)?,
                (_, '\\') => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        };
        labels.insert(name.trim().to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "# TYPE requests_total counter\nrequests_total{code=\"200\",path=\"a\\\"},\\\\b\"} 12 1700000000000\n\
                        requests_total{} 3\nrequests_total_created 9\nrequests_total{code=\"500\"} NaN\nstart 1.79e+09\n";

    #[test]
    fn a_family_is_its_own_lines_and_no_longer_names() {
        let found = samples(TEXT, "requests_total");
        assert_eq!(found.iter().map(|sample| sample.value).collect::<Vec<_>>(), [12.0, 3.0]);
        assert_eq!(found[0].label("path"), Some("a\"},\\b"));
        assert_eq!(found[0].label("code"), Some("200"));
        assert_eq!(samples(TEXT, "start")[0].count(), Some(1_790_000_000));
        assert_eq!(samples(TEXT, "nothing"), []);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let _ = samples(&format!("family{{{text}\nfamily {text}"), "family");
        }
    }
}
