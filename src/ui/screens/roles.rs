//! Roles that people take for a while: who has one until when, what the one at the keys may take, and what can be said to each.

mod form;
mod list;

use std::cell::{Cell, RefCell};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::roles::{self, Offer};
use crate::control::saying;
use crate::control::world::World;
use crate::model::approval::Decision;
use crate::model::self_service::{Saying, SelfGrant};
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::ui::arming::Arming;
use crate::ui::command::Command;
use crate::ui::input::{Chord, Key};
use crate::ui::keymap::{Keys, Meaning};
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::sequence::{Begun, Typed};
use crate::ui::theme::Role;

use self::form::Form;
pub use self::list::line;

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doing {
    /// A role is taken.
    Take(Offer),
    /// Somebody's grant is agreed to.
    Agree(SelfGrant),
    /// A grant is taken back.
    Revoke(SelfGrant),
}

/// One row of the list that can be marked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// A grant that runs or waits for agreement.
    Grant(SelfGrant),
    /// What may be taken.
    Offer(Offer),
}

impl Item {
    /// What it is known by.
    fn name(&self) -> String {
        match self {
            Self::Grant(grant) => grant.id.clone(),
            Self::Offer(offer) => format!("{} {}", offer.role, offer.place),
        }
    }
}

/// The list of roles before its operator, and what is being said.
#[derive(Debug, Default)]
pub struct RolesDialog {
    /// What is marked; what has gone leaves the mark to what stands there now.
    marked: RefCell<Option<String>>,
    mark: Cell<usize>,
    form: Option<Form>,
    /// Whether it was opened to take this one role: leaving it leaves all.
    direct: bool,
    arming: Arming,
    /// Of the list, whose keys are those of the screen below.
    begun: Begun,
    told: Option<String>,
}

/// What a key did to it.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// It goes on.
    Open,
    /// It was left.
    Left,
    /// Record this; what policy refuses is recorded as refused.
    Say(Box<Saying>),
}

impl RolesDialog {
    /// Opens the form that takes one role.
    pub fn taking(offer: Offer) -> Self {
        Self { form: Some(Form::new(Doing::Take(offer))), direct: true, ..Self::default() }
    }

    /// From when on its keys count.
    pub fn arming(&self) -> &Arming {
        &self.arming
    }

    /// Takes a key. `nonce` makes two equal wishes two grants.
    pub fn on(&mut self, chord: Chord, keys: &Keys, (world, now): (&World, &Moment), nonce: &mut dyn FnMut() -> String) -> Reply {
        if chord.key == Key::Esc && !self.begun.is_one() {
            return self.leave();
        }
        if !self.arming.armed() {
            self.forget_begun();
            self.arming.drop_key();
            self.tell(self.arming.dropped().unwrap_or_default());
            return Reply::Open;
        }
        self.arming.forget();
        if let Some(form) = &mut self.form {
            return form.on(chord, (world, now), nonce).map_or(Reply::Open, |saying| Reply::Say(Box::new(saying)));
        }
        self.told = None;
        let (all, typed) = self.begun.take(chord, keys);
        let command = match typed {
            Typed::Means(Meaning::Command(command)) => Some(command),
            Typed::Means(Meaning::Nothing) => None,
            Typed::Means(Meaning::Begins) | Typed::Leaves => return Reply::Open,
        };
        let items = items(world, now);
        let (here, last) = (self.here(&items), items.len().saturating_sub(1));
        match (command, items.get(here)) {
            (Some(Command::Leave), _) => return self.leave(),
            (Some(Command::Up), _) => self.go(&items, here.saturating_sub(1)),
            (Some(Command::Down), _) => self.go(&items, (here + 1).min(last)),
            (Some(Command::First), _) => self.go(&items, 0),
            (Some(Command::Last), _) => self.go(&items, last),
            (Some(Command::Look), Some(Item::Offer(offer))) => self.begin(Doing::Take(offer.clone())),
            (Some(Command::Rule(Decision::Approve)), Some(Item::Grant(grant))) => self.begin(Doing::Agree(grant.clone())),
            (Some(Command::Rule(Decision::Reject | Decision::Withdraw)), Some(Item::Grant(grant))) => {
                self.begin(Doing::Revoke(grant.clone()));
            }
            (Some(Command::Look), Some(Item::Grant(_))) => {
                let key = |decision| keys.shown(Command::Rule(decision));
                self.told = Some(format!("{} agrees to it, {} takes it back", key(Decision::Approve), key(Decision::Reject)));
            }
            (Some(Command::Rule(_)), Some(Item::Offer(_))) => {
                self.told = Some(format!("nobody has it: {} takes it", keys.shown(Command::Look)));
            }
            (_, _) => self.told = Some(format!("{} means nothing here", all.shown())),
        }
        Reply::Open
    }

