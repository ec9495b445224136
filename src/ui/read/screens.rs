//! What each screen says in sentences.

use crate::control::map::Map;
use crate::control::silences;
use crate::control::standing::{Standing, standings};
use crate::control::world::{SignalState, TargetView, World};
use crate::model::name::Target;
use crate::model::pipeline::Run;
use crate::model::share::{Percent, Share};
use crate::model::slot::Track;
use crate::model::time::Moment;

use crate::ui::screen::Screen;
use crate::ui::words::{self, Zone};
use crate::ui::{facts, needs, plans, signal};

use super::Line;

/// Happenings and entries that are read at once.
const NEWEST: usize = 20;

/// What a screen says.
pub(super) fn lines(world: &World, now: &Moment, screen: Screen, target: Option<&Target>) -> Vec<Line> {
    let zone = Zone::named(&world.catalog.room.timezone);
    let chosen = target.cloned().or_else(|| first(world, now));
    let mut out = vec![heading(world, now, screen, chosen.as_ref(), zone)];
    out.extend(sources(world, now, screen, chosen.as_ref()));
    match (screen, &chosen) {
        (Screen::Board, _) => board(world, now, zone, &mut out),
        (Screen::Changes, _) => changes(world, now, zone, &mut out),
        (Screen::Ledger, _) => ledger(world, zone, &mut out),
        (Screen::Pipeline | Screen::Rollout | Screen::Incident | Screen::Map, None) => {
            out.push(Line::new("none", "No service is configured."));
        }
        (Screen::Map, Some(target)) => map(world, now, target, &mut out),
        (Screen::Pipeline | Screen::Rollout | Screen::Incident, Some(target)) => match world.target(target) {
            None => out.push(Line::new("none", format!("{target} is not deployed there."))),
            Some(view) if screen == Screen::Pipeline => pipeline(world, view, &mut out),
            Some(view) => {
                traffic(world, view, &mut out);
                signals(world, now, view, &mut out);
                alerts(world, view, zone, &mut out);
                by_itself(world, now, zone, Some(target), &mut out);
                if screen == Screen::Incident {
                    timeline(world, zone, target, &mut out);
                }
            }
        },
    }
    out
}

/// The target that matters most: the worst one.
fn first(world: &World, now: &Moment) -> Option<Target> {
    standings(world, now).into_iter().min_by_key(|(_, standing)| *standing).map(|(target, _)| target.clone())
}

fn heading(world: &World, now: &Moment, screen: Screen, target: Option<&Target>, zone: Zone) -> Line {
    let simulated = if world.catalog.simulated { " SIMULATED," } else { "" };
    let of = target.filter(|_| screen.has_target()).map(|target| format!(" of {target}")).unwrap_or_default();
    let actor = &world.actor;
    let room = &world.catalog.room.name;
    let text = format!("Room {room},{simulated} {}{of}, at {}, you are {actor}.", screen.word(), zone.clock(&now.wall));
    Line::of("heading", "", text)
}

fn sources(world: &World, now: &Moment, screen: Screen, target: Option<&Target>) -> Vec<Line> {
    let reads = screen.reads(world, target);
    let all = reads.iter().filter_map(|name| world.sources.get(name));
    all.map(|source| {
        let (name, word) = (&source.backend.name, source.freshness(now).word());
        let age = source.age(now).map(|age| format!(", read {} ago", words::age(age).0)).unwrap_or_default();
        let why = source.trouble().map(|error| format!(": {error}")).unwrap_or_default();
        Line::of(format!("source {name}"), word, format!("Source {name} is {word}{age}{why}."))
    })
    .collect()
}

fn board(world: &World, now: &Moment, zone: Zone, out: &mut Vec<Line>) {
    let all = standings(world, now);
    let loud: Vec<(&Target, Standing)> = all.iter().filter(|(_, standing)| *standing != Standing::Quiet).copied().collect();
    let needs = needs::needs(world, now, &loud);
    out.push(match needs.len() {
        0 => Line::new("needs", "Nothing waits for a person."),
        some => Line::new("needs", format!("{} a person.", words::counted(some, "thing needs", "things need"))),
    });
    for need in &needs {
        let (what, otherwise) = (longest(&need.what), longest(&need.otherwise));
        let then = if otherwise.is_empty() { String::new() } else { format!("; otherwise: {otherwise}") };
        let holder = need.holder.as_ref().map(|by| format!("; {by} has it")).unwrap_or_default();
        let text = format!("{}: {}: {what}{then}{holder}.", need.subject, need.standing.word());
        // What is the matter stands in figures that move; what kind of matter it is, is the news.
        let key = format!("need {} {}", need.subject, need.standing.word());
        out.push(Line::of(key, format!("{:?}", need.holder), text));
    }
    for (target, standing) in &loud {
        let share = world.target(target).map(|view| share(view)).unwrap_or_default();
        out.push(Line::of(format!("target {target}"), standing.word(), format!("{target} is {}{share}.", standing.word())));
    }
    let quiet = all.len() - loud.len();
    out.push(Line::new("quiet", format!("{} quiet.", words::counted(quiet, "target is", "targets are"))));
    let shelved = silences::shelved(world);
    if shelved > 0 {
        out.push(Line::new("shelved", format!("{} silenced.", words::counted(shelved, "alert is", "alerts are"))));
    }
    by_itself(world, now, zone, None, out);
}

