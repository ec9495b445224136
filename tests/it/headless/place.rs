//! Where a verb runs: an empty home with one configuration, a process with its two outputs, and one shared pair of servers.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::pty::Home;
use crate::servers::haproxy::{Haproxy, Line, PoolLines, request};
use crate::servers::prometheus::{Exporter, Prometheus};
use crate::servers::support::wait_for;

/// Longer than any verb of these tests may take.
const LONGEST: Duration = Duration::from_mins(1);

/// How a verb ended and what it said.
#[derive(Debug)]
pub struct Said {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Fails the test unless it ended with this code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(!self.err.contains("panicked"), "{self:?}");
        self
    }

    /// Its standard output as one JSON object of schema 1, and nothing else.
    #[track_caller]
    pub fn json(&self) -> Value {
        let object: Value = serde_json::from_str(self.out.trim()).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(object["schema"], 1, "{object}");
        object
    }
}

/// A verb under way; it ends with this at the latest.
pub struct Running {
    child: Ends,
    out: JoinHandle<String>,
    err: JoinHandle<String>,
}

struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn drained(stream: Option<impl std::io::Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Running {
    /// Waits for its end.
    #[track_caller]
    pub fn end(mut self) -> Said {
        let status = wait_for("the verb to end", LONGEST, || self.child.0.try_wait().unwrap());
        Said { code: status.code(), out: self.out.join().unwrap(), err: self.err.join().unwrap() }
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.0.id()).unwrap()).unwrap()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Sends SIGKILL.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }
}

/// A home with a configuration.
pub struct Place {
    home: Home,
}

impl Place {
    /// A home with nothing in it.
    pub fn bare() -> Self {
        Self { home: Home::new() }
    }

    /// A home with a user's configuration.
    pub fn with(config: &str) -> Self {
        let place = Self::bare();
        place.configure(config);
        place
    }

    /// The home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Writes the user's configuration.
    pub fn configure(&self, config: &str) {
        self.home.write("config/gonogo/gonogo.toml", config);
    }

    /// Writes a file below the home.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        self.home.write(name, text)
    }

    /// A path below the home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The store's directory where nothing else is configured.
    pub fn store(&self) -> PathBuf {
        self.home
            .environment()
            .into_iter()
            .find(|(name, _)| *name == "XDG_DATA_HOME")
            .map(|(_, data)| PathBuf::from(data).join("gonogo"))
            .unwrap()
    }

    /// The command with a clean environment, not yet started.
    pub fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env_clear().envs(self.home.environment()).current_dir(self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts gonogo.
    pub fn start(&self, args: &[&str]) -> Running {
        Self::started(&mut self.command(env!("CARGO_BIN_EXE_gonogo"), args))
    }

    /// Starts a prepared command.
    pub fn started(command: &mut Command) -> Running {
        let mut child = command.spawn().unwrap();
        let (out, err) = (drained(child.stdout.take()), drained(child.stderr.take()));
        Running { child: Ends(child), out, err }
    }

    /// Runs gonogo to its end.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Said {
        self.start(args).end()
    }

    /// Runs a verb with `--json`, which must end with this code, and reads its object.
    #[track_caller]
    pub fn json(&self, code: i32, args: &[&str]) -> Value {
        let args: Vec<_> = args.iter().copied().chain(["--json"]).collect();
        self.run(&args).exits(code).json()
    }

    /// The kind of the newest entry; none where there is no ledger yet.
    pub fn newest(&self) -> Option<String> {
        let said = self.run(&["ledger", "list", "--json"]);
        if said.code == Some(0) { texts(&said.json()["entries"], "kind").pop() } else { None }
    }

    /// The kinds of all entries of the ledger but those about rules, oldest first.
    #[track_caller]
    pub fn kinds(&self) -> Vec<String> {
        let all = texts(&self.json(0, &["ledger", "list"])["entries"], "kind");
        all.into_iter().filter(|kind| kind != "policy").collect()
    }
}

/// One text of each object of a list.
pub fn texts(list: &Value, key: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[key].as_str().unwrap_or_default().to_owned()).collect()
}

/// The system user who runs the tests, as gonogo names him.
pub fn os_user() -> &'static str {
    static USER: OnceLock<String> = OnceLock::new();
    USER.get_or_init(|| Place::bare().json(0, &["whoami"])["os_user"].as_str().unwrap().to_owned())
}

/// How many pools the shared router has whose traffic obeys.
const POOLS: usize = 200;
/// How many it has whose traffic does not.
const PINNED: usize = 8;

/// A HAProxy and a Prometheus that tests share, each with a pool of its own.
pub struct Pair {
    /// The router: pools `p0`.. obey their weights, pools `n0`.. send every request to `v1` whatever the weights are.
    pub haproxy: Haproxy,
    /// Monitoring.
    pub prometheus: Prometheus,
    _exporter: Exporter,
}

