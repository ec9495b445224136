//! `gonogo flag`: how feature flags stand; setting one is a deed like every other.

use serde_json::{Value, json};

use super::deed;
use crate::cli::args::{FlagList, FlagSet, FlagShow};
use crate::cli::exit::Exit;
use crate::cli::{out, settle, target};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::world::World;
use crate::model::flag::{FlagEntry, FlagState};
use crate::model::intent::Verb;
use crate::model::name::Target;
use crate::model::text::Text;
use crate::model::time::{Moment, rfc3339};

/// What is typed as `service/flag@environment`, parted into the target and the flag; `service/flag` where the service has one environment.
///
/// # Errors
/// Exit 10, having said what was expected.
fn parted(typed: &str) -> Result<(String, String), Exit> {
    let whole = typed.split_once('/').and_then(|(service, rest)| match rest.rsplit_once('@') {
        Some((flag, environment)) => (!flag.is_empty()).then(|| (format!("{service}@{environment}"), flag.to_owned())),
        None => (!rest.is_empty()).then(|| (service.to_owned(), rest.to_owned())),
    });
    whole.filter(|(target, _)| !target.starts_with('@')).ok_or_else(|| {
        out::words(&format!("gonogo: `{}` is no flag; expected SERVICE/FLAG@ENVIRONMENT", Text::clean_within(typed, 80)));
        Exit::Target
    })
}

/// Sets a flag.
pub async fn set(around: &Surroundings, flags: &Flags, args: FlagSet) -> Exit {
    let (target, flag) = match parted(&args.flag) {
        Ok(parts) => parts,
        Err(exit) => return exit,
    };
    let words = vec![flag, args.to];
    let wish = deed::Wish { verb: Verb::Flag, target, run: None, failed_only: false, words, flags: args.flags, break_glass: None };
    deed::run(around, flags, wish).await
}

/// Lists flags. Exit 0 however they stand; exit 10 when the selector selects nothing.
pub async fn list(around: &Surroundings, flags: &Flags, args: &FlagList) -> Exit {
    let mut opened = match settle::look(around, flags).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let known = opened.handle.world();
    let looked = match target::looked_at(args.selector.as_deref()) {
        Ok(looked) => looked,
        Err(exit) => return exit,
    };
    if !looked.is_all() && !known.targets.keys().any(|target| looked.at(&known.catalog, target)) {
        return target::find(&known, args.selector.as_deref().unwrap_or_default()).map_or_else(|exit| exit, |_| Exit::Target);
    }
    let world = settle::settled(&mut opened.handle, args.settle).await;
    let now = opened.clock.now();
    let all = entries(&world).filter(|(target, _)| looked.at(&world.catalog, target));
    if args.json {
        let flags: Vec<Value> = all.map(|(target, entry)| object(&world, &target, &entry, &now)).collect();
        out::json(&json!({ "schema": 1, "at": rfc3339(&now.wall), "flags": flags }));
        return Exit::Done;
    }
    let mut none = true;
    for (target, entry) in all {
        out::line(&in_a_line(&world, &target, &entry, &now));
        none = false;
    }
    if none {
        out::line("no flag is configured; add flags = [{ backend = \"..\", name = \"..\" }] to a deploy table");
    }
    Exit::Done
}

/// Shows one flag whole.
pub async fn show(around: &Surroundings, flags: &Flags, args: &FlagShow) -> Exit {
    let (typed, name) = match parted(&args.flag) {
        Ok(parts) => parts,
        Err(exit) => return exit,
    };
    let mut opened = match settle::look(around, flags).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let target = match target::find(&opened.handle.world(), &typed) {
        Ok(target) => target,
        Err(exit) => return exit,
    };
    let world = settle::flags(&mut opened.handle, &target, args.settle).await;
    let now = opened.clock.now();
    let Some(entry) = world.catalog.deploy(&target).and_then(|deploy| deploy.flags.iter().find(|entry| entry.flag.name == name)) else {
        let known: Vec<String> = entries(&world).filter(|(of, _)| of == &target).map(|(_, entry)| entry.flag.name).collect();
        let known = if known.is_empty() { "it has none".to_owned() } else { format!("its flags: {}", known.join(", ")) };
        out::words(&format!("gonogo: no flag `{}` is configured at {target}; {known}", Text::clean_within(&name, 80)));
        return Exit::Target;
    };
    if args.json {
        let mut object = object(&world, &target, entry, &now);
        if let Some(members) = object.as_object_mut() {
            members.insert("schema".to_owned(), json!(1));
        }
        out::json(&object);
        return Exit::Done;
    }
    out::line(&in_a_line(&world, &target, entry, &now));
    if let Some(state) = state(&world, entry) {
        state.strategies.iter().for_each(|strategy| out::line(&format!("  strategy {strategy}")));
        if let Some(why) = &state.fixed {
            out::line(&format!("  its percentage is not set from here: {why}"));
        }
    }
    Exit::Done
}