fn longest(forms: &[String]) -> &str {
    forms.first().map_or("", String::as_str)
}

/// `, 2.5.0 canary has 20 per cent`.
fn share(view: &TargetView) -> String {
    let on = view.wished().filter(|share| share.nearest() != Percent::NONE);
    on.map(|share| format!(", {} has {} per cent", signal::named(view, Track::Canary), words::share(share))).unwrap_or_default()
}

fn by_itself(world: &World, now: &Moment, zone: Zone, of: Option<&Target>, out: &mut Vec<Line>) {
    let all = needs::by_itself(world, now);
    let mut any = false;
    for event in all.iter().filter(|event| of.is_none_or(|target| &event.target == target)) {
        any = true;
        let at = event.due.as_ref().map_or_else(|| "At a time that is not foretold".to_owned(), |due| format!("At {}", zone.time(due)));
        out.push(Line::new(format!("next {} {}", event.target, event.text), format!("{at} by itself: {}: {}.", event.target, event.text)));
    }
    if !any {
        out.push(Line::new("next", "Nothing happens by itself."));
    }
}

fn traffic(world: &World, view: &TargetView, out: &mut Vec<Line>) {
    for track in [Track::Stable, Track::Canary] {
        let word = track.word();
        let seen = view.version(track.slot(view.state.stable));
        let text =
            seen.map_or_else(|| format!("The {word} version is not known."), |seen| format!("The {word} version is {}.", seen.version));
        out.push(Line::new(format!("version {word}"), text));
    }
    let wished = view.wished().map(Share::nearest);
    let measured = view.measured();
    let seen = measured.map(|(share, of)| format!("; measured {} per cent of {} requests", words::share(share), words::count(of)));
    let text = match wished {
        Some(share) => format!("The canary is given {share} per cent{}.", seen.unwrap_or_default()),
        None => "The share of the canary is not known.".to_owned(),
    };
    out.push(Line::of("share", format!("{wished:?}"), text));
    if let Some(rollout) = &view.state.rollout {
        out.push(Line::new("rollout", format!("A rollout is under way, begun by {}.", rollout.by)));
    }
    if let Some(hold) = &view.state.hold {
        let why = if hold.reason.is_empty() { String::new() } else { format!(", because {}", hold.reason) };
        out.push(Line::new("hold", format!("Held by {}{why}: no step up, the way back stays open.", hold.by)));
    }
    if let Some(deed) = world.under_way(&view.target) {
        out.push(Line::new("deed", format!("Under way: {}.", facts::sentence(deed))));
    }
}

fn signals(world: &World, now: &Moment, view: &TargetView, out: &mut Vec<Line>) {
    if view.signals.is_empty() {
        out.push(Line::new("signals", "No signal is configured."));
    }
    for one in &view.signals {
        let fresh = world.freshness(&one.backend, now);
        let stale = if fresh.is_fresh() { String::new() } else { format!(", {} is {}", one.backend, fresh.word()) };
        let word = signal::word(one.state).to_lowercase();
        let is = if one.state == SignalState::NoData { "has" } else { "is" };
        let text = format!("Signal {} {is} {word}: {}{stale}.", one.name, signal::evidence(view, one));
        out.push(Line::of(format!("signal {}", one.name), format!("{word}{stale}"), text));
    }
}

fn alerts(world: &World, view: &TargetView, zone: Zone, out: &mut Vec<Line>) {
    let matched = world.catalog.services.get(&view.target.service).and_then(|service| service.alerts.as_ref());
    for alert in &view.alerts {
        let silence = matched.and_then(|matched| silences::of(world, &matched.backend, alert).next());
        let quiet = match (silence, alert.silenced_by.is_empty(), alert.inhibited_by.is_empty()) {
            (Some(silence), ..) => format!(", silenced until {} by {}", zone.time(&silence.ends), silence.by),
            (None, false, _) => ", silenced".to_owned(),
            (None, true, false) => ", inhibited by another alert".to_owned(),
            (None, true, true) => String::new(),
        };
        let summary = alert.annotation("summary").map(|words| format!(": {words}")).unwrap_or_default();
        let text = format!("Alert {} fires since {}{quiet}{summary}.", alert.name, zone.time(&alert.since));
        out.push(Line::new(format!("alert {}", alert.fingerprint), text));
    }
    if view.alerts.is_empty() {
        out.push(Line::new("alerts", "No alert fires."));
    }
}

