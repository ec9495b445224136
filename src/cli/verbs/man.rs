//! `gonogo man`: the manual page, of the whole program or of one verb.

use clap::CommandFactory as _;

use crate::cli::args::Cli;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::model::text::Text;

/// Prints a manual page in roff, as `man -l -` reads it: of the verb whose words are given, of the program without any.
pub fn run(words: &[String]) -> Exit {
    let mut command = Cli::command();
    command.build();
    for word in words {
        let Some(found) = command.get_subcommands().find(|verb| verb.get_name() == word).cloned() else {
            let known: Vec<_> = command.get_subcommands().map(clap::Command::get_name).filter(|name| *name != "help").collect();
            let known =
                if known.is_empty() { "it has no further verbs".to_owned() } else { format!("expected one of {}", known.join(", ")) };
            out::words(&format!("gonogo: `{}` is no verb of {}; {known}", Text::clean_within(word, 40), command.get_name()));
            return Exit::Usage;
        };
        command = found;
    }
    let name = std::iter::once("gonogo").chain(words.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
    let page = clap_mangen::Man::new(command).title(name.to_uppercase()).section("1");
    let mut bytes = Vec::new();
    if page.render(&mut bytes).is_err() {
        return Exit::Failed;
    }
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    text.push_str(".SH \"EXIT STATUS\"\n");
    for exit in Exit::ALL {
        text.push_str(&format!(".TP\n\\fB{}\\fR\n{}\n", exit as u8, exit.words()));
    }
    out::line(text.trim_end());
    Exit::Done
}
