//! Routers.

pub mod caddy;
pub mod envoy;
mod exposition;
pub mod haproxy;
mod rules;
mod shell;
pub mod traefik;
mod walk;
