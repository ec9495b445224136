//! The links of a chain: ticket, deed, approvals, run, commit, version, digest, and what runs where now; and which link is missing, and why.

use std::collections::BTreeSet;

use crate::control::released;
use crate::control::world::World;
use crate::model::deed::EntryKind;
use crate::model::dossier::{Dossier, Noted};
use crate::model::name::Target;
use crate::model::pipeline::Run;
use crate::model::released::Build;
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::time::Moment;

/// The least digits of a commit.
const LEAST_COMMIT: usize = 7;
/// The least digits of a deed.
const LEAST_DEED: usize = 8;

/// What was asked for, and what the readings of now tie to it.
pub struct Clue {
    what: String,
    hex: bool,
    /// Versions and digests that a run of this commit built.
    built: BTreeSet<String>,
}

impl Clue {
    /// The clue in a word.
    pub fn of(what: &str, world: &World) -> Self {
        let hex = what.len() >= LEAST_COMMIT && what.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let mut clue = Self { what: what.to_owned(), hex, built: BTreeSet::new() };
        let built = all_runs(world).filter(|run| clue.is_commit(run.revision.as_str()) || run.id.to_string() == what);
        let said = built.flat_map(|run| ["version", "digest"].into_iter().filter_map(|name| run.properties.get(name)));
        clue.built = said.map(ToString::to_string).collect();
        clue
    }

    fn is_commit(&self, revision: &str) -> bool {
        self.hex && revision.len() >= self.what.len() && revision.starts_with(&self.what)
    }

    /// Whether it names this version or digest.
    fn names(&self, text: Option<&Text>) -> bool {
        text.is_some_and(|text| text.as_str() == self.what || self.built.contains(text.as_str()))
    }

    fn is_build(&self, build: &Build) -> bool {
        self.names(build.version.as_ref())
            || self.names(build.digest.as_ref())
            || build.revision.as_ref().is_some_and(|revision| self.is_commit(revision.as_str()))
            || build.run.as_deref() == Some(self.what.as_str())
    }

    /// Whether a dossier is about it.
    pub fn leads_to(&self, dossier: &Dossier) -> bool {
        let ordered = dossier.order.as_ref().and_then(|order| order.targets.first());
        let plan = self.hex && self.what.len() >= LEAST_DEED && dossier.plan.to_string().starts_with(&self.what);
        plan || dossier.ticket() == Some(self.what.as_str())
            || dossier.target.as_ref().is_some_and(|target| target.to_string() == self.what)
            || ordered.is_some_and(|target| self.names(target.digest.as_ref()) || target.run.as_deref() == Some(self.what.as_str()))
            || self.is_build(&dossier.released.to)
            || self.is_build(&dossier.released.from)
    }
}

fn all_runs(world: &World) -> impl Iterator<Item = &Run> {
    let readings = world.sources.keys().filter_map(|backend| world.runs(backend)?.value.as_ref());
    readings.flat_map(|reading| reading.builders.values()).flat_map(|builder| &builder.runs)
}

/// What runs in a slot now.
#[derive(Debug, Clone)]
pub struct Running {
    /// Where.
    pub target: Target,
    /// The slot.
    pub slot: Slot,
    /// Whether it is the stable one.
    pub is_stable: bool,
    /// The version.
    pub version: Text,
    /// Its digest.
    pub digest: Option<Text>,
    /// Its share by the routers' set weights, in per cent.
    pub share: Option<f64>,
    /// The backend that says so.
    pub source: String,
    /// How old that is, in seconds.
    pub age_s: Option<u64>,
    /// The commit that it was built from, by the run that built it.
    pub revision: Option<Text>,
    /// That run.
    pub run: Option<String>,
}

/// What runs now of what was asked for.
pub fn running(world: &World, clue: &Clue, now: &Moment) -> Vec<Running> {
    let is_it = |one: &Running| {
        clue.names(Some(&one.version))
            || clue.names(one.digest.as_ref())
            || one.revision.as_ref().is_some_and(|revision| clue.is_commit(revision.as_str()))
            || one.target.to_string() == clue.what
    };
    let targets: BTreeSet<String> = world.targets.keys().map(ToString::to_string).collect();
    let targets = targets.iter().filter_map(|target| target.parse::<Target>().ok());
    targets.flat_map(|target| on(world, &target, now)).filter(is_it).collect()
}

