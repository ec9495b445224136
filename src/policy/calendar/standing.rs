//! How a change stands to windows and freezes at an instant.

use chrono::{DateTime, TimeDelta, Utc};

use super::compiled::{Calendars, Frozen, Opened, Source};
use super::words;
use crate::analysis::span;
use crate::model::change::ChangeType;
use crate::model::intent::Direction;
use crate::model::name::{PersonName, PlanId, Target};
use crate::model::operator::Actor;
use crate::model::reason::Reason;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::timetable::{Excepted, Exception, Running, Span, Unreadable, WayBack};

/// Under this, what is left of a window, or before a freeze, is told (promise 27).
const EDGE: TimeDelta = TimeDelta::minutes(5);

/// How many windows that follow each other without a gap are looked at for the end of an open time.
const HOPS: usize = 32;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What is changed.
    pub target: &'a Target,
    /// The type of the change.
    pub kind: ChangeType,
    /// Which way it goes.
    pub direction: Direction,
    /// The instant at which it would begin or go on.
    pub at: DateTime<Utc>,
    /// Now, by which the age of calendars is counted.
    pub now: Moment,
    /// Its plan, once there is one.
    pub plan: Option<PlanId>,
    /// Who asks.
    pub requester: &'a Actor,
    /// When the rollout that it goes on with began; none: it begins something.
    pub began: Option<DateTime<Utc>>,
}

/// How a change stands to the windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// No window is configured for its environment, so it is always open.
    Always,
    /// It needs no window: it goes back, or moves nothing.
    Unbound,
    /// It is inside a window.
    Open {
        /// The window's name; the one that shuts last.
        window: String,
        /// When the last of those that follow each other without a gap shuts (of very many, an earlier one); none: not within the horizon.
        until: Option<DateTime<Utc>>,
    },
    /// No window is open now, but the rollout began inside one, so it may go on.
    Running {
        /// That window.
        window: String,
    },
    /// No window is open.
    Shut {
        /// The window that opens next, and when; none: none within the horizon.
        next: Option<(String, DateTime<Utc>)>,
    },
}

/// Why a freeze does not stop a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exemption {
    /// It goes back.
    WayBack,
    /// It moves nothing.
    Still,
    /// The rollout began before the freeze, which lets it finish.
    Running,
    /// A person gave an exception.
    Exception {
        /// Who.
        by: PersonName,
        /// Why.
        reason: String,
    },
}

/// A freeze that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frost {
    /// Its name.
    pub freeze: String,
    /// Why it was set.
    pub reason: String,
    /// When it ends; none: not within the horizon, or nobody knows because its calendar cannot be believed.
    pub until: Option<DateTime<Utc>>,
    /// Why it does not stop this change; none: it does.
    pub exempt: Option<Exemption>,
}

/// How a change stands. It may go when [`Standing::reasons`] is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whether windows let it.
    pub open: bool,
    /// Whether a freeze stops it.
    pub frozen: bool,
    /// How it stands to the windows.
    pub access: Access,
    /// The freezes that hold, those that stop it first.
    pub freezes: Vec<Frost>,
    /// The next freeze that covers it, which does not hold yet, and when it begins.
    pub next_freeze: Option<(String, DateTime<Utc>)>,
    /// Why it may not, the first to fix first: freezes, then windows. Rules `freeze`, `calendar`, `window`.
    pub reasons: Vec<Reason>,
    /// What is told though it stops nothing: exemptions, near edges, calendars that are old.
    pub notes: Vec<Text>,
}

/// Judges a change by the windows and freezes. Pure: the same question has the same answer.
pub fn standing(calendars: &Calendars, asked: &Asked<'_>) -> Standing {
    let mut standing = Standing {
        open: true,
        frozen: false,
        access: Access::Unbound,
        freezes: Vec::new(),
        next_freeze: None,
        reasons: Vec::new(),
        notes: Vec::new(),
    };
    let team = calendars.team(asked.target);
    let known = calendars.known.holds(asked.at);
    for freeze in calendars.freezes.iter().filter(|freeze| freeze.scope.covers(asked.target, team, asked.kind)) {
        look_at_freeze(freeze, known, asked, &mut standing);
    }
    standing.freezes.sort_by_key(|frost| frost.exempt.is_some());
    standing.frozen = !standing.reasons.is_empty();
    if asked.direction == Direction::Forward {
        look_at_windows(calendars, team, asked, &mut standing);
    }
    standing
}

