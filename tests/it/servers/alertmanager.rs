//! A real Alertmanager.
