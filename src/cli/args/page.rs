//! Tests of the captains' page: its commands are commands.

use clap::Parser as _;

use super::Cli;

const PAGE: &str = include_str!("../../ui/CAPTAINS.md");

#[test]
fn the_commands_of_the_page_are_commands() {
    let blocks = PAGE.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut seen = 0;
    for line in blocks.flat_map(str::lines) {
        // Quotes hold a reason together.
        let words = line.split('"').enumerate().flat_map(|(place, part)| {
            if place % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
        });
        let parsed = Cli::try_parse_from(words);
        assert!(parsed.is_ok(), "{line}: {}", parsed.err().unwrap());
        seen += 1;
    }
    assert!(seen >= 15, "{seen} commands");
}
