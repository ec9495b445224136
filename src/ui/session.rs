//! A session: what one operator sees and types; keys go in, acts come out, and nothing of it enters the world.

mod answered;
mod calls;
mod charts;
mod chosen;
mod dialogs;
mod draw;
mod links;
mod looks;
mod many;
mod mouse;
mod moves;
mod past;
mod sequence;
mod touring;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use crate::control::gate;
use crate::control::planner::{self, PlanError};
use crate::control::replay::traveller::Ask;
use crate::control::world::World;
use crate::model::approval::{Decision, Ruling, Waiting};
use crate::model::intent::{Arguments, Intent, Verb};
use crate::model::name::{BackendName, Target};
use crate::model::pipeline::RunId;
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::rules::Naming;
use crate::model::self_service::Saying;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::verdict::Verdict;

use self::past::Past;

use super::command::Command;
use super::hyperlink::Hyperlink;
use super::input::{Input, Mouse};
use super::keymap::Keymap;
use super::limits::Limits;
use super::line::Line;
use super::offer::{self, Standpoint, Waits};
use super::palette::Palette;
use super::prompt::{Prompt, Wanted};
use super::screen::Screen;
use super::screens::board::Board;
use super::screens::changes::ChangesScreen;
use super::screens::ledger::LedgerScreen;
use super::screens::links::LinksDialog;
use super::screens::many::ManyDialog;
use super::screens::map::MapScreen;
use super::screens::pipeline::Pipeline;
use super::screens::plan::PlanDialog;
use super::screens::roles::RolesDialog;
use super::screens::rollout::WayBack;
use super::screens::ruling::RulingDialog;
use super::screens::schedule::ScheduleDialog;
use super::sequence::Begun;
use super::theme::Theme;
use super::tour::Tour;
use super::widgets::chart::Lens;

/// What the room must do for a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// The session ends.
    Quit,
    /// Carry this plan out, or store it as waiting when another person must agree: the engine judges again.
    Execute(Box<Plan>),
    /// Record that this plan was tried though it is denied, for these reasons.
    Refuse(Box<Plan>, Vec<Reason>),
    /// Record what was said about a plan that waits; policy and store look at it again.
    Rule(Box<Ruling>),
    /// Record what was said about a role that is taken for a while; policy and store look at it again.
    Speak(Box<Saying>),
    /// Record that a name is put under changed rules; policy and store look at it again.
    NameRules(Box<Naming>),
    /// Poll quicker around this target and run; none: look at nothing in particular.
    Look {
        /// The target.
        target: Option<Target>,
        /// The run whose steps are wanted.
        run: Option<RunId>,
    },
    /// Follow this log into `World::logs`.
    FollowLog {
        /// The CI backend.
        backend: BackendName,
        /// The backend's identity of the log.
        log: u64,
    },
    /// Follow no log any more.
    Unfollow,
    /// Verify the whole ledger into `World::ledger`.
    VerifyLedger,
    /// Put this on the clipboard of the operator's terminal.
    Copy(String),
    /// Open the past, or go elsewhere in it.
    Past(Journey),
    /// Draw everything again: [`crate::ui::glass::Glass::forget`].
    Redraw,
    /// Give the terminal back and stop until continued.
    Suspend,
}

/// What is wished of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journey {
    /// To begin.
    Open,
    /// To go to another place.
    Ask(Ask),
    /// To be back.
    Leave,
}

/// Draws up plans: [`planner::plan`].
type PlanFn = fn(&World, Intent, &Moment, &str) -> Result<Plan, PlanError>;
/// Judges plans: [`gate::judge`].
type JudgeFn = fn(&World, &Plan, &Moment) -> Verdict;

/// How a session begins.
pub struct SessionOptions {
    /// The looks.
    pub theme: Theme,
    /// The keys.
    pub keymap: Keymap,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Makes what makes two equal wishes two plans.
    pub nonce: Box<dyn FnMut() -> String + Send>,
    /// The first screen.
    pub screen: Screen,
    /// The first target; none: the row that the cursor would stand on.
    pub target: Option<Target>,
}

