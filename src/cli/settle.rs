//! Opens a room for a verb and waits until every backend was asked once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;

use super::compose::{self, Composed};
use super::exit::Exit;
use super::health::living::Living;
use super::out;
use super::who::Proof;
use crate::config::load::Loaded;
use crate::config::settings::HealthSettings;
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::authors;
use crate::control::driver::courier::{self, Couriers};
use crate::control::driver::outside::Switchboard;
use crate::control::driver::{self, Handle, Taped};
use crate::control::event::Event;
use crate::control::update::Opening;
use crate::control::world::{DiscoveryView, Source, SourceFact, World};
use crate::model::intent::Verb;
use crate::model::name::Target;
use crate::model::plan::Plan;
use crate::model::time::Moment;
use crate::ports::clock::Clock;
use crate::ports::ledger::Ledger;
use crate::ports::outbox::Outbox;

/// A room that a verb works in.
pub struct Opened {
    /// The room.
    pub handle: Handle,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Its ledger.
    pub ledger: Arc<dyn Ledger>,
    /// Its backends, for what no reading tells.
    pub ports: Arc<Switchboard>,
    /// Who tells what happened to whom.
    pub telling: Option<(Arc<Couriers>, Arc<dyn Outbox>)>,
    /// What a room that stays open tells of itself, and where.
    health: Option<Arc<HealthSettings>>,
}

/// How long a verb goes on telling receivers what it did, where no living room does.
const TELLS_WITHIN: Duration = Duration::from_secs(3);

impl Opened {
    /// Tells of the room, in its log and where its metrics are wished, until the verb ends it.
    pub fn lives(&self) -> Living {
        Living::of(&self.handle, &self.clock, self.health.clone())
    }

    /// Tells receivers what the verb did, for a bounded time, and says what is left for the next process.
    pub async fn tell(&self) {
        let Some((couriers, outbox)) = &self.telling else { return };
        let list = couriers.now();
        if list.is_empty() {
            return;
        }
        // Where the room does it already this ends at once.
        let work = tokio::spawn(couriers.clone().deliver(outbox.clone(), self.clock.clone(), courier::chance()));
        let left = courier::settled(outbox, &list, TELLS_WITHIN).await;
        work.abort();
        match left {
            Ok(left) => left.iter().filter(|one| one.count > 0 && !one.elsewhere).for_each(not_told),
            Err(error) => out::words(&format!("gonogo: whom this was told is not known: {error}")),
        }
    }
}

/// Says what one receiver has not got.
pub fn not_told(left: &courier::Left) {
    let why = left.trouble.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let many = if left.count == 1 { "1 notice".to_owned() } else { format!("{} notices", left.count) };
    out::words(&format!("gonogo: {many} for `{}` not delivered yet{why}; the room or `gonogo outbox deliver` goes on with it", left.name));
}

/// Loads the configuration for a verb that needs one.
///
/// # Errors
/// Exit 8 when it is refused, or nothing is configured.
pub fn needed(around: &Surroundings, flags: &Flags) -> Result<Loaded, Exit> {
    let loaded = compose::configuration(around, flags)?;
    if loaded.nothing_configured {
        out::words("gonogo: nothing is configured; `gonogo init` looks around and writes gonogo.toml, `gonogo demo` needs none");
        return Err(Exit::Configuration);
    }
    Ok(loaded)
}

/// Opens a room over the configured backends for a verb that may do or say something in the operator's name, who proves who it is.
/// `tends`: whether it settles what dead processes left.
///
/// # Errors
/// Exit 8, as [`needed`].
pub async fn open(around: &Surroundings, flags: &Flags, tends: bool) -> Result<Opened, Exit> {
    opened(around, flags, (tends, false), Proof::Asked).await
}

/// The same, and rollouts go on by themselves from here.
///
/// # Errors
/// Exit 8, as [`needed`].
pub async fn conduct(around: &Surroundings, flags: &Flags) -> Result<Opened, Exit> {
    opened(around, flags, (true, true), Proof::Waived).await
}

/// Opens a room over the configured backends for a verb that only looks: nobody has to touch a key for it.
///
/// # Errors
/// Exit 8, as [`needed`].
pub async fn look(around: &Surroundings, flags: &Flags) -> Result<Opened, Exit> {
    opened(around, flags, (false, false), Proof::Waived).await
}

async fn opened(around: &Surroundings, flags: &Flags, (tends, conducts): (bool, bool), proof: Proof) -> Result<Opened, Exit> {
    let Composed { outside, opening, health, .. } = compose::configured(needed(around, flags)?, around, tends, proof).await;
    let opening = Opening { conducts, ..opening };
    let (clock, ledger, ports) = (outside.clock().clone(), outside.ledger().clone(), outside.ports().clone());
    let telling = outside.couriers();
    Ok(Opened { handle: driver::open(outside, opening), clock, ledger, ports, telling, health })
}

/// Opens a room that only looks, with a tape of everything that happens in it.
///
/// # Errors
/// Exit 8, as [`needed`].
pub async fn open_taped(around: &Surroundings, flags: &Flags) -> Result<(Opened, Receiver<Taped>), Exit> {
    let Composed { outside, opening, health, .. } = compose::configured(needed(around, flags)?, around, false, Proof::Waived).await;
    let (clock, ledger, ports) = (outside.clock().clone(), outside.ledger().clone(), outside.ports().clone());
    let (handle, tape) = driver::open_taped(outside, opening);
    Ok((Opened { handle, clock, ledger, ports, telling: None, health }, tape))
}

