//! The plans of one verb on many targets, in one list: what happens to each, which are left out and why; one Enter for all of them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::gate;
use crate::control::many::ManyVerb;
use crate::control::world::World;
use crate::model::name::Target;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;

use crate::ui::arming::Arming;
use crate::ui::asking::{Asking, Hints, Stroke};
use crate::ui::facts;
use crate::ui::input::Chord;
use crate::ui::row::{Row, cells};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

use super::plan::page::Page;

/// The most targets of one list: each of its plans is judged at every look.
pub const MOST: usize = 500;

/// Plans before their operator, to be carried out together.
#[derive(Debug)]
pub struct ManyDialog {
    verb: ManyVerb,
    name: String,
    plans: Vec<Plan>,
    left: Vec<(Target, String)>,
    asking: Asking,
}

/// What a key did to it.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// It goes on.
    Open,
    /// It was left.
    Left,
    /// Carry these out; of the others it is recorded that they were tried.
    Run(Vec<Plan>, Vec<(Plan, Vec<Reason>)>),
    /// The plans have ended: make them anew.
    Anew,
}

impl ManyDialog {
    /// Shows the plans of a verb on what is called `name`. `typed` asks for that name in full, where it goes forward.
    pub fn new(verb: ManyVerb, name: String, plans: Vec<Plan>, left: Vec<(Target, String)>, typed: bool) -> Self {
        Self { verb, name, plans, left, asking: Asking::new("", typed && verb.goes_forward()) }
    }

    /// From when on its keys count.
    pub fn arming(&self) -> &Arming {
        self.asking.arming()
    }

    /// What it is about, to plan it anew: the verb, its name, and every target that was meant.
    pub fn asked(&self) -> (ManyVerb, String, Vec<Target>) {
        let planned = self.plans.iter().map(|plan| plan.target().clone());
        (self.verb, self.name.clone(), planned.chain(self.left.iter().map(|(target, _)| target.clone())).collect())
    }

    /// Takes a key. `judge` tells the verdict of this moment on each plan.
    pub fn on(&mut self, chord: Chord, now: &Moment, judge: impl Fn(&Plan) -> Verdict) -> Reply {
        match self.asking.on(chord) {
            Stroke::Left => Reply::Left,
            Stroke::Dropped | Stroke::Taken => Reply::Open,
            Stroke::Enter => self.enter(now, judge),
        }
    }

    /// Scrolls by rows, and does no more.
    pub fn scroll(&mut self, by: isize) {
        self.asking.scroll(by);
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        self.asking.paste(text);
    }

    fn has_ended(&self, now: &Moment) -> bool {
        self.plans.iter().any(|plan| plan.expires <= now.wall)
    }

