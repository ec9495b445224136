//! The table of services with its matrix: who uses whom, a letter each.

use crate::control::map::{Map, MapService, Sight};
use crate::control::standing::Standing;
use crate::model::name::Target;
use crate::policy::map::{Stage, WayBack};
use crate::ui::row::{Row, cells, fit, wrap};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role, of_standing};

use super::says::{Called, minutes, percent, rate};

const TAKES: usize = 7;
const FLOW: usize = 13;
const VERSIONS: usize = 20;
const TEAM: usize = 13;
/// The least room of the words that decide: state, what stops it, the way back.
const WORDS: [usize; 3] = [15, 18, 13];

/// The widths of the columns that are shown; 0: not shown.
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    name: usize,
    versions: usize,
    state: usize,
    takes: usize,
    stopped: usize,
    back: usize,
    flow: usize,
    team: usize,
    matrix: usize,
}

impl Columns {
    /// They fall away in the order team, versions, flow, time; never the words that decide, nor the matrix.
    fn of(map: &Map, called: &Called, places: &[usize], width: usize) -> Self {
        let services = || places.iter().filter_map(|place| map.service(*place));
        let name = services().map(|service| cells(service.target.service.as_str())).max().unwrap_or(0).clamp(7, (width / 4).max(7)) + 1;
        let matrix = called.columns.len();
        let [state, stopped, back] = WORDS;
        let mut left = width.saturating_sub(6 + name + matrix + state + stopped + back);
        let mut take = |wanted: bool, cells: usize| {
            let fits = wanted && left >= cells;
            left = left.saturating_sub(if fits { cells } else { 0 });
            if fits { cells } else { 0 }
        };
        let takes = take(services().any(|service| service.left_s.is_some()), TAKES);
        let flow = take(services().any(|service| service.got.is_some()), FLOW);
        let versions = take(services().any(|service| service.from.is_some()), VERSIONS);
        let team = take(services().any(|service| service.team.is_some()), TEAM);
        let more = (left / 3).min(14);
        Self { name, versions, state: state + more, takes, stopped: stopped + more, back: back + more, flow, team, matrix }
    }
}

/// A heading and the rows in sight.
pub(super) fn rows(
    scene: &Scene<'_>,
    map: &Map,
    called: &Called,
    (places, offset, body): (&[usize], usize, usize),
    cursor: Option<&Target>,
    width: usize,
) -> Vec<Row> {
    let columns = Columns::of(map, called, places, width);
    let visible = places.iter().skip(offset).take(body);
    let one = |place: &usize| Some(row(scene, map, called, *place, map.service(*place)?, cursor, &columns));
    std::iter::once(heading(called, &columns)).chain(visible.filter_map(one)).collect()
}

fn heading(called: &Called, columns: &Columns) -> Row {
    let mut row = Row::new();
    let mut at = 5;
    let mut put = |row: &mut Row, width: usize, word: &str| {
        if width > 0 {
            row.at(at).add(Role::Quiet, word);
            at += width;
        }
    };
    put(&mut row, columns.name, "service");
    put(&mut row, columns.team, "team");
    put(&mut row, columns.versions, "from > to");
    put(&mut row, columns.state, "state");
    put(&mut row, columns.takes, "takes");
    put(&mut row, columns.stopped, "stopped by");
    put(&mut row, columns.back, "way back");
    put(&mut row, columns.flow, " req/s fail %");
    let letters: String = called.columns.iter().filter_map(|place| called.letter(*place)).collect();
    put(&mut row, columns.matrix, &letters);
    row
}

/// The words that fit, cut between words where even the shortest does not.
pub(super) fn cut(scene: &Scene<'_>, forms: &[String], room: usize) -> String {
    let text = fit(forms, room);
    if cells(&text) <= room {
        return text;
    }
    let first = wrap(&text, room.saturating_sub(1)).into_iter().next().unwrap_or_default();
    format!("{first}{}", scene.glyph(Mark::Cut))
}

