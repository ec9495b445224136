//! Real servers, started on free loopback ports with their data in a temporary folder.

pub mod agent;
pub mod alertmanager;
pub mod between;
pub mod buildbot;
pub mod caddy;
pub mod calendar;
pub mod envoy;
pub mod fault;
pub mod flagd;
pub mod github;
pub mod grafana;
pub mod haproxy;
pub mod history;
pub mod http;
pub mod named;
pub mod prometheus;
pub mod pushgateway;
pub mod receiver;
pub mod router;
pub mod runtime_proxy;
pub mod service;
pub mod servicenow;
pub mod support;
pub mod tls;
pub mod traefik;
pub mod unleash;
