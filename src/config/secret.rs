//! Secrets: named in the configuration by reference only, resolved when needed, never printable.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// The longest secret, in bytes.
const LONGEST: u64 = 64 * 1024;
/// How long a command may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// The time between two looks at a command.
const LOOK: Duration = Duration::from_millis(10);

/// Where a secret is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// In an environment variable.
    Env(String),
    /// In a file that only its owner may read.
    File(PathBuf),
    /// On the standard output of a command.
    Command(Vec<String>),
}

/// The reference as the configuration writes it; of a command only the program, for its arguments may be secret.
impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "{{ env = \"{name}\" }}"),
            Self::File(path) => write!(f, "{{ file = \"{}\" }}", path.display()),
            Self::Command(words) => write!(f, "{{ command = [\"{}\", ..] }}", words.first().map_or("", String::as_str)),
        }
    }
}

/// A secret. It has no printable form, and serialises to nothing because it does not serialise at all. Whatever became one is known to
/// [`withheld`](super::withheld) from then on.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: String) -> Self {
        super::withheld::remember(&value);
        Self(value)
    }

    /// The value, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a secret could not be read. It names the reference, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the secret {reference}: {why}")]
pub struct SecretError {
    /// The reference.
    pub reference: String,
    /// What was wrong, with what to do.
    pub why: String,
}

/// Reads a secret. One newline at its end is taken off. A command runs without a shell, for at most 10 s; this call
/// blocks as long.
///
/// # Errors
/// When the variable is not set, the file may be read by others, the command fails or is too slow, or what came is
/// empty, longer than 64 KiB, no UTF-8 or more than one line.
pub fn resolve(reference: &SecretRef, env: &BTreeMap<String, String>) -> Result<Secret, SecretError> {
    let bytes = match reference {
        SecretRef::Env(name) => env.get(name).map(|value| value.clone().into_bytes()).ok_or_else(|| "the variable is not set".to_owned()),
        SecretRef::File(path) => from_file(path),
        SecretRef::Command(words) => from_command(words, &[], DEADLINE),
    };
    bytes.and_then(secret).map_err(|why| SecretError { reference: reference.to_string(), why })
}

/// What a command writes that hands out credentials: as the command of a secret it runs without a shell, for at most 10 s, and may
/// write at most 64 KiB; `env` is added to the environment. This call blocks as long.
///
/// # Errors
/// When it does not start, fails, is too slow or writes too much; never with what it wrote.
pub fn output_of(words: &[String], env: &[(String, String)]) -> Result<Vec<u8>, String> {
    from_command(words, env, DEADLINE)
}

fn secret(bytes: Vec<u8>) -> Result<Secret, String> {
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err("it is longer than 64 KiB".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned())?;
    let line = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(&text);
    if line.is_empty() {
        return Err("it is empty".to_owned());
    }
    if line.contains(char::is_control) {
        return Err("it is more than one line of plain characters".to_owned());
    }
    Ok(Secret::new(line.to_owned()))
}

fn bounded(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LONGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn from_file(path: &Path) -> Result<Vec<u8>, String> {
    // Without waiting, so that a pipe in the file's place cannot stop the room.
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| error.to_string())?;
    let data = file.metadata().map_err(|error| error.to_string())?;
    if !data.is_file() {
        return Err("it is no regular file".to_owned());
    }
    if data.mode() & 0o077 != 0 {
        let mode = data.mode() & 0o7777;
        return Err(format!("others may read or write it (mode {mode:04o}); run `chmod 600 {}`", path.display()));
    }
    bounded(file).map_err(|error| error.to_string())
}

fn from_command(words: &[String], env: &[(String, String)], deadline: Duration) -> Result<Vec<u8>, String> {
    let (program, arguments) = words.split_first().ok_or_else(|| "no command is given".to_owned())?;
    let mut child = Command::new(program)
        .args(arguments)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("the command did not start: {error}"))?;
    let (send, receive) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || send.send(bounded(output)));
    }
    let bytes = wait(&mut child, &receive, deadline);
    if bytes.is_err() {
        end(&mut child);
    }
    bytes
}

