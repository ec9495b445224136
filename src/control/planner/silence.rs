//! Plans that silence an alert for a while, or end its silences.

use std::collections::BTreeMap;

use super::{Draft, PlanError, Scene, cost, run};
use crate::control::silences;
use crate::model::alert::{Alert, Silence};
use crate::model::capability::Capability;
use crate::model::intent::Direction;
use crate::model::name::BackendName;
use crate::model::plan::{Precondition, StepEffect};
use crate::model::reason::Reason;
use crate::model::silence::{LONGEST, SHORTEST, SilenceChange, SilenceWish, matcher};
use crate::model::text::Text;
use crate::model::time::rfc3339;

fn wrong(text: &str) -> PlanError {
    PlanError::Arguments(Text::clean(text))
}

/// An alert of the target calls nobody until then, or calls again.
pub(super) fn set(scene: &Scene<'_>) -> Result<Draft, PlanError> {
    let target = &scene.intent.target;
    let verb = scene.intent.verb.word();
    let fires = || {
        let names = scene.world.target(target).map(|view| view.alerts.iter().map(|alert| alert.name.as_str()).collect::<Vec<_>>());
        names
            .filter(|names| !names.is_empty())
            .map_or_else(|| "none fires now".to_owned(), |names| format!("of it fires: {}", names.join(", ")))
    };
    let wish = scene.intent.args.silence.as_deref();
    let wish = wish.ok_or_else(|| wrong(&format!("{verb} needs the name of an alert of {target}; {}", fires())))?;
    let Some(matched) = &scene.service.alerts else {
        return Err(wrong(&format!("no alerts are configured for {}: add alerts = {{ backend, match }} to its service", target.service)));
    };
    let backend = &matched.backend;
    let alert = scene.world.target(target).and_then(|view| view.alerts.iter().find(|alert| alert.name.as_str() == wish.alert));
    let Some(alert) = alert else { return Err(wrong(&format!("no alert `{}` of {target}; {}", Text::clean(&wish.alert), fires()))) };
    // What is not written as it was told could not be matched.
    if !wish.alert.chars().all(|c| c.is_alphanumeric() || " _-.:/()".contains(c)) {
        return Err(wrong(&format!("the name `{}` cannot be matched exactly; silence it at {backend}", alert.name)));
    }
    let mut draft = Draft {
        direction: Some(Direction::Release),
        now: stands(scene, backend, alert),
        evidence: cost::evidence(scene),
        preconditions: vec![Precondition::Fresh { backend: backend.clone() }],
        ..Draft::default()
    };
    run::needs(scene, backend, Capability::Silence, &mut draft);
    let mut matchers: BTreeMap<String, String> =
        matched.labels.iter().map(|(name, value)| (name.clone(), value.replace("$environment", target.environment.as_str()))).collect();
    matchers.insert("alertname".to_owned(), wish.alert.clone());
    match wish.lasts {
        Some(_) => begin(scene, (backend, wish), matchers, &mut draft)?,
        None => end(scene, (backend, alert), (wish, matchers), &mut draft),
    }
    Ok(draft)
}

fn begin(
    scene: &Scene<'_>,
    (backend, wish): (&BackendName, &SilenceWish),
    matchers: BTreeMap<String, String>,
    draft: &mut Draft,
) -> Result<(), PlanError> {
    let lasts = wish.lasts.unwrap_or(SHORTEST);
    if !(SHORTEST..=LONGEST).contains(&lasts) {
        return Err(wrong("a silence lasts from 1m to 8h"));
    }
    let comment = scene.intent.reason.to_string();
    if comment.is_empty() {
        return Err(wrong("a silence needs a reason: whoever is on call next reads it"));
    }
    let target = &scene.intent.target;
    let ends = scene.world.ledger.time(scene.now) + lasts;
    draft.after = format!(
        "{} of {target} calls nobody until {}, then again by itself; it stays on the board and the incident as silenced",
        wish.alert,
        ends.format("%H:%M:%SZ")
    );
    draft.costs = cost::of_silence(scene, true);
    draft.undo = Some(format!("unsilence {target} --alert {}", wish.alert));
    let change = SilenceChange::Until { ends: rfc3339(&ends), comment };
    draft.effects.push(StepEffect::Silence { backend: backend.clone(), alert: wish.alert.clone(), matchers, change });
    Ok(())
}

fn end(
    scene: &Scene<'_>,
    (backend, alert): (&BackendName, &Alert),
    (wish, matchers): (&SilenceWish, BTreeMap<String, String>),
    draft: &mut Draft,
) {
    let target = &scene.intent.target;
    let all: Vec<&Silence> = silences::of(scene.world, backend, alert).collect();
    // One that mutes more than this alert of this target is not ours to end here: all that tells this alert must be among its matchers.
    let narrow = |silence: &&&Silence| matchers.iter().all(|(name, value)| silence.matchers.contains(&matcher(name, value)));
    let ids: Vec<String> = all.iter().filter(narrow).map(|silence| silence.id.to_string()).collect();
    draft.after = format!("{} of {target} calls again at once, while it fires", wish.alert);
    draft.costs = cost::of_silence(scene, false);
    draft.undo = Some(format!("silence {target} --alert {} --for 1h --reason ..", wish.alert));
    if ids.is_empty() {
        let (text, hint) = match all.first() {
            None => (format!("nothing silences {}", wish.alert), "nothing to end".to_owned()),
            Some(wide) => {
                (format!("the silence of {} mutes more than it, made by {}", wish.alert, wide.by), format!("end it at {backend}"))
            }
        };
        draft.impossible.push(Reason::new("not-silenced", &text, &hint));
    }
    let change = SilenceChange::Over { ids };
    draft.effects.push(StepEffect::Silence { backend: backend.clone(), alert: wish.alert.clone(), matchers, change });
}

/// How an alert stands, in words.
fn stands(scene: &Scene<'_>, backend: &BackendName, alert: &Alert) -> String {
    let since = alert.since.format("%H:%M:%SZ");
    let silenced: Vec<String> = silences::of(scene.world, backend, alert)
        .map(|silence| format!("silenced until {} by {}", silence.ends.format("%H:%M:%SZ"), silence.by))
        .collect();
    let quiet = if silenced.is_empty() { "not silenced".to_owned() } else { silenced.join(", ") };
    format!("{} fires since {since}, {quiet}", alert.name)
}
