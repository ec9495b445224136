//! Control: the one world, its update, the planner, the engine and the driver.
