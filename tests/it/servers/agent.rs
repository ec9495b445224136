//! A real `ssh-agent` with keys made for the test, and fake ones that answer what no agent should.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64ct::{Base64, Encoding as _};

use super::support::{Server, wait_for};

/// A running agent; it ends with the test.
pub struct Agent {
    _process: Server,
    folder: tempfile::TempDir,
}

impl Agent {
    /// Starts one without keys.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent.sock");
        let mut command = Command::new("ssh-agent");
        let process = Server::start(command.arg("-D").arg("-a").arg(&socket), &folder.path().join("log"));
        wait_for("the agent", Duration::from_secs(10), || UnixStream::connect(&socket).ok());
        Self { _process: process, folder }
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("agent.sock")
    }

    /// Makes a key by the words of `ssh-keygen` and adds it; its public key without the comment.
    pub fn add(&self, name: &str, form: &[&str]) -> String {
        let key = make_key(self.folder.path(), name, form);
        self.ssh_add(&["-q", self.folder.path().join(name).to_str().unwrap()]);
        key
    }

    /// Runs `ssh-add` with this agent; it must work.
    #[track_caller]
    pub fn ssh_add(&self, words: &[&str]) {
        // Locking asks for a password, which comes from a program where there is no terminal.
        let ask = self.folder.path().join("ask");
        std::fs::write(&ask, "#!/bin/sh\necho secret\n").unwrap();
        executable(&ask);
        let mut command = Command::new("ssh-add");
        command.args(words).env("SSH_AUTH_SOCK", self.socket()).env("SSH_ASKPASS", &ask).env("SSH_ASKPASS_REQUIRE", "force");
        let said = command.stdin(Stdio::null()).output().unwrap();
        assert!(said.status.success(), "ssh-add {words:?}: {}", String::from_utf8_lossy(&said.stderr));
    }

    /// Puts a key under a person's confirmation that a program gives or refuses in his place; the agent that asks is this one.
    pub fn start_confirming(answer: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (socket, ask) = (folder.path().join("agent.sock"), folder.path().join("confirm"));
        std::fs::write(&ask, format!("#!/bin/sh\n{answer}\n")).unwrap();
        executable(&ask);
        let mut command = Command::new("ssh-agent");
        command.env("SSH_ASKPASS", &ask).env("SSH_ASKPASS_REQUIRE", "force").env("DISPLAY", ":none");
        let process = Server::start(command.arg("-D").arg("-a").arg(&socket), &folder.path().join("log"));
        wait_for("the agent", Duration::from_secs(10), || UnixStream::connect(&socket).ok());
        Self { _process: process, folder }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Makes a key pair and gives the public key without its comment.
pub fn make_key(folder: &Path, name: &str, form: &[&str]) -> String {
    let file = folder.join(name);
    let made = Command::new("ssh-keygen").args(["-q", "-N", "", "-C", "somebody"]).args(form).arg("-f").arg(&file).status();
    assert!(made.expect("ssh-keygen is installed; run tests/servers first").success());
    let line = std::fs::read_to_string(file.with_extension("pub")).unwrap();
    line.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

fn executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o700)).unwrap();
}

/// What answers like an agent and is none.
pub struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    /// Answers each question, without its length, by whole messages; where there is none it keeps the line and its silence for ever.
    pub fn start(answer: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("agent.sock")).unwrap();
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for line in listener.incoming() {
                let Ok(mut line) = line else { return };
                while let Some(question) = question(&mut line) {
                    let Some(bytes) = answer(&question) else {
                        silent.push(line);
                        break;
                    };
                    let _ = line.write_all(&bytes);
                }
            }
        });
        Self { folder }
    }

    /// Lists these keys and says the same to everything else.
    pub fn listing(keys: Vec<Vec<u8>>, signed: Option<Vec<u8>>) -> Self {
        Self::start(move |question| if question == [11] { Some(listing(&keys)) } else { signed.clone() })
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("agent.sock")
    }
}

fn question(line: &mut UnixStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    line.read_exact(&mut length).ok()?;
    let mut question = vec![0; u32::from_be_bytes(length) as usize];
    line.read_exact(&mut question).ok()?;
    Some(question)
}

/// Bytes with their length before them, as the protocol has strings and messages.
pub fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

/// An agent's list of keys, each in the bytes of its public key, as a whole message.
pub fn listing(keys: &[Vec<u8>]) -> Vec<u8> {
    let mut message = vec![12];
    message.extend_from_slice(&u32::try_from(keys.len()).unwrap().to_be_bytes());
    for key in keys {
        message.extend(string(key));
        message.extend(string(b"\xff no UTF-8 \x1b[2J"));
    }
    string(&message)
}

/// The bytes of a public key in the OpenSSH form.
pub fn bytes_of(key: &str) -> Vec<u8> {
    Base64::decode_vec(key.split(' ').nth(1).unwrap()).unwrap()
}
