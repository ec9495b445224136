//! Tells when a file may have changed, without looking: the kernel says what happens in the directories that lead to it.

use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

use crate::control::driver::alarm::heeded;

/// How often to look where the kernel tells nothing.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often to look all the same: what another machine writes to a shared directory is told by nobody.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);
/// How long after the first of it: who saves a file does it in more than one step.
const SETTLES: Duration = Duration::from_millis(100);

/// What shows that a file is another one now; none when it is not there.
type Mark = Option<(Option<SystemTime>, u64)>;

/// Whoever waits for changes of files.
pub struct Files {
    paths: Vec<PathBuf>,
    seen: Vec<Mark>,
    told: Option<AsyncFd<OwnedFd>>,
    watched: BTreeSet<PathBuf>,
    /// Whether the directories that lead to the files were looked for since something happened.
    found: bool,
    /// When to look.
    due: Instant,
    /// Something happened that was not looked at yet.
    happened: bool,
}

impl Files {
    /// These, as they are now. Must be called within a runtime.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        let told = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok().and_then(|told| heeded(told).ok());
        let seen = marks(&paths);
        Self { paths, seen, told, watched: BTreeSet::new(), found: false, due: Instant::now(), happened: false }
    }

    /// From now on others, as they are now.
    pub fn follow(&mut self, paths: Vec<PathBuf>) {
        self.seen = marks(&paths);
        (self.paths, self.found) = (paths, false);
    }

    /// Waits until one of them is another one. May be dropped while it waits: nothing that happened is forgotten.
    pub async fn changed(&mut self) {
        loop {
            self.happens().await;
            let seen = marks(&self.paths);
            if seen != self.seen {
                self.seen = seen;
                return;
            }
        }
    }

    /// Waits until something happened where they lie, or it is time to look anyway.
    async fn happens(&mut self) {
        if !self.found {
            self.find();
        }
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(self.due) => break,
                Told { lost } = something(self.told.as_ref()), if !self.happened => {
                    self.lose(lost);
                    (self.happened, self.due) = (true, Instant::now() + SETTLES);
                }
            }
        }
        let rest = self.told.as_ref().and_then(read);
        self.lose(rest.is_some_and(|rest| rest.lost));
        (self.found, self.happened, self.due) = (false, false, Instant::now() + LOOK_ANYWAY);
    }

    /// Has the kernel tell of the directories that lead to the files. Of one that is new it is not known what happened in it before.
    fn find(&mut self) {
        let before = self.watched.len();
        let mut all = true;
        for directory in self.paths.iter().flat_map(|file| leading_to(file)).collect::<BTreeSet<_>>() {
            all &= self.watch(directory);
        }
        self.found = true;
        if self.watched.len() > before {
            self.due = Instant::now();
        } else if !all {
            self.due = self.due.min(Instant::now() + LOOK_EVERY);
        }
    }

    /// What was watched is another directory now, or none: all are found anew.
    fn lose(&mut self, lost: bool) {
        if lost {
            self.watched.clear();
        }
    }

    /// Whether the kernel tells of this directory.
    fn watch(&mut self, directory: PathBuf) -> bool {
        if self.watched.contains(&directory) {
            return true;
        }
        let Some(told) = &self.told else { return false };
        let kinds = WatchFlags::MODIFY
            | WatchFlags::ATTRIB
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF;
        let watches = add_watch(told, &directory, kinds).is_ok();
        if watches {
            self.watched.insert(directory);
        }
        watches
    }
}

fn marks(paths: &[PathBuf]) -> Vec<Mark> {
    paths.iter().map(|path| std::fs::metadata(path).ok().map(|data| (data.modified().ok(), data.len()))).collect()
}

/// The directories in which something happens when the file changes: its own, or the nearest above it that is there, and that of what it
/// is a link to.
fn leading_to(file: &Path) -> Vec<PathBuf> {
    let there = |directory: &&Path| directory.is_dir();
    let above = |path: &Path| path.ancestors().skip(1).find(there).map(Path::to_path_buf);
    let link = file.canonicalize().ok().and_then(|target| above(&target));
    above(file).into_iter().chain(link).collect()
}

/// What the kernel told.
struct Told {
    /// A directory that was watched is gone from its place.
    lost: bool,
}

