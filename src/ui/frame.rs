//! The frame that all screens share: who and when, the sources that this screen reads, the deed under way, the keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::rules;
use crate::control::world::{DiscoveryView, Source};
use crate::model::deed::{Deed, DeedState};
use crate::model::name::BackendName;
use crate::model::operator::Actor;
use crate::model::presence::persons;
use crate::model::reading::Freshness;
use crate::model::review::broken_glass;
use crate::model::scrub::Scrub;
use crate::model::self_service::{GrantState, SelfGrant};
use crate::model::time::Moment;

use super::command::Command;
use super::facts;
use super::row::{Row, cells, fit, wrap};
use super::scene::Scene;
use super::theme::{Mark, Role};
use super::widgets::scrubber;
use super::words;

/// The smallest terminal on which a whole screen is drawn.
pub const SMALLEST: (u16, u16) = (80, 24);

/// What a screen gives to the frame.
#[derive(Debug, Default)]
pub struct Dress {
    /// The left part of line 1 after the room: the screen's subject.
    pub title: Vec<(Role, String)>,
    /// The sources that it reads.
    pub reads: Vec<BackendName>,
    /// The row of keys.
    pub keys: Row,
    /// What was said to the operator last; it stands over the keys, whole.
    pub message: Option<Message>,
    /// What needs a person elsewhere: how bad, from long to short.
    pub elsewhere: Option<(Role, [String; 2])>,
    /// In the past, how much needs a person now.
    pub now_needs: Option<usize>,
}

/// What is said to the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A whole sentence.
    News(String),
    /// Why a key was refused, as a whole sentence; it has its mark.
    Refusal(String),
    /// The keys of a sequence so far, and each way to go on with its word.
    Begun(String, Vec<(String, &'static str)>),
}

/// The most rows that a message takes.
const MESSAGE_ROWS: usize = 6;

impl Message {
    /// Its rows, in full.
    pub fn rows(&self, scene: &Scene<'_>, width: usize) -> Vec<Row> {
        let (mark, role, text) = match self {
            Self::News(text) => (Mark::None, Role::Strong, text),
            Self::Refusal(text) => (Mark::Failed, Role::Watched, text),
            Self::Begun(begun, next) => return begun_rows(scene, begun, next, width),
        };
        let lines = wrap(text, width.saturating_sub(4)).into_iter().take(MESSAGE_ROWS).enumerate();
        lines.map(|(n, line)| Row::of(role, format!(" {} {line}", scene.glyph(if n == 0 { mark } else { Mark::None })))).collect()
    }
}

/// What was begun, each way to go on, and the way out. What has no room is counted.
fn begun_rows(scene: &Scene<'_>, begun: &str, next: &[(String, &'static str)], width: usize) -> Vec<Row> {
    let room = width.saturating_sub(cells("  Esc leaves "));
    let mut row = Row::of(Role::Strong, format!(" {} ", scene.glyph(Mark::None)));
    row.add(Role::Key, format!("{begun}-")).end(Role::Key, "  Esc").end(Role::Plain, " leaves ");
    let mut rows = Vec::new();
    for (n, (key, word)) in next.iter().enumerate() {
        if row.width() + cells(key) + cells(word) + 3 > room {
            if rows.len() + 1 == MESSAGE_ROWS {
                row.end(Role::Quiet, format!("  {} more ", next.len() - n));
                break;
            }
            rows.push(std::mem::replace(&mut row, Row::of(Role::Plain, " ")));
        }
        row.add(Role::Plain, "  ").add(Role::Key, key.clone()).add(Role::Plain, format!(" {word}"));
    }
    rows.push(row);
    rows
}

/// Draws all but the body and gives the place of the body.
pub fn draw(scene: &Scene<'_>, dress: &Dress, buffer: &mut Buffer, area: Rect) -> Rect {
    let mut top = 0;
    let width = usize::from(area.width);
    let second = match &scene.world.scrub {
        Some(scrub) => scrubber::row(scene, scrub, width),
        None => second_line(scene, dress, width),
    };
    for row in [line_one(scene, dress, width), second].into_iter().chain(notices(scene)) {
        row.draw(buffer, area, top, scene.theme);
        top += 1;
    }
    let last = area.height.saturating_sub(1);
    dress.keys.draw(buffer, area, last, scene.theme);
    let mut bottom: Vec<Row> = dress.message.as_ref().map(|message| message.rows(scene, usize::from(area.width))).unwrap_or_default();
    let deed = deed_to_show(scene).filter(|(deed, _)| !long_over(scene, deed));
    // Where no deed is under way the message takes its row, so that one line of words moves nothing else.
    if deed.is_some() || bottom.is_empty() {
        bottom.push(deed_row(scene, deed, usize::from(area.width)));
    }
    let rows = u16::try_from(bottom.len()).unwrap_or(1);
    for (y, row) in (last.saturating_sub(rows)..last).zip(&bottom) {
        row.draw(buffer, area, y, scene.theme);
    }
    Rect { y: area.y + top, height: area.height.saturating_sub(top + rows + 1), ..area }
}