fn look_at_freeze(freeze: &Frozen, known: bool, asked: &Asked<'_>, standing: &mut Standing) {
    let held = span::holding(&freeze.spans, asked.at);
    if let Some(span) = held {
        let exempt = exemption(freeze, span, asked);
        let until = Some(span.end).filter(|_| span.end.signed_duration_since(asked.at) < super::AHEAD);
        match &exempt {
            None => standing.reasons.push(frozen(freeze, span, asked)),
            Some(exemption) => standing.notes.extend(exempted(freeze, exemption)),
        }
        if exempt.is_none()
            && let Some(exception) = own_exception(freeze, asked)
        {
            standing.notes.push(Text::clean(&format!("an exception from {} does not count: {exception} gave it and asks", freeze.name)));
        }
        standing.freezes.push(Frost { freeze: freeze.name.clone(), reason: freeze.reason.clone(), until, exempt });
    } else if let Some(next) = span::next(&freeze.spans, asked.at) {
        let sooner = standing.next_freeze.as_ref().is_none_or(|(_, begin)| next.begin < *begin);
        if sooner {
            standing.next_freeze = Some((freeze.name.clone(), next.begin));
        }
        let left = next.begin.signed_duration_since(asked.at);
        if left < EDGE {
            standing.notes.push(Text::clean(&format!("the freeze {} begins in {}", freeze.name, words::span(left))));
        }
    }
    let doubt = if known { freeze.source.as_ref().and_then(|source| doubt(source, &asked.now)) } else { Some(BEYOND.to_owned()) };
    if let (None, Some(doubt)) = (held, doubt) {
        look_at_doubt(freeze, &doubt, asked, standing);
    }
}

/// A freeze whose calendar cannot be believed and that does not hold by what is known of it.
fn look_at_doubt(freeze: &Frozen, doubt: &str, asked: &Asked<'_>, standing: &mut Standing) {
    let text = format!("nobody knows whether {} is frozen by {}: {doubt}", asked.target, freeze.name);
    let stops = stops_in_doubt(freeze);
    let exempt = match asked.direction {
        Direction::Forward => exception(freeze, asked),
        // What is not known to be frozen never makes the way back harder.
        Direction::Back => Some(Exemption::WayBack),
        Direction::Release | Direction::Still => Some(Exemption::Still),
    };
    if !stops || exempt.is_some() {
        standing.notes.push(Text::clean(&text));
        return;
    }
    standing.reasons.push(Reason::new(
        "calendar",
        &text,
        "make the calendar readable; until then forward deeds stop, and the way back stays open",
    ));
    standing.freezes.push(Frost { freeze: freeze.name.clone(), reason: freeze.reason.clone(), until: None, exempt: None });
}

/// Whether a forward deed stops when nobody knows whether the freeze holds.
fn stops_in_doubt(freeze: &Frozen) -> bool {
    freeze.source.as_ref().is_none_or(|source| source.unreadable == Unreadable::Stop)
}

/// Whether the calendar of a freeze cannot be believed, and forward deeds stop for that.
pub(super) fn stops_without_calendar(freeze: &Frozen, asked: &Asked<'_>) -> bool {
    freeze.source.as_ref().is_some_and(|source| doubt(source, &asked.now).is_some()) && stops_in_doubt(freeze)
}

const BEYOND: &str = "the calendar was computed for other days";

