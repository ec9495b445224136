//! The plan, over any screen: exactly what will happen, may I, what does it cost, how do we get back?

pub(super) mod gate;
pub(super) mod keys;
pub(super) mod page;
mod progress;
pub(super) mod sections;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::planner;
use crate::model::intent::{Direction, Intent};
use crate::model::plan::Plan;
use crate::model::verdict::Verdict;

use crate::ui::arming::Arming;
use crate::ui::asking::{Asking, Hints, Stroke};
use crate::ui::command::Command;
use crate::ui::input::Chord;
use crate::ui::plans;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::screen::Screen;
use crate::ui::theme::{Mark, Role};

use self::page::Page;

/// What Enter on a denied plan says.
const DENIED: &str = "denied: nothing was sent";

/// A plan before its operator.
#[derive(Debug)]
pub struct PlanDialog {
    plan: Box<Plan>,
    asking: Asking,
    /// Whether Enter was pressed on it while it was denied.
    refused: bool,
    /// What a key of the dialog could not do, and why.
    told: Option<String>,
    /// Whether it stands in the store already and waited there.
    stored: bool,
}

/// What a key did to the dialog.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// It goes on.
    Open,
    /// It was left.
    Left,
    /// Carry the plan out.
    Run(Box<Plan>),
    /// It was tried though it is denied: an attempt is recorded, once a plan.
    Refused(Box<Plan>, Vec<crate::model::reason::Reason>),
    /// Copy the commands.
    Copy(String),
    /// The plan has ended: make it anew.
    Anew,
}

impl PlanDialog {
    /// Shows a plan. `typed` asks for the target in full.
    pub fn new(plan: Plan, typed: bool) -> Self {
        let asks = typed && matches!(plan.direction, Direction::Forward | Direction::Release);
        Self { asking: Asking::new(plan.intent.reason.as_str(), asks), plan: Box::new(plan), refused: false, told: None, stored: false }
    }

