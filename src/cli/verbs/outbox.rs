//! `gonogo outbox`: what is to be told to receivers, delivered, tried again or given up by hand.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::adapters::clock::SystemClock;
use crate::cli::args::OutboxVerb;
use crate::cli::exit::Exit;
use crate::cli::{compose, json as shapes, out, receivers, settle, who};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::courier::{self, Courier, Couriers, Left};
use crate::model::name::BackendName;
use crate::model::outbox::{Parked, Progress};
use crate::model::text::Text;
use crate::model::time::rfc3339;
use crate::ports::clock::Clock;
use crate::ports::ledger::LedgerError;
use crate::ports::outbox::Outbox;
use crate::store::SqliteStore;

/// Changes at desks that are listed.
const CHANGES: u32 = 200;

/// Does what was asked.
pub async fn run(around: &Surroundings, flags: &Flags, verb: OutboxVerb) -> Exit {
    match try_run(around, flags, verb).await {
        Ok(exit) | Err(exit) => exit,
    }
}

/// The store with the receivers of the configuration.
struct Open {
    outbox: Arc<dyn Outbox>,
    couriers: Vec<Courier>,
    clock: Arc<dyn Clock>,
}

async fn open(around: &Surroundings, flags: &Flags) -> Result<Open, Exit> {
    let config = settle::needed(around, flags)?.config;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = SqliteStore::open(&compose::store_path(&config, around), clock.clone(), None).await.map_err(|error| failed(&error))?;
    if let Some(error) = store.condition() {
        return Err(failed(&error));
    }
    let couriers = receivers::made(config, around.clone(), clock.clone()).await;
    receivers::made_known(&store, &couriers).await;
    Ok(Open { outbox: Arc::new(store), couriers, clock })
}

fn failed(error: &LedgerError) -> Exit {
    out::words(&format!("gonogo: {error}"));
    Exit::of_ledger(error)
}

async fn try_run(around: &Surroundings, flags: &Flags, verb: OutboxVerb) -> Result<Exit, Exit> {
    let open = open(around, flags).await?;
    match verb {
        OutboxVerb::List { json } => open.list(json).await,
        OutboxVerb::Deliver { within, json } => open.deliver(within, json).await,
        OutboxVerb::Retry { id, json } => {
            let (receiver, seq) = named(&id)?;
            let again = open.outbox.again(&receiver, seq).await.map_err(|error| failed(&error))?;
            changed(again, "again", "will be tried again", &id, json)
        }
        OutboxVerb::Drop { id, reason, json } => {
            let (receiver, seq) = named(&id)?;
            let why = Text::clean_within(reason.trim(), 500);
            if why.is_empty() {
                out::words("gonogo: giving up a notice needs --reason");
                return Err(Exit::Usage);
            }
            let by = who::os_user(around);
            let dropped = open.outbox.give_up(&receiver, seq, &by, &why).await.map_err(|error| failed(&error))?;
            changed(dropped, "dropped", "given up", &id, json)
        }
        OutboxVerb::Forget { receiver, json } => {
            let name = name(&receiver)?;
            if open.couriers.iter().any(|courier| courier.name == name) {
                out::words(&format!("gonogo: `{name}` is configured; take it out of the configuration first"));
                return Err(Exit::Usage);
            }
            let known = open.outbox.forget(&name).await.map_err(|error| failed(&error))?;
            changed(u64::from(known), "forgotten", "forgotten", &receiver, json)
        }
    }
}

impl Open {
    async fn list(&self, as_json: bool) -> Result<Exit, Exit> {
        let all = self.outbox.progress().await.map_err(|error| failed(&error))?;
        let left = courier::left(&self.outbox, &self.couriers).await.map_err(|error| failed(&error))?;
        let changes = self.outbox.desk_changes(CHANGES).await.map_err(|error| failed(&error))?;
        if as_json {
            let rows: Vec<Value> = all.iter().map(|one| shape(one, &left)).collect();
            out::json(
                &json!({ "schema": shapes::SCHEMA, "receivers": rows, "changes": changes.iter().map(shapes::desk_change).collect::<Vec<_>>() }),
            );
            return Ok(Exit::Done);
        }
        if all.is_empty() {
            out::line("nobody is told anything: no [[webhook]] is configured");
        }
        for one in &all {
            tell(one, &left);
        }
        for change in &changes {
            out::line(&format!("change {} at {} of plan {}: {}", change.number, change.desk, change.plan.short(), change.state));
        }
        Ok(Exit::Done)
    }

