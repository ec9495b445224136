//! What one poll brought and the next one brings again: the labels of its series and the queries of its questions.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use crate::model::text::Text;

/// The labels of one series.
pub(super) type Labels = Arc<[(Text, Text)]>;

/// What the last poll brought. Of a large room two readings are there for a while, and tens of thousands of series have the same labels in both.
#[derive(Default)]
pub(super) struct Kept {
    labels: Generations<Labels>,
    queries: Generations<Text>,
}

/// What was said in the last poll, and in this one so far.
struct Generations<T> {
    last: HashSet<T>,
    now: HashSet<T>,
}

impl<T> Default for Generations<T> {
    fn default() -> Self {
        Self { last: HashSet::new(), now: HashSet::new() }
    }
}

impl Kept {
    /// Begins a poll: what the one before the last brought alone is forgotten.
    pub(super) fn turn(&mut self) {
        self.labels.turn();
        self.queries.turn();
    }

    /// The same labels, those that are there already where they are.
    pub(super) fn labels(&mut self, made: Vec<(Text, Text)>) -> Labels {
        self.labels.same(made.into())
    }

    /// The same query, the one that is there already where it is.
    pub(super) fn query(&mut self, made: Text) -> Text {
        self.queries.same(made)
    }
}

impl<T: Clone + Eq + Hash> Generations<T> {
    fn turn(&mut self) {
        self.last = std::mem::take(&mut self.now);
    }

    fn same(&mut self, made: T) -> T {
        if let Some(known) = self.now.get(&made) {
            return known.clone();
        }
        let same = self.last.take(&made).unwrap_or(made);
        self.now.insert(same.clone());
        same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(value: &str) -> Vec<(Text, Text)> {
        vec![(Text::clean("service"), Text::clean(value))]
    }

    #[test]
    fn the_next_poll_has_the_labels_of_the_last_and_no_others() {
        let mut kept = Kept::default();
        let first = kept.labels(labels("a"));
        assert_eq!(&*kept.labels(labels("b")), labels("b").as_slice());
        kept.turn();
        assert!(Arc::ptr_eq(&kept.labels(labels("a")), &first), "the same labels are there once");
        assert!(Arc::ptr_eq(&kept.labels(labels("a")), &first), "also a second time in the same poll");
        kept.turn();
        kept.turn();
        let after = kept.labels(labels("a"));
        assert!(!Arc::ptr_eq(&after, &first), "what no poll brought for a while is forgotten");
        assert_eq!(Arc::strong_count(&first), 1, "nobody keeps it");
    }

    #[test]
    fn a_query_is_there_once() {
        let mut kept = Kept::default();
        let first = kept.query(Text::clean("up"));
        kept.turn();
        assert_eq!(kept.query(Text::clean("up")).as_str().as_ptr(), first.as_str().as_ptr());
        assert_eq!(kept.query(Text::clean("down")).as_str(), "down");
    }
}
