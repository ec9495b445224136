//! What each backend is asked for: the questions that the catalog and the present roles of the slots give.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use crate::control::task::Query;
use crate::control::world::World;
use crate::model::catalog::{BackendKind, Deploy, Service, SignalKind};
use crate::model::name::{BackendName, Target};
use crate::model::signal::{Ask, Form, Subject, Values};
use crate::model::slot::{Slot, Track};
use crate::model::strategy::Strategy;
use crate::model::workload::WorkloadAsk;

/// Seconds of raw counters looked back: two samples at a scrape a minute.
pub const WINDOW_S: u32 = 120;

/// What a poll of `backend` asks for; none for a kind that cannot be spoken to. `detail`: runs whose steps are wanted.
pub fn query(world: &World, backend: &BackendName, detail: &[u64]) -> Option<Query> {
    let kind = world.catalog.backends.get(backend)?.kind;
    Some(match kind {
        BackendKind::Haproxy
        | BackendKind::Envoy
        | BackendKind::Traefik
        | BackendKind::Caddy
        | BackendKind::GatewayApi
        | BackendKind::Istio => {
            let pools: BTreeSet<_> = deploys(world)
                .flat_map(|(_, _, deploy)| &deploy.traffic)
                .filter(|entry| &entry.backend == backend)
                .flat_map(|entry| entry.pools().cloned())
                .collect();
            Query::Pools(pools.into_iter().collect())
        }
        BackendKind::Kubernetes => {
            let all = deploys(world).flat_map(|(_, _, deploy)| {
                let scaled = deploy.workloads.is_some() || deploy.strategy == Strategy::Recreate;
                deploy.all_workloads().map(move |entry| (entry, scaled))
            });
            let of = all.filter(|(entry, _)| &entry.backend == backend);
            let asks: BTreeSet<_> = of.map(|(entry, scaled)| WorkloadAsk { name: entry.workload.clone(), scaled }).collect();
            Query::Workloads(asks.into_iter().collect())
        }
        BackendKind::Prometheus => Query::Asks(asks(world, backend)),
        BackendKind::Alertmanager => Query::Alerts,
        BackendKind::Unleash | BackendKind::Flagd => {
            let flags: BTreeSet<_> = deploys(world)
                .flat_map(|(_, _, deploy)| &deploy.flags)
                .filter(|entry| &entry.backend == backend)
                .map(|entry| entry.flag.clone())
                .collect();
            Query::Flags(flags.into_iter().collect())
        }
        BackendKind::Buildbot | BackendKind::Github => {
            let built = world.catalog.services.values().filter_map(|service| service.pipeline.as_ref());
            let deployed = deploys(world).filter_map(|(_, _, deploy)| deploy.deploy.as_ref());
            let builders: BTreeSet<_> =
                built.chain(deployed).filter(|pipeline| &pipeline.backend == backend).map(|pipeline| pipeline.builder.clone()).collect();
            let mut detail = detail.to_vec();
            detail.extend(unread(world, backend));
            Query::Builders(builders.into_iter().collect(), detail)
        }
    })
}

/// The newest runs that are over and whose steps were never read, a few at a time.
fn unread(world: &World, backend: &BackendName) -> Vec<u64> {
    let Some(reading) = world.runs(backend).and_then(|fact| fact.value.as_ref()) else { return Vec::new() };
    let newest = reading.builders.values().filter_map(|builder| builder.runs.first());
    newest.filter(|run| run.state.is_over() && run.steps.is_empty()).map(|run| run.id.number).take(4).collect()
}

fn deploys(world: &World) -> impl Iterator<Item = (&Service, Target, &Deploy)> {
    world.catalog.services.values().flat_map(|service| {
        service.deploy.iter().map(move |(environment, deploy)| (service, Target::new(service.name.clone(), environment.clone()), &**deploy))
    })
}

fn asks(world: &World, backend: &BackendName) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (service, target, deploy) in deploys(world) {
        let stable = world.target(&target).map_or(Slot::First, |view| view.state.stable);
        let slots: &[Slot] = if deploy.traffic.is_empty() { &[Slot::First] } else { &Slot::BOTH };
        for slot in slots {
            let values = values(&target, deploy, *slot, stable);
            let ask = |subject: Subject, template: &Arc<str>, form: Form| Ask {
                target: target.clone(),
                slot: Some(*slot),
                subject,
                template: Arc::clone(template),
                values: values.clone(),
                form,
            };
            if let Some(version) = deploy.version.as_ref().filter(|version| &version.backend == backend) {
                asks.push(ask(Subject::Version, &version.query, Form::Instant));
            }
            let counters = Form::Counters { window_s: WINDOW_S };
            for signal in service.signals.iter().filter(|signal| &signal.backend == backend) {
                match &signal.kind {
                    SignalKind::Ratio { bad, total } => {
                        asks.push(ask(Subject::Bad(signal.name.clone()), bad, counters));
                        asks.push(ask(Subject::Total(signal.name.clone()), total, counters));
                    }
                    SignalKind::Histogram { buckets, .. } => asks.push(ask(Subject::Buckets(signal.name.clone()), buckets, counters)),
                    SignalKind::Value { query } => asks.push(ask(Subject::Value(signal.name.clone()), query, Form::Instant)),
                }
            }
        }
    }
    // Of a large room there are tens of thousands, and they stay as long as their answers are under way.
    asks.shrink_to_fit();
    asks
}

/// What the placeholders stand for in one slot of a target.
pub fn values(target: &Target, deploy: &Deploy, slot: Slot, stable: Slot) -> Values {
    static NAMES: LazyLock<[Arc<str>; 4]> = LazyLock::new(|| ["service", "environment", "track", "slot"].map(Arc::from));
    static TRACKS: LazyLock<[Arc<str>; 2]> = LazyLock::new(|| [Track::Stable, Track::Canary].map(|track| track.word().into()));
    let ([service, environment, track, server], [old, new]) = (&*NAMES, &*TRACKS);
    let word = match Track::of(slot, stable) {
        Track::Stable => old,
        Track::Canary => new,
    };
    let named = deploy.traffic.first().and_then(|entry| entry.servers(slot).first());
    let values = [(service, target.service.shared()), (environment, target.environment.shared()), (track, word)];
    let values = values.into_iter().chain(named.map(|named| (server, named.shared())));
    values.map(|(name, value)| (name.clone(), value.clone())).collect()
}
