//! `gonogo watch`: what happens, line by line, until the reader goes away; with `--jsonl` in the table of events.

use std::io::Write as _;

use tokio::sync::mpsc::Receiver;

use crate::cli::exit::Exit;
use crate::cli::settle;
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::{Handle, Taped};
use crate::control::record::Recorder;
use crate::model::timeline::Happening;

/// Prints what happens as it comes: in words, or with `jsonl` every event as a recording has it. Ends with exit 0 when the pipe is
/// closed, 130 when interrupted.
pub async fn run(around: &Surroundings, flags: &Flags, jsonl: bool) -> Exit {
    if jsonl { events(around, flags).await } else { words(around, flags).await }
}

async fn events(around: &Surroundings, flags: &Flags) -> Exit {
    // The handle keeps the room open until the end.
    let (opened, mut tape) = match settle::open_taped(around, flags).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let living = opened.lives();
    let exit = print_events(&mut tape).await;
    living.end().await;
    exit
}

async fn print_events(tape: &mut Receiver<Taped>) -> Exit {
    let mut recorder = Recorder::default();
    loop {
        let (now, told) = tokio::select! {
            taped = tape.recv() => match taped {
                Some(taped) => taped,
                None => return Exit::Failed,
            },
            _ = tokio::signal::ctrl_c() => return Exit::Interrupted,
        };
        if let Some(line) = recorder.line(&now, &told)
            && print(&line.json).is_err()
        {
            return Exit::Done;
        }
    }
}

async fn words(around: &Surroundings, flags: &Flags) -> Exit {
    let mut opened = match settle::look(around, flags).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let living = opened.lives();
    let exit = print_words(&mut opened.handle).await;
    living.end().await;
    exit
}

async fn print_words(handle: &mut Handle) -> Exit {
    let mut shown: Option<Happening> = None;
    let mut first = true;
    loop {
        let world = handle.world();
        // The journal's lines stand first and are the past; what is new comes after the last line that was shown.
        let from = shown.as_ref().and_then(|last| world.timeline.iter().rposition(|line| line == last)).map_or(0, |at| at + 1);
        let fresh: Vec<_> = world.timeline.iter().skip(from).filter(|line| !first || line.at >= world.opened.wall).cloned().collect();
        first = false;
        for line in &fresh {
            if print(&in_words(line)).is_err() {
                return Exit::Done;
            }
        }
        shown = fresh.last().cloned().or_else(|| shown.or_else(|| world.timeline.back().cloned()));
        tokio::select! {
            alive = handle.changed() => if !alive { return Exit::Failed },
            _ = tokio::signal::ctrl_c() => return Exit::Interrupted,
        }
    }
}

fn in_words(line: &Happening) -> String {
    let target = line.target.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    format!("{} {target:<24} {} ({})", line.at.format("%H:%M:%SZ"), line.text, line.source)
}

/// One line, at once.
fn print(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
