//! `gonogo watch`: what happens, line by line, until the reader goes away.

use std::io::Write as _;

use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::settle;
use crate::config::surroundings::{Flags, Surroundings};
use crate::model::time::rfc3339;
use crate::model::timeline::Happening;

/// Prints happenings as they come. Ends with exit 0 when the pipe is closed, 130 when interrupted.
pub async fn run(around: &Surroundings, flags: &Flags, jsonl: bool) -> Exit {
    let mut opened = match settle::look(around, flags).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let mut shown: Option<Happening> = None;
    let mut first = true;
    loop {
        let world = opened.handle.world();
        // The journal's lines stand first and are the past; what is new comes after the last line that was shown.
        let from = shown.as_ref().and_then(|last| world.timeline.iter().rposition(|line| line == last)).map_or(0, |at| at + 1);
        let fresh: Vec<_> = world.timeline.iter().skip(from).filter(|line| !first || line.at >= world.opened.wall).cloned().collect();
        first = false;
        for line in &fresh {
            if print(line, jsonl).is_err() {
                return Exit::Done;
            }
        }
        shown = fresh.last().cloned().or_else(|| shown.or_else(|| world.timeline.back().cloned()));
        tokio::select! {
            alive = opened.handle.changed() => if !alive { return Exit::Failed },
            _ = tokio::signal::ctrl_c() => return Exit::Interrupted,
        }
    }
}

fn print(line: &Happening, jsonl: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if jsonl {
        let object = json!({
            "schema": crate::cli::json::SCHEMA,
            "at": rfc3339(&line.at),
            "event": "happening",
            "kind": line.kind,
            "target": line.target.as_ref().map(ToString::to_string),
            "text": line.text,
            "source": line.source,
        });
        writeln!(out, "{object}")?;
    } else {
        let target = line.target.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        writeln!(out, "{} {target:<24} {} ({})", line.at.format("%H:%M:%SZ"), line.text, line.source)?;
    }
    out.flush()
}
