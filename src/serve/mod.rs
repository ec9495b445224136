//! Serving a session: this terminal.
