//! The keys of the plan: its last row, and what they could do about a denial.

use crate::control::roles;
use crate::model::verdict::Verdict;
use crate::ui::arming::KEYS;
use crate::ui::command::Command;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::screen::Screen;

use crate::ui::theme::Role;

use super::page::Page;
use super::progress::{Begun, begun};

/// The key that chooses another time. Fixed, as `[plan]` of the keymap says.
const SCHEDULE: &str = "Ctrl-T";
/// The key that takes a role for a while.
const TAKE_ROLE: &str = "Ctrl-G";

/// Every key of the plan, what it is called and what it does: for help. They are fixed.
pub const ALL: [(&str, &str, &str); 7] = [
    ("Enter", "run", "carries it out, schedules it, or asks those who must agree, as the last row says"),
    (SCHEDULE, "schedule", "chooses when a forward change is to be carried out: a time, or a train"),
    (TAKE_ROLE, "take role", "takes the role that a denied plan lacks for a while, where one is offered"),
    ("B", "break glass", "plans it as break glass, while nothing was typed yet"),
    ("Ctrl-Y", "copy", "copies the commands that do it by hand"),
    ("Tab", "next field", "to the reason, or to the text that confirms it"),
    ("Esc", "leave", "leaves the plan; what was carried out goes on"),
];

/// Rules of reasons that another time would lift.
const OF_TIME: [&str; 4] = ["window", "freeze", "conflict", "train"];

impl super::PlanDialog {
    /// The row of keys, in shorter words where the long ones do not fit.
    pub fn keys(&self, scene: &Scene<'_>, verdict: &Verdict, ended: bool, width: usize) -> Row {
        let confirms = !ended && self.asking.lacks_confirmation();
        let forms = [(true, if confirms { ", once its name is typed" } else { "" }), (true, ""), (false, "")];
        let mut rows = forms.into_iter().map(|(long, then)| self.keys_in(scene, verdict, ended, (long, then)));
        let fits = rows.by_ref().take(2).find(|row| row.width() <= width);
        fits.or_else(|| rows.next()).unwrap_or_default()
    }

    /// In long words or short ones; `then`: what must come before Enter does it.
    fn keys_in(&self, scene: &Scene<'_>, verdict: &Verdict, ended: bool, (long, then): (bool, &str)) -> Row {
        let mut row = Row::new();
        row.add(Role::Plain, " ");
        let mut keys: Vec<(&str, Role, String)> = Vec::new();
        let plain = |key, label: &str| (key, Role::Plain, label.to_owned());
        if self.sent() {
            let label = match scene.world.deeds.get(&self.plan.id).map(|deed| begun(deed.state)) {
                Some(Begun::Over) => "leaves".to_owned(),
                Some(Begun::Waits) => format!("leaves; it waits on screen {}", scene.keymap.shown(Command::Go(Screen::Changes))),
                Some(Begun::UnderWay) | None => "leaves; the deed goes on".to_owned(),
            };
            keys.push(("Esc", Role::Plain, label));
        } else {
            let enter = self.enter_does(verdict, ended, long);
            let key = if enter.is_empty() { KEYS } else { "Enter" };
            match self.arming().waits(scene) {
                Some(why) => keys.push((key, Role::Quiet, if long { why } else { "not yet" }.to_owned())),
                None if enter.is_empty() => {}
                None => keys.push((key, Role::Strong, enter + then)),
            }
            keys.push(plain("Esc", "leave"));
            if self.asking.confirms() {
                keys.push(plain("Tab", if long { "next field" } else { "next" }));
            }
            if roles::lifting(scene.world, &self.plan, verdict, scene.now).is_some() {
                keys.push(plain(TAKE_ROLE, "take the role"));
            }
            if self.against_schedule().is_none() {
                keys.push(plain(SCHEDULE, "schedule"));
            }
            if self.offers_glass(verdict) {
                keys.push(plain("B", "break glass"));
            }
        }
        if !self.plan.commands.is_empty() {
            keys.push(plain("Ctrl-Y", if long { "copy commands" } else { "copy" }));
        }
        for (place, (key, role, label)) in keys.into_iter().enumerate() {
            row.add(Role::Plain, if place == 0 { "" } else { "   " }).add(Role::Key, key).add(role, format!(" {label}"));
        }
        row
    }

    fn enter_does(&self, verdict: &Verdict, ended: bool, long: bool) -> String {
        let goal = format!("{} {}", self.plan.intent.verb.word(), self.plan.target());
        match (ended, verdict) {
            (true, _) => "PLAN AGAIN".to_owned(),
            (false, Verdict::Permit(_)) => format!("RUN {goal}"),
            (false, Verdict::SecondPerson { .. } | Verdict::Early(_)) if self.stored => String::new(),
            (false, Verdict::Early(_)) => format!("SCHEDULE {goal}"),
            (false, Verdict::SecondPerson { .. }) if long => format!("ASK another person to agree to {goal}"),
            (false, Verdict::SecondPerson { .. }) => "ASK another person".to_owned(),
            (false, Verdict::Deny(_)) => String::new(),
        }
    }

    /// What keys of this dialog could do about a denial.
    pub(super) fn ways_out(&self, page: &mut Page<'_, '_>, verdict: &Verdict) {
        let Verdict::Deny(reasons) = verdict else { return };
        if let Some(offer) = roles::lifting(page.scene.world, &self.plan, verdict, page.scene.now) {
            let then = if offer.approvals == 0 { "it counts at once" } else { "others must then agree to it" };
            page.text(3, Role::Strong, &format!("{TAKE_ROLE} takes the role {} for a while, with a reason: {then}", offer.role));
        }
        if self.against_schedule().is_none() && reasons.iter().any(|reason| OF_TIME.contains(&reason.rule.as_str())) {
            page.text(3, Role::Strong, &format!("{SCHEDULE} plans it for a time that is free, or with a train"));
        }
    }
}
