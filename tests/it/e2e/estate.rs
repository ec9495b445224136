//! Two versions of a service behind a real HAProxy, watched by a real Prometheus and Alertmanager, built by a real Buildbot.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

use crate::pty::{Home, Term};
use crate::servers::alertmanager::Alertmanager;
use crate::servers::buildbot::Buildbot;
use crate::servers::prometheus::Prometheus;
use crate::servers::service::{Service, Spec};
use crate::servers::support::{Server, free_port, wait_for};

/// Builders of the shared Buildbot that belong to one test: one that builds, one that deploys, and the gate that ends their runs; and its steps.
#[derive(Debug, Clone, Copy)]
pub struct Builds {
    /// Builds the service.
    pub pipeline: &'static str,
    /// Deploys it.
    pub deploy: &'static str,
    /// The gate of the runs of `pipeline`.
    pub gate: &'static str,
    /// The steps of a rollout, as in a configuration.
    pub steps: &'static str,
}

/// Everything that runs for one test, and the configuration that names it.
pub struct Estate {
    /// The old version.
    pub v1: Service,
    /// The new version.
    pub v2: Service,
    /// Where requests go in.
    pub front: SocketAddr,
    /// Home, store and configuration of gonogo.
    pub home: Home,
    config: PathBuf,
    socket: PathBuf,
    /// The router's process.
    pub router: Server,
    /// What measures.
    pub prometheus: Option<Prometheus>,
    _alertmanager: Alertmanager,
    _folder: TempDir,
}

impl Estate {
    /// Starts it all with `percent` of the traffic at the new version.
    pub fn start(percent: u32) -> Self {
        Self::by_steps(percent, "20, 50, 100")
    }

    /// The same with other steps.
    pub fn by_steps(percent: u32, steps: &'static str) -> Self {
        Self::built_by(percent, Builds { pipeline: "lane-12", deploy: "checkout-deploy", gate: "e2e", steps })
    }

    /// The same with builders of its own.
    pub fn built_by(percent: u32, builds: Builds) -> Self {
        let v1 = Service::start(Spec::new("checkout", "v1", "2.4.1", "stable"));
        let v2 = Service::start(Spec::new("checkout", "v2", "2.5.0", "canary"));
        let folder = tempfile::tempdir().unwrap();
        let (socket, port) = (folder.path().join("admin.sock"), free_port());
        let config = format!(
            "global\n  stats socket {} mode 600 level admin\n\
             defaults\n  mode http\n  timeout connect 2s\n  timeout client 10s\n  timeout server 10s\n  retries 0\n\
             frontend front\n  bind 127.0.0.1:{port}\n  \
             use_backend be_testers if {{ req.hdr(x-canary) -m str yes }}\n  default_backend be_checkout\n\
             backend be_checkout\n  balance roundrobin\n  server v1 {first} weight {}\n  server v2 {second} weight {percent}\n\
             backend be_testers\n  balance roundrobin\n  server v1 {first} weight 100\n  server v2 {second} weight 0\n",
            socket.display(),
            100 - percent,
            first = v1.address(),
            second = v2.address(),
        );
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(&file).process_group(0);
        let mut router = Server::start(&mut command, &folder.path().join("log"));
        wait_for("HAProxy to listen", Duration::from_secs(20), || {
            assert!(router.running(), "HAProxy ended: {}", std::fs::read_to_string(folder.path().join("log")).unwrap_or_default());
            (socket.exists() && std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()).then_some(())
        });
        let alertmanager = Alertmanager::start();
        let rules = "- name: checkout\n  rules:\n  - alert: CheckoutErrors\n    \
                     expr: sum(rate(http_requests_total{service=\"checkout\",code=~\"5..\"}[10s])) / sum(rate(http_requests_total{service=\"checkout\"}[10s])) > 0.01\n    \
                     for: 2s\n    labels: {severity: page, service: checkout, environment: prod}\n    annotations: {summary: checkout fails}\n";
        let more = format!("alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{}']}}]}}]}}\n", alertmanager.port);
        let prometheus = Prometheus::start(&[v1.address().port(), v2.address().port()], rules, &more);
        let home = Home::new();
        let config = home.write("gonogo.toml", &configuration(&home, &prometheus, &alertmanager, &socket, builds));
        let front = SocketAddr::from(([127, 0, 0, 1], port));
        Self { v1, v2, front, home, config, socket, router, prometheus: Some(prometheus), _alertmanager: alertmanager, _folder: folder }
    }

    /// Opens the room in a terminal.
    pub fn room(&self, size: (u16, u16)) -> Term {
        Term::start_in(&self.home, &["--config", self.config.to_str().unwrap()], size, &[])
    }

    /// Runs a verb in a process of its own on the same store.
    pub fn gonogo(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gonogo"));
        command.arg("--config").arg(&self.config).args(args).env_clear().envs(self.home.environment()).current_dir(self.home.path());
        command.output().unwrap()
    }

