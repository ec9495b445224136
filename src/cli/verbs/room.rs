//! `gonogo`: the room, over what is configured or, when nothing is, over the simulated release train.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use tokio::sync::{OnceCell, oneshot, watch};

use crate::adapters::clock::SystemClock;
use crate::cli::compose::{self, Meanwhile};
use crate::cli::exit::Exit;
use crate::cli::files::Files;
use crate::cli::health::living::Living;
use crate::cli::verbs::deed;
use crate::cli::who::{self, Found, Proof};
use crate::cli::{looks, out, receivers, redress, story};
use crate::config::load::Loaded;
use crate::config::scenario::Scenario;
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver;
use crate::control::driver::courier::Couriers;
use crate::control::driver::outside::{Outside, Switchboard};
use crate::control::event::Event;
use crate::control::update::{Equipment, Opening};
use crate::model::operator::{Actor, Person};
use crate::model::text::Text;
use crate::ports::clock::Clock;
use crate::serve::local::{self, Local, Memory};
use crate::ui::limits::Limits;

/// Opens the room.
pub async fn run(around: &Surroundings, flags: &Flags) -> Exit {
    match try_run(around, flags).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags) -> Result<Exit, Exit> {
    let loaded = configuration(around, flags).await?;
    if loaded.nothing_configured {
        let (scenario, flags) = (story::named(Scenario::DEFAULT)?, &flags.or_variables(around));
        let meanwhile = compose::simulated_meanwhile(scenario, 1, Arc::new(SystemClock), around, flags.read_only)?;
        let tour = first_run(around);
        return open(around, flags, meanwhile, Vec::new(), tour).await;
    }
    let files = loaded.config.files.clone();
    open(around, flags, compose::configured_meanwhile(loaded, around), files, false).await
}

/// Loads the configuration on the thread that drives the room: the allocator keeps memory by thread, and what the reading of a large file
/// leaves behind is used again there for what backends answer.
async fn configuration(around: &Surroundings, flags: &Flags) -> Result<Loaded, Exit> {
    let (around, flags) = (around.clone(), flags.clone());
    tokio::spawn(async move { compose::configuration(&around, &flags) }).await.unwrap_or(Err(Exit::Failed))
}

/// Makes the room on the thread that drives it, for the same reason: what is known of ten thousand services at first is replaced there.
async fn opened(
    clock: Arc<dyn Clock>,
    opening: Opening,
    outside: impl Future<Output = (Outside, Equipment)> + Send + 'static,
) -> Result<driver::Handle, Exit> {
    tokio::spawn(async move { driver::open_meanwhile(&clock, opening, outside) }).await.map_err(|_| Exit::Failed)
}

/// Whether the simulated room was never opened by this user; it is remembered that it was. Where that cannot be remembered, nobody is shown
/// around each time.
fn first_run(around: &Surroundings) -> bool {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&around.data_dir);
    made.and_then(|()| std::fs::File::create_new(around.data_dir.join("tour-shown"))).is_ok()
}

/// Opens the room over what was put together, in this terminal.
///
/// # Errors
/// Exit 2 without a terminal that can move its cursor, 8 when theme or keymap are refused.
pub async fn open(around: &Surroundings, flags: &Flags, meanwhile: Meanwhile, files: Vec<PathBuf>, tour: bool) -> Result<Exit, Exit> {
    needs_terminal(around)?;
    let room = &meanwhile.opening.catalog.room;
    let (theme, keymap) = redress::names(room, flags);
    let (theme, keymap) = looks::named(theme, keymap, around)?;
    let Meanwhile { clock, opening, outside, switchboard, couriers, asks, script, health } = meanwhile;
    let (shown, first_frame) = oneshot::channel();
    // Whoever opens the room wants to see it: what is behind it is opened, and the agent asked, from its first frame on, or when it could
    // not be shown.
    let (on, mut seen) = watch::channel(false);
    tokio::spawn(async move {
        let _ = first_frame.await;
        on.send_replace(true);
    });
    let mut frame = seen.clone();
    let journal = Arc::new(OnceLock::new());
    let kept = journal.clone();
    let outside = async move {
        let _ = frame.wait_for(|seen| *seen).await;
        let opened = outside.await;
        if let Some((journal, _)) = opened.0.journal() {
            let _ = kept.set(journal);
        }
        opened
    };
    let people = opening.catalog.people.clone();
    let handle = opened(clock.clone(), opening, outside).await?;
    let living = Living::of(&handle, &clock, health);
    #[cfg(debug_assertions)]
    crate::cli::fault::on_demand(around);
    if script.due().is_some() {
        tokio::spawn(script.play(handle.clone(), clock.clone()));
    }
    let found = Arc::new(OnceCell::new());
    if asks {
        let (around, handle, found) = (around.clone(), handle.clone(), found.clone());
        tokio::spawn(async move {
            let _ = seen.wait_for(|seen| *seen).await;
            recognise(&around, &people, &handle, &found).await;
        });
    }
    if asks && !files.is_empty() {
        reload(around, flags, files, handle.clone(), (switchboard, couriers), clock.clone(), found);
    }
    let redressed = redress::watch(around, flags, &handle);
    let (limits, end) = (Limits::of(around), looks::answers(around));
    let (nonce, memory) = (Box::new(deed::nonce), Memory::Journal(journal));
    let ended = local::run(Local { handle, clock, theme, keymap, limits, end, redressed, nonce, tour, shown, memory });
    living.end().await;
    match ended {
        Ok(()) => Ok(Exit::Done),
        Err(error) => {
            out::words(&format!("gonogo: the terminal was lost: {error}"));
            Err(Exit::Failed)
        }
    }
}

