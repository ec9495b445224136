//! One service drawn with its neighbours: users on the left, it in the middle, those that it uses on the right.
//!
//! The layers are given and the middle one has one box, so nothing can cross: each neighbour has a line to a trunk, and the trunk one to
//! the middle. That needs no library for the layout of graphs.

use crate::control::map::{Map, MapLink, MapService, Sight};
use crate::ui::row::{Row, cells};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role, of_standing};
use crate::ui::words;

use super::says::{by, minutes, percent, rate};
use super::table::cut;

/// The rows that a neighbour takes: two of its box and one between boxes.
const EACH: usize = 3;

/// The signs of lines, with and without Unicode.
struct Lines {
    across: &'static str,
    down: &'static str,
    /// Where a trunk begins, goes on with a branch, and ends: for the left side, then for the right one.
    left: [&'static str; 3],
    right: [&'static str; 3],
    cross: &'static str,
    arrow: &'static str,
}

const UNICODE: Lines =
    Lines { across: "─", down: "│", left: ["┐", "┤", "┘"], right: ["┌", "├", "└"], cross: "┼", arrow: "▸" };
const ASCII: Lines = Lines { across: "-", down: "|", left: ["+", "+", "+"], right: ["+", "+", "+"], cross: "+", arrow: ">" };

/// A neighbour with the link to it.
struct Neighbour<'a> {
    service: &'a MapService,
    link: MapLink,
}

/// The rows of the drawing.
pub(super) fn rows(scene: &Scene<'_>, map: &Map, place: usize, width: usize, height: usize) -> Vec<Row> {
    let Some(service) = map.service(place) else { return Vec::new() };
    let users = neighbours(map, map.links.iter().filter(|((_, used), _)| *used == place).map(|((user, _), link)| (*user, *link)));
    let used = neighbours(map, map.links.iter().filter(|((user, _), _)| *user == place).map(|((_, used), link)| (*used, *link)));
    let all = map.graph.all_users(place).len();
    let heading = format!(
        "{}: {} direct {}, {all} in all; uses {}",
        service.target,
        words::count(u64::try_from(users.len()).unwrap_or(u64::MAX)),
        if users.len() == 1 { "user" } else { "users" },
        used.len()
    );
    let mut rule = Row::rule(scene.theme, &heading);
    let by = by(scene, map);
    if !by.is_empty() {
        rule.end(Role::Quiet, format!(" requests {by} "));
    }
    let mut rows = vec![rule];
    let body = height.saturating_sub(3);
    let fits = (body / EACH).max(1);
    let many = users.len().max(used.len()).min(fits).max(1);
    let lines = if scene.theme.unicode { &UNICODE } else { &ASCII };
    let side = (width.saturating_sub(6) * 2 / 5).min(46);
    let middle = width.saturating_sub(2 * side);
    let centre = (many * EACH - 1) / 2;
    let of = |list: &[Neighbour<'_>]| list.len().min(fits);
    let (left, right) = (of(&users), of(&used));
    let (left_top, right_top) = ((many - left) * EACH / 2, (many - right) * EACH / 2);
    let box_rows = middle_box(scene, map, place, service, middle.saturating_sub(8));
    let box_top = centre.saturating_sub(box_rows.len() / 2);
    for y in 0..many * EACH {
        let mut row = Row::new();
        side_row(scene, lines, &users, (y, left_top, left, centre), side, true, &mut row);
        let inside = y.checked_sub(box_top).and_then(|line| box_rows.get(line));
        let touches = |count: usize| count > 0 && y == centre;
        row.add(Role::Rule, if touches(left) { format!("{}{}{} ", lines.across, lines.across, lines.arrow) } else { "    ".to_owned() });
        let empty = Vec::new();
        let mut taken = 0;
        for (role, text) in inside.unwrap_or(&empty) {
            taken += cells(text);
            row.add(*role, text.clone());
        }
        let gap = middle.saturating_sub(8 + taken);
        if touches(right) {
            row.add(Role::Rule, format!(" {}", lines.across.repeat(gap + 3)));
        } else {
            row.add(Role::Plain, " ".repeat(gap + 4));
        }
        side_row(scene, lines, &used, (y, right_top, right, centre), side, false, &mut row);
        rows.push(row);
    }
    for (list, shown, what) in [(&users, left, "users"), (&used, right, "of those that it uses")] {
        if list.len() > shown {
            rows.push(Row::of(
                Role::Watched,
                format!(" {} more {what} are not shown; those with most requests stand first", list.len() - shown),
            ));
        }
    }
    rows
}

/// Those with most requests first; what does not flow stands last.
fn neighbours(map: &Map, links: impl Iterator<Item = (usize, MapLink)>) -> Vec<Neighbour<'_>> {
    let mut all: Vec<Neighbour<'_>> = links.filter_map(|(place, link)| Some(Neighbour { service: map.service(place)?, link })).collect();
    let flow = |one: &Neighbour<'_>| one.link.sight.flow().map_or(0.0, |flow| flow.rate);
    all.sort_by(|one, other| flow(other).total_cmp(&flow(one)));
    all
}

/// One line of a side: a neighbour's name on its first, what flows on its second, and the lines to the trunk.
fn side_row(
    scene: &Scene<'_>,
    lines: &Lines,
    list: &[Neighbour<'_>],
    (y, top, shown, centre): (usize, usize, usize, usize),
    side: usize,
    is_left: bool,
    row: &mut Row,
) {
    let within = y.checked_sub(top).filter(|line| *line < shown * EACH);
    let neighbour = within.and_then(|line| list.get(line / EACH));
    let room = side.saturating_sub(4);
    let (text, role) = match (neighbour, within.map(|line| line % EACH)) {
        (Some(one), Some(0)) => named(scene, one, room),
        (Some(one), Some(1)) => flows(scene, one, room),
        _ => (String::new(), Role::Plain),
    };
    // The trunk reaches from the first neighbour to the last, and to the middle.
    let (first, last) = (top, top + shown.saturating_sub(1) * EACH);
    let (from, to) = (first.min(centre), last.max(centre));
    let branch = within.is_some_and(|line| line % EACH == 0) && neighbour.is_some();
    let corner = |ends: [&'static str; 3]| {
        let [first, between, last] = ends;
        if y == from {
            first
        } else if y == to {
            last
        } else {
            between
        }
    };
    let trunk = if shown == 0 || y < from || y > to {
        " "
    } else if branch && y == centre {
        if from == to { lines.across } else { lines.cross }
    } else if branch {
        corner(if is_left { lines.left } else { lines.right })
    } else if y == centre {
        // Here the trunk meets the line of the middle.
        corner(if is_left { lines.right } else { lines.left })
    } else {
        lines.down
    };
    if is_left {
        let used = cells(&text);
        row.add(Role::Plain, " ").add(role, text);
        let gap = (side - 2).saturating_sub(used + 1);
        row.add(Role::Rule, if branch { format!(" {}", lines.across.repeat(gap)) } else { " ".repeat(gap + 1) });
        row.add(Role::Rule, trunk);
    } else {
        row.add(Role::Rule, trunk).add(Role::Rule, if branch { format!("{} ", lines.arrow) } else { "  ".to_owned() }).add(role, text);
    }
}

fn named(scene: &Scene<'_>, one: &Neighbour<'_>, room: usize) -> (String, Role) {
    let (mark, role) = of_standing(one.service.standing);
    let name = one.service.target.service.as_str();
    let state = one.service.state.last().filter(|state| !state.is_empty()).map(|state| format!(", {state}")).unwrap_or_default();
    let mark = scene.glyph(mark);
    (cut(scene, &[format!("{mark} {name}{state}"), format!("{mark} {name}")], room), role)
}

fn flows(scene: &Scene<'_>, one: &Neighbour<'_>, room: usize) -> (String, Role) {
    let minute = |at| scene.zone.minute(&at, &scene.now.wall);
    let undeclared = if one.link.declared { "" } else { ", not declared" };
    let (text, role) = match one.link.sight {
        Sight::Seen(flow) => {
            let role = if one.link.declared { Role::Plain } else { Role::Watched };
            (format!("{} req/s, {} % fail{undeclared}", rate(flow.rate), percent(flow.failing())), role)
        }
        Sight::Stale(Some(flow)) => (format!("{} {} req/s, stale{undeclared}", scene.glyph(Mark::Unknown), rate(flow.rate)), Role::Stale),
        Sight::Stale(None) => (format!("{} declared; not known whether seen", scene.glyph(Mark::Unknown)), Role::Stale),
        Sight::Gone(at) => (format!("not seen since {}{undeclared}", minute(at)), Role::Quiet),
        Sight::Never => ("declared, never seen".to_owned(), Role::Watched),
        Sight::Unlooked => ("declared".to_owned(), Role::Quiet),
    };
    (format!("  {}", cut(scene, &[text.clone(), text.split(',').next().unwrap_or_default().to_owned()], room.saturating_sub(2))), role)
}

/// The middle: the service, its versions, state and time.
fn middle_box(scene: &Scene<'_>, map: &Map, place: usize, service: &MapService, room: usize) -> Vec<Vec<(Role, String)>> {
    let (mark, role) = of_standing(service.standing);
    let mut lines = vec![vec![(role, cut(scene, &[format!("{} {}", scene.glyph(mark), service.target.service)], room))]];
    let between = scene.glyph(Mark::Moving);
    let versions = match (&service.from, &service.to) {
        (Some(from), Some(to)) => Some(vec![format!("{from} {between} {to}"), format!("{between} {to}")]),
        (Some(from), None) => Some(vec![from.to_string()]),
        (None, Some(to)) => Some(vec![format!("{between} {to}")]),
        (None, None) => None,
    };
    lines.extend(versions.map(|forms| vec![(Role::Plain, cut(scene, &forms, room))]));
    if !service.state.is_empty() {
        lines.push(vec![(Role::Plain, cut(scene, &service.state, room))]);
    }
    if let Some(left) = service.left_s.filter(|_| map.stage(place).is_left()) {
        lines.push(vec![(Role::Quiet, cut(scene, &[format!("{} left at least", minutes(left)), minutes(left)], room))]);
    }
    if let Some(flow) = service.got {
        lines.push(vec![(
            Role::Quiet,
            cut(scene, &[format!("gets {} req/s", rate(flow.rate)), format!("{} req/s", rate(flow.rate))], room),
        )]);
    }
    lines
}
