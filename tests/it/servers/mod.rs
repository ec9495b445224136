//! Real servers, started on free loopback ports with their data in a temporary folder.

pub mod alertmanager;
pub mod buildbot;
pub mod haproxy;
pub mod prometheus;
pub mod service;
pub mod support;
