//! The plans of one verb on many targets, in one list: what happens to each, which are left out and why; one Enter for all of them.

use std::cell::Cell;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::gate;
use crate::control::world::World;
use crate::model::intent::{Direction, Verb};
use crate::model::name::Target;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::verdict::Verdict;

use crate::ui::arming::Arming;
use crate::ui::facts;
use crate::ui::field::{self, Field};
use crate::ui::input::{Chord, Key};
use crate::ui::row::{Row, cells};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

use super::plan::page::Page;

/// The most targets of one list: each of its plans is judged at every look.
pub const MOST: usize = 500;

/// Which field has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Reason,
    Confirm,
}

/// Plans before their operator, to be carried out together.
#[derive(Debug)]
pub struct ManyDialog {
    verb: Verb,
    name: String,
    plans: Vec<Plan>,
    left: Vec<(Target, String)>,
    reason: Field,
    confirm: Option<Field>,
    focus: Focus,
    arming: Arming,
    sent: bool,
    scroll: usize,
    longest: Cell<usize>,
    wrong: Option<String>,
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
    pub fn new(verb: Verb, name: String, plans: Vec<Plan>, left: Vec<(Target, String)>, typed: bool) -> Self {
        let asks = typed && plans.iter().any(|plan| matches!(plan.direction, Direction::Forward | Direction::Release));
        Self {
            verb,
            name,
            plans,
            left,
            reason: Field::default(),
            confirm: asks.then(Field::default),
            focus: Focus::Reason,
            arming: Arming::default(),
            sent: false,
            scroll: 0,
            longest: Cell::new(0),
            wrong: None,
        }
    }

    /// From when on its keys count.
    pub fn arming(&self) -> &Arming {
        &self.arming
    }

    /// What it is about, to plan it anew: the verb, its name, and every target that was meant.
    pub fn asked(&self) -> (Verb, String, Vec<Target>) {
        let planned = self.plans.iter().map(|plan| plan.target().clone());
        (self.verb, self.name.clone(), planned.chain(self.left.iter().map(|(target, _)| target.clone())).collect())
    }

    /// Takes a key. `judge` tells the verdict of this moment on each plan.
    pub fn on(&mut self, chord: Chord, now: &Moment, judge: impl Fn(&Plan) -> Verdict) -> Reply {
        if chord.key == Key::Esc {
            return Reply::Left;
        }
        if !self.arming.armed() {
            self.arming.drop_key();
            return Reply::Open;
        }
        self.wrong = None;
        match chord.key {
            Key::Up => self.scroll = self.scroll.saturating_sub(1),
            Key::Down => self.scroll = (self.scroll + 1).min(self.longest.get()),
            Key::PageUp => self.scroll = self.scroll.saturating_sub(8),
            Key::PageDown => self.scroll = (self.scroll + 8).min(self.longest.get()),
            Key::Char(_) | Key::Enter if self.sent => {}
            Key::Tab | Key::BackTab if self.confirm.is_some() => self.turn(),
            Key::Enter => return self.enter(now, judge),
            Key::Char(_)
            | Key::Backspace
            | Key::Delete
            | Key::Left
            | Key::Right
            | Key::Home
            | Key::End
            | Key::Esc
            | Key::Tab
            | Key::BackTab
            | Key::F(_) => {
                self.field().on(chord);
            }
        }
        Reply::Open
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        if self.arming.armed() && !self.sent {
            self.field().paste(text);
        }
    }

    fn field(&mut self) -> &mut Field {
        match (&mut self.confirm, self.focus) {
            (Some(confirm), Focus::Confirm) => confirm,
            (_, Focus::Reason) | (None, Focus::Confirm) => &mut self.reason,
        }
    }

    fn turn(&mut self) {
        self.focus = match self.focus {
            Focus::Reason => Focus::Confirm,
            Focus::Confirm => Focus::Reason,
        };
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
            self.wrong = Some("nothing of it may be carried out: nothing was sent".to_owned());
            return Reply::Open;
        }
        // Nothing goes forward for one when it may not for another.
        if denied > 0 && self.goes_forward() {
            let others = words::counted(denied, "is", "are");
            self.wrong = Some(format!("{others} denied: none goes forward alone, nothing was sent"));
            return Reply::Open;
        }
        if let Some(confirm) = &self.confirm {
            if self.focus == Focus::Reason {
                self.turn();
                return Reply::Open;
            }
            if confirm.text().trim() != self.name {
                self.wrong = Some(format!("type {} in full", self.name));
                return Reply::Open;
            }
        }
        self.sent = true;
        self.scroll = 0;
        let reason = Text::clean_within(self.reason.text().trim(), field::LONGEST);
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

    fn goes_forward(&self) -> bool {
        self.plans.iter().any(|plan| matches!(plan.direction, Direction::Forward | Direction::Release))
    }

    /// Line 1 of the frame.
    pub fn title(&self) -> Vec<(Role, String)> {
        let count = words::counted(self.plans.len(), "target", "targets");
        vec![(Role::Strong, format!("PLAN  {} {}: {count}", self.verb.word().to_uppercase(), self.name))]
    }