/// What lies over the screen.
#[derive(Debug)]
pub(super) enum Over {
    Nothing,
    Plan(Box<PlanDialog>),
    Prompt(Box<Prompt>),
    Ruling(Box<RulingDialog>),
    /// When the change of the plan below is to be carried out.
    Schedule(Box<ScheduleDialog>, Box<PlanDialog>),
    /// Roles for a while, over a plan that lacks one or over the screen.
    Roles(Box<RolesDialog>, Option<Box<PlanDialog>>),
    /// The plans of one verb on many targets.
    Many(Box<ManyDialog>),
    Palette(Box<Palette>),
    /// Where other tools show the same.
    Links(Box<LinksDialog>),
    Help,
    Detail,
}

/// What the operator was told last.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    /// Something of the room.
    News(String),
    /// A key that means nothing, or a plan that cannot be drawn up.
    Refusal(String),
    /// A command that could not work where it was asked for; it is told as long as that is so.
    Refused(Command),
}

/// One operator's session.
pub struct Session {
    pub(super) theme: Theme,
    pub(super) keymap: Keymap,
    size: (u16, u16),
    nonce: Box<dyn FnMut() -> String + Send>,
    pub(super) screen: Screen,
    before: Vec<Screen>,
    pub(super) board: RefCell<Board>,
    pub(super) pipeline: Pipeline,
    pub(super) ledger: LedgerScreen,
    pub(super) changes: ChangesScreen,
    pub(super) map: RefCell<MapScreen>,
    /// The targets that are marked for one deed on several.
    pub(super) chosen: BTreeSet<Target>,
    pub(super) over: Over,
    scroll: usize,
    furthest: Cell<usize>,
    said: Option<Said>,
    begun: Begun,
    way_back: WayBack,
    lens: Lens,
    tour: Option<Tour>,
    hyperlinks: RefCell<Vec<Hyperlink>>,
    /// Whether the rows of lists stand on the glass as they were drawn last: only then a press means one.
    pressable: Cell<bool>,
    due: Cell<Option<Boot>>,
    looked: Option<(Option<Target>, Option<RunId>)>,
    followed: Option<(BackendName, u64)>,
    calls: calls::Calls,
    limits: Limits,
    line: Line,
    plan: PlanFn,
    judge: JudgeFn,
    /// The past, when it is looked at.
    past: Option<Box<Past>>,
    /// The past was asked for and is not there yet.
    opening: bool,
    /// Of a session in the past, what needs a person now.
    now_needs: Cell<Option<usize>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("screen", &self.screen).field("size", &self.size).finish_non_exhaustive()
    }
}

