//! Puts a room together: from a configuration with its adapters, or from a scenario with the simulated train.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use crate::adapters::alerts::alertmanager::Alertmanager;
use crate::adapters::calendar::file::CalendarFile;
use crate::adapters::calendar::web::CalendarAddress as CalendarUrl;
use crate::adapters::ci::buildbot::Buildbot;
use crate::adapters::ci::github::Github;
use crate::adapters::clock::SystemClock;
use crate::adapters::flags::flagd::Flagd;
use crate::adapters::flags::unleash::Unleash;
use crate::adapters::http::{Credential, HttpClient};
use crate::adapters::kubernetes::{Cluster, ClusterWorkloads};
use crate::adapters::probe::Outer;
use crate::adapters::signals::prometheus::Prometheus;
use crate::adapters::simulated::{self, SimulatedWorld};
use crate::adapters::traffic::caddy::Caddy;
use crate::adapters::traffic::cluster::ClusterRoutes;
use crate::adapters::traffic::envoy::Envoy;
use crate::adapters::traffic::haproxy::Haproxy;
use crate::adapters::traffic::traefik::Traefik;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::receivers;
use crate::cli::who::{self, Proof};
use crate::config::load::{Loaded, load};
use crate::config::scenario::Scenario;
use crate::config::secret;
use crate::config::settings::{BackendSettings, CalendarAddress, CalendarSettings, Config, HealthSettings};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::courier::Couriers;
use crate::control::driver::outside::{Outside, Switchboard};
use crate::control::driver::script::Script;
use crate::control::update::{Equipment, Opening, Seat};
use crate::control::world::RulesView;
use crate::model::catalog::{BackendKind, Catalog};
use crate::model::error::{PortError, PortErrorKind};
use crate::model::name::NameError;
use crate::model::operator::{Actor, Presented};
use crate::model::text::Text;
use crate::ports::broken::Broken;
use crate::ports::calendar::{Calendar, CalendarPorts};
use crate::ports::clock::Clock;
use crate::ports::journal::{Journal, Retention};
use crate::ports::ledger::Ledger;
use crate::ports::outbox::Outbox;
use crate::ports::{Port, Ports};
use crate::store::{Identity, SecondLedger, SqliteStore};

/// Nothing of a simulation outlives it, but an open room remembers its last hour: its past can be looked at.
const SIMULATED: Retention = Retention { days: 1, bytes: 32 << 20 };

/// Everything that a room is opened with, before it is opened.
pub struct Composed {
    /// Ports, ledger, journal, clock.
    pub outside: Outside,
    /// The opening.
    pub opening: Opening,
    /// The simulated world behind the ports, when there is one.
    pub simulated: Option<Arc<SimulatedWorld>>,
    /// What people of the story start; nothing where there is no story.
    pub script: Script,
    /// What the room tells of itself, and where; none: nothing.
    pub health: Option<Arc<HealthSettings>>,
}

/// A room that can be shown while what lies outside is still being opened.
pub struct Meanwhile {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The opening, without its equipment.
    pub opening: Opening,
    /// Opens backends and store.
    pub outside: Pin<Box<dyn Future<Output = (Outside, Equipment)> + Send>>,
    /// The ports, to be replaced when the configuration changes; empty until the backends are open.
    pub switchboard: Arc<Switchboard>,
    /// Who tells what happened, to be replaced likewise.
    pub couriers: Arc<Couriers>,
    /// Whether it must still be found out who is at the keys; on the simulated train that is of no importance.
    pub asks: bool,
    /// What people of the story start; nothing where there is no story.
    pub script: Script,
    /// What the room tells of itself, and where; none: nothing.
    pub health: Option<Arc<HealthSettings>>,
}

/// Loads the configuration, or says on standard error what is wrong with it.
///
/// # Errors
/// Exit 8.
pub fn configuration(around: &Surroundings, flags: &Flags) -> Result<Loaded, Exit> {
    load(around, flags).map_err(|problems| {
        out::words(&problems.to_string());
        Exit::Configuration
    })
}

