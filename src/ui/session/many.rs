//! One verb on many targets: from what was typed or marked to the list of its plans, and what becomes of a key there.

use std::collections::BTreeSet;

use crate::control::many::{self, ManyVerb};
use crate::control::world::World;
use crate::model::intent::{Arguments, Intent};
use crate::model::name::Target;
use crate::model::text::Text;
use crate::model::time::Moment;

use super::super::command::Command;
use super::super::input::Chord;
use super::super::offer;
use super::super::screen::Screen;
use super::super::screens::many::{MOST, ManyDialog, Reply, asks_for_text};
use super::super::words;
use super::{Act, Over, Said, Session};

impl Session {
    /// The targets that are marked for one deed, where they are seen; none when none is.
    pub(super) fn marks(&self) -> Option<&BTreeSet<Target>> {
        (!self.chosen.is_empty() && matches!(self.screen, Screen::Board | Screen::Map)).then_some(&self.chosen)
    }

    /// What can be done to the marked targets in one go.
    pub(super) fn of_marked(world: &World, marked: &BTreeSet<Target>) -> Vec<(Command, &'static str)> {
        if offer::against_all_deeds(world).is_some() {
            return Vec::new();
        }
        // Of roll back and abort one does for both; help has the other.
        let offered = [ManyVerb::Hold, ManyVerb::Rollback, ManyVerb::Resume].into_iter();
        let offered = offered.filter(|verb| many::means_any(world, *verb, marked.iter()));
        offered.filter_map(|verb| Command::Deed(verb.verb()).entry()).map(|entry| (entry.command, entry.label)).collect()
    }

    /// Marks the target under the cursor for one deed on several, or unmarks it.
    pub(super) fn toggle_mark(&mut self) {
        if let Some(target) = self.target()
            && !self.chosen.remove(&target)
        {
            self.chosen.insert(target);
        }
    }

    /// Opens the plans of a verb on all that is marked, or says why not; whether something is marked and that command is a verb.
    pub(super) fn begin_marked(&mut self, command: Command, world: &World, now: &Moment) -> bool {
        let (Some(verb), Some(targets)) = (command.verb(), self.marks()) else { return false };
        let name = format!("{} marked", targets.len());
        match ManyVerb::of(verb) {
            Ok(many) => self.begin_many(many, name, targets.iter().cloned().collect(), world, now),
            Err(why) => self.said = Some(Said::Refusal(format!("no {} {name}: it takes one target; {why}", verb.word()))),
        }
        true
    }

    /// Opens the plans of a verb on many targets; `name` is what they were called by.
    pub(super) fn begin_many(&mut self, verb: ManyVerb, name: String, targets: Vec<Target>, world: &World, now: &Moment) {
        match self.planned_many(verb, name, targets, world, now) {
            Ok(dialog) => self.over = Over::Many(dialog),
            Err(why) => {
                self.over = Over::Nothing;
                self.said = Some(Said::Refusal(why));
            }
        }
    }

    fn planned_many(
        &mut self,
        many: ManyVerb,
        name: String,
        targets: Vec<Target>,
        world: &World,
        now: &Moment,
    ) -> Result<Box<ManyDialog>, String> {
        let verb = many.verb();
        if let Some(why) = offer::against_all_deeds(world) {
            return Err(format!("no {} {name}: {why}", verb.word()));
        }
        if targets.len() > MOST {
            return Err(format!(
                "{name} is {} targets, and at most {MOST} are planned here: narrow it, or `gonogo {} '{name}'`",
                words::count(u64::try_from(targets.len()).unwrap_or(u64::MAX)),
                verb.word()
            ));
        }
        let meant = many::meant(world, many, targets, now);
        if meant.targets.is_empty() {
            let first = meant.left.first().map(|(target, why)| format!(": {target} is {why}")).unwrap_or_default();
            return Err(format!("nothing to {} in {name}{first}", verb.word()));
        }
        let mut plans = Vec::with_capacity(meant.targets.len());
        for target in meant.targets {
            let intent = Intent { verb, target, args: Arguments::default(), requester: world.actor.clone(), reason: Text::empty() };
            let nonce = (self.nonce)();
            plans.push((self.plan)(world, intent, now, &nonce).map_err(|error| format!("no plan: {error}"))?);
        }
        let typed = asks_for_text(world, &plans);
        Ok(Box::new(ManyDialog::new(many, name, plans, meant.left, typed)))
    }

    pub(super) fn many_key(&mut self, mut dialog: Box<ManyDialog>, chord: Chord, world: &World, now: &Moment) -> Vec<Act> {
        let judge = self.judge;
        let reply = dialog.on(chord, now, |plan| judge(world, plan, now));
        let asked = dialog.asked();
        self.over = Over::Many(dialog);
        match reply {
            Reply::Open => Vec::new(),
            Reply::Left => {
                self.over = Over::Nothing;
                Vec::new()
            }
            Reply::Anew => {
                let (verb, name, targets) = asked;
                self.begin_many(verb, name, targets, world, now);
                Vec::new()
            }
            Reply::Run(run, refused) => {
                self.chosen.clear();
                let run = run.into_iter().map(|plan| Act::Execute(Box::new(plan)));
                run.chain(refused.into_iter().map(|(plan, reasons)| Act::Refuse(Box::new(plan), reasons))).collect()
            }
        }
    }
}
