//! A Kubernetes of this machine, one for all tests: etcd, API server, controllers, and nodes that kwok pretends.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::Duration;

use gonogo::adapters::kubernetes::Cluster;
use gonogo::config::settings::{Address, BackendSettings};
use gonogo::config::surroundings::Surroundings;
use gonogo::model::catalog::BackendKind;
use serde_json::{Value, json};

use crate::servers::http::{RealClock, settings};
use crate::servers::support::{Server, free_port, installed, wait_for};

/// Who may do everything, as the servers' own clients.
pub const ADMIN: &str = "admin-0123456789abcdef";
/// Who may nothing.
pub const NOBODY: &str = "nobody-0123456789abcdef";

/// A running cluster.
pub struct Plane {
    folder: PathBuf,
    /// The API server's port; TLS.
    pub port: u16,
    /// Disconnected when controllers or nodes ended.
    others: Mutex<mpsc::Receiver<()>>,
    /// The same for the controller of Argo Rollouts, once a test wanted it.
    argo: OnceLock<Mutex<mpsc::Receiver<()>>>,
    /// The same for Flagger's.
    flagger: OnceLock<Mutex<mpsc::Receiver<()>>>,
}

/// The one of this process.
pub fn plane() -> &'static Plane {
    static PLANE: OnceLock<Plane> = OnceLock::new();
    PLANE.get_or_init(Plane::start)
}

/// A folder for this process. What a static holds is never dropped, so those of processes that are gone are removed first.
fn folder() -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(all).unwrap();
    for entry in std::fs::read_dir(all).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.strip_prefix("cluster-").is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let own = all.join(format!("cluster-{}", std::process::id()));
    std::fs::create_dir(&own).unwrap();
    own
}

fn bin(name: &str) -> PathBuf {
    installed().join("cluster/bin").join(name)
}