/// Loads the configuration for a verb that works without one too; none when the file that was named is not there, which is said.
///
/// # Errors
/// Exit 8 when it is refused.
pub fn configuration_if_any(around: &Surroundings, flags: &Flags) -> Result<Option<Loaded>, Exit> {
    let named = flags.config.clone().or_else(|| around.variable("GONOGO_CONFIG").map(PathBuf::from));
    if let Some(absent) = named.filter(|file| !around.working_dir.join(file).exists()) {
        out::words(&format!("gonogo: {}: there is no such file", absent.display()));
        return Ok(None);
    }
    configuration(around, flags).map(Some)
}

/// The directory of the store.
pub fn store_path(config: &Config, around: &Surroundings) -> PathBuf {
    config.store.path.clone().unwrap_or_else(|| around.data_dir.clone())
}

/// A room over the configured backends.
pub async fn configured(loaded: Loaded, around: &Surroundings, tends: bool, proof: Proof) -> Composed {
    let found = who::recognise(around, &loaded.config.catalog.people, proof, &out::words).await;
    let Meanwhile { opening, outside, health, .. } =
        over_backends(loaded, around, tends, (found.recognised.actor.clone(), found.presented(), Seat::None));
    let (outside, equipment) = outside.await;
    Composed { outside, opening: opening.equipped(equipment), simulated: None, script: Script::default(), health }
}

/// A room over the configured backends that can be shown before they and the store are open, and before the agent said who is at the
/// keys: until then it is nobody.
pub fn configured_meanwhile(loaded: Loaded, around: &Surroundings) -> Meanwhile {
    let people = &loaded.config.catalog.people;
    let os_user = who::os_user(around);
    // Until the agent answers no key was shown.
    let presented = Presented { os_user: os_user.clone(), keys: Vec::new(), proven: None, only_looks: false };
    let seated = if who::asks_agent(people) {
        (Actor::Stranger(os_user), presented, Seat::Asked)
    } else {
        (presented.actor(people), presented, Seat::Known)
    };
    let meanwhile = over_backends(loaded, around, true, seated);
    Meanwhile { opening: Opening { conducts: true, ..meanwhile.opening }, ..meanwhile }
}

fn over_backends(loaded: Loaded, around: &Surroundings, tends: bool, (actor, presented, seat): (Actor, Presented, Seat)) -> Meanwhile {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let config = loaded.config;
    let seed = u64::from(std::process::id());
    let rules = RulesView { presented: Some(Arc::new(presented)), writers: who::writers(&config.files), ..RulesView::default() };
    let opening = Opening { rules, seat, ..bare(config.catalog.clone(), actor, config.catalog.room.read_only, seed, tends) };
    let (around, its_clock) = (around.clone(), clock.clone());
    let switchboard = Arc::new(Switchboard::default());
    let ports = switchboard.clone();
    let couriers = Arc::new(Couriers::default());
    let telling = couriers.clone();
    let health = Some(Arc::new(config.health.clone()));
    let outside = Box::pin(async move { backends_and_store(config, around, its_clock, ports, telling).await });
    Meanwhile { clock, opening, switchboard, couriers, outside, asks: true, script: Script::default(), health }
}

/// An opening to which the equipment is still to come.
fn bare(catalog: Arc<Catalog>, actor: Actor, read_only: bool, seed: u64, tends: bool) -> Opening {
    let Equipment { installation, record_trouble, has_second_place, abilities } = Equipment::default();
    let (rules, seat) = (RulesView::default(), Seat::None);
    let conducts = false;
    Opening { catalog, actor, read_only, installation, record_trouble, has_second_place, abilities, seed, tends, conducts, rules, seat }
}

