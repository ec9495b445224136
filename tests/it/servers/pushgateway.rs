//! A real Pushgateway.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::support::{Server, free_port, get, wait_for};

/// A Pushgateway that ends with the test.
pub struct Pushgateway {
    _server: Server,
    _folder: TempDir,
    /// Its port.
    pub port: u16,
}

impl Pushgateway {
    /// Starts one that is empty.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, log) = (free_port(), folder.path().join("log"));
        let mut command = Command::new("prometheus-pushgateway");
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let mut server = Server::start(&mut command, &log);
        wait_for("the Pushgateway to be ready", Duration::from_secs(30), || {
            assert!(server.running(), "it ended: {}", std::fs::read_to_string(&log).unwrap_or_default());
            get(port, "/-/ready").filter(|answer| answer.starts_with("HTTP/1.1 200"))
        });
        Self { _server: server, _folder: folder, port }
    }

    /// What a scrape gets.
    pub fn scraped(&self) -> String {
        let answer = get(self.port, "/metrics").unwrap();
        answer.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned())
    }
}
