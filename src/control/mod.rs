//! Control: the one world, its update, the planner, the engine and the driver.

pub mod gate;
pub mod planner;
pub mod standing;
pub mod world;