/// A program that ends with this process, whatever becomes of it.
fn bound(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

impl Plane {
    fn start() -> Self {
        let folder = folder();
        let (etcd, peer, port) = (free_port(), free_port(), free_port());
        let at = |name: &str| folder.join(name);
        let arg = |name: &str, file: &str| format!("--{name}={}", at(file).display());
        // Tokens in place of certificates: `token,name,uid,group`.
        std::fs::write(at("tokens"), format!("{ADMIN},admin,1,system:masters\n{NOBODY},nobody,2\n")).unwrap();
        let accounts = rcgen::KeyPair::generate().unwrap();
        std::fs::write(at("accounts.key"), accounts.serialize_pem()).unwrap();
        std::fs::write(at("accounts.pub"), accounts.public_key_pem()).unwrap();

        let mut store = bound(&bin("etcd"));
        let url = format!("http://127.0.0.1:{etcd}");
        let peers = format!("http://127.0.0.1:{peer}");
        store.args([
            format!("--listen-client-urls={url}"),
            format!("--advertise-client-urls={url}"),
            format!("--listen-peer-urls={peers}"),
        ]);
        store.args([format!("--initial-advertise-peer-urls={peers}"), format!("--initial-cluster=default={peers}")]);
        store.args([arg("data-dir", "etcd"), "--unsafe-no-fsync".to_owned()]);

        let mut api = bound(&bin("kube-apiserver"));
        api.args([
            format!("--etcd-servers={url}"),
            format!("--secure-port={port}"),
            arg("cert-dir", "certs"),
            arg("token-auth-file", "tokens"),
        ]);
        api.args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"]);
        api.args([
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.255.0.0/24",
            "--service-account-issuer=https://gonogo.invalid",
        ]);
        api.args([arg("service-account-key-file", "accounts.pub"), arg("service-account-signing-key-file", "accounts.key")]);
        api.arg("--disable-admission-plugins=ServiceAccount");

        let config = arg("kubeconfig", "admin.conf");
        let mut controllers = bound(&bin("kube-controller-manager"));
        controllers.args([config.as_str(), "--leader-elect=false", "--secure-port=0", "--use-service-account-credentials=false"]);
        controllers.arg(arg("service-account-private-key-file", "accounts.key"));
        let mut nodes = bound(&bin("kwok"));
        nodes.args([config.as_str(), "--manage-all-nodes=true", "--node-lease-duration-seconds=0"]);
        for entry in std::fs::read_dir(installed().join("cluster/stages")).expect("tests/cluster/build brought kwok's stages") {
            nodes.arg(format!("--config={}", entry.unwrap().path().display()));
        }

        let others = Mutex::new(mpsc::channel().1);
        let plane = Self { folder, port, others, argo: OnceLock::new(), flagger: OnceLock::new() };
        plane.write_kubeconfig("admin.conf", ADMIN);
        plane.write_kubeconfig("nobody.conf", NOBODY);
        let logs = plane.folder.clone();
        let first = keep(vec![(store, logs.join("etcd.log")), (api, logs.join("api.log"))]);
        plane.await_api(&first);
        *plane.others.lock().unwrap() = keep(vec![(controllers, logs.join("controllers.log")), (nodes, logs.join("kwok.log"))]);
        for folder in ["gateway-api", "api", "argo-rollouts", "flagger"] {
            plane.install(&installed().join("cluster/crds").join(folder));
        }
        plane.node("n1");
        plane
    }

    fn await_api(&self, running: &mpsc::Receiver<()>) {
        wait_for("the API server", Duration::from_mins(2), || {
            assert!(running.try_recv() != Err(mpsc::TryRecvError::Disconnected), "it ended: {}", self.log("api.log"));
            let said = self.kubectl().args(["get", "--raw", "/readyz"]).output().unwrap();
            said.status.success().then_some(())
        });
    }

    /// Fails the test when the controllers or the nodes ended.
    pub fn alive(&self) {
        let ended = self.others.lock().unwrap().try_recv() == Err(mpsc::TryRecvError::Disconnected);
        assert!(!ended, "one of them ended: {}{}", self.log("controllers.log"), self.log("kwok.log"));
        let argo = self.argo.get().map(|argo| argo.lock().unwrap().try_recv());
        assert!(argo != Some(Err(mpsc::TryRecvError::Disconnected)), "Argo's controller ended: {}", self.log("argo.log"));
        let flagger = self.flagger.get().map(|flagger| flagger.lock().unwrap().try_recv());
        assert!(flagger != Some(Err(mpsc::TryRecvError::Disconnected)), "Flagger ended: {}", self.log("flagger.log"));
    }

    /// Starts the controller of Argo Rollouts, once.
    pub fn argo(&self) {
        self.argo.get_or_init(|| {
            let mut controller = bound(&bin("rollouts-controller"));
            controller.arg(format!("--kubeconfig={}", self.kubeconfig(false).display())).arg("--leader-elect=false");
            controller.arg(format!("--metricsPort={}", free_port())).arg(format!("--healthzPort={}", free_port()));
            Mutex::new(keep(vec![(controller, self.folder.join("argo.log"))]))
        });
    }

    /// Starts Flagger, once. Each canary names its own provider and Prometheus, so that the one of this call is never asked.
    pub fn flagger(&self) {
        self.flagger.get_or_init(|| {
            let mut controller = bound(&bin("flagger"));
            controller.arg(format!("-kubeconfig={}", self.kubeconfig(false).display())).arg(format!("-port={}", free_port()));
            controller.args([
                "-mesh-provider=kubernetes",
                "-metrics-server=http://127.0.0.1:1",
                "-control-loop-interval=1s",
                "-log-level=info",
            ]);
            Mutex::new(keep(vec![(controller, self.folder.join("flagger.log"))]))
        });
    }

    /// What a program said.
    pub fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    fn write_kubeconfig(&self, name: &str, token: &str) {
        let cluster = json!({ "server": self.url(), "certificate-authority": self.authority() });
        let all = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{ "name": "test", "cluster": cluster }],
            "users": [{ "name": "test", "user": { "token": token } }],
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test", "namespace": "default" } }],
        });
        private(&self.folder.join(name), &all.to_string());
    }

    /// The API server's address.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The certificate by which it is recognised.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("certs/apiserver.crt")
    }

    /// The kubeconfig of who may do everything, or of who may nothing.
    pub fn kubeconfig(&self, nobody: bool) -> PathBuf {
        self.folder.join(if nobody { "nobody.conf" } else { "admin.conf" })
    }

    /// `kubectl` as who may do everything.
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(bin("kubectl"));
        command.arg("--kubeconfig").arg(self.folder.join("admin.conf")).stdin(Stdio::null());
        command
    }

    /// Runs `kubectl`; what it said.
    pub fn run(&self, words: &[&str]) -> String {
        let said = self.kubectl().args(words).output().unwrap();
        assert!(said.status.success(), "kubectl {words:?}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    }

    /// Applies objects.
    pub fn apply(&self, objects: &[Value]) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
        std::fs::write(file.path(), list.to_string()).unwrap();
        self.run(&["apply", "--server-side", "--force-conflicts", "-f", file.path().to_str().unwrap()]);
    }

    /// An object as it is now.
    pub fn get(&self, namespace: &str, what: &str, name: &str) -> Value {
        serde_json::from_str(&self.run(&["-n", namespace, "get", what, name, "-o", "json"])).unwrap()
    }

    /// A fresh namespace.
    pub fn namespace(&self, name: &str) {
        self.run(&["create", "namespace", name]);
    }

    /// Schemas of custom resources: each kind of the folder, waited for until it is served.
    fn install(&self, folder: &Path) {
        for entry in
            std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}; run tests/cluster/build first", folder.display()))
        {
            let path = entry.unwrap().path();
            // Policies for those who install them by hand, and lists for another tool.
            let other = ["vap_safeupgrades", "kustomization"].iter().any(|word| path.display().to_string().contains(word));
            if !other {
                self.run(&["apply", "--server-side", "-f", path.to_str().unwrap()]);
            }
        }
        self.run(&["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
    }

    fn node(&self, name: &str) {
        self.apply(&[json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": { "name": name, "annotations": { "kwok.x-k8s.io/node": "fake" }, "labels": { "kubernetes.io/hostname": name } },
            "status": {
                "allocatable": { "cpu": "64", "memory": "256Gi", "pods": "500" },
                "capacity": { "cpu": "64", "memory": "256Gi", "pods": "500" },
            },
        })]);
    }

    /// `kubectl proxy`: the API in plain text, so that a test can stand in between.
    pub fn plain(&self) -> (Server, u16) {
        let port = free_port();
        let log = tempfile::NamedTempFile::new().unwrap();
        let server = Server::start(self.kubectl().args(["proxy", "--address=127.0.0.1", &format!("--port={port}")]), log.path());
        wait_for("kubectl proxy", Duration::from_secs(20), || {
            crate::servers::support::get(port, "/version")?.starts_with("HTTP/1.1 200").then_some(())
        });
        (server, port)
    }

    /// A client by a kubeconfig.
    pub fn cluster(&self, kind: BackendKind, namespace: &str, nobody: bool) -> Cluster {
        let address = Address::Kubeconfig { file: Some(self.kubeconfig(nobody)), context: None };
        let mut settings = settings(kind, "http://127.0.0.1", Duration::from_secs(10));
        settings.address = address;
        settings.namespace = Some(namespace.to_owned());
        client(settings)
    }
}

