//! Alerting systems.
