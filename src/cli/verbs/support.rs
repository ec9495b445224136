//! `gonogo support-bundle`: one file that a person can send to whoever helps, without secrets; it is told what is in it before it is written.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::args::SupportBundle;
use crate::cli::exit::Exit;
use crate::cli::verbs::doctor;
use crate::cli::{compose, health, json as shapes, out};
use crate::config::load::load;
use crate::config::redacted::redacted;
use crate::config::secret::{self, SecretRef};
use crate::config::surroundings::{Flags, Surroundings};
use crate::config::withheld;
use crate::model::text::Text;
use crate::store;

/// Lines of the log that go along.
const LINES: usize = 300;
/// The bytes at the end of the log that are looked at for them.
const TAIL: u64 = 512 * 1024;
/// A secret that is shorter is no word that could be looked for.
const SHORTEST: usize = 4;

/// What is in it, told before it is written.
const CONTENTS: &str = "it holds: versions of gonogo and of the system; the answer of `gonogo doctor`, with addresses of backends; the configuration \
with numbers, durations and names, other texts as their lengths; sizes and modes of the store's files; the last 300 lines of the log\n\
it holds no secret and no entry of the ledger or journal";

/// Gathers and writes.
pub async fn run(around: &Surroundings, flags: &Flags, args: &SupportBundle) -> Exit {
    let to_out = args.out.as_os_str() == "-";
    let path = around.working_dir.join(&args.out);
    out::words(&format!(
        "gonogo: what goes into {}\n{CONTENTS}",
        if to_out { "standard output".to_owned() } else { path.display().to_string() }
    ));
    let bundle = gathered(around, flags).await;
    let known = secrets(around, flags);
    let text = scrubbed(format!("{bundle:#}"), &known);
    if to_out {
        out::line(&text);
        return Exit::Done;
    }
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    match made.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n"))) {
        Ok(()) => {
            out::line(&format!("wrote {}\n  do: look through it, then send it", path.display()));
            Exit::Done
        }
        Err(error) => {
            out::words(&format!("gonogo: failed to write {}: {error}; `--out FILE` names another one", path.display()));
            Exit::Failed
        }
    }
}

async fn gathered(around: &Surroundings, flags: &Flags) -> Value {
    let system = rustix::system::uname();
    let system = [system.sysname(), system.release(), system.machine()].map(|part| part.to_string_lossy().into_owned());
    let loaded = load(around, flags);
    let (doctor, refused) = match &loaded {
        Ok(_) => (doctor::object(around, flags).await.ok().flatten().unwrap_or(Value::Null), Vec::new()),
        // A line that was refused may hold what it should only refer to, so only where it stands is told.
        Err(problems) => (Value::Null, problems.0.iter().map(|problem| format!("{}:{}", problem.place.file, problem.place.line)).collect()),
    };
    let files = loaded.as_ref().map(|loaded| loaded.config.files.clone()).unwrap_or_default();
    let shown = |file: &PathBuf| {
        let text = fs::read_to_string(file).map_err(|error| error.to_string()).and_then(|text| redacted(&text));
        json!({ "file": file, "text": text.unwrap_or_else(|why| json!(why)) })
    };
    let place = loaded.as_ref().map_or_else(|_| around.data_dir.clone(), |loaded| compose::store_path(&loaded.config, around));
    let written = loaded.as_ref().map_or_else(|_| place.join("log/gonogo.log"), |loaded| loaded.config.health.log.file.clone());
    let facts = store::facts(&place).await;
    let store: serde_json::Map<String, Value> =
        health::store::object(&place, &facts).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    json!({
        "schema": shapes::SCHEMA,
        "gonogo": env!("CARGO_PKG_VERSION"),
        "system": system,
        "configuration": files.iter().map(shown).collect::<Vec<_>>(),
        "refused": refused,
        "doctor": doctor,
        "store": store,
        "log": log(&written),
    })
}

/// The last lines of the log.
fn log(place: &Path) -> Vec<String> {
    let Ok(mut file) = fs::File::open(place) else { return Vec::new() };
    let length = file.metadata().map_or(0, |data| data.len());
    let mut bytes = Vec::new();
    let _ = file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).and_then(|_| file.take(TAIL).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<String> = text.lines().map(|line| withheld::from_all(Text::clean(line).as_str())).collect();
    lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().to_vec()
}

/// Every secret that can be read without running a program: should one stand anywhere against all rules, it is taken out.
fn secrets(around: &Surroundings, flags: &Flags) -> Vec<String> {
    let Ok(loaded) = load(around, flags) else { return Vec::new() };
    let references = health::secrets::references(&loaded.config);
    let readable = references.into_iter().filter(|(_, secret)| !matches!(secret, SecretRef::Command(_)));
    let read = readable.filter_map(|(_, reference)| secret::resolve(reference, &around.env).ok()).map(|secret| secret.expose().to_owned());
    read.filter(|secret| secret.len() >= SHORTEST).collect()
}

/// The text without these words, whole or as JSON writes them.
fn scrubbed(mut text: String, secrets: &[String]) -> String {
    for secret in secrets {
        let written = json!(secret).to_string();
        let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or_default().to_owned();
        for word in [inner.as_str(), secret.as_str()] {
            if !word.is_empty() {
                text = text.replace(word, "(removed)");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_stands_anywhere_is_taken_out_also_as_json_writes_it() {
        let text = json!({ "a": "Bearer pa\"ss\\word", "b": "pass-pass" }).to_string();
        let left = scrubbed(text, &["pa\"ss\\word".to_owned(), "pass-pass".to_owned()]);
        assert_eq!(left, r#"{"a":"Bearer (removed)","b":"(removed)"}"#);
    }
}
