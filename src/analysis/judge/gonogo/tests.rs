//! The method gonogo on samples.
