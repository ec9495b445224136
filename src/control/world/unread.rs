//! What is configured, of which nothing was read yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

use super::{Source, TargetView};
use crate::model::catalog::Catalog;
use crate::model::name::{BackendName, Target};

/// Every configured target, of which nothing is known.
pub(crate) fn targets(catalog: &Catalog) -> RedBlackTreeMapSync<Target, Arc<TargetView>> {
    catalog.targets().map(|target| (target.clone(), Arc::new(TargetView::new(target)))).collect()
}

/// Every configured backend, none of which was read.
pub(crate) fn sources(catalog: &Catalog) -> BTreeMap<BackendName, Arc<Source>> {
    catalog.backends.values().map(|backend| (backend.name.clone(), Arc::new(Source::new(backend)))).collect()
}
