//! Answers kept with their `ETag`, so that an unchanged one need not travel again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// Answers kept at most.
const MOST: usize = 256;
/// Bytes that the kept answers took on the wire, at most.
const MOST_BYTES: usize = 16 * 1024 * 1024;

struct Kept {
    url: String,
    etag: String,
    value: Arc<Value>,
    more: bool,
    bytes: usize,
}

/// The kept answers, newest last.
#[derive(Default)]
pub(super) struct Cache(Mutex<VecDeque<Kept>>);

impl Cache {
    /// The tag and the value kept for an address, and whether a further page followed.
    pub(super) fn find(&self, url: &str) -> Option<(String, Arc<Value>, bool)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|kept| kept.url == url).map(|kept| (kept.etag.clone(), Arc::clone(&kept.value), kept.more))
    }

    /// Keeps an answer, dropping the oldest ones over the bounds; without a tag it only forgets the earlier one.
    pub(super) fn keep(&self, url: &str, etag: Option<String>, value: &Arc<Value>, more: bool, bytes: usize) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|old| old.url != url);
        if let Some(etag) = etag.filter(|etag| !etag.is_empty() && etag.len() <= 256 && bytes <= MOST_BYTES) {
            kept.push_back(Kept { url: url.to_owned(), etag, value: Arc::clone(value), more, bytes });
        }
        while kept.len() > MOST || kept.iter().map(|kept| kept.bytes).sum::<usize>() > MOST_BYTES {
            kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_answer_of_an_address_is_kept_and_the_oldest_dropped() {
        let cache = Cache::default();
        let value = Arc::new(Value::Null);
        for n in 0..=MOST {
            cache.keep(&format!("/{n}"), Some("\"1\"".into()), &value, false, 10);
        }
        assert!(cache.find("/0").is_none());
        assert!(cache.find("/1").is_some());
        cache.keep("/1", None, &value, false, 10);
        assert!(cache.find("/1").is_none(), "an answer without a tag forgets the earlier one");
        cache.keep("/big", Some("\"1\"".into()), &value, false, MOST_BYTES + 1);
        assert!(cache.find("/big").is_none());
    }
}
