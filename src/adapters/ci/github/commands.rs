//! The same calls for a person's shell.

use serde_json::{Value, json};

use super::Github;
use super::send::{answer_body, filled, repeat_word, start_body};
use crate::model::error::PortError;
use crate::model::plan::StepEffect;

/// What a call by hand bears in place of a key.
const BY_HAND: &str = "by-hand";

impl Github {
    pub(super) fn commands_of(&self, effect: &StepEffect) -> Vec<String> {
        let call = self.call_of(effect);
        call.ok().flatten().map(|(path, body)| self.curl(&path, &body)).into_iter().collect()
    }

    fn call_of(&self, effect: &StepEffect) -> Result<Option<(String, Value)>, PortError> {
        let doing = "tell a call";
        Ok(match effect {
            StepEffect::Start { builder, scheduler, properties, .. } => {
                Some((self.start_path(doing, builder)?, start_body(scheduler, &filled(properties, BY_HAND))))
            }
            StepEffect::Repeat { builder, run, failed_only, .. } => {
                Some((self.run_path(doing, builder, *run, repeat_word(*failed_only))?, json!({})))
            }
            StepEffect::Cancel { builder, run, .. } => Some((self.run_path(doing, builder, *run, "cancel")?, Value::Null)),
            StepEffect::Answer { builder, run, gates, opens, .. } => {
                let body = answer_body(gates, *opens, "by hand, as gonogo planned it");
                Some((self.run_path(doing, builder, *run, "pending_deployments")?, body))
            }
            StepEffect::Retry { .. }
            | StepEffect::Weights { .. }
            | StepEffect::Workload { .. }
            | StepEffect::Flag { .. }
            | StepEffect::Drain { .. }
            | StepEffect::Silence { .. } => None,
        })
    }

    fn curl(&self, path: &str, body: &Value) -> String {
        let heads =
            "-H \"Authorization: Bearer $GITHUB_TOKEN\" -H 'Accept: application/vnd.github+json' -H 'X-GitHub-Api-Version: 2022-11-28'";
        let data = if body.is_null() { String::new() } else { format!(" --data {}", quoted(&body.to_string())) };
        format!("curl -X POST {heads}{data} {}", quoted(&self.http.address(path)))
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
