//! The same calls for a person's shell.

use super::Buildbot;
use super::send::{Call, by_hand};
use crate::model::plan::StepEffect;

/// The reason that a call by hand bears.
const REASON: &str = "by hand, as gonogo planned it";

impl Buildbot {
    pub(super) fn commands_of(&self, effect: &StepEffect) -> Vec<String> {
        let call = match effect {
            StepEffect::Start { builder, scheduler, properties, .. } => Call::force(scheduler, builder, REASON, &by_hand(properties)),
            StepEffect::Retry { run, .. } => Call::rebuild(*run),
            StepEffect::Cancel { run, .. } => Call::stop(*run, REASON),
            StepEffect::Weights { .. }
            | StepEffect::Flag { .. }
            | StepEffect::Drain { .. }
            | StepEffect::Silence { .. }
            | StepEffect::Repeat { .. }
            | StepEffect::Answer { .. }
            | StepEffect::Workload { .. } => {
                return Vec::new();
            }
        };
        let address = self.http.address(&format!("/api/v2{}", call.path));
        vec![format!("curl -X POST -H 'Content-Type: application/json' --data {} {}", quoted(&call.body().to_string()), quoted(&address))]
    }
}

/// Quoted for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_does_not_end_the_quoting() {
        assert_eq!(quoted("it's; rm"), r"'it'\''s; rm'");
    }
}
