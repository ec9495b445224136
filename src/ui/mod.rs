//! The glass: view state, screens, widgets, keymap, theme.

pub mod ahead;
pub mod arming;
pub mod asking;
pub mod captains;
pub mod changes;
pub mod colours;
pub mod command;
pub mod dress;
pub mod facts;
pub mod field;
#[cfg(test)]
pub mod fixture;
pub mod frame;
pub mod glass;
pub mod hyperlink;
pub mod input;
pub mod keymap;
pub mod limits;
pub mod line;
pub mod lines;
pub mod needs;
pub mod offer;
pub mod palette;
pub mod picture;
pub mod plans;
pub mod prompt;
pub mod read;
pub mod render;
pub mod row;
pub mod scene;
pub mod screen;
pub mod screens;
pub mod sequence;
pub mod session;
pub mod signal;
pub mod tasks;
#[cfg(test)]
mod tests;
pub mod theme;
pub mod tour;
pub mod widgets;
pub mod words;
