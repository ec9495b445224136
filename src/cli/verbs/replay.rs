//! `gonogo replay`: the room in the past, from the journal of the store or from a recording; and recordings written out.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::adapters::clock::SystemClock;
use crate::cli::args::Replay;
use crate::cli::exit::Exit;
use crate::cli::verbs::ledger::export::Draft;
use crate::cli::verbs::room;
use crate::cli::{compose, looks, out, settle};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::{self, past};
use crate::control::replay::export::{self, Exported};
use crate::control::replay::recording::Recording;
use crate::control::replay::reel::Reel;
use crate::control::replay::traveller::{Ask, Shown, Traveller};
use crate::control::replay::when::When;
use crate::model::text::Text;
use crate::serve::local::{self, Local, Memory};
use crate::store::SqliteStore;
use crate::ui::keymap::Keymap;
use crate::ui::limits::Limits;
use crate::ui::theme::Theme;

/// Opens the past, or writes it out.
pub async fn run(around: &Surroundings, flags: &Flags, args: Replay) -> Exit {
    match try_run(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(around: &Surroundings, flags: &Flags, args: Replay) -> Result<Exit, Exit> {
    let reel = reel(around, flags, args.file.as_deref()).await?;
    if let Some(to) = args.export {
        return write_out(reel, (args.from, args.to), &to).await;
    }
    room::needs_terminal(around)?;
    let when = args.at.unwrap_or(if args.speed.is_some() {
        When::After(std::time::Duration::ZERO)
    } else {
        When::Before(std::time::Duration::ZERO)
    });
    let first = match (args.at, args.speed) {
        (None, None) => None,
        (_, None) => Some(Ask::To(when)),
        (_, Some(speed)) => Some(Ask::PlayFrom(when, speed)),
    };
    let mut past = past::open(reel, false, first);
    let alive = past.changed().await;
    let seen = past.seen();
    let Some(shown) = seen.shown.filter(|_| alive) else {
        let why = seen.trouble.unwrap_or_else(|| Text::clean("its reader ended"));
        out::words(&format!("gonogo: {why}"));
        return Err(Exit::Failed);
    };
    let (theme, keymap) = dressed(around, flags, &shown)?;
    let handle = driver::standing((*shown.world).clone());
    let (memory, clock) = (Memory::Alone(Box::new(past), Box::new(shown)), Arc::new(SystemClock));
    let (limits, end) = (Limits::of(around), looks::answers(around));
    let ended = local::run(Local {
        handle,
        clock,
        theme,
        keymap,
        limits,
        end,
        redressed: mpsc::channel(1).1,
        nonce: Box::new(String::new),
        tour: false,
        shown: oneshot::channel().0,
        memory,
    });
    ended.map(|()| Exit::Done).map_err(|error| {
        out::words(&format!("gonogo: the terminal was lost: {error}"));
        Exit::Failed
    })
}

/// The looks: those that were asked for, those of the recorded room where they are known here, else the default ones.
fn dressed(around: &Surroundings, flags: &Flags, shown: &Shown) -> Result<(Theme, Keymap), Exit> {
    let room = &shown.world.catalog.room;
    let recorded = |theme: &str| crate::ui::dress::dress(theme, "default", around).is_ok();
    let theme = flags.theme.as_deref();
    let theme = theme.or_else(|| Some(room.theme.as_str()).filter(|theme| recorded(theme))).unwrap_or("default");
    looks::named(theme, flags.keymap.as_deref().unwrap_or("default"), around)
}

/// What is read: a file, or the journal of the configured store.
///
/// # Errors
/// Exit 2 for a file that is refused, 8 without configuration, 9 when the store cannot be opened.
pub async fn reel(around: &Surroundings, flags: &Flags, file: Option<&Path>) -> Result<Box<dyn Reel>, Exit> {
    if let Some(file) = file {
        let recording = Recording::open(file).map_err(|error| {
            out::words(Text::clean(&format!("gonogo: {}: {error}", file.display())).as_str());
            Exit::Usage
        })?;
        return Ok(Box::new(recording));
    }
    let loaded = settle::needed(around, flags)?;
    let path = compose::store_path(&loaded.config, around);
    let store = SqliteStore::open(&path, Arc::new(SystemClock), None).await.map_err(|error| {
        out::words(&format!("gonogo: the store {} was not opened: {error}", path.display()));
        Exit::of_ledger(&error)
    })?;
    Ok(past::of_journal(Arc::new(store)))
}

/// The world at a moment of what is read, the newest without one.
///
/// # Errors
/// Exit 1, having said why there is none.
pub async fn shown_at(reel: Box<dyn Reel>, when: Option<When>) -> Result<Shown, Exit> {
    let travelled = tokio::task::spawn_blocking(move || {
        let mut traveller = Traveller::open(reel, false)?;
        when.map_or(Ok(()), |when| traveller.on(Ask::To(when)))?;
        Ok::<_, String>(traveller.shown())
    });
    travelled.await.unwrap_or_else(|error| Err(error.to_string())).map_err(|why| {
        out::words(Text::clean(&format!("gonogo: {why}")).as_str());
        Exit::Failed
    })
}

type Bounds = (Option<chrono::DateTime<chrono::Utc>>, Option<chrono::DateTime<chrono::Utc>>);

async fn write_out(mut reel: Box<dyn Reel>, bounds: Bounds, to: &Path) -> Result<Exit, Exit> {
    let file = to.to_owned();
    let written = tokio::task::spawn_blocking(move || -> Result<Exported, String> {
        let mut draft = Draft::new(&file).map_err(|error| error.to_string())?;
        let mut write = |line: &str| writeln!(draft, "{line}").map_err(|error| error.to_string());
        let exported = export::export(reel.as_mut(), bounds, &mut write)?;
        draft.finish().map_err(|error| error.to_string())?;
        Ok(exported)
    });
    let refuse = |why: &str| {
        out::words(Text::clean(&format!("gonogo: failed to write the recording {}: {why}", to.display())).as_str());
        Exit::Failed
    };
    let exported = written.await.map_err(|error| refuse(&error.to_string()))?.map_err(|why| refuse(&why))?;
    let logs = if exported.logs > 0 { format!("; {} parts of build logs left out", exported.logs) } else { String::new() };
    out::words(&format!("gonogo: {} events in {}{logs}", exported.lines, to.display()));
    Ok(Exit::Done)
}