/// Line 1: room, subject, who, simulated or read-only, the line, and the clock.
fn line_one(scene: &Scene<'_>, dress: &Dress, width: usize) -> Row {
    let world = scene.world;
    let mut row = Row::new();
    row.add(Role::Plain, " ");
    if world.catalog.simulated {
        row.add(Role::Banner, "SIMULATED").add(Role::Plain, " ");
    }
    let past = world.scrub.as_ref().map(|scrub| format!("PAST {}", moment(scene, scrub)));
    if let Some(past) = &past {
        row.add(Role::Banner, past.clone()).add(Role::Plain, " ");
        let needs = dress.now_needs.filter(|needs| *needs > 0);
        if let Some(needs) = needs {
            let words = if needs == 1 { "NOW: 1 needs you".to_owned() } else { format!("NOW: {needs} need you") };
            row.add(Role::Abnormal, words).add(Role::Plain, " ");
        }
    }
    if dress.title.is_empty() {
        row.add(Role::Strong, format!("gonogo {}", world.catalog.room.name));
    }
    for (role, text) in &dress.title {
        row.add(*role, text.clone());
    }
    row.add(Role::Plain, "   ");
    match &world.actor {
        _ if world.asking.is_some() => {
            let asking = world.asking.as_ref().map(ToString::to_string).unwrap_or_default();
            row.add(Role::Watched, format!("who? {asking}"));
        }
        Actor::Person(name) => {
            row.add(Role::Plain, name.as_str());
            let roles: Vec<_> =
                world.catalog.person(name).into_iter().flat_map(|person| &person.roles).map(|grant| grant.role.as_str()).collect();
            if let (Some(first), true) = (roles.first(), dress.title.is_empty()) {
                row.add(Role::Quiet, format!(", {}", first.replace('-', " ")));
            }
        }
        Actor::Unverified(user) => {
            row.add(Role::Plain, user.clone()).add(Role::Quiet, " unverified");
        }
        Actor::Stranger(user) => {
            row.add(Role::Plain, user.clone()).add(Role::Watched, " not recognised, no role");
        }
        rule @ Actor::Rule { .. } => {
            row.add(Role::Plain, rule.to_string());
        }
    }
    if let Some(grant) = own_grant(scene) {
        row.add(Role::Plain, " ").add(Role::Watched, grant);
    }
    let here = persons(&world.here).len();
    if here > 1 {
        row.add(Role::Plain, format!("   {here} here"));
    }
    if world.read_only {
        row.add(Role::Plain, "   ").add(Role::Watched, "READ ONLY");
    }
    scene.changes_in(until_next_ten(scene.now));
    let line = scene.line.words(width >= 100).map(|line| format!("  {line}")).unwrap_or_default();
    let clock = format!("  {}", past.clone().unwrap_or_else(|| scene.zone.clock(&scene.now.wall)));
    // Where it is narrow the word at the left end is enough: what is looked at, and who looks, need the room.
    let roomy = row.width() + cells(&line) + cells(&clock) + " SIMULATED ".len() <= width;
    row.end(if scene.line.is_slow() { Role::Watched } else { Role::Plain }, line);
    match &past {
        Some(past) => row.end(Role::Plain, "  ").end(Role::Banner, past.clone()),
        None => row.end(Role::Plain, clock),
    };
    let at_both_ends = if past.is_some() { width >= 100 } else { roomy };
    if world.catalog.simulated && at_both_ends {
        row.end(Role::Plain, " ");
        row.end(Role::Banner, "SIMULATED");
    }
    row
}

/// The moment of the past as it stands at both ends of line 1.
pub fn moment(scene: &Scene<'_>, scrub: &Scrub) -> String {
    let long_ago = (scrub.to - scrub.at.wall).num_hours() >= 12;
    let day = if long_ago { scrub.at.wall.format("%d %b ").to_string() } else { String::new() };
    format!("{day}{}", scene.zone.clock(&scrub.at.wall).split_once(' ').map_or("", |(_, time)| time))
}

/// The role that whoever is at the keys took for a while, until when, the first to end.
fn own_grant(scene: &Scene<'_>) -> Option<String> {
    let at = scene.now.wall;
    let mine = |grant: &&SelfGrant| {
        matches!(&scene.world.actor, Actor::Person(name) if name == &grant.person) && grant.state(&at) == GrantState::Granted
    };
    let grant = scene.world.grants.iter().filter(mine).min_by_key(|grant| grant.until)?;
    scene.changes_in((grant.until - at).to_std().unwrap_or_default());
    Some(format!("+ {} {} until {}", grant.role.as_str().replace('-', " "), grant.place, scene.zone.minute(&grant.until, &at)))
}

