//! Two versions of a service behind one or two real routers of any product, watched by a real Prometheus, and fixed steps to compare with.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::pty::Home;
use crate::servers::named::Named;
use crate::servers::prometheus::Prometheus;
use crate::servers::router::Router;
use crate::servers::service::{Load, Service, Spec};
use crate::servers::support::{Server, free_port, get, wait_for};
use crate::servers::{envoy, traefik};

/// A whole rollout, on a slow machine.
pub const WHOLE: Duration = Duration::from_mins(3);
/// Requests a second over all routers.
const RATE: u32 = 300;
/// Fixed steps: the share, and how long it stands, as `wait` and `bake` say; after the last a person looks.
const FIXED: [(u32, Duration); 3] = [(20, Duration::from_secs(3)), (50, Duration::from_secs(3)), (100, Duration::from_secs(8))];

/// A router, and how another hand moves it.
pub enum Front {
    Haproxy { _process: Server, folder: TempDir, port: u16 },
    Envoy(Router),
    Traefik(Router),
}

impl Front {
    pub fn haproxy(v1: &Service, v2: &Service) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let config = format!(
            "global\n  stats socket {} mode 600 level admin\n\
             defaults\n  mode http\n  timeout connect 2s\n  timeout client 10s\n  timeout server 10s\n  retries 0\n\
             frontend front\n  bind 127.0.0.1:{port}\n  default_backend be_checkout\n\
             backend be_checkout\n  balance roundrobin\n  server v1 {} weight 100\n  server v2 {} weight 0\n",
            folder.path().join("admin.sock").display(),
            v1.address(),
            v2.address(),
        );
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, config).unwrap();
        let process = Server::start(Command::new("haproxy").arg("-db").arg("-f").arg(&file).process_group(0), &folder.path().join("log"));
        wait_for("HAProxy to listen", Duration::from_secs(20), || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Self::Haproxy { _process: process, folder, port }
    }
    fn backs(v1: &Service, v2: &Service) -> [Named; 2] {
        [Named::at("v1", v1.address().port()), Named::at("v2", v2.address().port())]
    }
    pub fn envoy(v1: &Service, v2: &Service) -> Self {
        Self::Envoy(envoy::start_before(Self::backs(v1, v2), [100, 0], true))
    }
    pub fn traefik(v1: &Service, v2: &Service) -> Self {
        Self::Traefik(traefik::start_before(Self::backs(v1, v2), "shop.yml", true))
    }
    fn port(&self) -> u16 {
        match self {
            Self::Haproxy { port, .. } => *port,
            Self::Envoy(router) | Self::Traefik(router) => router.port,
        }
    }
    /// The port of the API.
    pub fn api(&self) -> u16 {
        match self {
            Self::Haproxy { .. } => panic!("HAProxy has a socket"),
            Self::Envoy(router) | Self::Traefik(router) => router.api,
        }
    }
    fn ask(&self, line: &str) -> String {
        let Self::Haproxy { folder, .. } = self else { panic!("only HAProxy is asked by lines") };
        let mut socket = UnixStream::connect(folder.path().join("admin.sock")).unwrap();
        writeln!(socket, "{line}").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }
    /// Its tables in the configuration, and its entry in the traffic, in the place of whose API `api` stands, where it has one.
    fn configured(&self, api: Option<&str>) -> (String, String) {
        let (name, kind, pool) = match self {
            Self::Haproxy { folder, .. } => {
                ("edge", format!("kind = \"haproxy\"\nsocket = \"{}\"", folder.path().join("admin.sock").display()), "be_checkout")
            }
            Self::Envoy(router) => ("mesh", format!("kind = \"envoy\"\nurl = \"{}\"", api.unwrap_or(&router.url())), envoy::POOL),
            Self::Traefik(router) => (
                "web",
                format!("kind = \"traefik\"\nurl = \"{}\"\nfile = \"{}\"", router.url(), traefik::file(router).display()),
                traefik::POOL,
            ),
        };
        let table = format!(
            "[[backend]]\nname = \"{name}\"\n{kind}\nevery = \"1s\"\nstale_after = \"5s\"\nlookup_within = \"5s\"\ndeadline = \"2s\"\n"
        );
        (table, format!("{{ backend = \"{name}\", pool = \"{pool}\", stable = [\"v1\"], canary = [\"v2\"] }}"))
    }
    /// The share of the new version by the router's own word.
    pub fn share(&self) -> u32 {
        let number = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
        match self {
            Self::Haproxy { .. } => self.ask("get weight be_checkout/v2").split_whitespace().next().and_then(number).unwrap(),
            Self::Envoy(router) => get(router.api, "/runtime")
                .and_then(|answer| {
                    let (_, entry) = answer.split_once("\"routing.checkout.v2\"")?;
                    number(entry.split_once("\"final_value\": \"")?.1)
                })
                .unwrap_or(0),
            Self::Traefik(router) => {
                number(traefik::shown(router).split_once("\"name\":\"v2\",\"weight\":").map_or("0", |(_, rest)| rest)).unwrap_or(0)
            }
        }
    }
    /// Moves it as another hand would.
    pub fn set(&self, share: u32) {
        match self {
            Self::Haproxy { .. } => {
                self.ask(&format!("set weight be_checkout/v2 {share}; set weight be_checkout/v1 {}", 100 - share));
            }
            Self::Envoy(router) => {
                envoy::set(router, "routing.checkout.v2", &share.to_string());
                envoy::set(router, "routing.checkout.v1", &(100 - share).to_string());
            }
            Self::Traefik(router) => {
                let now = self.share();
                let change = |text: &str| {
                    let text = text.replacen(
                        &format!("name: v1\n            weight: {}", 100 - now),
                        &format!("name: v1\n            weight: {}", 100 - share),
                        1,
                    );
                    text.replacen(&format!("name: v2\n            weight: {now}"), &format!("name: v2\n            weight: {share}"), 1)
                };
                traefik::edit(router, &format!("\"name\":\"v2\",\"weight\":{share}"), change);
            }
        }
    }
}

