//! Monitoring systems behind the metrics port.

mod lexer;
pub mod prometheus;
mod promql;
mod vector;
