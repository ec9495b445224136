//! HAProxy as it is: the contract, shifts under load, reloads, sockets without permission; and fake ones that break in the middle.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use gonogo::adapters::traffic::haproxy::Haproxy as Adapter;
use gonogo::analysis::split::{Seen, Split, Why, is_effective, measure};
use gonogo::analysis::weights::reach;
use gonogo::config::settings::Address;
use gonogo::model::catalog::TrafficEntry;
use gonogo::model::error::{PortError, PortErrorKind, SendError};
use gonogo::model::name::{BackendName, PoolName, ServerName};
use gonogo::model::share::Percent;
use gonogo::model::traffic::{ServerState, TrafficReading};
use gonogo::ports::traffic::Traffic;

use crate::contract::traffic::{Bench, keeps, not_done, now, read, shift, weights};
use crate::servers::haproxy::{Haproxy, Line, PoolLines, request};
use crate::servers::runtime_proxy::{Proxy, Treat};
use crate::servers::support::{free_port, wait_for};

const POOL: &str = "be_checkout";

fn edge() -> BackendName {
    BackendName::new("edge").unwrap()
}

fn pool() -> PoolName {
    PoolName::new(POOL).unwrap()
}

fn adapter(address: &Address) -> Adapter {
    Adapter::new(edge(), address, Duration::from_secs(5)).unwrap()
}

struct Real {
    haproxy: Haproxy,
    adapter: Adapter,
}

impl Bench for Real {
    fn traffic(&self) -> &dyn Traffic {
        &self.adapter
    }

    fn entry(&self) -> TrafficEntry {
        let server = |name| vec![ServerName::new(name).unwrap()];
        TrafficEntry { backend: edge(), pool: pool(), first: server("v1"), second: server("v2"), testers: None, mirror: None }
    }

    fn requests(&self, count: u32) -> BTreeMap<ServerName, u32> {
        self.haproxy.requests(POOL, count).into_iter().map(|(name, count)| (ServerName::new(&name).unwrap(), count)).collect()
    }

    fn foreign(&self, server: &ServerName, weight: u32) {
        assert_eq!(self.haproxy.ask(&format!("set server {POOL}/{server} weight {weight}")), "\n");
    }

    fn fell(&self, server: &ServerName) {
        let line = format!("disable health {POOL}/{server};set server {POOL}/{server} health down");
        assert_eq!(self.haproxy.ask(&line), "\n\n");
        wait_for("the server down", Duration::from_secs(5), || {
            self.haproxy.ask(&format!("show stat {POOL} 4 -1")).contains("DOWN").then_some(())
        });
    }
}

#[tokio::test]
async fn the_contract_is_kept_over_a_unix_socket() {
    let haproxy = Haproxy::checkout();
    let adapter = adapter(&haproxy.unix());
    keeps(&Real { haproxy, adapter }).await;
}

#[tokio::test]
async fn the_contract_is_kept_over_a_tcp_socket() {
    let haproxy = Haproxy::checkout();
    let adapter = adapter(&haproxy.tcp());
    keeps(&Real { haproxy, adapter }).await;
}

fn servers(name: &str) -> Vec<ServerName> {
    vec![ServerName::new(name).unwrap()]
}

async fn reading(adapter: &Adapter) -> TrafficReading {
    adapter.read(&[pool()]).await.unwrap()
}

/// A shift from the first weights of `Haproxy::checkout`.
async fn shift_to(adapter: &Adapter, one: u32, two: u32) -> Result<(), SendError> {
    let effect = shift(&edge(), &pool(), weights(&[("v1", one), ("v2", two)]), Some(weights(&[("v1", 100), ("v2", 0)])));
    adapter.set_weights(&effect).await
}

fn unknown(result: Result<(), SendError>) -> PortError {
    match result {
        Err(SendError::Unknown(error)) => error,
        other => panic!("expected Unknown, got {other:?}"),
    }
}

