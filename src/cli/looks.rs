//! The theme and keymap that a verb draws with.

use super::exit::Exit;
use super::out;
use crate::config::surroundings::Surroundings;
use crate::ui::dress::dress;
use crate::ui::keymap::Keymap;
use crate::ui::line::End;
use crate::ui::theme::Theme;

/// The looks of that name, from the user's files or the built-in ones.
///
/// # Errors
/// Exit 8, having said what is wrong with the file.
pub fn named(theme: &str, keymap: &str, around: &Surroundings) -> Result<(Theme, Keymap), Exit> {
    dress(theme, keymap, around).map_err(|problems| {
        out::words(&problems.to_string());
        Exit::Configuration
    })
}

/// The looks of plain text: no colour.
///
/// # Errors
/// As [`named`].
pub fn plain(around: &Surroundings) -> Result<(Theme, Keymap), Exit> {
    named("monochrome", "default", around)
}

/// Who answers for the frames of a room here: a multiplexer answers in the terminal's stead.
pub fn answers(around: &Surroundings) -> End {
    let between = ["TMUX", "STY", "ZELLIJ"].into_iter().any(|name| around.variable(name).is_some());
    if between { End::Multiplexer } else { End::Terminal }
}
