//! Checks of rollouts on the simulated train: `http://SERVICE.ENVIRONMENT/version` answers with the versions that serve there.

use std::sync::Arc;
use std::time::Duration;

use super::world::SimulatedWorld;
use crate::model::name::Target;
use crate::model::probe::{Held, Probe, ProbeAnswer};
use crate::ports::Pending;
use crate::ports::probe::Prober;

/// Who asks the services of a simulated world.
pub struct Asker {
    world: Arc<SimulatedWorld>,
}

impl Asker {
    /// Whoever asks this world.
    pub fn new(world: &Arc<SimulatedWorld>) -> Self {
        Self { world: Arc::clone(world) }
    }

    fn answer(&self, probe: &Probe) -> ProbeAnswer {
        let Probe::Http { url, status, contains } = probe else {
            return ProbeAnswer::new(Held::NotKnown, "the simulated train has neither programs nor queries to ask");
        };
        let Some(target) = asked(url) else {
            return ProbeAnswer::new(Held::NotKnown, &format!("GET {url}: no such host on the simulated train"));
        };
        let serving = self.world.serving(&target);
        let code = if serving.is_empty() { 503 } else { 200 };
        if status.map_or(code != 200, |wanted| wanted != code) {
            return ProbeAnswer::new(Held::Fails, &format!("GET {url} answered {code}"));
        }
        let body = serving.join(", ");
        match contains {
            Some(wanted) if !serving.iter().all(|version| version.contains(wanted.as_str())) || serving.is_empty() => {
                ProbeAnswer::new(Held::Fails, &format!("GET {url} answered {code} with {body}, not with {wanted}"))
            }
            Some(_) | None => ProbeAnswer::new(Held::Holds, &format!("GET {url} answered {code} with {body}")),
        }
    }
}

/// The target that an address means.
fn asked(url: &str) -> Option<Target> {
    let (host, path) = url.strip_prefix("http://")?.split_once('/')?;
    let (service, environment) = host.split_once('.')?;
    (path == "version").then_some(())?;
    Some(Target::new(service.parse().ok()?, environment.parse().ok()?))
}

impl Prober for Asker {
    fn probe<'a>(&'a self, probe: &'a Probe, _: Duration) -> Pending<'a, ProbeAnswer> {
        Box::pin(async move { self.answer(probe) })
    }
}
