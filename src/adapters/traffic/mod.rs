//! Routers.

pub mod haproxy;
