//! The small HTTP service of the end-to-end tests, two versions of it, and the people who use it.
#![expect(clippy::disallowed_methods, reason = "a service and its load live in real time")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

/// Upper bounds of the buckets of the duration histogram, in milliseconds.
const BUCKETS: [u64; 7] = [5, 10, 25, 50, 100, 250, 1000];

/// What a running service says of itself: `Spec::new("checkout", "v2", "2.5.0", "canary")`.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The service.
    pub service: String,
    /// The slot: the server's name in the router.
    pub slot: String,
    /// The version.
    pub version: String,
    /// `stable` or `canary`: a label of the metrics.
    pub track: String,
}

impl Spec {
    /// The four words together.
    pub fn new(service: &str, slot: &str, version: &str, track: &str) -> Self {
        Self { service: service.to_owned(), slot: slot.to_owned(), version: version.to_owned(), track: track.to_owned() }
    }

    /// The digest that `app_info` shows: of the service and version, so the same in every run.
    pub fn digest(&self) -> String {
        let hash = Sha256::digest(format!("{}:{}", self.service, self.version));
        hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }
}

#[derive(Default)]
struct Counts {
    codes: BTreeMap<u16, u64>,
    buckets: [u64; BUCKETS.len()],
    sum_ms: u64,
    asked: u64,
}

struct Shared {
    spec: Mutex<Spec>,
    counts: Mutex<Counts>,
    errors_per_mille: AtomicU64,
    latency_ms: AtomicU64,
    silent: AtomicBool,
}

