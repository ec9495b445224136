//! flagd: what is in force is read by OFREP, and changed in the JSON file that it watches.
//!
//! flagd leaves disabled flags out of a bulk evaluation, and tells with each other one the metadata of its definition: the digest that
//! gonogo writes there shows that flagd took the definition in. Until it shows what the file says, the flag is told as missing.

mod definition;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Asked, asked, otherwise};
use crate::adapters::http::HttpClient;
use crate::adapters::shell::quoted;
use crate::adapters::whole_file::{self, Trouble, Whole};
use crate::model::capability::Capability;
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::flag::{FlagReading, FlagRef, FlagSeen, FlagState};
use crate::model::plan::StepEffect;
use crate::model::text::Text;
use crate::ports::Pending;
use crate::ports::flags::Flags;

/// Evaluates every flag, for nobody in particular.
const BULK: &str = "/ofrep/v1/evaluate/flags";

/// One flagd, which is one environment.
pub struct Flagd {
    http: HttpClient,
    file: PathBuf,
}

impl Flagd {
    /// A flagd behind a client for its OFREP service, with the file that it watches.
    ///
    /// # Errors
    /// `Unsupported` when no file is configured.
    pub fn new(http: HttpClient, file: Option<&Path>) -> Result<Self, PortError> {
        match file {
            Some(file) => Ok(Self { http, file: file.to_owned() }),
            None => Err(http.fault(PortErrorKind::Unsupported, "prepare to read flags", "no `file` is configured")),
        }
    }

    /// The file as it is.
    async fn file(&self, doing: &str) -> Result<(Whole, Value), PortError> {
        let file = self.file.clone();
        let found = tokio::task::spawn_blocking(move || whole_file::whole(&file)).await;
        let found = found.map_err(|_| Trouble::new(PortErrorKind::Refused, "reading the file did not end")).and_then(|found| found);
        let whole = found.map_err(|trouble| self.file_trouble(doing, &trouble))?;
        match serde_json::from_str(&whole.text) {
            Ok(value) => Ok((whole, value)),
            Err(error) => Err(self.file_trouble(doing, &Trouble::new(PortErrorKind::Malformed, format!("it is no JSON: {error}")))),
        }
    }

    fn file_trouble(&self, doing: &str, trouble: &Trouble) -> PortError {
        let error = self.http.fault(trouble.kind.clone(), doing, &format!("{}: {}", self.file.display(), trouble.detail));
        match trouble.fix {
            Some(fix) => error.mended_by(fix),
            None => error,
        }
    }

    /// What flagd serves now.
    async fn served(&self, doing: &str) -> Result<Arc<Value>, PortError> {
        let ask = json!({ "context": { "targetingKey": "gonogo" } });
        // It only evaluates: nothing is written by it.
        let answer = self.http.post_json(doing, BULK, &ask).await.map_err(|error| error.port().clone())?;
        Ok(answer.value)
    }

    async fn observe(&self, flags: &[FlagRef]) -> Result<FlagReading, PortError> {
        const DOING: &str = "read flags";
        let served = self.served(DOING).await?;
        let (_, file) = self.file(DOING).await?;
        let seen = |flag: &FlagRef| match in_force(&file, &served, flag) {
            Ok(state) => FlagSeen { flag: flag.clone(), state: Some(state), missing: None },
            Err(why) => FlagSeen { flag: flag.clone(), state: None, missing: Some(Text::clean_within(&why, 300)) },
        };
        Ok(FlagReading { flags: flags.iter().map(seen).collect(), backend_clock: None })
    }

    async fn carry_out(&self, effect: &Effect) -> Result<(), SendError> {
        let not_done = |kind, doing: &str, detail: &str| SendError::NotDone(self.http.fault(kind, doing, detail));
        let asked = asked(effect.what(), self.http.backend()).map_err(|(kind, why)| not_done(kind, "carry out an effect", &why))?;
        let Asked { flag, on, percent, was } = asked;
        let doing = format!("set flag {}", flag.name);
        let served = self.served(&doing).await.map_err(SendError::NotDone)?;
        let (whole, mut file) = self.file(&doing).await.map_err(SendError::NotDone)?;
        let state = in_force(&file, &served, flag).map_err(|why| not_done(PortErrorKind::NotFound, &doing, &why))?;
        if state.mark != *was {
            return Err(not_done(PortErrorKind::Conflict, &doing, &otherwise(was, &state.mark)));
        }
        if let (Some(_), Some(why)) = (percent, &state.fixed) {
            return Err(not_done(PortErrorKind::Unsupported, &doing, why.as_str()));
        }
        definition::set(&mut file, &flag.name, on, percent.filter(|percent| on && state.mark.percent != Some(*percent)))
            .map_err(|why| not_done(PortErrorKind::Unsupported, &doing, &why))?;
        let new = definition::written(&file).map_err(|why| not_done(PortErrorKind::Refused, &doing, &why))?;
        let path = self.file.clone();
        match tokio::task::spawn_blocking(move || whole_file::replace(&path, &whole, &new)).await {
            Ok(Ok(())) => Ok(()),
            // Until the rename the file is untouched, and after it nothing fails.
            Ok(Err(trouble)) => Err(SendError::NotDone(self.file_trouble(&doing, &trouble))),
            Err(_) => Err(SendError::Unknown(self.http.fault(PortErrorKind::Refused, &doing, "writing the file did not end"))),
        }
    }
}

/// How a flag stands by the file, where flagd serves it so.
///
/// # Errors
/// Why that cannot be said.
fn in_force(file: &Value, served: &Value, flag: &FlagRef) -> Result<FlagState, String> {
    let (state, marker) = definition::read(file, &flag.name)?;
    let flags = served.get("flags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let found = flags.iter().find(|one| one.get("key").and_then(Value::as_str) == Some(flag.name.as_str()));
    match (found, state.mark.on) {
        (None, false) => Ok(state),
        (None, true) => Err("its file has it, and flagd does not serve it".to_owned()),
        (Some(_), false) => Err("its file disables it, and flagd still serves it".to_owned()),
        (Some(one), true) => {
            if let Some(code) = one.get("errorCode").and_then(Value::as_str) {
                return Err(format!("flagd fails to evaluate it: {}", Text::clean_within(code, 60)));
            }
            let told = one.get("metadata").and_then(|metadata| metadata.get(definition::MARKER)).and_then(Value::as_str);
            if marker.as_deref() == told { Ok(state) } else { Err("flagd has not taken in what its file says".to_owned()) }
        }
    }
}

impl Flags for Flagd {
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
        let Ok(Asked { flag, on, percent, .. }) = asked(effect, self.http.backend()) else { return Vec::new() };
        let share = percent.filter(|_| on).map(|percent| format!(", at {percent} %")).unwrap_or_default();
        let does = format!("# set \"state\" of {} to {}{share}:", flag.name, if on { "ENABLED" } else { "DISABLED" });
        vec![format!("{does} ${{EDITOR:-vi}} {}", quoted(&self.file.display().to_string()))]
    }
}