/// A client by settings.
pub fn client(settings: BackendSettings) -> Cluster {
    gonogo_tls();
    Cluster::new(settings, Surroundings::default(), RealClock::start())
}

/// The TLS provider, as `main` installs it.
fn gonogo_tls() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// A client for an address in plain text.
pub fn over(kind: BackendKind, url: &str, namespace: &str, deadline: Duration) -> Cluster {
    client(BackendSettings { namespace: Some(namespace.to_owned()), ..settings(kind, url, deadline) })
}

/// A file that only its owner may read.
pub fn private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Starts programs on a thread that lives as long as this process, because they end with the thread that started them. What comes
/// back is disconnected as soon as one of them ended.
fn keep(programs: Vec<(Command, PathBuf)>) -> mpsc::Receiver<()> {
    let (alive, receive) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        let mut running: Vec<Server> = programs.into_iter().map(|(mut command, log)| Server::start(&mut command, &log)).collect();
        let (_never, pause) = mpsc::channel::<()>();
        while running.iter_mut().all(Server::running) {
            let _ = pause.recv_timeout(Duration::from_millis(200));
        }
        drop(alive);
        // The others go on for whoever reads their logs.
        loop {
            let _ = pause.recv_timeout(Duration::from_hours(1));
        }
    });
    receive
}
