//! What services that change together mean for each other: who waits for whom, who goes back after whom, and whether all of it can go.
//!
//! gonogo knows who uses whom, not which versions suit each other. So it orders: what is used goes forward before its users, and goes
//! back after those of them that moved since it did, for they may rest on what it brought.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::analysis::graph::Graph;

/// How far the change of a service has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It has none.
    Quiet,
    /// It is planned and not begun.
    Planned,
    /// It is under way, and by then it had moved traffic; none: not yet.
    Moving(Option<DateTime<Utc>>),
    /// It ended, and its new version is the stable one.
    Done {
        /// No earlier did it begin to serve.
        from: DateTime<Utc>,
        /// It had begun to serve by then, at the latest.
        by: DateTime<Utc>,
    },
}

impl Stage {
    /// Whether it is still to be done, wholly or in part.
    pub fn is_left(self) -> bool {
        matches!(self, Self::Planned | Self::Moving(_))
    }

    /// Between which two moments its new version began to serve.
    fn moved(self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        match self {
            Self::Quiet | Self::Planned => None,
            Self::Moving(at) => at.map(|at| (at, at)),
            Self::Done { from, by } => Some((from, by)),
        }
    }
}

/// A service, as far as these decisions look at it. Its number is its place in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Its change.
    pub stage: Stage,
    /// How long what is left of its change takes at least, in seconds; none: nobody knows.
    pub left_s: Option<u64>,
    /// Whether it is abnormal.
    pub abnormal: bool,
    /// Whether something of its own stops its change.
    pub stopped: bool,
}

/// How a service goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayBack {
    /// There is nothing to go back from.
    NotBegun,
    /// By itself, whenever it likes.
    Alone,
    /// After these, which use it and moved since it did; the first to go first.
    After(Vec<usize>),
}

/// For a service whose change is left: the nearest ones that it uses, perhaps through others, whose change is left as well.
pub fn waits_for(graph: &Graph, nodes: &[Node], node: usize) -> BTreeSet<usize> {
    let is_left = |node: usize| nodes.get(node).is_some_and(|node| node.stage.is_left());
    let (mut found, mut seen, mut open) = (BTreeSet::new(), BTreeSet::from([node]), vec![node]);
    if !is_left(node) {
        return found;
    }
    while let Some(at) = open.pop() {
        for used in graph.uses(at).filter(|used| seen.insert(*used)) {
            if is_left(used) {
                found.insert(used);
            } else {
                open.push(used);
            }
        }
    }
    found
}

/// How a service goes back. `order`: all nodes, providers first.
pub fn way_back(graph: &Graph, nodes: &[Node], order: &[usize], node: usize) -> WayBack {
    let Some((moved, _)) = nodes.get(node).and_then(|node| node.stage.moved()) else { return WayBack::NotBegun };
    let users = graph.all_users(node);
    let since = |user: &usize| nodes.get(*user).and_then(|user| user.stage.moved()).is_some_and(|(_, by)| by >= moved);
    let first: Vec<usize> = order.iter().rev().filter(|user| users.contains(*user)).filter(|user| since(user)).copied().collect();
    if first.is_empty() { WayBack::Alone } else { WayBack::After(first) }
}

/// What would be left if a service went back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IfBack {
    /// Who must go back before it; the first to go first.
    pub first: Vec<usize>,
    /// Whose change is left and can still go: they do not use it.
    pub can: Vec<usize>,
    /// Whose change is left and uses it, perhaps through others: nobody knows whether it suits the old version.
    pub ask: Vec<usize>,
}

/// What would be left if a service went back; each list in the given order, providers first.
pub fn if_back(graph: &Graph, nodes: &[Node], order: &[usize], node: usize) -> IfBack {
    let users = graph.all_users(node);
    let first = match way_back(graph, nodes, order, node) {
        WayBack::After(first) => first,
        WayBack::Alone | WayBack::NotBegun => Vec::new(),
    };
    let left = |other: &&usize| **other != node && !first.contains(*other) && nodes.get(**other).is_some_and(|other| other.stage.is_left());
    let (ask, can) = order.iter().filter(left).copied().partition(|other| users.contains(other));
    IfBack { first, can, ask }
}

