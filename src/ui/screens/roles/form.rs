//! What is said about one role: a reason, for how long, and what became of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::config::duration;
use crate::control::roles;
use crate::control::saying;
use crate::control::world::{Heard, World};
use crate::model::name::RoleName;
use crate::model::reason::Reason;
use crate::model::review::LEAST_REASON;
use crate::model::self_service::{GrantState, LONGEST, Place, SHORTEST, Saying, SelfGrant, Spoken, USUAL};
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::policy::allowance;
use crate::ui::arming::Arming;
use crate::ui::field::{self, Field};
use crate::ui::input::{Chord, Key};
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::screens::plan::page::Page;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

use super::Doing;

/// What is being said about one role.
#[derive(Debug)]
pub(super) struct Form {
    doing: Doing,
    reason: Field,
    /// For how long it is taken.
    span: Option<Field>,
    /// Whether the keys go to the time.
    spanning: bool,
    said: Option<(Saying, Moment)>,
    wrong: Option<String>,
}

impl Form {
    pub(super) fn new(doing: Doing) -> Self {
        let span = match &doing {
            Doing::Take(offer) => Some(Field::with(&allowance::span(offer.left.min(USUAL).max(SHORTEST)))),
            Doing::Agree(_) | Doing::Revoke(_) => None,
        };
        Self { doing, reason: Field::default(), span, spanning: false, said: None, wrong: None }
    }

    /// Takes a key; what is to be recorded when Enter said so.
    pub(super) fn on(&mut self, chord: Chord, (world, now): (&World, &Moment), nonce: &mut dyn FnMut() -> String) -> Option<Saying> {
        if self.said.is_some() {
            return None;
        }
        self.wrong = None;
        match chord.key {
            Key::Tab | Key::BackTab if self.span.is_some() => self.spanning = !self.spanning,
            Key::Enter => {
                self.wrong = self.missing();
                if self.wrong.is_none() {
                    let saying = self.saying(world, now, nonce())?;
                    self.said = Some((saying.clone(), *now));
                    return Some(saying);
                }
            }
            Key::Char(_)
            | Key::Backspace
            | Key::Delete
            | Key::Left
            | Key::Right
            | Key::Up
            | Key::Down
            | Key::Home
            | Key::End
            | Key::PageUp
            | Key::PageDown
            | Key::Esc
            | Key::Tab
            | Key::BackTab
            | Key::F(_) => {
                self.field().on(chord);
            }
        }
        None
    }

    /// Says something above the fields, until the next key.
    pub(super) fn tell(&mut self, text: String) {
        self.wrong = Some(text);
    }

    pub(super) fn paste(&mut self, text: &str) {
        if self.said.is_none() {
            self.field().paste(text);
        }
    }

    fn field(&mut self) -> &mut Field {
        match &mut self.span {
            Some(span) if self.spanning => span,
            Some(_) | None => &mut self.reason,
        }
    }

    /// What must be typed first; none when nothing must.
    fn missing(&self) -> Option<String> {
        self.span.as_ref()?;
        if self.reason.text().trim().chars().count() < LEAST_REASON {
            return Some(format!("say what it is needed for: {LEAST_REASON} characters or more"));
        }
        self.taken_for().is_none().then(|| "for 1m to 24h, such as 30m or 2h".to_owned())
    }

    fn taken_for(&self) -> Option<std::time::Duration> {
        duration::parse(self.span.as_ref()?.text()).filter(|span| (SHORTEST..=LONGEST).contains(span))
    }

    /// What would be recorded; none while the time is none.
    fn saying(&self, world: &World, now: &Moment, nonce: String) -> Option<Saying> {
        let words = Text::clean_within(self.reason.text().trim(), field::LONGEST);
        Some(match &self.doing {
            Doing::Take(offer) => {
                let span = Some(self.taken_for()?);
                Saying::Grant(saying::wish(world, offer.role.clone(), offer.place.clone(), span, (words, nonce), now))
            }
            Doing::Agree(grant) => roles::said_of(world, grant, true, words),
            Doing::Revoke(grant) => roles::said_of(world, grant, false, words),
        })
    }

