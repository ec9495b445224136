//! Monitoring systems behind the metrics port.

pub mod prometheus;
mod promql;
mod vector;
