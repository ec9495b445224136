//! `gonogo completions SHELL`.

use clap::CommandFactory as _;

use crate::cli::args::Cli;
use crate::cli::exit::Exit;

/// Prints completions for a shell.
pub fn run(shell: clap_complete::Shell) -> Exit {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "gonogo", &mut bytes);
    crate::cli::out::line(String::from_utf8_lossy(&bytes).trim_end());
    Exit::Done
}