impl Pair {
    /// The pair; it starts with the first test that asks and ends with the last.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Pair>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = shared.upgrade() {
            return pair;
        }
        let pair = Arc::new(Self::start());
        *shared = Arc::downgrade(&pair);
        pair
    }

    fn start() -> Self {
        let name = |kind: char, n: usize| -> &'static str { Box::leak(format!("{kind}{n}").into_boxed_str()) };
        let pool =
            |name, more| PoolLines { name, balance: "roundrobin", servers: vec![Line::new("v1", 100), Line::new("v2", 0).with(more)] };
        let obeys = (0..POOLS).map(|n| pool(name('p', n), ""));
        let pinned = (0..PINNED).map(|n| pool(name('n', n), "\n  use-server v1 if TRUE"));
        let pools: Vec<_> = obeys.chain(pinned).collect();
        let exporter = Exporter::start();
        for (slot, version) in [("v1", "2.4.1"), ("v2", "2.5.0")] {
            exporter.set(&format!("app_info{{service=\"checkout\",slot=\"{slot}\",version=\"{version}\",digest=\"sha256:{slot}\"}}"), 1.0);
        }
        let prometheus = Prometheus::start(&[exporter.port], "", "");
        wait_for("Prometheus to have both versions", Duration::from_secs(30), || {
            let seen = crate::servers::support::get(prometheus.port, "/api/v1/query?query=app_info")?;
            (seen.contains("2.4.1") && seen.contains("2.5.0")).then_some(())
        });
        Self { haproxy: Haproxy::start(&pools), prometheus, _exporter: exporter }
    }

    /// A pool of a test's own.
    pub fn pool() -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(next < POOLS, "more tests than pools");
        format!("p{next}")
    }

    /// A pool of a test's own whose traffic does not follow its weights.
    pub fn pinned() -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(next < PINNED, "more tests than pools");
        format!("n{next}")
    }

    /// The weight of a pool's `v2` as the router says it.
    pub fn weight(&self, pool: &str) -> u32 {
        let answer = self.haproxy.ask(&format!("get weight {pool}/v2"));
        answer.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
    }

    /// The configuration of a room over the pair and this pool.
    pub fn room(&self, pool: &str) -> Room {
        let gonogo::config::settings::Address::Unix(socket) = self.haproxy.unix() else { panic!("no UNIX socket") };
        Room {
            socket: socket.display().to_string(),
            prometheus: self.prometheus.url(),
            pool: pool.to_owned(),
            edge: String::new(),
            environment: String::new(),
            people: String::new(),
            more: String::new(),
        }
    }
}

/// A configuration with one service `checkout` in one environment `prod`.
#[derive(Clone)]
pub struct Room {
    /// Where the router is.
    pub socket: String,
    /// Where monitoring is.
    pub prometheus: String,
    /// The pool.
    pub pool: String,
    /// Further keys of the router.
    pub edge: String,
    /// Further keys of the environment, in place of the quick ones when it is not empty.
    pub environment: String,
    /// The `[[person]]` tables.
    pub people: String,
    /// What stands at the end.
    pub more: String,
}

impl Room {
    /// As TOML.
    pub fn text(&self) -> String {
        let Self { socket, prometheus, pool, edge, environment, people, more } = self;
        let environment = if environment.is_empty() { "hold_time = \"1s\"\neffective_within = \"20s\"" } else { environment };
        format!(
            "{people}\n[[backend]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"{prometheus}\"\nevery = \"1s\"\nstale_after = \"20s\"\n\
             [[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = \"{socket}\"\nevery = \"200ms\"\nstale_after = \"20s\"\nlookup_within = \"1s\"\n{edge}\n\
             [[environment]]\nname = \"prod\"\n{environment}\n[[service]]\nname = \"checkout\"\nteam = \"payments\"\n\
             [service.deploy.prod]\nstrategy = \"canary\"\nsteps = [5, 20, 50, 100]\n\
             traffic = [{{ backend = \"edge\", pool = \"{pool}\", stable = [\"v1\"], canary = [\"v2\"] }}]\n\
             version = {{ backend = \"prom\", query = 'app_info{{service=\"$service\",slot=\"$slot\"}}', label = \"version\", digest = \"digest\" }}\n{more}\n"
        )
    }

    /// A place with this configuration.
    pub fn place(&self) -> Place {
        Place::with(&self.text())
    }
}

/// One person who is the system user of the tests, with roles in `prod`, and a second one.
pub fn people(roles: &[&str]) -> String {
    let roles: Vec<_> = roles.iter().map(|role| format!("{{ role = \"{role}\", environments = [\"prod\"] }}")).collect();
    format!(
        "[[person]]\nname = \"ana\"\nos_user = \"{}\"\nroles = [{}]\n[[person]]\nname = \"cy\"\nos_user = \"nobody-else\"\nroles = [{{ role = \"captain\", environments = [\"prod\"] }}]\n",
        os_user(),
        roles.join(", ")
    )
}

/// Requests to a pool until it is dropped.
pub struct Load {
    stop: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Sends requests one after another.
    pub fn on(pair: &Pair, pool: &str) -> Self {
        let stop = Arc::new(AtomicUsize::new(0));
        let (seen, port, pool) = (Arc::clone(&stop), pair.haproxy.port, pool.to_owned());
        let thread = std::thread::spawn(move || {
            while seen.load(Ordering::Relaxed) == 0 {
                let _ = request(port, &pool);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(1, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
