//! What a plan costs, row by row; "not known" is an answer, an invented figure is not.

use super::Scene;
use crate::model::both::shown;
use crate::model::catalog::BackendKind;
use crate::model::deed::DeedState;
use crate::model::intent::Verb;
use crate::model::name::ServerName;
use crate::model::plan::{Cost, Evidence, StepEffect};
use crate::model::reading::Freshness;
use crate::model::share::{Percent, Share};
use crate::model::slot::Slot;
use crate::model::text::Text;
use crate::model::workload::WorkloadKind;

fn row(name: &str, text: Option<String>) -> Cost {
    Cost { name: name.to_owned(), text: text.map(|text| Text::clean(&text)) }
}

/// The version in a slot, or the slot's servers where it is not known.
pub(super) fn name_of(scene: &Scene<'_>, slot: Slot) -> String {
    let version = scene.world.target(&scene.intent.target).and_then(|view| view.version(slot)).map(|seen| seen.version.to_string());
    version.unwrap_or_else(|| {
        let servers = scene.deploy.traffic.first().map(|entry| entry.servers(slot)).unwrap_or_default();
        servers.iter().map(ToString::to_string).collect::<Vec<_>>().join("+")
    })
}

/// `2.4.1 80 %, 2.5.0 20 %`, or that it is not known.
pub(super) fn shares(scene: &Scene<'_>) -> String {
    let Some(view) = scene.world.target(&scene.intent.target) else { return "shares not known".to_owned() };
    match view.wished() {
        Some(share) => split_words(scene, share.percent()),
        None => "shares not known".to_owned(),
    }
}

/// Both versions with their shares, the stable one first, when the other one's share is `percent`.
pub(super) fn split_words(scene: &Scene<'_>, percent: f64) -> String {
    let stable = scene.world.target(&scene.intent.target).map_or(Slot::First, |view| view.state.stable);
    format!("{} {} %, {} {} %", name_of(scene, stable), number(100.0 - percent), name_of(scene, stable.other()), number(percent))
}

fn number(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if (rounded - rounded.round()).abs() < 1e-9 { format!("{rounded:.0}") } else { format!("{rounded:.1}") }
}

/// What this verb took on this target when it last became effective.
fn takes(scene: &Scene<'_>) -> Option<String> {
    let deeds = scene.world.newest_deeds();
    let last = deeds.into_iter().find(|deed| {
        deed.target == scene.intent.target && deed.verb == scene.intent.verb && matches!(deed.state, DeedState::Effective | DeedState::Held)
    })?;
    let (from, to) = (last.facts.intended?, last.facts.effective?);
    Some(format!("{:.1} s when last done, {}", (to - from).as_seconds_f64(), from.format("%Y-%m-%d %H:%M:%SZ")))
}

/// The rows of a deed that stands still.
pub(super) fn of_still(scene: &Scene<'_>) -> Vec<Cost> {
    vec![
        row("if I do nothing", Some(nothing(scene))),
        row("takes", Some("one write to the ledger".to_owned())),
        row("if it fails", Some("nothing changed".to_owned())),
        row("load", Some("unchanged".to_owned())),
        row("users", Some("nobody notices".to_owned())),
        row("data", Some("unchanged".to_owned())),
        row("told", Some(told().to_owned())),
    ]
}

fn nothing(scene: &Scene<'_>) -> String {
    format!("it stays as it is ({}); no rule moves it by itself", shares(scene))
}

fn told() -> &'static str {
    "everyone in this room and the ledger; no message is sent"
}

/// The rows of a deed that moves traffic to `percent` of the slot on trial.
pub(super) fn of_traffic(scene: &Scene<'_>, percent: Percent) -> Vec<Cost> {
    let view = scene.world.target(&scene.intent.target);
    let before = view.and_then(|view| view.wished()).map(Share::percent);
    let load = before.map(|before| {
        let stable = view.map_or(Slot::First, |view| view.state.stable);
        let after = f64::from(percent.get());
        let (gains, from, to) = if after >= before { (stable.other(), before, after) } else { (stable, 100.0 - before, 100.0 - after) };
        format!("{} from {} to {} % of the traffic; room left there: not known", name_of(scene, gains), number(from), number(to))
    });
    vec![
        row("if I do nothing", Some(nothing(scene))),
        row("takes", takes(scene)),
        row("if it fails", Some(if_it_fails(scene).to_owned())),
        row("load", load),
        row("users", Some(users(scene).to_owned())),
        row("data", None),
        row("told", Some(told().to_owned())),
    ]
}

