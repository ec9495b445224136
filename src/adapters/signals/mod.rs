//! Monitoring systems behind the metrics port.

mod history;
mod kept;
mod lexer;
mod links;
pub mod objective;
pub mod prometheus;
mod promql;
pub mod specimen;
mod vector;