    /// The row of keys.
    pub fn keys(&self, world: &World, now: &Moment, judge: impl Fn(&Plan) -> Verdict) -> Row {
        let mut row = Row::new();
        row.add(Role::Plain, " ");
        if self.sent {
            let over = self.plans.iter().all(|plan| world.deeds.get(&plan.id).is_some_and(|deed| !deed.state.is_under_way()));
            row.add(Role::Key, "Esc").add(Role::Plain, if over { " leaves" } else { " leaves; the deeds go on" });
            return row;
        }
        let may = self.plans.iter().filter(|plan| !matches!(judge(plan), Verdict::Deny(_))).count();
        let does = if self.has_ended(now) {
            Some("PLAN AGAIN".to_owned())
        } else if may == 0 || (may < self.plans.len() && self.goes_forward()) {
            None
        } else {
            Some(format!("RUN {} on {may} of {}", self.verb.word(), self.plans.len() + self.left.len()))
        };
        if let Some(does) = does {
            row.add(Role::Key, "Enter").add(Role::Strong, format!(" {does}   "));
        }
        row.add(Role::Key, "Esc").add(Role::Plain, " leave");
        if self.confirm.is_some() {
            row.add(Role::Plain, "   ").add(Role::Key, "Tab").add(Role::Plain, " next field");
        }
        row
    }

    /// Draws the body.
    pub fn draw(&self, scene: &Scene<'_>, judge: impl Fn(&Plan) -> Verdict, buffer: &mut Buffer, area: Rect) {
        let fields = if self.sent { 0 } else { 2 + u16::from(self.confirm.is_some()) };
        let height = usize::from(area.height.saturating_sub(fields));
        let rows = self.rows(scene, judge, usize::from(area.width));
        let hidden = rows.len().saturating_sub(height);
        let first = self.scroll.min(hidden);
        self.longest.set(hidden);
        for (y, row) in (0..area.height.saturating_sub(fields)).zip(rows.iter().skip(first)) {
            row.draw(buffer, area, y, scene.theme);
        }
        self.arming.draw(area.height > fields + 2);
        if self.sent {
            return;
        }
        let mut rule = Row::rule(scene.theme, if hidden > 0 { "Up and Down show the rest" } else { "" });
        let end = match (&self.wrong, self.arming.dropped(), hidden) {
            (Some(wrong), ..) => wrong.clone(),
            (None, Some(dropped), _) => dropped,
            (None, None, 1..) => format!("{} to {} of {}", first + 1, (first + height).min(rows.len()), rows.len()),
            (None, None, 0) => String::new(),
        };
        if !end.is_empty() {
            rule.end(Role::Watched, format!(" {end} "));
        }
        let y = area.height.saturating_sub(fields);
        rule.draw(buffer, area, y, scene.theme);
        let mut field = |y: u16, label: &str, field: &Field, focused: bool, end: &str| {
            field.draw_row(buffer, Rect { y: area.y + y, height: 1, ..area }, scene.theme, (label, end), focused);
        };
        field(y + 1, "reason ", &self.reason, self.focus == Focus::Reason, "may be left empty; it is of each of them");
        if let Some(confirm) = &self.confirm {
            field(y + 2, "confirm", confirm, self.focus == Focus::Confirm, &format!("type {}", self.name));
        }
    }

    fn rows(&self, scene: &Scene<'_>, judge: impl Fn(&Plan) -> Verdict, width: usize) -> Vec<Row> {
        let mut page = Page { scene, width, rows: Vec::new() };
        let verdicts: Vec<Verdict> = self.plans.iter().map(judge).collect();
        page.rows.push(Row::rule(scene.theme, "what"));
        page.say(Role::Quiet, "after", Role::Plain, self.after());
        page.say(Role::Quiet, "if fails", Role::Plain, self.if_not_all());
        if self.goes_forward() || matches!(self.verb, Verb::Hold) {
            let then =
                if self.verb == Verb::Hold { "an automatic way back goes on all the same" } else { "windows and freezes go on counting" };
            page.say(Role::Quiet, "by itself", Role::Plain, then);
        }
        let heading = if self.sent { self.so_far(scene) } else { counts(&verdicts, self.left.len()) };
        page.rows.push(Row::rule(scene.theme, &heading));
        let names = self.plans.iter().map(Plan::target).chain(self.left.iter().map(|(target, _)| target));
        let column = names.map(|target| cells(&target.to_string())).max().unwrap_or(0).min(width / 3) + 5;
        for (plan, verdict) in self.plans.iter().zip(&verdicts) {
            if self.sent { became(&mut page, plan, column) } else { planned(&mut page, plan, verdict, column) }
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
            Verb::Hold => {
                "each keeps its shares; nothing that goes through gonogo moves it forward until it is resumed; the way back stays open"
            }
            Verb::Resume => "each keeps its shares; what was held may go forward again, and rollouts go on by themselves",
            Verb::Abort => "each rollout ends and its new version gets no traffic; users go back before those that they use",
            Verb::Rollback => "all traffic of each goes back to its last proven version; users go back before those that they use",
            Verb::Shift
            | Verb::Promote
            | Verb::Rollout
            | Verb::Start
            | Verb::Retry
            | Verb::Cancel
            | Verb::Approve
            | Verb::Reject
            | Verb::Note
            | Verb::Flag
            | Verb::Drain
            | Verb::Ready
            | Verb::Silence
            | Verb::Unsilence => "each as its own plan says",
        }
    }

    fn if_not_all(&self) -> &'static str {
        if self.goes_forward() {
            "none is begun unless each may go"
        } else {
            "each has a deed of its own: one that fails or is denied stops none of the others"
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
