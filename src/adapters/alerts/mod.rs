//! Alerting systems behind the alerts port.

pub mod alertmanager;
mod silencing;
