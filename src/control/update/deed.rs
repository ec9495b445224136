//! Deeds: each machine takes in what is about it, looks at the world, and its picture goes into the world.

use std::sync::Arc;

use super::Room;
use crate::control::engine::Machine;
use crate::control::event::Event;
use crate::control::task::Task;
use crate::model::deed::{Deed, DeedState};
use crate::model::intent::Verb;
use crate::model::name::PlanId;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::{Happening, HappeningKind};

/// Deeds that the world keeps.
const DEEDS: usize = 100;

impl Room {
    /// An operator confirmed a plan. A plan that is already under way or done here is not begun twice; one that waited here for other
    /// persons, or was denied, is judged again.
    pub(super) fn on_confirmed(&mut self, now: &Moment, plan: Plan) -> Vec<Task> {
        let id = plan.id;
        let not_begun = |machine: &Machine| {
            machine.is_over() && matches!(machine.deed().state, DeedState::Waiting | DeedState::Scheduled | DeedState::Denied)
        };
        if self.machines.get(&id).is_some_and(|machine| !not_begun(machine)) {
            return Vec::new();
        }
        let machine = Machine::confirmed(&self.world, plan, now);
        self.machines.insert(id, machine);
        self.picture(now, id)
    }

    /// An operator tried to order what was denied before his eyes: it is recorded, and nothing becomes of it even if the reasons are
    /// gone by now.
    pub(super) fn on_refused(&mut self, now: &Moment, plan: Box<Plan>, reasons: Vec<Reason>) -> Vec<Task> {
        let why = reasons.first().map_or("denied", |reason| reason.text.as_str());
        let text = format!("{} {}: {why}", plan.intent.verb.word(), DeedState::Denied.word().to_uppercase());
        let mut tasks = self.say(now, HappeningKind::Deed, Some(plan.target().clone()), &text, &plan.intent.requester.to_string());
        tasks.push(Task::Deny { plan, reasons });
        tasks
    }

    pub(super) fn on_deed(&mut self, now: &Moment, plan: PlanId, event: &Event) -> Vec<Task> {
        let mut tasks = Vec::new();
        if let Some(machine) = self.machines.get_mut(&plan) {
            tasks.extend(machine.on(now, event));
        }
        if let Event::Began { result: Ok(_), .. } = event {
            for old in self.supersede(plan) {
                tasks.extend(self.picture(now, old));
            }
        }
        self.unsettle(now, plan);
        // What a deed wrote is read back at once: holds, roles of slots, entries.
        self.store_due = Boot(0);
        tasks.extend(self.picture(now, plan));
        tasks
    }

    /// A deed that began closes the hold watches on its target; tells whose.
    fn supersede(&mut self, plan: PlanId) -> Vec<PlanId> {
        let Some(begun) = self.machines.get(&plan) else { return Vec::new() };
        if begun.plan().order.effects.is_empty() {
            return Vec::new();
        }
        let begun = begun.plan().clone();
        let watching = |(id, machine): &(&PlanId, &mut Machine)| {
            let waits = machine.is_watching() || begun.order.verb != Verb::Hold && machine.only_awaits_effect();
            **id != plan && waits && machine.plan().target() == begun.target() && begun.takes_over(machine.plan())
        };
        self.machines
            .iter_mut()
            .filter(watching)
            .map(|(id, machine)| {
                machine.superseded();
                *id
            })
            .collect()
    }

    pub(super) fn look_at_machines(&mut self, now: &Moment) -> Vec<Task> {
        let mut tasks = Vec::new();
        let plans: Vec<_> = self.machines.iter().filter(|(_, machine)| !machine.is_over()).map(|(plan, _)| *plan).collect();
        for plan in plans {
            if let Some(machine) = self.machines.get_mut(&plan) {
                tasks.extend(machine.look(&self.world, now));
            }
            tasks.extend(self.picture(now, plan));
        }
        tasks
    }

    /// Puts a machine's deed into the world when it changed, with a line in the timeline when its state did.
    pub(super) fn picture(&mut self, now: &Moment, plan: PlanId) -> Vec<Task> {
        let Some(deed) = self.machines.get(&plan).map(|machine| machine.deed().clone()) else { return Vec::new() };
        let before = self.world.deeds.get(&plan).cloned();
        if before.as_deref() == Some(&deed) {
            return Vec::new();
        }
        let told = before.as_ref().map(|before| (before.state, before.facts));
        let tasks = if told == Some((deed.state, deed.facts)) || deed.facts.intended.is_none() && deed.state == DeedState::Intended {
            Vec::new()
        } else {
            self.tell(now, &deed)
        };
        self.world.deeds.insert_mut(plan, Arc::new(deed));
        self.forget_old();
        self.touch(now);
        tasks
    }

    pub(super) fn tell(&mut self, now: &Moment, deed: &Deed) -> Vec<Task> {
        let kind = match deed.state {
            DeedState::Slipped | DeedState::Unknown => HappeningKind::Alarm,
            DeedState::Waiting
            | DeedState::Scheduled
            | DeedState::Denied
            | DeedState::Intended
            | DeedState::Sent
            | DeedState::Accepted
            | DeedState::Effective
            | DeedState::Held
            | DeedState::Unwatched
            | DeedState::Superseded
            | DeedState::Failed => HappeningKind::Deed,
        };
        // What its operator said stands where it begins and ends; a deed of another process comes with nothing else to say.
        let said = (!deed.reason.is_empty()).then(|| format!("because \"{}\"", deed.reason));
        let passing = matches!(deed.state, DeedState::Sent | DeedState::Accepted | DeedState::Effective | DeedState::Held);
        let said = said.filter(|_| deed.words.is_empty() || !passing);
        let words: Vec<String> = (!deed.words.is_empty()).then(|| deed.words.to_string()).into_iter().chain(said).collect();
        let colon = if words.is_empty() { "" } else { ": " };
        let text = format!("{} {}{colon}{}", deed.verb.word(), deed.state.word().to_uppercase(), words.join(", "));
        let line = Happening {
            at: now.wall,
            kind,
            target: Some(deed.target.clone()),
            text: Text::clean(&text),
            source: deed.requester.clone(),
            deed: Some((deed.verb, deed.state)),
            links: Vec::new(),
        };
        self.record(now, line)
    }

    /// Drops the oldest deeds that are over, and the machines behind them.
    pub(super) fn forget_old(&mut self) {
        let surplus = self.world.deeds.size().saturating_sub(DEEDS);
        if surplus == 0 {
            return;
        }
        let mut over: Vec<_> =
            self.world.deeds.values().filter(|deed| !deed.state.is_under_way()).map(|deed| (deed.facts.intended, deed.plan)).collect();
        over.sort();
        for (_, plan) in over.into_iter().take(surplus) {
            if self.machines.get(&plan).is_none_or(Machine::is_over) {
                self.world.deeds.remove_mut(&plan);
                self.machines.remove(&plan);
            }
        }
    }
}
