//! The theme and keymap that a verb draws with.

use super::exit::Exit;
use super::out;
use crate::config::surroundings::Surroundings;
use crate::ui::dress::dress;
use crate::ui::keymap::Keymap;
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

/// The theme of someone who wants no colour (`NO_COLOR`) and named no theme otherwise.
pub fn without_colour(around: &Surroundings) -> Option<&'static str> {
    (around.variable("NO_COLOR").is_some() && around.variable("GONOGO_THEME").is_none()).then_some("monochrome")
}

/// The looks of plain text: no colour.
///
/// # Errors
/// As [`named`].
pub fn plain(around: &Surroundings) -> Result<(Theme, Keymap), Exit> {
    named("monochrome", "default", around)
}
