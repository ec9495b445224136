//! Routers.

pub mod caddy;
pub mod cluster;
pub mod envoy;
mod exposition;
pub mod haproxy;
mod rules;
pub mod traefik;
mod walk;
