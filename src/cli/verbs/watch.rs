//! `gonogo watch`: what happens, line by line, until the reader goes away; with `--jsonl` in the table of events.

use tokio::sync::mpsc::Receiver;

use crate::cli::exit::Exit;
use crate::cli::interrupts::Interrupts;
use crate::cli::out;
use crate::cli::settle;
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::{Handle, Taped};
use crate::control::record::Recorder;
use crate::model::timeline::Happening;

/// Prints what happens as it comes: in words, or with `jsonl` every event as a recording has it. Ends with exit 0 when the pipe is
/// closed, 130 when it is interrupted, asked to end or hung up; its last line is whole, and its last metrics are written.
pub async fn run(around: &Surroundings, flags: &Flags, jsonl: bool) -> Exit {
    match if jsonl { events(around, flags).await } else { words(around, flags).await } {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn events(around: &Surroundings, flags: &Flags) -> Result<Exit, Exit> {
    // The handle keeps the room open until the end.
    let (opened, mut tape) = settle::open_taped(around, flags).await?;
    let mut interrupts = Interrupts::listen()?;
    let living = opened.lives();
    let exit = print_events(&mut tape, &mut interrupts).await;
    living.end().await;
    Ok(exit)
}

async fn print_events(tape: &mut Receiver<Taped>, interrupts: &mut Interrupts) -> Exit {
    let mut recorder = Recorder::default();
    loop {
        let (now, told) = tokio::select! {
            taped = tape.recv() => match taped {
                Some(taped) => taped,
                None => return Exit::Failed,
            },
            () = interrupts.asked() => return Exit::Interrupted,
        };
        let Some(line) = recorder.line(&now, &told) else { continue };
        // What comes next builds on this line: without it nothing is printed any more.
        let json = match line.json.text() {
            Ok(json) => json,
            Err(error) => {
                out::words(&format!("gonogo: failed to print an event: {error}"));
                return Exit::Failed;
            }
        };
        if let Err(exit) = interrupts.line(out::harmless(json)).await {
            return exit;
        }
    }
}

async fn words(around: &Surroundings, flags: &Flags) -> Result<Exit, Exit> {
    let mut opened = settle::look(around, flags).await?;
    let mut interrupts = Interrupts::listen()?;
    let living = opened.lives();
    let exit = print_words(&mut opened.handle, &mut interrupts).await;
    living.end().await;
    Ok(exit)
}

async fn print_words(handle: &mut Handle, interrupts: &mut Interrupts) -> Exit {
    let mut shown: Option<Happening> = None;
    let mut first = true;
    loop {
        let world = handle.world();
        // The journal's lines stand first and are the past; what is new comes after the last line that was shown.
        let from = shown.as_ref().and_then(|last| world.timeline.iter().rposition(|line| line == last)).map_or(0, |at| at + 1);
        let fresh: Vec<_> = world.timeline.iter().skip(from).filter(|line| !first || line.at >= world.opened.wall).cloned().collect();
        first = false;
        for line in &fresh {
            if let Err(exit) = interrupts.line(in_words(line)).await {
                return exit;
            }
        }
        shown = fresh.last().cloned().or_else(|| shown.or_else(|| world.timeline.back().cloned()));
        tokio::select! {
            alive = handle.changed() => if !alive { return Exit::Failed },
            () = interrupts.asked() => return Exit::Interrupted,
        }
    }
}

fn in_words(line: &Happening) -> String {
    let target = line.target.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    format!("{} {target:<24} {} ({})", line.at.format("%H:%M:%SZ"), line.text, line.source)
}
