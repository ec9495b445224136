//! `gonogo doctor`: per backend what was tried, what came back, what to do; then the store and the configuration.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::exit::Exit;
use crate::cli::health::metrics::{self, Family};
use crate::cli::health::places::{self, Place};
use crate::cli::health::terminal::Terminal;
use crate::cli::health::{self, Finding, families};
use crate::cli::verbs::outbox;
use crate::cli::{compose, json as shapes, out, settle};
use crate::config::load::Loaded;
use crate::config::smells;
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::courier::{self, Left};
use crate::control::driver::outside::Switchboard;
use crate::control::standing;
use crate::control::world::{Source, SourceFact, World};
use crate::model::catalog::BackendKind;
use crate::model::outbox::Progress;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::traffic::RouterProcess;
use crate::ports::Port;
use crate::store::{self, Facts};

/// A clock that is further off than this is worth a line.
const SKEW_MS: i64 = 2000;

/// Says what is wrong and what to do. Exit 0: the report is the answer, however the backends are.
pub async fn run(around: &Surroundings, flags: &Flags, as_json: bool) -> Exit {
    let terminal = Terminal::of(around, size());
    let seen = match look(around, flags, terminal.clone()).await {
        Ok(Some(seen)) => seen,
        Ok(None) => return unconfigured(&terminal, as_json),
        Err(exit) => return exit,
    };
    if as_json {
        out::json(&seen.object());
    } else {
        seen.tell();
    }
    Exit::Done
}

/// The same answer as an object; none where nothing is configured.
///
/// # Errors
/// Exit 8 when the configuration is refused.
pub async fn object(around: &Surroundings, flags: &Flags) -> Result<Option<Value>, Exit> {
    Ok(look(around, flags, Terminal::of(around, size())).await?.map(|seen| seen.object()))
}

/// Prints what the same look found as metrics, in the text format of Prometheus. Exit 8 where nothing is configured.
pub async fn metrics(around: &Surroundings, flags: &Flags) -> Exit {
    match look(around, flags, Terminal::of(around, size())).await {
        Ok(Some(seen)) => {
            out::line(metrics::exposition(&seen.families()).trim_end());
            Exit::Done
        }
        Ok(None) => {
            out::words("gonogo: nothing is configured; `gonogo init` looks around and writes gonogo.toml");
            Exit::Configuration
        }
        Err(exit) => exit,
    }
}

/// Everything that was looked at.
struct Seen {
    opened: settle::Opened,
    world: Arc<World>,
    now: Moment,
    receivers: Vec<Progress>,
    left: Vec<Left>,
    path: PathBuf,
    facts: Facts,
    places: [Place; 2],
    terminal: Terminal,
    findings: Vec<Finding>,
}

async fn look(around: &Surroundings, flags: &Flags, terminal: Terminal) -> Result<Option<Seen>, Exit> {
    let loaded = match compose::configuration_if_any(around, flags)? {
        Some(loaded) if !loaded.nothing_configured => loaded,
        Some(_) | None => return Ok(None),
    };
    let mut opened = settle::look(around, flags).await?;
    let world = settle::settled(&mut opened.handle, Duration::from_secs(12)).await;
    let now = opened.clock.now();
    let (receivers, left) = receivers(&opened).await;
    let path = compose::store_path(&loaded.config, around);
    let facts = store::facts(&path).await;
    let places = places::look(&loaded.config.health);
    let mut findings = findings(&loaded, around, &terminal, (&path, &facts));
    findings.extend(places.iter().filter_map(Place::finding));
    Ok(Some(Seen { opened, world, now, receivers, left, path, facts, places, terminal, findings }))
}

impl Seen {
    fn object(&self) -> Value {
        let (world, ports) = (&self.world, &self.opened.ports);
        let backends: Vec<_> = world
            .sources
            .values()
            .map(|source| {
                let (told, fix) = advise(source, world);
                json!({
                    "name": source.backend.name,
                    "kind": source.kind().word(),
                    "address": source.backend.address,
                    "state": source.freshness(&self.now).word(),
                    "told": told,
                    "fix": fix,
                    "skew_ms": source.skew_ms,
                    "access": access(ports, source),
                    "capabilities": source.capabilities,
                })
            })
            .collect();
        let ledger = &world.ledger;
        let trouble: Value = ledger.trouble.as_ref().map_or(Value::Null, |trouble| json!(trouble));
        let mut store =
            json!({ "installation": ledger.installation, "entries": ledger.size, "error": trouble, "witnesses": ledger.witnesses });
        if let Some(store) = store.as_object_mut() {
            store.extend(health::store::object(&self.path, &self.facts).into_iter().map(|(key, value)| (key.to_owned(), value)));
        }
        let receivers: Vec<_> = self.receivers.iter().map(|one| outbox::shape(one, &self.left)).collect();
        answer(&backends, &store, &receivers, &self.places, &self.terminal, &self.findings)
    }

