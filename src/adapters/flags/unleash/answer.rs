//! What Unleash answers, read strictly where a decision hangs on it.

use serde_json::{Map, Value, json};

use super::super::digest;
use crate::model::error::PortErrorKind;
use crate::model::flag::{FlagChange, FlagMark, FlagRef, FlagState};
use crate::model::share::Percent;
use crate::model::text::Text;

/// The strategy whose percentage is set from here.
pub(super) const GRADUAL: &str = "flexibleRollout";
/// Strategies that are told in words.
const MOST: usize = 30;

/// A flag in its environment.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) state: FlagState,
    /// The one gradual rollout, where there is nothing else.
    pub(super) rollout: Option<Rollout>,
}

/// A gradual rollout as it was read.
#[derive(Debug, Clone)]
pub(super) struct Rollout {
    pub(super) id: String,
    pub(super) parameters: Value,
    pub(super) constraints: Value,
}

/// A strategy that is added where there was none: the same users for the same percentage, each time.
pub(super) fn new_rollout(flag: &str, percent: &str) -> Value {
    json!({ "name": GRADUAL, "parameters": { "rollout": percent, "stickiness": "default", "groupId": flag } })
}

/// A flag out of `GET .../features/{flag}`.
///
/// # Errors
/// What is missing or not as it should be, with the kind of failure.
pub(super) fn flag(value: &Value, flag: &FlagRef) -> Result<Found, (PortErrorKind, String)> {
    let wrong = |detail: &str| (PortErrorKind::Malformed, detail.to_owned());
    if value.get("name").and_then(Value::as_str) != Some(flag.name.as_str()) {
        return Err(wrong("it answered with another flag"));
    }
    if value.get("archived").and_then(Value::as_bool) == Some(true) {
        return Err((PortErrorKind::NotFound, "it is archived there".to_owned()));
    }
    let environments = value.get("environments").and_then(Value::as_array).ok_or_else(|| wrong("its answer has no environments"))?;
    let name = |environment: &Value| environment.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let here = environments.iter().find(|environment| name(environment) == flag.environment).ok_or_else(|| {
        let known: Vec<String> = environments.iter().map(name).collect();
        (PortErrorKind::NotFound, format!("it has no environment {}; it has {}", flag.environment, known.join(", ")))
    })?;
    let on = here.get("enabled").and_then(Value::as_bool).ok_or_else(|| wrong("it does not say whether the flag is enabled"))?;
    let strategies = here.get("strategies").and_then(Value::as_array).ok_or_else(|| wrong("it does not say by which strategies"))?;
    let planned = !list(here, "releasePlans").is_empty();
    let gradual = gradual(strategies, planned);
    let percent = gradual.as_ref().ok().and_then(|rollout| Some(rollout.as_ref()?.1));
    let (fixed, rollout) = match gradual {
        Ok(rollout) => (None, rollout.map(|(rollout, _)| rollout)),
        Err(why) => (Some(Text::clean_within(&why, 300)), None),
    };
    let rest: Vec<Value> = strategies.iter().map(|strategy| deciding(strategy, percent.is_some())).collect();
    let rest = json!({
        "strategies": rest, "variants": here.get("variants"), "plans": here.get("releasePlans"), "dependencies": value.get("dependencies"),
    });
    let state = FlagState {
        mark: FlagMark { on, percent, rest: digest(&rest) },
        strategies: strategies.iter().take(MOST).map(in_words).collect(),
        fixed,
        stale: value.get("stale").and_then(Value::as_bool) == Some(true),
        changed: None,
    };
    Ok(Found { state, rollout })
}

/// The one gradual rollout and its percentage; none where there is no strategy. The error says why no percentage is set from here.
fn gradual(strategies: &[Value], planned: bool) -> Result<Option<(Rollout, Percent)>, String> {
    if planned {
        return Err("a release plan of Unleash sets it".to_owned());
    }
    let one = match strategies {
        [] => return Ok(None),
        [one] => one,
        many => return Err(format!("it has {} strategies, each of which can choose users", many.len())),
    };
    let name = one.get("name").and_then(Value::as_str).unwrap_or_default();
    if name != GRADUAL {
        return Err(format!("its strategy is {}, not a gradual rollout", Text::clean_within(name, 60)));
    }
    if one.get("disabled").and_then(Value::as_bool) == Some(true) {
        return Err("its only strategy is disabled there".to_owned());
    }
    let parameters = one.get("parameters").cloned().unwrap_or(Value::Null);
    let typed = match parameters.get("rollout") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => return Err("its gradual rollout has no percentage".to_owned()),
    };
    let percent = typed.parse().ok().and_then(Percent::new);
    let percent = percent.ok_or_else(|| format!("its rollout is `{}`, which is no percentage", Text::clean_within(&typed, 20)))?;
    let id = one.get("id").and_then(Value::as_str).ok_or("its strategy has no identity")?;
    let constraints = one.get("constraints").cloned().unwrap_or_else(|| json!([]));
    Ok(Some((Rollout { id: id.to_owned(), parameters, constraints }, percent)))
}

