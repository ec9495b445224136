//! A prompt: one row in which an operator types a share, a note or what to find.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::config::duration;
use crate::control::replay::when::When;
use crate::model::flag::FlagWish;
use crate::model::intent::{Arguments, Intent, Verb};
use crate::model::name::Target;
use crate::model::review::{LEAST_REASON, LONGEST_BOX, SHORTEST_BOX, USUAL_BOX};
use crate::model::share::Percent;
use crate::model::silence::{LONGEST, SHORTEST, SilenceWish};
use crate::model::text::Text;
use crate::model::traffic::ServerRef;

use super::field::Field;
use super::input::{Chord, Key};
use super::row::{Row, cells};
use super::scene::Scene;
use super::theme::Role;
use super::words;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The share of a shift.
    Share(Target),
    /// A note.
    Note(Target),
    /// The version of a rollout of a workload.
    Version(Target),
    /// A flag and what it shall be.
    Flag(Target),
    /// The server that is drained, or made ready.
    Server(Target, Verb),
    /// The alert that is silenced, for how long and why; or the one that calls again.
    Silence(Target, Verb),
    /// Why the glass is broken for this.
    Glass(Box<Intent>),
    /// What was looked at before a name is put under changed rules.
    Policy,
    /// What to find.
    Find,
    /// A moment of the past.
    Moment,
}

/// A prompt.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// What is asked for.
    pub wanted: Wanted,
    field: Field,
    wrong: Option<String>,
}

/// What a key did to a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It goes on.
    Open,
    /// It was left.
    Left,
    /// A share.
    Share(Target, Percent),
    /// A note.
    Note(Target, Text),
    /// The version of a rollout of a workload.
    Version(Target, Text),
    /// A flag and what it shall be.
    Flag(Target, FlagWish),
    /// The server that is drained, or made ready.
    Server(Target, Verb, ServerRef),
    /// The alert that is silenced or not any more, and why.
    Silence(Target, Verb, SilenceWish, Text),
    /// What breaks the glass, with its reason and its time box.
    Glass(Box<Intent>),
    /// A name is put under changed rules, in these words.
    Policy(Text),
    /// What to find; the prompt goes on.
    Finding(String),
    /// What to find, and the prompt is done.
    Found(String),
    /// A moment of the past.
    Moment(When),
}

