//! What every started server needs: a free port, a process that ends with the test, waiting for a condition with a deadline.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child process that is killed when it is dropped.
pub struct Server(Child);

impl Server {
    /// Starts a program with its output in a file; fails the test when the program is missing.
    pub fn start(command: &mut Command, log: &std::path::Path) -> Self {
        let out = std::fs::File::create(log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}; run tests/servers first")))
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Whether it still runs.
    pub fn running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A loopback port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits for a condition, asking every 20 ms.
#[expect(clippy::disallowed_methods, reason = "tests against real servers wait in real time, for a condition, with a deadline")]
pub fn wait_for<T>(what: &str, within: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + within;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < end, "waited {within:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The folder into which `tests/servers` installs what is no Debian package; `GONOGO_SERVERS` overrides it.
pub fn installed() -> PathBuf {
    std::env::var_os("GONOGO_SERVERS").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".servers"), PathBuf::from)
}
