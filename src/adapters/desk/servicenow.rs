//! ServiceNow's Change Management API: a change is made, led through its states as the desk allows, and closed.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::adapters::http::{HttpClient, segment};
use crate::model::change::ChangeType;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::text::Text;
use crate::ports::Pending;
use crate::ports::desk::{By, Change, Desk, Draft, Ending, Stage};
use crate::ports::notify::NotifyError;

const BASE: &str = "/api/sn_chg_rest/change";
/// Who made it, beside the plan: other tools may keep identities of their own there.
const DISPLAY: &str = "gonogo";
/// Characters kept of a number: what is said of the change stands behind it.
const LONGEST: usize = 40;
/// No change has more states to go through.
const MOST_STEPS: usize = 8;

/// A ServiceNow.
pub struct ServiceNow {
    http: HttpClient,
    fields: BTreeMap<String, String>,
    template: Option<String>,
}

impl ServiceNow {
    /// A desk; `fields` are written into every change, with `$service` and `$environment` replaced.
    pub fn new(http: HttpClient, fields: BTreeMap<String, String>, template: Option<String>) -> Self {
        Self { http, fields, template }
    }

    async fn look_for(&self, by: By<'_>) -> Result<Option<Change>, NotifyError> {
        const DOING: &str = "look for the change";
        let (field, value) = match by {
            By::Plan(plan) => ("correlation_id", plan.to_string()),
            By::Number(number) if number.bytes().all(|byte| byte.is_ascii_alphanumeric()) => ("number", number.to_owned()),
            By::Number(_) => return Ok(None),
        };
        let query = format!("{field}={value}");
        let answer = self.http.get_json(DOING, BASE, &[("sysparm_query", &query), ("sysparm_limit", "10")]).await.map_err(read)?;
        let malformed = |why: &str| NotifyError::Later(self.http.fault(PortErrorKind::Malformed, DOING, why));
        let list = answer.value.get("result").and_then(Value::as_array).ok_or_else(|| malformed("the answer has no list `result`"))?;
        // A query that it does not understand is dropped there, and everything is answered: then nothing is known.
        if list.iter().any(|record| text(record, field) != Some(&value)) {
            return Err(malformed("it answered changes that were not asked for: the query was not understood"));
        }
        let ours = |record: &&Value| field == "number" || text(record, "correlation_display") == Some(DISPLAY);
        list.iter().find(ours).map(|record| self.change(DOING, record)).transpose()
    }

    async fn make(&self, draft: &Draft) -> Result<Change, NotifyError> {
        const DOING: &str = "open a change";
        let path = match (draft.kind, &self.template) {
            (ChangeType::Emergency, _) => format!("{BASE}/emergency"),
            (ChangeType::Standard, Some(template)) => format!("{BASE}/standard/{}", segment(template)),
            (ChangeType::Standard | ChangeType::Normal, _) => format!("{BASE}/normal"),
        };
        let mut body = Map::new();
        for (name, value) in &self.fields {
            let value = value.replace("$service", &draft.service).replace("$environment", &draft.environment);
            body.insert(name.clone(), value.into());
        }
        let stamp = |at: &chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M:%S").to_string();
        for (name, value) in [
            ("short_description", draft.short.clone()),
            ("description", draft.description.clone()),
            ("justification", draft.justification.clone()),
            ("implementation_plan", draft.implementation.clone()),
            ("backout_plan", draft.backout.clone()),
            ("start_date", stamp(&draft.begins)),
            ("end_date", stamp(&draft.ends)),
            ("correlation_id", draft.plan.to_string()),
            ("correlation_display", DISPLAY.to_owned()),
        ] {
            if !value.is_empty() {
                body.insert(name.to_owned(), value.into());
            }
        }
        let answer = self.http.post_json(DOING, &path, &Value::Object(body)).await.map_err(sent)?;
        self.change(DOING, answer.value.get("result").unwrap_or(&Value::Null))
    }

    async fn patch(&self, doing: &str, id: &str, body: &Value) -> Result<Change, NotifyError> {
        let answer = self.http.patch_json(doing, &format!("{BASE}/{}", segment(id)), body).await.map_err(sent)?;
        self.change(doing, answer.value.get("result").unwrap_or(&Value::Null))
    }

