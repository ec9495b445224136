//! Error budgets: how fast they burn, what is left of them, which rules fire, and what would have fired in the past.
//!
//! The figures are those of the Site Reliability Workbook (Beyer and others, 2018), chapter 5, "Alerting on SLOs".

pub mod backtest;
pub mod budget;
pub mod history;
pub mod period;
pub mod rate;
pub mod rules;
pub mod score;

#[cfg(test)]
mod tests;
