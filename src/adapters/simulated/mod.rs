//! The simulated release train: one causal world behind every port, from a scenario and a seed, on whatever clock it is given.
//!
//! The world moves in ticks of one second and is brought up to date whenever someone looks ([`world`]). A tick depends on the seed, on
//! its number and on the deeds before it, never on how often or in which order it is read. [`site`] is one service in one environment:
//! requests come in, are split by the router's weights, take time and fail; [`rules`] watch the sites; [`builds`] carries out runs, and a
//! deploy run changes the version in a slot. The ports are thin: [`router`], [`monitoring`], [`alerting`], [`ci`],
//! [`prober`].

pub mod alerting;
mod builds;
pub mod ci;
mod history;
mod log;
mod mesh;
pub mod monitoring;
mod number;
pub mod prober;
pub mod router;
mod rules;
mod silences;
mod site;
mod state;
pub mod world;

use std::sync::Arc;

pub use world::{Injection, SimulatedWorld};

use crate::config::scenario::{ALERTS, CI, METRICS, TRAFFIC};
use crate::model::name::NameError;
use crate::ports::{Port, Ports};

/// The ports of a world, by the names of the backends in its catalog.
///
/// # Errors
/// None that the names of this module could cause.
pub fn ports(world: &Arc<SimulatedWorld>) -> Result<Ports, NameError> {
    Ok(Ports::from([
        (METRICS.parse()?, Port::Metrics(Arc::new(monitoring::Monitoring::new(world, METRICS.parse()?)))),
        (ALERTS.parse()?, Port::Alerts(Arc::new(alerting::Alerting::new(world, ALERTS.parse()?)))),
        (TRAFFIC.parse()?, Port::Traffic(Arc::new(router::Router::new(world, TRAFFIC.parse()?)))),
        (CI.parse()?, Port::Ci(Arc::new(ci::BuildSystem::new(world, CI.parse()?)))),
    ]))
}
