//! Links between services: discoveries are polled like backends; a link that appears or is not seen any more is a line of the timeline.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::reading::{pause_asked_for, take};
use super::{POLL_WITHIN, Room};
use crate::control::event::Reading;
use crate::control::task::{Query, Task};
use crate::control::world;
use crate::model::catalog::{Backend, Catalog};
use crate::model::error::{PortError, PortErrorKind};
use crate::model::link::{Discovery, Flow, Link, LinkReading, LinkSeen, LinkTold};
use crate::model::name::{BackendName, Target};
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::timeline::{Happening, HappeningKind};

/// Lines about single links that one reading gives at most; more are told in one.
const SINGLY: usize = 5;
/// Links that one line names.
const NAMED: usize = 8;
/// Links that are not seen any more and are remembered at most, a discovery.
const REMEMBERED: usize = 10_000;

/// What is known of links beside what the world shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// What the journal remembers of the links of discoveries that gave no reading yet.
    told: BTreeMap<BackendName, BTreeMap<Link, LinkSeen>>,
    /// The discoveries of which a reading was compared with what was known.
    looked: BTreeSet<BackendName>,
}

/// A discovery as the schedule sees it: it is polled as its backend would be, at its own pace.
fn scheduled(catalog: &Catalog, discovery: &Discovery) -> Option<Backend> {
    let of = catalog.backends.get(&discovery.backend)?;
    Some(Backend { name: discovery.name.clone(), every: discovery.every, stale_after: discovery.stale_after, ..of.clone() })
}

impl Room {
    /// Takes the configured discoveries over: what did not change goes on being read.
    pub(super) fn links_anew(&mut self) {
        let discoveries = world::discoveries(&self.world.catalog, &self.world.discoveries);
        self.known_links.looked.retain(|name| discoveries.get(name).is_some_and(|view| view.fact.value.is_some()));
        self.world.discoveries = discoveries;
    }

    /// Polls the discoveries that are due.
    pub(super) fn links(&mut self, now: &Moment) -> Vec<Task> {
        let catalog = self.world.catalog.clone();
        let able = catalog.discoveries.iter().filter(|discovery| self.abilities.contains_key(&discovery.backend));
        let backends: Vec<Backend> = able.filter_map(|discovery| scheduled(&catalog, discovery)).collect();
        let due = self.schedule.due(now.boot, backends.iter());
        let task = |(name, seq): (BackendName, u64)| {
            let discovery = catalog.discoveries.iter().find(|discovery| discovery.name == name)?;
            let query = Query::Links(discovery.backend.clone(), Box::new(discovery.ask.clone()));
            Some(Task::Poll { backend: name, seq, query, deadline: POLL_WITHIN })
        };
        due.into_iter().filter_map(task).collect()
    }

    /// The journal was read: what it remembers of links is where they go on from.
    pub(super) fn on_links_told(&mut self, now: &Moment, happenings: &[Happening]) -> Vec<Task> {
        for happening in happenings.iter().filter(|happening| happening.kind == HappeningKind::Link) {
            let Ok(name) = BackendName::new(&happening.source) else { continue };
            let told = self.known_links.told.entry(name).or_default();
            for LinkTold { link, seen } in &happening.links {
                let since = told.get(link).and_then(|before| before.since);
                let (since, gone) = if *seen { (Some(happening.at), None) } else { (since, Some(happening.at)) };
                told.insert(link.clone(), LinkSeen { since, flow: None, gone });
            }
        }
        let read: Vec<_> = self.world.discoveries.values().filter(|view| view.fact.value.is_some()).cloned().collect();
        let readings = read.iter().filter_map(|view| Some((view.discovery.name.clone(), view.fact.value.clone()?)));
        readings.flat_map(|(name, reading)| self.compare_links(now, &name, &reading)).collect()
    }