/// Every configured flag.
fn entries(world: &World) -> impl Iterator<Item = (Target, FlagEntry)> + '_ {
    world.targets.keys().flat_map(|target| {
        let flags = world.catalog.deploy(target).map(|deploy| deploy.flags.clone()).unwrap_or_default();
        flags.into_iter().map(|entry| (target.clone(), entry))
    })
}

fn state<'a>(world: &'a World, entry: &FlagEntry) -> Option<&'a FlagState> {
    world.flags(&entry.backend)?.value.as_ref()?.state(&entry.flag)
}

fn missing(world: &World, entry: &FlagEntry) -> Option<String> {
    Some(world.flags(&entry.backend)?.value.as_ref()?.find(&entry.flag)?.missing.as_ref()?.to_string())
}

/// How a flag stands, and how old that is: what is not fresh is never told as if it were.
fn in_a_line(world: &World, target: &Target, entry: &FlagEntry, now: &Moment) -> String {
    let source = world.sources.get(&entry.backend);
    let stands = match (state(world, entry), missing(world, entry)) {
        (Some(state), _) => state.mark.words(),
        (None, Some(why)) => format!("not there: {why}"),
        (None, None) => "not read".to_owned(),
    };
    let freshness = world.freshness(&entry.backend, now);
    let age =
        source.and_then(|source| source.age(now)).map_or_else(|| "never read".to_owned(), |age| format!("read {} s ago", age.as_secs()));
    let trouble = source.and_then(|source| source.trouble()).map(|error| format!("; {error}")).unwrap_or_default();
    let age = if freshness.is_fresh() { age } else { format!("{}, {age}{trouble}", freshness.word().to_uppercase()) };
    let state = state(world, entry);
    let stale = if state.is_some_and(|state| state.stale) { ", marked stale there" } else { "" };
    let changed = state.and_then(|state| state.changed.as_ref()).map(|changed| {
        let by = if changed.by.is_empty() { String::new() } else { format!(" by {}", changed.by) };
        format!(", changed {}{by}", changed.at.format("%Y-%m-%d %H:%M:%SZ"))
    });
    format!("{:<40} {stands}{stale}{} ({}, {age})", entry.title(target), changed.unwrap_or_default(), entry.backend)
}

/// A flag as JSON.
fn object(world: &World, target: &Target, entry: &FlagEntry, now: &Moment) -> Value {
    let state = state(world, entry);
    let source = world.sources.get(&entry.backend);
    json!({
        "flag": entry.title(target),
        "service": target.service.to_string(),
        "environment": target.environment.to_string(),
        "name": entry.flag.name,
        "backend": entry.backend.to_string(),
        "on": state.map(|state| state.mark.on),
        "percent": state.and_then(|state| state.mark.percent),
        "strategies": state.map(|state| state.strategies.clone()),
        "percent_fixed": state.and_then(|state| state.fixed.clone()),
        "stale": state.map(|state| state.stale),
        "changed": state.and_then(|state| state.changed.as_ref()).map(|changed| json!({ "at": rfc3339(&changed.at), "by": changed.by })),
        "missing": missing(world, entry),
        "state": world.freshness(&entry.backend, now).word(),
        "age_s": source.and_then(|source| source.age(now)).map(|age| age.as_secs()),
        "trouble": source.and_then(|source| source.trouble()).map(ToString::to_string),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_named_by_its_service_and_environment() {
        let parts = |typed: &str| parted(typed).ok();
        let pair = |target: &str, flag: &str| Some((target.to_owned(), flag.to_owned()));
        assert_eq!(parts("checkout/new-pay@prod"), pair("checkout@prod", "new-pay"));
        assert_eq!(parts("checkout/new-pay"), pair("checkout", "new-pay"));
        for wrong in ["", "checkout", "checkout@prod", "/x@prod", "checkout/@prod", "checkout/"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}