/// Everything of one test.
pub struct Fleet {
    _v1: Service,
    pub v2: Service,
    pub fronts: Vec<Front>,
    pub prometheus: Option<Prometheus>,
    home: Home,
    config: PathBuf,
}

/// What people got: requests, and how many of them were harmed.
#[derive(Debug, Clone, Default)]
pub struct Harm {
    sent: u64,
    harmed: u64,
    /// Answers with an error by a version.
    pub refused: u64,
    /// No answer, or one of the router itself, and the first reasons.
    broken: u64,
    why: Vec<String>,
}

impl Harm {
    pub fn percent(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts of one test")]
        let share = self.harmed as f64 / self.sent as f64 * 100.0;
        share
    }
}

/// People at every router.
pub struct People(Vec<Load>);

impl People {
    /// How many were harmed: by an error, by no answer, or, where the new version is `slow`, by being served by it.
    pub fn stop(self, slow: bool) -> Harm {
        let mut harm = Harm::default();
        for tally in self.0.into_iter().map(Load::stop) {
            harm.sent += tally.sent;
            harm.broken += tally.broken;
            harm.refused += tally.refused;
            harm.why.extend(tally.why);
            harm.harmed += tally.refused + tally.broken + if slow { tally.by_slot.get("v2").copied().unwrap_or(0) } else { 0 };
        }
        harm
    }
}

impl Fleet {
    /// Starts it with these routers; `api` stands before the API of the last one.
    pub fn start(
        fronts: impl FnOnce(&Service, &Service) -> Vec<Front>,
        api: impl FnOnce(&[Front]) -> Option<String>,
        latency: bool,
    ) -> Self {
        let v1 = Service::start(Spec::new("checkout", "v1", "2.4.1", "stable"));
        let v2 = Service::start(Spec::new("checkout", "v2", "2.5.0", "canary"));
        let fronts = fronts(&v1, &v2);
        let prometheus = Prometheus::start(&[v1.address().port(), v2.address().port()], "", "");
        let api = api(&fronts);
        let (tables, entries): (Vec<_>, Vec<_>) = fronts.iter().map(|front| front.configured(api.as_deref())).unzip();
        let home = Home::new();
        let latency = if latency { LATENCY } else { "" };
        let config = home.write("gonogo.toml", &configuration(&home, &prometheus, &tables.concat(), &entries.join(", "), latency));
        Self { _v1: v1, v2, fronts, prometheus: Some(prometheus), home, config }
    }

    pub fn people(&self) -> People {
        let rate = RATE / u32::try_from(self.fronts.len()).unwrap();
        let load = |front: &Front| Load::start(SocketAddr::from(([127, 0, 0, 1], front.port())), rate, 400_000, Duration::from_mins(9));
        People(self.fronts.iter().map(load).collect())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gonogo"));
        command.arg("--config").arg(&self.config).args(args).env_clear().envs(self.home.environment()).current_dir(self.home.path());
        command
    }

    /// A verb, its exit and its JSON.
    pub fn told(&self, args: &[&str]) -> (i32, Value) {
        let output = self.command(args).arg("--json").output().unwrap();
        let (out, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{args:?} printed no JSON: {error}\n{out}\n{words}"));
        (output.status.code().unwrap(), value)
    }

    /// A verb that must succeed, and its JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        let (code, value) = self.told(args);
        assert_eq!(code, 0, "{args:?}: {value}");
        value
    }

    /// Starts the rollout and conducts it.
    pub fn rollout(&self) -> Child {
        self.json(&["rollout", "start", "checkout@prod", "--yes", "--reason", "2.5.0 is due"]);
        self.watch()
    }

