//! The seat before the room: who sits there, who sits before the other rooms of the store.

use std::sync::Arc;

use super::Room;
use crate::control::task::Task;
use crate::model::operator::{Actor, Presented};
use crate::model::presence::Presence;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::timeline::HappeningKind;

impl Room {
    pub(super) fn on_here(&mut self, now: &Moment, here: Vec<Presence>) {
        self.world.here = Arc::new(here);
        self.touch(now);
    }

    /// It is known who is at the keys, or what is waited for. Nothing was ordered before: no deed was possible.
    pub(super) fn on_recognised(
        &mut self,
        now: &Moment,
        actor: Option<Actor>,
        presented: Option<Arc<Presented>>,
        words: Text,
    ) -> Vec<Task> {
        self.touch(now);
        let Some(actor) = actor else {
            self.world.asking = Some(words);
            return Vec::new();
        };
        self.world.asking = None;
        self.world.actor = actor;
        // By it the accepted rules are asked too who it is.
        self.world.rules.presented = presented.or_else(|| self.world.rules.presented.clone());
        if words.is_empty() {
            return Vec::new();
        }
        self.say(now, HappeningKind::Source, None, words.as_str(), "agent")
    }

    /// Tells the other processes of the store who is here, once it is known and whenever it is another.
    pub(super) fn appear(&mut self, now: &Moment) -> Option<Task> {
        let ready = self.is_seat && self.world.asking.is_none() && !self.world.ledger.installation.is_empty();
        if !ready || self.appeared.as_ref() == Some(&self.world.actor) {
            return None;
        }
        self.appeared = Some(self.world.actor.clone());
        let since = if self.world.here.iter().any(|one| one.ours) { now.wall } else { self.world.opened.wall };
        Some(Task::Appear { presence: Presence { since, person: self.world.actor.to_string(), ours: true } })
    }

    /// Whether this room keeps in the journal what every room sees: the one that has been open longest does.
    pub(super) fn keeps_what_all_see(&self) -> bool {
        self.world.here.first().map_or(self.tends, |eldest| eldest.ours)
    }
}
