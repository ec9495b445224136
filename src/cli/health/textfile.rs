//! The file from which a collector reads the metrics of an open room: written beside it, then renamed, by one room at a time.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::families::of_room;
use super::metrics::exposition;
use crate::config::settings::MetricsSettings;
use crate::control::driver::{Handle, Onlooker};
use crate::model::time::Boot;
use crate::ports::clock::Clock;

/// A room's metrics on their way into a file, until it ends.
pub struct Metrics(Option<(oneshot::Sender<()>, JoinHandle<()>)>);

impl Metrics {
    /// Writes a room's metrics as often as is configured, whenever its world changed; nothing where no file is. No timer runs: a room in
    /// which nothing happens writes nothing. Must be called within a runtime.
    pub fn of(handle: &Handle, clock: &Arc<dyn Clock>, settings: Option<MetricsSettings>) -> Self {
        let Some(settings) = settings else { return Self(None) };
        let (end, ended) = oneshot::channel();
        Self(Some((end, tokio::spawn(keep(handle.onlooker(), clock.clone(), settings, ended)))))
    }

    /// Writes its last word.
    pub async fn end(self) {
        if let Some((end, work)) = self.0 {
            drop(end);
            let _ = work.await;
        }
    }
}

async fn keep(mut room: Onlooker, clock: Arc<dyn Clock>, settings: MetricsSettings, mut ended: oneshot::Receiver<()>) {
    let mut file = TextFile::new(settings.file);
    let mut due = Boot::default();
    loop {
        let goes_on = tokio::select! {
            changed = room.changed() => changed,
            _ = &mut ended => false,
        };
        let now = clock.now();
        if now.boot < due && goes_on {
            continue;
        }
        due = now.boot.plus(settings.every);
        let text = exposition(&of_room(&room.world(), room.counts(), &now, goes_on));
        // A disk that is slow keeps nobody waiting but this.
        let written = tokio::task::spawn_blocking(move || {
            file.take(&text);
            file
        });
        match written.await {
            Ok(back) => file = back,
            Err(_) => return,
        }
        if !goes_on {
            return;
        }
    }
}

/// The file, and whether this process is the one that writes it.
struct TextFile {
    path: PathBuf,
    lock: Option<File>,
    /// What was wrong the last time, so that it is told once.
    trouble: Option<String>,
}

impl TextFile {
    fn new(path: PathBuf) -> Self {
        Self { path, lock: None, trouble: None }
    }

    /// Replaces what stands in it. That it cannot be written stops nothing; it is logged once, and tried again.
    fn take(&mut self, text: &str) {
        let trouble = self.write(text).err();
        if trouble == self.trouble {
            return;
        }
        let file = self.path.display();
        if let Some(why) = &trouble {
            tracing::warn!(%file, %why, "the metrics of this room are not written");
        } else {
            tracing::info!(%file, "the metrics of this room are written");
        }
        self.trouble = trouble;
    }

    fn write(&mut self, text: &str) -> Result<(), String> {
        let told = |error: std::io::Error| error.to_string();
        if self.lock.is_none() {
            let lock =
                OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(beside(&self.path, "lock")).map_err(told)?;
            lock.try_lock().map_err(|_| "another room writes them there".to_owned())?;
            self.lock = Some(lock);
        }
        let new = beside(&self.path, "new");
        // Whatever a process that was killed left there, or somebody else put there, is not written through.
        let _ = std::fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&new).map_err(told)?;
        let renamed = file.write_all(text.as_bytes()).and_then(|()| std::fs::rename(&new, &self.path));
        renamed.map_err(|error| {
            let _ = std::fs::remove_file(&new);
            error.to_string()
        })
    }
}

/// A file beside another one that no collector reads.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn one_room_at_a_time_writes_it_whole_and_the_next_takes_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gonogo.prom");
        let (mut first, mut second) = (TextFile::new(path.clone()), TextFile::new(path.clone()));
        let read = || std::fs::read_to_string(&path).unwrap();
        std::fs::write(beside(&path, "new"), "left by one that was killed").unwrap();
        assert_eq!(first.write("a 1\n"), Ok(()));
        assert_eq!(second.write("a 2\n"), Err("another room writes them there".to_owned()));
        assert_eq!(read(), "a 1\n");
        drop(first);
        assert_eq!(second.write("a 3\n"), Ok(()));
        assert_eq!(read(), "a 3\n");
        assert!(!beside(&path, "new").exists());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o600, 0o600);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told_and_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later/gonogo.prom");
        let mut file = TextFile::new(path.clone());
        file.take("a 1\n");
        assert!(file.trouble.as_ref().unwrap().contains("No such file"), "{:?}", file.trouble);
        std::fs::create_dir(folder.path().join("later")).unwrap();
        file.take("a 2\n");
        assert_eq!((file.trouble, std::fs::read_to_string(path).unwrap()), (None, "a 2\n".to_owned()));
    }

    #[test]
    fn no_link_that_lies_there_is_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("gonogo.prom"), folder.path().join("victim"));
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, beside(&path, "new")).unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        assert_eq!(TextFile::new(path.clone()).write("a 1\n"), Ok(()));
        assert_eq!(
            (std::fs::read_to_string(&victim).unwrap().as_str(), std::fs::read_to_string(&path).unwrap().as_str()),
            ("precious", "a 1\n")
        );
    }
}