/// A running service on a loopback port of its own: any path answers, `/metrics` for Prometheus, `/health` for the router (neither
/// is counted). Ends when dropped.
pub struct Service {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Service {
    /// Starts it; it answers when this returns.
    pub fn start(spec: Spec) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            spec: Mutex::new(spec),
            counts: Mutex::new(Counts::default()),
            errors_per_mille: AtomicU64::new(0),
            latency_ms: AtomicU64::new(0),
            silent: AtomicBool::new(false),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let router = axum::Router::new()
            .route("/metrics", get(metrics))
            .route("/health", get(async || "ok\n"))
            .fallback(serve)
            .with_state(Arc::clone(&shared));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        Self { shared, address, runtime: Some(runtime) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The share of requests that are answered with 500 from now on: exactly that share, evenly spread, no chance.
    pub fn set_error_rate(&self, share: f64) {
        assert!((0.0..=1.0).contains(&share), "{share} is no share");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
        self.shared.errors_per_mille.store((share * 1000.0).round() as u64, Ordering::Relaxed);
    }

    /// Whether its metrics cannot be read any more; it serves on.
    pub fn set_silent(&self, silent: bool) {
        self.shared.silent.store(silent, Ordering::Relaxed);
    }

    /// How long each answer takes from now on.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.latency_ms.store(u64::try_from(latency.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// The label `track` from now on; the counters begin anew, as they do for a new process.
    pub fn set_track(&self, track: &str) {
        track.clone_into(&mut lock(&self.shared.spec).track);
        *lock(&self.shared.counts) = Counts::default();
    }

    /// Another version in the same slot, as after a deployment; the counters begin anew.
    pub fn set_version(&self, version: &str) {
        version.clone_into(&mut lock(&self.shared.spec).version);
        *lock(&self.shared.counts) = Counts::default();
    }

    /// Requests that it has answered, well or with an error.
    pub fn served(&self) -> u64 {
        lock(&self.shared.counts).codes.values().sum()
    }

    /// Requests that it has answered with 500.
    pub fn failed(&self) -> u64 {
        lock(&self.shared.counts).codes.get(&500).copied().unwrap_or(0)
    }

    /// Its metrics, as Prometheus reads them.
    pub fn metrics(&self) -> String {
        exposition(&self.shared)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(State(shared): State<Arc<Shared>>) -> Response {
    let latency = shared.latency_ms.load(Ordering::Relaxed);
    let begun = Instant::now();
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let share = shared.errors_per_mille.load(Ordering::Relaxed);
    let slot = lock(&shared.spec).slot.clone();
    let mut counts = lock(&shared.counts);
    counts.asked += 1;
    // An error whenever the running sum of the share passes a whole request.
    let bad = counts.asked * share / 1000 > (counts.asked - 1) * share / 1000;
    let code = if bad { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
    *counts.codes.entry(code.as_u16()).or_default() += 1;
    counts.sum_ms += took;
    for (count, _) in counts.buckets.iter_mut().zip(BUCKETS).filter(|(_, bound)| took <= *bound) {
        *count += 1;
    }
    (code, [("x-slot", slot)], if bad { "no\n" } else { "yes\n" }).into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    if shared.silent.load(Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    ([("content-type", "text/plain; version=0.0.4")], exposition(&shared)).into_response()
}

fn exposition(shared: &Shared) -> String {
    let spec = lock(&shared.spec).clone();
    let counts = lock(&shared.counts);
    let whose = format!("service=\"{}\",track=\"{}\",slot=\"{}\"", spec.service, spec.track, spec.slot);
    let head = |name: &str, kind: &str, help: &str| format!("# HELP {name} {help}\n# TYPE {name} {kind}");
    let mut lines = vec![head("http_requests_total", "counter", "Requests by their answer.")];
    let code = |code| (code, counts.codes.get(&code).copied().unwrap_or(0));
    lines.extend([200, 500].map(code).map(|(code, count)| format!("http_requests_total{{{whose},code=\"{code}\"}} {count}")));
    lines.push(head("http_request_duration_seconds", "histogram", "How long an answer took."));
    let seconds = |ms: u64| format!("{}.{:03}", ms / 1000, ms % 1000);
    let bucket = |(bound, count): (u64, &u64)| format!("http_request_duration_seconds_bucket{{{whose},le=\"{}\"}} {count}", seconds(bound));
    lines.extend(BUCKETS.into_iter().zip(&counts.buckets).map(bucket));
    let all: u64 = counts.codes.values().sum();
    lines.push(format!("http_request_duration_seconds_bucket{{{whose},le=\"+Inf\"}} {all}"));
    lines.push(format!("http_request_duration_seconds_sum{{{whose}}} {}", seconds(counts.sum_ms)));
    lines.push(format!("http_request_duration_seconds_count{{{whose}}} {all}"));
    lines.push(head("app_info", "gauge", "What runs here."));
    let (service, slot, version, digest) = (&spec.service, &spec.slot, &spec.version, spec.digest());
    lines.push(format!("app_info{{service=\"{service}\",slot=\"{slot}\",version=\"{version}\",digest=\"{digest}\"}} 1"));
    lines.push(String::new());
    lines.join("\n")
}

/// What the people got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that were sent.
    pub sent: u64,
    /// Answers with 2xx.
    pub ok: u64,
    /// Answers with another status from the service itself (it names its slot): the version's fault.
    pub refused: u64,
    /// No answer, or one that no service gave (the router's own 502, 503, 504): the way to the service is at fault.
    pub broken: u64,
    /// The first few reasons of the broken ones.
    pub why: Vec<String>,
    /// Answers by the slot that gave them.
    pub by_slot: BTreeMap<String, u64>,
}

/// A steady stream of requests. Ends by itself after `most` requests or `within`, by [`Load::stop`], or when dropped.
pub struct Load {
    tally: Arc<Mutex<Tally>>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Load {
    /// Sends `per_second` requests a second to `http://address/`, at most `most` in all and not longer than `within`. A slow answer
    /// does not hold back the next request; each may take 5 s.
    pub fn start(address: SocketAddr, per_second: u32, most: u64, within: Duration) -> Self {
        assert!((1..=1000).contains(&per_second) && most <= 1_000_000 && within <= Duration::from_mins(10), "a load has bounds");
        let tally = Arc::new(Mutex::new(Tally::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (tally, stop) = (Arc::clone(&tally), Arc::clone(&stop));
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(stream(address, per_second, most, within, &tally, &stop));
            }
        });
        Self { tally, stop, thread: Some(thread) }
    }

    /// What the people got so far.
    pub fn tally(&self) -> Tally {
        lock(&self.tally).clone()
    }

    /// Whether it still sends.
    pub fn running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Sends no more, waits for the answers under way, and says what the people got.
    pub fn stop(mut self) -> Tally {
        self.end();
        self.tally()
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.end();
    }
}

async fn stream(address: SocketAddr, per_second: u32, most: u64, within: Duration, tally: &Arc<Mutex<Tally>>, stop: &AtomicBool) {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    let end = Instant::now() + within;
    let mut beat = tokio::time::interval(Duration::from_secs(1) / per_second);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut under_way = tokio::task::JoinSet::new();
    for number in 0..most {
        beat.tick().await;
        if stop.load(Ordering::Relaxed) || Instant::now() >= end {
            break;
        }
        lock(tally).sent += 1;
        let (client, tally) = (client.clone(), Arc::clone(tally));
        under_way.spawn(async move {
            let answer = client.get(format!("http://{address}/{number}")).send().await;
            count(&mut lock(&tally), answer.map_err(|error| format!("{error:?}")));
        });
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
}

fn count(tally: &mut Tally, answer: Result<reqwest::Response, String>) {
    let slot = |answer: &reqwest::Response| answer.headers().get("x-slot").and_then(|slot| slot.to_str().ok()).map(str::to_owned);
    let why = match answer {
        Ok(answer) => {
            if let Some(slot) = slot(&answer) {
                *tally.by_slot.entry(slot).or_default() += 1;
                *(if answer.status().is_success() { &mut tally.ok } else { &mut tally.refused }) += 1;
                return;
            }
            format!("status {} from no service", answer.status())
        }
        Err(error) => error,
    };
    tally.broken += 1;
    if tally.why.len() < 5 {
        tally.why.push(why);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Duration, Load, Service, Spec};
    use crate::servers::support::{free_port, wait_for};

    #[test]
    fn errors_come_in_the_share_that_was_set_and_are_counted_on_both_sides() {
        let service = Service::start(Spec::new("checkout", "v2", "2.5.0", "canary"));
        service.set_error_rate(0.2);
        let load = Load::start(service.address(), 500, 100, Duration::from_secs(20));
        wait_for("100 requests", Duration::from_secs(20), || (!load.running()).then_some(()));
        let tally = load.stop();
        assert_eq!((tally.sent, tally.ok, tally.refused, tally.broken), (100, 80, 20, 0), "{tally:?}");
        assert_eq!(tally.by_slot.get("v2"), Some(&100));
        assert_eq!((service.served(), service.failed()), (100, 20));
        let whose = "service=\"checkout\",track=\"canary\",slot=\"v2\"";
        let metrics = service.metrics();
        assert!(metrics.contains(&format!("http_requests_total{{{whose},code=\"500\"}} 20\n")), "{metrics}");
        assert!(metrics.contains(&format!("http_request_duration_seconds_bucket{{{whose},le=\"+Inf\"}} 100\n")), "{metrics}");
        assert!(metrics.contains("slot=\"v2\",version=\"2.5.0\",digest=\"sha256:"), "{metrics}");
    }

    #[test]
    fn latency_shows_in_the_buckets_and_a_new_version_begins_anew() {
        let service = Service::start(Spec::new("checkout", "v1", "2.4.1", "stable"));
        service.set_latency(Duration::from_millis(30));
        let tally = Load::start(service.address(), 50, 3, Duration::from_secs(20));
        wait_for("3 answers", Duration::from_secs(20), || (tally.tally().ok == 3).then_some(()));
        assert!(service.metrics().contains("le=\"0.025\"} 0\n"), "{}", service.metrics());
        let digest = Spec::new("checkout", "v1", "2.4.1", "stable").digest();
        assert!(service.metrics().contains(&digest));
        service.set_version("2.5.0");
        service.set_track("canary");
        assert!(service.metrics().contains("version=\"2.5.0\"") && !service.metrics().contains(&digest));
        assert_eq!(service.served(), 0);
    }

    #[test]
    fn prometheus_own_tool_accepts_the_metrics() {
        use std::io::Write as _;
        use std::process::{Command, Stdio};
        let service = Service::start(Spec::new("checkout", "v1", "2.4.1", "stable"));
        service.set_error_rate(0.5);
        let load = Load::start(service.address(), 500, 10, Duration::from_secs(20));
        wait_for("10 requests", Duration::from_secs(20), || (!load.running()).then_some(()));
        let mut tool = Command::new("promtool");
        let tool = tool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut tool = tool.spawn().expect("promtool comes with prometheus; run tests/servers first");
        tool.stdin.take().unwrap().write_all(service.metrics().as_bytes()).unwrap();
        let told = tool.wait_with_output().unwrap();
        assert!(told.status.success(), "{}\n{}", String::from_utf8_lossy(&told.stderr), service.metrics());
    }

    #[test]
    fn a_way_that_leads_nowhere_is_broken_not_refused() {
        let tally = Load::start(([127, 0, 0, 1], free_port()).into(), 100, 5, Duration::from_secs(20));
        wait_for("5 failures", Duration::from_secs(20), || (tally.tally().broken == 5).then_some(()));
        let tally = tally.stop();
        assert_eq!((tally.sent, tally.ok, tally.refused), (5, 0, 0));
        assert!(tally.why.iter().all(|why| why.contains("onnect")), "{:?}", tally.why);
    }

    #[test]
    fn a_load_stops_when_told_and_when_its_time_is_over() {
        let service = Service::start(Spec::new("checkout", "v1", "2.4.1", "stable"));
        let long = Load::start(service.address(), 200, 100_000, Duration::from_mins(1));
        wait_for("10 answers", Duration::from_secs(20), || (long.tally().ok >= 10).then_some(()));
        let tally = long.stop();
        assert_eq!(tally.sent, tally.ok);
        let short = Load::start(service.address(), 100, 100_000, Duration::from_millis(100));
        wait_for("its end", Duration::from_secs(20), || (!short.running()).then_some(()));
        assert!(short.stop().sent <= 50);
    }
}
