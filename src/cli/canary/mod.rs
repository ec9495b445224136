//! Samples of canaries in files, and judgements as they are printed.

pub mod csv;
pub mod samples;
pub mod told;