impl Prompt {
    /// Opens a prompt.
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, field: Field::default(), wrong: None }
    }

    /// Takes a key.
    pub fn on(&mut self, chord: Chord) -> Answer {
        self.wrong = None;
        match (chord.key, &self.wanted) {
            (Key::Esc, Wanted::Find) => Answer::Found(String::new()),
            (Key::Esc, _) => Answer::Left,
            (Key::Enter, _) => self.finish(),
            (Key::Char(c), Wanted::Share(_)) if !chord.ctrl && !c.is_ascii_digit() => {
                self.wrong = Some("digits only".to_owned());
                Answer::Open
            }
            (_, _) => {
                self.field.on(chord);
                self.typed()
            }
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) -> Answer {
        self.field.paste(text);
        self.typed()
    }

    /// It goes on; what is found follows what is typed.
    fn typed(&self) -> Answer {
        if self.wanted == Wanted::Find { Answer::Finding(self.field.text().to_owned()) } else { Answer::Open }
    }

    fn finish(&mut self) -> Answer {
        let typed = self.field.text().trim();
        match &self.wanted {
            Wanted::Find => Answer::Found(typed.to_owned()),
            Wanted::Moment => {
                if let Ok(when) = typed.parse() {
                    return Answer::Moment(when);
                }
                self.wrong = Some(format!("`{typed}` is no moment"));
                Answer::Open
            }
            Wanted::Policy => Answer::Policy(Text::clean_within(typed, super::field::LONGEST)),
            Wanted::Note(target) if typed.is_empty() => {
                self.wrong = Some(format!("write what should be known of {target}"));
                Answer::Open
            }
            Wanted::Version(target) if typed.is_empty() => {
                self.wrong = Some(format!("which version of {} it brings", target.service));
                Answer::Open
            }
            Wanted::Version(target) => Answer::Version(target.clone(), Text::clean_within(typed, super::field::LONGEST)),
            Wanted::Note(target) => Answer::Note(target.clone(), Text::clean_within(typed, super::field::LONGEST)),
            Wanted::Glass(intent) => match glass(intent, typed) {
                Ok(intent) => Answer::Glass(Box::new(intent)),
                Err(wrong) => {
                    self.wrong = Some(wrong);
                    Answer::Open
                }
            },
            Wanted::Server(target, verb) => match typed.parse() {
                Ok(server) => Answer::Server(target.clone(), *verb, server),
                Err(wrong) => {
                    self.wrong = Some(format!("no server: {wrong}"));
                    Answer::Open
                }
            },
            Wanted::Silence(target, verb) => match silence(*verb, typed) {
                Ok((wish, why)) => Answer::Silence(target.clone(), *verb, wish, why),
                Err(wrong) => {
                    self.wrong = Some(wrong);
                    Answer::Open
                }
            },
            Wanted::Flag(target) => match typed.split_once(' ').map(|(name, to)| (name, to.trim().parse())) {
                Some((name, Ok(to))) => Answer::Flag(target.clone(), FlagWish { name: name.to_owned(), to }),
                Some((_, Err(wrong))) => {
                    self.wrong = Some(wrong);
                    Answer::Open
                }
                None => {
                    self.wrong = Some("expected FLAG on, FLAG off, or FLAG and a percentage".to_owned());
                    Answer::Open
                }
            },
            Wanted::Share(target) => {
                if let Some(percent) = typed.parse().ok().and_then(Percent::new) {
                    return Answer::Share(target.clone(), percent);
                }
                self.wrong = Some(format!("`{typed}` is no share; expected 0 to 100"));
                Answer::Open
            }
        }
    }

    /// Draws the prompt on line `y`.
    pub fn draw(&self, scene: &Scene<'_>, buffer: &mut Buffer, area: Rect, y: u16) {
        let mut row = Row::new();
        match &self.wanted {
            Wanted::Share(target) => {
                let view = scene.world.target(target);
                let version = view.and_then(|view| view.version(view.canary_slot())).map(|seen| format!("{} ", seen.version));
                let now = view.and_then(|view| view.wished()).map(words::share);
                let version = version.unwrap_or_default();
                let now = now.map(|share| format!(" ({version}now {share} %)")).unwrap_or_default();
                row.add(Role::Strong, format!(" shift {target}")).add(Role::Plain, format!("{now} to per cent: "));
            }
            Wanted::Flag(target) => {
                let flags = scene.world.catalog.deploy(target).map(|deploy| deploy.flags.iter().map(|entry| entry.flag.name.as_str()));
                let flags: Vec<&str> = flags.into_iter().flatten().take(5).collect();
                row.add(Role::Strong, format!(" flag of {target}"));
                row.add(Role::Plain, format!(" ({}) and on, off or per cent: ", flags.join(", ")));
            }
            Wanted::Server(target, verb) => {
                let deploy = scene.world.catalog.deploy(target);
                let servers = deploy.map(|deploy| deploy.servers().into_iter().take(6).collect::<Vec<_>>().join(", ")).unwrap_or_default();
                row.add(Role::Strong, format!(" {} a server of {target}", verb.word())).add(Role::Plain, format!(" ({servers}): "));
            }
            Wanted::Silence(target, verb) => {
                let begins = *verb == Verb::Silence;
                let view = scene.world.target(target);
                let all = view.map(|view| view.alerts.iter().filter(|alert| alert.silenced_by.is_empty() == begins));
                let names: Vec<&str> = all.into_iter().flatten().take(4).map(|alert| alert.name.as_str()).collect();
                let then = if begins { ", time, why" } else { "" };
                row.add(Role::Strong, format!(" {} of {target}", verb.word())).add(Role::Plain, format!(" ({}){then}: ", names.join(", ")));
            }
            Wanted::Note(target) => {
                row.add(Role::Strong, format!(" note on {target}")).add(Role::Plain, ": ");
            }
            Wanted::Version(target) => {
                row.add(Role::Strong, format!(" roll out {target}")).add(Role::Plain, ", version: ");
            }
            Wanted::Glass(intent) => {
                row.add(Role::Watched, " BREAK GLASS").add(Role::Strong, format!(" {} {}", intent.verb.word(), intent.target));
                row.add(Role::Plain, ": ");
            }
            Wanted::Policy => {
                row.add(Role::Strong, " put your name under the changed rules").add(Role::Plain, ", what you looked at: ");
            }
            Wanted::Moment => {
                row.add(Role::Strong, " to the moment").add(Role::Plain, ": ");
            }
            Wanted::Find => {
                row.add(Role::Strong, " find").add(Role::Plain, ": ");
            }
        }
        let from = row.width();
        let tail = self.wrong.clone().or_else(|| match &self.wanted {
            Wanted::Share(target) => {
                let steps = scene.world.catalog.deploy(target).map(|deploy| &deploy.steps);
                steps.map(|steps| {
                    format!(
                        "steps 0 {}",
                        steps.iter().filter(|step| **step != Percent::NONE).map(ToString::to_string).collect::<Vec<_>>().join(" ")
                    )
                })
            }
            Wanted::Glass(_) => Some("why, [for 15m]".to_owned()),
            Wanted::Moment => Some("13:59:10Z, -10m".to_owned()),
            Wanted::Version(target) => {
                let view = scene.world.target(target);
                view.and_then(|view| view.version(view.state.stable)).map(|seen| format!("now {}", seen.version))
            }
            Wanted::Flag(_) | Wanted::Server(..) | Wanted::Silence(..) | Wanted::Note(_) | Wanted::Policy | Wanted::Find => None,
        });
        if let Some(tail) = &tail {
            row.end(if self.wrong.is_some() { Role::Watched } else { Role::Quiet }, format!(" {tail} "));
        }
        for x in area.x..area.right() {
            if let Some(cell) = buffer.cell_mut((x, area.y + y)) {
                cell.reset();
            }
        }
        row.draw(buffer, area, y, scene.theme);
        let (Ok(x), used) = (u16::try_from(from), tail.as_deref().map_or(0, |tail| cells(tail) + 3)) else { return };
        let rest = || area.width.saturating_sub(x).saturating_sub(u16::try_from(used).unwrap_or(0));
        let width = if let Wanted::Share(_) = self.wanted { 4 } else { rest() };
        self.field.draw(buffer, Rect { x: area.x + x, y: area.y + y, width, height: 1 }, scene.theme, true);
    }

    /// The row of keys while it is open.
    pub fn keys(&self) -> Row {
        let mut row = Row::new();
        let enter = match self.wanted {
            Wanted::Share(_)
            | Wanted::Flag(_)
            | Wanted::Server(..)
            | Wanted::Silence(..)
            | Wanted::Note(_)
            | Wanted::Version(_)
            | Wanted::Glass(_) => " opens the plan   ",
            Wanted::Policy => " puts it on record   ",
            Wanted::Find => " keeps it   ",
            Wanted::Moment => " goes there   ",
        };
        row.add(Role::Plain, " ").add(Role::Key, "Enter").add(Role::Plain, enter).add(Role::Key, "Esc").add(Role::Plain, " leaves");
        row
    }
}