    fn families(&self) -> Vec<Family> {
        let facts = &self.facts;
        let plain = |value: Option<f64>| value.map(|value| (Vec::new(), value)).into_iter().collect();
        let parts = [("ledger", facts.ledger_bytes), ("journal", facts.journal_bytes)];
        let parts =
            parts.into_iter().filter_map(|(part, bytes)| Some((vec![("part", part.to_owned())], metrics::number(bytes?)))).collect();
        let waiting = self.left.iter().map(|one| (vec![("receiver", one.name.to_string())], metrics::number(one.count as u64))).collect();
        let mut all = families::of_world(&self.world, &self.now);
        all.extend([
            Family::gauges("gonogo_store_bytes", "The bytes of each part of the store.", parts),
            Family::gauges(
                "gonogo_store_free_bytes",
                "The bytes that are free where the store lies.",
                plain(facts.free_bytes.map(metrics::number)),
            ),
            Family::gauges(
                "gonogo_store_whole",
                "Whether the pages of the record are whole.",
                plain(facts.whole.map(|whole| if whole { 1.0 } else { 0.0 })),
            ),
            Family::gauges("gonogo_outbox_waiting", "Notices that wait for each receiver, counted up to 64.", waiting),
            Family::one("gonogo_findings", "Things to be mended that `gonogo doctor` tells.", metrics::number(self.findings.len() as u64)),
        ]);
        all
    }

    fn tell(&self) {
        let Self { opened, world, now, receivers, left, path, facts, places, terminal, findings } = self;
        for source in world.sources.values() {
            tell_source(source, advise(source, world), &opened.ports, now);
        }
        match &world.ledger.trouble {
            Some(trouble) => out::line(&format!("store: {trouble}\n  do: make the store writable; deeds are refused until it is")),
            None => out::line(&format!("store: writable, {} entries, installation {}", world.ledger.size, world.ledger.installation)),
        }
        out::line(&format!("  {}", health::store::words(path, facts)));
        for trouble in &world.ledger.witnesses {
            out::line(&format!("witness: {trouble}\n  do: make it writable, or take it out of `[ledger] witness`; deeds go on without it"));
        }
        for one in receivers {
            outbox::tell(one, left);
        }
        for place in places {
            out::line(&place.words(now));
        }
        tell_rest(terminal, findings);
    }
}

/// One backend: what was tried, what came back, what to do.
fn tell_source(source: &Source, (told, fix): (String, Option<String>), ports: &Switchboard, now: &Moment) {
    let state = source.freshness(now).word();
    out::line(&format!("{} ({}, {}): {state}", source.backend.name, source.kind().word(), source.backend.address));
    out::line(&format!("  {told}"));
    if let Some(fix) = fix {
        out::line(&format!("  do: {fix}"));
    }
    if let Some(access) = access(ports, source) {
        out::line(&format!("  {access}"));
    }
    if let Some(skew) = source.skew_ms.filter(|skew| skew.abs() > SKEW_MS) {
        let which = if skew > 0 { "ahead of" } else { "behind" };
        out::line(&format!("  its clock is {} s {which} ours; set both by NTP", skew.abs() / 1000));
    }
    if source.backend.insecure {
        out::line("  plain text over the network, as insecure = true allows");
    }
}

/// The terminal, and everything that is to be mended beside the backends.
fn tell_rest(terminal: &Terminal, findings: &[Finding]) {
    out::line(&format!("terminal: {}", terminal.words()));
    for finding in findings {
        out::line(&format!("{}: {}\n  do: {}", Text::clean(&finding.about), Text::clean(&finding.told), Text::clean(&finding.fix)));
    }
}

/// The size of the terminal that is written to, where it is one.
fn size() -> Option<(u16, u16)> {
    std::io::stdout().is_terminal().then(|| crossterm::terminal::size().ok()).flatten()
}

