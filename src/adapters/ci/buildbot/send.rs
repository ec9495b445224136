//! Force, rebuild and stop, each sent once, after everything was looked at that Buildbot itself would silently pass over.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::{Buildbot, KEY, wire};
use crate::adapters::http::segment;
use crate::model::deed::{Effect, EffectKey};
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::plan::StepEffect;
use crate::ports::ci::RunReceipt;

/// Names of the call itself, which no property may have.
const OF_THE_CALL: [&str; 5] = ["builderid", "builderNames", "owner", "reason", "username"];
/// Fields that Buildbot puts elsewhere than into the properties of the request, where the key would not be found.
const ELSEWHERE: [&str; 5] = ["priority", "branch", "project", "repository", "revision"];

/// A call that is ready to be sent.
pub(super) struct Call {
    pub(super) path: String,
    pub(super) method: &'static str,
    pub(super) params: Value,
}

impl Call {
    /// Starts a build of a builder. The builder's name goes along instead of its number, since Buildbot compares only names with the
    /// builders of the scheduler.
    pub(super) fn force(scheduler: &str, builder: &str, reason: &str, properties: &Map<String, Value>) -> Self {
        let mut params = properties.clone();
        params.insert("builderNames".to_owned(), json!([builder]));
        params.insert("reason".to_owned(), json!(reason));
        Self { path: format!("/forceschedulers/{}", segment(scheduler)), method: "force", params: Value::Object(params) }
    }

    pub(super) fn rebuild(run: u64) -> Self {
        Self { path: format!("/builds/{run}"), method: "rebuild", params: json!({}) }
    }

    pub(super) fn stop(run: u64, reason: &str) -> Self {
        Self { path: format!("/builds/{run}"), method: "stop", params: json!({ "reason": reason }) }
    }

    pub(super) fn body(&self) -> Value {
        json!({"jsonrpc": "2.0", "id": 1, "method": self.method, "params": self.params})
    }
}

/// How a scheduler takes a property.
struct Declared {
    kind: String,
    /// It becomes a property of that very name.
    plain: bool,
}

/// What stands in the way of sending.
type Obstacle = (PortErrorKind, String);

impl Buildbot {
    pub(super) async fn send_effect(&self, effect: &Effect) -> Result<RunReceipt, SendError> {
        match effect.what() {
            StepEffect::Start { builder, scheduler, properties, .. } => {
                let doing = format!("start {builder}");
                let call = self.start_call(&doing, builder, scheduler, properties, effect.key()).await.map_err(SendError::NotDone)?;
                let result = self.call(&doing, &call).await?;
                self.receipt(&doing, &result)
            }
            StepEffect::Retry { builder, run, .. } => {
                let doing = format!("run {run} again");
                self.check_retry(&doing, builder, *run).await.map_err(SendError::NotDone)?;
                let result = self.call(&doing, &Call::rebuild(*run)).await?;
                self.receipt(&doing, &result)
            }
            StepEffect::Cancel { builder, run, .. } => {
                let doing = format!("cancel {run}");
                let over = self.state_of(&doing, builder, *run).await.map_err(SendError::NotDone)?;
                if let Some(word) = over {
                    let error = self.fault(PortErrorKind::Conflict, &doing, &format!("it has ended already: {word}"));
                    return Err(SendError::NotDone(error));
                }
                self.call(&doing, &Call::stop(*run, &reason(effect.key()))).await?;
                Ok(RunReceipt { request: None })
            }
            StepEffect::Repeat { .. } | StepEffect::Answer { .. } => {
                let doing = "repeat a run or answer for one";
                Err(SendError::NotDone(self.fault(PortErrorKind::Unsupported, doing, "Buildbot knows neither attempts nor gates")))
            }
            StepEffect::Weights { .. }
            | StepEffect::Workload { .. }
            | StepEffect::Flag { .. }
            | StepEffect::Drain { .. }
            | StepEffect::Silence { .. } => {
                let error = self.fault(PortErrorKind::Unsupported, "set weights", "a CI system has no weights and no workloads");
                Err(SendError::NotDone(error))
            }
        }
    }

    async fn start_call(
        &self,
        doing: &str,
        builder: &str,
        scheduler: &str,
        properties: &BTreeMap<String, String>,
        key: EffectKey,
    ) -> Result<Call, PortError> {
        let path = format!("/forceschedulers/{}", segment(scheduler));
        let read = self.get_one::<wire::ForceSchedulers>(doing, &path, &[]).await?;
        let found = read.and_then(|read| read.forceschedulers.into_iter().next());
        let Some(found) = found else {
            return Err(self.fault(PortErrorKind::NotFound, doing, &format!("there is no force scheduler `{scheduler}`")));
        };
        let checked = accepts(&found, builder, scheduler).and_then(|()| filled(&found, scheduler, properties, key));
        let properties = checked.map_err(|(kind, detail)| self.fault(kind, doing, &detail))?;
        Ok(Call::force(scheduler, builder, &reason(key), &properties))
    }