    async fn lead(&self, id: &str, to: Stage, ending: Option<(Ending, &str)>) -> Result<Change, NotifyError> {
        const DOING: &str = "lead the change on";
        let path = format!("{BASE}/{}", segment(id));
        let record = self.http.get_json(DOING, &path, &[]).await.map_err(read)?;
        let mut change = self.change(DOING, record.value.get("result").unwrap_or(&Value::Null))?;
        for _ in 0..MOST_STEPS {
            if change.stage >= to {
                return Ok(change);
            }
            let next = self.http.get_json(DOING, &format!("{path}/nextstate"), &[]).await.map_err(read)?;
            let states = next.value.pointer("/result/available_states").and_then(Value::as_array);
            let open: Vec<Stage> = states.into_iter().flatten().filter_map(|state| stage(state.as_str()?)).collect();
            let further =
                open.iter().copied().filter(|stage| *stage > change.stage && *stage <= to && (*stage != Stage::Canceled || to == *stage));
            let Some(step) = further.max() else {
                let why =
                    format!("{} is in {} there and may not go on to {}: see to it there", change.number, change.stage.word(), to.word());
                return Err(NotifyError::Refused(self.http.fault(PortErrorKind::Refused, DOING, &why)));
            };
            let mut body = json!({ "state": number(step) });
            if let (Some((ending, words)), Value::Object(body)) = (ending, &mut body) {
                if step == Stage::Closed {
                    body.insert("close_code".to_owned(), code(ending).into());
                    body.insert("close_notes".to_owned(), words.into());
                }
                if step == to {
                    body.insert("work_notes".to_owned(), words.into());
                }
            }
            change = self.patch(DOING, id, &body).await?;
        }
        Ok(change)
    }

    fn change(&self, doing: &str, record: &Value) -> Result<Change, NotifyError> {
        if let (Some(id), Some(number), Some(stage)) = (text(record, "sys_id"), called(record), text(record, "state").and_then(stage)) {
            Ok(Change { id: id.to_owned(), number, stage })
        } else {
            let why = "the answer holds no change with sys_id, number and a state that is known";
            Err(NotifyError::Later(self.http.fault(PortErrorKind::Malformed, doing, why)))
        }
    }
}

/// A field: `{value, display_value}`, or the value alone.
fn text<'a>(record: &'a Value, name: &str) -> Option<&'a str> {
    let field = record.get(name)?;
    field.get("value").unwrap_or(field).as_str()
}

/// How people call it.
fn called(record: &Value) -> Option<Text> {
    text(record, "number").map(|number| Text::clean_within(number, LONGEST))
}

fn stage(value: &str) -> Option<Stage> {
    Some(match value.trim().trim_end_matches(".0") {
        "-5" => Stage::New,
        "-4" => Stage::Assess,
        "-3" => Stage::Authorize,
        "-2" => Stage::Scheduled,
        "-1" => Stage::Implement,
        "0" => Stage::Review,
        "3" => Stage::Closed,
        "4" => Stage::Canceled,
        _ => return None,
    })
}

fn number(stage: Stage) -> &'static str {
    match stage {
        Stage::New => "-5",
        Stage::Assess => "-4",
        Stage::Authorize => "-3",
        Stage::Scheduled => "-2",
        Stage::Implement => "-1",
        Stage::Review => "0",
        Stage::Closed => "3",
        Stage::Canceled => "4",
    }
}

fn code(ending: Ending) -> &'static str {
    match ending {
        Ending::Successful => "successful",
        Ending::WithIssues => "successful_issues",
        Ending::Unsuccessful => "unsuccessful",
    }
}

fn read(error: PortError) -> NotifyError {
    match error.kind {
        PortErrorKind::Unauthorised
        | PortErrorKind::Forbidden
        | PortErrorKind::NotFound
        | PortErrorKind::Conflict
        | PortErrorKind::Refused => NotifyError::Refused(error),
        PortErrorKind::Unreachable
        | PortErrorKind::TimedOut
        | PortErrorKind::RateLimited { .. }
        | PortErrorKind::Unsupported
        | PortErrorKind::Malformed => NotifyError::Later(error),
    }
}

/// What nobody knows the outcome of is tried later, and looked for first.
fn sent(error: SendError) -> NotifyError {
    match error {
        SendError::NotDone(error) => read(error),
        SendError::Unknown(error) => NotifyError::Later(error),
    }
}

impl Desk for ServiceNow {
    fn find<'a>(&'a self, by: By<'a>) -> Pending<'a, Result<Option<Change>, NotifyError>> {
        Box::pin(self.look_for(by))
    }
    fn open<'a>(&'a self, draft: &'a Draft) -> Pending<'a, Result<Change, NotifyError>> {
        Box::pin(self.make(draft))
    }
    fn note<'a>(&'a self, id: &'a str, words: &'a str) -> Pending<'a, Result<(), NotifyError>> {
        Box::pin(async move { self.patch("write beside the change", id, &json!({ "work_notes": words })).await.map(drop) })
    }
    fn advance<'a>(&'a self, id: &'a str, to: Stage, ending: Option<(Ending, &'a str)>) -> Pending<'a, Result<Change, NotifyError>> {
        Box::pin(self.lead(id, to, ending))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_cleaned_and_leaves_place_for_what_is_said_of_it() {
        let told = |number: &str| called(&json!({ "number": { "value": number, "display_value": "x" } })).unwrap().to_string();
        assert_eq!(told("CHG0030001"), "CHG0030001");
        assert_eq!(told("CHG\u{1b}[2J\u{202e}"), "CHG␛[2J<U+202E>");
        assert_eq!(told(&"9".repeat(5_000)).chars().count(), LONGEST + 1);
        assert_eq!(called(&json!({})), None);
    }
}
