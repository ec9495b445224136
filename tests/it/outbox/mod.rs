//! The outbox: what was recorded is told to each receiver, in order, however often anything dies in between.

mod bench;
mod dashboards;
mod deaths;
mod delivery;
mod desk;
mod stock;
mod verbs;
