//! A real Buildbot: one master with a worker of its own for all tests of this binary.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use super::support::{Server, free_port, installed, wait_for};

/// Builders that belong to one test each, so that tests do not wait in each other's queues.
pub const LANES: usize = 19;

/// A running master. Beside `checkout` and `checkout-deploy` it has `lane-0` to `lane-18`, which are as `checkout`, and `merging`, which
/// merges waiting requests as Buildbot does unless it is told otherwise.
pub struct Buildbot {
    /// Its folder: it goes when the master does.
    base: PathBuf,
    /// Its port.
    port: u16,
    /// Never dropped, as statics are not: the master watches this process by itself.
    server: Server,
}

impl Buildbot {
    /// The master that all tests of this process share. It is started by the first that asks.
    ///
    /// It kills its builds, removes its folder and ends as soon as this process is gone, however that happens.
    pub fn shared() -> &'static Self {
        static MASTER: OnceLock<Buildbot> = OnceLock::new();
        MASTER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let programs = installed().join("venv/bin");
        let base = tempfile::Builder::new().prefix("gonogo-buildbot-").tempdir().unwrap().keep();
        let port = free_port();
        for folder in ["gates", "deploys"] {
            std::fs::create_dir(base.join(folder)).unwrap();
        }
        let made = Command::new(programs.join("buildbot")).args(["create-master", "-q", "-r"]).arg(base.join("master")).output();
        let made = made.unwrap_or_else(|error| panic!("buildbot does not start: {error}; run tests/servers first"));
        assert!(made.status.success(), "buildbot create-master: {}", String::from_utf8_lossy(&made.stderr));
        std::fs::write(base.join("master/master.cfg"), MASTER_CFG).unwrap();
        // As `buildbot start --nodaemon` does, but for the reactor: that of epoll takes a connection for one that is gone when a client left
        // before it was answered, and resets it (twisted/twisted#11625, open); after that any test may fail.
        let mut command = Command::new(programs.join("twistd"));
        command.args(["--reactor=poll", "--no_save", "--nodaemon", "--logfile=twistd.log", "--python=buildbot.tac", "--pidfile="]);
        command.current_dir(base.join("master"));
        command.env("GONOGO_BASE", &base).env("GONOGO_PORT", port.to_string()).env("GONOGO_LANES", LANES.to_string());
        command.env("GONOGO_PARENT", std::process::id().to_string());
        let mut server = Server::start(&mut command, &base.join("out"));
        wait_for("Buildbot to answer", Duration::from_mins(1), || {
            assert!(server.running(), "buildbot ended: {}", tail(&base.join("master/twistd.log")));
            answers(port).then_some(())
        });
        Self { base, port, server }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Lets runs go on that were started with the property `gate` set to this name.
    pub fn open(&self, gate: &str) {
        std::fs::write(self.base.join("gates").join(gate), "").unwrap();
    }

    /// What `checkout-deploy` was asked to deploy: one file a run, `build-N`, with lines `name=value` for environment, slot, version and
    /// `gonogo_key`.
    pub fn deploys(&self) -> PathBuf {
        self.base.join("deploys")
    }

    /// Sends a JSON-RPC call as any other client would, and gives the status and the answer.
    pub fn call(&self, path: &str, method: &str, params: &serde_json::Value) -> (u16, serde_json::Value) {
        let body = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let head = format!(
            "POST /api/v2/{path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        // Sent once: who asks again starts another run.
        self.exchange(&format!("{head}{body}")).unwrap_or_else(|why| panic!("{path}: {why}; {}", self.log()))
    }

    /// Reads an address of the data API as any other client would.
    pub fn get(&self, path: &str) -> serde_json::Value {
        let request = format!("GET /api/v2/{path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n");
        let (status, body) = self.exchange(&request).unwrap_or_else(|why| panic!("{path}: {why}; {}", self.log()));
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn exchange(&self, request: &str) -> Result<(u16, serde_json::Value), String> {
        use std::io::{Read as _, Write as _};
        let mut answer = String::new();
        let mut talk = || {
            let mut line = std::net::TcpStream::connect(("127.0.0.1", self.port))?;
            line.set_read_timeout(Some(Duration::from_secs(30)))?;
            line.write_all(request.as_bytes())?;
            line.read_to_string(&mut answer)
        };
        talk().map_err(|error| error.to_string())?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("no whole answer: {answer}"))?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| format!("no status: {head}"))?;
        Ok((status, serde_json::from_str(body).map_err(|error| format!("{error} in {answer}"))?))
    }

    /// What it told of itself last, and how many files it has open: why it does not answer.
    fn log(&self) -> String {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.server.pid())).map_or(0, Iterator::count);
        format!("{open} files open\n{}", tail(&self.base.join("master/twistd.log")))
    }
}