/// The clock of line 1 is the witness of a living line: it is drawn at least every 10 s.
fn until_next_ten(now: &Moment) -> std::time::Duration {
    let past = now.wall.timestamp_millis().rem_euclid(10_000);
    std::time::Duration::from_millis(u64::try_from(10_000 - past).unwrap_or(10_000))
}

/// Line 2: the sources, those in trouble first; what does not fit is counted, never hidden.
/// The ages of what is read here, and at the end what needs a person elsewhere.
fn second_line(scene: &Scene<'_>, dress: &Dress, width: usize) -> Row {
    let Some((role, forms)) = &dress.elsewhere else { return sources(scene, &dress.reads, width) };
    let words = fit(forms, width / 3);
    let mut row = sources(scene, &dress.reads, width.saturating_sub(cells(&words) + 2));
    row.end(*role, words).end(Role::Plain, " ");
    row
}

fn sources(scene: &Scene<'_>, reads: &[BackendName], width: usize) -> Row {
    let mut row = Row::new();
    row.add(Role::Plain, " ");
    if scene.world.sources.is_empty() {
        row.add(Role::Quiet, "no source is configured");
        return row;
    }
    if reads.is_empty() {
        row.add(Role::Quiet, "reads the ledger only");
        return row;
    }
    let sources = reads.iter().filter_map(|name| scene.world.sources.get(name));
    let sources = sources.map(|source| (scene.standing_of(source).is_fresh(), of_source(scene, source)));
    let discoveries = reads.iter().filter_map(|name| scene.world.discoveries.get(name));
    let discoveries = discoveries.map(|view| (scene.standing_of_links(view).is_fresh(), of_discovery(scene, view)));
    let mut shown: Vec<_> = discoveries.chain(sources).collect();
    shown.sort_by_key(|(is_fresh, _)| *is_fresh);
    let all = shown.len();
    row.add(Role::Quiet, "ages: ");
    for (place, (_, piece)) in shown.into_iter().enumerate() {
        let room = width.saturating_sub(row.width() + if place + 1 < all { 10 } else { 1 });
        let long: usize = piece.iter().map(|(_, text)| super::row::cells(text)).sum();
        if long > room {
            row.add(Role::Quiet, format!("{} more", all - place));
            break;
        }
        for (role, text) in piece {
            row.add(role, text);
        }
        row.add(Role::Plain, "  ");
    }
    row
}

/// One source with its age, and the word of its trouble.
pub fn of_source(scene: &Scene<'_>, source: &Source) -> Vec<(Role, String)> {
    let age = source.age(scene.now).map(|age| scene.age(age));
    let mut pieces = aged(scene, source.backend.name.as_str(), age, scene.standing_of(source));
    if let Some(skew) = source.skew_ms.filter(|skew| skew.abs() >= 2_000 && scene.standing_of(source).is_fresh()) {
        pieces.push((Role::Watched, format!(" clock off {}", words::span(skew.unsigned_abs() / 1000))));
    }
    pieces
}

/// One discovery with its age, and the word of its trouble.
pub fn of_discovery(scene: &Scene<'_>, view: &DiscoveryView) -> Vec<(Role, String)> {
    let age = view.age(scene.now).map(|age| scene.age(age));
    aged(scene, view.discovery.name.as_str(), age, scene.standing_of_links(view))
}

fn aged(scene: &Scene<'_>, name: &str, age: Option<String>, freshness: Freshness) -> Vec<(Role, String)> {
    let unknown = scene.glyph(Mark::Unknown);
    let word = match freshness {
        Freshness::Fresh => return vec![(Role::Plain, format!("{name} {}", age.unwrap_or_default()))],
        Freshness::Never => return vec![(Role::Quiet, format!("{name} {unknown} loading"))],
        Freshness::Stale => "STALE",
        Freshness::Unreachable => "UNREACHABLE",
        Freshness::Unauthorised => "UNAUTHORISED",
    };
    let age = age.unwrap_or_else(|| "never read".to_owned());
    vec![(Role::Stale, format!("{name} {unknown} {age} ")), (Role::Watched, word.to_owned())]
}

