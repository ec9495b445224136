//! git notes on released commits: one line of JSON a deed, appended once, on one ref, and nothing else of the repository is touched.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::model::deed::DeedState;
use crate::model::dossier::Dossier;
use crate::model::time::rfc3339;

/// Where notes are written unless told otherwise.
pub const USUAL: &str = "refs/notes/gonogo";

/// What became of a deed's note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// It was written.
    Written,
    /// It was there.
    Already,
    /// This repository has no such commit.
    Foreign,
}

/// A repository whose commits get notes.
pub struct Notes {
    repository: PathBuf,
    place: String,
}

impl Notes {
    /// Notes in this repository, on this ref.
    ///
    /// # Errors
    /// When the ref is no notes ref, or there is no repository.
    pub fn open(repository: &Path, place: &str) -> Result<Self, String> {
        let notes = Self { repository: repository.to_owned(), place: place.to_owned() };
        let named = place.strip_prefix("refs/notes/").is_some_and(|name| !name.is_empty());
        if !named || notes.git(&["check-ref-format", place], None).is_err() {
            return Err(format!("`{}` is no ref for notes; expected such as {USUAL}", place.escape_default()));
        }
        notes.git(&["rev-parse", "--git-dir"], None).map_err(|why| format!("{}: {why}; name a git repository", repository.display()))?;
        Ok(notes)
    }

    /// Writes a line on a commit unless a line of the same deed is there.
    ///
    /// # Errors
    /// What git said.
    pub fn write(&self, commit: &str, plan: &str, line: &str) -> Result<Noted, String> {
        // A commit is named by its whole hash: a branch or tag of the same letters is somebody else's word.
        let whole = matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !whole || self.git(&["cat-file", "-e", &format!("{commit}^{{commit}}")], None).is_err() {
            return Ok(Noted::Foreign);
        }
        let notes = format!("--ref={}", self.place);
        let there = self.git(&["notes", &notes, "list", commit], None).is_ok();
        if there {
            let said = self.git(&["notes", &notes, "show", commit], None)?;
            let same = |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|one| one.get("deed") == Some(&Value::from(plan)));
            if said.lines().any(same) {
                return Ok(Noted::Already);
            }
        }
        self.git(&["notes", &notes, "append", "-F", "-", commit], Some(line)).map(|_| Noted::Written)
    }

    /// Sends the ref to a remote; never by force.
    ///
    /// # Errors
    /// What git said.
    pub fn push(&self, remote: &str) -> Result<(), String> {
        let place = format!("{0}:{0}", self.place);
        self.git(&["push", "--quiet", "--no-verify", "--", remote, &place], None).map(drop)
    }

    /// Runs git on that repository. Nothing that it configures to be run is run, and it is told nothing by this process's surroundings.
    fn git(&self, arguments: &[&str], input: Option<&str>) -> Result<String, String> {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.repository).args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"]);
        command.args(["-c", "user.name=gonogo", "-c", "user.email=gonogo@localhost", "-c", "core.fsync=committed"]).args(arguments);
        for variable in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_NOTES_REF",
            "GIT_NOTES_DISPLAY_REF",
            "GIT_NAMESPACE",
            "GIT_AUTHOR_NAME",
            "GIT_AUTHOR_EMAIL",
            "GIT_COMMITTER_NAME",
            "GIT_COMMITTER_EMAIL",
        ] {
            command.env_remove(variable);
        }
        command.env("GIT_TERMINAL_PROMPT", "0");
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        let started = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = started.map_err(|error| format!("git: {error}; install git"))?;
        if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
            pipe.write_all(input.as_bytes()).map_err(|error| format!("git: {error}"))?;
        }
        let ended = child.wait_with_output().map_err(|error| format!("git: {error}"))?;
        if ended.status.success() {
            return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
        }
        Err(format!("git {}: {}", arguments.first().unwrap_or(&""), String::from_utf8_lossy(&ended.stderr).trim()))
    }
}

/// The commit that a deed's note belongs on: the one it released. None while the deed is not over, or its commit is not known.
pub fn commit(dossier: &Dossier) -> Option<&str> {
    let deed = dossier.deed.as_ref()?;
    let over = match deed.state {
        DeedState::Held | DeedState::Unwatched | DeedState::Superseded | DeedState::Slipped | DeedState::Failed => true,
        DeedState::Effective => deed.held_due.is_none(),
        DeedState::Waiting
        | DeedState::Scheduled
        | DeedState::Denied
        | DeedState::Intended
        | DeedState::Sent
        | DeedState::Accepted
        | DeedState::Unknown => false,
    };
    let revision = dossier.released.to.revision.as_ref()?;
    over.then_some(revision.as_str())
}

/// A deed's line. `checkpoint`: the ledger's size and root when it was written.
pub fn line(dossier: &Dossier, installation: &str, checkpoint: &str) -> String {
    let facts = dossier.facts();
    let time = |at: Option<DateTime<Utc>>| at.map(|at| rfc3339(&at));
    let approvers: Vec<&str> = dossier.approvals().map(|said| said.person).collect();
    json!({
        "gonogo": "note/1",
        "installation": installation,
        "deed": dossier.plan.to_string(),
        "verb": dossier.verb,
        "target": dossier.target.as_ref().map(ToString::to_string),
        "percent": dossier.order.as_ref().and_then(|order| order.percent),
        "ticket": dossier.ticket(),
        "version": dossier.released.to.version,
        "digest": dossier.released.to.digest,
        "requester": dossier.requester,
        "approvers": approvers,
        "state": dossier.state(),
        "effective": time(facts.effective),
        "held": time(facts.held),
        "break_glass": dossier.break_glass(),
        "checkpoint": checkpoint,
    })
    .to_string()
}
