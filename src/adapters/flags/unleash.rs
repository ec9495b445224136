//! Unleash through its administration API: reads flags with their strategies, turns them on and off, sets the percentage of a gradual rollout.
//!
//! What surprised on the real server (7.5.1), and is guarded against: a failed `test` of a patch is answered with 500; `on` where there
//! is no strategy gives the flag to everybody; the replacing of a strategy without its parameters sets it to 100 %, so it is only patched.

mod answer;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::{Asked, asked, otherwise};
use crate::adapters::http::{HttpClient, segment};
use crate::adapters::shell::quoted;
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::flag::{FlagChange, FlagMark, FlagReading, FlagRef, FlagSeen};
use crate::model::plan::StepEffect;
use crate::model::text::Text;
use crate::ports::Pending;
use crate::ports::flags::Flags;

use answer::{Found, Rollout};

/// What a refused change is mended by where Unleash wants it asked for there.
const CHANGE_REQUESTS: &str =
    "give the token the right to change flags in that environment; where it asks for change requests, make one there";

/// An Unleash server.
pub struct Unleash {
    http: HttpClient,
    /// What was read last of each flag: who changed it is asked only when it stands otherwise, and commands name its strategy.
    seen: Mutex<BTreeMap<FlagRef, Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    mark: FlagMark,
    changed: Option<FlagChange>,
    rollout: Option<Rollout>,
}

impl Unleash {
    /// An Unleash behind a client for its API.
    pub fn new(http: HttpClient) -> Self {
        Self { http, seen: Mutex::default() }
    }

    fn feature(flag: &FlagRef) -> String {
        format!("/api/admin/projects/{}/features/{}", segment(&flag.project), segment(&flag.name))
    }

    fn environment(flag: &FlagRef) -> String {
        format!("{}/environments/{}", Self::feature(flag), segment(&flag.environment))
    }

    fn known(&self, flag: &FlagRef) -> Option<Known> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(flag).cloned()
    }

    /// A flag in its environment, without who changed it.
    async fn look(&self, flag: &FlagRef, doing: &str) -> Result<Found, PortError> {
        let answer = self.http.get_json(doing, &Self::feature(flag), &[]).await?;
        answer::flag(&answer.value, flag).map_err(|(kind, detail)| self.http.fault(kind, doing, &detail))
    }

    /// The newest change of a flag in its environment; none where it is not told to us.
    async fn changed(&self, flag: &FlagRef) -> Option<FlagChange> {
        let (name, place) = (format!("IS:{}", flag.name), format!("IS:{}", flag.environment));
        let query = [("feature", name.as_str()), ("environment", place.as_str()), ("limit", "1")];
        let answer = self.http.get_json("read who changed a flag", "/api/admin/search/events", &query).await.ok()?;
        answer::change(&answer.value)
    }

    /// Joins who changed it, asked anew only when it stands otherwise than it was read last.
    async fn complete(&self, flag: &FlagRef, found: &mut Found) {
        let known = self.known(flag).filter(|known| known.mark == found.state.mark);
        let changed = match known {
            Some(known) => known.changed,
            None => self.changed(flag).await,
        };
        found.state.changed.clone_from(&changed);
        let known = Known { mark: found.state.mark.clone(), changed, rollout: found.rollout.clone() };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(flag.clone(), known);
    }

    async fn observe(&self, flags: &[FlagRef]) -> Result<FlagReading, PortError> {
        let mut reading = FlagReading::default();
        let mut answers: BTreeMap<String, Result<std::sync::Arc<Value>, PortError>> = BTreeMap::new();
        for flag in flags {
            let path = Self::feature(flag);
            if !answers.contains_key(&path) {
                let doing = format!("read flag {}", flag.name);
                let answer = match self.http.get_json(&doing, &path, &[]).await {
                    Ok(answer) => {
                        reading.backend_clock = answer.date.or(reading.backend_clock);
                        Ok(answer.value)
                    }
                    // It is not there, or archived: nothing of the others.
                    Err(error) if error.kind == PortErrorKind::NotFound => Err(error),
                    Err(error) => return Err(error),
                };
                answers.insert(path.clone(), answer);
            }
            let found = match answers.get(&path) {
                Some(Ok(value)) => answer::flag(value, flag).map_err(|(_, detail)| detail),
                Some(Err(error)) => Err(error.detail.to_string()),
                None => Err("it was not read".to_owned()),
            };
            reading.flags.push(match found {
                Ok(mut found) => {
                    self.complete(flag, &mut found).await;
                    FlagSeen { flag: flag.clone(), state: Some(found.state), missing: None }
                }
                Err(why) => FlagSeen { flag: flag.clone(), state: None, missing: Some(Text::clean_within(&why, 300)) },
            });
        }
        Ok(reading)
    }

    async fn carry_out(&self, effect: &Effect) -> Result<(), SendError> {
        let not_done = |kind, doing: &str, detail: &str| SendError::NotDone(self.http.fault(kind, doing, detail));
        let asked = asked(effect.what(), self.http.backend()).map_err(|(kind, why)| not_done(kind, "carry out an effect", &why))?;
        let Asked { flag, on, percent, was } = asked;
        let doing = format!("set flag {}", flag.name);
        let found = self.look(flag, &doing).await.map_err(SendError::NotDone)?;
        if found.state.mark != *was {
            return Err(not_done(PortErrorKind::Conflict, &doing, &otherwise(was, &found.state.mark)));
        }
        if let (Some(_), Some(why)) = (percent, &found.state.fixed) {
            return Err(not_done(PortErrorKind::Unsupported, &doing, why.as_str()));
        }
        // Whoever turns it on where there is no strategy gives it to everybody.
        if on && percent.is_none() && found.state.strategies.is_empty() {
            return Err(not_done(PortErrorKind::Refused, &doing, "it has no strategy: Unleash would give it to everybody"));
        }
        let mut began = false;
        if let Some(percent) = percent.filter(|percent| on && found.state.mark.percent != Some(*percent)) {
            self.set_percent(flag, found.rollout.as_ref(), &percent.to_string(), &doing).await?;
            began = true;
        }
        if found.state.mark.on != on {
            let path = format!("{}/{}", Self::environment(flag), if on { "on" } else { "off" });
            self.http.post_json(&doing, &path, &Value::Null).await.map_err(|error| self.half_done(began, &doing, error))?;
            began = true;
        }
        if !began {
            return Ok(());
        }
        self.read_back(&asked, &doing).await
    }

    async fn set_percent(&self, flag: &FlagRef, rollout: Option<&Rollout>, percent: &str, doing: &str) -> Result<(), SendError> {
        let strategies = format!("{}/strategies", Self::environment(flag));
        let Some(rollout) = rollout else {
            return self.http.post_json(doing, &strategies, &answer::new_rollout(&flag.name, percent)).await.map(|_| ()).map_err(mended);
        };
        let path = format!("{strategies}/{}", segment(&rollout.id));
        match self.http.patch_json(doing, &path, &rollout.patch(percent)).await {
            Ok(_) => Ok(()),
            // Its own way to say that it is not as it was read: nothing was written.
            Err(SendError::Unknown(error)) if error.detail.as_str().contains("TEST_OPERATION_FAILED") => {
                let why = "its strategy was changed by another hand in between";
                Err(SendError::NotDone(self.http.fault(PortErrorKind::Conflict, doing, why)))
            }
            Err(error) => Err(mended(error)),
        }
    }

    /// A second write that was refused leaves the first one done.
    fn half_done(&self, began: bool, doing: &str, error: SendError) -> SendError {
        match error {
            SendError::NotDone(error) if began => {
                let detail = format!("its percentage is set, and it was not turned on: {}", error.detail);
                SendError::Unknown(self.http.fault(error.kind, doing, &detail))
            }
            other @ (SendError::NotDone(_) | SendError::Unknown(_)) => mended(other),
        }
    }

    async fn read_back(&self, asked: &Asked<'_>, doing: &str) -> Result<(), SendError> {
        let found = self.look(asked.flag, doing).await.map_err(SendError::Unknown)?;
        if found.state.mark.is(asked.on, asked.percent) {
            return Ok(());
        }
        let detail = format!("accepted, and it reads back as {}", found.state.mark.words());
        Err(SendError::Unknown(self.http.fault(PortErrorKind::Conflict, doing, &detail)))
    }
}