/// Why a calendar cannot be believed; none: it can.
pub(super) fn doubt(source: &Source, now: &Moment) -> Option<String> {
    let trouble = source.trouble.as_deref().map(|trouble| format!(": {trouble}")).unwrap_or_default();
    let Some(seen) = &source.seen else {
        return Some(format!("the calendar {} was never read{trouble}", source.feed));
    };
    let age = now.since(seen);
    if age > source.stale_after {
        let (age, allowed) = (words::age(age), words::age(source.stale_after));
        return Some(format!("the calendar {} was last read {age} ago, over the allowed {allowed}{trouble}", source.feed));
    }
    let first = source.broken.first()?;
    let more = if source.broken.len() > 1 { format!(", and {} more", source.broken.len() - 1) } else { String::new() };
    Some(format!("the calendar {} holds what cannot be understood: {first}{more}", source.feed))
}

fn exemption(freeze: &Frozen, span: Span, asked: &Asked<'_>) -> Option<Exemption> {
    let by_direction = match (asked.direction, freeze.way_back) {
        (Direction::Release | Direction::Still, _) => Some(Exemption::Still),
        (Direction::Back, WayBack::Exempt) => Some(Exemption::WayBack),
        (Direction::Forward, _) | (Direction::Back, WayBack::Frozen) => None,
    };
    let running = asked.began.is_some_and(|began| began < span.begin) && freeze.running == Running::Finish;
    by_direction.or_else(|| running.then_some(Exemption::Running)).or_else(|| exception(freeze, asked))
}

/// The exception that lets this through, given by another person.
fn exception(freeze: &Frozen, asked: &Asked<'_>) -> Option<Exemption> {
    let found = exceptions(freeze, asked.requester).find(|exception| lets(freeze, &exception.lets, asked))?;
    Some(Exemption::Exception { by: found.by.clone(), reason: found.reason.clone() })
}

/// The exceptions from a freeze that other persons than the requester gave.
pub(super) fn exceptions<'a>(freeze: &'a Frozen, requester: &'a Actor) -> impl Iterator<Item = &'a Exception> {
    freeze.exceptions.iter().filter(move |exception| !matches!(requester, Actor::Person(name) if name == &exception.by))
}

/// Who gave an exception that would let this through, if it is the one who asks.
fn own_exception<'a>(freeze: &'a Frozen, asked: &Asked<'_>) -> Option<&'a PersonName> {
    freeze.exceptions.iter().find(|exception| lets(freeze, &exception.lets, asked)).map(|exception| &exception.by)
}

fn lets(freeze: &Frozen, lets: &Excepted, asked: &Asked<'_>) -> bool {
    match lets {
        Excepted::Plan(plan) => asked.plan == Some(*plan),
        Excepted::Day { target, date } => target == asked.target && freeze.zone.local(asked.at).date() == *date,
    }
}

fn frozen(freeze: &Frozen, span: Span, asked: &Asked<'_>) -> Reason {
    let end = words::instant(span.end, &freeze.zone, &freeze.timezone);
    let under_way = if asked.began.is_some_and(|began| began < span.begin) { ", also for what was under way" } else { "" };
    let back = if asked.direction == Direction::Back { ", also for the way back" } else { "" };
    let text = format!("{} is frozen by {} until {end}{under_way}{back}: {}", asked.target, freeze.name, freeze.reason);
    let wait = words::span(span.end.signed_duration_since(asked.at));
    let open = match freeze.way_back {
        WayBack::Exempt => "; the way back stays open",
        WayBack::Frozen => "",
    };
    Reason::new("freeze", &text, &format!("wait {wait}, or [[exception]] with freeze = \"{}\" by another person{open}", freeze.name))
}

fn exempted(freeze: &Frozen, exemption: &Exemption) -> Option<Text> {
    let why = match exemption {
        Exemption::WayBack => "the way back is exempt".to_owned(),
        Exemption::Still => return None,
        Exemption::Running => "what was under way when it began may finish".to_owned(),
        Exemption::Exception { by, reason } => format!("{by} gave an exception: {reason}"),
    };
    Some(Text::clean(&format!("the freeze {} holds, and does not stop this: {why}", freeze.name)))
}

