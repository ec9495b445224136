//! A real Haproxy.
