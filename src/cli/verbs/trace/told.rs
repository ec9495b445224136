//! Chains in words and as JSON.

use serde_json::{Value, json};

use super::chain::{Chain, Running, Source};
use crate::cli::{json as shapes, out};
use crate::control::world::World;
use crate::model::deed::EntryKind;
use crate::model::time::{Moment, rfc3339};

/// The chains as one object.
pub fn object(world: &World, what: &str, chains: &[Chain<'_>], running: &[Running], more: u64, now: &Moment) -> Value {
    json!({
        "schema": shapes::SCHEMA,
        "simulated": world.catalog.simulated,
        "at": rfc3339(&now.wall),
        "what": what,
        "chains": chains.iter().map(chain).collect::<Vec<_>>(),
        "older": more,
        "running": running.iter().map(|one| runs(one, None)).collect::<Vec<_>>(),
    })
}

fn source(of: &Source) -> Value {
    match of {
        Source::Entry(n) => json!({ "ledger_entry": n, "evidence_of_entry": null, "backend": null, "age_s": null }),
        Source::Evidence(n) => json!({ "ledger_entry": null, "evidence_of_entry": n, "backend": null, "age_s": null }),
        Source::Backend(name, age) => json!({ "ledger_entry": null, "evidence_of_entry": null, "backend": name, "age_s": age }),
    }
}

fn runs(one: &Running, is_it: Option<bool>) -> Value {
    json!({
        "target": one.target.to_string(),
        "slot": one.slot,
        "stable": one.is_stable,
        "version": one.version,
        "digest": one.digest,
        "revision": one.revision,
        "run": one.run,
        "share": one.share,
        "backend": one.source,
        "age_s": one.age_s,
        "released_by_it": is_it,
    })
}

fn chain(chain: &Chain<'_>) -> Value {
    let dossier = chain.dossier;
    let intent = chain.entry(EntryKind::Intent).map(|entry| entry.n);
    let facts = dossier.facts();
    let approvals: Vec<Value> = dossier
        .approvals()
        .map(|said| json!({ "person": said.person, "at": rfc3339(&said.entry.at), "entry": said.entry.n, "own_key": said.entry.is_own_key() }))
        .collect();
    let entries: Vec<u64> = dossier.entries.iter().map(|entry| entry.n).collect();
    let missing: Vec<Value> = chain.missing.iter().map(|one| json!({ "link": one.link, "why": one.why, "fix": one.fix })).collect();
    json!({
        "ticket": dossier.ticket().map(|ticket| json!({ "id": ticket, "source": intent.map(|n| source(&Source::Entry(n))) })),
        "deed": {
            "plan": dossier.plan.to_string(),
            "verb": dossier.verb,
            "target": dossier.target.as_ref().map(ToString::to_string),
            "percent": dossier.order.as_ref().and_then(|order| order.percent),
            "requester": dossier.requester,
            "state": dossier.state(),
            "intended": shapes::time(facts.intended),
            "effective": shapes::time(facts.effective),
            "held": shapes::time(facts.held),
            "entries": entries,
        },
        "approvals": approvals,
        "run": chain.run.as_ref().map(|(id, of)| json!({ "id": id, "state": chain.state, "source": source(of) })),
        "commit": chain.commit.as_ref().map(|(revision, of)| json!({ "revision": revision, "source": source(of) })),
        "version": chain.version.as_ref().map(|(from, to, of)| json!({ "from": from, "to": to, "source": source(of) })),
        "digest": chain.digest.as_ref().map(|(digest, of)| json!({ "digest": digest, "source": source(of) })),
        "now": chain.now.iter().map(|one| runs(one, Some(chain.is_it(one)))).collect::<Vec<_>>(),
        "missing": missing,
    })
}

fn words(of: &Source) -> String {
    match of {
        Source::Entry(n) => format!("entry {n}"),
        Source::Evidence(n) => format!("evidence of entry {n}"),
        Source::Backend(name, age) => format!("{name}, {}", aged(*age)),
    }
}

fn aged(age: Option<u64>) -> String {
    age.map_or_else(|| "never read".to_owned(), |age| format!("{age} s ago"))
}

/// Prints the chains.
pub fn say(what: &str, chains: &[Chain<'_>], running: &[Running], more: u64) {
    let line = |name: &str, text: &str| out::line(&format!("  {name:<9} {text}"));
    for chain in chains {
        let dossier = chain.dossier;
        let target = dossier.target.as_ref().map(ToString::to_string).unwrap_or_default();
        let share = dossier.order.as_ref().and_then(|order| order.percent).map(|percent| format!(" {percent} %")).unwrap_or_default();
        let verb = dossier.verb.as_deref().unwrap_or("plan");
        out::line(&format!("TRACE {what}: {} {verb} {target}{share}", dossier.plan.short()));
        if let Some(ticket) = dossier.ticket() {
            let from = chain.entry(EntryKind::Intent).map_or("the stored plan".to_owned(), |entry| format!("entry {}", entry.n));
            line("ticket", &format!("{ticket} ({from})"));
        }
        let (first, last) = (dossier.entries.first().map_or(0, |entry| entry.n), dossier.entries.last().map_or(0, |entry| entry.n));
        line("deed", &format!("{} by {} (entries {first} to {last})", dossier.state().to_uppercase(), dossier.requester));
        for said in dossier.approvals() {
            let key = if said.entry.is_own_key() { "own key" } else { "signed by the process" };
            line("approved", &format!("{} at {} (entry {}, {key})", said.person, rfc3339(&said.entry.at), said.entry.n));
        }
        if let Some((id, of)) = &chain.run {
            line("run", &format!("{id} {} ({})", chain.state.unwrap_or("no longer shown by its backend"), words(of)));
        }
        if let Some((revision, of)) = &chain.commit {
            line("commit", &format!("{revision} ({})", words(of)));
        }
        if let Some((from, to, of)) = &chain.version {
            let from = from.as_ref().map(|from| format!("{from} -> ")).unwrap_or_default();
            line("version", &format!("{from}{to} ({})", words(of)));
        }
        if let Some((digest, of)) = &chain.digest {
            line("digest", &format!("{digest} ({})", words(of)));
        }
        for one in &chain.now {
            let mark = if chain.is_it(one) { "it runs" } else { "runs" };
            line("now", &format!("{mark}: {}", run_words(one)));
        }
        for one in &chain.missing {
            line("missing", &format!("{}: {}; {}", one.link, one.why, one.fix));
        }
    }
    if more > 0 {
        out::line(&format!("  {more} older are left out; --most N shows more"));
    }
    if chains.is_empty() {
        for one in running {
            let commit = one.revision.as_ref().map(|revision| format!(", commit {revision}")).unwrap_or_default();
            let run = one.run.as_ref().map(|run| format!(", built by {run}")).unwrap_or_default();
            out::line(&format!("TRACE {what}: {}{commit}{run}", run_words(one)));
            line("missing", "deed: nothing in this ledger brought it there");
        }
    }
}

fn run_words(one: &Running) -> String {
    let digest = one.digest.as_ref().map(|digest| format!(" {digest}")).unwrap_or_default();
    let share = one.share.map(|share| format!(" at {share} %")).unwrap_or_default();
    let slot = if one.is_stable { "stable" } else { "canary" };
    format!("{} {slot} {}{digest}{share} ({}, {})", one.target, one.version, one.source, aged(one.age_s))
}
