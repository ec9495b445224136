//! Witnesses: the newest checkpoint at second places, each a directory or a git repository, where a cut or forked ledger is found out.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::checkpoint::Checkpoint;
use super::fault::broken;
use super::head::Head;
use super::record::Header;
use super::sign::verifier;
use super::sqlite::{SqliteStore, root_at};
use crate::model::text::Text;
use crate::ports::ledger::LedgerError;

/// No deed waits longer for a witness.
const WITHIN: Duration = Duration::from_secs(2);
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
    fn new(place: &Path, header: &Header, public: [u8; 32]) -> Self {
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

    fn told(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Reads the note that was kept there.
    fn kept(&self) -> Result<Option<String>, String> {
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
    fn read(&self, note: &str) -> Result<Checkpoint, String> {
        let said = Checkpoint::read(note, &self.origin, &self.public);
        said.ok_or_else(|| format!("{} is not signed by this installation; move it away", self.name))
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

impl SqliteStore {
    /// Names the second places of this store's checkpoints, each a directory or a git repository with a work tree.
    ///
    /// What was kept there is compared with the ledger now: a ledger that lost entries or has others refuses every deed from here on.
    /// After each commit the new checkpoint is kept there; a place that cannot be written is told by
    /// [`crate::ports::ledger::Ledger::witnesses`] and stops nothing.
    #[must_use]
    pub async fn watched(self, places: &[PathBuf]) -> Self {
        let header = self.header.get().filter(|_| self.dir.is_some());
        let Some((header, public)) = header.and_then(|header| Some((header, verifier(&header.vkey)?))) else { return self };
        let witnesses: Vec<_> = places.iter().map(|place| Arc::new(Witness::new(place, header, public))).collect();
        for witness in &witnesses {
            let reader = Arc::clone(witness);
            let reading = tokio::task::spawn_blocking(move || reader.kept());
            let kept = match tokio::time::timeout(WITHIN, reading).await {
                Ok(Ok(kept)) => kept,
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(late()),
            };
            match kept {
                Ok(Some(note)) => match witness.read(&note) {
                    Ok(said) => self.hear(witness, &said).await,
                    Err(error) => witness.told(Some(error)),
                },
                Ok(None) => {}
                Err(error) => witness.told(Some(error)),
            }
        }
        let _first = self.witnesses.set(witnesses);
        if self.condition().is_none()
            && let Ok(Some(note)) = self.checkpoint()
        {
            self.tell_witnesses(&note).await;
        }
        self
    }

    /// Compares the ledger with what a witness kept.
    async fn hear(&self, witness: &Witness, said: &Checkpoint) {
        let place = witness.place.display();
        let found = {
            let mut conn = self.conn.lock().await;
            match Head::read(&mut conn).await {
                Ok(head) if head.tree.size() < said.size => Err(broken(format!(
                    "the ledger has {} entries but its witness {place} saw {}: the rest is lost; restore the store from a copy",
                    head.tree.size(),
                    said.size
                ))),
                Ok(_) => root_at(&mut conn, said.size).await.and_then(|root| {
                    let other = || broken(format!("the first {} entries are not those that the witness {place} saw", said.size));
                    if root == said.root { Ok(()) } else { Err(other()) }
                }),
                Err(error) => Err(error),
            }
        };
        if let Err(why) = found {
            witness.contradicts.store(true, Ordering::SeqCst);
            self.refuse(why);
        }
    }

    /// Keeps a checkpoint with every witness. One that is slow goes on by itself; the newest note is what it writes next.
    pub(super) async fn tell_witnesses(&self, note: &str) {
        let Some(witnesses) = self.witnesses.get() else { return };
        let telling = witnesses.iter().map(|witness| async {
            *witness.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(note.to_owned());
            if witness.busy.swap(true, Ordering::SeqCst) {
                return;
            }
            let worker = Arc::clone(witness);
            let written = tokio::task::spawn_blocking(move || worker.work());
            if tokio::time::timeout(WITHIN, written).await.is_err() {
                witness.told(Some(late()));
            }
        });
        futures_util::future::join_all(telling).await;
    }

    /// What is wrong with second places; empty when nothing is.
    pub(super) fn witness_troubles(&self) -> Vec<Text> {
        let witnesses = self.witnesses.get().map(Vec::as_slice).unwrap_or_default();
        let told = |witness: &Arc<Witness>| {
            let trouble = witness.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
            Some(Text::clean_within(&format!("{}: {trouble}", witness.place.display()), 400))
        };
        witnesses.iter().filter_map(told).collect()
    }

    /// Whether what a witness kept speaks against the ledger.
    pub(super) fn is_contradicted(&self) -> bool {
        self.witnesses.get().is_some_and(|witnesses| witnesses.iter().any(|witness| witness.contradicts.load(Ordering::SeqCst)))
    }

    /// Where the ledger stands; one that is shorter than this process saw it lost entries.
    pub(super) async fn head(&self, conn: &mut sqlx::SqliteConnection) -> Result<Head, LedgerError> {
        let head = Head::read(conn).await?;
        if head.tree.size() < self.seen.fetch_max(head.tree.size(), Ordering::SeqCst) {
            let lost = broken(format!("the ledger had more than {} entries; restore the store from a copy", head.tree.size()));
            self.refuse(lost.clone());
            return Err(lost);
        }
        Ok(head)
    }
}

fn late() -> String {
    format!("no answer within {} s; look whether it is mounted", WITHIN.as_secs())
}
