//! What lies over a screen and what becomes of it: plans, prompts, rulings, the time of a change, roles for a while.

use crate::control::gate;
use crate::control::planner::Wished;
use crate::control::roles as control;
use crate::control::rules;
use crate::control::world::World;
use crate::model::catalog::Deploy;
use crate::model::intent::{Arguments, Intent, Verb};
use crate::model::name::Target;
use crate::model::pipeline::RunId;
use crate::model::text::Text;
use crate::model::time::Moment;

use super::super::input::{Chord, Key};
use super::super::prompt::{Answer, Prompt, Wanted};
use super::super::screens::plan::{PlanDialog, Reply};
use super::super::screens::roles::{self, RolesDialog};
use super::super::screens::ruling;
use super::super::screens::schedule::{self, ScheduleDialog};
use super::{Act, Over, Said, Session};

impl Session {
    pub(super) fn on_paste(&mut self, text: &str, world: &World, now: &Moment) -> Vec<Act> {
        match &mut self.over {
            Over::Plan(dialog) => dialog.paste(text),
            Over::Ruling(dialog) => dialog.paste(text),
            Over::Schedule(sheet, _) => sheet.paste(text),
            Over::Roles(sheet, _) => sheet.paste(text),
            Over::Prompt(prompt) => {
                let answer = prompt.paste(text);
                return self.answered(answer, world, now);
            }
            Over::Palette(palette) => palette.paste(text),
            Over::Nothing | Over::Help | Over::Detail => {
                self.said = Some(Said::Refusal("pasted text is no key; nothing was done".to_owned()));
            }
        }
        Vec::new()
    }

    /// Gives a key to what takes keys over the screen; none when nothing does.
    pub(super) fn over_key(&mut self, chord: Chord, world: &World, now: &Moment) -> Option<Vec<Act>> {
        self.key_came();
        match std::mem::replace(&mut self.over, Over::Nothing) {
            Over::Plan(dialog) => Some(self.plan_key(dialog, chord, world, now)),
            Over::Schedule(sheet, dialog) => {
                self.schedule_key(sheet, dialog, chord, world, now);
                Some(Vec::new())
            }
            Over::Roles(sheet, dialog) => Some(self.roles_key(sheet, dialog, chord, world, now)),
            Over::Ruling(mut dialog) => {
                let reply = dialog.on(chord, world, now);
                let left = reply == ruling::Reply::Left;
                self.over = if left { Over::Nothing } else { Over::Ruling(dialog) };
                Some(if let ruling::Reply::Rule(ruling) = reply { vec![Act::Rule(ruling)] } else { Vec::new() })
            }
            Over::Palette(palette) => Some(self.palette_key(palette, chord, world, now)),
            Over::Prompt(mut prompt) => {
                let answer = prompt.on(chord);
                self.over = Over::Prompt(prompt);
                Some(self.answered(answer, world, now))
            }
            other @ (Over::Nothing | Over::Help | Over::Detail) => {
                self.over = other;
                None
            }
        }
    }

    fn plan_key(&mut self, mut dialog: Box<PlanDialog>, chord: Chord, world: &World, now: &Moment) -> Vec<Act> {
        let ended = dialog.plan().expires <= now.wall;
        let verdict = (self.judge)(world, dialog.plan(), now);
        if chord.key == Key::Char('B') && dialog.offers_glass(&verdict) {
            self.over = Over::Prompt(Box::new(Prompt::new(Wanted::Glass(Box::new(dialog.plan().intent.clone())))));
            return Vec::new();
        }
        if dialog.armed() && !dialog.sent() && chord == Chord::ctrl('t') {
            self.over = match dialog.against_schedule() {
                None => Over::Schedule(Box::default(), dialog),
                Some(why) => {
                    dialog.tell(why);
                    Over::Plan(dialog)
                }
            };
            return Vec::new();
        }
        if dialog.armed() && !dialog.sent() && chord == Chord::ctrl('g') {
            self.over = if let Some(offer) = control::lifting(world, dialog.plan(), &verdict, now) {
                Over::Roles(Box::new(RolesDialog::taking(offer)), Some(dialog))
            } else {
                dialog.tell("no role that you may take would change this".to_owned());
                Over::Plan(dialog)
            };
            return Vec::new();
        }
        let reply = dialog.on(chord, &verdict, ended);
        self.over = Over::Plan(dialog);
        self.replied(reply, world, now)
    }

    fn schedule_key(&mut self, mut sheet: Box<ScheduleDialog>, dialog: Box<PlanDialog>, chord: Chord, world: &World, now: &Moment) {
        match sheet.on(chord, world, dialog.plan(), now) {
            schedule::Reply::Open => self.over = Over::Schedule(sheet, dialog),
            schedule::Reply::Left => self.over = Over::Plan(dialog.again()),
            schedule::Reply::Wish(wished) => match self.planned_for(&wished, &dialog, world, now) {
                Ok(planned) => self.over = Over::Plan(planned),
                Err(why) => {
                    sheet.refuse(why);
                    self.over = Over::Schedule(sheet, dialog);
                }
            },
        }
    }

    /// The same change planned anew for another time, with the reason that was typed already.
    fn planned_for(&mut self, wished: &Wished, dialog: &PlanDialog, world: &World, now: &Moment) -> Result<Box<PlanDialog>, String> {
        let typed = dialog.typed();
        let intent = Intent { args: wished.of(&typed.args), ..typed };
        let (nonce, asks) = ((self.nonce)(), gate::asks_for_text(world, &intent.target));
        let plan = (self.plan)(world, intent, now, &nonce).map_err(|why| why.to_string())?;
        Ok(Box::new(PlanDialog::new(plan, asks)))
    }

