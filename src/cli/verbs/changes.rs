//! `gonogo changes pack`: the advisory board's pack of a period, as a file.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use crate::cli::args::{Pack, PackFormat};
use crate::cli::exit::Exit;
use crate::cli::{out, pack, settle};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::pack::pack as gather;
use crate::control::pack::sheet::sheet;
use crate::model::timetable::Span;

/// How long a period is when its end is not given.
const USUAL: TimeDelta = TimeDelta::days(14);

/// Writes the pack.
pub async fn write_pack(around: &Surroundings, flags: &Flags, args: &Pack) -> Exit {
    match try_pack(around, flags, args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_pack(around: &Surroundings, flags: &Flags, args: &Pack) -> Result<Exit, Exit> {
    let mut opened = settle::look(around, flags).await?;
    let now = opened.clock.now();
    let period = period(args.from.unwrap_or(now.wall), args.to)?;
    let world = settle::settled(&mut opened.handle, args.settle).await;
    let now = opened.clock.now();
    if let Some(trouble) = &world.ledger.trouble {
        out::words(&format!("gonogo: failed to read the record: {trouble}; a pack without its history would not be one"));
        return Err(Exit::Ledger);
    }
    let entries = opened.ledger.entries(0, u32::MAX).await.map_err(|error| {
        out::words(&format!("gonogo: {error}"));
        Exit::of_ledger(&error)
    })?;
    let pack = gather(&world, &entries, period, &now);
    let text = if args.json {
        format!("{}\n", pack::object(&pack))
    } else {
        match args.format {
            PackFormat::Md => pack::markdown(&sheet(&pack)),
            PackFormat::Html => pack::html(&sheet(&pack)),
        }
    };
    match &args.out {
        None => out::line(text.trim_end()),
        Some(to) => write(to, &text)?,
    }
    Ok(Exit::Done)
}

fn period(begin: DateTime<Utc>, end: Option<DateTime<Utc>>) -> Result<Span, Exit> {
    let end = end.or_else(|| begin.checked_add_signed(USUAL)).unwrap_or(begin);
    if begin < end {
        return Ok(Span { begin, end });
    }
    out::words("gonogo: the period ends before it begins; --from must be before --to");
    Err(Exit::Usage)
}

/// One file or the former one, never half of one.
fn write(to: &Path, text: &str) -> Result<(), Exit> {
    let mut draft = to.as_os_str().to_owned();
    draft.push(".part");
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&draft, to)).map_err(|error| {
        out::words(&format!("gonogo: failed to write {}: {error}; name a file in a directory that you may write", to.display()));
        Exit::Failed
    })
}