/// What runs on a target now.
fn on(world: &World, target: &Target, now: &Moment) -> Vec<Running> {
    let (Some(view), Some(service)) = (world.target(target), world.catalog.services.get(&target.service)) else { return Vec::new() };
    let source = service.deploy.get(&target.environment).and_then(|deploy| deploy.version.as_ref()).map(|version| &version.backend);
    let age = source.and_then(|source| world.sources.get(source)?.age(now)).map(|age| age.as_secs());
    let wished = view.wished().map(|share| (share.percent() * 10.0).round() / 10.0);
    Slot::BOTH
        .into_iter()
        .filter_map(|slot| {
            let seen = view.version(slot)?;
            let is_stable = slot == view.state.stable;
            let run = released::built_by(world, service, &seen.version, seen.digest.as_ref());
            Some(Running {
                target: target.clone(),
                slot,
                is_stable,
                version: seen.version.clone(),
                digest: seen.digest.clone(),
                share: wished.map(|share| if is_stable { 100.0 - share } else { share }),
                source: source.map(ToString::to_string).unwrap_or_default(),
                age_s: age,
                revision: run.map(|run| run.revision.clone()),
                run: run.map(|run| run.id.to_string()),
            })
        })
        .collect()
}

/// Where a link comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// An entry of the ledger.
    Entry(u64),
    /// The evidence that an entry is bound to.
    Evidence(u64),
    /// A backend, and how old its word is, in seconds.
    Backend(String, Option<u64>),
}

/// A link that is not there.
#[derive(Debug, Clone)]
pub struct Missing {
    /// Which.
    pub link: &'static str,
    /// Why.
    pub why: String,
    /// What would change it next time.
    pub fix: &'static str,
}

/// Everything that hangs together with one deed.
pub struct Chain<'a> {
    /// What the ledger says.
    pub dossier: &'a Dossier,
    /// The run that built what was released, or that the deed was about.
    pub run: Option<(String, Source)>,
    /// How that run stands, when its backend still shows it.
    pub state: Option<&'static str>,
    /// The commit.
    pub commit: Option<(Text, Source)>,
    /// The version, and from which.
    pub version: Option<(Option<Text>, Text, Source)>,
    /// The digest.
    pub digest: Option<(Text, Source)>,
    /// What runs on its target now.
    pub now: Vec<Running>,
    /// Links that are not there.
    pub missing: Vec<Missing>,
}

impl<'a> Chain<'a> {
    /// The chain of a dossier.
    pub fn of(world: &World, dossier: &'a Dossier, now: &Moment) -> Self {
        let to = &dossier.released.to;
        let bound = dossier.entries.iter().find(|entry| entry.evidence.is_some()).map_or(0, |entry| entry.n);
        let intent = dossier.first(EntryKind::Intent).map(|entry| entry.n);
        let evidence = || Source::Evidence(bound);
        let ordered = dossier.order.as_ref().and_then(|order| order.targets.first());
        let live = live_run(world, dossier);
        let run = match (&to.run, ordered.and_then(|target| target.run.clone())) {
            (Some(run), _) => Some((run.clone(), evidence())),
            (None, Some(run)) => Some((run, intent.map_or_else(evidence, Source::Entry))),
            (None, None) => live.map(|run| (run.id.to_string(), heard(world, run, now))),
        };
        let shown = run.as_ref().and_then(|(id, _)| all_runs(world).find(|run| run.id.to_string() == *id));
        let built = shown.filter(|run| !run.revision.is_empty());
        let commit = match &to.revision {
            Some(revision) => Some((revision.clone(), evidence())),
            None => built.map(|run| (run.revision.clone(), heard(world, run, now))),
        };
        let digest = match ordered.and_then(|target| target.digest.clone()) {
            Some(digest) => Some((digest, intent.map_or_else(evidence, Source::Entry))),
            None => to.digest.clone().map(|digest| (digest, evidence())),
        };
        let version = to.version.clone().map(|version| (dossier.released.from.version.clone(), version, evidence()));
        let mut chain = Self {
            run,
            state: shown.map(|run| run.state.word()),
            commit,
            version,
            digest,
            now: dossier.target.as_ref().map(|target| on(world, target, now)).unwrap_or_default(),
            missing: Vec::new(),
            dossier,
        };
        chain.missing = chain.gaps(world);
        chain
    }

