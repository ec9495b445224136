//! Plans that set a feature flag of a service in one environment.

use super::{Draft, PlanError, Scene, cost, run};
use crate::control::world::World;
use crate::model::capability::Capability;
use crate::model::flag::{FlagEntry, FlagMark, FlagRef, FlagState, FlagTo, FlagWish, title};
use crate::model::intent::{Direction, Intent};
use crate::model::name::BackendName;
use crate::model::plan::{Evidence, Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::share::Percent;
use crate::model::text::Text;

/// One absolute wish for one flag: on or off, at a percentage.
pub(super) fn set(scene: &Scene<'_>) -> Result<Draft, PlanError> {
    let target = &scene.intent.target;
    let wrong = |text: &str| PlanError::Arguments(Text::clean(text));
    let wish = scene
        .intent
        .args
        .flag
        .as_deref()
        .ok_or_else(|| wrong("a flag deed needs a flag and what it shall be: on, off, or a percentage"))?;
    let entry = scene.deploy.flags.iter().find(|entry| entry.flag.name == wish.name).ok_or_else(|| wrong(&unknown(scene, wish)))?;
    let name = entry.title(target);
    let mut draft = Draft {
        // With no reading at all, only off is surely the way back.
        direction: Some(if wish.to == FlagTo::Off { Direction::Back } else { Direction::Forward }),
        now: format!("{name} was not read"),
        after: format!("{name} is {}", wish.to.typed()),
        costs: cost::of_flag(scene, wish.to != FlagTo::Off),
        evidence: cost::evidence(scene),
        preconditions: vec![Precondition::Fresh { backend: entry.backend.clone() }],
        ..Draft::default()
    };
    run::needs(scene, &entry.backend, Capability::SetFlags, &mut draft);
    let Some(reading) = scene.world.flags(&entry.backend).and_then(|fact| fact.value.clone()) else { return Ok(draft) };
    let seen = reading.find(&entry.flag);
    let Some(state) = seen.and_then(|seen| seen.state.as_ref()) else {
        let why = seen.and_then(|seen| seen.missing.as_ref()).map_or_else(|| "it was not read".to_owned(), ToString::to_string);
        draft.now = format!("{name} is not there: {why}");
        let text = format!("{} has no flag that could be set: {why}", entry.backend);
        draft.impossible.push(Reason::new("missing", &text, "compare its name, project and environment with the flag service's"));
        return Ok(draft);
    };
    planned(scene, entry, wish, state, &mut draft);
    Ok(draft)
}

fn planned(scene: &Scene<'_>, entry: &FlagEntry, wish: &FlagWish, state: &FlagState, draft: &mut Draft) {
    let target = &scene.intent.target;
    let (name, was) = (entry.title(target), state.mark.clone());
    let (on, percent) = asked(wish.to, &was);
    let after = FlagMark { on, percent: percent.or(was.percent), rest: was.rest.clone() };
    draft.direction = Some(direction(&was, &after));
    draft.now = format!("{name} is {}", was.words());
    draft.after = format!("{name} is {}", after.words());
    draft.evidence.extend(evidence(scene, entry, state));
    if was.is(on, percent) {
        let text = format!("{name} is {} already", was.words());
        draft.impossible.push(Reason::new("already", &text, "nothing to do"));
    }
    draft.impossible.extend(refused(&name, wish.to, state));
    draft.undo = Some(format!("flag set {name} {}", undo(&was).typed()));
    draft.preconditions.push(Precondition::FlagUnchanged { backend: entry.backend.clone(), flag: entry.flag.clone(), was: was.clone() });
    draft.effects.push(effect(entry, wish.to, state));
}

/// Whether it is on afterwards, and its percentage.
fn asked(to: FlagTo, was: &FlagMark) -> (bool, Option<Percent>) {
    match to {
        FlagTo::Off => (false, None),
        FlagTo::On => (true, was.percent),
        FlagTo::Percent(percent) => (true, Some(percent)),
    }
}

/// What sets a flag as it is wished, from how it stands.
pub(super) fn effect(entry: &FlagEntry, to: FlagTo, state: &FlagState) -> StepEffect {
    let (on, percent) = asked(to, &state.mark);
    // What is not set from here is no part of what is sent.
    let percent = percent.filter(|_| state.fixed.is_none());
    StepEffect::Flag { backend: entry.backend.clone(), flag: entry.flag.clone(), on, percent, was: state.mark.clone() }
}

/// Why a flag cannot be set as it is wished.
pub(super) fn refused(name: &str, to: FlagTo, state: &FlagState) -> Option<Reason> {
    match (&state.fixed, to) {
        (Some(why), FlagTo::Percent(_)) => {
            let text = format!("the percentage of {name} is not set from here: {why}");
            Some(Reason::new("unsupported", &text, "set it at the flag service; on and off work here"))
        }
        (None, FlagTo::On) if state.mark.percent.is_none() => {
            let text = format!("{name} has no strategy yet, and the flag service would give it to everybody");
            Some(Reason::new("no-percentage", &text, &format!("say for how many: gonogo flag set {name} PERCENT")))
        }
        (Some(_), FlagTo::On | FlagTo::Off) | (None, _) => None,
    }
}

/// Off and down is the way back; on and up is forward.
fn direction(was: &FlagMark, after: &FlagMark) -> Direction {
    let reaches = |mark: &FlagMark| if mark.on { mark.percent.unwrap_or(Percent::ALL) } else { Percent::NONE };
    let rises = reaches(after) > reaches(was) || (after.on && !was.on);
    if rises { Direction::Forward } else { Direction::Back }
}

/// What brings back what stood there. The percentage of a flag that was off comes back with it only when it goes on again.
fn undo(was: &FlagMark) -> FlagTo {
    match (was.on, was.percent) {
        (false, _) => FlagTo::Off,
        (true, Some(percent)) => FlagTo::Percent(percent),
        (true, None) => FlagTo::On,
    }
}

fn evidence(scene: &Scene<'_>, entry: &FlagEntry, state: &FlagState) -> Vec<Evidence> {
    let age = scene.world.sources.get(&entry.backend).and_then(|source| source.age(scene.now)).map(|age| age.as_secs());
    let row = |text: String, warns| Evidence { text: Text::clean(&text), source: entry.backend.to_string(), age_s: age, warns };
    let mut rows: Vec<Evidence> = state.strategies.iter().map(|strategy| row(format!("strategy: {strategy}"), false)).collect();
    if let Some(why) = &state.fixed {
        rows.push(row(format!("its percentage is not set from here: {why}"), false));
    }
    if state.stale {
        rows.push(row(format!("{} is marked stale there: it is to be taken out of the code", entry.flag.name), true));
    }
    if let Some(changed) = &state.changed {
        let by = if changed.by.is_empty() { String::new() } else { format!(" by {}", changed.by) };
        rows.push(row(format!("last changed {}{by}", changed.at.format("%Y-%m-%d %H:%M:%SZ")), false));
    }
    rows
}

fn unknown(scene: &Scene<'_>, wish: &FlagWish) -> String {
    let target = &scene.intent.target;
    let name = Text::clean_within(&wish.name, 80);
    let known: Vec<&str> = scene.deploy.flags.iter().map(|entry| entry.flag.name.as_str()).collect();
    let near = known.iter().map(|flag| (strsim::damerau_levenshtein(&wish.name, flag), flag)).min();
    match near {
        Some((distance, flag)) if distance <= wish.name.len() / 3 + 1 => {
            format!("no flag `{name}` is configured at {target}; did you mean {}?", title(target, flag))
        }
        Some(_) => format!("no flag `{name}` is configured at {target}; its flags: {}", known.join(", ")),
        None => format!("{target} has no flags; add flags = [{{ backend = \"..\", name = \"..\" }}] to its deploy table"),
    }
}

/// The share of users that a flag deed gives something to: what rules about the size of a change look at.
pub(super) fn share(intent: &Intent) -> Option<Percent> {
    match intent.args.flag.as_ref()?.to {
        FlagTo::Off => Some(Percent::NONE),
        // Whatever stands there, it is not known here.
        FlagTo::On => Some(Percent::ALL),
        FlagTo::Percent(percent) => Some(percent),
    }
}

/// Why a flag does not stand as a plan was made on; none when it does.
pub(super) fn changed(world: &World, backend: &BackendName, flag: &FlagRef, was: &FlagMark) -> Option<Reason> {
    let reading = world.flags(backend).and_then(|fact| fact.value.as_ref())?;
    let now = reading.state(flag).map(|state| &state.mark);
    if now == Some(was) {
        return None;
    }
    let now = match now {
        None => "gone".to_owned(),
        Some(mark) if mark.on == was.on && mark.percent == was.percent => "the same, but for other users than before".to_owned(),
        Some(mark) => mark.words(),
    };
    let text = format!("{} changed since it was planned: it was {} and is {now}", flag.name, was.words());
    Some(Reason::new("changed", &text, "look at who changed it, then plan again"))
}