    /// What a poll of a discovery brought; none when that name is no discovery.
    pub(super) fn on_links(
        &mut self,
        now: &Moment,
        name: &BackendName,
        seq: u64,
        asked: Moment,
        result: &Result<Reading, PortError>,
    ) -> Option<Vec<Task>> {
        let discovery = self.world.catalog.discoveries.iter().find(|discovery| &discovery.name == name)?;
        let scheduled = scheduled(&self.world.catalog, discovery)?;
        let result = match result {
            Ok(Reading::Links(reading)) => Ok(reading.clone()),
            Ok(
                Reading::Traffic(_)
                | Reading::Signals(_)
                | Reading::Alerts(_)
                | Reading::Runs(_)
                | Reading::Workloads(_)
                | Reading::Flags(_),
            ) => Err(PortError::new(PortErrorKind::Malformed, name, "read who uses whom", "it answered something else")),
            Err(error) => Err(error.clone()),
        };
        let not_before = result.as_ref().err().and_then(|error| pause_asked_for(error, now));
        self.schedule.returned(now.boot, &scheduled, seq, result.is_ok(), not_before);
        let Some(old) = self.world.discoveries.get(name).cloned() else { return Some(Vec::new()) };
        let mut view = (*old).clone();
        let (reading, failed) = (result.as_ref().ok().cloned(), result.as_ref().err().cloned());
        if !take(&mut view.fact, seq, asked, result) {
            return Some(Vec::new());
        }
        let was_lost = old.fact.trouble.is_some();
        Arc::make_mut(&mut self.world.discoveries).insert(name.clone(), Arc::new(view));
        self.touch(now);
        let mut tasks = match (&failed, was_lost) {
            (Some(error), false) => self.say(now, HappeningKind::Source, None, &format!("{name} lost: {error}"), name.as_str()),
            (None, true) => self.say(now, HappeningKind::Source, None, &format!("{name} is back"), name.as_str()),
            (Some(_), true) | (None, false) => Vec::new(),
        };
        // Before the journal is read nobody knows which links are new.
        if let Some(reading) = reading.filter(|_| self.world.journal_read) {
            tasks.extend(self.compare_links(now, name, &reading));
        }
        Some(tasks)
    }

    /// Takes the links of a reading over, and tells which are new and which are not seen any more. A link never goes away.
    fn compare_links(&mut self, now: &Moment, name: &BackendName, reading: &LinkReading) -> Vec<Task> {
        let Some(old) = self.world.discoveries.get(name).cloned() else { return Vec::new() };
        let known = self.world.catalog.deployed(&old.discovery.environment);
        let (seen, strangers) = old.discovery.links(reading, &known);
        let is_first = self.known_links.looked.insert(name.clone());
        let first = self.known_links.told.remove(name).filter(|_| is_first);
        let before = first.map_or_else(
            || (*old.links).clone(),
            |told| told.into_iter().filter(|(link, _)| known.contains(&link.user) && known.contains(&link.used)).collect(),
        );
        let (links, changes) = compared(&before, &seen, now, is_first);
        if links == *old.links && strangers == *old.strangers {
            return Vec::new();
        }
        let mut view = (*old).clone();
        (view.links, view.strangers) = (Arc::new(links), Arc::new(strangers));
        let environment = view.discovery.environment.clone();
        Arc::make_mut(&mut self.world.discoveries).insert(name.clone(), Arc::new(view));
        self.touch(now);
        let lines = lines(&changes, is_first);
        lines
            .into_iter()
            .flat_map(|(text, links)| {
                let target = match links.as_slice() {
                    [one] => Some(Target::new(one.link.user.clone(), environment.clone())),
                    _ => None,
                };
                let (at, kind, source) = (now.wall, HappeningKind::Link, name.to_string());
                self.record(now, Happening { at, kind, target, text: Text::clean(&text), source, deed: None, links })
            })
            .collect()
    }
}

/// What becomes of the links that were known, by those that are seen now; and what there is to tell. `is_first`: it is the first look of
/// this room, so nobody knows since when a link is seen that was not known.
fn compared(
    before: &BTreeMap<Link, LinkSeen>,
    seen: &BTreeMap<Link, Flow>,
    now: &Moment,
    is_first: bool,
) -> (BTreeMap<Link, LinkSeen>, Vec<LinkTold>) {
    let (mut links, mut changes) = (before.clone(), Vec::new());
    for (link, flow) in seen {
        let known = before.get(link);
        let is_new = known.is_none_or(|known| known.gone.is_some());
        let since = match known {
            Some(known) if !is_new => known.since,
            Some(_) | None => (!is_first).then_some(now.wall),
        };
        links.insert(link.clone(), LinkSeen { since, flow: Some(*flow), gone: None });
        if is_new {
            changes.push(LinkTold { link: link.clone(), seen: true });
        }
    }
    for (link, known) in before.iter().filter(|(link, known)| known.gone.is_none() && !seen.contains_key(*link)) {
        links.insert(link.clone(), LinkSeen { gone: Some(now.wall), ..known.clone() });
        changes.push(LinkTold { link: link.clone(), seen: false });
    }
    let mut gone: Vec<_> = links.iter().filter_map(|(link, known)| Some((known.gone?, link.clone()))).collect();
    gone.sort();
    for (_, link) in gone.iter().take(gone.len().saturating_sub(REMEMBERED)) {
        links.remove(link);
    }
    (links, changes)
}

