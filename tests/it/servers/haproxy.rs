//! A real HAProxy before small HTTP servers that answer with their own names.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use gonogo::config::settings::Address;

pub use super::named::request;
use super::support::{Listening, Server, free_port, wait_for};

/// One server line of a pool.
pub struct Line {
    /// Its name, which its answers bear.
    pub name: &'static str,
    /// The configured weight.
    pub weight: u32,
    /// What else stands on its line: `disabled`, `check inter 100ms`.
    pub more: &'static str,
    /// Whether something listens there.
    pub listens: bool,
}

impl Line {
    /// A server that answers.
    pub fn new(name: &'static str, weight: u32) -> Self {
        Self { name, weight, more: "", listens: true }
    }

    /// With more words on its line.
    #[must_use]
    pub fn with(mut self, more: &'static str) -> Self {
        self.more = more;
        self
    }

    /// With nothing behind it.
    #[must_use]
    pub fn dead(mut self) -> Self {
        self.listens = false;
        self
    }
}

/// A pool: its name, its balancing algorithm, its servers. Each is reached under `/NAME`.
pub struct PoolLines {
    /// Its name.
    pub name: &'static str,
    /// `roundrobin`, `static-rr`.
    pub balance: &'static str,
    /// Its servers.
    pub servers: Vec<Line>,
}

/// A running HAProxy.
pub struct Haproxy {
    process: Server,
    leaving: Vec<Server>,
    _answering: BTreeMap<&'static str, Listening>,
    folder: tempfile::TempDir,
    /// The port that takes requests.
    pub port: u16,
    /// The port of the stats socket.
    pub admin_port: u16,
}

impl Haproxy {
    /// Starts it with these pools and waits until it answers.
    pub fn start(pools: &[PoolLines]) -> Self {
        Self::start_with(pools, "")
    }

    /// The same with these lines of the front before those that find a pool by its path.
    pub fn start_with(pools: &[PoolLines], rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, admin_port) = (free_port(), free_port());
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut text = format!(
            "global\n  stats socket {} mode 600 level admin\n  stats socket ipv4@127.0.0.1:{admin_port} level admin\n  \
             stats socket {} mode 600 level operator\ndefaults\n  mode http\n  option http-server-close\n  timeout connect 2s\n  \
             timeout client 10s\n  timeout server 10s\nfrontend fe\n  bind 127.0.0.1:{port}\n",
            path("admin.sock"),
            path("operator.sock")
        );
        text.push_str(rules);
        for pool in pools {
            let _ = writeln!(text, "  use_backend {0} if {{ path /{0} }}", pool.name);
        }
        // One for each name, in however many pools it is: each of them has a socket.
        let mut answering = BTreeMap::new();
        for pool in pools {
            let _ = writeln!(text, "backend {}\n  balance {}", pool.name, pool.balance);
            for server in &pool.servers {
                let port = if server.listens {
                    answering.entry(server.name).or_insert_with(|| answer_with(server.name)).port()
                } else {
                    free_port()
                };
                let _ = writeln!(text, "  server {} 127.0.0.1:{port} weight {} {}", server.name, server.weight, server.more);
            }
        }
        std::fs::write(folder.path().join("haproxy.cfg"), text).unwrap();
        let process = run(&folder, &[]);
        let haproxy = Self { process, leaving: Vec::new(), _answering: answering, folder, port, admin_port };
        wait_for("HAProxy's socket", Duration::from_secs(10), || haproxy.try_ask("show info").filter(|info| info.contains("Pid: ")));
        haproxy
    }

    /// A pool `be_checkout` with `v1` at 100 and `v2` at an initial weight of 0.
    pub fn checkout() -> Self {
        Self::start(&[PoolLines {
            name: "be_checkout",
            balance: "roundrobin",
            servers: vec![Line::new("v1", 100).with("check inter 100ms"), Line::new("v2", 0).with("check inter 100ms")],
        }])
    }

    /// The UNIX admin socket.
    pub fn unix(&self) -> Address {
        Address::Unix(self.socket("admin.sock"))
    }

    /// The TCP admin socket.
    pub fn tcp(&self) -> Address {
        Address::Tcp(format!("tcp://127.0.0.1:{}", self.admin_port))
    }

    /// A socket that may read and not write.
    pub fn operator(&self) -> Address {
        Address::Unix(self.socket("operator.sock"))
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Says one line to the admin socket, as another hand would.
    pub fn ask(&self, line: &str) -> String {
        self.try_ask(line).unwrap_or_else(|| panic!("HAProxy does not answer to {line}"))
    }

    fn try_ask(&self, line: &str) -> Option<String> {
        let mut stream = UnixStream::connect(self.socket("admin.sock")).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        writeln!(stream, "{line}").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// Starts a new process that takes over from the old one, as a reload does: weights return to the configured ones.
    pub fn reload(&mut self) {
        let old = self.process.pid();
        let new = run(&self.folder, &["-sf".to_owned(), old.to_string()]);
        self.leaving.push(std::mem::replace(&mut self.process, new));
        let mark = format!("Pid: {}\n", self.process.pid());
        wait_for("the new process", Duration::from_secs(10), || self.try_ask("show info").filter(|info| info.contains(&mark)));
    }

    /// Sends one request to a pool on a connection of its own: the name of the server that answered.
    pub fn request(&self, pool: &str) -> Result<String, String> {
        request(self.port, pool)
    }

    /// Sends requests one after another: answers by server; a request that fails fails the test.
    pub fn requests(&self, pool: &str, count: u32) -> BTreeMap<String, u32> {
        let mut by = BTreeMap::new();
        for _ in 0..count {
            *by.entry(self.request(pool).unwrap()).or_default() += 1;
        }
        by
    }
}

fn run(folder: &tempfile::TempDir, more: &[String]) -> Server {
    let program = if std::path::Path::new("/usr/sbin/haproxy").exists() { "/usr/sbin/haproxy" } else { "haproxy" };
    let mut command = Command::new(program);
    command.arg("-db").arg("-f").arg(folder.path().join("haproxy.cfg")).args(more);
    Server::start(&mut command, &folder.path().join("haproxy.log"))
}

/// An HTTP server that answers every request with its name.
fn answer_with(name: &'static str) -> Listening {
    Listening::start(move |stream| {
        std::thread::spawn(move || serve(stream, name));
    })
}

fn serve(mut stream: TcpStream, name: &str) {
    let mut head = Vec::new();
    let mut piece = [0_u8; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(count) => head.extend_from_slice(&piece[..count]),
        }
    }
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{name}", name.len());
    let _ = stream.write_all(answer.as_bytes());
}