fn row(
    scene: &Scene<'_>,
    map: &Map,
    called: &Called,
    place: usize,
    service: &MapService,
    cursor: Option<&Target>,
    columns: &Columns,
) -> Row {
    let (mark, role) = of_standing(service.standing);
    let stage = map.stage(place);
    let (mark, role) = match (stage, service.standing) {
        (Stage::Done { .. }, Standing::Quiet) => (Mark::Proven, Role::Plain),
        _ => (mark, role),
    };
    let here = cursor.is_some_and(|target| target.service == service.target.service);
    let mut row = Row::new();
    row.add(Role::Strong, scene.glyph(if here { Mark::Cursor } else { Mark::None })).add(role, scene.glyph(mark));
    row.add(Role::Strong, scene.chosen(&service.target.service));
    row.at(3).add(Role::Quiet, called.letter(place).map_or_else(String::new, String::from));
    let mut at = 5;
    let mut put = |row: &mut Row, width: usize, role: Role, forms: &[String]| {
        if width > 0 {
            row.at(at).add(role, cut(scene, forms, width.saturating_sub(1)));
            at += width;
        }
    };
    put(&mut row, columns.name, if here { Role::Strong } else { Role::Plain }, &[service.target.service.to_string()]);
    put(&mut row, columns.team, Role::Quiet, &[service.team.clone().unwrap_or_default()]);
    put(&mut row, columns.versions, Role::Plain, &versions(scene, service));
    let state_role = if service.standing == Standing::Quiet { Role::Plain } else { role };
    put(&mut row, columns.state, state_role, &service.state);
    put(&mut row, columns.takes, Role::Plain, &[service.left_s.map(minutes).unwrap_or_default()]);
    put(&mut row, columns.stopped, if service.stops.is_empty() { Role::Plain } else { Role::Watched }, &stopped(map, called, service));
    put(&mut row, columns.back, Role::Plain, &way_back(map, called, service, stage));
    if columns.flow > 0 {
        let flow = service.got.map(|flow| format!("{:>6}{:>6}", rate(flow.rate), percent(flow.failing()))).unwrap_or_default();
        let stale = map.links.iter().any(|((_, used), link)| *used == place && matches!(link.sight, Sight::Stale(Some(_))));
        row.at(at).add(if stale { Role::Stale } else { Role::Plain }, flow);
        at += columns.flow;
    }
    if columns.matrix > 0 {
        row.at(at);
        for column in &called.columns {
            let (role, sign) = sign(scene, map, called, service, (place, *column));
            row.add(role, sign);
        }
    }
    row
}

/// What stands where a row and a column meet: never colour alone.
fn sign(scene: &Scene<'_>, map: &Map, called: &Called, service: &MapService, ends: (usize, usize)) -> (Role, String) {
    if ends.0 == ends.1 {
        return (Role::Quiet, "#".to_owned());
    }
    let Some(link) = map.links.get(&ends) else { return (Role::Rule, scene.glyph(Mark::Day).to_owned()) };
    let letter = called.letter(ends.1).unwrap_or('x');
    let first = service.waits_for.contains(&ends.1);
    let letter = if first { letter.to_ascii_uppercase() } else { letter };
    match (link.declared, link.sight) {
        (true, Sight::Seen(_) | Sight::Unlooked) => (if first { Role::Strong } else { Role::Plain }, letter.to_string()),
        (false, Sight::Seen(_)) => (Role::Watched, "+".to_owned()),
        (_, Sight::Stale(_)) => (Role::Stale, scene.glyph(Mark::Unknown).to_owned()),
        (true, Sight::Never | Sight::Gone(_)) => (Role::Watched, "-".to_owned()),
        (false, Sight::Gone(_)) => (Role::Quiet, ":".to_owned()),
        (false, Sight::Never | Sight::Unlooked) => (Role::Rule, scene.glyph(Mark::Day).to_owned()),
    }
}

fn versions(scene: &Scene<'_>, service: &MapService) -> Vec<String> {
    let between = scene.glyph(Mark::Moving);
    match (&service.from, &service.to) {
        (Some(from), Some(to)) => vec![format!("{from} {between} {to}"), format!("{between} {to}")],
        (None, Some(to)) => vec![format!("{between} {to}")],
        (Some(from), None) => vec![from.to_string()],
        (None, None) => Vec::new(),
    }
}

/// What of its own stops it, and the letters of those that go first.
fn stopped(map: &Map, called: &Called, service: &MapService) -> Vec<String> {
    let letters = called.list(map, service.waits_for.iter().copied());
    let Some(first) = service.stops.first() else { return vec![letters] };
    let all = service.stops.join("; ");
    let mut forms = if letters.is_empty() { vec![all] } else { vec![format!("{all}; {letters}"), format!("{first}; {letters}")] };
    forms.extend([first.clone(), first.replace(" past its limit", " past limit")]);
    forms
}

fn way_back(map: &Map, called: &Called, service: &MapService, stage: Stage) -> Vec<String> {
    match (&service.way_back, stage) {
        (WayBack::NotBegun, Stage::Quiet) => Vec::new(),
        (WayBack::NotBegun, _) => vec!["not begun".to_owned()],
        (WayBack::Alone, _) => vec!["alone".to_owned()],
        (WayBack::After(first), _) => {
            vec![format!("after {}", called.list(map, first.iter().copied())), format!("after {} users", first.len())]
        }
    }
}
