//! Services that keep feature flags.

pub mod flagd;
pub mod unleash;

use sha2::{Digest as _, Sha256};

use crate::model::error::PortErrorKind;
use crate::model::flag::{FlagMark, FlagRef};
use crate::model::name::BackendName;
use crate::model::plan::StepEffect;
use crate::model::share::Percent;

/// What an effect asks of a flag service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    flag: &'a FlagRef,
    on: bool,
    percent: Option<Percent>,
    was: &'a FlagMark,
}

/// What an effect asks of this flag service.
///
/// # Errors
/// What was asked for, and why it cannot be had here.
fn asked<'a>(what: &'a StepEffect, service: &BackendName) -> Result<Asked<'a>, (PortErrorKind, String)> {
    match what {
        StepEffect::Flag { backend, flag, on, percent, was } if backend == service => Ok(Asked { flag, on: *on, percent: *percent, was }),
        StepEffect::Flag { backend, .. } => Err((PortErrorKind::Unsupported, format!("the effect is for {backend}"))),
        StepEffect::Weights { .. }
        | StepEffect::Drain { .. }
        | StepEffect::Silence { .. }
        | StepEffect::Workload { .. }
        | StepEffect::Start { .. }
        | StepEffect::Retry { .. }
        | StepEffect::Repeat { .. }
        | StepEffect::Answer { .. }
        | StepEffect::Cancel { .. } => Err((PortErrorKind::Unsupported, "it only sets flags".to_owned())),
    }
}

/// Why a flag that stands otherwise than it was planned on is not touched.
fn otherwise(was: &FlagMark, now: &FlagMark) -> String {
    if was.on == now.on && was.percent == now.percent {
        return "it is for other users than when it was planned".to_owned();
    }
    format!("it is {}, was {} when it was planned", now.words(), was.words())
}

/// SHA-256 in lower-case hexadecimal over a value in canonical form (RFC 8785).
fn digest(value: &serde_json::Value) -> String {
    let bytes = serde_json_canonicalizer::to_vec(value).unwrap_or_else(|_| value.to_string().into_bytes());
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
