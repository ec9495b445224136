//! The glass: view state, screens, widgets, keymap, theme.