    async fn deliver(&self, within: Duration, as_json: bool) -> Result<Exit, Exit> {
        let couriers = Arc::new(Couriers::new(self.couriers.clone()));
        let work = tokio::spawn(couriers.deliver(self.outbox.clone(), self.clock.clone(), courier::chance()));
        let deadline = tokio::time::sleep(within);
        tokio::pin!(deadline);
        let left = loop {
            let left = courier::left(&self.outbox, &self.couriers).await.map_err(|error| failed(&error))?;
            if left.iter().all(|one| one.count == 0) {
                break left;
            }
            tokio::select! {
                () = &mut deadline => break left,
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
        };
        work.abort();
        if as_json {
            let all = self.outbox.progress().await.map_err(|error| failed(&error))?;
            let rows: Vec<Value> = all.iter().map(|one| shape(one, &left)).collect();
            out::json(&json!({ "schema": shapes::SCHEMA, "receivers": rows }));
        }
        left.iter().filter(|one| one.count > 0).for_each(settle::not_told);
        Ok(if left.iter().all(|one| one.count == 0) { Exit::Done } else { Exit::Unreachable })
    }
}

/// A receiver as JSON.
pub fn shape(one: &Progress, left: &[Left]) -> Value {
    let here = left.iter().find(|left| left.name == one.name);
    let parked = |parked: &Parked| {
        json!({
            "id": format!("{}/{}", one.name, parked.seq),
            "event": parked.kind,
            "target": parked.target,
            "at": rfc3339(&parked.at),
            "why": parked.why,
            "again": parked.again,
        })
    };
    json!({
        "name": one.name,
        "configured": here.is_some(),
        "waiting": here.map_or(one.behind, |left| u64::try_from(left.count).unwrap_or(u64::MAX)),
        "delivered": one.delivered.as_ref().map(rfc3339),
        "tries": one.tries,
        "trouble": one.trouble,
        "again_at": one.again_at.as_ref().map(rfc3339),
        "parked": one.parked.iter().map(parked).collect::<Vec<_>>(),
    })
}

/// A receiver in words.
pub fn tell(one: &Progress, left: &[Left]) {
    let here = left.iter().find(|left| left.name == one.name);
    let waiting = here.map_or_else(|| one.behind.to_string(), |left| left.count.to_string());
    let last = one
        .delivered
        .map_or_else(|| "nothing delivered yet".to_owned(), |at| format!("last delivered {}", at.format("%Y-%m-%d %H:%M:%SZ")));
    out::line(&format!("receiver {}: {last}, {waiting} waiting, {} set aside", one.name, one.parked.len()));
    if here.is_none() {
        out::line(&format!("  not configured here\n  do: configure it again, or `gonogo outbox forget {}`", one.name));
    }
    if let Some(trouble) = &one.trouble {
        let again = one.again_at.map(|at| format!(", again at {}", at.format("%H:%M:%SZ"))).unwrap_or_default();
        out::line(&format!("  {} tries failed{again}: {trouble}", one.tries));
    }
    for parked in &one.parked {
        let about = parked.target.as_deref().unwrap_or("-");
        let again = if parked.again { " (will be tried again)" } else { "" };
        out::line(&format!("  {}/{} {} {about}{again}: {}", one.name, parked.seq, parked.kind, parked.why));
    }
    if one.parked.iter().any(|parked| !parked.again) {
        out::line(&format!("  do: mend it there, then `gonogo outbox retry {0}`; or `gonogo outbox drop {0} --reason ..`", one.name));
    }
}

fn name(text: &str) -> Result<BackendName, Exit> {
    BackendName::new(text).map_err(|error| {
        out::words(&format!("gonogo: {error}"));
        Exit::Usage
    })
}

/// A receiver, and one of its lines.
fn named(id: &str) -> Result<(BackendName, Option<u64>), Exit> {
    let Some((receiver, seq)) = id.split_once('/') else { return Ok((name(id)?, None)) };
    let seq = seq.parse().map_err(|_| {
        out::words(&format!("gonogo: `{}` names no notice; `gonogo outbox list` prints them", Text::clean_within(id, 80)));
        Exit::Usage
    })?;
    Ok((name(receiver)?, Some(seq)))
}

fn changed(count: u64, word: &str, words: &str, id: &str, as_json: bool) -> Result<Exit, Exit> {
    if as_json {
        out::json(&json!({ "schema": shapes::SCHEMA, word: count }));
    }
    if count == 0 {
        out::words(&format!(
            "gonogo: nothing of `{}` was set aside or known; `gonogo outbox list` prints what is",
            Text::clean_within(id, 80)
        ));
        return Err(Exit::Target);
    }
    if !as_json {
        out::line(&format!("{count} {words}"));
    }
    Ok(Exit::Done)
}