/// What is to be mended of the terminal, the store, secrets and the configuration.
fn findings(loaded: &Loaded, around: &Surroundings, terminal: &Terminal, (path, facts): (&Path, &Facts)) -> Vec<Finding> {
    let config = &loaded.config;
    let witnesses: Vec<_> = config.ledger.witness.iter().map(|place| (place.clone(), health::store::device(place))).collect();
    let mut all = health::store::findings(path, facts, config.store.journal_bytes, &witnesses);
    all.extend(health::secrets::findings(config, around));
    all.extend(loaded.warnings.iter().map(|warning| {
        let place = &warning.place;
        Finding::new(format!("{}:{}", place.file, place.line), warning.what.as_str(), format!("write {}", warning.expected))
    }));
    all.extend(smells::smells(config).into_iter().map(|smell| Finding::new(smell.about, smell.told, smell.fix)));
    all.extend(terminal.findings());
    all
}

/// The answer as JSON.
fn answer(
    backends: &[Value],
    store: &Value,
    receivers: &[Value],
    [metrics, log]: &[Place; 2],
    terminal: &Terminal,
    findings: &[Finding],
) -> Value {
    let findings: Vec<_> = findings.iter().map(Finding::object).collect();
    json!({
        "schema": shapes::SCHEMA,
        "backends": backends,
        "store": store,
        "receivers": receivers,
        "metrics": metrics.object(),
        "log": log.object(),
        "terminal": terminal.object(),
        "findings": findings,
    })
}

/// How far each receiver of notices got, and what it has not got.
async fn receivers(opened: &settle::Opened) -> (Vec<Progress>, Vec<Left>) {
    let Some((couriers, outbox)) = &opened.telling else { return (Vec::new(), Vec::new()) };
    let left = courier::left(outbox, &couriers.now()).await.unwrap_or_default();
    (outbox.progress().await.unwrap_or_default(), left)
}

/// What a backend said of our access to it: the credential's rights, how many requests are left.
fn access(ports: &Switchboard, source: &Source) -> Option<Text> {
    match ports.get(&source.backend.name) {
        Some(Port::Ci(port)) => port.access(),
        Some(Port::Traffic(_) | Port::Metrics(_) | Port::Alerts(_) | Port::Orchestrator(_) | Port::Flags(_)) | None => None,
    }
}

/// Nothing to look at but the terminal.
fn unconfigured(terminal: &Terminal, as_json: bool) -> Exit {
    if as_json {
        let mut store = json!({ "installation": null, "entries": null, "error": null, "witnesses": [] });
        if let Some(store) = store.as_object_mut() {
            store.extend(health::store::object(Path::new(""), &Facts::default()).into_iter().map(|(key, _)| (key.to_owned(), Value::Null)));
        }
        out::json(&answer(&[], &store, &[], &places::nowhere(), terminal, &terminal.findings()));
    } else {
        out::line(
            "nothing is configured\n  do: `gonogo init` looks around and writes gonogo.toml (`gonogo config example` prints one), or try `gonogo demo`",
        );
        tell_rest(terminal, &terminal.findings());
    }
    Exit::Done
}

/// A router and its process, as far as it tells.
fn process(kind: BackendKind, process: &RouterProcess) -> String {
    let product = match kind {
        BackendKind::Haproxy => "HAProxy",
        BackendKind::Envoy => "Envoy",
        BackendKind::Traefik => "Traefik",
        BackendKind::Caddy => "Caddy",
        BackendKind::GatewayApi => "the Gateway API of a Kubernetes",
        BackendKind::Istio => "Istio on a Kubernetes",
        BackendKind::Prometheus
        | BackendKind::Alertmanager
        | BackendKind::Kubernetes
        | BackendKind::Unleash
        | BackendKind::Flagd
        | BackendKind::Buildbot
        | BackendKind::Github => "no router",
    };
    let pid = process.pid.map(|pid| format!(", process {pid}"));
    let since = || process.started.map(|started| format!(", up since {}", started.format("%Y-%m-%d %H:%M:%SZ")));
    format!("{product} {}{}", process.version, pid.or_else(since).unwrap_or_default())
}

