//! A real Prometheus, and an exporter whose samples a test sets.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use super::support::{Server, free_port, get, wait_for};

/// A Prometheus that ends with the test.
pub struct Prometheus {
    _server: Server,
    _folder: TempDir,
    /// Its port.
    pub port: u16,
}

impl Prometheus {
    /// Starts one that scrapes these ports each second, with these rule groups (YAML, the list under `groups:`; empty for none) and
    /// further lines of configuration.
    pub fn start(scrape: &[u16], groups: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let targets = scrape.iter().map(|port| format!("'127.0.0.1:{port}'")).collect::<Vec<_>>().join(", ");
        let mut config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
             scrape_configs:\n- job_name: test\n  honor_labels: true\n  static_configs:\n  - targets: [{targets}]\n"
        );
        if !groups.is_empty() {
            std::fs::write(path("rules.yml"), format!("groups:\n{groups}")).unwrap();
            config.push_str("rule_files: [rules.yml]\n");
        }
        config.push_str(more);
        Self::run(folder, &config, &[])
    }

    fn run(folder: TempDir, config: &str, more: &[&str]) -> Self {
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("prometheus.yml"), config).unwrap();
        let port = free_port();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", path("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", path("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(more);
        let mut server = Server::start(&mut command, &path("log"));
        wait_for("Prometheus to be ready", Duration::from_secs(30), || {
            let log = || std::fs::read_to_string(path("log")).unwrap_or_default();
            assert!(server.running(), "Prometheus ended: {}", log());
            get(port, "/-/ready").filter(|answer| answer.starts_with("HTTP/1.1 200"))
        });
        Self { _server: server, _folder: folder, port }
    }

    /// Starts one whose past is this text of `OpenMetrics`, made into blocks by promtool.
    pub fn with_past(samples: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("past.txt"), samples).unwrap();
        let mut filling = Command::new("promtool");
        filling
            .args(["tsdb", "create-blocks-from", "--max-block-duration=24h", "openmetrics", "-q"])
            .arg(path("past.txt"))
            .arg(path("data"));
        let filled = filling.output().unwrap();
        assert!(filled.status.success(), "{filled:?}");
        Self::run(folder, "global: {}\n", &["--storage.tsdb.retention.time=400d"])
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// An exporter whose series a test sets, counted up or taken away at will.
#[derive(Clone)]
pub struct Exporter {
    series: Arc<Mutex<BTreeMap<String, f64>>>,
    /// Its port.
    pub port: u16,
}

impl Exporter {
    /// Starts one without series.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let series = Arc::new(Mutex::new(BTreeMap::<String, f64>::new()));
        let shown = Arc::clone(&series);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
                let _ = stream.read(&mut [0_u8; 4096]);
                let body: String =
                    shown.lock().unwrap().iter().fold(String::new(), |text, (name, value)| format!("{text}{name} {value}\n"));
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
                let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
            }
        });
        Self { series, port }
    }

    /// Sets a series, written as `name{label="value"}`.
    pub fn set(&self, series: &str, value: f64) {
        self.series.lock().unwrap().insert(series.to_owned(), value);
    }

    /// Takes a series away.
    pub fn remove(&self, series: &str) {
        self.series.lock().unwrap().remove(series);
    }
}