/// Makes the adapters and opens the store; takes as long as the disk and the system's certificates take.
async fn backends_and_store(
    config: Config,
    around: Surroundings,
    clock: Arc<dyn Clock>,
    switchboard: Arc<Switchboard>,
    couriers: Arc<Couriers>,
) -> (Outside, Equipment) {
    let path = store_path(&config, &around);
    let witnesses = config.ledger.witness.clone();
    let retention = Retention { days: config.store.journal_days, bytes: config.store.journal_bytes };
    let people = config.catalog.people.clone();
    let catalog = config.catalog.clone();
    let second = config.ledger.break_glass.clone();
    let signer = who::signer(&around);
    switchboard.replace_calendars(calendars(&config, &clock));
    switchboard.probing(Arc::new(Outer));
    let receivers = receivers::made(config.clone(), around.clone(), clock.clone()).await;
    switchboard.replace(adapters(config, around, clock.clone()).await);
    let opened = match SqliteStore::open(&path, clock.clone(), None).await {
        Ok(store) => Ok(Arc::new(store.watched(&witnesses).await)),
        Err(error) => Err(error),
    };
    if let (Ok(store), Some(second)) = (&opened, &second) {
        store.name_second_place(second);
        if store.condition().is_none()
            && let Err(error) = store.take_over().await
        {
            out::words(&format!("gonogo: what stands in the second place of the record was not taken over: {error}"));
        }
    }
    if let Ok(store) = &opened
        && store.condition().is_none()
    {
        receivers::made_known(store.as_ref(), &receivers).await;
    }
    let outbox = opened.as_ref().ok().filter(|store| store.condition().is_none()).cloned().map(|store| store as Arc<dyn Outbox>);
    couriers.replace(receivers);
    let trouble = opened.as_ref().map_or_else(|error| Some(error.clone()), |store| store.condition());
    let trouble = trouble.map(|error| Text::clean(&error.to_string()));
    let journal = opened.as_ref().ok().cloned().map(|store| store as Arc<dyn Journal>);
    let ledger: Arc<dyn Ledger> = match opened {
        Ok(store) => store,
        Err(error) => Arc::new(Broken::new(error)),
    };
    let has_second_place = second.is_some();
    let ledger = match second {
        Some(second) => Arc::new(SecondLedger::new(ledger, &second, clock.clone())),
        None => ledger,
    };
    ledger.name_people(&people);
    ledger.name_rules(&catalog);
    let (installation, abilities) = (ledger.installation(), switchboard.abilities());
    let equipment = Equipment { installation, record_trouble: trouble, has_second_place, abilities };
    (Outside::over(switchboard, ledger, journal, clock).retaining(retention).signing(signer).telling(outbox, couriers), equipment)
}

/// A room over the simulated release train, with a store of its own.
///
/// # Errors
/// Exit 1 when the store of the simulation cannot be made, exit 2 when the scenario's names do not fit.
pub async fn simulated(
    scenario: Scenario,
    seed: u64,
    clock: Arc<dyn Clock>,
    around: &Surroundings,
    read_only: bool,
) -> Result<Composed, Exit> {
    let script = Script::of(&scenario, seed);
    let (opening, ports, world) = train(scenario, seed, &clock, around, read_only)?;
    let store = SqliteStore::memory(clock.clone(), identity(seed)).await.map_err(|error| {
        not_opened(&error);
        Exit::of_ledger(&error)
    })?;
    let (outside, equipment) = on_the_train(ports, &world, Arc::new(store), None, clock);
    Ok(Composed { outside, opening: opening.equipped(equipment), simulated: Some(world), script, health: None })
}

