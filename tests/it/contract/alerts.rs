//! The contract of `ports::alerts`.
