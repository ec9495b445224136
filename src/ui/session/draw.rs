//! How a session is drawn: the frame, the screen, and what lies over it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

use crate::control::roles;
use crate::control::world::World;
use crate::model::intent::Verb;
use crate::model::name::Target;
use crate::model::plan::Plan;
use crate::model::time::Moment;

use super::super::command::Command;
use super::super::frame::{self, Dress, Message, SMALLEST};
use super::super::needs;
use super::super::offer::{self, Standpoint};
use super::super::palette::Palette;
use super::super::row::Row;
use super::super::scene::Scene;
use super::super::screen::Screen;
use super::super::screens::links::LinksDialog;
use super::super::screens::schedule::ScheduleDialog;
use super::super::screens::{board, detail, help, incident, rollout};
use super::super::theme::{Role, of_standing};
use super::super::widgets::scrubber;
use super::super::words;
use super::{Over, Said, Session};

impl Session {
    /// Draws everything into an empty buffer of any size.
    pub fn draw(&self, world: &World, now: &Moment, buffer: &mut Buffer) {
        self.hyperlinks.borrow_mut().clear();
        self.pressable.set(false);
        if self.draw_past(world, now, buffer) {
            return;
        }
        let scene = Scene::new(world, now, &self.theme, self.keymap.on(self.screen)).choosing(&self.chosen).over(self.line);
        self.board.borrow_mut().refresh(world, now);
        self.refresh_map(world, now);
        let area = buffer.area;
        if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
            self.draw_small(&scene, buffer, area);
        } else {
            self.draw_whole(&scene, buffer, area);
            self.pressable.set(true);
        }
        if !self.theme.unicode {
            only_ascii(buffer);
        }
        if let Some(ground) = self.theme.ground() {
            lay(ground, buffer);
        }
        self.due.set(scene.due().map(|due| now.boot.plus(due)));
    }

    /// What needs a person beside the target that this screen is about; the board shows it all.
    fn elsewhere(&self, scene: &Scene<'_>, target: Option<&Target>) -> Option<(Role, [String; 2])> {
        if self.screen == Screen::Board || scene.world.scrub.is_some() {
            return None;
        }
        let board = self.board.borrow();
        let here = target.filter(|_| self.screen.has_target());
        let mut others = board.needs().iter().filter(|need| need.target.is_none() || need.target.as_ref() != here);
        let worst = others.next()?;
        let count = 1 + others.count();
        let words = words::counted(count, "needs you", "need you");
        let more = if count > 1 { ", .." } else { "" };
        Some((of_standing(worst.standing).1, [format!("{words}: {}{more}", worst.subject), words]))
    }

    fn draw_whole(&self, scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
        let target = self.subject(scene.world, scene.now);
        let mut dress = Dress {
            message: self.message(scene, target.as_ref()),
            reads: self.screen.reads(scene.world, target.as_ref()),
            elsewhere: self.elsewhere(scene, target.as_ref()),
            now_needs: self.now_needs.get(),
            ..Dress::default()
        };
        if self.screen.has_target() {
            let target = target.as_ref().map(ToString::to_string).unwrap_or_default();
            dress.title = vec![(Role::Strong, target), (Role::Plain, format!("  {}", self.screen.word()))];
        }
        if self.screen == Screen::Map {
            dress.title = self.map.borrow().title();
        }
        match &self.over {
            Over::Plan(dialog) => {
                let verdict = (self.judge)(scene.world, dialog.plan(), scene.now);
                let ended = dialog.plan().expires <= scene.now.wall;
                dress.title = dialog.title();
                dress.reads = Screen::Incident.reads(scene.world, Some(dialog.plan().target()));
                dress.keys = dialog.keys(scene, &verdict, ended, usize::from(area.width));
                let body = self.framed(scene, &dress, buffer, area);
                dialog.draw(scene, &verdict, buffer, body);
            }
            Over::Ruling(dialog) => {
                let plan = dialog.plan();
                dress.title = dialog.title();
                dress.reads = Screen::Incident.reads(scene.world, Some(plan.target()));
                let refusals = dialog.refusals(scene.world, scene.now);
                dress.keys = dialog.keys(scene, !refusals.is_empty());
                let body = self.framed(scene, &dress, buffer, area);
                dialog.draw(scene, &refusals, buffer, body);
            }
            Over::Schedule(sheet, dialog) => {
                dress.title = ScheduleDialog::title(dialog.plan());
                dress.keys = ScheduleDialog::keys();
                let body = self.framed(scene, &dress, buffer, area);
                sheet.draw(scene, dialog.plan(), buffer, body);
            }
            Over::Roles(sheet, _) => {
                dress.title = sheet.title();
                dress.keys = sheet.keys(scene);
                let body = self.framed(scene, &dress, buffer, area);
                sheet.draw(scene, buffer, body);
            }
            Over::Many(dialog) => {
                let judge = |plan: &Plan| (self.judge)(scene.world, plan, scene.now);
                dress.title = dialog.title();
                dress.keys = dialog.keys(scene, judge);
                let body = self.framed(scene, &dress, buffer, area);
                dialog.draw(scene, judge, buffer, body);
            }
            Over::Help => {
                let body = self.framed(scene, &dress, buffer, area);
                let at = self.standpoint(scene, target.as_ref());
                let rows = help::rows(scene, &at, (usize::from(body.width), usize::from(body.height)));
                self.furthest.set(help::draw(scene, &rows, self.scroll, buffer, body));
                self.closing_keys(scene, rows.len()).draw(buffer, area, area.height - 1, scene.theme);
            }
            Over::Detail => {
                let body = self.framed(scene, &dress, buffer, area);
                let rows = detail::rows(scene, target.as_ref(), &dress.reads, usize::from(body.width));
                self.furthest.set(help::draw(scene, &rows, self.scroll, buffer, body));
                self.closing_keys(scene, rows.len()).draw(buffer, area, area.height - 1, scene.theme);
            }
            Over::Links(dialog) => {
                dress.keys = LinksDialog::keys();
                let body = self.framed(scene, &dress, buffer, area);
                self.draw_links(scene, dialog, buffer, body);
            }
            Over::Palette(palette) => {
                dress.keys = Palette::keys(target.as_ref());
                let body = self.framed(scene, &dress, buffer, area);
                palette.draw(scene, &self.standpoint(scene, target.as_ref()), buffer, body);
            }
            Over::Prompt(prompt) => {
                dress.keys = prompt.keys();
                let body = self.framed(scene, &dress, buffer, area);
                self.draw_screen(scene, buffer, body);
                prompt.draw(scene, buffer, area, area.height.saturating_sub(2));
            }
            Over::Nothing => {
                dress.keys = self.keys(scene, usize::from(area.width));
                let body = self.framed(scene, &dress, buffer, area);
                self.draw_screen(scene, buffer, body);
            }
        }
    }

    /// What the operator is told now. A refusal is told in the words of help, as long as it holds.
    fn message(&self, scene: &Scene<'_>, target: Option<&Target>) -> Option<Message> {
        if let Some(begun) = self.begun_message(scene) {
            return Some(begun);
        }
        match self.said.as_ref()? {
            Said::News(text) => Some(Message::News(text.clone())),
            Said::Refusal(text) => Some(Message::Refusal(text.clone())),
            Said::Refused(command) => {
                let entry = command.entry()?;
                let on = target.filter(|_| command.verb().is_some()).map(|target| format!(" {target}")).unwrap_or_default();
                let why = offer::hindrance(entry, &self.standpoint(scene, target));
                Some(match why {
                    Some(why) => Message::Refusal(format!("no {}{on}: {why}", entry.label)),
                    None => Message::News(format!("{} {}{on} works now", scene.keymap.shown(*command), entry.label)),
                })
            }
        }
    }

    fn draw_screen(&self, scene: &Scene<'_>, buffer: &mut Buffer, body: Rect) {
        match self.screen {
            Screen::Board => {
                self.board.borrow_mut().draw(scene, buffer, body);
                self.furthest.set(0);
            }
            Screen::Changes => {
                self.changes.draw(scene, buffer, body);
                self.furthest.set(0);
            }
            Screen::Ledger => {
                self.ledger.draw(scene, buffer, body);
                self.furthest.set(0);
            }
            Screen::Map => {
                self.map.borrow().draw(scene, self.target().as_ref(), buffer, body);
                self.furthest.set(0);
            }
            Screen::Pipeline | Screen::Rollout | Screen::Incident => match self.target() {
                None => Row::of(Role::Quiet, "  no service is marked; Esc goes back to the board").draw(buffer, body, 1, scene.theme),
                Some(target) => self.draw_target(scene, &target, buffer, body),
            },
        }
    }

    fn draw_target(&self, scene: &Scene<'_>, target: &Target, buffer: &mut Buffer, body: Rect) {
        let width = usize::from(body.width);
        let rows = match self.screen {
            Screen::Pipeline => {
                self.furthest.set(0);
                self.pipeline.draw(scene, target, buffer, body);
                return;
            }
            Screen::Incident => incident::rows(scene, target, width),
            Screen::Rollout | Screen::Board | Screen::Map | Screen::Changes | Screen::Ledger => {
                let way_back = self.way_back.of(scene, target, self.plan, self.judge);
                rollout::rows(scene, target, way_back.as_ref(), &self.lens.on(target), (width, usize::from(body.height)))
            }
        };
        self.furthest.set(help::draw(scene, &rows, self.scroll, buffer, body));
    }

    fn standpoint<'a>(&self, scene: &Scene<'a>, target: Option<&'a Target>) -> Standpoint<'a> {
        let run = target.and_then(|target| self.pipeline.run(scene.world, target));
        Standpoint { world: scene.world, screen: self.screen, target, run, marked: self.marked(scene.world, scene.now), now: scene.now }
    }

    /// Below the smallest size: what happens by itself, and the way back.
    fn draw_small(&self, scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
        let (width, height) = SMALLEST;
        let past = scene.world.scrub.as_ref().map(|scrub| format!("PAST {}, ", frame::moment(scene, scrub))).unwrap_or_default();
        Row::of(Role::Strong, format!("{past}have {}x{}, need {width}x{height}", area.width, area.height)).draw(
            buffer,
            area,
            0,
            scene.theme,
        );
        if let Over::Plan(dialog) = &self.over {
            let verdict = (self.judge)(scene.world, dialog.plan(), scene.now);
            let mut title = Row::new();
            for (role, text) in dialog.title() {
                title.add(role, text);
            }
            title.draw(buffer, area, 1, scene.theme);
            let last = area.height.saturating_sub(1);
            if area.height > 5 && area.width > 30 {
                let body = Rect { y: area.y + 2, height: area.height.saturating_sub(3), ..area };
                dialog.draw(scene, &verdict, buffer, body);
                let ended = dialog.plan().expires <= scene.now.wall;
                dialog.keys(scene, &verdict, ended, usize::from(area.width)).draw(buffer, area, last, scene.theme);
            }
            return;
        }
        let events = needs::by_itself(scene.world, scene.now);
        let said =
            self.message(scene, self.target().as_ref()).map(|message| message.rows(scene, usize::from(area.width))).unwrap_or_default();
        let over_keys = u16::try_from(said.len()).unwrap_or(0);
        let rows = area.height.saturating_sub(2 + over_keys);
        for (y, row) in (area.height.saturating_sub(1 + over_keys)..).zip(&said) {
            row.draw(buffer, area, y, scene.theme);
        }
        for (y, event) in (1..=rows).zip(&events) {
            board::by_itself_row(scene, event).draw(buffer, area, y, scene.theme);
        }
        if events.is_empty() && rows > 0 {
            Row::of(Role::Quiet, "gonogo moves nothing by itself; people and other tools can").draw(buffer, area, 1, scene.theme);
        }
        if area.height > 1 {
            self.keys(scene, usize::from(area.width)).draw(buffer, area, area.height - 1, scene.theme);
        }
    }

    /// The way back, and which rows of all are in sight.
    fn closing_keys(&self, scene: &Scene<'_>, rows: usize) -> Row {
        let mut row = Row::new();
        row.add(Role::Plain, " ").add(Role::Key, scene.keymap.shown(Command::Leave)).add(Role::Plain, " back");
        if self.furthest.get() > 0 {
            row.add(Role::Plain, "   ")
                .add(Role::Key, format!("{} {}", scene.keymap.shown(Command::Up), scene.keymap.shown(Command::Down)));
            let first = self.scroll.min(self.furthest.get());
            row.add(Role::Plain, format!(" the rest: rows {} to {} of {rows}", first + 1, first + rows - self.furthest.get()));
        }
        row
    }

    /// The row of keys: the target in full, what can be done to it now, and the way to the rest.
    fn keys(&self, scene: &Scene<'_>, width: usize) -> Row {
        if let Some(scrub) = &scene.world.scrub {
            return scrubber::keys(scene, scrub);
        }
        let target = self.subject(scene.world, scene.now);
        let at = self.standpoint(scene, target.as_ref());
        let key = |command| scene.keymap.shown(command);
        let mut end = vec![(Command::Help, "all keys")];
        if width >= 120 {
            end.insert(0, (Command::Palette, "verb"));
        }
        match self.screen {
            Screen::Board | Screen::Map => end.insert(0, (Command::Find, "find")),
            Screen::Pipeline | Screen::Rollout | Screen::Incident | Screen::Changes | Screen::Ledger => {
                end.insert(0, (Command::Leave, "back"));
            }
        }
        let mut row = Row::new();
        row.add(Role::Plain, " ");
        if self.screen == Screen::Ledger {
            // These are about entries, not about the target.
            for (command, label) in [(Command::Look, "entry"), (Command::Verify, "verify")] {
                row.add(Role::Key, key(command)).add(Role::Plain, format!(" {label}  "));
            }
        }
        let names_at = row.width();
        let marked = self.marks();
        if let Some(marked) = marked {
            row.add(Role::Strong, format!("{} marked", marked.len())).add(Role::Plain, ":").at(names_at + 19);
        } else if let Some(target) = &target {
            row.add(Role::Strong, target.to_string()).add(Role::Plain, ":").at(names_at - 1 + if width >= 100 { 28 } else { 20 });
        }
        if marked.is_some() {
            end.insert(0, (Command::Leave, "unmark"));
        } else if self.screen == Screen::Board && width >= 140 {
            end.insert(0, (Command::Choose, "mark"));
        }
        let taken: usize = end.iter().map(|(command, label)| key(*command).len() + label.len() + 4).sum();
        let mut offers: Vec<(Command, &str)> = offer::deeds(&at).into_iter().map(|entry| (entry.command, entry.label)).collect();
        if let Some(marked) = marked {
            offers = Self::of_marked(scene.world, marked);
        }
        if scene.world.read_only {
            row.add(Role::Watched, "read-only  ");
        }
        let mut of_screen: Vec<(Command, &str)> = match self.screen {
            Screen::Board if target.is_some() => vec![(Command::Look, "look")],
            Screen::Map if target.is_some() => vec![(Command::Look, "look"), (Command::Neighbours, "neighbours")],
            Screen::Pipeline => vec![(Command::Logs, "log")],
            Screen::Changes if at.marked.is_some() => {
                vec![(Command::Look, "whole plan"), (Command::Calendar, "calendar"), (Command::Pack, "pack")]
            }
            Screen::Changes => vec![(Command::Calendar, "calendar"), (Command::Pack, "pack")],
            Screen::Rollout if target.is_some() && !self.lens().is_open() => vec![(Command::Chart, "chart")],
            Screen::Board | Screen::Map | Screen::Rollout | Screen::Incident | Screen::Ledger => Vec::new(),
        };
        if self.screen == Screen::Changes && roles::are_of_use(scene.world, scene.now) {
            of_screen.insert(0, (Command::Roles, "roles"));
        }
        if self.screen == Screen::Pipeline {
            // What acts on runs stands first here; the rest keeps its order.
            offers.sort_by_key(|(command, _)| !matches!(command, Command::Deed(Verb::Start | Verb::Retry | Verb::Cancel)));
        }
        let place = offers.len().min(if self.screen == Screen::Pipeline { 2 } else { 3 });
        if marked.is_none() {
            offers.splice(place..place, of_screen);
        }
        // What can be said about the plan that waits stands first: it is what somebody else waits for.
        let said = offer::said(&at).into_iter().map(|entry| (entry.command, entry.label));
        offers.splice(0..0, said.filter(|_| marked.is_none()));
        for (command, label) in offers {
            let shown = key(command);
            if shown.is_empty() || row.width() + shown.len() + label.len() + 3 + taken > width {
                continue;
            }
            row.add(Role::Key, shown).add(Role::Plain, format!(" {label}  "));
        }
        for (command, label) in end {
            row.end(Role::Key, format!("  {}", key(command)));
            row.end(Role::Plain, format!(" {label}"));
        }
        row.end(Role::Plain, " ");
        row
    }
}

/// The last gate of a theme without Unicode: nothing else leaves.
fn only_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            cell.set_symbol("?");
        }
    }
}

/// Lays a theme's own ground under everything that has none.
fn lay((ink, ground): (Color, Color), buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.fg == Color::Reset {
            cell.fg = ink;
        }
        if cell.bg == Color::Reset {
            cell.bg = ground;
        }
    }
}