/// A room over the simulated release train that can be shown before the world has warmed up and the store is open.
///
/// # Errors
/// Exit 2 when the scenario's names do not fit.
pub fn simulated_meanwhile(
    scenario: Scenario,
    seed: u64,
    clock: Arc<dyn Clock>,
    around: &Surroundings,
    read_only: bool,
) -> Result<Meanwhile, Exit> {
    let script = Script::of(&scenario, seed);
    let (opening, ports, world) = train(scenario, seed, &clock, around, read_only)?;
    let its_clock = clock.clone();
    let outside = async move {
        match SqliteStore::memory(its_clock.clone(), identity(seed)).await {
            Ok(store) => {
                let store = Arc::new(store);
                let (outside, equipment) = on_the_train(ports, &world, store.clone(), Some(store), its_clock);
                (outside.retaining(SIMULATED), equipment)
            }
            Err(error) => {
                let record_trouble = Some(Text::clean(&error.to_string()));
                let ledger = Broken::new(error);
                let abilities = crate::control::driver::outside::abilities(&ports);
                let equipment = Equipment { installation: ledger.installation(), record_trouble, has_second_place: false, abilities };
                (Outside::new(ports, Arc::new(ledger), None, its_clock), equipment)
            }
        }
    };
    let (switchboard, couriers) = (Arc::new(Switchboard::default()), Arc::default());
    Ok(Meanwhile { clock, opening, switchboard, couriers, outside: Box::pin(outside), asks: false, script, health: None })
}

fn not_opened(error: &dyn std::fmt::Display) {
    out::words(&format!("gonogo: failed to open the simulated room: {error}"));
}

/// The simulated world behind its ports, and an opening to which the equipment is still to come.
fn train(
    scenario: Scenario,
    seed: u64,
    clock: &Arc<dyn Clock>,
    around: &Surroundings,
    read_only: bool,
) -> Result<(Opening, Ports, Arc<SimulatedWorld>), Exit> {
    let refused = |error: NameError| {
        not_opened(&error);
        Exit::Usage
    };
    let user = who::os_user(around);
    let catalog = scenario.catalog(&user).map_err(refused)?;
    let world = SimulatedWorld::new(scenario, seed, clock.clone()).map_err(refused)?;
    let ports = simulated::ports(&world).map_err(refused)?;
    let actor = Actor::recognise(&user, &catalog.people, &[]).actor;
    Ok((Opening { conducts: true, ..bare(Arc::new(catalog), actor, read_only, seed, true) }, ports, world))
}

fn on_the_train(
    ports: Ports,
    world: &Arc<SimulatedWorld>,
    store: Arc<SqliteStore>,
    journal: Option<Arc<dyn Journal>>,
    clock: Arc<dyn Clock>,
) -> (Outside, Equipment) {
    let abilities = crate::control::driver::outside::abilities(&ports);
    let equipment = Equipment { installation: store.installation(), record_trouble: None, has_second_place: false, abilities };
    let switchboard = Arc::new(Switchboard::new(ports));
    switchboard.probing(Arc::new(simulated::prober::Asker::new(world)));
    (Outside::over(switchboard, store, journal, clock), equipment)
}

/// The simulated installation: the same seed gives the same key, so the same ledger byte for byte.
fn identity(seed: u64) -> Identity {
    let mut key = [0_u8; 32];
    for (place, byte) in key.iter_mut().zip(seed.to_le_bytes()) {
        *place = byte;
    }
    Identity { installation: format!("simulated-{seed}"), seed: key }
}

/// One adapter a calendar. One that cannot be made is left out: reading it fails, and what hangs on it is not believed.
pub fn calendars(config: &Config, clock: &Arc<dyn Clock>) -> CalendarPorts {
    let within = std::time::Duration::from_secs(10);
    let made = |settings: &CalendarSettings| -> Result<Arc<dyn Calendar>, PortError> {
        Ok(match &settings.address {
            CalendarAddress::File(path) => Arc::new(CalendarFile::new(settings.name.clone(), path.clone())),
            CalendarAddress::Url(url) => Arc::new(CalendarUrl::new(&settings.name, url, within, clock.clone())?),
        })
    };
    config
        .calendars
        .iter()
        .filter_map(|settings| match made(settings) {
            Ok(port) => Some((settings.name.clone(), port)),
            Err(error) => {
                tracing::warn!(%error, "a calendar cannot be read");
                None
            }
        })
        .collect()
}

