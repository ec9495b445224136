//! The same programs over ssh: a server of our own on the loopback, and what its connection carried as the system counts it.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Outcome;
use crate::terminal::Program;

/// The server must be called by its whole path.
const SERVER: &str = "/usr/sbin/sshd";
/// What a segment has around its bytes: 20 of IP, 20 of TCP, 12 of its time stamps.
const AROUND: u64 = 52;

/// A server that lets its own key in. Ends when dropped.
pub(crate) struct Server {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// Starts one.
    pub(crate) fn start() -> Outcome<Self> {
        if !Path::new(SERVER).exists() {
            return Err(format!("there is no {SERVER}: install openssh-server").into());
        }
        let folder = tempfile::tempdir()?;
        for key in ["host", "user"] {
            let mut made = Command::new("ssh-keygen");
            made.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.path().join(key));
            if !made.status()?.success() {
                return Err("ssh-keygen made no key".into());
            }
        }
        // Where the server drops what it does not need; a package makes it only when it starts one.
        let _ = std::fs::create_dir_all("/run/sshd");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut text = format!("Port {port}\nListenAddress 127.0.0.1\nPidFile none\nUsePAM no\nStrictModes no\n");
        let path = |name: &str| folder.path().join(name).display().to_string();
        write!(text, "HostKey {}\nAuthorizedKeysFile {}\n", path("host"), path("user.pub"))?;
        text.push_str("PasswordAuthentication no\nPermitRootLogin prohibit-password\n");
        std::fs::write(folder.path().join("config"), text)?;
        let process = Command::new(SERVER).args(["-D", "-f", &path("config")]).stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let server = Self { process, port, folder };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if begun.elapsed() > Duration::from_secs(10) {
                return Err("the server did not begin to listen".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// A program as somebody starts it from afar. Newer clients hide when keys are pressed, for a kilobyte a key: here they do not.
    pub(crate) fn program(&self, program: &Program) -> Program {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let mut arguments: Vec<String> = ["-tt", "-F", "none", "-p"].map(str::to_owned).to_vec();
        arguments.extend([self.port.to_string(), "-i".to_owned(), path("user")]);
        let known = format!("UserKnownHostsFile={}", path("known"));
        let plain = ["IgnoreUnknown=ObscureKeystrokeTiming", "ObscureKeystrokeTiming=no", "LogLevel=ERROR"];
        for option in plain.into_iter().chain(["IdentitiesOnly=yes", "StrictHostKeyChecking=accept-new", &known]) {
            arguments.extend(["-o".to_owned(), option.to_owned()]);
        }
        arguments.push("127.0.0.1".to_owned());
        program.through("/usr/bin/ssh", &arguments)
    }

    /// Bytes of IP that the connection of the client has carried so far, both ways.
    pub(crate) fn carried(&self) -> Outcome<u64> {
        let port = format!(":{}", self.port);
        let told = Command::new("ss").args(["-tinHO", "state", "established", "dport", "=", &port]).output()?;
        let told = String::from_utf8(told.stdout)?;
        let sum = |name: &str| told.split_whitespace().filter_map(|word| word.strip_prefix(name)?.parse::<u64>().ok()).sum::<u64>();
        let segments = sum("segs_out:") + sum("segs_in:");
        if segments == 0 {
            return Err("the system tells of no connection to the server".into());
        }
        Ok(sum("bytes_sent:") + sum("bytes_received:") + AROUND * segments)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
