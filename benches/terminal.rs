//! A program in a pseudo-terminal: every chunk of bytes that it writes with the time of its arrival, and what the system counts of it.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::Outcome;

/// Silence after which a program has said what it had to say.
pub(crate) const SILENCE: Duration = Duration::from_millis(100);
/// Silence between the first frame and the next one.
const SHORT: Duration = Duration::from_millis(5);
/// A program that is not silent by then never will be.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program and how it is started.
pub(crate) struct Program {
    path: String,
    arguments: Vec<String>,
    home: PathBuf,
    folder: PathBuf,
    down: Vec<u8>,
    up: Vec<u8>,
}

impl Program {
    /// A program in a home of its own.
    pub(crate) fn new(path: &str, arguments: &[&str], home: &Path) -> Self {
        Self {
            path: path.to_owned(),
            arguments: arguments.iter().map(|&one| one.to_owned()).collect(),
            home: home.to_owned(),
            folder: home.to_owned(),
            down: b"j".to_vec(),
            up: b"k".to_vec(),
        }
    }

    /// The same in another working folder.
    pub(crate) fn working_in(self, folder: &Path) -> Self {
        Self { folder: folder.to_owned(), ..self }
    }

    /// The same with other keys for a row down and up than `j` and `k`.
    pub(crate) fn moved_by(self, down: &[u8], up: &[u8]) -> Self {
        Self { down: down.to_vec(), up: up.to_vec(), ..self }
    }

    /// The same through another program, whose last argument is the command line of this one for a shell.
    pub(crate) fn through(&self, path: &str, arguments: &[String]) -> Self {
        let mut words = vec![
            format!("cd {} && exec env -i TERM=xterm-256color LANG=C.UTF-8", quoted(&self.folder.to_string_lossy())),
            format!("HOME={}", quoted(&self.home.to_string_lossy())),
            quoted(&self.path),
        ];
        words.extend(self.arguments.iter().map(|one| quoted(one)));
        let arguments = arguments.iter().cloned().chain([words.join(" ")]).collect();
        let (home, folder) = (self.home.clone(), self.folder.clone());
        Self { path: path.to_owned(), arguments, home, folder, down: self.down.clone(), up: self.up.clone() }
    }

    /// Starts it in a terminal of 120x40.
    pub(crate) fn start(&self) -> Outcome<Running> {
        let pair = native_pty_system().openpty(PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 })?;
        let mut command = CommandBuilder::new(&self.path);
        command.args(&self.arguments);
        command.env_clear();
        command.cwd(&self.folder);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("HOME", &self.home);
        let mut reader = pair.master.try_clone_reader()?;
        let keys = pair.master.take_writer()?;
        let (send, chunks) = channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(got) = reader.read(&mut buffer)
                && got > 0
                && send.send((Instant::now(), got)).is_ok()
            {}
        });
        let begun = Instant::now();
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        Ok(Running { child, begun, keys, chunks, moves: (self.down.clone(), self.up.clone()), _master: pair.master })
    }
}

/// One word of a shell's command line.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What came in one go: until the silence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Burst {
    /// From the cause to the first byte.
    pub(crate) first: Duration,
    /// From the cause to the last byte.
    pub(crate) last: Duration,
    /// Bytes in all.
    pub(crate) bytes: usize,
    /// From the cause to the last byte before the first short silence, and the bytes until then.
    pub(crate) layout: (Duration, usize),
}

/// A running program. Killed when dropped.
pub(crate) struct Running {
    child: Box<dyn Child + Send + Sync>,
    begun: Instant,
    keys: Box<dyn std::io::Write + Send>,
    chunks: Receiver<(Instant, usize)>,
    moves: (Vec<u8>, Vec<u8>),
    _master: Box<dyn MasterPty + Send>,
}

impl Running {
    /// What comes after its start.
    pub(crate) fn opening(&mut self) -> Outcome<Burst> {
        self.burst(self.begun, SILENCE)?.ok_or_else(|| "it wrote nothing within its first ten seconds".into())
    }

    /// The keys that move a row down and up.
    pub(crate) fn moves(&self) -> (Vec<u8>, Vec<u8>) {
        self.moves.clone()
    }

    /// What a key brings: until `silence`; none when nothing came.
    pub(crate) fn press(&mut self, key: &[u8], silence: Duration) -> Outcome<Option<Burst>> {
        let cause = Instant::now();
        self.keys.write_all(key)?;
        self.keys.flush()?;
        self.burst(cause, silence)
    }

    fn burst(&mut self, cause: Instant, silence: Duration) -> Outcome<Option<Burst>> {
        let mut burst: Option<Burst> = None;
        loop {
            let wait = if burst.is_some() { silence } else { PATIENCE };
            match self.chunks.recv_timeout(wait) {
                Ok((at, bytes)) => {
                    let last = at.saturating_duration_since(cause);
                    let so_far = burst.get_or_insert(Burst { first: last, last, bytes: 0, layout: (last, 0) });
                    // Once a short silence was heard the layout is behind, and stays behind.
                    if so_far.layout.1 == so_far.bytes && last.saturating_sub(so_far.last) < SHORT {
                        so_far.layout = (last, so_far.bytes + bytes);
                    }
                    so_far.last = last;
                    so_far.bytes += bytes;
                }
                Err(RecvTimeoutError::Timeout) => return Ok(burst),
                Err(RecvTimeoutError::Disconnected) => return Err("it ended while it was measured".into()),
            }
            if cause.elapsed() > PATIENCE {
                return Ok(burst);
            }
        }
    }

    /// Time since it was started.
    pub(crate) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Bytes that come within a time.
    pub(crate) fn listen(&mut self, span: Duration) -> Outcome<usize> {
        let end = Instant::now() + span;
        let mut bytes = 0;
        loop {
            match self.chunks.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok((_, more)) => bytes += more,
                Err(RecvTimeoutError::Timeout) => return Ok(bytes),
                Err(RecvTimeoutError::Disconnected) => return Err("it ended while it was measured".into()),
            }
        }
    }

    /// Milliseconds of processor that all its threads have used.
    pub(crate) fn processor(&self) -> Outcome<f64> {
        let mut nanoseconds = 0_u64;
        for task in std::fs::read_dir(self.proc("task")?)? {
            let line = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            nanoseconds += line.split(' ').next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds).as_secs_f64() * 1000.0)
    }

    /// Mebibytes of memory that are its own now.
    pub(crate) fn memory(&self) -> Outcome<f64> {
        let kibibytes = field(&self.proc("status")?, "VmRSS:")?;
        Ok(kibibytes / 1024.0)
    }

    /// Times that its threads were woken so far.
    pub(crate) fn wakes(&self) -> Outcome<f64> {
        let mut sum = 0.0;
        for task in std::fs::read_dir(self.proc("task")?)? {
            sum += field(&task?.path().join("status"), "voluntary_ctxt_switches:").unwrap_or(0.0);
        }
        Ok(sum)
    }

    /// Write calls so far, those that wake its own threads included.
    pub(crate) fn writes(&self) -> Outcome<f64> {
        field(&self.proc("io")?, "syscw:")
    }

    fn proc(&self, file: &str) -> Outcome<PathBuf> {
        let pid = self.child.process_id().ok_or("it has no process")?;
        Ok(PathBuf::from(format!("/proc/{pid}/{file}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number behind a name in one of the system's files.
fn field(file: &Path, name: &str) -> Outcome<f64> {
    let text = std::fs::read_to_string(file)?;
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    found.ok_or_else(|| format!("{} has no {name}", file.display()).into())
}