/// Waits until something happens; for ever where nothing is told.
async fn something(told: Option<&AsyncFd<OwnedFd>>) -> Told {
    let Some(told) = told else { return std::future::pending().await };
    loop {
        let Ok(mut ready) = told.readable().await else { return std::future::pending().await };
        if let Some(news) = read(told) {
            return news;
        }
        ready.clear_ready();
    }
}

/// Reads what was told; none when it was nothing.
fn read(told: &AsyncFd<OwnedFd>) -> Option<Told> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(told.get_ref(), &mut buffer);
    let mut news = None;
    loop {
        match reader.next() {
            Ok(event) => {
                let gone = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED | ReadFlags::QUEUE_OVERFLOW;
                news.get_or_insert(Told { lost: false }).lost |= event.events().intersects(gone);
            }
            Err(Errno::INTR) => {}
            Err(_) => return news,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);
    const QUIET: Duration = Duration::from_millis(300);

    async fn is_told(files: &mut Files) -> bool {
        tokio::time::timeout(SOON, files.changed()).await.is_ok()
    }

    async fn is_quiet(files: &mut Files) -> bool {
        tokio::time::timeout(QUIET, files.changed()).await.is_err()
    }

    #[tokio::test]
    async fn written_renamed_over_and_taken_away_is_told_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("gonogo.toml");
        fs::write(&file, "1").unwrap();
        let mut files = Files::new(vec![file.clone()]);
        assert!(is_quiet(&mut files).await);
        fs::write(home.path().join("another"), "1").unwrap();
        assert!(is_quiet(&mut files).await);
        fs::write(&file, "22").unwrap();
        assert!(is_told(&mut files).await && is_quiet(&mut files).await);
        fs::write(home.path().join("new"), "333").unwrap();
        fs::rename(home.path().join("new"), &file).unwrap();
        assert!(is_told(&mut files).await && is_quiet(&mut files).await);
        fs::remove_file(&file).unwrap();
        assert!(is_told(&mut files).await && is_quiet(&mut files).await);
    }

    #[tokio::test]
    async fn what_happens_while_nobody_waits_is_told_to_the_next_who_does() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("gonogo.toml");
        let mut files = Files::new(vec![file.clone()]);
        assert!(is_quiet(&mut files).await);
        fs::write(&file, "1").unwrap();
        // Dropped as soon as it heard of it, before it told.
        assert!(tokio::time::timeout(SETTLES / 2, files.changed()).await.is_err());
        assert!(is_told(&mut files).await && is_quiet(&mut files).await);
    }

    #[tokio::test]
    async fn a_directory_that_comes_later_or_comes_again_is_watched() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("gonogo/themes/mine.toml");
        let mut files = Files::new(vec![file.clone()]);
        assert!(is_quiet(&mut files).await);
        for _ in 0..2 {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            assert!(is_quiet(&mut files).await);
            fs::write(&file, "1").unwrap();
            assert!(is_told(&mut files).await && is_quiet(&mut files).await);
            fs::remove_dir_all(home.path().join("gonogo")).unwrap();
            assert!(is_told(&mut files).await && is_quiet(&mut files).await);
        }
    }

    #[tokio::test]
    async fn what_a_link_leads_to_is_watched_and_others_are_from_when_they_are_followed() {
        let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (file, target) = (home.path().join("gonogo.toml"), elsewhere.path().join("gonogo.toml"));
        fs::write(&target, "1").unwrap();
        symlink(&target, &file).unwrap();
        let mut files = Files::new(vec![home.path().join("another")]);
        assert!(is_quiet(&mut files).await);
        files.follow(vec![file]);
        assert!(is_quiet(&mut files).await);
        fs::write(&target, "22").unwrap();
        assert!(is_told(&mut files).await && is_quiet(&mut files).await);
    }

    #[tokio::test]
    async fn where_the_kernel_tells_nothing_it_is_looked_every_other_second() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("gonogo.toml");
        let mut files = Files { told: None, due: Instant::now() + LOOK_ANYWAY, ..Files::new(vec![file.clone()]) };
        fs::write(&file, "1").unwrap();
        let begun = Instant::now();
        assert!(is_told(&mut files).await);
        assert!(begun.elapsed() >= LOOK_EVERY);
    }
}