impl Session {
    /// Begins a session.
    pub fn new(options: SessionOptions) -> Self {
        let mut board = Board::default();
        if let Some(target) = &options.target {
            board.mark(target);
        }
        Self {
            theme: options.theme,
            keymap: options.keymap,
            size: options.size,
            nonce: options.nonce,
            screen: options.screen,
            before: Vec::new(),
            board: RefCell::new(board),
            pipeline: Pipeline::default(),
            ledger: LedgerScreen::default(),
            changes: ChangesScreen::default(),
            map: RefCell::default(),
            chosen: BTreeSet::new(),
            over: Over::Nothing,
            scroll: 0,
            furthest: Cell::new(0),
            said: None,
            begun: Begun::default(),
            way_back: WayBack::default(),
            lens: Lens::default(),
            tour: None,
            hyperlinks: RefCell::default(),
            pressable: Cell::new(false),
            due: Cell::new(None),
            looked: None,
            followed: None,
            calls: calls::Calls::default(),
            limits: Limits::default(),
            line: Line::default(),
            plan: planner::plan,
            judge: gate::judge,
            past: None,
            opening: false,
            now_needs: Cell::new(None),
        }
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// The screen under whatever lies over it.
    pub fn screen(&self) -> Screen {
        self.screen
    }

    /// The theme.
    pub fn theme(&self) -> &Theme {
        &self.theme
    }

    /// The one target.
    pub fn target(&self) -> Option<Target> {
        self.board.borrow().target().cloned()
    }

    /// The plan that is marked on the screen of changes; none elsewhere.
    fn marked<'w>(&self, world: &'w World, now: &Moment) -> Option<&'w Waiting> {
        if self.screen == Screen::Changes { self.changes.marked(world, now) } else { None }
    }

    /// What the keys are about: on the screen of changes the target of the marked plan, else the one target.
    fn subject(&self, world: &World, now: &Moment) -> Option<Target> {
        self.marked(world, now).map(|one| one.plan.target().clone()).or_else(|| self.target())
    }

    /// Takes over other looks and keys: live reload.
    pub fn dress(&mut self, theme: Theme, keymap: Keymap) {
        self.dress_past(&theme, &keymap);
        (self.theme, self.keymap) = (theme.within(self.limits), keymap);
        self.forget_begun();
    }

    /// Says something to the operator until the next key.
    pub fn say(&mut self, message: &Text) {
        self.tell(Said::News(message.to_string()));
    }

    /// Says to the operator, until the next key, what could not be done.
    pub fn warn(&mut self, message: &Text) {
        self.tell(Said::Refusal(message.to_string()));
    }

    /// The time after which something shown changes by the passing of time alone; none when nothing does.
    pub fn next_redraw(&self, _world: &World, now: &Moment) -> Option<Duration> {
        self.due.get().map(|due| due.since(now.boot))
    }

    /// Takes what the terminal said.
    pub fn on(&mut self, input: Input, world: &World, now: &Moment) -> Vec<Act> {
        // Also in the past it is asked of now.
        let unwished = matches!(input, Input::Mouse(_)) && !world.catalog.room.mouse;
        if unwished { Vec::new() } else { self.take(input, world, now) }
    }

    fn take(&mut self, input: Input, world: &World, now: &Moment) -> Vec<Act> {
        if self.past.is_some() {
            return self.past_on(input);
        }
        self.forget_begun_for(&input);
        self.pressable.set(self.pressable.get() && matches!(input, Input::Mouse(Mouse::Press { .. })));
        self.board.get_mut().refresh(world, now);
        self.refresh_map(world, now);
        let mut acts = match input {
            Input::Resize(width, height) => {
                self.size = (width, height);
                Vec::new()
            }
            Input::Paste(text) => self.on_paste(&text, world, now),
            Input::Mouse(mouse) => self.on_mouse(mouse, world, now),
            Input::Key(chord) => {
                // What was said while a sequence was begun has not been seen yet.
                if !self.begun().is_one() {
                    self.said = None;
                }
                let acts = self.on_key(chord, world, now);
                self.tour_sees();
                acts
            }
        };
        self.look_closer(world, &mut acts);
        acts
    }

    fn obey(&mut self, command: Command, world: &World, now: &Moment) -> Vec<Act> {
        if self.begin_marked(command, world, now) {
            return Vec::new();
        }
        let target = self.subject(world, now);
        let run = target.as_ref().and_then(|target| self.pipeline.run(world, target));
        let at = Standpoint { world, screen: self.screen, target: target.as_ref(), run, marked: self.marked(world, now), now };
        if let (Command::Rule(decision), None) = (command, offer::against_all_deeds(world)) {
            let waits = if decision == Decision::Withdraw { at.plan().map(Waits::Plan) } else { at.waits() };
            // What policy refuses is opened all the same: its reasons stand there, and an attempt is recorded.
            match waits {
                Ok(Waits::Plan(waiting)) => {
                    let typed = gate::asks_for_text(world, waiting.plan.target());
                    self.over = Over::Ruling(Box::new(RulingDialog::new(waiting.clone(), decision, typed)));
                    return Vec::new();
                }
                Ok(Waits::Run(at)) => {
                    let verb = if decision == Decision::Approve { Verb::Approve } else { Verb::Reject };
                    let run = at.run.id.clone();
                    if let Some(target) = target {
                        self.begin_on(verb, target, Some(run), world, now);
                    }
                    return Vec::new();
                }
                Err(_) => {}
            }
        }
        if command.entry().and_then(|entry| offer::hindrance(entry, &at)).is_some() {
            self.said = Some(Said::Refused(command));
            return Vec::new();
        }
        if let Some(journey) = past::journey(command, world) {
            self.opening = journey == Journey::Open;
            return vec![Act::Past(journey)];
        }
        match command {
            Command::Quit => return vec![Act::Quit],
            Command::Redraw => return vec![Act::Redraw],
            Command::Suspend => return vec![Act::Suspend],
            Command::Verify => {
                self.ledger.asks(now);
                return vec![Act::VerifyLedger];
            }
            Command::Up => self.step(-1, world, now),
            Command::Down => self.step(1, world, now),
            Command::PageUp => self.page(-1, world, now),
            Command::PageDown => self.page(1, world, now),
            Command::First => self.step(isize::MIN + 1, world, now),
            Command::Last => self.step(isize::MAX, world, now),
            Command::Left if self.screen == Screen::Rollout => self.cross(world, -1),
            Command::Right if self.screen == Screen::Rollout => self.cross(world, 1),
            Command::Chart => self.open_chart(),
            Command::ZoomIn | Command::ZoomOut => {
                let (by, no) = if command == Command::ZoomIn { (-1, "no closer") } else { (1, "it is all that is kept") };
                if !self.zoom(world, by) {
                    self.said = Some(Said::News(no.to_owned()));
                }
            }
            Command::Live => self.go_live(),
            Command::Links => self.open_links(world, now),
            Command::Left => self.turn(world, -1),
            Command::Right => self.turn(world, 1),
            Command::Calendar => self.changes.show_calendar(),
            Command::Pack => self.changes.show_pack(),
            Command::EnvironmentBefore => self.changes.turn(world, now, -1),
            Command::EnvironmentAfter => self.changes.turn(world, now, 1),
            Command::Find => self.over = Over::Prompt(Box::new(Prompt::new(Wanted::Find))),
            Command::Update => self.let_go(),
            Command::Help => self.toggle_help(),
            Command::Palette => self.open(Over::Palette(Box::default())),
            Command::Leave => self.leave(),
            Command::Look if self.screen == Screen::Board => self.go(Screen::Rollout, world, now),
            Command::Look if self.screen == Screen::Map => {
                if !self.map.get_mut().look(target.as_ref()) {
                    self.go(Screen::Rollout, world, now);
                }
            }
            Command::Choose => self.toggle_mark(),
            Command::Neighbours => self.map.get_mut().draw_neighbours(),
            Command::Detail | Command::Look if self.screen == Screen::Ledger => self.ledger.look(world),
            Command::Look if self.screen == Screen::Changes => self.changes.look(world, now),
            Command::Look if self.screen == Screen::Rollout && !self.is_charting() => self.open_chart(),
            Command::Detail | Command::Look => self.open(Over::Detail),
            Command::Go(screen) => self.go(screen, world, now),
            Command::NextPane if self.screen == Screen::Board => self.board.get_mut().to_need(1),
            Command::PreviousPane if self.screen == Screen::Board => self.board.get_mut().to_need(-1),
            Command::NextPane if self.screen == Screen::Rollout => self.next_mark(world, 1),
            Command::PreviousPane if self.screen == Screen::Rollout => self.next_mark(world, -1),
            Command::NextPane | Command::PreviousPane => self.pipeline.next_pane(),
            Command::Logs => {
                self.said = target.and_then(|target| self.pipeline.open_log(world, &target).err()).map(Said::Refusal);
            }
            Command::Follow => self.said = target.and_then(|target| self.pipeline.follow(&target).err()).map(Said::Refusal),
            Command::Moment => self.over = Over::Prompt(Box::new(Prompt::new(Wanted::Moment))),
            Command::Rule(_)
            | Command::Past
            | Command::Event(_)
            | Command::Mark(_)
            | Command::Oldest
            | Command::Newest
            | Command::Play
            | Command::Speed(_) => {}
            Command::RetryFailed => {
                let run = run.map(|run| run.id.clone());
                if let Some(target) = target {
                    let args = Arguments { run, failed_only: true, ..Arguments::default() };
                    self.begin_with(Verb::Retry, target, args, world, now);
                }
            }
            Command::Roles => self.open(Over::Roles(Box::default(), None)),
            Command::Policy => self.over = Over::Prompt(Box::new(Prompt::new(Wanted::Policy))),
            Command::Execute => {
                if let Ok(waiting) = at.plan() {
                    let typed = gate::asks_for_text(world, waiting.plan.target());
                    let plan = planner::recheck(world, &waiting.plan, now);
                    self.over = Over::Plan(Box::new(PlanDialog::stored(plan, typed)));
                }
            }
            Command::Deed(verb) => {
                if let Some(target) = target {
                    self.begin(verb, target, world, now);
                }
            }
        }
        Vec::new()
    }

    /// Plans and judges by other means, for tests of the keys alone.
    #[cfg(test)]
    pub(crate) fn governed(mut self, plan: PlanFn, judge: JudgeFn) -> Self {
        (self.plan, self.judge) = (plan, judge);
        self
    }
}