/// Waits for the whole output and a good end, by counting looks: this needs no clock.
fn wait(child: &mut Child, output: &mpsc::Receiver<std::io::Result<Vec<u8>>>, deadline: Duration) -> Result<Vec<u8>, String> {
    let looks = deadline.as_millis().checked_div(LOOK.as_millis()).unwrap_or(1);
    let mut bytes = None;
    let (_never, pause) = mpsc::channel::<()>();
    for _ in 0..looks {
        if bytes.is_none() {
            match output.recv_timeout(LOOK) {
                Ok(read) => bytes = Some(read.map_err(|error| error.to_string())?),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err("its output could not be read".to_owned()),
            }
            if bytes.as_ref().is_some_and(|bytes| u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST)) {
                return Err("it is longer than 64 KiB".to_owned());
            }
        }
        if bytes.is_some() {
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) if status.success() => return bytes.ok_or_else(String::new),
                Some(status) => return Err(format!("the command failed: {status}")),
                None => {
                    let _ = pause.recv_timeout(LOOK);
                }
            }
        }
    }
    Err(format!("the command took longer than {}", super::duration::write(deadline)))
}

/// Ends a command with everything that it started.
fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn none() -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn command(words: &[&str]) -> SecretRef {
        SecretRef::Command(words.iter().map(|word| (*word).to_owned()).collect())
    }

    fn value(reference: &SecretRef) -> Result<String, String> {
        resolve(reference, &none()).map(|secret| secret.expose().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_variable_is_read_and_its_absence_told_by_name() {
        let env = BTreeMap::from([("TOKEN".to_owned(), "s3cret".to_owned())]);
        assert_eq!(resolve(&SecretRef::Env("TOKEN".to_owned()), &env).expect("set").expose(), "s3cret");
        let error = resolve(&SecretRef::Env("OTHER".to_owned()), &env).expect_err("not set");
        assert_eq!(error.to_string(), "failed to read the secret { env = \"OTHER\" }: the variable is not set");
    }

    #[test]
    fn a_file_for_its_owner_alone_is_read_without_its_last_newline() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("token");
        fs::write(&path, "s3cret\n").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
        assert_eq!(value(&SecretRef::File(path)), Ok("s3cret".to_owned()));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_command_to_run() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("token");
        fs::write(&path, "s3cret\n").expect("written");
        for mode in [0o640, 0o604, 0o620, 0o610] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
            let error = value(&SecretRef::File(path.clone())).expect_err("refused");
            assert!(error.contains(&format!("chmod 600 {}", path.display())) && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn the_first_line_of_a_command_is_the_secret_and_no_shell_reads_it() {
        assert_eq!(value(&command(&["echo", "$HOME;x"])), Ok("$HOME;x".to_owned()));
    }

    #[test]
    fn a_command_that_fails_tells_its_status_and_not_its_output() {
        let error = value(&command(&["sh", "-c", "echo s3cret; exit 3"])).expect_err("failed");
        assert!(error.contains("exit status: 3") && !error.contains("s3cret"), "{error}");
    }

    #[test]
    fn a_slow_command_is_ended_with_what_it_started() {
        let words = ["sh", "-c", "sleep 600; echo late"].map(str::to_owned);
        assert_eq!(from_command(&words, &[], Duration::from_millis(200)), Err("the command took longer than 200ms".to_owned()));
    }

    #[test]
    fn a_command_without_end_is_cut_off() {
        assert!(value(&command(&["yes"])).expect_err("refused").contains("64 KiB"));
    }

    #[test]
    fn two_lines_and_no_line_are_no_secret() {
        assert!(value(&command(&["printf", "a\\nb\\n"])).expect_err("refused").contains("more than one line"));
        assert!(value(&command(&["printf", "\\n"])).expect_err("refused").contains("empty"));
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("s3cret".to_owned())), "Secret(..)");
    }
}