/// The rows of a deed that has the instances of a workload replaced.
pub(super) fn of_workload(scene: &Scene<'_>, kind: WorkloadKind) -> Vec<Cost> {
    let rule = match kind {
        WorkloadKind::Deployment => "by its own maxUnavailable and maxSurge, or all at once where it says Recreate",
        WorkloadKind::StatefulSet => "from the highest ordinal down to the partition",
        WorkloadKind::DaemonSet => "node by node, by its own maxUnavailable",
        WorkloadKind::Rollout => "by the steps of its own strategy, which its controller walks",
        WorkloadKind::Canary => "by the analysis of its own, which Flagger walks; then those of its primary",
    };
    vec![
        row("if I do nothing", Some("it stays as it is; no rule moves it by itself".to_owned())),
        row("takes", takes(scene)),
        row("if it fails", Some("a refused change changes nothing; afterwards old and new instances stand beside each other".to_owned())),
        row("load", Some(format!("instances are replaced {rule}"))),
        row(
            "users",
            Some("instances that end finish their requests within their grace period; sessions tied to one: not known".to_owned()),
        ),
        row("data", None),
        row("told", Some(told().to_owned())),
    ]
}

/// The kinds of the routers that a target stands behind.
fn routers<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = BackendKind> + 'a {
    scene.deploy.traffic.iter().filter_map(|entry| scene.world.catalog.backends.get(&entry.backend)).map(|backend| backend.kind)
}

