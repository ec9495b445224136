//! The plan, over any screen: exactly what will happen, may I, what does it cost, how do we get back?

pub(super) mod gate;
pub(super) mod keys;
pub(super) mod page;
mod progress;
pub(super) mod sections;

use std::cell::Cell;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::planner;
use crate::model::intent::{Direction, Intent};
use crate::model::plan::Plan;
use crate::model::text::Text;
use crate::model::verdict::Verdict;

use crate::ui::arming::Arming;
use crate::ui::command::Command;
use crate::ui::field::Field;
use crate::ui::input::{Chord, Key};
use crate::ui::plans;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::screen::Screen;
use crate::ui::theme::{Mark, Role};

use self::page::Page;

/// What Enter on a denied plan says.
const DENIED: &str = "denied: nothing was sent";

/// Which field has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Reason,
    Confirm,
}

/// A plan before its operator.
#[derive(Debug)]
pub struct PlanDialog {
    plan: Box<Plan>,
    reason: Field,
    confirm: Option<Field>,
    focus: Focus,
    arming: Arming,
    sent: bool,
    refused: bool,
    scroll: usize,
    longest: Cell<usize>,
    wrong: Option<String>,
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
        Self {
            reason: Field::with(plan.intent.reason.as_str()),
            plan: Box::new(plan),
            confirm: asks.then(Field::default),
            focus: Focus::Reason,
            arming: Arming::default(),
            sent: false,
            refused: false,
            scroll: 0,
            longest: Cell::new(0),
            wrong: None,
            told: None,
            stored: false,
        }
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
        self.sent
    }

    /// From when on its keys count.
    pub fn arming(&self) -> &Arming {
        &self.arming
    }

    /// As it stands, when it is shown again after something lay over it: its keys count once it was seen again.
    #[must_use]
    pub fn again(mut self: Box<Self>) -> Box<Self> {
        self.arming.again();
        self
    }

    /// What is asked for, with the reason as it is typed so far.
    pub fn typed(&self) -> Intent {
        let reason = Text::clean_within(self.reason.text().trim(), crate::ui::field::LONGEST);
        Intent { reason, ..self.plan.intent.clone() }
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
        self.scroll = 0;
    }

    /// Whether its keys count.
    pub fn armed(&self) -> bool {
        self.arming.armed()
    }

    /// Takes a key. `verdict` is that of this moment.
    pub fn on(&mut self, chord: Chord, verdict: &Verdict, ended: bool) -> Reply {
        if chord.key == Key::Esc {
            return Reply::Left;
        }
        if !self.arming.armed() {
            self.arming.drop_key();
            return Reply::Open;
        }
        (self.wrong, self.told) = (None, None);
        match chord.key {
            Key::Up => self.scroll = self.scroll.saturating_sub(1),
            Key::Down => self.scroll = (self.scroll + 1).min(self.longest.get()),
            Key::PageUp => self.scroll = self.scroll.saturating_sub(8),
            Key::PageDown => self.scroll = (self.scroll + 8).min(self.longest.get()),
            Key::Char('y') if chord.ctrl => return Reply::Copy(self.plan.commands.join("\n")),
            Key::Char(_) | Key::Enter if self.sent => {}
            Key::Tab | Key::BackTab if self.confirm.is_some() => self.turn(),
            Key::Enter => return self.enter(verdict, ended),
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

    fn enter(&mut self, verdict: &Verdict, ended: bool) -> Reply {
        if ended {
            return Reply::Anew;
        }
        if let Verdict::Deny(reasons) = verdict {
            self.wrong = Some(DENIED.to_owned());
            let first = !std::mem::replace(&mut self.refused, true);
            return if first { Reply::Refused(self.plan.clone(), reasons.clone()) } else { Reply::Open };
        }
        if let (true, Verdict::SecondPerson { needs, given, .. }) = (self.stored, verdict) {
            self.wrong = Some(format!("agreed {given} of {needs}: it waits already, nothing was sent"));
            return Reply::Open;
        }
        if let (true, Verdict::Early(_)) = (self.stored, verdict) {
            self.wrong = Some("its time has not come: nothing was sent".to_owned());
            return Reply::Open;
        }
        if let Some(confirm) = &self.confirm {
            let target = self.plan.target().to_string();
            if self.focus == Focus::Reason {
                self.turn();
                return Reply::Open;
            }
            if confirm.text().trim() != target {
                self.wrong = Some(format!("type {target} in full"));
                return Reply::Open;
            }
        }
        self.sent = true;
        self.scroll = 0;
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
        let width = usize::from(area.width);
        let fields = if self.sent { 0 } else { 2 + u16::from(self.confirm.is_some()) };
        let height = usize::from(area.height.saturating_sub(fields));
        let rows = self.rows(scene, verdict, width);
        let first = self.scroll.min(rows.len().saturating_sub(height));
        self.longest.set(rows.len().saturating_sub(height));
        for (y, row) in (0..area.height.saturating_sub(fields)).zip(rows.iter().skip(first)) {
            row.draw(buffer, area, y, scene.theme);
        }
        if self.sent {
            self.arming.draw(area.height > 2);
            return;
        }
        let hidden = rows.len().saturating_sub(height);
        let mut rule = Row::rule(scene.theme, if hidden > 0 { "Up and Down show the rest" } else { "" });
        let end = match (&self.wrong, self.arming.dropped(), hidden) {
            // What stood in the way when Enter was pressed is over by now.
            (Some(wrong), ..) if wrong == DENIED && !matches!(verdict, Verdict::Deny(_)) => {
                "it was denied and nothing was sent; now it may: Enter again".to_owned()
            }
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
        field(y + 1, "reason ", &self.reason, self.focus == Focus::Reason, "may be left empty");
        if let Some(confirm) = &self.confirm {
            field(y + 2, "confirm", confirm, self.focus == Focus::Confirm, &format!("type {}", self.plan.target()));
        }
        self.arming.draw(area.height > fields + 2);
    }

    fn rows(&self, scene: &Scene<'_>, verdict: &Verdict, width: usize) -> Vec<Row> {
        let plan = &*self.plan;
        let mut page = Page { scene, width, rows: Vec::new() };
        if let Some(told) = &self.told {
            page.mark(Mark::Failed, Role::Watched, told);
        }
        if self.sent {
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
        sections::what(&mut page, plan, self.sent);
        sections::how(&mut page, plan);
        sections::cost(&mut page, plan);
        if self.sent {
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
