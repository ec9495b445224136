//! A log file that is renamed when it is full, by whichever process notices it first; the oldest are dropped.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The file, open as long as it has its name.
pub(super) struct Rotating {
    path: PathBuf,
    most: u64,
    keep: u32,
    file: Option<File>,
}

impl Rotating {
    /// A log of at most so many bytes a file, and so many older files. Nothing is opened yet: a place that comes to be later is written to
    /// from then on.
    pub(super) fn new(path: &Path, most: u64, keep: u32) -> Self {
        Self { path: path.to_owned(), most, keep, file: None }
    }

    /// The file that bears the name now: another process may have renamed ours, or a person removed it.
    fn current(&mut self) -> Result<&mut File> {
        let named = std::fs::metadata(&self.path).ok().map(|data| (data.dev(), data.ino()));
        let ours = self.file.as_ref().and_then(|file| file.metadata().ok()).map(|data| (data.dev(), data.ino()));
        if named.is_none() || named != ours {
            self.file = Some(open(&self.path)?);
        }
        self.file.as_mut().ok_or_else(|| Error::from(ErrorKind::NotFound))
    }

    /// Makes room: the file gets the number 1, and each older one the next. Of two processes that notice it the second finds it done.
    fn rotate(&mut self) -> Result<()> {
        let file = self.current()?;
        if file.metadata()?.len() == 0 || file.try_lock().is_err() {
            return Ok(());
        }
        let locked = file.metadata()?.ino();
        if std::fs::metadata(&self.path)?.ino() == locked {
            for number in (1..self.keep).rev() {
                let _ = std::fs::rename(self.numbered(number), self.numbered(number + 1));
            }
            if self.keep == 0 {
                std::fs::remove_file(&self.path)?;
            } else {
                std::fs::rename(&self.path, self.numbered(1))?;
            }
        }
        self.file = None;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }
}

impl Write for Rotating {
    fn write(&mut self, line: &[u8]) -> Result<usize> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.current()?.metadata()?.len().saturating_add(length) > self.most {
            self.rotate()?;
        }
        // In one call, at the end of the file whoever else writes to it: no line stands within another.
        self.current()?.write_all(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // Without waiting, so that a pipe in the file's place stops nobody.
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(Error::other("it is no regular file")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn a_full_file_is_renamed_the_oldest_is_dropped_and_no_line_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/gonogo.log");
        let mut log = Rotating::new(&path, 20, 2);
        for number in 0..8 {
            assert_eq!(log.write(format!("line {number} ...\n").as_bytes()).unwrap(), 11);
        }
        let files = [path.clone(), log.numbered(1), log.numbered(2), log.numbered(3)].map(|path| read(&path));
        assert_eq!(files, ["line 7 ...\n", "line 6 ...\n", "line 5 ...\n", ""]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn two_processes_with_one_file_lose_nothing_and_rename_it_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gonogo.log");
        let (mut one, mut other) = (Rotating::new(&path, 33, 5), Rotating::new(&path, 33, 5));
        for number in 0..3 {
            one.write_all(format!("one {number}\n").as_bytes()).unwrap();
            other.write_all(format!("other {number}\n").as_bytes()).unwrap();
        }
        let all = [one.numbered(2), one.numbered(1), path.clone()].map(|path| read(&path));
        assert_eq!(all, ["", "one 0\nother 0\none 1\nother 1\n", "one 2\nother 2\n"]);
        // Into the file that one renames now the next of the other would still go.
        one.write_all(b"one with many more words\n").unwrap();
        other.write_all(b"other 3\n").unwrap();
        let all = [one.numbered(2), one.numbered(1), path.clone()].map(|path| read(&path));
        assert_eq!(all, ["one 0\nother 0\none 1\nother 1\n", "one 2\nother 2\n", "one with many more words\nother 3\n"]);
    }

    #[test]
    fn a_file_that_a_person_took_away_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gonogo.log");
        let mut log = Rotating::new(&path, 1000, 5);
        log.write_all(b"a\n").unwrap();
        std::fs::remove_file(&path).unwrap();
        log.write_all(b"b\n").unwrap();
        assert_eq!(read(&path), "b\n");
        let mut none = Rotating::new(&folder.path().join("gonogo.log/below"), 1000, 5);
        assert!(none.write_all(b"c\n").is_err(), "a place that cannot be is an error and no panic");
    }
}