    /// Refuses what Buildbot would carry out all the same: a run that goes on, or one that is being repeated already.
    async fn check_retry(&self, doing: &str, builder: &str, run: u64) -> Result<(), PortError> {
        if self.state_of(doing, builder, run).await?.is_none() {
            return Err(self.fault(PortErrorKind::Conflict, doing, "it has not ended"));
        }
        let Some(first) = self.first_of(run).await? else {
            return Err(self.fault(PortErrorKind::NotFound, doing, "there is no such build"));
        };
        let under_way = self.repetitions(doing, first).await?.into_iter().find(|set| set.complete == Some(false));
        match under_way {
            Some(set) => {
                Err(self.fault(PortErrorKind::Conflict, doing, &format!("it is being repeated already, by build set {}", set.bsid)))
            }
            None => Ok(()),
        }
    }

    /// The word of the state in which a run ended, none while it goes on. It must be a run of that builder: numbers begin anew with a
    /// new database.
    async fn state_of(&self, doing: &str, builder: &str, run: u64) -> Result<Option<&'static str>, PortError> {
        let Some(id) = self.builder_id(builder).await? else {
            return Err(self.fault(PortErrorKind::NotFound, doing, &format!("there is no builder `{builder}`")));
        };
        let Some(read) = self.build(run).await? else {
            return Err(self.fault(PortErrorKind::NotFound, doing, &format!("there is no build {run}")));
        };
        if read.0.builderid.is_some_and(|other| other != id) {
            return Err(self.fault(PortErrorKind::Conflict, doing, &format!("build {run} is none of the builder `{builder}`")));
        }
        let state = self.run_of(builder, &read).state;
        Ok(state.is_over().then(|| state.word()))
    }

    /// Sends a call once. An error in the answer means that Buildbot refused.
    async fn call(&self, doing: &str, call: &Call) -> Result<Value, SendError> {
        let answer = self.http.post_json(doing, &format!("/api/v2{}", call.path), &call.body()).await?;
        let Ok(reply) = wire::RpcReply::deserialize(&*answer.value) else {
            return Err(SendError::Unknown(self.fault(PortErrorKind::Malformed, doing, "answered what is no JSON-RPC")));
        };
        match reply.error {
            Some(error) => {
                let said = error.message.as_str().map_or_else(|| error.message.to_string(), str::to_owned);
                Err(SendError::NotDone(self.fault(PortErrorKind::Refused, doing, &said)))
            }
            None => Ok(reply.result),
        }
    }

    /// The request out of `[bsid, {builderid: buildrequestid}]`.
    fn receipt(&self, doing: &str, result: &Value) -> Result<RunReceipt, SendError> {
        let requests = result.as_array().and_then(|pair| pair.get(1)).and_then(Value::as_object);
        match requests.and_then(|requests| requests.values().next()).and_then(Value::as_u64) {
            Some(request) => Ok(RunReceipt { request: Some(request) }),
            None => Err(SendError::Unknown(self.fault(PortErrorKind::Malformed, doing, "answered without the number of a request"))),
        }
    }
}

/// The reason that travels with a call.
pub(super) fn reason(key: EffectKey) -> String {
    format!("gonogo {key}")
}

fn accepts(found: &wire::ForceScheduler, builder: &str, scheduler: &str) -> Result<(), Obstacle> {
    if found.enabled == Some(false) {
        return Err((PortErrorKind::Refused, format!("the force scheduler `{scheduler}` is switched off")));
    }
    if found.builder_names.iter().any(|name| name == builder) {
        Ok(())
    } else {
        Err((PortErrorKind::Refused, format!("the force scheduler `{scheduler}` is not one of the builder `{builder}`")))
    }
}

