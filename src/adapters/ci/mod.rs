//! CI systems.