fn answers(port: u16) -> bool {
    use std::io::{Read as _, Write as _};
    let Ok(mut line) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = String::new();
    let request = "GET /api/v2/workers HTTP/1.0\r\nAccept: application/json\r\n\r\n";
    let read = line.set_read_timeout(Some(Duration::from_secs(5))).and_then(|()| line.write_all(request.as_bytes()));
    // The worker is there once it says on which master it is connected.
    read.and_then(|()| line.read_to_string(&mut answer)).is_ok() && answer.contains("\"connected_to\":[{")
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(30).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

const MASTER_CFG: &str = r#"
import os, shutil, signal, threading, time
from buildbot.plugins import schedulers, steps, util, worker

BASE = os.environ['GONOGO_BASE']
PORT = os.environ['GONOGO_PORT']
LANES = ['lane-%d' % n for n in range(int(os.environ['GONOGO_LANES']))]
PARENT = int(os.environ['GONOGO_PARENT'])


def children():
    found = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                with open('/proc/%s/stat' % entry) as stat:
                    fields = stat.read().rpartition(')')[2].split()
                found.setdefault(int(fields[1]), []).append(int(entry))
            except OSError:
                pass
    waiting, out = [os.getpid()], []
    while waiting:
        for child in found.get(waiting.pop(), []):
            waiting.append(child)
            out.append(child)
    return out


def watch():
    while os.getppid() == PARENT:
        time.sleep(0.2)
    for child in children():
        try:
            os.kill(child, signal.SIGKILL)
        except OSError:
            pass
    for _ in range(40):  # the other threads still write
        shutil.rmtree(BASE, ignore_errors=True)
        if not os.path.exists(BASE):
            break
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)


if not any(thread.name == 'watch' for thread in threading.enumerate()):
    threading.Thread(target=watch, name='watch', daemon=True).start()

c = BuildmasterConfig = {}
c['workers'] = [worker.LocalWorker('local')]
c['protocols'] = {'pb': {'port': 'tcp:0:interface=127.0.0.1'}}
c['buildbotNetUsageData'] = None
c['title'] = 'gonogo'
c['titleURL'] = c['buildbotURL'] = 'http://127.0.0.1:%s/' % PORT
c['www'] = {'port': 'tcp:%s:interface=127.0.0.1' % PORT, 'plugins': {}}
c['db'] = {'db_url': 'sqlite:///state.sqlite'}

COMPILE = r'''echo compiling; printf 'red \033[31m bell \007 \342\200\256 end\n'; echo careful >&2'''
TEST = r'''
sleep "$1"
n=0
while [ -n "$2" ] && [ ! -e "$3/gates/$2" ] && [ $n -lt 1200 ]; do
  [ $((n % 5)) = 0 ] && echo "tick $n"
  n=$((n + 1)); sleep 0.05
done
echo tested
[ "$4" != yes ]
'''
DEPLOY = r'''
printf 'environment=%s\nslot=%s\nversion=%s\ngonogo_key=%s\n' "$1" "$2" "$3" "$4" > "$5/.$6" && mv "$5/.$6" "$5/build-$6"
echo "deployed $3 to $1 $2"
'''


def shell(script, *args):
    return ['sh', '-c', script, 'step'] + list(args)


def prop(name, default=''):
    return util.Property(name, default=default)


def compile_step():
    return steps.ShellCommand(name='compile', command=shell(COMPILE), usePTY=False)


def test_step():
    return steps.ShellCommand(name='test', command=shell(TEST, prop('delay', '0'), prop('gate'), BASE, prop('fail', 'no')), usePTY=False)


build = util.BuildFactory([compile_step(), test_step()])
deploy = util.BuildFactory([
    test_step(),
    steps.ShellCommand(name='deploy', usePTY=False, command=shell(
        DEPLOY, prop('environment'), prop('slot'), prop('version'), prop('gonogo_key'), BASE + '/deploys', util.Interpolate('%(prop:buildnumber)s'))),
])


def builder(name, factory, **more):
    return util.BuilderConfig(name=name, workernames=['local'], factory=factory, **more)


c['builders'] = [builder(name, build, collapseRequests=False) for name in ['checkout'] + LANES]
c['builders'] += [builder('checkout-deploy', deploy, collapseRequests=False), builder('merging', build)]


def text(name, default=''):
    return util.StringParameter(name=name, default=default)


common = [text('gonogo_key'), text('delay', '0'), text('gate'), text('fail', 'no')]
c['schedulers'] = [
    schedulers.ForceScheduler(
        name='force', builderNames=['checkout', 'checkout-deploy', 'merging'] + LANES,
        properties=common + [text('environment'), text('slot'), text('version')]),
    schedulers.ForceScheduler(name='switched-off', builderNames=['checkout'], properties=common),
    schedulers.ForceScheduler(name='keyless', builderNames=['checkout'], properties=[text('delay', '0')]),
    schedulers.ForceScheduler(
        name='fixed', builderNames=['checkout'], properties=[util.FixedParameter(name='gonogo_key', default='always this')]),
]
"#;
