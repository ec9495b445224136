//! A weight in a file, and the bytes in which it stands.

use std::ops::Range;

/// A weight and the bytes in which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The service under the weighted one, without its provider.
    pub(super) name: String,
    /// Its weight; none when it has none of its own.
    pub(super) weight: Option<(u32, Range<usize>)>,
}

/// A name without the provider behind it.
pub(super) fn bare(name: &str) -> String {
    name.split('@').next().unwrap_or(name).to_owned()
}
