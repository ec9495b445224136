//! Policy: who, when, what must be true; verdicts, without I/O, clock or screen.

pub mod advice;
pub mod allowance;
pub mod approval;
pub mod authors;
pub mod both;
pub mod calendar;
pub mod conflict;
pub mod course;
pub mod gate;
pub mod glass;
pub mod grant;
pub mod judge;
pub mod map;
pub mod own_run;
pub mod ready;
pub mod risk;
pub mod role;
pub mod rollout;
pub mod rules;
#[cfg(test)]
mod tests;
