//! Detail: where what is shown comes from: source, age, how it was read, the raw reading, the query.

use crate::control::world::{Measure, SourceFact};
use crate::model::name::{BackendName, Target};
use crate::model::slot::{Slot, Track};

use crate::ui::frame;
use crate::ui::row::{Row, wrap};
use crate::ui::scene::Scene;
use crate::ui::signal;
use crate::ui::theme::{Mark, Role};
use crate::ui::words;

/// The rows of the detail of a target, or of the sources alone.
pub fn rows(scene: &Scene<'_>, target: Option<&Target>, reads: &[BackendName], width: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(view) = target.and_then(|target| scene.world.target(target)) {
        traffic(scene, view, &mut rows);
        versions(scene, view, &mut rows);
        signals(scene, view, width, &mut rows);
    }
    for name in reads {
        source(scene, name, width, &mut rows);
    }
    rows
}

fn say(rows: &mut Vec<Row>, indent: usize, width: usize, role: Role, text: &str) {
    for line in wrap(text, width.saturating_sub(indent + 1)) {
        let mut row = Row::new();
        row.at(indent).add(role, line);
        rows.push(row);
    }
}

fn traffic(scene: &Scene<'_>, view: &crate::control::world::TargetView, rows: &mut Vec<Row>) {
    for entry in &view.traffic {
        let mut rule = Row::rule(scene.theme, &format!("traffic of {}: pool {}", view.target, entry.pool));
        rule.end(Role::Quiet, format!(" {} {} ", entry.backend, age_of(scene, &entry.backend)));
        rows.push(rule);
        let pool =
            scene.world.traffic(&entry.backend).and_then(|fact| fact.value.as_ref()).and_then(|reading| reading.pools.get(&entry.pool));
        for server in pool.into_iter().flat_map(|pool| &pool.servers) {
            let state = format!("{:?}", server.state).to_lowercase();
            let mut row = Row::new();
            row.at(3).add(Role::Strong, server.name.as_str()).at(18).add(Role::Plain, state);
            row.at(32).add(
                Role::Plain,
                format!("weight {} ({} in effect) of {}", server.weight, server.effective_weight, server.greatest_weight),
            );
            let errors = server.errors.map_or_else(|| "not counted".to_owned(), words::count);
            rows.push(row);
            let requests =
                server.requests.map_or_else(|| "requests not counted".to_owned(), |count| format!("{} requests", words::count(count)));
            let counts = format!("{requests}, {errors} of them 5xx, {} now", server.current);
            rows.push(Row::new().put(Role::Plain, " ".repeat(32)).put(Role::Quiet, counts));
        }
        let measured = match &entry.second_measured {
            Some((share, requests)) => {
                format!(
                    "measured: {} {} % of {} requests between the two newest reads",
                    signal::named(view, Track::of(Slot::Second, view.state.stable)),
                    words::share(*share),
                    words::count(*requests)
                )
            }
            None if pool.is_some_and(|pool| pool.servers.iter().any(|server| server.requests.is_none())) => {
                "not measured: the router does not count requests by server".to_owned()
            }
            None => "measured: no requests between two reads of the same process".to_owned(),
        };
        rows.push(Row::of(Role::Quiet, format!("   {measured}")));
        for missing in &entry.missing {
            rows.push(Row::of(Role::Watched, format!("   the router does not know server {missing}")));
        }
    }
}

fn versions(scene: &Scene<'_>, view: &crate::control::world::TargetView, rows: &mut Vec<Row>) {
    let Some(source) = scene.world.catalog.deploy(&view.target).and_then(|deploy| deploy.version.as_ref()) else { return };
    let mut rule = Row::rule(scene.theme, "versions");
    rule.end(Role::Quiet, format!(" {} {} ", source.backend, age_of(scene, &source.backend)));
    rows.push(rule);
    for (slot, seen) in Slot::BOTH.into_iter().zip(&view.versions) {
        let mut row = Row::new();
        row.at(3).add(Role::Quiet, format!("{}, {}", slot_word(slot), Track::of(slot, view.state.stable).word())).at(24);
        match seen {
            Some(seen) => {
                row.add(Role::Strong, seen.version.as_str()).add(Role::Quiet, format!("  since {}", scene.zone.absolute(&seen.since)))
            }
            None => row.add(Role::Quiet, format!("{} not seen", scene.glyph(Mark::Unknown))),
        };
        rows.push(row);
    }
    rows.push(Row::of(Role::Quiet, format!("   query {}", source.query)));
}

