//! What every started server needs: a free port, a process that ends with the test, waiting for a condition with a deadline.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Ends the servers that a test process leaves behind: those that tests share are never dropped, and a killed process drops nothing. A shell
/// that reads what starts and ends; when the process is gone, its input ends, and it kills what still runs, with all that came of it.
static GUARD: LazyLock<Mutex<ChildStdin>> = LazyLock::new(|| Mutex::new(guard().stdin.take().unwrap()));

/// A number that ended is taken off the list: the system may have given it to somebody else by then.
const GUARDS: &str = r#"trap '' HUP INT TERM; all=" "
while read -r what pid; do
  case "$what" in
    starts) all="$all$pid " ;;
    ended) case "$all" in *" $pid "*) all="${all%%" $pid "*} ${all#*" $pid "}" ;; esac ;;
  esac
done
for pid in $all; do kill -9 "-$pid"; done"#;

fn guard() -> Child {
    let mut guard = Command::new("sh");
    guard.args(["-c", GUARDS]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    guard.spawn().unwrap()
}

fn tell_guard(what: &str, pid: u32) {
    let _ = writeln!(GUARD.lock().unwrap_or_else(PoisonError::into_inner), "{what} {pid}");
}

/// A child process that is killed when it is dropped, or else with the process of the tests.
pub struct Server(Child);

impl Server {
    /// Starts a program with its output in a file; fails the test when the program is missing.
    pub fn start(command: &mut Command, log: &std::path::Path) -> Self {
        let out = std::fs::File::create(log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).process_group(0).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}; run tests/servers first"));
        tell_guard("starts", child.id());
        Self(child)
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
        tell_guard("ended", self.0.id());
    }
}

/// A loopback port that is free, and that no outgoing connection takes by chance before a server does: below the range from which
/// the system gives ports away. No two calls of a process get the same one.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 1000).unwrap() * 20;
    wait_for("a free port", Duration::from_secs(10), || {
        let port = 10_000 + first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
    })
}

/// A port of its own on loopback whose connections a thread takes, until this is dropped.
pub struct Listening {
    address: SocketAddr,
    over: Arc<AtomicBool>,
}

impl Listening {
    /// Begins; `take` has each connection.
    pub fn start(mut take: impl FnMut(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, over) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let ended = Arc::clone(&over);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                take(stream);
            }
        });
        Self { address, over }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
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

/// A bare HTTP GET to a port of this machine; the whole answer, head and body.
pub fn get(port: u16, path: &str) -> Option<String> {
    exchange(port, &format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"))
}

/// A bare HTTP POST of JSON to a port of this machine; the whole answer, head and body.
pub fn post(port: u16, path: &str, json: &str) -> Option<String> {
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nContent-Type: application/json\r\n");
    exchange(port, &format!("{head}Content-Length: {}\r\n\r\n{json}", json.len()))
}

/// One request to a port of this machine, and the whole answer.
pub fn exchange(port: u16, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn the_guard_ends_what_still_runs_and_nothing_that_ended() {
    let sleeper = || Command::new("sleep").arg("600").process_group(0).spawn().unwrap();
    let (mut first, mut second, mut third) = (sleeper(), sleeper(), sleeper());
    let mut guard = guard();
    let told = format!("starts {}\nstarts {}\nended 1\nended {}\nstarts {}\n", first.id(), second.id(), second.id(), third.id());
    guard.stdin.take().unwrap().write_all(told.as_bytes()).unwrap();
    guard.wait().unwrap();
    for server in [&mut first, &mut third] {
        wait_for("it to be ended", Duration::from_secs(10), || server.try_wait().unwrap());
    }
    assert!(second.try_wait().unwrap().is_none(), "what ended before may be another one by now");
    second.kill().unwrap();
    second.wait().unwrap();
}
