//! The simulated release train: every port over one causal world.
