//! Monitoring systems.