/// The lines that changes give, each with the links that it tells of.
fn lines(changes: &[LinkTold], is_first: bool) -> Vec<(String, Vec<LinkTold>)> {
    let mut lines = Vec::new();
    for seen in [true, false] {
        let these: Vec<LinkTold> = changes.iter().filter(|told| told.seen == seen).cloned().collect();
        let words = match (seen, is_first) {
            (true, true) => "seen; not in the journal before",
            (true, false) => "seen from now on",
            (false, true) => "not seen any more; seen last before this room was opened",
            (false, false) => "not seen any more",
        };
        if these.len() <= SINGLY && !(is_first && seen) {
            lines.extend(these.into_iter().map(|told| (format!("link {} {words}", told.link), vec![told])));
        } else if !these.is_empty() {
            let named: Vec<String> = these.iter().take(NAMED).map(|told| told.link.to_string()).collect();
            let more = these.len() - named.len();
            let more = if more == 0 { String::new() } else { format!(", and {more} more") };
            lines.push((format!("{} links {words}: {}{more}", these.len(), named.join(", ")), these));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Boot;

    fn link(text: &str) -> Link {
        let (user, used) = text.split_once('>').unwrap();
        Link { user: user.parse().unwrap(), used: used.parse().unwrap() }
    }

    fn now(minute: u32) -> Moment {
        Moment { wall: format!("2026-06-02T14:{minute:02}:00Z").parse().unwrap(), boot: Boot(u64::from(minute) * 60_000) }
    }

    fn seen(links: &[&str]) -> BTreeMap<Link, Flow> {
        links.iter().map(|text| (link(text), Flow::new(1.0, 0.0).unwrap())).collect()
    }

    fn told(changes: &[LinkTold], is_first: bool) -> Vec<String> {
        lines(changes, is_first).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn a_link_that_is_not_seen_any_more_stays_and_comes_back_as_new() {
        let (links, changes) = compared(&BTreeMap::new(), &seen(&["web>cart", "cart>stock"]), &now(0), true);
        assert_eq!(told(&changes, true), ["2 links seen; not in the journal before: cart > stock, web > cart"]);
        assert!(links.values().all(|link| link.since.is_none()), "nobody knows since when");
        let (links, changes) = compared(&links, &seen(&["web>cart"]), &now(1), false);
        assert_eq!(told(&changes, false), ["link cart > stock not seen any more"]);
        assert_eq!(links[&link("cart>stock")].gone, Some(now(1).wall));
        let (links, changes) = compared(&links, &seen(&["web>cart"]), &now(2), false);
        assert_eq!((changes, links[&link("cart>stock")].gone), (Vec::new(), Some(now(1).wall)), "told once, with the time it was so");
        let (links, changes) = compared(&links, &seen(&["web>cart", "cart>stock"]), &now(3), false);
        assert_eq!(told(&changes, false), ["link cart > stock seen from now on"]);
        assert_eq!(links[&link("cart>stock")].since, Some(now(3).wall));
    }

    #[test]
    fn many_at_once_are_one_line() {
        let many: Vec<String> = (0..12).map(|n| format!("web>s{n:02}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let (_, changes) = compared(&seen_before(), &seen(&many), &now(1), false);
        let lines = told(&changes, false);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("12 links seen from now on: web > s00, ") && lines[0].ends_with(", and 4 more"), "{lines:?}");
    }

    fn seen_before() -> BTreeMap<Link, LinkSeen> {
        compared(&BTreeMap::new(), &seen(&["web>cart"]), &now(0), true).0
    }
}
