//! One line of the log: JSON with time, level, target, message and fields, without a secret in any of them.

use std::fmt::{Debug, Write as _};

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use crate::config::withheld;
use crate::model::text::Text;
use crate::model::time::rfc3339;

/// The longest value, in characters.
const LONGEST: usize = 4096;

/// What an event says, value by value.
#[derive(Default)]
struct Said {
    message: String,
    fields: Map<String, Value>,
}

impl Said {
    fn text(&mut self, field: &Field, text: &str) {
        if field.name() == "message" {
            text.clone_into(&mut self.message);
        } else {
            self.fields.insert(field.name().to_owned(), json!(text));
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // A string takes whatever is written.
        let _ = write!(text, "{value:?}");
        self.text(field, &text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.insert(field.name().to_owned(), json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.insert(field.name().to_owned(), json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.fields.insert(field.name().to_owned(), json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.insert(field.name().to_owned(), json!(value));
    }
}

/// The line of an event.
pub(super) fn line(at: &chrono::DateTime<chrono::Utc>, event: &Event<'_>) -> String {
    let mut said = Said::default();
    event.record(&mut said);
    let meta = event.metadata();
    written(&rfc3339(at), *meta.level(), meta.target(), said, &withheld::from_all)
}

/// Puts the line together; `scrub` takes out of each text what is secret.
fn written(time: &str, level: Level, target: &str, said: Said, scrub: &dyn Fn(&str) -> String) -> String {
    // What is invisible is made visible before it is looked at: it could part a secret. Cut is what is already clean of both.
    let clean = |text: &str| {
        let mut visible = String::with_capacity(text.len());
        for line in text.lines() {
            if !visible.is_empty() {
                visible.push_str(" \u{b7} ");
            }
            visible.push_str(Text::clean_within(line, usize::MAX).as_str());
        }
        Text::clean_within(&scrub(&visible), LONGEST).to_string()
    };
    let fields: Map<String, Value> = said
        .fields
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                Value::String(_) if withheld::names_a_secret(&name) => json!(withheld::HIDDEN),
                Value::String(text) => json!(clean(&text)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value,
            };
            (name, value)
        })
        .collect();
    let level = level.as_str().to_ascii_lowercase();
    json!({ "time": time, "level": level, "target": target, "message": clean(&said.message), "fields": fields }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: &str, fields: &[(&str, Value)]) -> String {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let scrub = |text: &str| withheld::by_form(&text.replace("planted", "(secret)"));
        written("2026-11-30T02:00:00.000Z", Level::WARN, "gonogo::x", Said { message: message.to_owned(), fields }, &scrub)
    }

    #[test]
    fn a_line_has_time_level_target_message_and_fields_in_this_order() {
        let line = of("no answer", &[("backend", json!("prom")), ("took_ms", json!(20))]);
        assert_eq!(
            line,
            "{\"time\":\"2026-11-30T02:00:00.000Z\",\"level\":\"warn\",\"target\":\"gonogo::x\",\"message\":\"no answer\",\"fields\":{\"backend\":\"prom\",\"took_ms\":20}}"
        );
    }

    #[test]
    fn no_text_of_an_event_holds_a_secret_also_parted_or_at_the_cut() {
        let far = format!("{}planted", "x".repeat(LONGEST - 3));
        for text in ["plan\u{200b}ted planted", &far, "a\nplanted\n", "\u{1b}[31mplanted"] {
            let line = of(text, &[("error", json!(text)), ("token", json!("anything"))]);
            assert!(!line.contains("planted") && !line.contains("anything") && !line.contains("xplan"), "{line}");
            assert!(!line.contains('\n') && !line.contains('\u{1b}') && !line.contains('\u{200b}'), "{line}");
        }
    }
}
