//! Witnesses: the newest checkpoint at second places, each a directory or a git repository, where a cut or forked ledger is found out.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::checkpoint::Checkpoint;
use super::record::Header;
use crate::model::text::Text;

/// Nobody waits longer for a witness.
pub const WITHIN: Duration = Duration::from_secs(2);
/// No checkpoint is longer.
const LONGEST: u64 = 1 << 16;

/// One second place.
pub struct Witness {
    place: PathBuf,
    name: String,
    origin: String,
    public: [u8; 32],
    /// The newest note that was not yet written there.
    waiting: Mutex<Option<String>>,
    /// Whether something is being written there.
    busy: AtomicBool,
    /// What went wrong there last.
    trouble: Mutex<Option<String>>,
    /// Whether what was kept there speaks against the ledger.
    contradicts: AtomicBool,
}

impl Witness {
    /// A witness for the checkpoints of this ledger, whose process key has this public part.
    pub fn new(place: &Path, header: &Header, public: [u8; 32]) -> Self {
        Self {
            place: place.to_owned(),
            name: format!("{}.checkpoint", header.installation),
            origin: header.origin.clone(),
            public,
            waiting: Mutex::new(None),
            busy: AtomicBool::new(false),
            trouble: Mutex::new(None),
            contradicts: AtomicBool::new(false),
        }
    }

    /// Notes what is wrong there, or that nothing is.
    pub fn told(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Reads the note that was kept there.
    pub fn kept(&self) -> Result<Option<String>, String> {
        let mut note = String::new();
        let read = File::open(self.place.join(&self.name)).and_then(|file| {
            let mut file = std::io::Read::take(file, LONGEST);
            std::io::Read::read_to_string(&mut file, &mut note)
        });
        match read {
            Ok(_) => Ok(Some(note)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", self.name)),
        }
    }

    /// What a note says that was kept there.
    pub fn read(&self, note: &str) -> Result<Checkpoint, String> {
        let said = Checkpoint::read(note, &self.origin, &self.public);
        said.ok_or_else(|| format!("{} is not signed by this installation; move it away", self.name))
    }

    /// Where it is.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// What is wrong there.
    pub fn trouble(&self) -> Option<Text> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(Text::clean_within(&format!("{}: {trouble}", self.place.display()), 400))
    }

    /// Notes that it speaks against the ledger.
    pub fn contradict(&self) {
        self.contradicts.store(true, Ordering::SeqCst);
    }

    /// Whether what was kept there speaks against the ledger.
    pub fn contradicts(&self) -> bool {
        self.contradicts.load(Ordering::SeqCst)
    }

    /// Keeps a note; one that is slow goes on by itself, and the newest note is what it writes next.
    pub async fn tell(self: &Arc<Self>, note: &str) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(note.to_owned());
        if self.busy.swap(true, Ordering::SeqCst) {
            return;
        }
        let worker = Arc::clone(self);
        let written = tokio::task::spawn_blocking(move || worker.work());
        if tokio::time::timeout(WITHIN, written).await.is_err() {
            self.told(Some(late()));
        }
    }

    /// Writes what waits until nothing waits any more.
    fn work(&self) {
        loop {
            let note = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(note) = note else {
                self.busy.store(false, Ordering::SeqCst);
                // Something may have come between the look and the flag.
                let more = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_some();
                if more && !self.busy.swap(true, Ordering::SeqCst) {
                    continue;
                }
                return;
            };
            self.told(self.keep(&note).err());
        }
    }

    fn keep(&self, note: &str) -> Result<(), String> {
        let kept = self.kept()?.map(|kept| self.read(&kept)).transpose()?;
        let size = self.read(note)?.size;
        if let Some(kept) = kept.filter(|kept| kept.size > size) {
            return Err(format!("it saw {} entries, more than the {size} of this ledger; restore the store from a copy", kept.size));
        }
        let to = self.place.join(&self.name);
        let temporary = self.place.join(format!(".{}.{}.tmp", self.name, std::process::id()));
        if self.place.join("objects").is_dir() && self.place.join("HEAD").is_file() {
            return Err("it is a git repository without a work tree; name a clone of it".to_owned());
        }
        let written = OpenOptions::new().write(true).create(true).truncate(true).open(&temporary).and_then(|mut file| {
            file.write_all(note.as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| std::fs::rename(&temporary, &to)).map_err(|error| format!("{error}; make it writable"))?;
        if !self.place.join(".git").exists() {
            // The name must outlive a power cut too; where a directory cannot be synchronised, the file still is.
            let _ = File::open(&self.place).and_then(|dir| dir.sync_all());
            return Ok(());
        }
        self.git(&["add", "--", &self.name])?;
        if self.git(&["status", "--porcelain", "--", &self.name])?.is_empty() {
            return Ok(());
        }
        let subject = format!("{}: {size} entries", self.origin);
        self.git(&["commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", &subject, "--", &self.name]).map(drop)
    }

    /// Runs git in that place; nothing that the place itself configures is run.
    fn git(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.place).args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"]);
        command.args(["-c", "user.name=gonogo", "-c", "user.email=gonogo@localhost", "-c", "core.fsync=committed"]).args(arguments);
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] {
            command.env_remove(variable);
        }
        let ended = command.stdin(Stdio::null()).output().map_err(|error| format!("git: {error}; install git"))?;
        if ended.status.success() {
            return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
        Err(format!("git {}: {said}", arguments.first().unwrap_or(&"")))
    }
}

/// What is said of a place that does not answer.
pub fn late() -> String {
    format!("no answer within {} s; look whether it is mounted", WITHIN.as_secs())
}
