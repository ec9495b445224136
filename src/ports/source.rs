//! The port to where changes come from.

use super::pending::Pending;
use crate::model::error::PortError;
use crate::model::origin::{Deployment, Guard, Range, Review};

/// A place that keeps sources. The contract suite is `tests/it/contract/source.rs`.
pub trait Source: Send + Sync {
    /// Reads who made what lies between two versions of a repository, each a commit, tag or branch; whichever of them is the newer.
    /// What cannot be read whole, or was rewritten in between, has unknown authors; an error only when nothing could be read.
    fn authors<'a>(&'a self, repository: &'a str, from: &'a str, to: &'a str) -> Pending<'a, Result<Range, PortError>>;

    /// Reads the reviews of the proposals that brought a commit.
    fn reviews<'a>(&'a self, repository: &'a str, revision: &'a str) -> Pending<'a, Result<Vec<Review>, PortError>>;

    /// Reads what protects an environment there; none when there is no such environment.
    fn guard<'a>(&'a self, repository: &'a str, environment: &'a str) -> Pending<'a, Result<Option<Guard>, PortError>>;

    /// Reads what an environment was told to run, the newest first, at most `most`.
    fn deployments<'a>(&'a self, repository: &'a str, environment: &'a str, most: u32) -> Pending<'a, Result<Vec<Deployment>, PortError>>;
}