/// What is wrong with the room itself: each a row under the sources.
fn notices(scene: &Scene<'_>) -> Vec<Row> {
    let world = scene.world;
    let mut rows = Vec::new();
    let mut say = |text: String| {
        let mut row = Row::new();
        row.add(Role::Watched, format!(" {} ", scene.glyph(Mark::Abnormal))).add(Role::Watched, text);
        rows.push(row);
    };
    if let Some(trouble) = &world.ledger.trouble {
        let but = if world.ledger.has_second_place { " but break glass" } else { "" };
        say(format!("no deed{but} is possible: {trouble}"));
    }
    for (review, until) in broken_glass(&world.reviews, &scene.now.wall) {
        scene.changes_in((until - scene.now.wall).to_std().unwrap_or_default());
        say(format!(
            "BREAK GLASS by {}: {} {} until {}: {}",
            review.by,
            review.verb.word(),
            review.target,
            scene.zone.time(&until),
            review.reason
        ));
    }
    let late: Vec<_> = world.reviews.iter().filter(|review| review.is_overdue(&scene.now.wall)).collect();
    if let Some(first) = late.first() {
        let more = if late.len() > 1 { format!(", and {} more", late.len() - 1) } else { String::new() };
        say(format!(
            "a review is overdue: {} {} by {}{more}; gonogo review {}",
            first.verb.word(),
            first.target,
            first.by,
            first.plan.short()
        ));
    }
    for trouble in &world.ledger.witnesses {
        say(format!("a witness of the ledger keeps no checkpoint, deeds go on: {trouble}"));
    }
    if world.rules.older.is_some() {
        let may = rules::acceptors(world);
        let may = if may.is_empty() { "nobody may accept them".to_owned() } else { format!("{} may accept", may.join(", ")) };
        let key = scene.keymap.shown(Command::Policy);
        say(format!("RULES CHANGED, not accepted: old and new both count; {may} ({key})"));
    }
    if let Some(trouble) = &world.config_trouble {
        say(format!("the changed configuration was not taken over: {trouble}"));
    }
    if let Some(trouble) = &world.journal_trouble {
        say(format!("history has a hole, no deed is lost: {trouble}"));
    }
    if let Some((woke, slept)) = &world.slept {
        let since = words::ago(woke, &scene.now.wall);
        if since.as_secs() < 60 {
            scene.changes_in(std::time::Duration::from_mins(1).saturating_sub(since));
            say(format!("this machine slept {} until {}; everything is read again", words::span(slept.as_secs()), scene.zone.time(woke)));
        }
    }
    rows
}

/// The deed that an operator should know of: under way first, then watched, then the newest that failed.
pub fn deed_to_show<'a>(scene: &Scene<'a>) -> Option<(&'a Deed, usize)> {
    let newest = scene.world.newest_deeds();
    let rank = |deed: &Deed| match deed.state {
        DeedState::Intended | DeedState::Sent | DeedState::Accepted => 0,
        DeedState::Unknown => 1,
        DeedState::Effective if deed.held_due.is_some() => 2,
        DeedState::Failed | DeedState::Slipped => 3,
        DeedState::Effective
        | DeedState::Waiting
        | DeedState::Scheduled
        | DeedState::Denied
        | DeedState::Held
        | DeedState::Unwatched
        | DeedState::Superseded => 4,
    };
    let under_way = newest.iter().filter(|deed| rank(deed) < 3).count();
    let first = newest.first().copied();
    newest.into_iter().filter(|deed| rank(deed) < 3).min_by_key(|deed| rank(deed)).or(first).map(|deed| (&**deed, under_way))
}

/// Whether a deed ended more than a minute ago in a way that asks nothing of anybody.
fn long_over(scene: &Scene<'_>, deed: &Deed) -> bool {
    let over = match deed.state {
        DeedState::Held | DeedState::Unwatched | DeedState::Superseded | DeedState::Denied | DeedState::Scheduled => true,
        DeedState::Intended
        | DeedState::Sent
        | DeedState::Accepted
        | DeedState::Effective
        | DeedState::Unknown
        | DeedState::Failed
        | DeedState::Slipped
        | DeedState::Waiting => false,
    };
    let last = deed.facts.held.or(deed.facts.effective).or(deed.facts.intended);
    let Some(since) = last.filter(|_| over).map(|at| words::ago(&at, &scene.now.wall)) else { return false };
    let minute = std::time::Duration::from_mins(1);
    if since < minute {
        scene.changes_in(minute.saturating_sub(since));
    }
    since >= minute
}

/// The row of the deed under way.
fn deed_row(scene: &Scene<'_>, deed: Option<(&Deed, usize)>, width: usize) -> Row {
    let mut row = Row::new();
    row.add(Role::Quiet, " deed: ");
    match deed {
        None => {
            row.add(Role::Quiet, "none under way");
        }
        Some((deed, under_way)) => {
            row.add(Role::Strong, format!("{} {} ", deed.verb.word(), deed.target));
            let pieces = if width < 120 { facts::of_deed_short(scene, deed) } else { facts::of_deed(scene, deed) };
            for (role, text) in pieces {
                row.add(role, text);
            }
            if under_way > 1 {
                row.add(Role::Quiet, format!("  and {} more", under_way - 1));
            }
        }
    }
    row
}