fn look_at_windows(calendars: &Calendars, team: Option<&str>, asked: &Asked<'_>, standing: &mut Standing) {
    let mut here = calendars.windows.iter().filter(|window| window.scope.in_environment(&asked.target.environment)).peekable();
    if here.peek().is_none() {
        standing.access = Access::Always;
        return;
    }
    let admitting: Vec<&Opened> = here.filter(|window| window.scope.covers(asked.target, team, asked.kind)).collect();
    let (mut believed, mut doubts) = (Vec::with_capacity(admitting.len()), Vec::new());
    for window in &admitting {
        match self::believed(window, asked) {
            Ok(note) => {
                standing.notes.extend(note.map(|doubt| Text::clean(&format!("window {}: {doubt}", window.name))));
                believed.push(*window);
            }
            Err(doubt) => doubts.push(format!("window {} is shut: {doubt}", window.name)),
        }
    }
    if let Some((window, until)) = open_until(&believed, asked.at) {
        let left = until.signed_duration_since(asked.at);
        if left < EDGE {
            standing.notes.push(Text::clean(&format!("the window {} shuts in {}", window.name, words::span(left))));
        }
        let until = Some(until).filter(|until| *until < calendars.known.end);
        standing.access = Access::Open { window: window.name.clone(), until };
        return;
    }
    if let Some((window, _)) = asked.began.and_then(|began| open_until(&believed, began)) {
        standing.notes.push(Text::clean(&format!("no window is open; this began inside {} and may go on", window.name)));
        standing.access = Access::Running { window: window.name.clone() };
        return;
    }
    standing.open = false;
    standing.reasons.extend(doubts.iter().map(|doubt| Reason::new("calendar", doubt, "make the calendar readable")));
    let next = believed.iter().filter_map(|window| Some((*window, span::next(&window.spans, asked.at)?.begin)));
    let next = next.min_by_key(|(_, begin)| *begin);
    if doubts.is_empty() || next.is_some() {
        standing.reasons.push(shut(&admitting, next, asked));
    }
    standing.access = Access::Shut { next: next.map(|(window, begin)| (window.name.clone(), begin)) };
}

/// Whether the times of a window can be believed, with what is doubtful all the same; or why they cannot.
pub(super) fn believed(window: &Opened, asked: &Asked<'_>) -> Result<Option<String>, String> {
    let Some(source) = &window.source else { return Ok(None) };
    let current = source.seen.as_ref().is_some_and(|seen| asked.now.since(seen) <= source.stale_after);
    // Single events that cannot be understood are not open; the others still are.
    doubt(source, &asked.now).map_or(Ok(None), |doubt| if current { Ok(Some(doubt)) } else { Err(doubt) })
}

/// The window that is open, and the end of the open time; windows that follow without a gap are one open time, up to [`HOPS`].
fn open_until<'a>(windows: &[&'a Opened], at: DateTime<Utc>) -> Option<(&'a Opened, DateTime<Utc>)> {
    let latest = |at: DateTime<Utc>| {
        let held = windows.iter().filter_map(|window| Some((*window, span::holding(&window.spans, at)?.end)));
        held.max_by_key(|(_, end)| *end)
    };
    let mut found = latest(at)?;
    for _ in 0..HOPS {
        let Some(further) = latest(found.1) else { break };
        found = further;
    }
    Some(found)
}

fn shut(admitting: &[&Opened], next: Option<(&Opened, DateTime<Utc>)>, asked: &Asked<'_>) -> Reason {
    let (target, kind) = (asked.target, asked.kind.word());
    if admitting.is_empty() {
        let text = format!("{} has windows, and none of them admits {kind} changes of {target}", target.environment);
        return Reason::new("window", &text, "a [[window]] whose environments, services, teams and types include it");
    }
    let text = format!("no window is open for {kind} changes of {target}");
    let fix = match next {
        Some((window, begin)) => {
            let wait = words::span(begin.signed_duration_since(asked.at));
            format!("{} opens at {}, in {wait}", window.name, words::instant(begin, &window.zone, &window.timezone))
        }
        None => format!("none opens within {} days; look at their times", super::AHEAD.num_days()),
    };
    Reason::new("window", &text, &fix)
}
