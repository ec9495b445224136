//! Arithmetic on readings.