/// One adapter a backend. One that cannot be made answers with the reason; the rest of the room lives.
pub async fn adapters(config: Config, around: Surroundings, clock: Arc<dyn Clock>) -> Ports {
    // A secret may come from a command, which is waited for: not on a thread that serves the room.
    tokio::task::spawn_blocking(move || made(&config, &around, &clock)).await.unwrap_or_default()
}

fn made(config: &Config, around: &Surroundings, clock: &Arc<dyn Clock>) -> Ports {
    let mut ports = Ports::new();
    for settings in &config.backends {
        let port = adapter(settings, around, clock).unwrap_or_else(|error| match settings.kind {
            BackendKind::Haproxy
            | BackendKind::Envoy
            | BackendKind::Traefik
            | BackendKind::Caddy
            | BackendKind::GatewayApi
            | BackendKind::Istio => Port::Traffic(Arc::new(Broken::new(error))),
            BackendKind::Kubernetes => Port::Orchestrator(Arc::new(Broken::new(error))),
            BackendKind::Prometheus => Port::Metrics(Arc::new(Broken::new(error))),
            BackendKind::Alertmanager => Port::Alerts(Arc::new(Broken::new(error))),
            BackendKind::Buildbot | BackendKind::Github => Port::Ci(Arc::new(Broken::new(error))),
            BackendKind::Unleash | BackendKind::Flagd => Port::Flags(Arc::new(Broken::new(error))),
        });
        ports.insert(settings.name.clone(), port);
    }
    ports
}

fn adapter(settings: &BackendSettings, around: &Surroundings, clock: &Arc<dyn Clock>) -> Result<Port, PortError> {
    let http = || HttpClient::new(settings, &credential(settings, around)?, clock.clone());
    let cluster = || Cluster::new(settings.clone(), around.clone(), clock.clone());
    Ok(match settings.kind {
        BackendKind::Haproxy => Port::Traffic(Arc::new(Haproxy::new(settings.name.clone(), &settings.address, settings.deadline)?)),
        BackendKind::Envoy => Port::Traffic(Arc::new(Envoy::new(http()?))),
        BackendKind::Traefik => Port::Traffic(Arc::new(Traefik::new(http()?, settings.file.as_deref())?)),
        BackendKind::Caddy => Port::Traffic(Arc::new(Caddy::new(http()?))),
        BackendKind::GatewayApi => Port::Traffic(Arc::new(ClusterRoutes::gateway_api(cluster()))),
        BackendKind::Istio => Port::Traffic(Arc::new(ClusterRoutes::istio(cluster()))),
        BackendKind::Kubernetes => Port::Orchestrator(Arc::new(ClusterWorkloads::new(cluster()))),
        BackendKind::Prometheus => Port::Metrics(Arc::new(Prometheus::new(http()?))),
        BackendKind::Alertmanager => Port::Alerts(Arc::new(Alertmanager::new(http()?))),
        BackendKind::Buildbot => Port::Ci(Arc::new(Buildbot::new(settings.name.clone(), http()?))),
        BackendKind::Github => Port::Ci(Arc::new(Github::new(settings.name.clone(), http()?))),
        BackendKind::Unleash => Port::Flags(Arc::new(Unleash::new(http()?))),
        BackendKind::Flagd => Port::Flags(Arc::new(Flagd::new(http()?, settings.file.as_deref())?)),
    })
}

fn credential(settings: &BackendSettings, around: &Surroundings) -> Result<Credential, PortError> {
    let resolve = |reference: &secret::SecretRef| {
        secret::resolve(reference, &around.env)
            .map_err(|error| PortError::new(PortErrorKind::Unauthorised, &settings.name, "read its secret", &error.to_string()))
    };
    let token = settings.token.as_ref().map(&resolve).transpose()?;
    let password = settings.password.as_ref().map(&resolve).transpose()?;
    let basic = settings.user.clone().zip(password);
    Ok(match (settings.kind, token) {
        (BackendKind::Unleash, Some(token)) => Credential::Bare(token),
        (_, token) => Credential::of(token, basic),
    })
}
