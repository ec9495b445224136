//! What the routers behind HTTP have in common in tests: a process, two servers behind it, and requests through it that are counted.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::haproxy::request;
use super::named::Named;
use super::support::{Server, free_port, installed, wait_for};

/// A running router.
pub struct Router {
    process: Option<Server>,
    start: Box<dyn Fn(&Path) -> Server + Send + Sync>,
    ready: &'static str,
    folder: TempDir,
    /// The port that takes requests.
    pub port: u16,
    /// The port of its API.
    pub api: u16,
    /// The servers `v1` and `v2` behind it.
    pub backs: [Named; 2],
}

impl Router {
    /// Starts one: `prepare` writes its files into a folder by the ports (requests, API) and the servers; `command` starts it there;
    /// it is ready when `GET ready` at its API answers with 200.
    pub fn start(
        ready: &'static str,
        backs: [Named; 2],
        prepare: impl FnOnce(&Path, [u16; 2], &[Named; 2]),
        command: impl Fn(&Path) -> Command + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, api) = (free_port(), free_port());
        prepare(folder.path(), [port, api], &backs);
        let start = move |folder: &Path| Server::start(&mut command(folder), &folder.join("log"));
        let mut router = Self { process: None, start: Box::new(start), ready, folder, port, api, backs };
        router.restart();
        router
    }

    /// Two small servers `v1` and `v2`.
    pub fn two() -> [Named; 2] {
        [Named::start("v1"), Named::start("v2")]
    }

    /// A program that `tests/servers` installed.
    pub fn program(name: &str) -> Command {
        Command::new(installed().join("venv/bin").join(name))
    }

    /// Ends the process, if there is one, without a word.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it anew as it was started first, and waits until it answers.
    pub fn restart(&mut self) {
        self.kill();
        self.process = Some((self.start)(self.folder.path()));
        wait_for("the router", Duration::from_secs(30), || {
            let told = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(self.process.as_mut().is_some_and(Server::running), "the router ended: {}", told());
            let answers = super::support::get(self.api, self.ready)?.starts_with("HTTP/1.1 200");
            (answers && request(self.port, "checkout").is_ok()).then_some(())
        });
    }

    /// The folder with its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of its API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api)
    }

    /// Sends requests one after another: answers by server; one that fails fails the test.
    pub fn requests(&self, count: u32) -> BTreeMap<String, u32> {
        let mut by = BTreeMap::new();
        for _ in 0..count {
            *by.entry(request(self.port, "checkout").unwrap()).or_default() += 1;
        }
        by
    }
}
