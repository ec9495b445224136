//! The map of an environment: its services with who uses whom, declared and seen, and what follows for those that change together.

mod stands;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use self::stands::Facts;
pub use self::stands::MapService;
use super::standing::{self, Standing};
use super::world::World;
use crate::analysis::graph::Graph;
use crate::model::link::{Flow, Link};
use crate::model::name::{EnvironmentName, ServiceName, Target};
use crate::model::time::Moment;
use crate::policy::map::{self, GoNoGo, IfBack, Node, Stage, WayBack, Window};

/// A link that nobody declared and that is not seen any more counts as a use for so long: what runs once a day may come back.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

/// How a link is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sight {
    /// The last reading of a fresh discovery has it.
    Seen(Flow),
    /// It was seen, and is not since then.
    Gone(DateTime<Utc>),
    /// A fresh discovery never saw it.
    Never,
    /// What would see it is stale; the flow of the last reading, where that had it.
    Stale(Option<Flow>),
    /// No discovery looks there, or none said anything yet.
    Unlooked,
}

impl Sight {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Seen(_) => "seen",
            Self::Gone(_) => "gone",
            Self::Never => "never",
            Self::Stale(_) => "stale",
            Self::Unlooked => "unlooked",
        }
    }

    /// What flows over it, as read last.
    pub fn flow(self) -> Option<Flow> {
        match self {
            Self::Seen(flow) => Some(flow),
            Self::Stale(flow) => flow,
            Self::Gone(_) | Self::Never | Self::Unlooked => None,
        }
    }
}

/// One service uses another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapLink {
    /// Whether the configuration declares it.
    pub declared: bool,
    /// How it is seen.
    pub sight: Sight,
    /// Since when it is seen; none: since before anybody looked, or it was never.
    pub since: Option<DateTime<Utc>>,
}

impl MapLink {
    /// Whether the one is taken to use the other.
    fn counts(&self, at: &DateTime<Utc>) -> bool {
        self.declared
            || match self.sight {
                Sight::Seen(_) | Sight::Stale(Some(_)) => true,
                Sight::Gone(gone) => *at - gone < REMEMBERED,
                Sight::Never | Sight::Stale(None) | Sight::Unlooked => false,
            }
    }
}

/// The map of one environment. Services are known by their place in it, providers first.
#[derive(Debug, Clone)]
pub struct Map {
    /// Of which.
    pub environment: EnvironmentName,
    /// Its services, those that are used before their users.
    pub services: Vec<MapService>,
    /// Who uses whom, by place, with what is declared and not seen and what is not seen any more.
    pub links: BTreeMap<(usize, usize), MapLink>,
    /// The same as a graph of what counts as a use.
    pub graph: Graph,
    /// What decisions look at, by place.
    pub nodes: Vec<Node>,
    /// How the time stands in which changes may go forward.
    pub window: Window,
    /// When that time ends, and what ends it: a window's or freeze's name.
    pub until: Option<(String, DateTime<Utc>)>,
    /// Whether a discovery is meant to see its links.
    pub looks: bool,
    /// Whether all that is left can go.
    pub go: GoNoGo,
    /// The longest chain of what is left, providers first, and how long it takes at least, in seconds.
    pub chain: (Vec<usize>, u64),
}

impl Map {
    /// The map of an environment as the world stands.
    pub fn of(world: &World, environment: &EnvironmentName, now: &Moment) -> Self {
        let names: Vec<ServiceName> = world.catalog.deployed(environment).into_iter().collect();
        let links = links(world, environment, now);
        let place = |name: &ServiceName| names.binary_search(name).ok();
        let used = links.iter().filter(|(_, link)| link.counts(&now.wall));
        let order = Graph::new(names.len(), used.clone().filter_map(|(link, _)| Some((place(&link.user)?, place(&link.used)?)))).order();
        let mut places = vec![0; names.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(at) = places.get_mut(*old) {
                *at = new;
            }
        }
        let place = |name: &ServiceName| places.get(place(name)?).copied();
        let ends = |link: &Link| Some((place(&link.user)?, place(&link.used)?));
        let graph = Graph::new(names.len(), used.filter_map(|(link, _)| ends(link)));
        let links: BTreeMap<_, _> = links.iter().filter_map(|(link, seen)| Some((ends(link)?, *seen))).collect();
        let ordered: Vec<Target> =
            order.iter().filter_map(|old| names.get(*old)).map(|name| Target::new(name.clone(), environment.clone())).collect();
        Self::made(world, environment, now, &ordered, (graph, links))
    }

