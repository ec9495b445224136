//! Evidence for and against a canary: what the judging method `gonogo` computes. Pure; no evidence is never a pass.

mod beta;
mod differences;
pub mod location;
mod normal;
pub mod power;
pub mod sequential;
#[cfg(test)]
mod simulation;
pub mod tail;

use serde::{Deserialize, Serialize};

/// Which way a measure is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Worse {
    /// Higher values are worse, as of latencies.
    Higher,
    /// Lower values are worse, as of throughput.
    Lower,
}

impl Worse {
    /// A value, or a difference of two, turned so that more is worse.
    pub fn harm(self, value: f64) -> f64 {
        match self {
            Self::Higher => value,
            Self::Lower => -value,
        }
    }
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "samples stay far below 2^52")]
fn real(count: usize) -> f64 {
    count as f64
}
