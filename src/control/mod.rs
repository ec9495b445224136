//! Control: the one world, its update, the planner, the engine and the driver.

pub mod asks;
pub mod authors;
pub mod calendar;
pub mod chart;
pub mod conflicts;
pub mod derive;
pub mod diary;
pub mod driver;
pub mod engine;
pub mod event;
pub mod gate;
pub mod gated;
pub mod objectives;
pub mod pack;
pub mod planner;
pub mod record;
pub mod released;
pub mod roles;
pub mod rules;
pub mod saying;
pub mod schedule;
pub mod standing;
pub mod task;
pub mod timing;
pub mod update;
pub mod world;
