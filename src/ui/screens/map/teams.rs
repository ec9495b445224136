//! The map by team, where services are too many for a letter each.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::graph::Graph;
use crate::control::map::Map;
use crate::control::standing::Standing;
use crate::model::name::Target;
use crate::policy::map::Stage;
use crate::ui::row::{Row, cells};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role, of_standing};

use super::LETTERS;
use super::table::cut;

/// A team with its services, providers first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Team {
    /// Its name.
    pub(super) name: String,
    /// The places of its services.
    pub(super) places: Vec<usize>,
}

/// All teams, those that are used before their users; teams mostly use each other in circles, and then stand by name.
pub(super) fn all(map: &Map) -> Vec<Team> {
    let mut teams: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, service) in map.services.iter().enumerate() {
        teams.entry(service.team_name()).or_default().push(place);
    }
    let teams: Vec<Team> = teams.into_iter().map(|(name, places)| Team { name, places }).collect();
    graph(map, &teams).order().into_iter().filter_map(|at| teams.get(at).cloned()).collect()
}

fn graph(map: &Map, teams: &[Team]) -> Graph {
    let team_of: BTreeMap<usize, usize> =
        teams.iter().enumerate().flat_map(|(at, team)| team.places.iter().map(move |place| (*place, at))).collect();
    let edges = (0..map.graph.len()).flat_map(|user| map.graph.uses(user).map(move |used| (user, used)));
    Graph::new(teams.len(), edges.filter_map(|(user, used)| Some((*team_of.get(&user)?, *team_of.get(&used)?))))
}

/// A heading and the rows in sight.
pub(super) fn rows(
    scene: &Scene<'_>,
    map: &Map,
    (teams, offset, body): (&[Team], usize, usize),
    cursor: Option<&Target>,
    width: usize,
) -> Vec<Row> {
    let graph = graph(map, teams);
    let here = cursor.and_then(|target| map.place(&target.service));
    let name = teams.iter().map(|team| cells(&team.name)).max().unwrap_or(0).clamp(7, (width / 3).max(7)) + 2;
    let lettered = teams.len() <= LETTERS;
    let matrix = if lettered { teams.len() } else { 0 };
    let state = width.saturating_sub(5 + name + 10 + matrix + 2);
    let mut heading = Row::new();
    heading.at(5).add(Role::Quiet, "team").at(5 + name).add(Role::Quiet, "services").at(15 + name).add(Role::Quiet, "state");
    if lettered {
        heading.at(15 + name + state);
        for at in 0..teams.len() {
            heading.add(Role::Quiet, letter(at));
        }
    }
    let mut rows = vec![heading];
    for (at, team) in teams.iter().enumerate().skip(offset).take(body) {
        let marked = here.is_some_and(|here| team.places.contains(&here));
        let worst = team.places.iter().filter_map(|place| map.service(*place)).map(|service| service.standing).min();
        let (mark, role) = of_standing(worst.unwrap_or(Standing::Quiet));
        let mut row = Row::new();
        row.add(Role::Strong, scene.glyph(if marked { Mark::Cursor } else { Mark::None })).add(role, scene.glyph(mark));
        row.at(3).add(Role::Quiet, if lettered { letter(at) } else { String::new() });
        row.at(5).add(if marked { Role::Strong } else { Role::Plain }, team.name.clone());
        row.at(5 + name).add(Role::Plain, format!("{:>8}", team.places.len()));
        row.at(15 + name).add(role, cut(scene, &[words(map, team)], state.saturating_sub(1)));
        if lettered {
            row.at(15 + name + state);
            let used: BTreeSet<usize> = graph.uses(at).collect();
            for other in 0..teams.len() {
                let (role, sign) = match (other == at, used.contains(&other)) {
                    (true, _) => (Role::Quiet, "#".to_owned()),
                    (false, true) => (Role::Plain, letter(other)),
                    (false, false) => (Role::Rule, scene.glyph(Mark::Day).to_owned()),
                };
                row.add(role, sign);
            }
        }
        rows.push(row);
    }
    rows
}

fn letter(at: usize) -> String {
    u8::try_from(at).ok().and_then(|at| b'a'.checked_add(at)).map(|letter| char::from(letter).to_string()).unwrap_or_default()
}

/// How the changes of a team stand: `2 of 5 done, 1 stopped, 1 abnormal`.
fn words(map: &Map, team: &Team) -> String {
    let count = |which: &dyn Fn(usize) -> bool| team.places.iter().filter(|place| which(**place)).count();
    let done = count(&|place| matches!(map.stage(place), Stage::Done { .. }));
    let left = count(&|place| map.stage(place).is_left());
    let abnormal = count(&|place| map.nodes.get(place).is_some_and(|node| node.abnormal));
    let stopped = count(&|place| map.nodes.get(place).is_some_and(|node| node.stopped && node.stage.is_left()));
    let waits = count(&|place| map.service(place).is_some_and(|service| !service.waits_for.is_empty()));
    let mut words = Vec::new();
    if abnormal > 0 {
        words.push(format!("{abnormal} abnormal"));
    }
    if done + left > 0 {
        words.push(format!("{done} of {} done", done + left));
    }
    if stopped > 0 {
        words.push(format!("{stopped} stopped"));
    }
    if waits > 0 {
        words.push(format!("{waits} wait for others"));
    }
    words.join(", ")
}
