//! What an operator says about a plan that waits: the plan in full, a reason, and what became of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::gate as rules;
use crate::control::world::{Ruled, World};
use crate::model::approval::{Decision, Ruling, Waiting};
use crate::model::intent::Direction;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::time::Moment;

use crate::ui::arming::Arming;
use crate::ui::asking::{Asking, Hints, Stroke};
use crate::ui::input::Chord;
use crate::ui::plans::{self, asked};
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::screens::plan::page::Page;
use crate::ui::screens::plan::{gate, sections};
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

/// A ruling before its operator.
#[derive(Debug)]
pub struct RulingDialog {
    decision: Decision,
    waiting: Box<Waiting>,
    asking: Asking,
    said: Option<(Ruling, Moment)>,
}

/// What a key did to the dialog.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// It goes on.
    Open,
    /// It was left.
    Left,
    /// Record this; what policy refuses is recorded as refused.
    Rule(Box<Ruling>),
}

impl RulingDialog {
    /// Shows what would be said about a plan. `typed` asks for the target in full where a forward deed is agreed to.
    pub fn new(waiting: Waiting, decision: Decision, typed: bool) -> Self {
        let asks = typed && decision == Decision::Approve && waiting.plan.direction == Direction::Forward;
        Self { decision, waiting: Box::new(waiting), asking: Asking::new("", asks), said: None }
    }

    /// The plan that it is about.
    pub fn plan(&self) -> &Plan {
        &self.waiting.plan
    }

    /// From when on its keys count.
    pub fn arming(&self) -> &Arming {
        self.asking.arming()
    }

    /// Takes a key.
    pub fn on(&mut self, chord: Chord, world: &World, now: &Moment) -> Reply {
        match self.asking.on(chord) {
            Stroke::Left => Reply::Left,
            Stroke::Dropped | Stroke::Taken => Reply::Open,
            Stroke::Enter => self.enter(world, now),
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

    fn enter(&mut self, world: &World, now: &Moment) -> Reply {
        // What is refused anyway is tried as it stands: the attempt is recorded.
        if self.refusals(world, now).is_empty() {
            if self.decision == Decision::Reject && self.asking.reason().is_empty() {
                self.asking.refuse("say why: its requester reads it".to_owned());
                return Reply::Open;
            }
            if !self.asking.confirmed(&self.waiting.plan.target().to_string()) {
                return Reply::Open;
            }
        }
        match rules::ruling(world, &self.waiting.plan, self.decision, self.asking.reason(), now) {
            Ok(ruling) => {
                self.said = Some((ruling.clone(), *now));
                self.asking.close();
                Reply::Rule(Box::new(ruling))
            }
            Err(error) => {
                self.asking.refuse(format!("failed to write it in canonical form: {error}"));
                Reply::Open
            }
        }
    }

    /// Why it may not be said, as the world stands now; empty when it may.
    pub fn refusals(&self, world: &World, now: &Moment) -> Vec<Reason> {
        let stands = world.waiting_at(now).find(|one| one.plan.id == self.waiting.plan.id);
        plans::against(world, stands.unwrap_or(&self.waiting), self.decision, now)
    }

    /// What became of it; none while it is not known.
    fn became<'a>(&self, world: &'a World) -> Option<&'a Ruled> {
        let (ruling, since) = self.said.as_ref()?;
        world.ruled.iter().rev().find(|one| &one.ruling == ruling && one.at >= since.wall)
    }

    /// Line 1 of the frame.
    pub fn title(&self) -> Vec<(Role, String)> {
        let plan = &self.waiting.plan;
        vec![(Role::Strong, format!("{} plan {}  {} {}", self.decision.word().to_uppercase(), plan.id.short(), asked(plan), plan.target()))]
    }

    /// The row of keys.
    pub fn keys(&self, scene: &Scene<'_>, refused: bool) -> Row {
        let mut row = Row::new();
        row.add(Role::Plain, " ");
        if self.said.is_some() {
            row.add(Role::Key, "Esc").add(Role::Plain, " leaves");
            return row;
        }
        let plan = &self.waiting.plan;
        let does = format!("{} {} {} of {}", self.decision.word().to_uppercase(), asked(plan), plan.target(), plan.intent.requester);
        self.asking.keys(scene, &mut row, (!refused).then_some(does.as_str()));
        row
    }

