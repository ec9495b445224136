//! A real Alertmanager.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::support::{Server, free_port, get, post, wait_for};

/// An Alertmanager that ends with the test.
pub struct Alertmanager {
    _server: Server,
    _folder: TempDir,
    /// Its port.
    pub port: u16,
}

impl Alertmanager {
    /// Starts one that groups by `service` and tells nobody; an alert of severity `critical` inhibits its service's `warning` ones.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let config = "route: {receiver: nobody, group_by: [service], group_wait: 1s, group_interval: 1s}\n\
                      receivers: [{name: nobody}]\n\
                      inhibit_rules:\n\
                      - {source_matchers: ['severity=\"critical\"'], target_matchers: ['severity=\"warning\"'], equal: [service]}\n";
        std::fs::write(path("alertmanager.yml"), config).unwrap();
        let port = free_port();
        let mut command = Command::new("prometheus-alertmanager");
        command
            .arg(format!("--config.file={}", path("alertmanager.yml").display()))
            .arg(format!("--storage.path={}", path("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=");
        let mut server = Server::start(&mut command, &path("log"));
        wait_for("Alertmanager to be ready", Duration::from_secs(30), || {
            let log = || std::fs::read_to_string(path("log")).unwrap_or_default();
            assert!(server.running(), "Alertmanager ended: {}", log());
            get(port, "/-/ready").filter(|answer| answer.starts_with("HTTP/1.1 200"))
        });
        Self { _server: server, _folder: folder, port }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Posts JSON as a person could, and gives the answer.
    pub fn post(&self, path: &str, json: &str) -> String {
        let answer = post(self.port, path, json).expect("Alertmanager answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }
}