    /// The entry that a fact became one by, the last of its kind.
    pub fn entry(&self, kind: EntryKind) -> Option<&Noted> {
        self.dossier.entries.iter().rev().find(|entry| entry.kind == kind)
    }

    /// Whether what runs in this slot is what the deed released.
    pub fn is_it(&self, running: &Running) -> bool {
        match (&self.digest, &running.digest) {
            (Some((digest, _)), Some(running)) => digest == running,
            (Some(_) | None, _) => self.version.as_ref().is_some_and(|(_, version, _)| *version == running.version),
        }
    }

    fn gaps(&self, world: &World) -> Vec<Missing> {
        let mut missing = Vec::new();
        let mut lacks = |is_there: bool, link, why: &str, fix| {
            if !is_there {
                missing.push(Missing { link, why: why.to_owned(), fix });
            }
        };
        let dossier = self.dossier;
        lacks(dossier.ticket().is_some(), "ticket", "the order names none", "give --ticket with the plan or deed");
        lacks(dossier.has_begun(), "deed", &format!("the plan never began: {}", dossier.state()), "execute it before it ends");
        lacks(
            dossier.approvals().next().is_some(),
            "approvals",
            "nobody approved it",
            "approvals are asked for by protection = { approvals }",
        );
        let service = dossier.target.as_ref().and_then(|target| world.catalog.services.get(&target.service));
        let deploy = service.zip(dossier.target.as_ref()).and_then(|(service, target)| service.deploy.get(&target.environment));
        let pipeline = service.and_then(|service| service.pipeline.as_ref());
        let reads = deploy.and_then(|deploy| deploy.version.as_ref());
        let of_version = match reads {
            None => "no source of versions is configured".to_owned(),
            Some(source) => format!("{} told no version of that slot when it was planned", source.backend),
        };
        lacks(self.version.is_some(), "version", &of_version, "configure version = { backend, query, label, digest } for its deployment");
        let of_digest = match reads {
            Some(source) if source.digest.is_none() => format!("{} is not asked for a digest", source.backend),
            Some(source) => format!("{} told no digest of that slot when it was planned", source.backend),
            None => of_version.clone(),
        };
        lacks(self.digest.is_some(), "digest", &of_digest, "name the label that holds the digest: version = { .., digest }");
        let of_run = match pipeline {
            None => "no pipeline is configured for the service".to_owned(),
            Some(pipeline) => format!("no run of {} at {} said that it built this version or digest", pipeline.builder, pipeline.backend),
        };
        lacks(self.run.is_some(), "run", &of_run, "let the pipeline's runs carry the properties version and digest");
        lacks(self.commit.is_some(), "commit", &of_run, "let the pipeline's runs carry the properties version and digest");
        if self.now.is_empty() {
            lacks(false, "now", "no version was read on its target now", "look at `gonogo doctor`");
        } else if self.version.is_some() || self.digest.is_some() {
            let still = self.now.iter().any(|running| self.is_it(running));
            lacks(
                still,
                "now",
                "what it released runs in neither slot of its target any more",
                "a later deed, or another hand, replaced it",
            );
        }
        missing
    }
}

/// The run that a deed of ours started, by the key that it carries.
fn live_run<'w>(world: &'w World, dossier: &Dossier) -> Option<&'w Run> {
    let key = format!("{}-", dossier.plan);
    all_runs(world).find(|run| run.properties.values().any(|value| value.as_str().starts_with(&key)))
}

fn heard(world: &World, run: &Run, now: &Moment) -> Source {
    let age = world.sources.get(&run.id.backend).and_then(|source| source.age(now)).map(|age| age.as_secs());
    Source::Backend(run.id.backend.to_string(), age)
}