    /// A verb that must succeed, and its JSON.
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let output = self.gonogo(args);
        let (out, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{args:?} ended with {:?}\n{out}\n{words}", output.status.code());
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{args:?} printed no JSON: {error}\n{out}\n{words}"))
    }

    /// Writes the configuration anew.
    pub fn configure(&self, change: impl Fn(&str) -> String) {
        let text = std::fs::read_to_string(&self.config).unwrap();
        let changed = change(&text);
        assert_ne!(text, changed);
        std::fs::write(&self.config, changed).unwrap();
    }

    /// The weight of a server, asked of HAProxy itself.
    pub fn weight(&self, server: &str) -> u32 {
        use std::io::{Read as _, Write as _};
        let mut socket = std::os::unix::net::UnixStream::connect(&self.socket).unwrap();
        socket.write_all(format!("get weight be_checkout/{server}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.split_whitespace().next().and_then(|weight| weight.parse().ok()).unwrap_or_else(|| panic!("no weight in {answer:?}"))
    }

    /// Says one line to HAProxy, as another hand would.
    pub fn by_hand(&self, line: &str) {
        use std::io::{Read as _, Write as _};
        let mut socket = std::os::unix::net::UnixStream::connect(&self.socket).unwrap();
        writeln!(socket, "{line}").unwrap();
        socket.read_to_string(&mut String::new()).unwrap();
    }

    /// Starts a verb in a process of its own and goes on.
    pub fn begin(&self, args: &[&str]) -> std::process::Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gonogo"));
        command.arg("--config").arg(&self.config).args(args).env_clear().envs(self.home.environment()).current_dir(self.home.path());
        command
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The entries of the ledger, oldest first; none before there is a ledger.
    pub fn entries(&self) -> Vec<serde_json::Value> {
        if self.gonogo(&["ledger", "list", "--json"]).status.code() == Some(11) {
            return Vec::new();
        }
        self.json(&["ledger", "list", "--json"])["entries"].as_array().unwrap().clone()
    }

    /// The kinds of the entries of each deed with this verb, oldest first.
    pub fn deeds(&self, verb: &str) -> Vec<Vec<String>> {
        let mut deeds: Vec<(String, Vec<String>)> = Vec::new();
        for entry in self.entries().iter().filter(|entry| entry["verb"] == verb) {
            let (deed, kind) = (entry["deed"].to_string(), entry["kind"].as_str().unwrap().to_owned());
            match deeds.iter_mut().find(|(name, _)| *name == deed) {
                Some((_, kinds)) => kinds.push(kind),
                None => deeds.push((deed, vec![kind])),
            }
        }
        deeds.into_iter().map(|(_, kinds)| kinds).collect()
    }

    /// The kinds of the ledger's entries, in order.
    pub fn kinds(&self) -> Vec<String> {
        let entries = self.json(&["ledger", "list", "--json"]);
        entries["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
    }
}

fn configuration(home: &Home, prometheus: &Prometheus, alertmanager: &Alertmanager, socket: &std::path::Path, builds: Builds) -> String {
    let buildbot = Buildbot::shared().url();
    let Builds { pipeline, deploy, gate, steps } = builds;
    format!(
        r#"
[room]
name = "shop"
[store]
path = "{store}"
[[backend]]
name = "prom"
kind = "prometheus"
url = "{prom}"
every = "1s"
[[backend]]
name = "alerts"
kind = "alertmanager"
url = "{alerts}"
every = "1s"
[[backend]]
name = "edge"
kind = "haproxy"
socket = "{socket}"
every = "1s"
lookup_within = "5s"
[[backend]]
name = "ci"
kind = "buildbot"
url = "{buildbot}"
every = "1s"
[[environment]]
name = "prod"
hold_time = "6s"
effective_within = "15s"
min_requests = 50
[[service]]
name = "checkout"
team = "payments"
alerts = {{ backend = "alerts", match = {{ service = "$service" }} }}
pipeline = {{ backend = "ci", builder = "{pipeline}", scheduler = "force", properties = {{ gonogo_key = "$key", gate = "{gate}" }} }}
[service.deploy.prod]
strategy = "canary"
steps = [{steps}]
rollout = {{ wait = "3s", deadline = "3m", bake = "8s", after = "2s" }}
traffic = [{{ backend = "edge", pool = "be_checkout", stable = ["v1"], canary = ["v2"] }}]
version = {{ backend = "prom", query = 'app_info{{service="$service",slot="$slot"}}', label = "version", digest = "digest" }}
deploy = {{ backend = "ci", builder = "{deploy}", scheduler = "force", properties = {{ environment = "$environment", slot = "$slot", version = "$version", gonogo_key = "$key" }} }}
[[service.signal]]
name = "errors"
kind = "ratio"
backend = "prom"
bad = 'http_requests_total{{service="$service",slot="$slot",code=~"5.."}}'
total = 'http_requests_total{{service="$service",slot="$slot"}}'
better = "lower"
limit = 0.01
critical = true
"#,
        store = home.path().join("store").display(),
        prom = prometheus.url(),
        alerts = alertmanager.url(),
        socket = socket.display(),
    )
}
