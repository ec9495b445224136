//! The plan, over any screen: exactly what will happen, may I, what does it cost, how do we get back?

mod page;

use std::cell::Cell;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::world::World;
use crate::model::deed::DeedState;
use crate::model::intent::Direction;
use crate::model::plan::{Plan, StepEffect};
use crate::model::text::Text;
use crate::model::verdict::Verdict;

use crate::ui::facts;
use crate::ui::field::Field;
use crate::ui::input::{Chord, Key};
use crate::ui::row::{Row, cells};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

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
    shown: Cell<bool>,
    drawn: Cell<bool>,
    dropped: u32,
    sent: bool,
    refused: bool,
    scroll: usize,
    longest: Cell<usize>,
    wrong: Option<String>,
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
            shown: Cell::new(false),
            drawn: Cell::new(false),
            dropped: 0,
            sent: false,
            refused: false,
            scroll: 0,
            longest: Cell::new(0),
            wrong: None,
        }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether it was given to the engine.
    pub fn sent(&self) -> bool {
        self.sent
    }

    /// The frame that shows it is on its way: from now on its keys count.
    pub fn arm(&self) {
        if self.drawn.get() {
            self.shown.set(true);
        }
    }

    /// Whether its keys count.
    pub fn armed(&self) -> bool {
        self.shown.get()
    }

    /// Takes a key. `verdict` is that of this moment.
    pub fn on(&mut self, chord: Chord, verdict: &Verdict, ended: bool) -> Reply {
        if chord.key == Key::Esc {
            return Reply::Left;
        }
        if !self.shown.get() {
            self.dropped += 1;
            return Reply::Open;
        }
        self.wrong = None;
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
        if self.shown.get() && !self.sent {
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
        self.plan.intent.reason = Text::clean_within(self.reason.text().trim(), crate::ui::field::LONGEST);
        Reply::Run(self.plan.clone())
    }

    /// Line 1 of the frame.
    pub fn title(&self) -> Vec<(Role, String)> {
        let plan = &self.plan;
        // A hold's Order bears the share that it holds; only a move goes TO one.
        let moves = plan.direction != Direction::Still;
        let what = match plan.order.percent.filter(|_| moves) {
            Some(percent) => format!("{} {} TO {percent} %", plan.intent.verb.word().to_uppercase(), plan.target()),
            None => format!("{} {}", plan.intent.verb.word().to_uppercase(), plan.target()),
        };
        vec![(Role::Strong, format!("PLAN {}  {what}", plan.id.short()))]
    }

    /// The row of keys.
    pub fn keys(&self, world: &World, verdict: &Verdict, ended: bool) -> Row {
        let mut row = Row::new();
        row.add(Role::Plain, " ");
        let goal = format!("{} {}", self.plan.intent.verb.word(), self.plan.target());
        if self.sent {
            let over = world.deeds.get(&self.plan.id).is_some_and(|deed| begun(deed.state) == Begun::Over);
            row.add(Role::Key, "Esc").add(Role::Plain, if over { " leaves" } else { " leaves; the deed goes on" });
        } else {
            let enter = match (ended, verdict) {
                (true, _) => "PLAN AGAIN".to_owned(),
                (false, Verdict::Permit(_)) => format!("RUN {goal}"),
                (false, Verdict::SecondPerson { .. }) => format!("ASK another person to agree to {goal}"),
                (false, Verdict::Deny(_)) => String::new(),
            };
            if !enter.is_empty() {
                row.add(Role::Key, "Enter").add(Role::Strong, format!(" {enter}   "));
            }
            row.add(Role::Key, "Esc").add(Role::Plain, " leave");
        }
        if !self.plan.commands.is_empty() {
            row.add(Role::Plain, "   ").add(Role::Key, "Ctrl-Y").add(Role::Plain, " copy commands");
        }
        if self.confirm.is_some() && !self.sent {
            row.add(Role::Plain, "   ").add(Role::Key, "Tab").add(Role::Plain, " next field");
        }
        row
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
            self.drawn.set(area.height > 2);
            return;
        }
        let hidden = rows.len().saturating_sub(height);
        let mut rule = Row::rule(scene.theme, if hidden > 0 { "Up and Down show the rest" } else { "" });
        let end = match (&self.wrong, self.dropped, hidden) {
            // What stood in the way when Enter was pressed is over by now.
            (Some(wrong), ..) if wrong == DENIED && !matches!(verdict, Verdict::Deny(_)) => {
                "it was denied and nothing was sent; now it may: Enter again".to_owned()
            }
            (Some(wrong), ..) => wrong.clone(),
            (None, 1.., _) => {
                words::counted(usize::try_from(self.dropped).unwrap_or(usize::MAX), "key", "keys") + " typed before this was seen: dropped"
            }
            (None, 0, 1..) => format!("{} to {} of {}", first + 1, (first + height).min(rows.len()), rows.len()),
            (None, 0, 0) => String::new(),
        };
        if !end.is_empty() {
            rule.end(Role::Watched, format!(" {end} "));
        }
        let y = area.height.saturating_sub(fields);
        rule.draw(buffer, area, y, scene.theme);
        let mut field = |y: u16, label: &str, field: &Field, focused: bool, end: &str| {
            let mut row = Row::of(if focused { Role::Strong } else { Role::Quiet }, format!(" {label}"));
            row.end(Role::Quiet, format!(" {end} "));
            row.draw(buffer, area, y, scene.theme);
            let x = u16::try_from(cells(label) + 3).unwrap_or(10);
            let taken = x.saturating_add(u16::try_from(cells(end) + 2).unwrap_or(0));
            let place = Rect { x: area.x + x, y: area.y + y, width: area.width.saturating_sub(taken), height: 1 };
            field.draw(buffer, place, scene.theme, focused);
        };
        field(y + 1, "reason ", &self.reason, self.focus == Focus::Reason, "may be left empty");
        if let Some(confirm) = &self.confirm {
            field(y + 2, "confirm", confirm, self.focus == Focus::Confirm, &format!("type {}", self.plan.target()));
        }
        self.drawn.set(area.height > fields + 2);
    }

    fn rows(&self, scene: &Scene<'_>, verdict: &Verdict, width: usize) -> Vec<Row> {
        let mut page = Page { scene, width, rows: Vec::new() };
        if self.sent {
            self.progress(&mut page);
        } else {
            self.stops(&mut page, verdict);
        }
        self.what(&mut page);
        self.how(&mut page);
        self.cost(&mut page);
        if self.sent {
            return page.rows;
        }
        self.passed(&mut page, verdict);
        self.evidence(&mut page);
        page.rows
    }

    fn what(&self, page: &mut Page<'_, '_>) {
        let plan = &self.plan;
        let mut rule = Row::rule(page.scene.theme, "what");
        let ends = if self.sent {
            String::new()
        } else if plan.expires <= page.scene.now.wall {
            "it has ended ".to_owned()
        } else {
            format!("good until {} ({}) ", page.scene.zone.time(&plan.expires), page.scene.left(&plan.expires))
        };
        if !ends.is_empty() {
            rule.end(Role::Quiet, format!(" {ends}"));
        }
        page.rows.push(rule);
        page.say(Role::Quiet, if self.sent { "before" } else { "now" }, Role::Plain, plan.now.as_str());
        page.say(Role::Quiet, "after", Role::Strong, plan.after.as_str());
        for cost in plan.costs.iter().filter(|cost| cost.name == "if I do nothing" && !self.sent) {
            page.say(Role::Quiet, "if you do not:", Role::Plain, cost.text.as_ref().map_or("not known", Text::as_str));
        }
    }

    fn how(&self, page: &mut Page<'_, '_>) {
        page.rows.push(Row::rule(page.scene.theme, "how"));
        if self.plan.order.effects.is_empty() {
            page.say(Role::Quiet, "", Role::Plain, "no backend is touched; it is written into the ledger");
        }
        for (number, effect) in self.plan.order.effects.iter().enumerate() {
            page.say(Role::Strong, &format!("{} {}", number + 1, effect.backend()), Role::Plain, &in_words(effect));
        }
        for reach in &self.plan.reach {
            let (wished, reached) = (reach.wished.to_string(), words::share(reach.reached));
            if wished != reached {
                page.say(Role::Quiet, "", Role::Plain, &format!("wished {wished} %, whole weights reach {reached} %"));
            }
        }
    }

    fn cost(&self, page: &mut Page<'_, '_>) {
        page.rows.push(Row::rule(page.scene.theme, "cost"));
        let costs = || self.plan.costs.iter().filter(|cost| cost.name != "if I do nothing");
        // What must be weighed stands before what is routine.
        let first = |name: &str| matches!(name, "users" | "undo");
        for cost in costs().filter(|cost| first(&cost.name)).chain(costs().filter(|cost| !first(&cost.name))) {
            if let Some(text) = &cost.text {
                page.say(Role::Quiet, &cost.name, Role::Plain, text.as_str());
            }
        }
        let unknown: Vec<&str> = costs().filter(|cost| cost.text.is_none()).map(|cost| cost.name.as_str()).collect();
        if !unknown.is_empty() {
            page.say(Role::Quiet, "not known", Role::Quiet, &unknown.join(", "));
        }
        if !self.plan.costs.iter().any(|cost| cost.name == "undo") {
            page.say(Role::Quiet, "undo", Role::Plain, self.plan.undo.as_deref().unwrap_or("nothing undoes it"));
        }
    }

    /// What stands in the way, first; nothing when nothing does.
    fn stops(&self, page: &mut Page<'_, '_>, verdict: &Verdict) {
        let theme = page.scene.theme;
        let broken = self.plan.preconditions.iter().any(|checked| !checked.holds || checked.broken.is_some());
        if matches!(verdict, Verdict::Permit(_)) && !broken && verdict.reasons().is_empty() {
            return;
        }
        page.rows.push(Row::rule(theme, "may I"));
        match verdict {
            Verdict::Permit(_) => {}
            Verdict::SecondPerson { needs, given, may, .. } => {
                let who = if may.is_empty() { "nobody who may is configured".to_owned() } else { format!("{} may", may.join(", ")) };
                page.mark(Mark::Waits, Role::Waits, &format!("waits for another person: agreed {given} of {needs}; {who}"));
            }
            Verdict::Deny(reasons) => {
                page.mark(Mark::Failed, Role::Abnormal, &format!("DENIED, for {}", words::counted(reasons.len(), "reason", "reasons")));
            }
        }
        for reason in verdict.reasons() {
            page.reason(reason);
        }
        let told: Vec<&str> = verdict.reasons().iter().map(|reason| reason.text.as_str()).collect();
        for checked in &self.plan.preconditions {
            match &checked.broken {
                Some(reason) if !told.contains(&reason.text.as_str()) => page.reason(reason),
                Some(_) => {}
                None if checked.holds => {}
                None => page.mark(Mark::Failed, Role::Watched, checked.text.as_str()),
            }
        }
        if matches!(verdict, Verdict::Deny(_)) && !self.plan.commands.is_empty() {
            page.rows.push(Row::rule(theme, "by hand"));
            for command in &self.plan.commands {
                page.text(3, Role::Plain, command);
            }
        }
    }

    /// Who may, and what was checked, in one line.
    fn passed(&self, page: &mut Page<'_, '_>, verdict: &Verdict) {
        let passed = self.plan.preconditions.iter().filter(|checked| checked.holds && checked.broken.is_none()).count();
        let checks = format!("{} passed", words::counted(passed, "check", "checks"));
        let line = match verdict {
            Verdict::Permit(_) => format!("you may: {}; {checks}", page.scene.world.actor),
            Verdict::SecondPerson { .. } | Verdict::Deny(_) if passed == 0 => return,
            Verdict::SecondPerson { .. } | Verdict::Deny(_) => checks,
        };
        page.rows.push(Row::rule(page.scene.theme, "checks"));
        page.mark(Mark::Proven, Role::Plain, &line);
    }

    fn evidence(&self, page: &mut Page<'_, '_>) {
        if self.plan.evidence.is_empty() {
            return;
        }
        page.rows.push(Row::rule(page.scene.theme, "evidence, does not bind"));
        for evidence in &self.plan.evidence {
            let age = evidence.age_s.map_or_else(|| "never read".to_owned(), words::span);
            let (mark, role) = if evidence.warns { (Mark::Unknown, Role::Watched) } else { (Mark::None, Role::Plain) };
            page.mark(mark, role, &format!("{} ({} {age})", evidence.text, evidence.source));
        }
    }

    fn progress(&self, page: &mut Page<'_, '_>) {
        let scene = page.scene;
        let deed = scene.world.deeds.get(&self.plan.id);
        let heading = match deed.map(|deed| (begun(deed.state), deed.state)) {
            None | Some((Begun::UnderWay, _)) => "UNDER WAY".to_owned(),
            Some((Begun::Waits, _)) => "WAITS for another person".to_owned(),
            Some((Begun::Over, DeedState::Effective)) => "DONE: in effect".to_owned(),
            Some((Begun::Over, DeedState::Held)) => "DONE: HELD".to_owned(),
            Some((Begun::Over, state)) => state.word().to_uppercase(),
        };
        page.rows.push(Row::rule(scene.theme, &heading));
        let Some(deed) = deed else {
            page.say(Role::Quiet, "", Role::Moving, "asked; the record is being written");
            return;
        };
        let mut row = Row::of(Role::Strong, " deed     ");
        for (role, text) in facts::of_deed(scene, deed) {
            row.add(role, text);
        }
        page.rows.push(row);
        for (number, step) in deed.steps.iter().enumerate() {
            let mut row = Row::of(Role::Strong, format!(" {} {}", number + 1, step.effect.backend()));
            row.at(10);
            for (role, text) in facts::of_step(scene, deed, step) {
                row.add(role, text);
            }
            page.rows.push(row);
            page.text(10, Role::Quiet, step.words.as_str());
            if let Some(error) = &step.error {
                page.text(10, Role::Abnormal, &error.to_string());
                page.text(10, Role::Plain, error.port().remedy());
            }
        }
        if !deed.words.is_empty() {
            page.text(10, Role::Plain, deed.words.as_str());
        }
    }
}

