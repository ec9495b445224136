//! Links between services as the world shows them: what each discovery said last, and what became of the links it ever saw.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::model::catalog::Catalog;
use crate::model::link::{Discovery, Link, LinkReading, LinkSeen};
use crate::model::name::{BackendName, EnvironmentName};
use crate::model::reading::{Fact, Freshness};
use crate::model::text::Text;
use crate::model::time::Moment;

/// All discoveries by name.
pub type Discoveries = Arc<BTreeMap<BackendName, Arc<DiscoveryView>>>;

/// One discovery.
#[derive(Debug, Clone, PartialEq)]
pub struct DiscoveryView {
    /// What is configured.
    pub discovery: Arc<Discovery>,
    /// What it said last.
    pub fact: Fact<LinkReading>,
    /// Every link that it saw; one that is not seen any more stays.
    pub links: Arc<BTreeMap<Link, LinkSeen>>,
    /// Names in its last reading that are no service of the environment.
    pub strangers: Arc<BTreeSet<Text>>,
}

impl DiscoveryView {
    /// A discovery that said nothing yet.
    pub fn new(discovery: Discovery) -> Self {
        Self { discovery: Arc::new(discovery), fact: Fact::default(), links: Arc::default(), strangers: Arc::default() }
    }

    /// How it stands at `now`.
    pub fn freshness(&self, now: &Moment) -> Freshness {
        self.fact.freshness(now, self.discovery.stale_after)
    }

    /// The age of what it said last.
    pub fn age(&self, now: &Moment) -> Option<Duration> {
        self.fact.age(now)
    }
}

/// Every configured discovery, none of which was read; those of `before` that are configured as they were stay.
pub(crate) fn discoveries(catalog: &Catalog, before: &Discoveries) -> Discoveries {
    let view = |discovery: &Discovery| {
        let kept = before.get(&discovery.name).filter(|old| *old.discovery == *discovery).cloned();
        (discovery.name.clone(), kept.unwrap_or_else(|| Arc::new(DiscoveryView::new(discovery.clone()))))
    };
    Arc::new(catalog.discoveries.iter().map(view).collect())
}

impl super::World {
    /// The discoveries of an environment.
    pub fn discoveries_of<'a>(&'a self, environment: &'a EnvironmentName) -> impl Iterator<Item = &'a Arc<DiscoveryView>> {
        self.discoveries.values().filter(move |view| &view.discovery.environment == environment)
    }
}