/// Whether a backend has answered or failed once, or cannot be asked at all.
fn was_asked(source: &Source) -> bool {
    matches!(source.fact, SourceFact::Unsupported) || source.seen().is_some() || source.trouble().is_some()
}

/// Whether every backend was asked, and store and journal were read.
fn is_settled(world: &World) -> bool {
    world.sources.values().all(|source| was_asked(source)) && is_recorded(world)
}

/// Whether what is on record is known: store, journal and calendars.
fn is_recorded(world: &World) -> bool {
    (world.ledger.read || world.ledger.trouble.is_some()) && world.journal_read && world.calendars.is_settled()
}

/// Waits until every discovery was asked once, at most `within`; returns the world as it then is.
pub async fn discovered(handle: &mut Handle, within: Duration) -> Arc<World> {
    let asked = |world: &World| {
        let able =
            |view: &DiscoveryView| world.sources.get(&view.discovery.backend).is_some_and(|of| !matches!(of.fact, SourceFact::Unsupported));
        world.discoveries.values().all(|view| view.fact.tried.is_some() || !able(view))
    };
    until(handle, within, asked).await
}

/// Waits until the world has settled, at most `within`; returns it as it then is.
pub async fn settled(handle: &mut Handle, within: Duration) -> Arc<World> {
    until(handle, within, is_settled).await
}

/// Waits until the store was read; backends are not waited for.
pub async fn recorded(handle: &mut Handle, within: Duration) -> Arc<World> {
    until(handle, within, |world| world.ledger.read || world.ledger.trouble.is_some()).await
}

/// Waits until the store was read again after `before`.
pub async fn reread(handle: &mut Handle, before: &World, within: Duration) -> Arc<World> {
    until(handle, within, |world| world.ledger.size != before.ledger.size || world.ledger.trouble.is_some()).await
}

/// Waits until something is so, at most `within`; returns the world as it then is.
pub async fn until(handle: &mut Handle, within: Duration, is_so: impl Fn(&World) -> bool) -> Arc<World> {
    let waiting = async {
        while !is_so(&handle.world()) {
            if !handle.changed().await {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(within, waiting).await;
    handle.world()
}

/// The same for a deed: where it may set a flag, the target's flag services are waited for, too.
pub async fn settled_for_deed(handle: &mut Handle, verb: Verb, target: &Target, within: Duration) -> Arc<World> {
    let world = settled_for(handle, target, within).await;
    let of_steps = world.catalog.deploy(target).is_some_and(|deploy| !deploy.rollout.flags.is_empty());
    if verb == Verb::Flag || of_steps { flags(handle, target, within).await } else { world }
}

/// Waits until every flag service of a target was asked once.
pub async fn flags(handle: &mut Handle, target: &Target, within: Duration) -> Arc<World> {
    let asked = |world: &World| {
        let services = world.catalog.flag_services(target);
        services.iter().all(|backend| world.sources.get(backend).is_none_or(|source| was_asked(source)))
    };
    until(handle, within, asked).await
}

/// Waits until what lies between a plan's two versions was asked for from now on; says whether there was something to ask.
pub async fn told(handle: &mut Handle, plan: &Plan, now: &Moment, within: Duration) -> bool {
    let span = authors::of_plan(&handle.world(), plan, now).and_then(|(authors, _)| authors.span().cloned());
    let Some(span) = span else { return false };
    handle.send(Event::AuthorsWanted { span: span.clone() }).await;
    let is_asked = |world: &World| world.ranges.get(&span).and_then(|fact| fact.tried).is_some_and(|tried| tried.boot >= now.boot);
    until(handle, within, is_asked).await;
    true
}

/// Waits until the range of every plan that waits was asked for once.
pub async fn waiting_told(handle: &mut Handle, now: &Moment, within: Duration) -> Arc<World> {
    let is_told = |world: &World| {
        world.waiting_at(now).all(|one| {
            let authors = authors::of_plan(world, &one.plan, now);
            let span = authors.as_ref().and_then(|(authors, _)| authors.span());
            span.is_none_or(|span| world.ranges.get(span).is_some_and(|fact| fact.tried.is_some()))
        })
    };
    until(handle, within, is_told).await
}

/// Waits until every backend of one target has answered or failed once, and the store was read.
pub async fn settled_for(handle: &mut Handle, target: &Target, within: Duration) -> Arc<World> {
    let is_settled = |world: &World| {
        let mut backends = world.catalog.backends_of(target).into_iter();
        backends.all(|backend| world.sources.get(&backend).is_none_or(|source| was_asked(source))) && is_recorded(world)
    };
    until(handle, within, is_settled).await
}

#[cfg(test)]
mod tests {
    use super::is_recorded;
    use crate::model::text::Text;
    use crate::ui::fixture;

    #[test]
    fn what_is_on_record_is_known_once_store_and_journal_were_read_or_the_store_cannot_be() {
        let world = |(store, trouble, journal): (bool, bool, bool)| {
            let mut world = fixture::world();
            (world.ledger.read, world.journal_read) = (store, journal);
            world.ledger.trouble = trouble.then(|| Text::clean("no such file"));
            world
        };
        for known in [(true, false, true), (false, true, true)] {
            assert!(is_recorded(&world(known)), "{known:?}");
        }
        for unknown in [(true, false, false), (false, true, false), (false, false, true), (false, false, false)] {
            assert!(!is_recorded(&world(unknown)), "{unknown:?}");
        }
    }
}
