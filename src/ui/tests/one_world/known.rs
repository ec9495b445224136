//! The world's own facts, in the words of the glass, against which pages are held.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::said::{self, Said};
use crate::control::standing;
use crate::control::world::{SourceFact, World};
use crate::model::name::{ServiceName, Target};
use crate::model::share::Percent;
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::ui::{needs, words};

/// What is so.
pub(super) struct Known {
    /// Facts of which there is one, by their subject.
    one: BTreeMap<String, String>,
    /// Everything that may be said of a kind, by kind and service; of no service: of any.
    any: BTreeMap<(&'static str, Option<ServiceName>), BTreeSet<String>>,
}

impl Known {
    pub(super) fn of(world: &World, now: &Moment) -> Self {
        let mut known = Self { one: BTreeMap::new(), any: BTreeMap::new() };
        for target in world.targets.keys() {
            known.target(world, target);
        }
        known.runs(world);
        known.plans(world);
        let standings = standing::standings(world, now);
        let alone = |(target, view): (_, &std::sync::Arc<_>)| (target, standing::standing(world, view, now));
        assert_eq!(standings, world.targets.iter().map(alone).collect::<Vec<_>>(), "together they stand as each of them alone");
        known.is("needs you", "", needs::needs(world, now, &standings).len());
        known.is("services", "", world.catalog.services.len());
        known.is("plans that wait", "", world.waiting_at(now).count());
        known.is("entries", "", world.ledger.size);
        for (kind, sum) in [("needs you", "its parts"), ("services", "its parts")] {
            known.is("sum", kind, sum);
        }
        for environment in &world.catalog.environments {
            known.is("sum", &format!("services on the map of {}", environment.name), "all");
        }
        known
    }

    fn is(&mut self, kind: &str, of: &str, value: impl Display) {
        let subject = if of.is_empty() { kind.to_owned() } else { format!("{kind} of {of}") };
        self.one.insert(subject, value.to_string());
    }

    fn may(&mut self, kind: &'static str, service: Option<&ServiceName>, value: impl Display) {
        self.any.entry((kind, service.cloned())).or_default().insert(value.to_string());
    }

    fn target(&mut self, world: &World, target: &Target) {
        let view = world.target(target).unwrap();
        let (service, of) = (Some(&target.service), target.to_string());
        self.may("target", None, target);
        self.is("alerts", &of, view.alerts.len());
        let stable = view.state.stable;
        for (kind, slot) in [("stable version", stable), ("version on trial", stable.other())] {
            if let Some(seen) = view.version(slot) {
                self.is(kind, &of, &seen.version);
            }
        }
        for seen in Slot::BOTH.into_iter().filter_map(|slot| view.version(slot)) {
            self.may("version", service, &seen.version);
            if let Some(digest) = &seen.digest {
                self.may("id", None, digest.as_str().trim_start_matches("sha256:").chars().take(8).collect::<String>());
            }
        }
        for proven in &view.state.proven {
            self.may("version", service, &proven.version);
        }
        if let Some(rollout) = &view.state.rollout {
            let ends = rollout.from.iter().chain(&rollout.to);
            ends.for_each(|version| self.may("version", service, version));
            rollout.plan.iter().for_each(|plan| self.may("id", None, plan.short()));
        }
        if let Some(share) = view.wished().filter(|share| share.nearest() != Percent::NONE) {
            self.is("share", &of, words::share(share));
        }
        for signal in &view.signals {
            if let Some(limit) = signal.limit {
                self.is("limit", &format!("{} of {}", signal.name, target.service), words::limit(limit, &signal.unit));
            }
            for measure in [&signal.stable, &signal.canary, &signal.whole] {
                if let (Some(bad), Some(total)) = (measure.bad, measure.total) {
                    let whole = |value: f64| words::count(format!("{value:.0}").parse().unwrap());
                    self.may("counts", service, format!("{} of {}", whole(bad), whole(total)));
                }
            }
        }
    }

    /// Runs by their names; the versions of a service that its runs tell of.
    fn runs(&mut self, world: &World) {
        for source in world.sources.values() {
            let SourceFact::Ci(fact) = &source.fact else { continue };
            for builder in fact.value.iter().flat_map(|reading| reading.builders.values()) {
                for run in &builder.runs {
                    self.may("run", None, &run.id);
                    self.may("id", None, run.revision.as_str().chars().take(8).collect::<String>());
                    let said = [run.words.as_str(), run.reason.as_str()].into_iter().chain(run.properties.values().map(Text::as_str));
                    let versions: Vec<&str> =
                        said.flat_map(|text| text.split([' ', ','])).filter(|word| word.split('.').count() == 3).collect();
                    let service = run.builder.as_str().trim_end_matches("-deploy").parse::<ServiceName>().ok();
                    for version in versions {
                        self.may("version", service.as_ref(), version);
                    }
                }
            }
        }
    }

    /// Plans by their names: deeds, what waits, what waits no more, what is in the ledger.
    fn plans(&mut self, world: &World) {
        let deeds = world.deeds.keys().copied();
        let waiting = world.waiting.iter().map(|one| one.plan.id);
        let past = world.past.iter().map(|one| one.plan);
        let entries = world.ledger.entries.iter().filter_map(|entry| entry.deed);
        // What an approval is bound to, and what a judge counted since the trial began.
        for one in world.waiting.iter() {
            self.may("id", None, one.plan.evidence_digest().unwrap().chars().take(8).collect::<String>());
            let evidence = one.plan.evidence.iter().flat_map(|evidence| said::counts(evidence.text.as_str()));
            evidence.for_each(|count| self.may("counts", Some(&one.plan.target().service), count));
        }
        for (target, ahead) in world.ahead.iter() {
            let told = format!("{ahead:?}");
            for count in said::counts(&told) {
                self.may("counts", Some(&target.service), count);
            }
            // A check of one target may be what another one waits for.
            for version in said::versions(&told) {
                self.may("version", None, version);
            }
        }
        // What happened stays told after it has passed.
        for line in world.timeline.iter() {
            for version in said::versions(&format!("{line:?}")) {
                self.may("version", None, version);
            }
        }
        for plan in deeds.chain(waiting).chain(past).chain(entries).collect::<Vec<_>>() {
            self.may("id", None, plan.short());
        }
    }

    /// Why what is said is not so; none: it is, or the world says nothing of it.
    pub(super) fn against(&self, said: &Said, page: Option<&Target>) -> Option<String> {
        if said.is_one() {
            let known = self.one.get(&said.subject());
            return known.filter(|known| **known != said.value).map(|known| format!("but in the world it is `{known}`"));
        }
        let service = page.map(|target| &target.service);
        let any =
            self.any.iter().filter(|((kind, of), _)| *kind == said.kind && (of.is_none() || service.is_none() || of.as_ref() == service));
        (!any.into_iter().any(|(_, values)| values.contains(&said.value))).then(|| "which the world knows nothing of".to_owned())
    }
}