    /// Draws the body. `refusals` are the reasons against it at this moment.
    pub fn draw(&self, scene: &Scene<'_>, refusals: &[Reason], buffer: &mut Buffer, area: Rect) {
        let rows = self.rows(scene, refusals, usize::from(area.width));
        let reason = if self.decision == Decision::Reject { "its requester reads it" } else { "may be left empty" };
        let target = self.waiting.plan.target().to_string();
        self.asking.draw(scene, &rows, Hints { reason, confirm: &target }, None, buffer, area);
    }

    fn rows(&self, scene: &Scene<'_>, refusals: &[Reason], width: usize) -> Vec<Row> {
        let mut page = Page { scene, width, rows: Vec::new() };
        let plan = &self.waiting.plan;
        let stands = scene.world.waiting_at(scene.now).find(|one| one.plan.id == plan.id);
        if self.said.is_some() {
            self.outcome(&mut page, stands);
        } else if !refusals.is_empty() {
            page.rows.push(Row::rule(scene.theme, "may I"));
            let count = words::counted(refusals.len(), "reason", "reasons");
            page.mark(Mark::Failed, Role::Abnormal, &format!("DENIED, for {count}; Enter is recorded as an attempt"));
            for reason in refusals {
                page.reason(reason);
            }
        }
        if self.said.is_none() && stands.is_none() {
            page.mark(Mark::Unknown, Role::Watched, "this plan waits no more: it was carried out, taken back, rejected, or has ended");
        }
        let queued = plans::queued(scene.world, stands.unwrap_or(&self.waiting), scene.now);
        sections::what(&mut page, plan, false);
        page.say(Role::Quiet, "asked by", Role::Plain, &format!("{}, {} ago", plan.intent.requester, scene.ago(&plan.made)));
        if !plan.intent.reason.is_empty() {
            page.say(Role::Quiet, "reason", Role::Plain, plan.intent.reason.as_str());
        }
        sections::how(&mut page, plan);
        gate::change_type(&mut page, plan);
        gate::checks(&mut page, plan, &queued.fresh.checks);
        gate::approvals(&mut page, &queued);
        sections::cost(&mut page, plan);
        sections::evidence(&mut page, plan);
        page.rows
    }

    /// What became of what was said, and what comes next.
    fn outcome(&self, page: &mut Page<'_, '_>, stands: Option<&Waiting>) {
        let scene = page.scene;
        let plan = &self.waiting.plan;
        let what = match self.decision {
            Decision::Approve => "approval",
            Decision::Reject => "rejection",
            Decision::Withdraw => "withdrawal",
        };
        let Some(became) = self.became(scene.world) else {
            page.rows.push(Row::rule(scene.theme, "UNDER WAY"));
            page.mark(Mark::Moving, Role::Moving, "asked; the record is being written");
            return;
        };
        match (&became.result, rules::refused(became)) {
            (Ok(at), _) => {
                page.rows.push(Row::rule(scene.theme, "RECORDED"));
                page.mark(Mark::Proven, Role::Strong, &format!("{what} by {}, {}", became.ruling.person, scene.zone.time(at)));
                let next = match (stands, self.decision) {
                    (Some(one), Decision::Approve | Decision::Withdraw) => match rules::agreed(scene.world, one) {
                        (Some(needs), given) if given >= needs => {
                            format!(
                                "agreed {given} of {needs}; {} may execute it: gonogo execute {}",
                                plan.intent.requester,
                                plan.id.short()
                            )
                        }
                        (Some(needs), given) => format!("agreed {given} of {needs}; the plan waits on"),
                        (None, _) => "the plan waits on".to_owned(),
                    },
                    (Some(_) | None, Decision::Reject) | (None, Decision::Withdraw) => "the plan has ended; nothing was done".to_owned(),
                    (None, Decision::Approve) => "the plan waits no more".to_owned(),
                };
                page.text(3, Role::Plain, &next);
            }
            (Err(_), Some(reasons)) => {
                page.rows.push(Row::rule(scene.theme, "DENIED"));
                page.mark(Mark::Failed, Role::Abnormal, &format!("the {what} was refused, and that is recorded"));
                for reason in reasons {
                    page.reason(reason);
                }
            }
            (Err(error), None) => {
                page.rows.push(Row::rule(scene.theme, "NOT RECORDED"));
                page.mark(Mark::Failed, Role::Abnormal, &format!("{what} not taken: {error}"));
            }
        }
    }
}