/// Requests from three clients until it is dropped; none may fail.
struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    clients: Vec<std::thread::JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(port: u16) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let client = |_| {
            let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
            std::thread::spawn(move || {
                let mut failed = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    failed.extend(request(port, POOL).err());
                    done.fetch_add(1, Ordering::Relaxed);
                }
                failed
            })
        };
        let clients = (0..3).map(client).collect();
        Self { stop, done, clients }
    }

    fn wait_for_more(&self, requests: u64) {
        let end = self.done.load(Ordering::Relaxed) + requests;
        wait_for("requests", Duration::from_secs(30), || (self.done.load(Ordering::Relaxed) >= end).then_some(()));
    }

    fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shifts_under_load_fail_no_request_and_measure_as_wished() {
    let haproxy = Haproxy::checkout();
    let adapter = adapter(&haproxy.unix());
    let load = Load::start(haproxy.port);
    for wished in [20, 50, 0, 100, 5, 0] {
        let wished = Percent::new(wished).unwrap();
        let before = read(&adapter, &pool()).await;
        let reached = reach(&before, &servers("v2"), &servers("v1"), wished).unwrap();
        let expect = before.servers.into_iter().map(|server| (server.name, server.weight)).collect();
        adapter.set_weights(&shift(&edge(), &pool(), reached.weights, Some(expect))).await.unwrap();
        let earlier = reading(&adapter).await;
        load.wait_for_more(300);
        let later = reading(&adapter).await;
        let Split::Measured(split) = measure(&earlier, &later, &pool(), &servers("v2"), &servers("v1")) else { panic!("comparable") };
        assert!(split.requests >= 300, "{split:?}");
        assert_eq!(is_effective(reached.share, &split, 50), Seen::Effective, "{wished} %: {split:?}");
    }
    assert_eq!(load.end(), Vec::<String>::new());
}

#[tokio::test]
async fn an_initial_weight_of_zero_takes_absolute_weights_where_per_cent_would_be_lost() {
    let haproxy = Haproxy::checkout();
    assert_eq!(haproxy.ask("set server be_checkout/v2 weight 20%"), "\n");
    let adapter = adapter(&haproxy.unix());
    assert_eq!(now(&adapter, &pool()).await, weights(&[("v1", 100), ("v2", 0)]), "HAProxy took per cent of 0");
    let proxy = Proxy::start(haproxy.admin_port, |_| Treat::Forward);
    shift_to(&self::adapter(&proxy.address()), 80, 20).await.unwrap();
    assert_eq!(now(&adapter, &pool()).await, weights(&[("v1", 80), ("v2", 20)]));
    let writes = proxy.writes();
    assert_eq!(writes.len(), 2, "{writes:?}");
    assert!(writes[0].contains("set server be_checkout/v2 weight 20;") && !writes[0].contains("weight 80"), "raised first: {writes:?}");
    assert!(writes[1].contains("set server be_checkout/v1 weight 80;") && !writes[1].contains("weight 20"), "then lowered: {writes:?}");
    assert!(!writes.concat().contains('%'));
}

#[tokio::test]
async fn a_socket_without_permission_reads_and_is_forbidden_to_write() {
    let haproxy = Haproxy::checkout();
    let adapter = adapter(&haproxy.operator());
    assert_eq!(not_done(shift_to(&adapter, 80, 20).await), PortErrorKind::Forbidden);
    assert_eq!(now(&adapter, &pool()).await, weights(&[("v1", 100), ("v2", 0)]));
}

#[tokio::test]
async fn a_static_algorithm_refuses_in_its_own_words() {
    let lines = vec![Line::new("v1", 100), Line::new("v2", 0)];
    let haproxy = Haproxy::start(&[PoolLines { name: POOL, balance: "static-rr", servers: lines }]);
    let adapter = adapter(&haproxy.unix());
    let Err(SendError::NotDone(error)) = shift_to(&adapter, 80, 20).await else { panic!("refused") };
    assert_eq!(error.kind, PortErrorKind::Refused);
    assert!(error.detail.as_str().contains("static LB algorithm"), "{error}");
    assert_eq!(now(&adapter, &pool()).await, weights(&[("v1", 100), ("v2", 0)]));
}

