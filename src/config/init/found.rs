//! What was found around a newcomer, and from where: products that answered, clusters, repositories, logins, names of variables.

use crate::model::catalog::BackendKind;

/// Everything that was found, and what was looked for in vain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The name of the directory in which was looked.
    pub folder: String,
    /// Products that were asked, and answered as such.
    pub backends: Vec<Seen>,
    /// Contexts of kubeconfigs.
    pub contexts: Vec<Context>,
    /// Remotes of the repository in which was looked.
    pub remotes: Vec<Remote>,
    /// Files of workflows in it that a person may start.
    pub workflows: Vec<String>,
    /// Logins of the command lines of forges.
    pub logins: Vec<Login>,
    /// Variables of known tools that are set. Their values are in nothing here.
    pub variables: Vec<String>,
    /// What was looked for and is not there.
    pub missing: Vec<Missing>,
}

impl Found {
    /// The first of some variables that is set.
    pub fn variable<'a>(&self, names: &[&'a str]) -> Option<&'a str> {
        names.iter().copied().find(|name| self.variables.iter().any(|set| set == name))
    }
}

/// A product that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it is.
    pub kind: BackendKind,
    /// Its address, as the configuration takes it.
    pub place: String,
    /// Why it was looked for there.
    pub from: String,
    /// Its own words: product and version.
    pub says: String,
    /// Why it cannot be used as it is.
    pub trouble: Option<String>,
    /// The pools of a router.
    pub pools: Vec<SeenPool>,
    /// The services that a monitoring system has series of.
    pub services: Vec<String>,
    /// The builders of a CI system.
    pub builders: Vec<String>,
}

impl Seen {
    /// A product of which nothing more is known than that it answered.
    pub fn new(kind: BackendKind, place: &str, from: &str, says: String) -> Self {
        let (place, from) = (place.to_owned(), from.to_owned());
        Self { kind, place, from, says, trouble: None, pools: Vec::new(), services: Vec::new(), builders: Vec::new() }
    }
}

/// A pool of a router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPool {
    /// Its name there.
    pub name: String,
    /// Its servers with the weights that are set.
    pub servers: Vec<(String, u32)>,
}

/// A context of a kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The file.
    pub file: String,
    /// Its name.
    pub name: String,
    /// The one that is taken when none is named.
    pub current: bool,
    /// What its cluster answered; none when it was not asked.
    pub cluster: Option<Result<Cluster, String>>,
}

/// A cluster that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The version of its API server.
    pub version: String,
    /// The namespace that was looked into.
    pub namespace: String,
    /// The Deployments there.
    pub deployments: Vec<Deployment>,
}

/// A Deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Its name.
    pub name: String,
    /// Its first container.
    pub container: String,
    /// The image of that.
    pub image: String,
    /// How many containers it has.
    pub containers: usize,
}

/// A remote of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name here.
    pub remote: String,
    /// The host.
    pub host: String,
    /// The repository's name there, `owner/name`.
    pub name: String,
}

/// A login of the command line of a forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The program: `gh` or `glab`.
    pub tool: String,
    /// The host.
    pub host: String,
    /// The file that says so.
    pub from: String,
    /// Whether the program itself is there.
    pub runs: bool,
}

/// Something that was looked for in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What.
    pub what: String,
    /// Where was looked.
    pub place: String,
    /// What came instead.
    pub why: String,
}