fn timeline(world: &World, zone: Zone, target: &Target, out: &mut Vec<Line>) {
    let of_it = world.timeline.iter().rev().filter(|one| one.target.as_ref().is_none_or(|of| of == target));
    for one in of_it.take(NEWEST) {
        let text = format!("At {}: {}, from {}.", zone.time(&one.at), one.text, one.source);
        out.push(Line::new(format!("past {} {}", one.at.timestamp_millis(), one.text), text));
    }
}

fn pipeline(world: &World, view: &TargetView, out: &mut Vec<Line>) {
    let runs = runs(world, &view.target);
    if runs.is_empty() {
        out.push(Line::new("runs", "No run is known."));
    }
    for run in runs.into_iter().take(5) {
        let state = run.state.word();
        out.push(Line::of(format!("run {}", run.id), state, format!("Run {} of {}: {state}, {}.", run.id, run.builder, run.reason)));
        for step in &run.steps {
            let state = step.state.word();
            out.push(Line::of(format!("step {} {}", run.id, step.number), state, format!("Step {}: {state}.", step.name)));
        }
    }
}

/// The runs of a target's pipelines, the newest first.
fn runs<'a>(world: &'a World, target: &Target) -> Vec<&'a Run> {
    let readings = Screen::Pipeline.reads(world, Some(target));
    let readings: Vec<_> = readings.iter().filter_map(|name| world.runs(name)?.value.as_ref()).collect();
    let mut runs: Vec<&Run> =
        readings.into_iter().flat_map(|reading| reading.builders.values()).flat_map(|builder| &builder.runs).collect();
    runs.sort_by_key(|run| std::cmp::Reverse((run.started, run.id.number)));
    runs
}

fn changes(world: &World, now: &Moment, zone: Zone, out: &mut Vec<Line>) {
    let queue = plans::queue(world, now);
    out.push(match queue.len() {
        0 => Line::new("plans", "No plan waits."),
        some => Line::new("plans", format!("{}.", words::counted(some, "plan waits", "plans wait"))),
    });
    for waiting in queue {
        let one = plans::queued(world, waiting, now);
        let plan = &waiting.plan;
        let said = one.forms().into_iter().next().unwrap_or_default();
        let text = format!(
            "Plan {}: {} on {}, asked for by {}; {said}; good until {}.",
            plan.id.short(),
            plans::asked(plan),
            plan.target(),
            plan.intent.requester,
            zone.stamp(&plan.expires)
        );
        out.push(Line::of(format!("plan {}", plan.id.short()), format!("{:?} {} {said}", one.part, one.given), text));
    }
}

fn ledger(world: &World, zone: Zone, out: &mut Vec<Line>) {
    let ledger = &world.ledger;
    out.push(Line::of("size", "", format!("The ledger has {} entries; the newest first.", words::count(ledger.size))));
    if let Some(trouble) = &ledger.trouble {
        out.push(Line::new("trouble", format!("The record cannot be written: {trouble}.")));
    }
    for entry in ledger.entries.iter().rev().take(NEWEST) {
        let part = |text: &Option<String>| text.as_ref().map(|text| format!(" {text}")).unwrap_or_default();
        let by = entry.requester.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let words = if entry.words.is_empty() { String::new() } else { format!(": {}", entry.words) };
        let (kind, at) = (entry.kind.word(), zone.stamp(&entry.at));
        let text = format!("Entry {}, {at}: {kind}{}{}{by}{words}.", entry.n, part(&entry.verb), part(&entry.target));
        out.push(Line::new(format!("entry {}", entry.n), text));
    }
}

fn map(world: &World, now: &Moment, target: &Target, out: &mut Vec<Line>) {
    let map = Map::of(world, &target.environment, now);
    out.push(Line::new("environment", format!("The map of {}, services before their users.", map.environment)));
    for (place, service) in map.services.iter().enumerate() {
        let name = |place: usize| map.service(place).map(|service| service.target.service.to_string());
        let used: Vec<String> = map.links.keys().filter(|(user, _)| *user == place).filter_map(|(_, used)| name(*used)).collect();
        let uses = if used.is_empty() { "uses none of them".to_owned() } else { format!("uses {}", used.join(", ")) };
        let version = match (&service.from, &service.to) {
            (Some(from), Some(to)) => format!(", from {from} to {to}"),
            (Some(from), None) => format!(", {from}"),
            (None, Some(to)) => format!(", to {to}"),
            (None, None) => String::new(),
        };
        let state = service.state.first().map(|state| format!(", {state}")).unwrap_or_default();
        let stops = if service.stops.is_empty() { String::new() } else { format!("; stopped by {}", service.stops.join(" and ")) };
        let (who, word) = (&service.target.service, service.standing.word());
        let text = format!("{who} is {word}{version}{state}; {uses}{stops}.");
        out.push(Line::of(format!("service {who}"), format!("{word}{version}{uses}{stops}"), text));
    }
}