#[tokio::test]
async fn a_reload_shows_as_another_process_and_voids_what_was_planned() {
    let mut haproxy = Haproxy::checkout();
    let adapter = adapter(&haproxy.unix());
    shift_to(&adapter, 80, 20).await.unwrap();
    let earlier = reading(&adapter).await;
    haproxy.reload();
    let later = reading(&adapter).await;
    assert_eq!(later.process.pid, Some(haproxy.pid()));
    let split = measure(&earlier, &later, &pool(), &servers("v2"), &servers("v1"));
    assert_eq!(split, Split::NotComparable(Why::OtherProcess));
    assert_eq!(now(&adapter, &pool()).await, weights(&[("v1", 100), ("v2", 0)]), "a reload forgets weights");
    let planned = Some(weights(&[("v1", 80), ("v2", 20)]));
    let effect = shift(&edge(), &pool(), weights(&[("v1", 50), ("v2", 50)]), planned);
    assert_eq!(not_done(adapter.set_weights(&effect).await), PortErrorKind::Conflict);
    assert_eq!(now(&adapter, &pool()).await, weights(&[("v1", 100), ("v2", 0)]));
}

/// A shift with a reload just before the first lowering: what it said, and the weights afterwards.
async fn reloaded_between(mut haproxy: Haproxy, (one, two): (u32, u32)) -> PortError {
    let (told, hear) = std::sync::mpsc::channel();
    let (reloaded, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let proxy = Proxy::start(haproxy.admin_port, move |line| {
        if line.contains("v1 weight ") {
            told.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
        }
        Treat::Forward
    });
    let through = adapter(&proxy.address());
    let effect = shift(&edge(), &pool(), weights(&[("v1", one), ("v2", two)]), None);
    let sending = tokio::spawn(async move { through.set_weights(&effect).await });
    let reloading = tokio::task::spawn_blocking(move || {
        hear.recv().unwrap();
        haproxy.reload();
        reloaded.send(()).unwrap();
        haproxy
    });
    let _haproxy = reloading.await.unwrap();
    unknown(sending.await.unwrap())
}

#[tokio::test]
async fn a_reload_between_raising_and_lowering_is_no_silent_success() {
    let haproxy = Haproxy::checkout();
    shift_to(&adapter(&haproxy.unix()), 50, 50).await.unwrap();
    let error = reloaded_between(haproxy, (20, 80)).await;
    assert_eq!(error.kind, PortErrorKind::Conflict, "{error}");
}

#[tokio::test]
async fn a_reload_that_takes_back_the_raise_is_seen_though_each_weight_reads_as_before_or_as_wished() {
    let error = reloaded_between(Haproxy::checkout(), (80, 20)).await;
    assert!(error.detail.as_str().contains("v1 80 as wished, v2 0, wished 20"), "{error}");
}

#[tokio::test]
async fn states_are_read_as_they_are() {
    let lines = vec![
        Line::new("up", 10),
        Line::new("parked", 10).with("disabled"),
        Line::new("dead", 10).with("check inter 50ms fall 1").dead(),
        Line::new("drained", 10),
        Line::new("slow", 100).with("check inter 50ms slowstart 600s"),
    ];
    let haproxy = Haproxy::start(&[PoolLines { name: POOL, balance: "roundrobin", servers: lines }]);
    haproxy
        .ask("set server be_checkout/drained state drain;set server be_checkout/slow state maint;set server be_checkout/slow state ready");
    let adapter = adapter(&haproxy.unix());
    wait_for("the dead server down", Duration::from_secs(5), || haproxy.ask("show stat be_checkout 4 -1").contains("DOWN").then_some(()));
    let state = |found: &gonogo::model::traffic::Pool, name: &str| found.server(&ServerName::new(name).unwrap()).unwrap().state;
    let found = read(&adapter, &pool()).await;
    assert_eq!(state(&found, "up"), ServerState::Up);
    assert_eq!(state(&found, "parked"), ServerState::Maintenance);
    assert_eq!(state(&found, "dead"), ServerState::Down);
    assert_eq!(state(&found, "drained"), ServerState::Draining);
    assert_eq!(state(&found, "slow"), ServerState::Starting);
    let slow = found.server(&ServerName::new("slow").unwrap()).unwrap();
    assert!(slow.effective_weight < 100 && slow.weight == 100, "{slow:?}");
    assert_eq!(found.server(&ServerName::new("dead").unwrap()).unwrap().effective_weight, 0);
    haproxy.ask("set server be_checkout/parked state ready");
    assert_eq!(state(&read(&adapter, &pool()).await, "parked"), ServerState::Up, "though it is still disabled in its configuration");
}

#[tokio::test]
async fn more_pools_than_one_line_holds_are_read_at_once() {
    let names: Vec<&'static str> = (0..120).map(|n| &*format!("be_{n:0>100}").leak()).collect();
    let lines = |name| PoolLines { name, balance: "roundrobin", servers: vec![Line::new("v1", 7).dead()] };
    let haproxy = Haproxy::start(&names.iter().copied().map(lines).collect::<Vec<_>>());
    let mut asked: Vec<PoolName> = names.iter().map(|name| PoolName::new(name).unwrap()).collect();
    asked.push(pool());
    let reading = adapter(&haproxy.unix()).read(&asked).await.unwrap();
    assert_eq!(reading.pools.len(), 120);
    assert!(reading.pools.values().all(|pool| pool.servers.len() == 1 && pool.servers[0].weight == 7));
    assert_eq!(reading.missing, [pool()]);
}

#[tokio::test]
async fn a_pool_named_like_a_number_is_not_taken_for_another() {
    let haproxy = Haproxy::checkout();
    let asked = ["3", "3nope", "-1"].map(|name| PoolName::new(name).unwrap());
    let reading = adapter(&haproxy.unix()).read(&asked).await.unwrap();
    assert_eq!((reading.pools.len(), reading.missing.len()), (0, 3), "{reading:?}");
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = [Address::Unix(folder.path().join("none.sock")), Address::Tcp(format!("tcp://127.0.0.1:{}", free_port()))];
    for address in nowhere {
        let adapter = adapter(&address);
        assert_eq!(adapter.read(&[pool()]).await.unwrap_err().kind, PortErrorKind::Unreachable);
        assert_eq!(not_done(shift_to(&adapter, 80, 20).await), PortErrorKind::Unreachable);
    }
}

#[tokio::test]
async fn a_black_hole_ends_with_the_deadline() {
    let hole = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Tcp(hole.local_addr().unwrap().to_string());
    let adapter = Adapter::new(edge(), &address, Duration::from_millis(300)).unwrap();
    let asked = [pool()];
    let read = tokio::time::timeout(Duration::from_secs(3), adapter.read(&asked)).await.expect("within the deadline");
    assert_eq!(read.unwrap_err().kind, PortErrorKind::TimedOut);
}

#[tokio::test]
async fn what_is_not_haproxy_is_malformed_and_bounded() {
    let mut escapes = b"Pid: \x1b[2J\n\n".to_vec();
    escapes.extend(b"x\n\ny\n\n");
    let nonsense: [Vec<u8>; 5] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n<html>".to_vec(),
        vec![0xff; 5000],
        vec![b'x'; 9 * 1024 * 1024],
        escapes,
        b"Name: HAProxy\nPid: 1\n\n1\n# be_name srv_name\nbe_checkout v1\n\n# pxname,svname\n\n".to_vec(),
    ];
    for bytes in nonsense {
        let start: Vec<u8> = bytes.iter().take(40).copied().collect();
        let bounded = bytes.len() > 8 * 1024 * 1024;
        let proxy = Proxy::start(0, move |_| Treat::Say(bytes.clone()));
        let adapter = adapter(&proxy.address());
        let error = adapter.read(&[pool()]).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Malformed, "{error} after {start:?}");
        assert_eq!(error.detail.as_str().contains("larger than 4194304 bytes"), bounded, "{error}");
        assert!(!error.to_string().chars().any(char::is_control), "{error}");
        assert_eq!(not_done(shift_to(&adapter, 80, 20).await), PortErrorKind::Malformed);
    }
}

