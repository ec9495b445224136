//! What people of a story start by themselves: rollouts, each planned in the world of its moment and confirmed at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Handle;
use super::nonces::Nonces;
use crate::config::scenario::Scenario;
use crate::config::scenario::release::ScenarioStart;
use crate::control::event::Event;
use crate::control::planner;
use crate::control::world::World;
use crate::model::intent::{Arguments, Intent, Verb};
use crate::model::name::Target;
use crate::model::operator::Actor;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::together::SetRun;
use crate::ports::clock::Clock;

/// How often a script on a running clock is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The starts of a story that are still to come, the next one first. Only the simulated train has one.
#[derive(Debug, Default)]
pub struct Script {
    waiting: VecDeque<ScenarioStart>,
    nonces: Option<Nonces>,
}

impl Script {
    /// The script of a scenario; the same seed makes the same plans.
    pub fn of(scenario: &Scenario, seed: u64) -> Self {
        let waiting: VecDeque<_> = scenario.start.iter().cloned().collect();
        Self { waiting, nonces: Some(Nonces::of(seed ^ 0x7363_7269_7074)) }
    }

    /// When the next one is due, after the beginning.
    pub fn due(&self) -> Option<Duration> {
        self.waiting.front().map(|start| start.at)
    }

    /// What the next one gives the room, of this world. What could not even be planned is left out: a room says itself what it refuses.
    pub fn next(&mut self, world: &World, now: &Moment) -> Vec<Event> {
        let (Some(start), Some(nonces)) = (self.waiting.pop_front(), self.nonces.as_mut()) else { return Vec::new() };
        let set = start.set.as_ref().and_then(|name| world.catalog.sets.iter().find(|set| set.name == *name));
        let run = set.map(|set| Box::new(SetRun { set: set.name.clone(), nonce: nonces.next() }));
        let targets: Vec<Target> = start.target.iter().chain(set.into_iter().flat_map(|set| &set.targets)).cloned().collect();
        let plan = |target: Target| {
            let intent = Intent {
                verb: Verb::Rollout,
                target,
                args: Arguments { set: run.clone(), ..Arguments::default() },
                requester: Actor::Person(start.by.clone()),
                reason: Text::clean(&start.reason),
            };
            planner::plan(world, intent, now, &nonces.next()).ok()
        };
        targets.into_iter().filter_map(plan).map(|plan| Event::Confirmed { plan: Box::new(plan) }).collect()
    }

    /// Plays it in a room on a clock that runs, until its end or the room's.
    pub async fn play(mut self, handle: Handle, clock: Arc<dyn Clock>) {
        let opened = clock.now().boot;
        while let Some(due) = self.due() {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = clock.now();
            if now.boot.since(opened) < due {
                continue;
            }
            for event in self.next(&handle.world(), &now) {
                if !handle.send(event).await {
                    return;
                }
            }
        }
    }
}
