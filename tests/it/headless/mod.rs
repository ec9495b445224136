//! The command line as an outsider meets it who has read only CONTRACTS.md: the built binary, an empty home, real servers.

mod answers;
mod bare;
mod broken;
mod by_key;
mod changed;
mod changes;
mod deeds;
mod demo;
mod exports;
mod gates;
mod glass;
mod grants;
mod keys;
mod ledger;
mod pack;
pub mod place;
mod plan;
mod policy;
mod presence;
mod router;
mod rules;
mod scheduled;
mod secrets;
mod shape;
mod stands;
mod tickets;
mod windows;