/// What a pool is to a router.
fn pools(kind: BackendKind) -> &'static str {
    match kind {
        BackendKind::Envoy => "the `runtime_key_prefix` of its weighted clusters",
        BackendKind::Traefik => "its weighted services",
        BackendKind::Caddy => "the `@id` of its reverse_proxy handlers with weighted_round_robin",
        BackendKind::GatewayApi => "ROUTE or NAMESPACE.ROUTE of its HTTPRoutes, with _RULE where one has several",
        BackendKind::Istio => "NAME or NAMESPACE.NAME of its VirtualServices, with _ROUTE where one has several",
        BackendKind::Haproxy
        | BackendKind::Prometheus
        | BackendKind::Alertmanager
        | BackendKind::Kubernetes
        | BackendKind::Unleash
        | BackendKind::Flagd
        | BackendKind::Buildbot
        | BackendKind::Github => "its backends",
    }
}

/// What came back, and what to do about it.
fn advise(source: &Source, world: &World) -> (String, Option<String>) {
    if let Some(trouble) = standing::trouble(source) {
        let fix = source.trouble().map_or("remove it, or wait for a version that speaks to it", crate::model::error::PortError::remedy);
        return (trouble, Some(fix.to_owned()));
    }
    match &source.fact {
        SourceFact::Traffic(fact) => fact.value.as_ref().map_or_else(never, |reading| {
            let missing: Vec<_> = reading.missing.iter().map(ToString::to_string).collect();
            let told = format!("{}, {} pools", process(source.backend.kind, &reading.process), reading.pools.len());
            let pools = pools(source.backend.kind);
            let fix = (!missing.is_empty()).then(|| format!("it has no pool {}: compare `pool` with {pools}", missing.join(", ")));
            let servers = || {
                let lacks = world
                    .targets
                    .values()
                    .flat_map(|view| &view.traffic)
                    .filter(|entry| entry.backend == source.backend.name && !entry.missing.is_empty());
                lacks
                    .map(|entry| {
                        format!("{} lacks {}", entry.pool, entry.missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
                    })
                    .next()
            };
            (told, fix.or_else(servers))
        }),
        SourceFact::Metrics(fact) => fact.value.as_ref().map_or_else(never, |reading| {
            let failed = reading.answers.iter().find_map(|answer| answer.series.as_ref().err());
            let empty = reading.answers.iter().find(|answer| answer.series.as_ref().is_ok_and(Vec::is_empty));
            let fix = failed
                .map(|error| format!("a query fails: {error}"))
                .or_else(|| empty.map(|answer| format!("no data for `{}`: an empty answer is not zero", answer.query)));
            let sick = reading.rules.iter().filter(|rule| !rule.healthy).count();
            (
                format!(
                    "{} questions answered, {} of {} targets up, {} rules, {sick} of them failing",
                    reading.answers.len(),
                    reading.targets_up,
                    reading.targets,
                    reading.rules.len()
                ),
                fix,
            )
        }),
        SourceFact::Alerts(fact) => fact.value.as_ref().map_or_else(never, |reading| {
            (format!("{} alerts in {} groups, {} silences", reading.alerts.len(), reading.groups.len(), reading.silences.len()), None)
        }),
        SourceFact::Ci(fact) => fact.value.as_ref().map_or_else(never, |reading| {
            let missing: Vec<_> = reading.missing.iter().map(ToString::to_string).collect();
            let fix =
                (!missing.is_empty()).then(|| format!("it has no builder {}: compare `builder` with its own names", missing.join(", ")));
            (format!("{} builders", reading.builders.len()), fix)
        }),
        SourceFact::Workloads(fact) => fact.value.as_ref().map_or_else(never, |reading| {
            let missing: Vec<_> = reading.missing.iter().map(ToString::to_string).collect();
            let fix = (!missing.is_empty()).then(|| format!("it has no {}: compare `workload` with its own names", missing.join(", ")));
            (format!("{} workloads of a Kubernetes", reading.workloads.len()), fix)
        }),
        SourceFact::Flags(fact) => fact.value.as_ref().map_or_else(never, |reading| {
            let missing = reading.flags.iter().find_map(|seen| Some((&seen.flag.name, seen.missing.as_ref()?)));
            (format!("{} flags", reading.flags.len()), missing.map(|(name, why)| format!("flag {name} cannot be read: {why}")))
        }),
        SourceFact::Unsupported => ("not supported by this version".to_owned(), None),
    }
}

fn never() -> (String, Option<String>) {
    ("not read within 12 s".to_owned(), Some("check that it runs and answers".to_owned()))
}