/// What of a strategy decides who gets the flag, without what is only for people, and without the percentage where that is told by itself.
fn deciding(strategy: &Value, without_percent: bool) -> Value {
    let mut kept: Map<String, Value> = strategy.as_object().cloned().unwrap_or_default();
    kept.retain(|key, _| matches!(key.as_str(), "id" | "name" | "parameters" | "constraints" | "segments" | "variants" | "disabled"));
    if let (true, Some(Value::Object(parameters))) = (without_percent, kept.get_mut("parameters")) {
        parameters.remove("rollout");
    }
    Value::Object(kept)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A strategy in words, with everything that it is given.
fn in_words(strategy: &Value) -> Text {
    let text = |key: &str| strategy.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut words = text("name").to_owned();
    if !text("title").is_empty() {
        words.push_str(&format!(" \"{}\"", text("title")));
    }
    if let Some(Value::Object(parameters)) = strategy.get("parameters") {
        for (name, value) in parameters {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            words.push_str(&format!(" {name}={value}"));
        }
    }
    for (key, one) in [("constraints", "constraint"), ("segments", "segment"), ("variants", "variant")] {
        match list(strategy, key).len() {
            0 => {}
            1 => words.push_str(&format!(", 1 {one}")),
            many => words.push_str(&format!(", {many} {key}")),
        }
    }
    if strategy.get("disabled").and_then(Value::as_bool) == Some(true) {
        words.push_str(", disabled");
    }
    Text::clean_within(&words, 300)
}

/// The newest change out of `GET /api/admin/search/events`.
pub(super) fn change(value: &Value) -> Option<FlagChange> {
    let event = list(value, "events").first()?;
    let at = event.get("createdAt").and_then(Value::as_str)?;
    let at = chrono::DateTime::parse_from_rfc3339(at).ok()?.to_utc();
    let by = event.get("createdBy").and_then(Value::as_str).unwrap_or_default();
    Some(FlagChange { at, by: Text::clean_within(by, 100) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> FlagRef {
        FlagRef { name: "new-checkout".to_owned(), project: "default".to_owned(), environment: "production".to_owned() }
    }

    fn answer(environment: &Value) -> Value {
        json!({ "name": "new-checkout", "archived": false, "stale": true, "environments": [{ "name": "development" }, environment] })
    }

    fn gradual(rollout: &Value) -> Value {
        json!({ "id": "a1", "name": GRADUAL, "parameters": { "rollout": rollout, "stickiness": "default" }, "constraints": [] })
    }

    fn found(on: bool, strategies: &[Value]) -> Found {
        flag(&answer(&json!({ "name": "production", "enabled": on, "strategies": strategies })), &place()).unwrap()
    }

    #[test]
    fn one_gradual_rollout_has_a_percentage_that_is_set_from_here() {
        let found = found(true, &[gradual(&json!("25"))]);
        assert_eq!((found.state.mark.on, found.state.mark.percent.map(Percent::get)), (true, Some(25)));
        assert!(found.state.fixed.is_none() && found.state.stale && found.rollout.is_some());
        assert_eq!(found.state.strategies[0].as_str(), "flexibleRollout rollout=25 stickiness=default");
    }

    #[test]
    fn anything_else_is_shown_whole_and_its_percentage_is_not_set() {
        let users = json!({ "id": "b", "name": "userWithId", "parameters": { "userIds": "ana\u{1b}[2J" } });
        let disabled = json!({ "id": "c", "name": GRADUAL, "disabled": true, "parameters": { "rollout": "5" } });
        for (strategies, why) in [
            (vec![users.clone()], "its strategy is userWithId, not a gradual rollout"),
            (vec![gradual(&json!("25")), users], "it has 2 strategies, each of which can choose users"),
            (vec![gradual(&json!("150"))], "its rollout is `150`, which is no percentage"),
            (vec![gradual(&json!("12.5"))], "its rollout is `12.5`, which is no percentage"),
            (vec![disabled], "its only strategy is disabled there"),
        ] {
            let found = found(true, &strategies);
            assert_eq!(found.state.fixed.as_ref().map(Text::as_str), Some(why));
            assert_eq!(found.state.mark.percent, None);
            assert_eq!(found.state.strategies.len(), strategies.len());
            assert!(!found.state.strategies.iter().any(|words| words.as_str().contains('\u{1b}')));
        }
    }

    #[test]
    fn the_mark_sees_what_decides_and_nothing_else() {
        let one = found(true, &[gradual(&json!("25"))]).state.mark;
        assert_eq!(found(true, &[gradual(&json!("50"))]).state.mark.rest, one.rest);
        let mut titled = gradual(&json!("25"));
        titled["title"] = json!("for people");
        assert_eq!(found(true, &[titled]).state.mark, one);
        let mut narrowed = gradual(&json!("25"));
        narrowed["constraints"] = json!([{ "contextName": "country", "operator": "IN", "values": ["DE"] }]);
        assert_ne!(found(true, &[narrowed]).state.mark.rest, one.rest);
    }

    #[test]
    fn what_is_not_there_is_said() {
        let other = FlagRef { environment: "staging".to_owned(), ..place() };
        let (kind, why) = flag(&answer(&json!({ "name": "production", "enabled": true, "strategies": [] })), &other).unwrap_err();
        assert_eq!((kind, why.as_str()), (PortErrorKind::NotFound, "it has no environment staging; it has development, production"));
        let lacking = answer(&json!({ "name": "production", "strategies": [] }));
        assert_eq!(flag(&lacking, &place()).unwrap_err().0, PortErrorKind::Malformed);
        let another = json!({ "name": "other", "environments": [] });
        assert_eq!(flag(&another, &place()).unwrap_err().0, PortErrorKind::Malformed);
    }
}