    fn roles_key(
        &mut self,
        mut sheet: Box<RolesDialog>,
        dialog: Option<Box<PlanDialog>>,
        chord: Chord,
        world: &World,
        now: &Moment,
    ) -> Vec<Act> {
        let reply = sheet.on(chord, self.keymap.on(self.screen), (world, now), &mut self.nonce);
        self.over = match (&reply, dialog) {
            (roles::Reply::Left, Some(dialog)) => Over::Plan(dialog.again()),
            (roles::Reply::Left, None) => Over::Nothing,
            (roles::Reply::Open | roles::Reply::Say(_), dialog) => Over::Roles(sheet, dialog),
        };
        if let roles::Reply::Say(saying) = reply { vec![Act::Speak(saying)] } else { Vec::new() }
    }

    pub(super) fn replied(&mut self, reply: Reply, world: &World, now: &Moment) -> Vec<Act> {
        match reply {
            Reply::Open => Vec::new(),
            Reply::Left => {
                self.over = Over::Nothing;
                Vec::new()
            }
            Reply::Run(plan) => vec![Act::Execute(plan)],
            Reply::Refused(plan, reasons) => vec![Act::Refuse(plan, reasons)],
            Reply::Copy(text) => vec![Act::Copy(text)],
            Reply::Anew => {
                if let Over::Plan(dialog) = &self.over {
                    let intent = dialog.plan().intent.clone();
                    self.open_plan(intent, world, now);
                }
                Vec::new()
            }
        }
    }

    pub(super) fn answered(&mut self, answer: Answer, world: &World, now: &Moment) -> Vec<Act> {
        let blank = |verb, target, args| Intent { verb, target, args, requester: world.actor.clone(), reason: Text::empty() };
        match answer {
            Answer::Open => {}
            Answer::Left => self.over = Over::Nothing,
            Answer::Share(target, percent) => {
                let args = Arguments { percent: Some(percent), ..Arguments::default() };
                self.open_plan(blank(Verb::Shift, target, args), world, now);
            }
            Answer::Flag(target, wish) => {
                let args = Arguments { flag: Some(Box::new(wish)), ..Arguments::default() };
                self.open_plan(blank(Verb::Flag, target, args), world, now);
            }
            Answer::Server(target, verb, server) => {
                let args = Arguments { server: Some(Box::new(server)), ..Arguments::default() };
                self.open_plan(blank(verb, target, args), world, now);
            }
            Answer::Note(target, text) => {
                let args = Arguments { text: Some(text), ..Arguments::default() };
                self.open_plan(blank(Verb::Note, target, args), world, now);
            }
            Answer::Version(target, version) => {
                let args = Arguments { version: Some(version), ..Arguments::default() };
                self.open_plan(blank(Verb::Rollout, target, args), world, now);
            }
            Answer::Glass(intent) => self.open_plan(*intent, world, now),
            Answer::Policy(words) => {
                self.over = Over::Nothing;
                return vec![Act::NameRules(Box::new(rules::naming(world, words)))];
            }
            Answer::Finding(typed) => self.find(&typed),
            Answer::Found(typed) => {
                self.find(&typed);
                self.over = Over::Nothing;
            }
        }
        Vec::new()
    }

    pub(super) fn open_plan(&mut self, intent: Intent, world: &World, now: &Moment) {
        let nonce = (self.nonce)();
        let typed = gate::asks_for_text(world, &intent.target);
        match (self.plan)(world, intent, now, &nonce) {
            Ok(plan) => self.over = Over::Plan(Box::new(PlanDialog::new(plan, typed))),
            Err(error) => {
                self.over = Over::Nothing;
                self.said = Some(Said::Refusal(format!("no plan: {error}")));
            }
        }
    }

    pub(super) fn begin(&mut self, verb: Verb, target: Target, world: &World, now: &Moment) {
        match verb {
            Verb::Shift => self.over = Over::Prompt(Box::new(Prompt::new(Wanted::Share(target)))),
            Verb::Note => self.over = Over::Prompt(Box::new(Prompt::new(Wanted::Note(target)))),
            Verb::Rollout if world.catalog.deploy(&target).is_some_and(Deploy::takes_version) => {
                self.over = Over::Prompt(Box::new(Prompt::new(Wanted::Version(target))));
            }
            Verb::Drain | Verb::Ready => self.over = Over::Prompt(Box::new(Prompt::new(Wanted::Server(target, verb)))),
            Verb::Flag => self.over = Over::Prompt(Box::new(Prompt::new(Wanted::Flag(target)))),
            Verb::Hold
            | Verb::Resume
            | Verb::Promote
            | Verb::Rollout
            | Verb::Abort
            | Verb::Rollback
            | Verb::Start
            | Verb::Retry
            | Verb::Cancel
            | Verb::Approve
            | Verb::Reject => {
                let run = self.pipeline.run(world, &target).filter(|_| verb.is_of_a_run()).map(|run| run.id.clone());
                self.begin_on(verb, target, run, world, now);
            }
        }
    }

    pub(super) fn begin_on(&mut self, verb: Verb, target: Target, run: Option<RunId>, world: &World, now: &Moment) {
        self.begin_with(verb, target, Arguments { run, ..Arguments::default() }, world, now);
    }

    pub(super) fn begin_with(&mut self, verb: Verb, target: Target, args: Arguments, world: &World, now: &Moment) {
        let intent = Intent { verb, target, args, requester: world.actor.clone(), reason: Text::empty() };
        self.open_plan(intent, world, now);
    }
}