    /// What was begun in the list.
    pub fn begun(&self) -> &Begun {
        &self.begun
    }

    /// Forgets it.
    pub fn forget_begun(&mut self) {
        self.begun.forget();
    }

    /// Moves the mark by rows, where the list is shown and was seen.
    pub fn step(&self, by: isize, world: &World, now: &Moment) {
        if self.form.is_none() && self.arming.armed() {
            let items = items(world, now);
            self.go(&items, self.here(&items).saturating_add_signed(by).min(items.len().saturating_sub(1)));
        }
    }

    /// Where the mark stands: it stays on what it was put on, wherever that has gone.
    fn here(&self, items: &[Item]) -> usize {
        let found = self.marked.borrow().as_ref().and_then(|marked| items.iter().position(|item| &item.name() == marked));
        let here = found.unwrap_or_else(|| self.mark.get()).min(items.len().saturating_sub(1));
        self.go(items, here);
        here
    }

    fn go(&self, items: &[Item], there: usize) {
        *self.marked.borrow_mut() = items.get(there).map(Item::name);
        self.mark.set(there);
    }

    fn tell(&mut self, text: String) {
        match &mut self.form {
            Some(form) => form.tell(text),
            None => self.told = Some(text),
        }
    }

    fn begin(&mut self, doing: Doing) {
        self.form = Some(Form::new(doing));
        self.arming.again();
    }

    fn leave(&mut self) -> Reply {
        if self.direct || self.form.is_none() {
            return Reply::Left;
        }
        self.form = None;
        Reply::Open
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        if let (true, Some(form)) = (self.arming.armed(), &mut self.form) {
            form.paste(text);
        }
    }

    /// Line 1 of the frame.
    pub fn title(&self) -> Vec<(Role, String)> {
        let title = self.form.as_ref().map_or_else(|| "ROLES for a while".to_owned(), Form::title);
        vec![(Role::Strong, title)]
    }

    /// The row of keys.
    pub fn keys(&self, scene: &Scene<'_>) -> Row {
        if let Some(form) = &self.form {
            return form.keys(scene, &self.arming);
        }
        let mut row = Row::new();
        row.add(Role::Plain, " ");
        self.arming.enter(scene, &mut row, None);
        let mut add = |command, label: &str| {
            row.add(Role::Key, scene.keymap.shown(command)).add(Role::Plain, format!(" {label}   "));
        };
        let items = items(scene.world, scene.now);
        match items.get(self.here(&items)) {
            Some(Item::Offer(_)) => add(Command::Look, "take it"),
            Some(Item::Grant(grant)) => {
                if may(scene, grant, true) {
                    add(Command::Rule(Decision::Approve), "agree");
                }
                if may(scene, grant, false) {
                    add(Command::Rule(Decision::Reject), "take back");
                }
            }
            None => {}
        }
        add(Command::Leave, "back");
        row
    }

    /// Draws the body.
    pub fn draw(&self, scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
        if let Some(form) = &self.form {
            form.draw(scene, buffer, area);
        } else {
            let items = items(scene.world, scene.now);
            list::draw(scene, &items, (self.here(&items), self.told.as_deref()), buffer, area);
        }
        self.arming.draw(area.height > 5);
    }
}

/// Whether the one at the keys may agree to a grant, or take it back.
fn may(scene: &Scene<'_>, grant: &SelfGrant, agrees: bool) -> bool {
    let saying = roles::said_of(scene.world, grant, agrees, Text::empty());
    saying::against(scene.world, &saying, scene.now).is_empty()
}

fn items(world: &World, now: &Moment) -> Vec<Item> {
    let grants = roles::running(world, now).into_iter().cloned().map(Item::Grant);
    grants.chain(roles::offers(world, now).into_iter().map(Item::Offer)).collect()
}