    fn enter(&mut self, now: &Moment, judge: impl Fn(&Plan) -> Verdict) -> Reply {
        if self.has_ended(now) {
            return Reply::Anew;
        }
        let verdicts: Vec<Verdict> = self.plans.iter().map(judge).collect();
        let denied = verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Deny(_))).count();
        if self.plans.len() == denied {
            self.asking.refuse("nothing of it may be carried out: nothing was sent".to_owned());
            return Reply::Open;
        }
        // Nothing goes forward for one when it may not for another.
        if denied > 0 && self.verb.goes_forward() {
            let others = words::counted(denied, "is", "are");
            self.asking.refuse(format!("{others} denied: none goes forward alone, nothing was sent"));
            return Reply::Open;
        }
        if !self.asking.confirmed(&self.name) {
            return Reply::Open;
        }
        self.asking.close();
        let reason = self.asking.reason();
        let (mut run, mut refused) = (Vec::new(), Vec::new());
        for (plan, verdict) in self.plans.iter_mut().zip(verdicts) {
            plan.intent.reason = reason.clone();
            match verdict {
                Verdict::Permit(_) | Verdict::SecondPerson { .. } | Verdict::Early(_) => run.push(plan.clone()),
                Verdict::Deny(reasons) => refused.push((plan.clone(), reasons)),
            }
        }
        Reply::Run(run, refused)
    }

    /// Line 1 of the frame.
    pub fn title(&self) -> Vec<(Role, String)> {
        let count = words::counted(self.plans.len(), "target", "targets");
        vec![(Role::Strong, format!("PLAN  {} {}: {count}", self.verb.verb().word().to_uppercase(), self.name))]
    }

    /// The row of keys.
    pub fn keys(&self, scene: &Scene<'_>, judge: impl Fn(&Plan) -> Verdict) -> Row {
        let mut row = Row::new();
        row.add(Role::Plain, " ");
        if self.asking.is_closed() {
            let over = self.plans.iter().all(|plan| scene.world.deeds.get(&plan.id).is_some_and(|deed| !deed.state.is_under_way()));
            row.add(Role::Key, "Esc").add(Role::Plain, if over { " leaves" } else { " leaves; the deeds go on" });
            return row;
        }
        let may = self.plans.iter().filter(|plan| !matches!(judge(plan), Verdict::Deny(_))).count();
        let does = if self.has_ended(scene.now) {
            Some("PLAN AGAIN".to_owned())
        } else if may == 0 || (may < self.plans.len() && self.verb.goes_forward()) {
            None
        } else {
            Some(format!("RUN {} on {may} of {}", self.verb.verb().word(), self.plans.len() + self.left.len()))
        };
        self.asking.keys(scene, &mut row, does.as_deref());
        row
    }

    /// Draws the body.
    pub fn draw(&self, scene: &Scene<'_>, judge: impl Fn(&Plan) -> Verdict, buffer: &mut Buffer, area: Rect) {
        let rows = self.rows(scene, judge, usize::from(area.width));
        let hints = Hints { reason: "may be left empty; it is of each of them", confirm: &self.name };
        self.asking.draw(scene, &rows, hints, None, buffer, area);
    }

    fn rows(&self, scene: &Scene<'_>, judge: impl Fn(&Plan) -> Verdict, width: usize) -> Vec<Row> {
        let mut page = Page { scene, width, rows: Vec::new() };
        let verdicts: Vec<Verdict> = self.plans.iter().map(judge).collect();
        page.rows.push(Row::rule(scene.theme, "what"));
        page.say(Role::Quiet, "after", Role::Plain, self.after());
        page.say(Role::Quiet, "if fails", Role::Plain, self.if_not_all());
        if let Some(then) = self.by_itself() {
            page.say(Role::Quiet, "by itself", Role::Plain, then);
        }
        let heading = if self.asking.is_closed() { self.so_far(scene) } else { counts(&verdicts, self.left.len()) };
        page.rows.push(Row::rule(scene.theme, &heading));
        let names = self.plans.iter().map(Plan::target).chain(self.left.iter().map(|(target, _)| target));
        let column = names.map(|target| cells(&target.to_string())).max().unwrap_or(0).min(width / 3) + 5;
        for (plan, verdict) in self.plans.iter().zip(&verdicts) {
            if self.asking.is_closed() { became(&mut page, plan, column) } else { planned(&mut page, plan, verdict, column) }
        }
        for (target, why) in &self.left {
            let mut row = Row::of(Role::Quiet, format!("   {target}"));
            row.at(column).add(Role::Quiet, format!("left out: {why}"));
            page.rows.push(row);
        }
        page.rows
    }

    /// What is so afterwards, of each of them.
    fn after(&self) -> &'static str {
        match self.verb {
            ManyVerb::Hold => {
                "each keeps its shares; nothing that goes through gonogo moves it forward until it is resumed; the way back stays open"
            }
            ManyVerb::Resume => "each keeps its shares; what was held may go forward again, and rollouts go on by themselves",
            ManyVerb::Abort => "each rollout ends and its new version gets no traffic; users go back before those that they use",
            ManyVerb::Rollback => "all traffic of each goes back to its last proven version; users go back before those that they use",
        }
    }

    fn if_not_all(&self) -> &'static str {
        if self.verb.goes_forward() {
            "none is begun unless each may go"
        } else {
            "each has a deed of its own: one that fails or is denied stops none of the others"
        }
    }

    /// What happens all the same without a person.
    fn by_itself(&self) -> Option<&'static str> {
        match self.verb {
            ManyVerb::Hold => Some("an automatic way back goes on all the same"),
            ManyVerb::Resume => Some("windows and freezes go on counting"),
            ManyVerb::Abort | ManyVerb::Rollback => None,
        }
    }

    /// How far they have come, in words.
    fn so_far(&self, scene: &Scene<'_>) -> String {
        let mut counts: Vec<(&'static str, usize)> = Vec::new();
        for plan in &self.plans {
            let word = scene.world.deeds.get(&plan.id).map_or("asked", |deed| deed.state.word());
            match counts.iter_mut().find(|(known, _)| *known == word) {
                Some((_, count)) => *count += 1,
                None => counts.push((word, 1)),
            }
        }
        counts.iter().map(|(word, count)| format!("{count} {}", word.to_uppercase())).collect::<Vec<_>>().join(", ")
    }
}

/// How many may, in words.
fn counts(verdicts: &[Verdict], left: usize) -> String {
    let count = |which: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| which(verdict)).count();
    let parts = [
        (count(|verdict| matches!(verdict, Verdict::Permit(_))), "you may"),
        (count(|verdict| matches!(verdict, Verdict::SecondPerson { .. })), "for another person to agree to"),
        (count(|verdict| matches!(verdict, Verdict::Early(_))), "not yet"),
        (count(|verdict| matches!(verdict, Verdict::Deny(_))), "denied"),
        (left, "left out"),
    ];
    parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}

fn planned(page: &mut Page<'_, '_>, plan: &Plan, verdict: &Verdict, column: usize) {
    let scene = page.scene;
    let (mark, role) = match verdict {
        Verdict::Permit(_) => (Mark::None, Role::Plain),
        Verdict::SecondPerson { .. } | Verdict::Early(_) => (Mark::Waits, Role::Waits),
        Verdict::Deny(_) => (Mark::Failed, Role::Watched),
    };
    let mut row = Row::of(role, format!(" {} ", scene.glyph(mark))).put(Role::Strong, plan.target().to_string());
    row.at(column);
    let now = plan.now.as_str().split(';').next().unwrap_or_default().trim().to_owned();
    match verdict.reasons().first() {
        Some(reason) => row.add(role, format!("{}: {}", verdict.word(), reason.text)),
        None => row.add(Role::Plain, format!("now {now}")),
    };
    page.rows.push(row);
}

fn became(page: &mut Page<'_, '_>, plan: &Plan, column: usize) {
    let scene = page.scene;
    let mut row = Row::of(Role::Strong, format!("   {}", plan.target()));
    row.at(column);
    match scene.world.deeds.get(&plan.id) {
        Some(deed) => {
            for (role, text) in facts::of_deed_short(scene, deed) {
                row.add(role, text);
            }
        }
        None => {
            row.add(Role::Moving, "asked; the record is being written");
        }
    }
    page.rows.push(row);
}

/// Whether any of these targets asks for typed text.
pub fn asks_for_text(world: &World, plans: &[Plan]) -> bool {
    plans.iter().any(|plan| gate::asks_for_text(world, plan.target()))
}