/// The properties as they are sent. Buildbot drops what its scheduler does not declare without a word, so that is refused here; above
/// all a lost key could never be looked up again.
fn filled(
    found: &wire::ForceScheduler,
    scheduler: &str,
    properties: &BTreeMap<String, String>,
    key: EffectKey,
) -> Result<Map<String, Value>, Obstacle> {
    let mut declared = BTreeMap::new();
    declare(&found.all_fields, true, 0, &mut declared);
    let mut out = Map::new();
    let mut bears_key = false;
    for (name, value) in properties {
        let refuse = |why: &str| Err((PortErrorKind::Refused, format!("the property `{name}` {why}")));
        if OF_THE_CALL.contains(&name.as_str()) {
            return refuse("has a name that the call itself uses");
        }
        let Some(field) = declared.get(name.as_str()) else {
            return refuse(&format!("is not declared by the force scheduler `{scheduler}`, which would drop it"));
        };
        if field.kind == "fixed" {
            return refuse(&format!("is fixed by the force scheduler `{scheduler}`, which would drop ours"));
        }
        let is_key = value == KEY;
        if is_key && (!field.plain || ELSEWHERE.contains(&name.as_str()) || matches!(field.kind.as_str(), "int" | "bool" | "list" | "file"))
        {
            return refuse("cannot take the key: declare a StringParameter for it");
        }
        bears_key |= is_key;
        let value = match (is_key, field.kind.as_str(), value.as_str()) {
            (true, _, _) => json!(key.to_string()),
            (false, "bool", "true") => json!(true),
            (false, "bool", "false") => json!(false),
            (false, "bool", _) => return refuse("is declared as true or false and is neither"),
            (false, _, text) => json!(text),
        };
        out.insert(name.clone(), value);
    }
    if bears_key {
        Ok(out)
    } else {
        let why = "no property takes `$key`, so that the run could not be found again; add e.g. gonogo_key = \"$key\"";
        Err((PortErrorKind::Refused, why.to_owned()))
    }
}

fn declare(fields: &[wire::Field], plain: bool, depth: u8, out: &mut BTreeMap<String, Declared>) {
    for field in fields {
        let name = field.full_name.clone().filter(|name| !name.is_empty());
        match &field.fields {
            Some(inner) if depth < 8 => declare(inner, plain && name.is_none(), depth + 1, out),
            Some(_) => {}
            None => {
                if let Some(name) = name {
                    out.insert(name, Declared { kind: field.kind.clone().unwrap_or_default(), plain });
                }
            }
        }
    }
}

/// What is shown of a property when there is no key yet.
pub(super) fn by_hand(properties: &BTreeMap<String, String>) -> Map<String, Value> {
    let value = |value: &String| if value == KEY { json!("by-hand") } else { json!(value) };
    properties.iter().map(|(name, text)| (name.clone(), value(text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::PlanId;
    use rstest::rstest;

    fn scheduler() -> wire::ForceScheduler {
        let field = |name: &str, kind: &str| json!({"fullName": name, "name": name, "type": kind});
        let standard = json!({"fullName": null, "type": "nested", "fields": [field("username", "username"), field("reason", "text")]});
        let source = json!({"fullName": null, "type": "nested", "fields": [field("branch", "text")]});
        let group = json!({"fullName": "group", "type": "nested", "fields": [field("group.inner", "text")]});
        let fields =
            json!([standard, source, group, field("gonogo_key", "text"), field("set", "fixed"), field("dry", "bool"), field("n", "int")]);
        serde_json::from_value(json!({"enabled": true, "builder_names": ["checkout"], "all_fields": fields})).unwrap()
    }

    fn fill(properties: &[(&str, &str)]) -> Result<Map<String, Value>, Obstacle> {
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        filled(&scheduler(), "force", &properties, EffectKey { plan: PlanId([0xab; 32]), step: 3 })
    }

    #[test]
    fn the_key_takes_the_place_of_its_word() {
        let out = fill(&[("gonogo_key", "$key"), ("branch", "main"), ("dry", "true"), ("n", "5"), ("group.inner", "x")]).unwrap();
        let key = format!("{}-3", "ab".repeat(32));
        assert_eq!(Value::Object(out), json!({"gonogo_key": key, "branch": "main", "dry": true, "n": "5", "group.inner": "x"}));
    }

    #[rstest]
    #[case(&[("branch", "main")], "no property takes `$key`")]
    #[case(&[("gonogo_key", "$key"), ("slot", "v2")], "`slot` is not declared")]
    #[case(&[("gonogo_key", "$key"), ("set", "x")], "`set` is fixed")]
    #[case(&[("gonogo_key", "$key"), ("dry", "yes")], "`dry` is declared as true or false")]
    #[case(&[("gonogo_key", "$key"), ("reason", "x")], "`reason` has a name that the call itself uses")]
    #[case(&[("branch", "$key")], "`branch` cannot take the key")]
    #[case(&[("n", "$key")], "`n` cannot take the key")]
    #[case(&[("group.inner", "$key")], "`group.inner` cannot take the key")]
    fn what_buildbot_would_drop_is_refused(#[case] properties: &[(&str, &str)], #[case] words: &str) {
        let (kind, detail) = fill(properties).unwrap_err();
        assert_eq!(kind, PortErrorKind::Refused);
        assert!(detail.contains(words), "{detail}");
    }

    #[test]
    fn a_scheduler_that_is_off_or_another_builders_is_refused() {
        let mut found = scheduler();
        assert!(accepts(&found, "checkout", "force").is_ok());
        assert!(accepts(&found, "other", "force").unwrap_err().1.contains("not one of the builder"));
        found.enabled = Some(false);
        assert!(accepts(&found, "checkout", "force").unwrap_err().1.contains("switched off"));
    }
}