#[tokio::test]
async fn a_connection_reset_after_the_write_is_settled_by_reading_back() {
    for by_hanging in [false, true] {
        let haproxy = Haproxy::checkout();
        let proxy = Proxy::start(haproxy.admin_port, move |line| match (line.contains("set server"), by_hanging) {
            (true, true) => Treat::ForwardHang,
            (true, false) => Treat::ForwardReset,
            (false, _) => Treat::Forward,
        });
        let through = Adapter::new(edge(), &proxy.address(), Duration::from_millis(700)).unwrap();
        shift_to(&through, 80, 20).await.unwrap();
        assert_eq!(now(&through, &pool()).await, weights(&[("v1", 80), ("v2", 20)]));
        assert_eq!(proxy.writes().len(), 2, "each written once: {:?}", proxy.writes());
    }
}

#[tokio::test]
async fn a_connection_reset_before_the_write_arrived_is_settled_as_not_done() {
    let haproxy = Haproxy::checkout();
    let proxy = Proxy::start(haproxy.admin_port, |line| if line.contains("set server") { Treat::Reset } else { Treat::Forward });
    let through = adapter(&proxy.address());
    assert_eq!(not_done(shift_to(&through, 80, 20).await), PortErrorKind::Unreachable);
    assert_eq!(now(&through, &pool()).await, weights(&[("v1", 100), ("v2", 0)]));
    assert_eq!(proxy.writes().len(), 1, "not written again");
}

