//! The contract of `ports::traffic`.