    /// Each step stands so long at least that what is done while it stands is done before the next, on a busy machine as well.
    pub fn patient(self) -> Self {
        let text = std::fs::read_to_string(&self.config).unwrap();
        let patient = text.replace("wait = \"3s\"", "wait = \"20s\"");
        assert_ne!(text, patient);
        std::fs::write(&self.config, patient).unwrap();
        self
    }

    pub fn watch(&self) -> Child {
        self.command(&["rollout", "watch", "checkout@prod", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    pub fn status(&self) -> Value {
        self.json(&["rollout", "status", "checkout@prod", "--settle", "3s"])["rollouts"][0].clone()
    }

    /// What comes next once it is of this kind, in words.
    pub fn until_next(&self, kind: &str) -> String {
        wait_for(kind, WHOLE, || {
            let next = self.status()["next"].clone();
            (next["kind"] == kind).then(|| next["words"].as_str().unwrap_or_default().to_owned())
        })
    }

    /// The words of what a person is waited for, once they hold these: a step that failed is on record before what it moved is taken back.
    pub fn until_told(&self, words: &str) -> String {
        wait_for(words, WHOLE, || {
            let next = self.status()["next"].clone();
            let told = next["words"].as_str().unwrap_or_default().to_owned();
            (next["kind"] == "person" && told.contains(words)).then_some(told)
        })
    }

    pub fn shares(&self) -> Vec<u32> {
        self.fronts.iter().map(Front::share).collect()
    }

    /// How often each router was sent something by deeds of this verb: the steps that were recorded as sent.
    pub fn sendings(&self, verb: &str) -> usize {
        let entries = self.json(&["ledger", "list"]);
        entries["entries"].as_array().unwrap().iter().filter(|entry| entry["verb"] == verb && entry["kind"] == "sending").count()
    }

    /// The same shares by fixed steps, without judgement, until a person sees it after the last.
    pub fn fixed(&self, slow: bool, fault: impl Fn(&Service, u32)) -> Harm {
        self.fronts.iter().for_each(|front| front.set(0));
        let people = self.people();
        for (share, lasts) in FIXED {
            self.fronts.iter().for_each(|front| front.set(share));
            fault(&self.v2, share);
            pause(lasts);
        }
        self.fronts.iter().for_each(|front| front.set(0));
        people.stop(slow)
    }
}

#[expect(clippy::disallowed_methods, reason = "fixed steps wait for nothing but time")]
fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// Waits until a rollout that is watched is over, and lets the new version fail as it should meanwhile.
pub fn exit_of(mut watch: Child, fleet: &Fleet, fault: impl Fn(&Service, u32)) -> i32 {
    let over = wait_for("the rollout to be over", WHOLE, || {
        fault(&fleet.v2, fleet.shares().into_iter().max().unwrap());
        watch.try_wait().unwrap()
    });
    over.code().unwrap()
}

/// One line of figures, to be read with --nocapture. Without fixed steps: with a good version they harm nobody either.
pub fn print(what: &str, judged: &Harm, fixed: Option<&Harm>) {
    let fixed = fixed.map_or_else(
        || "the version is good, so are fixed steps".to_owned(),
        |fixed| format!("{:.2} % of {} under fixed steps without judgement", fixed.percent(), fixed.sent),
    );
    let line = format!("{what}: {:.2} % of {} requests harmed; {fixed}", judged.percent(), judged.sent);
    let broken =
        if judged.broken > 0 { format!(" ({} without an answer of a version: {:?})", judged.broken, judged.why) } else { String::new() };
    let _ = writeln!(std::io::stdout(), "{line}{broken}");
}

const LATENCY: &str = r#"
[[service.signal]]
name = "latency"
kind = "histogram"
backend = "prom"
buckets = 'http_request_duration_seconds_bucket{service="$service",slot="$slot"}'
quantile = 0.99
unit = "s"
limit = 0.3
critical = true
"#;

fn configuration(home: &Home, prometheus: &Prometheus, tables: &str, entries: &str, latency: &str) -> String {
    format!(
        r#"
[store]
path = "{store}"
[[backend]]
name = "prom"
kind = "prometheus"
url = "{prom}"
every = "1s"
stale_after = "5s"
{tables}
[[environment]]
name = "prod"
hold_time = "2s"
effective_within = "15s"
min_requests = 50
[[service]]
name = "checkout"
team = "payments"
[service.deploy.prod]
strategy = "canary"
steps = [20, 50, 100]
rollout = {{ wait = "3s", deadline = "3m", bake = "8s", after = "2s" }}
traffic = [{entries}]
version = {{ backend = "prom", query = 'app_info{{service="$service",slot="$slot"}}', label = "version", digest = "digest" }}
[[service.signal]]
name = "errors"
kind = "ratio"
backend = "prom"
bad = 'http_requests_total{{service="$service",slot="$slot",code=~"5.."}}'
total = 'http_requests_total{{service="$service",slot="$slot"}}'
better = "lower"
limit = 0.01
margin = 0.03
critical = true
{latency}
"#,
        store = home.path().join("store").display(),
        prom = prometheus.url(),
    )
}
