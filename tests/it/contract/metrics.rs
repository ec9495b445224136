//! The contract of `ports::metrics`.