/// Whether a room can be shown here.
///
/// # Errors
/// Exit 2 without a terminal that can move its cursor.
pub fn needs_terminal(around: &Surroundings) -> Result<(), Exit> {
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        out::words("gonogo: the room needs a terminal; `gonogo status` and `gonogo render board` work without one");
        return Err(Exit::Usage);
    }
    if around.variable("TERM").is_none_or(|kind| kind == "dumb") {
        out::words(
            "gonogo: this terminal cannot move its cursor (TERM is `dumb` or not set); `gonogo status` and `gonogo render board` work in it",
        );
        return Err(Exit::Usage);
    }
    Ok(())
}

/// Asks the agent who is at the keys, however long it takes, and tells the room.
async fn recognise(around: &Surroundings, people: &[Person], handle: &driver::Handle, found: &OnceCell<Found>) {
    // What is waited for stands on line 1; there is no other place to say it while the screen is the room's.
    let tell = |words: &str| {
        let short = if words.contains("touch the key") { "touch your key" } else { "asking the agent" };
        let _ = handle.try_send(Event::Recognised { actor: None, presented: None, words: Text::clean(short) });
    };
    let it = found.get_or_init(|| async { who::recognise(around, people, Proof::Asked, &tell).await }).await;
    // By the people of now: the configuration may have changed while the agent was silent.
    let actor = it.again(&handle.world().catalog.people);
    let words = match &actor {
        Actor::Stranger(_) => Text::clean(&who::words(&it.recognised, &it.os_user)),
        Actor::Person(_) | Actor::Unverified(_) | Actor::Rule { .. } => Text::empty(),
    };
    let presented = Some(Arc::new(it.presented()));
    handle.send(Event::Recognised { actor: Some(actor), presented, words }).await;
}

/// Reads all layers of the configuration again when one of its files changed.
fn reload(
    around: &Surroundings,
    flags: &Flags,
    files: Vec<PathBuf>,
    handle: driver::Handle,
    (switchboard, couriers): (Arc<Switchboard>, Arc<Couriers>),
    clock: Arc<dyn Clock>,
    found: Arc<OnceCell<Found>>,
) {
    let (around, flags) = (around.clone(), flags.clone());
    let mut files = Files::new(files);
    tokio::spawn(async move {
        loop {
            files.changed().await;
            let mut actor = None;
            let result = match crate::config::load::load(&around, &flags) {
                Ok(loaded) => {
                    let catalog = loaded.config.catalog.clone();
                    // While the agent is still silent it stays as it is: nobody.
                    actor = found.get().map(|found| found.again(&catalog.people));
                    switchboard.replace_calendars(compose::calendars(&loaded.config, &clock));
                    couriers.replace(receivers::made(loaded.config.clone(), around.clone(), clock.clone()).await);
                    switchboard.replace(compose::adapters(loaded.config, around.clone(), clock.clone()).await);
                    Ok(catalog)
                }
                Err(problems) => Err(Text::clean(&problems.to_string().replace('\n', " · "))),
            };
            if !handle.send(Event::Reloaded { result, actor }).await {
                return;
            }
        }
    });
}