#[tokio::test]
async fn a_write_that_cannot_be_read_back_is_unknown() {
    let haproxy = Haproxy::checkout();
    let cut = AtomicBool::new(false);
    let proxy = Proxy::start(haproxy.admin_port, move |line| {
        if line.contains("set server") {
            cut.store(true, Ordering::Relaxed);
            return Treat::ForwardReset;
        }
        if cut.load(Ordering::Relaxed) { Treat::Hang } else { Treat::Forward }
    });
    let through = Adapter::new(edge(), &proxy.address(), Duration::from_millis(500)).unwrap();
    let error = unknown(shift_to(&through, 80, 20).await);
    assert_eq!(error.kind, PortErrorKind::Unreachable, "{error}");
    let direct = adapter(&haproxy.unix());
    assert_eq!(now(&direct, &pool()).await, weights(&[("v1", 100), ("v2", 20)]), "raised, and not lowered");
}

#[tokio::test]
async fn a_refused_lowering_after_a_raise_says_where_the_weights_stand() {
    let haproxy = Haproxy::checkout();
    let proxy = Proxy::start(haproxy.admin_port, |line| Treat::Rewrite(line.replace("v1 weight 80", "nobody weight 80")));
    let error = unknown(shift_to(&adapter(&proxy.address()), 80, 20).await);
    assert_eq!(error.kind, PortErrorKind::NotFound);
    assert!(error.detail.as_str().contains("No such server"), "{error}");
    assert!(error.detail.as_str().contains("v1 100, wished 80, v2 20 as wished"), "{error}");
}

#[tokio::test]
async fn another_hand_in_the_middle_is_an_alarm_and_is_not_overwritten() {
    let haproxy = Haproxy::checkout();
    let line_of_another = "set server be_checkout/v1 weight 33";
    let port = haproxy.admin_port;
    let proxy = Proxy::start(port, move |line| {
        if line.contains("v2 weight 20") {
            let rewritten = line.replace("show servers state", &format!("{line_of_another};show servers state"));
            // The other hand's answer would be one too many: read back on a new connection instead.
            return Treat::Rewrite(rewritten);
        }
        Treat::Forward
    });
    let error = unknown(shift_to(&adapter(&proxy.address()), 80, 20).await);
    assert_eq!(error.kind, PortErrorKind::Conflict, "{error}");
    assert_eq!(now(&adapter(&haproxy.unix()), &pool()).await, weights(&[("v1", 33), ("v2", 20)]));
    assert_eq!(proxy.writes().len(), 1);
}

#[tokio::test]
async fn a_silent_refusal_is_seen_by_reading_back() {
    let haproxy = Haproxy::checkout();
    let proxy = Proxy::start(haproxy.admin_port, |line| Treat::Rewrite(line.replace("v2 weight 20", "v2 weight 20%")));
    assert_eq!(not_done(shift_to(&adapter(&proxy.address()), 80, 20).await), PortErrorKind::Refused);
    assert_eq!(now(&adapter(&haproxy.unix()), &pool()).await, weights(&[("v1", 100), ("v2", 0)]));
}

#[tokio::test]
async fn a_person_can_do_the_same_with_the_commands_in_their_order() {
    let haproxy = Haproxy::checkout();
    let adapter = adapter(&haproxy.tcp());
    reading(&adapter).await;
    let effect = shift(&edge(), &pool(), weights(&[("v1", 0), ("v2", 100)]), None);
    let commands = adapter.commands(effect.what());
    let socket = format!("socat stdio tcp-connect:127.0.0.1:{}", haproxy.admin_port);
    let line = |set: &str| format!("echo \"set server be_checkout/{set}\" | {socket}");
    assert_eq!(commands, [line("v2 weight 100"), line("v1 weight 0")]);
}
