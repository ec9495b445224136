//! What goes beside the shares of a rollout: the route of named testers, and copies of requests. Each is a pool of its own at the router,
//! so what moves it is a weights effect like any other, with all that is looked at before and after one.

use super::{Draft, Scene, run};
use crate::analysis::weights;
use crate::model::capability::Capability;
use crate::model::catalog::TrafficEntry;
use crate::model::name::PoolName;
use crate::model::plan::{Evidence, Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::share::Percent;
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::traffic::{Pool, Weights};

/// Where a deed leads.
#[derive(Debug, Clone, Copy)]
pub(super) struct To {
    /// The share of the version on trial.
    pub(super) percent: Percent,
    /// Whether anybody is to reach it: at a share of 0 testers, or copies.
    pub(super) on_trial: bool,
}

impl To {
    /// A share, where 0 leaves nobody at the version on trial.
    pub(super) fn share(percent: Percent) -> Self {
        Self { percent, on_trial: percent != Percent::NONE }
    }

    /// A step of a rollout, where 0 is the step before the first share.
    pub(super) fn step(percent: Percent) -> Self {
        Self { percent, on_trial: true }
    }

    /// Copies are made before the first share alone: later they would stand beside requests whose answers somebody reads.
    fn copies(self, scene: &Scene<'_>) -> Percent {
        scene.deploy.mirror.filter(|_| self.on_trial && self.percent == Percent::NONE).unwrap_or(Percent::NONE)
    }
}

fn pool<'a>(scene: &'a Scene<'_>, entry: &TrafficEntry, name: &PoolName) -> Option<&'a Pool> {
    scene.world.traffic(&entry.backend).and_then(|fact| fact.value.as_ref())?.pools.get(name)
}

/// The weights of a testers' pool that lead all of them to one slot, and of a mirror that copies to the slot on trial.
fn wished(scene: &Scene<'_>, entry: &TrafficEntry, trial: Slot, to: To) -> Vec<(PoolName, Result<Weights, Reason>)> {
    let missing = |name: &PoolName| {
        let text = format!("{} has no pool {name}", entry.backend);
        Reason::new("missing", &text, "prepare the router for it, or compare the pool's name with the router's")
    };
    let testers = entry.testers.as_ref().map(|name| {
        let share = if to.on_trial { Percent::ALL } else { Percent::NONE };
        let found = pool(scene, entry, name).ok_or_else(|| missing(name));
        let reach = |pool| weights::reach(pool, entry.servers(trial), entry.servers(trial.other()), share).map(|reached| reached.weights);
        (name.clone(), found.and_then(reach))
    });
    let mirror = entry.mirror.as_ref().map(|name| {
        let copied = |pool: &Pool| {
            if !pool.copies {
                let text = format!("the servers of {name} at {} get requests, not copies of them", entry.backend);
                return Err(Reason::new("missing", &text, "name the pool that copies as `mirror`"));
            }
            let server = |slot: Slot, weight: u32| {
                let there = entry.servers(slot).iter().filter(|server| pool.server(server).is_some());
                there.map(move |server| (server.clone(), weight)).collect::<Vec<_>>()
            };
            let (new, old) = (server(trial, u32::from(to.copies(scene).get())), server(trial.other(), 0));
            if new.len() < entry.servers(trial).len() {
                let servers: Vec<_> = entry.servers(trial).iter().map(ToString::to_string).collect();
                let text = format!("{name} of {} copies nothing to {}", entry.backend, servers.join(", "));
                return Err(Reason::new("missing", &text, "prepare the router for it"));
            }
            Ok(new.into_iter().chain(old).collect())
        };
        (name.clone(), pool(scene, entry, name).ok_or_else(|| missing(name)).and_then(copied))
    });
    testers.into_iter().chain(mirror).collect()
}

/// The effects beside the share at one router, as a rollout that is started will have them.
pub(super) fn effects(scene: &Scene<'_>, entry: &TrafficEntry, trial: Slot, percent: Percent) -> (Vec<StepEffect>, Vec<Reason>) {
    let (mut effects, mut against) = (Vec::new(), Vec::new());
    for (pool, weights) in wished(scene, entry, trial, To::step(percent)) {
        match weights {
            Ok(weights) => effects.push(StepEffect::Weights { backend: entry.backend.clone(), pool, weights }),
            Err(reason) => against.push(reason),
        }
    }
    (effects, against)
}

/// Adds what goes beside the share at one router, with what must stand there. On the way back what is missing there is left out: it is
/// never harder than the way forward.
pub(super) fn add(scene: &Scene<'_>, entry: &TrafficEntry, trial: Slot, to: To, lowers: bool, draft: &mut Draft) {
    if entry.mirror.is_some() && !lowers {
        run::needs(scene, &entry.backend, Capability::Mirror, draft);
    }
    for (name, weights) in wished(scene, entry, trial, to) {
        let weights = match weights {
            Ok(weights) => weights,
            Err(reason) if lowers => {
                let text = format!("LEFT OUT: {}; it is not moved", reason.text);
                let age = scene.world.sources.get(&entry.backend).and_then(|source| source.age(scene.now)).map(|age| age.as_secs());
                draft.evidence.push(Evidence { text: Text::clean(&text), source: entry.backend.to_string(), age_s: age, warns: true });
                continue;
            }
            Err(reason) => {
                draft.impossible.push(reason);
                continue;
            }
        };
        let Some(pool) = pool(scene, entry, &name) else { continue };
        let before: Weights =
            weights.keys().filter_map(|server| pool.server(server)).map(|server| (server.name.clone(), server.weight)).collect();
        draft.impossible.extend(strangers(scene, entry, pool).filter(|_| to.on_trial && entry.testers.as_ref() == Some(&name)));
        for slot in Slot::BOTH {
            let servers: Vec<_> = entry.servers(slot).iter().filter(|server| weights.contains_key(server)).cloned().collect();
            if servers.iter().any(|server| weights.get(server) > before.get(server)) {
                draft.preconditions.push(Precondition::ServerUp { backend: entry.backend.clone(), pool: name.clone(), slot, servers });
            }
        }
        draft.preconditions.push(Precondition::WeightsUnchanged { backend: entry.backend.clone(), pool: name.clone(), weights: before });
        draft.effects.push(StepEffect::Weights { backend: entry.backend.clone(), pool: name, weights });
    }
}

/// That others than testers would reach the version on trial by the testers' pool, where the router tells who goes there.
fn strangers(scene: &Scene<'_>, entry: &TrafficEntry, pool: &Pool) -> Option<Reason> {
    let (testers, ways) = (scene.deploy.testers.as_ref()?, pool.ways.as_ref()?);
    let (backend, name) = (&entry.backend, &pool.name);
    let fix = format!("have the router give {name} nothing but requests with {testers}");
    let way = testers.let_past(ways)?;
    let words: Vec<_> = way.iter().map(Text::as_str).collect();
    let whose = if words.is_empty() { "every request".to_owned() } else { format!("requests with {}", words.join(" and ")) };
    Some(Reason::new("testers", &format!("{backend} gives {name} {whose}, and testers are {testers}"), &fix))
}

/// Whether the step before the first share lies ahead: it is configured, and not all of it stands yet.
pub(super) fn is_ahead(scene: &Scene<'_>, trial: Slot, now: Percent) -> bool {
    if now != Percent::NONE || scene.deploy.steps.first() != Some(&Percent::NONE) {
        return false;
    }
    let stands = |entry: &TrafficEntry, (name, weights): (PoolName, Result<Weights, Reason>)| {
        let reading = scene.world.traffic(&entry.backend).and_then(|fact| fact.value.as_ref());
        weights.is_ok_and(|weights| reading.is_some_and(|reading| reading.stands_at(&name, &weights)))
    };
    let all = |entry: &TrafficEntry| wished(scene, entry, trial, To::step(Percent::NONE)).into_iter().all(|one| stands(entry, one));
    !scene.deploy.traffic.iter().all(all)
}

/// Whether anybody reaches the version on trial beside the shares, as the routers were read last.
pub(super) fn is_reached(scene: &Scene<'_>, trial: Slot) -> bool {
    let reached = |entry: &TrafficEntry, name: &PoolName| {
        let pool = pool(scene, entry, name);
        entry.servers(trial).iter().filter_map(|server| pool?.server(server)).any(|server| server.weight > 0)
    };
    scene.deploy.traffic.iter().any(|entry| entry.testers.iter().chain(&entry.mirror).any(|name| reached(entry, name)))
}

/// What becomes of testers and copies, in words behind the shares; nothing where there are none.
pub(super) fn told(scene: &Scene<'_>, new: &str, old: &str, to: To) -> String {
    let at = |of: fn(&TrafficEntry) -> bool| scene.deploy.traffic.iter().any(of);
    let testers = scene.deploy.testers.as_ref().filter(|_| at(|entry| entry.testers.is_some()));
    let testers = testers.map(|testers| format!("; testers ({testers}) go to {}", if to.on_trial { new } else { old }));
    let copies = scene.deploy.mirror.filter(|_| at(|entry| entry.mirror.is_some())).map(|_| match to.copies(scene) {
        Percent::NONE => "; no request is copied".to_owned(),
        percent => format!("; {percent} % of the requests are copied to {new}, its answers thrown away"),
    });
    testers.into_iter().chain(copies).collect()
}