fn if_it_fails(scene: &Scene<'_>) -> &'static str {
    let at_once = |kind| matches!(kind, BackendKind::Traefik | BackendKind::Caddy | BackendKind::GatewayApi | BackendKind::Istio);
    if routers(scene).next().is_some() && routers(scene).all(at_once) {
        return "all weights change at once, or none does";
    }
    "a refused raise moves nothing; once it is raised, at worst both slots take traffic"
}

/// The rows with what is taken back by itself when a later router refuses: `if inside refuses, edge goes back to v1 95, v2 5 by itself`.
pub(super) fn with_back(mut costs: Vec<Cost>, effects: &[StepEffect], back: &[StepEffect]) -> Vec<Cost> {
    let told: Vec<String> = effects.iter().enumerate().skip(1).filter_map(|(step, effect)| refused(effect, back.get(..step)?)).collect();
    if let Some(row) = costs.iter_mut().find(|row| row.name == "if it fails").filter(|_| !told.is_empty()) {
        let before = row.text.as_ref().map(|text| format!("{text}; ")).unwrap_or_default();
        row.text = Some(Text::clean(&format!("{before}{}", told.join("; "))));
    }
    costs
}

fn refused(effect: &StepEffect, back: &[StepEffect]) -> Option<String> {
    let goes = |effect: &StepEffect| match effect {
        StepEffect::Weights { backend, weights, .. } => Some(format!("{backend} goes back to {}", shown(weights))),
        StepEffect::Start { .. }
        | StepEffect::Flag { .. }
        | StepEffect::Drain { .. }
        | StepEffect::Silence { .. }
        | StepEffect::Retry { .. }
        | StepEffect::Repeat { .. }
        | StepEffect::Answer { .. }
        | StepEffect::Workload { .. }
        | StepEffect::Cancel { .. } => None,
    };
    let goes: Vec<String> = back.iter().rev().filter_map(goes).collect();
    (!goes.is_empty()).then(|| format!("if {} refuses, {} by itself", effect.backend(), goes.join(" and ")))
}

/// Caddy takes a changed weight in by a reload, and its old listener resets what waits in its queue.
fn users(scene: &Scene<'_>) -> &'static str {
    if routers(scene).any(|kind| kind == BackendKind::Caddy) {
        return "Caddy reloads: connections that wait to be accepted may be reset; sessions tied to a server: not known";
    }
    "requests under way finish where they are; sessions tied to a server: not known"
}

/// The rows of a deed on a flag.
pub(super) fn of_flag(scene: &Scene<'_>, on: bool) -> Vec<Cost> {
    let users = if on {
        "those whom it chooses get what the flag switches, when their programs ask for flags next"
    } else {
        "nobody gets it any more, when their programs ask for flags next"
    };
    vec![
        row("if I do nothing", Some("it stays as it is; no rule of gonogo moves it by itself".to_owned())),
        row("takes", takes(scene)),
        row("if it fails", Some("nothing is sent twice; what is not known is looked up at the flag service".to_owned())),
        row("load", None),
        row("users", Some(users.to_owned())),
        row("data", None),
        row("told", Some(told().to_owned())),
    ]
}

/// The rows of a deed that drains a server or makes it ready.
pub(super) fn of_server(scene: &Scene<'_>, name: &ServerName, drains: bool) -> Vec<Cost> {
    let (users, load) = if drains {
        ("nobody is cut off: requests and kept sessions on it go on, new ones go elsewhere", "the others of its pool take its requests")
    } else {
        ("new requests reach it by its weight", "it takes its share from the others of its pool")
    };
    vec![
        row("if I do nothing", Some(format!("{name} stays as it is; no rule of gonogo moves it by itself"))),
        row("takes", takes(scene)),
        row("if it fails", Some("nothing is sent twice; what is not known is read back from the router".to_owned())),
        row("load", Some(load.to_owned())),
        row("users", Some(users.to_owned())),
        row("data", None),
        row("told", Some(told().to_owned())),
    ]
}

/// The rows of a deed that silences an alert, or ends that.
pub(super) fn of_silence(scene: &Scene<'_>, begins: bool) -> Vec<Cost> {
    let (nothing, users) = if begins {
        ("it calls whom the alerting system's routes say, again and again", "whoever is on call hears nothing more of it meanwhile")
    } else {
        ("its silence ends by itself at its own end", "whoever is on call is called again while it fires")
    };
    vec![
        row("if I do nothing", Some(nothing.to_owned())),
        row("takes", takes(scene)),
        row("if it fails", Some("nothing is sent twice; what is not known is read back from the alerting system".to_owned())),
        row(
            "way back",
            Some("a silence stops no automatic way back; a check of a gate that asks for alerts takes it for an answer".to_owned()),
        ),
        row("users", Some(users.to_owned())),
        row("data", None),
        row("told", Some(told().to_owned())),
    ]
}

/// The rows of a deed on a run.
pub(super) fn of_run(scene: &Scene<'_>) -> Vec<Cost> {
    let does = match scene.intent.verb {
        Verb::Start => "nothing runs",
        Verb::Retry => "the run stays as it ended",
        Verb::Cancel => "the run goes on to its end",
        Verb::Approve | Verb::Reject => "the run waits on, until the backend gives it up",
        Verb::Hold
        | Verb::Resume
        | Verb::Shift
        | Verb::Promote
        | Verb::Rollout
        | Verb::Abort
        | Verb::Rollback
        | Verb::Note
        | Verb::Flag
        | Verb::Drain
        | Verb::Ready
        | Verb::Silence
        | Verb::Unsilence => "it stays as it is",
    };
    let (fails, load) = match scene.intent.verb {
        Verb::Approve | Verb::Reject => (
            "the gate stays as it is; an unknown outcome is looked up by its key and never sent twice",
            "the rest of one run of the CI system",
        ),
        Verb::Start
        | Verb::Retry
        | Verb::Cancel
        | Verb::Hold
        | Verb::Resume
        | Verb::Shift
        | Verb::Promote
        | Verb::Rollout
        | Verb::Abort
        | Verb::Rollback
        | Verb::Flag
        | Verb::Drain
        | Verb::Ready
        | Verb::Silence
        | Verb::Unsilence
        | Verb::Note => {
            ("no run is made or stopped; an unknown outcome is looked up by its key and never sent twice", "one run of the CI system")
        }
    };
    let users = if scene.intent.verb == Verb::Approve { None } else { Some("traffic is not moved".to_owned()) };
    vec![
        row("if I do nothing", Some(does.to_owned())),
        row("takes", takes(scene)),
        row("if it fails", Some(fails.to_owned())),
        row("load", Some(load.to_owned())),
        row("users", users),
        row("data", None),
        row("told", Some(told().to_owned())),
    ]
}

/// Signals, alerts and versions as evidence: they warn, they never bind.
pub(super) fn evidence(scene: &Scene<'_>) -> Vec<Evidence> {
    let Some(view) = scene.world.target(&scene.intent.target) else { return Vec::new() };
    let age = |backend: &crate::model::name::BackendName| {
        scene.world.sources.get(backend).and_then(|source| source.age(scene.now)).map(|age| age.as_secs())
    };
    let mut rows: Vec<Evidence> = view
        .signals
        .iter()
        .map(|signal| Evidence {
            text: signal.sentence.clone(),
            source: signal.backend.to_string(),
            age_s: age(&signal.backend),
            warns: signal.state != crate::control::world::SignalState::Within
                || !scene.world.freshness(&signal.backend, scene.now).is_fresh(),
        })
        .collect();
    if let Some(alerts) = scene.service.alerts.as_ref() {
        let firing: Vec<_> = view.alerts.iter().map(|alert| alert.name.to_string()).collect();
        let fresh = scene.world.freshness(&alerts.backend, scene.now);
        let text = match (fresh, firing.is_empty()) {
            (Freshness::Fresh, true) => "no alert fires".to_owned(),
            (Freshness::Fresh, false) => format!("fires: {}", firing.join(", ")),
            (Freshness::Stale | Freshness::Unreachable | Freshness::Unauthorised | Freshness::Never, _) => {
                format!("alerts not known, {} is {}", alerts.backend, fresh.word())
            }
        };
        rows.push(Evidence {
            text: Text::clean(&text),
            source: alerts.backend.to_string(),
            age_s: age(&alerts.backend),
            warns: !firing.is_empty() || !fresh.is_fresh(),
        });
    }
    rows
}
