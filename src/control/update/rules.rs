//! Changed rules: what an operator says about them is signed where a person must sign, recorded, and read back.

use std::sync::Arc;

use super::Room;
use crate::control::rules::Asking;
use crate::control::task::Task;
use crate::control::world::Named;
use crate::model::operator::Actor;
use crate::model::rules::{Naming, RuleStanding};
use crate::model::time::{Boot, Moment};
use crate::model::timeline::HappeningKind;
use crate::ports::ledger::LedgerError;
use crate::ports::signer::{SignError, Signed};

impl Room {
    pub(super) fn on_name_rules(&mut self, naming: Naming) -> Vec<Task> {
        let Actor::Person(name) = &self.world.actor else { return vec![self.name_rules(naming, None)] };
        let asking = Asking::of(&self.world);
        // What would be refused anyhow is not worth a touch of the key; what needs no key of its own is signed by the process.
        let needs_key =
            asking.may(&self.world.rules.standing, Some(false)).is_err() && asking.may(&self.world.rules.standing, Some(true)).is_ok();
        let keys = self.world.catalog.person(name).map(|person| person.keys.clone()).unwrap_or_default();
        if needs_key { vec![Task::SignNaming { naming, keys }] } else { vec![self.name_rules(naming, None)] }
    }

    fn name_rules(&self, naming: Naming, signed: Option<Signed>) -> Task {
        Task::NameRules { naming, signed, by: Box::new(Asking::of(&self.world)) }
    }

    pub(super) fn on_naming_signed(&mut self, now: &Moment, naming: Naming, result: Result<Signed, SignError>) -> Vec<Task> {
        match result {
            Ok(signed) => vec![self.name_rules(naming, Some(signed))],
            // What cannot be signed is asked of the ledger all the same: there it is refused, and the attempt recorded.
            Err(error) => {
                let mut tasks = self.say(now, HappeningKind::Deed, None, &error.to_string(), &naming.person.clone());
                tasks.push(self.name_rules(naming, None));
                tasks
            }
        }
    }

    pub(super) fn on_rules_named(&mut self, now: &Moment, naming: Naming, result: Result<RuleStanding, LedgerError>) -> Vec<Task> {
        let text = match &result {
            Ok(stands) if stands.waits() => format!("{} stands for the changed rules; another policy-owner accepts them", naming.person),
            Ok(_) => "the changed rules are accepted and count from now on".to_owned(),
            Err(error) => format!("the changed rules were not accepted: {error}"),
        };
        if let Ok(stands) = &result {
            self.world.rules.standing = stands.clone();
            self.world.compare_rules(now);
        }
        let person = naming.person.clone();
        self.world.rules.named = Some(Arc::new(Named { naming, result, at: now.wall }));
        self.store_due = Boot(0);
        self.say(now, HappeningKind::Deed, None, &text, &person)
    }
}