    /// Why it may not be said as the world stands now, apart from what is still to be typed.
    fn refusals(&self, world: &World, now: &Moment) -> Vec<Reason> {
        let Some(saying) = self.saying(world, now, String::new()) else { return Vec::new() };
        let mut reasons = saying::against(world, &saying, now);
        reasons.retain(|reason| reason.rule != "grant-reason");
        reasons
    }

    fn became<'a>(&self, world: &'a World) -> Option<&'a Heard> {
        let (saying, since) = self.said.as_ref()?;
        world.heard.iter().rev().find(|one| &one.saying == saying && one.at >= since.wall)
    }

    fn about(&self) -> (&RoleName, &Place) {
        match &self.doing {
            Doing::Take(offer) => (&offer.role, &offer.place),
            Doing::Agree(grant) | Doing::Revoke(grant) => (&grant.role, &grant.place),
        }
    }

    pub(super) fn title(&self) -> String {
        let (role, place) = self.about();
        match &self.doing {
            Doing::Take(_) => format!("TAKE {role} of {place} for a while"),
            Doing::Agree(grant) => format!("AGREE that {} is {role} of {place}", grant.person),
            Doing::Revoke(grant) => format!("TAKE BACK {role} of {place} from {}", grant.person),
        }
    }

    pub(super) fn keys(&self, scene: &Scene<'_>, arming: &Arming) -> Row {
        let mut row = Row::new();
        row.add(Role::Plain, " ");
        if self.said.is_some() {
            row.add(Role::Key, "Esc").add(Role::Plain, " back");
            return row;
        }
        let does = match &self.doing {
            Doing::Take(_) => "TAKE it",
            Doing::Agree(_) => "AGREE",
            Doing::Revoke(_) => "TAKE it BACK",
        };
        arming.enter(scene, &mut row, self.refusals(scene.world, scene.now).is_empty().then_some(does));
        row.add(Role::Key, "Esc").add(Role::Plain, " back");
        if self.span.is_some() {
            row.add(Role::Plain, "   ").add(Role::Key, "Tab").add(Role::Plain, " next field");
        }
        row
    }

    pub(super) fn draw(&self, scene: &Scene<'_>, buffer: &mut Buffer, area: Rect) {
        let mut page = Page { scene, width: usize::from(area.width), rows: Vec::new() };
        self.fill(&mut page);
        let fields = if self.said.is_some() { 0 } else { 2 + u16::from(self.span.is_some()) };
        let height = area.height.saturating_sub(fields);
        for (y, row) in (0..height).zip(&page.rows) {
            row.draw(buffer, area, y, scene.theme);
        }
        if self.said.is_some() {
            return;
        }
        let mut rule = Row::rule(scene.theme, "");
        if let Some(wrong) = &self.wrong {
            rule.end(Role::Watched, format!(" {wrong} "));
        }
        rule.draw(buffer, area, height, scene.theme);
        let at = |y: u16| Rect { y: area.y + height + y, height: 1, ..area };
        let end = if self.span.is_some() { "what it is needed for" } else { "may be left empty" };
        self.reason.draw_row(buffer, at(1), scene.theme, ("reason ", end), !self.spanning);
        if let Some(span) = &self.span {
            span.draw_row(buffer, at(2), scene.theme, ("for    ", "such as 30m, 2h"), self.spanning);
        }
    }

    fn fill(&self, page: &mut Page<'_, '_>) {
        let scene = page.scene;
        if self.said.is_some() {
            self.outcome(page);
        } else {
            let refusals = self.refusals(scene.world, scene.now);
            if !refusals.is_empty() {
                page.rows.push(Row::rule(scene.theme, "may I"));
                let count = words::counted(refusals.len(), "reason", "reasons");
                page.mark(Mark::Failed, Role::Abnormal, &format!("DENIED, for {count}; Enter is recorded as an attempt"));
                for reason in &refusals {
                    page.reason(reason);
                }
            }
        }
        page.rows.push(Row::rule(scene.theme, "what"));
        match &self.doing {
            Doing::Take(offer) => {
                page.say(Role::Quiet, "role", Role::Strong, &format!("{} of {}", offer.role, offer.place));
                let (at_most, left) = (allowance::span(offer.at_most), allowance::span(offer.left));
                page.say(Role::Quiet, "at most", Role::Plain, &format!("{at_most} without a pause, {left} of it left now"));
                let counts = if offer.approvals == 0 {
                    "at once, from the moment it is recorded".to_owned()
                } else {
                    format!("once {} of these agree: {}", offer.approvals, offer.holders)
                };
                page.say(Role::Quiet, "counts", Role::Plain, &counts);
                page.say(Role::Quiet, "gives", Role::Plain, "the right to act where this role is asked for");
                let not = "no right to agree to plans or to break glass, unless one who holds it agrees to this";
                page.say(Role::Quiet, "not", Role::Plain, not);
                page.say(
                    Role::Quiet,
                    "ends",
                    Role::Plain,
                    "by itself; you, a holder of the role or a policy-owner can take it back before",
                );
            }
            Doing::Agree(grant) | Doing::Revoke(grant) => {
                page.say(Role::Quiet, "role", Role::Strong, &super::line(scene, grant).1);
                page.say(Role::Quiet, "reason", Role::Plain, grant.reason.as_str());
                let then = if matches!(self.doing, Doing::Agree(_)) {
                    format!("{} may then also agree to plans of others than you, and break glass", grant.person)
                } else {
                    format!("what {} does from then on is judged without it", grant.person)
                };
                page.say(Role::Quiet, "then", Role::Plain, &then);
            }
        }
    }

    /// What became of what was said, and what comes next.
    fn outcome(&self, page: &mut Page<'_, '_>) {
        let scene = page.scene;
        let Some(became) = self.became(scene.world) else {
            page.rows.push(Row::rule(scene.theme, "UNDER WAY"));
            page.mark(Mark::Moving, Role::Moving, "asked; the record is being written");
            return;
        };
        match &became.result {
            Ok(Spoken::Grant(grant)) => {
                page.rows.push(Row::rule(scene.theme, "RECORDED"));
                page.mark(Mark::Proven, Role::Strong, &self.recorded(scene, grant));
                if let (Doing::Take(offer), GrantState::Asked) = (&self.doing, grant.state(&scene.now.wall)) {
                    let how = format!("gonogo approve {} --grant {}, or the same list in their room", grant.place, grant.short());
                    page.text(3, Role::Plain, &format!("it counts once {} of these agree: {}: {how}", grant.needs, offer.holders));
                }
            }
            Ok(Spoken::Review(_)) => {}
            Err(error) => {
                if let Some(reasons) = roles::refused(became) {
                    page.rows.push(Row::rule(scene.theme, "DENIED"));
                    page.mark(Mark::Failed, Role::Abnormal, "it was refused, and that is recorded");
                    for reason in reasons {
                        page.reason(reason);
                    }
                } else {
                    page.rows.push(Row::rule(scene.theme, "NOT RECORDED"));
                    page.mark(Mark::Failed, Role::Abnormal, &error.to_string());
                }
            }
        }
    }

    fn recorded(&self, scene: &Scene<'_>, grant: &SelfGrant) -> String {
        let SelfGrant { person, role, place, .. } = grant;
        match &self.doing {
            Doing::Take(_) if grant.needs == 0 => {
                format!("{person} is {role} of {place} until {}", scene.zone.time(&grant.until))
            }
            Doing::Take(_) => format!("{person} asks to be {role} of {place} until {}", scene.zone.time(&grant.until)),
            Doing::Agree(_) => format!("{} agrees that {person} is {role} of {place}", scene.world.actor),
            Doing::Revoke(_) => format!("{person} is {role} of {place} no longer"),
        }
    }
}
