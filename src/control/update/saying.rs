//! Sayings: what persons say beside plans, on its way to the ledger and back; and roles that end by themselves.

use std::sync::Arc;
use std::time::Duration;

use super::Room;
use crate::control::saying;
use crate::control::task::Task;
use crate::control::world::Heard;
use crate::model::self_service::{GrantState, Saying, SelfGrant, Spoken};
use crate::model::time::{Boot, Moment};
use crate::model::timeline::HappeningKind;
use crate::ports::ledger::LedgerError;
use crate::ports::signer::{SignError, Signed};

/// Sayings that the world keeps.
const SAYINGS: usize = 20;

impl Room {
    pub(super) fn on_speak(&mut self, saying: Saying) -> Vec<Task> {
        match saying::signing_keys(&self.world, &saying) {
            Some(keys) => vec![Task::SignSaying { saying, keys }],
            None => vec![self.speak(saying, None)],
        }
    }

    fn speak(&self, saying: Saying, signed: Option<Signed>) -> Task {
        let (actor, catalog) = (self.world.actor.clone(), self.world.catalog.clone());
        let accepted = saying::ByAccepted::of(&self.world).map(Box::new);
        Task::Speak { saying, actor, signed, catalog, read_only: self.world.read_only, accepted }
    }

    pub(super) fn on_saying_signed(&mut self, now: &Moment, saying: Saying, result: Result<Signed, SignError>) -> Vec<Task> {
        match result {
            Ok(signed) => vec![self.speak(saying, Some(signed))],
            // What cannot be signed is asked of the ledger all the same: there it is refused, and the attempt recorded.
            Err(error) => {
                let mut tasks = self.say(now, HappeningKind::Deed, None, &error.to_string(), saying.person());
                tasks.push(self.speak(saying, None));
                tasks
            }
        }
    }

    pub(super) fn on_spoke(&mut self, now: &Moment, saying: Saying, result: Result<Spoken, LedgerError>) -> Vec<Task> {
        let (person, what) = (saying.person().to_owned(), saying.word());
        let text = match &result {
            // The store is read at once, and then it is told as it is of other processes.
            Ok(Spoken::Grant(_)) => None,
            Ok(Spoken::Review(review)) => Some(format!("review of {} {} closed", review.verb.word(), review.target)),
            Err(error) => Some(format!("{what} not taken: {error}")),
        };
        let mut heard = (*self.world.heard).clone();
        heard.push_back(Heard { saying, result, at: now.wall });
        while heard.len() > SAYINGS {
            heard.pop_front();
        }
        self.world.heard = Arc::new(heard);
        self.store_due = Boot(0);
        self.touch(now);
        text.map(|text| self.say(now, HappeningKind::Deed, None, &text, &person)).unwrap_or_default()
    }

    /// The grants as the store holds them now: what became of them since they were read last is told.
    pub(super) fn on_grants(&mut self, now: &Moment, grants: Vec<SelfGrant>) -> Vec<Task> {
        let seen_before = self.world.ledger.read;
        let before = std::mem::replace(&mut self.world.grants, Arc::new(grants));
        if !seen_before {
            // What was over before this room looked is history.
            let over = self.world.grants.iter().filter(|grant| now.wall >= grant.until);
            self.grants_ended = over.map(|grant| grant.id.clone()).collect();
            return Vec::new();
        }
        let mut tasks = Vec::new();
        for grant in self.world.grants.clone().iter() {
            let old = before.iter().find(|old| old.id == grant.id);
            let SelfGrant { person, role, place, .. } = grant;
            let until = grant.until.format("%H:%M:%SZ");
            if old.is_none() {
                let does = if grant.needs == 0 { "takes" } else { "asks for" };
                tasks.extend(self.say_of(
                    now,
                    grant,
                    &format!("{person} {does} {role} {place} until {until}: {}", grant.reason),
                    person.as_str(),
                ));
            }
            for agreement in grant.agreed.iter().skip(old.map_or(0, |old| old.agreed.len())) {
                tasks.extend(self.say_of(
                    now,
                    grant,
                    &format!("{} agrees that {person} takes {role} {place}", agreement.person),
                    &agreement.person,
                ));
            }
            if let (Some(revoked), None) = (&grant.revoked, old.and_then(|old| old.revoked.as_ref())) {
                tasks.extend(self.say_of(now, grant, &format!("{role} {place} of {person} is taken back"), &revoked.person));
            }
        }
        tasks
    }

    /// Roles whose time is over, each told once.
    pub(super) fn look_at_grants(&mut self, now: &Moment) -> Vec<Task> {
        let mut tasks = Vec::new();
        for grant in self.world.grants.clone().iter() {
            let ended = grant.state(&now.wall) == GrantState::Ended;
            if ended && self.grants_ended.insert(grant.id.clone()) {
                let text = format!("{} {} of {} has ended by itself", grant.role, grant.place, grant.person);
                tasks.extend(self.say_of(now, grant, &text, grant.person.as_str()));
            }
        }
        tasks
    }

    fn say_of(&mut self, now: &Moment, grant: &SelfGrant, text: &str, by: &str) -> Vec<Task> {
        let service = grant.place.service.clone();
        let target = service.map(|service| crate::model::name::Target::new(service, grant.place.environment.clone()));
        let mut tasks = self.say(now, HappeningKind::Change, target, text, by);
        // Several rooms see it; the one that has been open longest keeps it.
        let keeps = self.keeps_what_all_see();
        for task in &mut tasks {
            if let Task::Journal { elsewhere, .. } = task {
                *elsewhere = !keeps;
            }
        }
        tasks
    }

    /// When the next role ends.
    pub(super) fn grants_wake(&self) -> Option<Boot> {
        let at = self.world.at;
        let ends = self.world.grants.iter().filter(|grant| grant.state(&at.wall) == GrantState::Granted).map(|grant| grant.until);
        let left = ends.map(|until| (until - at.wall).to_std().unwrap_or(Duration::ZERO)).min()?;
        Some(at.boot.plus(left))
    }
}
