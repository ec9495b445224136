//! The contract of `ports::ci`.
