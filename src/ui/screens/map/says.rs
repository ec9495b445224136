//! What the map says in words: go or no go and why, and what is known of the marked service.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::control::map::{Map, MapLink, MapService, Sight};
use crate::model::burn_rule::span_word;
use crate::model::link::Discovery;
use crate::model::name::Target;
use crate::model::timeline::HappeningKind;
use crate::policy::map::{self, Against, Doubt, GoNoGo, WayBack, Window};
use crate::ui::ahead;
use crate::ui::needs;
use crate::ui::row::{Row, cells, fit, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

use super::{LETTERS, Shown};

/// Services that a list names at most.
const NAMED: usize = 8;

/// How services are called in lists: by their letters where they have one.
#[derive(Debug, Clone, Default)]
pub(super) struct Called {
    /// The places with a column, in their order.
    pub(super) columns: Vec<usize>,
}

impl Called {
    pub(super) fn of(map: &Map, shown: &Shown) -> Self {
        let columns = match shown {
            _ if map.services.len() <= LETTERS => (0..map.services.len()).collect(),
            Shown::Services(places) if places.len() <= LETTERS => places.clone(),
            Shown::Services(_) | Shown::Teams(_) => Vec::new(),
        };
        Self { columns }
    }

    /// The letter of a service.
    pub(super) fn letter(&self, place: usize) -> Option<char> {
        let column = self.columns.iter().position(|column| *column == place)?;
        u8::try_from(column).ok().and_then(|column| b'a'.checked_add(column)).map(char::from)
    }

    /// A service with its name: `j checkout`.
    fn full(&self, map: &Map, place: usize) -> String {
        let name = map.service(place).map_or("", |service| service.target.service.as_str());
        self.letter(place).map_or_else(|| name.to_owned(), |letter| format!("{letter} {name}"))
    }

    /// A list of services: letters where all of them have one, else names.
    pub(super) fn list(&self, map: &Map, places: impl IntoIterator<Item = usize>) -> String {
        let places: Vec<usize> = places.into_iter().collect();
        let letters: Option<Vec<String>> = places.iter().map(|place| self.letter(*place).map(String::from)).collect();
        if let Some(letters) = letters {
            return letters.join(" ");
        }
        let names: Vec<String> = places.iter().take(NAMED).map(|place| self.full(map, *place)).collect();
        let more = places.len() - names.len();
        if more == 0 { names.join(", ") } else { format!("{} and {more} more", names.join(", ")) }
    }
}

/// How long, in words that count minutes up so that they promise nothing.
pub(super) fn minutes(seconds: u64) -> String {
    if seconds < 60 { format!("{seconds}s") } else { words::span(seconds.div_ceil(60) * 60) }
}

/// Go or no go, and why: a rule and at most `most` rows.
pub(super) fn verdict(scene: &Scene<'_>, map: &Map, called: &Called, width: usize, most: usize) -> Vec<Row> {
    let word = match &map.go {
        GoNoGo::Nothing => "nothing is left to go",
        GoNoGo::Go => "GO",
        GoNoGo::NoGo(_) => "as it stands NO GO",
        GoNoGo::Unknown(_) => "NOT KNOWN",
    };
    let mut rule = Row::rule(scene.theme, &format!("go or no go: {word}"));
    rule.end(Role::Plain, window(scene, map));
    let mut lines = lines(scene, map, called);
    let hidden = lines.len().saturating_sub(most);
    if hidden > 0 {
        rule.end(Role::Watched, format!(", {hidden} not shown "));
        lines.truncate(most);
    }
    let room = width.saturating_sub(4);
    let row = |(mark, role, forms): (Mark, Role, Vec<String>)| {
        let text = fit(&forms, room);
        Row::of(role, format!(" {} ", scene.glyph(mark))).put(Role::Plain, text)
    };
    std::iter::once(rule).chain(lines.into_iter().map(row)).collect()
}

fn window(scene: &Scene<'_>, map: &Map) -> String {
    match (map.window, &map.until) {
        (Window::Shut, _) => " SHUT: nothing may go forward now ".to_owned(),
        (_, Some((name, at))) => format!(" {name} at {} ({}) ", scene.zone.minute(at, &scene.now.wall), scene.left(at)),
        (Window::Open | Window::Left(_), None) => " no window bounds it ".to_owned(),
    }
}

type Line = (Mark, Role, Vec<String>);

fn lines(scene: &Scene<'_>, map: &Map, called: &Called) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let none: Vec<Against> = Vec::new();
    let against = match &map.go {
        GoNoGo::NoGo(against) => against,
        GoNoGo::Nothing | GoNoGo::Go | GoNoGo::Unknown(_) => &none,
    };
    for place in against.iter().filter_map(|one| if let Against::Abnormal(place) = one { Some(*place) } else { None }) {
        let rest: BTreeSet<usize> = map.graph.all_users(place).into_iter().filter(|user| map.stage(*user).is_left()).collect();
        let name = called.full(map, place);
        let why = map.service(place).and_then(why_abnormal).unwrap_or_else(|| "is abnormal".to_owned());
        let rests = if rest.is_empty() { String::new() } else { format!("; {} of what is left use it", called.list(map, rest)) };
        lines.push((Mark::Abnormal, Role::Abnormal, vec![format!("{name}: {why}{rests}"), format!("{name}: {why}")]));
    }
    lines.extend(map.abnormal().map(|place| back(map, called, place)));
    if let Some(line) = chain(scene, map, called, against) {
        lines.push(line);
    }
    let stopped = against.iter().filter_map(|one| if let Against::Stopped(place) = one { Some(*place) } else { None });
    let stopped: Vec<usize> = stopped.collect();
    if !stopped.is_empty() {
        let one =
            |place: &usize| format!("{} ({})", called.list(map, [*place]), map.service(*place).map_or("", |service| first_stop(service)));
        let all: Vec<String> = stopped.iter().map(one).collect();
        let words = vec![format!("stopped: {}", all.join(", ")), format!("stopped: {}", called.list(map, stopped.iter().copied()))];
        lines.push((Mark::Waits, Role::Waits, words));
    }
    if let GoNoGo::Unknown(doubts) = &map.go {
        let lengths: Vec<usize> =
            doubts.iter().filter_map(|doubt| if let Doubt::Length(place) = doubt { Some(*place) } else { None }).collect();
        if doubts.contains(&Doubt::Links) {
            lines.push((Mark::Unknown, Role::Quiet, vec!["who uses whom may be otherwise: what sees it is not fresh".to_owned()]));
        }
        if !lengths.is_empty() {
            let words = format!("how long the change of {} takes is not known", called.list(map, lengths));
            lines.push((Mark::Unknown, Role::Quiet, vec![words]));
        }
    }
    for circle in map.graph.circles() {
        let words = format!("{} use each other in a circle: none of them can go alone", called.list(map, circle.iter().copied()));
        lines.push((Mark::Unknown, Role::Watched, vec![words]));
    }
    if lines.is_empty() {
        let words = match &map.go {
            GoNoGo::Nothing => "no change is planned or under way here",
            GoNoGo::Go | GoNoGo::NoGo(_) | GoNoGo::Unknown(_) => "nothing is known against it",
        };
        lines.push((Mark::None, Role::Quiet, vec![words.to_owned()]));
    }
    lines
}

fn first_stop(service: &MapService) -> &str {
    service.stops.first().map_or("", String::as_str)
}

fn why_abnormal(service: &MapService) -> Option<String> {
    let left = service.stops.iter().find(|stop| *stop != "goes back")?;
    Some(left.clone())
}

/// What is left if an abnormal service goes back, and whether it does by itself.
fn back(map: &Map, called: &Called, place: usize) -> Line {
    let left = map.if_back(place);
    let name = called.full(map, place);
    let itself = map.service(place).is_some_and(|service| service.stops.iter().any(|stop| stop == "goes back"));
    let goes = if itself { format!("{name} goes back BY ITSELF") } else { format!("if {name} goes back") };
    let first = if left.first.is_empty() {
        "alone".to_owned()
    } else {
        format!("after {}, which moved since", called.list(map, left.first.clone()))
    };
    let short = if left.first.is_empty() { first.clone() } else { format!("after {}", called.list(map, left.first.clone())) };
    let mut rest = Vec::new();
    if !left.can.is_empty() {
        rest.push(format!("{} can still go", called.list(map, left.can.clone())));
    }
    if !left.ask.is_empty() {
        rest.push(format!("{} use it: look before they go", called.list(map, left.ask.clone())));
    }
    if rest.is_empty() {
        rest.push("nothing else is left to go".to_owned());
    }
    let forms = vec![
        format!("{goes}: {first}; then {}", rest.join(", ")),
        format!("{goes}: {short}; {}", rest.join(", ")),
        format!("{goes}: {short}"),
    ];
    (Mark::Back, Role::Watched, forms)
}

/// The longest chain that is left against the window.
fn chain(scene: &Scene<'_>, map: &Map, called: &Called, against: &[Against]) -> Option<Line> {
    let (places, seconds) = &map.chain;
    if places.is_empty() {
        return None;
    }
    let time = |place: &usize| map.service(*place).and_then(|service| service.left_s).unwrap_or(0);
    let parts: Vec<String> = places.iter().map(|place| format!("{} {}", called.list(map, [*place]), minutes(time(place)))).collect();
    let sum = if places.len() > 1 { format!(" = {}", minutes(*seconds)) } else { String::new() };
    let told = format!("longest chain left: {}{sum} at least", parts.join(", "));
    let until = map.until.as_ref().and_then(|(_, at)| u64::try_from((*at - scene.now.wall).num_seconds()).ok());
    let too_long = against.iter().find_map(|one| if let Against::TooLong(by) = one { Some(*by) } else { None });
    let short = format!("longest chain left {} at least", minutes(*seconds));
    Some(match (too_long, until) {
        (Some(by), Some(left)) => {
            let cut = without_last(map)
                .map(|(place, then)| format!("; without {} {}", called.list(map, [place]), minutes(then)))
                .unwrap_or_default();
            let long = format!("{told}, {} left: {} too long{cut}", words::span(left - left % 60), minutes(by));
            (
                Mark::Abnormal,
                Role::Abnormal,
                vec![long, format!("{short}, {} left: {} too long", words::span(left - left % 60), minutes(by))],
            )
        }
        (None, Some(left)) => (Mark::None, Role::Plain, vec![format!("{told}, {} left", words::span(left - left % 60)), told, short]),
        (_, None) => (Mark::None, Role::Plain, vec![told, short]),
    })
}

/// The last of the longest chain, which nobody in it waits for, and how long the longest chain is without it.
fn without_last(map: &Map) -> Option<(usize, u64)> {
    let last = *map.chain.0.last()?;
    let mut nodes = map.nodes.clone();
    nodes.get_mut(last)?.left_s = Some(0);
    Some((last, map::longest(&map.graph, &nodes).1))
}

/// What is known of the marked service, under the legend of the matrix: a rule and at most `most` rows.
pub(super) fn foot(scene: &Scene<'_>, map: &Map, called: &Called, place: Option<usize>, width: usize, most: usize) -> Vec<Row> {
    let legend = match (called.columns.is_empty(), width < 110) {
        (true, _) => "",
        (false, true) => "row uses column: a seen A first + undeclared - unseen : gone ~ stale",
        (false, false) => "row uses column: a seen  A goes first  + not declared  - not seen  : not any more  ~ stale",
    };
    let legend = legend.replace('~', scene.glyph(Mark::Unknown));
    let mut rule = Row::rule(scene.theme, &legend);
    let by = by(scene, map);
    let told = fit(&[format!(" req/s {by} "), format!(" {by} "), String::new()], width.saturating_sub(cells(&legend) + 5));
    if !told.trim().is_empty() {
        rule.end(Role::Quiet, told);
    }
    let mut rows = vec![rule];
    let Some((place, service)) = place.and_then(|place| Some((place, map.service(place)?))) else { return rows };
    rows.push(by_itself(scene, &service.target));
    let mut texts = vec![uses(map, called, place, service, &by)];
    texts.extend(apart(scene, map, called, place));
    texts.extend(together(map, called));
    for text in texts {
        for (n, line) in wrap(&text, width.saturating_sub(4)).into_iter().enumerate() {
            rows.push(Row::of(Role::Plain, format!(" {}{line}", if n == 0 { "" } else { "  " })));
        }
    }
    let told = scene.world.timeline.iter().rev().filter(|line| line.kind == HappeningKind::Link);
    let of_it = told.filter(|line| line.links.iter().any(|told| [&told.link.user, &told.link.used].contains(&&service.target.service)));
    let here = |source: &str| scene.world.discoveries_of(&map.environment).any(|view| view.discovery.name.as_str() == source);
    let of_it = of_it.filter(|line| line.links.len() == 1 && here(&line.source));
    rows.extend(of_it.take(3).map(|line| {
        Row::of(Role::Quiet, format!(" {} ", scene.zone.minute(&line.at, &scene.now.wall)))
            .put(Role::Plain, format!("{} ({})", line.text, line.source))
    }));
    rows.truncate(most + 1);
    rows
}

/// What will happen to the marked service without a person, or why nothing will.
fn by_itself(scene: &Scene<'_>, target: &Target) -> Row {
    let event = needs::by_itself(scene.world, scene.now).into_iter().find(|event| &event.target == target);
    let mut row = Row::of(Role::Plain, " ");
    if let Some(event) = event {
        if let Some(due) = &event.due {
            row.add(Role::Strong, format!("{} ({}) ", scene.zone.time(due), scene.left(due)));
        }
        row.add(Role::Plain, format!("by itself: {}", event.text));
        return row;
    }
    let waits = scene.world.ahead.get(target).and_then(ahead::waits).and_then(|words| words.into_iter().next());
    row.add(
        Role::Plain,
        waits.map_or_else(|| "nothing happens by itself".to_owned(), |words| format!("nothing happens by itself: {words}")),
    );
    row
}

/// Who uses it and whom it uses, and what flows.
fn uses(map: &Map, called: &Called, place: usize, service: &MapService, by: &str) -> String {
    let direct: BTreeSet<usize> = map.graph.users(place).collect();
    let all = map.graph.all_users(place);
    let through: Vec<usize> = all.difference(&direct).copied().collect();
    let teams: BTreeSet<String> = all.iter().filter_map(|user| map.service(*user)).map(MapService::team_name).collect();
    let users = match (direct.is_empty(), through.is_empty()) {
        (true, _) => "nobody uses it".to_owned(),
        (false, true) => format!("used by {}", called.list(map, direct)),
        (false, false) => format!("used by {}, through them by {}", called.list(map, direct), called.list(map, through)),
    };
    let size = if all.is_empty() {
        String::new()
    } else {
        format!(" ({}, {})", words::counted(all.len(), "service", "services"), words::counted(teams.len(), "team", "teams"))
    };
    let used: Vec<usize> = map.graph.uses(place).collect();
    let used = if used.is_empty() { "; uses nobody".to_owned() } else { format!("; uses {}", called.list(map, used)) };
    let got = service.got.map(|flow| format!("; gets {} {by}", told(&flow))).unwrap_or_default();
    format!("{}: {users}{size}{used}{got}", called.full(map, place))
}

/// By whose counters flows are told, and over how long: a router counts otherwise.
pub(super) fn by(scene: &Scene<'_>, map: &Map) -> String {
    let of = |discovery: &Discovery| format!("{} in {}", discovery.name, span_word(Duration::from_secs(discovery.ask.window_s)));
    let all: Vec<String> = scene.world.discoveries_of(&map.environment).map(|view| of(&view.discovery)).collect();
    if all.is_empty() { String::new() } else { format!("by {}", all.join(" and ")) }
}

/// A flow in words.
pub(super) fn told(flow: &crate::model::link::Flow) -> String {
    format!("{} req/s, {} % fail", rate(flow.rate), percent(flow.failing()))
}

/// Requests a second, in two digits.
pub(super) fn rate(value: f64) -> String {
    if value >= 10.0 { words::count(whole(value)) } else { format!("{value}") }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are finite and above 0, and huge ones saturate")]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// A share of failures in per cent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// What is declared and not seen, or seen and not declared, of its links.
fn apart(scene: &Scene<'_>, map: &Map, called: &Called, place: usize) -> Option<String> {
    let of_it = |ends: &(usize, usize)| ends.0 == place || ends.1 == place;
    let ends = |(user, used): (usize, usize)| {
        if user == place { format!("uses {}", called.full(map, used)) } else { format!("used by {}", called.full(map, user)) }
    };
    let says = |link: &MapLink| -> Option<String> {
        let minute = |at| scene.zone.minute(&at, &scene.now.wall);
        match (link.declared, link.sight) {
            (true, Sight::Never) => Some("declared, never seen".to_owned()),
            (true, Sight::Gone(at)) => Some(format!("declared, not seen since {}", minute(at))),
            (false, Sight::Gone(at)) => Some(format!("not declared, not seen since {}", minute(at))),
            (false, Sight::Seen(_)) => Some(match link.since {
                Some(at) => format!("seen since {}, not declared", minute(at)),
                None => "seen, not declared".to_owned(),
            }),
            (false, Sight::Stale(_)) => Some("seen last, stale, not declared".to_owned()),
            (true, Sight::Seen(_) | Sight::Stale(_) | Sight::Unlooked) | (false, Sight::Never | Sight::Unlooked) => None,
        }
    };
    let told: Vec<String> = map
        .links
        .iter()
        .filter(|(link, _)| of_it(link))
        .filter_map(|(link, seen)| Some(format!("{}: {}", ends(*link), says(seen)?)))
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// In which order those go back that moved, users first.
fn together(map: &Map, called: &Called) -> Option<String> {
    let moved = |place: &usize| map.service(*place).is_some_and(|service| service.way_back != WayBack::NotBegun);
    let moved: Vec<usize> = (0..map.services.len()).rev().filter(moved).collect();
    (moved.len() > 1).then(|| format!("back together, users first: {}", called.list(map, moved)))
}