fn slot_word(slot: Slot) -> &'static str {
    match slot {
        Slot::First => "first slot",
        Slot::Second => "second slot",
    }
}

fn signals(scene: &Scene<'_>, view: &crate::control::world::TargetView, width: usize, rows: &mut Vec<Row>) {
    for signal in &view.signals {
        let mut rule = Row::rule(scene.theme, &format!("signal {}", signal.name));
        rule.end(Role::Quiet, format!(" {} {} ", signal.backend, age_of(scene, &signal.backend)));
        rows.push(rule);
        let name = |track| signal::named(view, track);
        let whole = (signal.unit == "ratio").then(|| ("whole".to_owned(), &signal.whole));
        let measures = [(name(Track::Stable), &signal.stable), (name(Track::Canary), &signal.canary)].into_iter().chain(whole);
        let sentence = format!("{} {}: {}", signal.name, signal::word(signal.state), signal::evidence(view, signal));
        say(rows, 3, width, Role::Plain, &sentence);
        for (name, measure) in measures {
            rows.push(measured(scene, &name, measure, &signal.unit));
        }
        for query in &signal.queries {
            say(rows, 3, width, Role::Quiet, &format!("query {query}"));
        }
    }
}

fn measured(scene: &Scene<'_>, name: &str, measure: &Measure, unit: &str) -> Row {
    let mut row = Row::new();
    row.at(3).add(Role::Quiet, name).at(18);
    match (&measure.value, &measure.missing) {
        (Some(value), _) => row.add(Role::Plain, words::value(*value, unit)),
        (None, Some(why)) => row.add(Role::Quiet, format!("{} {why}", scene.glyph(Mark::Unknown))),
        (None, None) => row.add(Role::Quiet, format!("{} no data", scene.glyph(Mark::Unknown))),
    };
    if let (Some(bad), Some(total), "ratio") = (measure.bad, measure.total, unit) {
        row.add(Role::Quiet, format!("  {} of {}", signal::whole(bad), signal::whole(total)));
    }
    if let Some(newest) = &measure.newest {
        row.add(Role::Quiet, format!("  newest {}", scene.zone.absolute(newest)));
    }
    row
}

fn age_of(scene: &Scene<'_>, backend: &BackendName) -> String {
    let age = scene.world.sources.get(backend).and_then(|source| source.age(scene.now));
    age.map_or_else(|| "never read".to_owned(), |age| scene.age(age))
}

fn source(scene: &Scene<'_>, name: &BackendName, width: usize, rows: &mut Vec<Row>) {
    let Some(source) = scene.world.sources.get(name) else { return };
    let backend = &source.backend;
    rows.push(Row::rule(scene.theme, &format!("source {name}: {}", backend.kind.word())));
    let mut row = Row::new();
    row.at(3);
    for (role, text) in frame::of_source(scene, source) {
        row.add(role, text);
    }
    let asked =
        format!("  asked every {}, stale after {}", words::span(backend.every.as_secs()), words::span(backend.stale_after.as_secs()));
    row.add(Role::Quiet, asked);
    rows.push(row);
    say(rows, 3, width, Role::Quiet, &format!("address {}{}", backend.address, if backend.insecure { ", in plain text" } else { "" }));
    if let Some(seen) = source.seen() {
        rows.push(Row::of(Role::Quiet, format!("   read last {}", scene.zone.absolute(&seen.wall))));
    }
    if let Some(error) = source.trouble() {
        say(rows, 3, width, Role::Watched, &format!("failed {} times in a row: {error}", source.failures()));
        say(rows, 3, width, Role::Plain, error.remedy());
    }
    let partial = match &source.fact {
        SourceFact::Metrics(fact) => fact.value.as_ref().map(|reading| reading.warnings.clone()).unwrap_or_default(),
        SourceFact::Traffic(_)
        | SourceFact::Alerts(_)
        | SourceFact::Ci(_)
        | SourceFact::Workloads(_)
        | SourceFact::Flags(_)
        | SourceFact::Unsupported => Vec::new(),
    };
    for warning in partial {
        say(rows, 3, width, Role::Watched, &format!("partial: {warning}"));
    }
}
