//! The room on real servers: two versions of a service behind HAProxy, scraped by Prometheus, alerting through Alertmanager, built by
//! Buildbot, under load; the built binary in a terminal, driven by keys.

mod canary;
mod stage;