    /// Shows a plan that waited in the store.
    pub fn stored(plan: Plan, typed: bool) -> Self {
        Self { stored: true, ..Self::new(plan, typed) }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether it was given to the engine.
    pub fn sent(&self) -> bool {
        self.asking.is_closed()
    }

    /// From when on its keys count.
    pub fn arming(&self) -> &Arming {
        self.asking.arming()
    }

    /// As it stands, when it is shown again after something lay over it: its keys count once it was seen again.
    #[must_use]
    pub fn again(mut self: Box<Self>) -> Box<Self> {
        self.asking.again();
        self
    }

    /// What is asked for, with the reason as it is typed so far.
    pub fn typed(&self) -> Intent {
        Intent { reason: self.asking.reason(), ..self.plan.intent.clone() }
    }

    /// Why no other time can be chosen for it; none when one can.
    pub fn against_schedule(&self) -> Option<String> {
        if self.stored {
            return Some("it is stored and agreed to as it stands: withdraw it on screen 6 and plan it anew for another time".to_owned());
        }
        planner::never_scheduled(&self.plan.intent, self.plan.direction)
    }

    /// Says why a key could not do what it does.
    pub fn tell(&mut self, why: String) {
        self.told = Some(why);
        self.asking.to_top();
    }

    /// Whether its keys count.
    pub fn armed(&self) -> bool {
        self.asking.arming().armed()
    }

    /// Takes a key. `verdict` is that of this moment.
    pub fn on(&mut self, chord: Chord, verdict: &Verdict, ended: bool) -> Reply {
        if chord == Chord::ctrl('y') && self.armed() {
            return Reply::Copy(self.plan.commands.join("\n"));
        }
        match self.asking.on(chord) {
            Stroke::Left => return Reply::Left,
            Stroke::Dropped => {}
            Stroke::Taken => self.told = None,
            Stroke::Enter => {
                self.told = None;
                return self.enter(verdict, ended);
            }
        }
        Reply::Open
    }

    /// Scrolls by rows, and does no more.
    pub fn scroll(&mut self, by: isize) {
        self.asking.scroll(by);
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        self.asking.paste(text);
    }

    fn enter(&mut self, verdict: &Verdict, ended: bool) -> Reply {
        if ended {
            return Reply::Anew;
        }
        if let Verdict::Deny(reasons) = verdict {
            self.asking.refuse(DENIED.to_owned());
            let first = !std::mem::replace(&mut self.refused, true);
            return if first { Reply::Refused(self.plan.clone(), reasons.clone()) } else { Reply::Open };
        }
        if let (true, Verdict::SecondPerson { needs, given, .. }) = (self.stored, verdict) {
            self.asking.refuse(format!("agreed {given} of {needs}: it waits already, nothing was sent"));
            return Reply::Open;
        }
        if let (true, Verdict::Early(_)) = (self.stored, verdict) {
            self.asking.refuse("its time has not come: nothing was sent".to_owned());
            return Reply::Open;
        }
        if !self.asking.confirmed(&self.plan.target().to_string()) {
            return Reply::Open;
        }
        self.asking.close();
        self.plan.intent = self.typed();
        Reply::Run(self.plan.clone())
    }

    /// Line 1 of the frame.
    pub fn title(&self) -> Vec<(Role, String)> {
        let plan = &self.plan;
        // A hold's Order bears the share that it holds; only a move goes TO one.
        // So does that of a rollout bear the share from which it begins.
        let moves = plan.direction != Direction::Still && plan.order.rollout.is_none();
        let what = match plan.order.percent.filter(|_| moves) {
            Some(percent) => format!("{} {} TO {percent} %", plan.intent.verb.word().to_uppercase(), plan.target()),
            None => format!("{} {}", plan.intent.verb.word().to_uppercase(), plan.target()),
        };
        vec![(Role::Strong, format!("PLAN {}  {what}", plan.id.short()))]
    }

    /// Draws the body.
    pub fn draw(&self, scene: &Scene<'_>, verdict: &Verdict, buffer: &mut Buffer, area: Rect) {
        let rows = self.rows(scene, verdict, usize::from(area.width));
        let target = self.plan.target().to_string();
        let hints = Hints { reason: "may be left empty", confirm: &target };
        // What stood in the way when Enter was pressed may be over by now.
        let over = self.refused && !matches!(verdict, Verdict::Deny(_));
        let over = over.then_some("it was denied and nothing was sent; now it may: Enter again");
        self.asking.draw(scene, &rows, hints, over, buffer, area);
    }

    fn rows(&self, scene: &Scene<'_>, verdict: &Verdict, width: usize) -> Vec<Row> {
        let plan = &*self.plan;
        let mut page = Page { scene, width, rows: Vec::new() };
        if let Some(told) = &self.told {
            page.mark(Mark::Failed, Role::Watched, told);
        }
        if self.sent() {
            progress::draw(&mut page, plan);
        } else {
            sections::stops(&mut page, plan, verdict);
            self.ways_out(&mut page, verdict);
            sections::by_hand(&mut page, &self.plan, verdict);
            if let (false, Verdict::Early(_)) = (self.stored, verdict) {
                let keys = scene.keymap;
                let (there, execute) = (keys.shown(Command::Go(Screen::Changes)), keys.shown(Command::Execute));
                let then =
                    format!("Enter schedules it; it waits on screen {there}, and from its time on you execute it there with {execute}");
                page.text(3, Role::Strong, &then);
            }
            if let (false, Verdict::SecondPerson { .. }) = (self.stored, verdict) {
                let keys = scene.keymap;
                let (there, execute) = (keys.shown(Command::Go(Screen::Changes)), keys.shown(Command::Execute));
                let then =
                    format!("Enter asks them; it waits on screen {there} until they agree, then you execute it there with {execute}");
                page.text(3, Role::Strong, &then);
            }
            sections::when(&mut page, plan);
        }
        sections::what(&mut page, plan, self.sent());
        sections::how(&mut page, plan);
        sections::cost(&mut page, plan);
        if self.sent() {
            return page.rows;
        }
        sections::passed(&mut page, plan, verdict);
        gate::change_type(&mut page, plan);
        gate::checks(&mut page, plan, &plan.checks);
        if let Some(waiting) = scene.world.waiting_at(scene.now).find(|one| one.plan.id == plan.id) {
            gate::approvals(&mut page, &plans::queued(scene.world, waiting, scene.now));
        }
        sections::evidence(&mut page, plan);
        page.rows
    }
}