/// What was typed of a silence: `CheckoutErrors 2h the fix is under way`; of its end the alert alone.
fn silence(verb: Verb, typed: &str) -> Result<(SilenceWish, Text), String> {
    let mut words = typed.splitn(3, ' ');
    let alert = words.next().unwrap_or_default().to_owned();
    if verb == Verb::Unsilence {
        return if typed.is_empty() {
            Err("which alert".to_owned())
        } else {
            Ok((SilenceWish { alert: typed.to_owned(), lasts: None }, Text::empty()))
        };
    }
    let lasts = words.next().and_then(duration::parse).filter(|lasts| (SHORTEST..=LONGEST).contains(lasts));
    let why = words.next().map(str::trim).unwrap_or_default();
    match lasts {
        None => Err("expected ALERT 2h REASON, 1m to 8h".to_owned()),
        Some(_) if why.is_empty() => Err("write why".to_owned()),
        Some(lasts) => Ok((SilenceWish { alert, lasts: Some(lasts) }, Text::clean_within(why, super::field::LONGEST))),
    }
}

/// What was typed as the reason and the time box of an intent that breaks the glass.
fn glass(intent: &Intent, typed: &str) -> Result<Intent, String> {
    let boxed = typed.rsplit_once(" for ").and_then(|(reason, span)| Some((reason.trim(), duration::parse(span.trim())?)));
    let (reason, span) = boxed.unwrap_or((typed, USUAL_BOX));
    if reason.chars().count() < LEAST_REASON {
        return Err(format!("{LEAST_REASON} characters or more"));
    }
    if !(SHORTEST_BOX..=LONGEST_BOX).contains(&span) {
        return Err("for 1m to 4h".to_owned());
    }
    let args = Arguments { break_glass: Some(span), ..intent.args.clone() };
    Ok(Intent { args, reason: Text::clean_within(reason, super::field::LONGEST), ..intent.clone() })
}