/// How the time stands in which changes may go forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// No window and no freeze bounds it.
    Open,
    /// So many seconds of it are left.
    Left(u64),
    /// It is shut or frozen.
    Shut,
}

/// Why not all of what is left can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// The window is shut, or a freeze holds.
    Shut,
    /// The longest chain is longer than the window by so many seconds.
    TooLong(u64),
    /// A service is abnormal, whose change is left or that one with a change left uses.
    Abnormal(usize),
    /// Something of its own stops it.
    Stopped(usize),
}

/// Why nobody can say that all of it can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// How long the change of a service takes is not known.
    Length(usize),
    /// Who uses whom may be otherwise: what sees it is stale.
    Links,
}

/// Whether all that is left can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoNoGo {
    /// Nothing is left to do.
    Nothing,
    /// Nothing is known against it.
    Go,
    /// Something is against it.
    NoGo(Vec<Against>),
    /// Nothing is against it, and not all of it is known.
    Unknown(Vec<Doubt>),
}

impl GoNoGo {
    /// The word in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing-left",
            Self::Go => "go",
            Self::NoGo(_) => "no-go",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// The longest chain of what is left, providers first, with its length in seconds. What is not known counts nothing.
pub fn longest(graph: &Graph, nodes: &[Node]) -> (Vec<usize>, u64) {
    let weight = |node: &Node| node.left_s.filter(|_| node.stage.is_left()).unwrap_or(0);
    graph.longest(&nodes.iter().map(weight).collect::<Vec<_>>())
}

/// Whether all that is left can go. `sees`: whether what sees the links is fresh, or nothing is meant to.
pub fn go(graph: &Graph, nodes: &[Node], order: &[usize], window: Window, sees: bool) -> GoNoGo {
    let is_left = |node: usize| nodes.get(node).is_some_and(|node| node.stage.is_left());
    let left: BTreeSet<usize> = order.iter().copied().filter(|node| is_left(*node)).collect();
    if left.is_empty() {
        return GoNoGo::Nothing;
    }
    let mut against = Vec::new();
    if window == Window::Shut {
        against.push(Against::Shut);
    }
    let (_, chain_s) = longest(graph, nodes);
    if let Window::Left(left_s) = window
        && chain_s > left_s
    {
        against.push(Against::TooLong(chain_s - left_s));
    }
    let mut rested_on = left.clone();
    for node in &left {
        rested_on.extend(graph.all_used(*node));
    }
    for node in order.iter().copied() {
        let Some(known) = nodes.get(node) else { continue };
        if known.abnormal && rested_on.contains(&node) {
            against.push(Against::Abnormal(node));
        } else if known.stopped && left.contains(&node) {
            against.push(Against::Stopped(node));
        }
    }
    if !against.is_empty() {
        return GoNoGo::NoGo(against);
    }
    let length = |node: &usize| nodes.get(*node).is_some_and(|node| node.left_s.is_none());
    let unmeasured = left.iter().copied().filter(length).filter(|_| window != Window::Open).map(Doubt::Length);
    let doubts: Vec<Doubt> = (!sees).then_some(Doubt::Links).into_iter().chain(unmeasured).collect();
    if doubts.is_empty() { GoNoGo::Go } else { GoNoGo::Unknown(doubts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u32) -> DateTime<Utc> {
        format!("2026-06-02T14:{minute:02}:00Z").parse().unwrap()
    }

    fn done(minute: u32) -> Stage {
        Stage::Done { from: at(minute), by: at(minute) }
    }

    fn node(stage: Stage, minutes: u64) -> Node {
        Node { stage, left_s: Some(minutes * 60), abnormal: false, stopped: false }
    }

    /// 0 ledger, 1 stock, 2 checkout uses both, 3 web uses checkout, 4 mail alone.
    fn graph() -> Graph {
        Graph::new(5, [(2, 0), (2, 1), (3, 2)])
    }

    fn nodes(stages: [Stage; 5]) -> Vec<Node> {
        stages.into_iter().map(|stage| node(stage, 10)).collect()
    }

    #[test]
    fn what_is_used_goes_first_also_through_what_does_not_change() {
        let nodes = nodes([Stage::Planned, done(1), Stage::Quiet, Stage::Planned, Stage::Planned]);
        assert_eq!(waits_for(&graph(), &nodes, 3), [0].into(), "through checkout, which does not change");
        assert_eq!(waits_for(&graph(), &nodes, 4), [].into());
        assert_eq!(waits_for(&graph(), &nodes, 2), [].into(), "it has no change that could wait");
        assert_eq!(longest(&graph(), &nodes), (vec![0, 3], 1200));
    }

    #[test]
    fn users_that_moved_since_go_back_before_what_they_use() {
        let (graph, order) = (graph(), graph().order());
        let stages = [done(10), done(30), Stage::Moving(Some(at(20))), done(25), Stage::Planned];
        let nodes = nodes(stages);
        let back = |node| way_back(&graph, &nodes, &order, node);
        assert_eq!(back(0), WayBack::After(vec![3, 2]), "users first, the last of them first");
        assert_eq!(back(1), WayBack::Alone, "they ran with its old version, for they moved before it");
        assert_eq!(back(2), WayBack::After(vec![3]));
        assert_eq!((back(3), back(4)), (WayBack::Alone, WayBack::NotBegun));
        let unsure = Stage::Done { from: at(5), by: at(31) };
        let nodes = [unsure, Stage::Quiet, Stage::Moving(Some(at(20))), unsure, Stage::Quiet].map(|stage| node(stage, 1));
        assert_eq!(way_back(&graph, &nodes, &order, 0), WayBack::After(vec![3, 2]), "what may have moved since counts as if it had");
    }

    #[test]
    fn who_does_not_use_what_goes_back_can_still_go() {
        let (graph, order) = (graph(), graph().order());
        let nodes = nodes([Stage::Moving(Some(at(1))), Stage::Planned, Stage::Moving(None), Stage::Planned, Stage::Planned]);
        assert_eq!(if_back(&graph, &nodes, &order, 0), IfBack { first: Vec::new(), can: vec![1, 4], ask: vec![2, 3] });
    }

    #[test]
    fn a_chain_longer_than_the_window_is_no_go_by_as_much() {
        let (graph, order) = (graph(), graph().order());
        let mut nodes = nodes([Stage::Planned, Stage::Quiet, Stage::Planned, Stage::Quiet, Stage::Quiet]);
        let go = |nodes: &[Node], window, sees| go(&graph, nodes, &order, window, sees);
        assert_eq!(go(&nodes, Window::Left(1200), true), GoNoGo::Go);
        assert_eq!(go(&nodes, Window::Left(1199), true), GoNoGo::NoGo(vec![Against::TooLong(1)]));
        assert_eq!(go(&nodes, Window::Shut, true), GoNoGo::NoGo(vec![Against::Shut]));
        assert_eq!(go(&nodes, Window::Open, false), GoNoGo::Unknown(vec![Doubt::Links]));
        nodes[1].abnormal = true;
        assert_eq!(go(&nodes, Window::Open, true), GoNoGo::NoGo(vec![Against::Abnormal(1)]), "checkout rests on the stock");
        nodes[1].abnormal = false;
        (nodes[3].abnormal, nodes[0].left_s) = (true, None);
        assert_eq!(go(&nodes, Window::Open, true), GoNoGo::Go, "nobody rests on the web, and an open end needs no length");
        assert_eq!(go(&nodes, Window::Left(6000), true), GoNoGo::Unknown(vec![Doubt::Length(0)]));
        nodes[2].stopped = true;
        assert_eq!(go(&nodes, Window::Left(6000), true), GoNoGo::NoGo(vec![Against::Stopped(2)]));
    }

    #[test]
    fn nothing_left_is_neither_go_nor_no_go() {
        let nodes = nodes([done(1), Stage::Quiet, Stage::Quiet, Stage::Quiet, Stage::Quiet]);
        assert_eq!(go(&graph(), &nodes, &graph().order(), Window::Shut, true), GoNoGo::Nothing);
    }
}