    fn made(
        world: &World,
        environment: &EnvironmentName,
        now: &Moment,
        targets: &[Target],
        (graph, links): (Graph, BTreeMap<(usize, usize), MapLink>),
    ) -> Self {
        let standings: BTreeMap<&Target, Standing> = standing::standings(world, now).into_iter().collect();
        let facts: Vec<Facts> = targets.iter().map(|target| Facts::of(world, target, standings.get(target).copied(), now)).collect();
        let nodes: Vec<Node> = facts.iter().map(Facts::node).collect();
        let order: Vec<usize> = (0..nodes.len()).collect();
        let (window, until) = stands::window(&facts, now);
        let looks = world.discoveries_of(environment).next().is_some();
        let sees = world.discoveries_of(environment).all(|view| view.freshness(now).is_fresh());
        let go = map::go(&graph, &nodes, &order, window, sees);
        let chain = map::longest(&graph, &nodes);
        let mut got: BTreeMap<usize, Flow> = BTreeMap::new();
        for ((_, used), flow) in links.iter().filter_map(|(ends, link)| Some((*ends, link.sight.flow()?))) {
            got.entry(used).and_modify(|sum| *sum = sum.and(flow)).or_insert(flow);
        }
        let services = facts
            .into_iter()
            .enumerate()
            .map(|(place, facts)| {
                let waits_for = map::waits_for(&graph, &nodes, place).into_iter().collect();
                let way_back = map::way_back(&graph, &nodes, &order, place);
                facts.service(waits_for, way_back, got.get(&place).copied())
            })
            .collect();
        Self { environment: environment.clone(), services, links, graph, nodes, window, until, looks, go, chain }
    }

    /// The place of a service.
    pub fn place(&self, service: &ServiceName) -> Option<usize> {
        self.services.iter().position(|one| &one.target.service == service)
    }

    /// The service at a place.
    pub fn service(&self, place: usize) -> Option<&MapService> {
        self.services.get(place)
    }

    /// How far the change of a service has come.
    pub fn stage(&self, place: usize) -> Stage {
        self.nodes.get(place).map_or(Stage::Quiet, |node| node.stage)
    }

    /// What would be left if a service went back.
    pub fn if_back(&self, place: usize) -> IfBack {
        map::if_back(&self.graph, &self.nodes, &(0..self.nodes.len()).collect::<Vec<_>>(), place)
    }

    /// The abnormal services that would go back: those of a change that moved traffic.
    pub fn abnormal(&self) -> impl Iterator<Item = usize> + '_ {
        let moved = |place: &usize| !matches!(self.services.get(*place).map(|one| &one.way_back), Some(WayBack::NotBegun) | None);
        self.nodes.iter().enumerate().filter(|(_, node)| node.abnormal).map(|(place, _)| place).filter(moved)
    }

    /// How many links are declared, and how many are seen.
    pub fn counts(&self) -> LinkCounts {
        let is_seen = |link: &&MapLink| matches!(link.sight, Sight::Seen(_));
        let count = |which: &dyn Fn(&&MapLink) -> bool| self.links.values().filter(which).count();
        LinkCounts {
            declared: count(&|link| link.declared),
            seen: count(&is_seen),
            stale: count(&|link| matches!(link.sight, Sight::Stale(Some(_)))),
        }
    }

    /// When something of this changes by the passing of time alone, at the latest.
    pub fn holds_for(&self, now: &Moment) -> Duration {
        let until = self.until.as_ref().and_then(|(_, at)| (*at - now.wall).to_std().ok());
        until.unwrap_or(Duration::from_mins(1)).min(Duration::from_mins(1))
    }
}

/// Links by what is known of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkCounts {
    /// Those that the configuration declares.
    pub declared: usize,
    /// Those that are seen now.
    pub seen: usize,
    /// Those that were seen last by what is stale now.
    pub stale: usize,
}

/// Every link of an environment that is declared or was ever seen.
fn links(world: &World, environment: &EnvironmentName, now: &Moment) -> BTreeMap<Link, MapLink> {
    let known = world.catalog.deployed(environment);
    let discoveries: Vec<_> = world.discoveries_of(environment).filter(|view| view.fact.value.is_some()).collect();
    let fresh = discoveries.iter().any(|view| view.freshness(now).is_fresh());
    let all_fresh = fresh && discoveries.iter().all(|view| view.freshness(now).is_fresh());
    // What nobody looks at is not known; what only a stale discovery could see is stale.
    let unseen = match (discoveries.is_empty(), all_fresh) {
        (true, _) => Sight::Unlooked,
        (false, true) => Sight::Never,
        (false, false) => Sight::Stale(None),
    };
    let mut links = BTreeMap::new();
    for service in known.iter().filter_map(|name| world.catalog.services.get(name)) {
        for used in service.depends_on.iter().filter(|used| known.contains(*used)) {
            let link = Link { user: service.name.clone(), used: used.clone() };
            links.insert(link, MapLink { declared: true, sight: unseen, since: None });
        }
    }
    for view in &discoveries {
        let is_fresh = view.freshness(now).is_fresh();
        for (link, seen) in view.links.iter().filter(|(link, _)| known.contains(&link.user) && known.contains(&link.used)) {
            let sight = match (seen.gone, seen.flow, is_fresh) {
                (Some(gone), ..) => Sight::Gone(gone),
                (None, Some(flow), true) => Sight::Seen(flow),
                (None, flow, _) => Sight::Stale(flow),
            };
            let entry = links.entry(link.clone()).or_insert(MapLink { declared: false, sight: unseen, since: None });
            if rank(sight) > rank(entry.sight) {
                (entry.sight, entry.since) = (sight, seen.since);
            }
        }
    }
    links
}

/// Of what two discoveries say of a link, which counts: who sees it is right against who does not.
fn rank(sight: Sight) -> u8 {
    match sight {
        Sight::Unlooked => 0,
        Sight::Never => 1,
        Sight::Stale(None) => 2,
        Sight::Gone(_) => 3,
        Sight::Stale(Some(_)) => 4,
        Sight::Seen(_) => 5,
    }
}