/// A refusal with what to do about it.
fn mended(error: SendError) -> SendError {
    match error {
        SendError::NotDone(error) if error.kind == PortErrorKind::Forbidden => SendError::NotDone(error.mended_by(CHANGE_REQUESTS)),
        other @ (SendError::NotDone(_) | SendError::Unknown(_)) => other,
    }
}

impl Flags for Unleash {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadFlags, Capability::SetFlags]
    }

    fn read<'a>(&'a self, flags: &'a [FlagRef]) -> Pending<'a, Result<FlagReading, PortError>> {
        Box::pin(self.observe(flags))
    }

    fn set<'a>(&'a self, effect: &'a Effect) -> Pending<'a, Result<(), SendError>> {
        Box::pin(self.carry_out(effect))
    }

    fn commands(&self, effect: &StepEffect) -> Vec<String> {
        let Ok(Asked { flag, on, percent, was }) = asked(effect, self.http.backend()) else { return Vec::new() };
        let curl = |method: &str, path: &str, body: Option<Value>| {
            let data =
                body.map(|body| format!("-H 'Content-Type: application/json' -d {} ", quoted(&body.to_string()))).unwrap_or_default();
            format!("curl -fsS -X {method} -H \"Authorization: $UNLEASH_TOKEN\" {data}{}", quoted(&self.http.address(path)))
        };
        let place = Self::environment(flag);
        let mut commands = Vec::new();
        if let Some(percent) = percent.filter(|percent| on && was.percent != Some(*percent)).map(|percent| percent.to_string()) {
            commands.push(match self.known(flag).and_then(|known| known.rollout) {
                Some(rollout) => curl("PATCH", &format!("{place}/strategies/{}", segment(&rollout.id)), Some(rollout.patch(&percent))),
                None => curl("POST", &format!("{place}/strategies"), Some(answer::new_rollout(&flag.name, &percent))),
            });
        }
        if was.on != on {
            commands.push(curl("POST", &format!("{place}/{}", if on { "on" } else { "off" }), None));
        }
        commands
    }
}

/// A patch whose `test`s hold only while the strategy is as it was read.
impl Rollout {
    fn patch(&self, percent: &str) -> Value {
        let test = |path: &str, value: &Value| json!({ "op": "test", "path": path, "value": value });
        json!([
            test("/name", &json!(answer::GRADUAL)),
            test("/parameters", &self.parameters),
            test("/constraints", &self.constraints),
            json!({ "op": "replace", "path": "/parameters/rollout", "value": percent }),
        ])
    }
}