/// How far a deed has come, for the words around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    Waits,
    UnderWay,
    Over,
}

fn begun(state: DeedState) -> Begun {
    match state {
        DeedState::Waiting => Begun::Waits,
        DeedState::Intended | DeedState::Sent | DeedState::Accepted => Begun::UnderWay,
        DeedState::Effective
        | DeedState::Held
        | DeedState::Denied
        | DeedState::Unwatched
        | DeedState::Superseded
        | DeedState::Slipped
        | DeedState::Unknown
        | DeedState::Failed => Begun::Over,
    }
}

/// An effect in words.
pub fn in_words(effect: &StepEffect) -> String {
    match effect {
        StepEffect::Weights { pool, weights, .. } => {
            let all: Vec<String> = weights.iter().map(|(server, weight)| format!("{server} {weight}")).collect();
            format!("{pool}: weights {}", all.join(", "))
        }
        StepEffect::Start { builder, properties, .. } => {
            let version = properties.get("version").map(|version| format!(" with version {version}")).unwrap_or_default();
            format!("starts a run of {builder}{version}")
        }
        StepEffect::Retry { builder, run, .. } => format!("runs {run} of {builder} again"),
        StepEffect::Repeat { .. } | StepEffect::Answer { .. } => crate::control::planner::words(effect).to_string(),
        StepEffect::Cancel { builder, run, .. } => format!("stops run {run} of {builder}"),
    }
}
