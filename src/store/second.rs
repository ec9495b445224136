//! The second place of the record of break glass: a file of lines on another path, each synchronised before the deed goes on.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::text::Text;

/// How long a file on another host may take before the deed goes on without it.
const WITHIN: Duration = Duration::from_secs(5);
/// The most bytes that are read of it.
const MOST: u64 = 64 * 1024 * 1024;

/// The file.
#[derive(Debug, Clone)]
pub struct SecondPlace {
    path: PathBuf,
}

impl SecondPlace {
    /// A second place at a path; nothing is opened yet.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Appends lines, each without its newline, and returns when they are on the disk.
    ///
    /// # Errors
    /// What stood in the way, in words, with what to do.
    pub async fn append(&self, lines: &[Vec<u8>]) -> Result<(), Text> {
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        }
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || write(&path, &bytes));
        let why = match tokio::time::timeout(WITHIN, written).await {
            Ok(Ok(Ok(()))) => return Ok(()),
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it took longer than {} s", WITHIN.as_secs()),
        };
        Err(Text::clean_within(&format!("{}: {why}; make it writable for this user: [ledger] break_glass", self.path.display()), 400))
    }

    /// Its whole lines; none when it is not there. A last line without its newline was torn by a death and says nothing.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn lines(&self) -> std::io::Result<Vec<Vec<u8>>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        lines.pop();
        Ok(lines)
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let is_new = !path.exists();
    let mut out = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    // A line that a death tore is closed, so that it spoils no other.
    let mut last = [b'\n'];
    if out.metadata()?.len() > 0 {
        out.seek(SeekFrom::End(-1))?;
        out.read_exact(&mut last)?;
    }
    if last == [b'\n'] {
        out.write_all(bytes)?;
    } else {
        out.write_all(&[b"\n", bytes].concat())?;
    }
    out.sync_all()?;
    if is_new && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
