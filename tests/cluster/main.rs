//! The second tier of the tests: against a real Kubernetes. `tests/cluster/all` builds it and runs them; `cargo test` alone does not.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../it/contract/traffic.rs"]
mod contract;
#[path = "../it/servers"]
mod servers {
    //! What both tiers need of servers.
    pub mod between;
    #[expect(dead_code, reason = "the first tier needs more of it")]
    pub mod http;
    #[expect(dead_code, reason = "the first tier needs more of it")]
    pub mod named;
    #[expect(dead_code, reason = "the first tier needs more of it")]
    pub mod prometheus;
    #[expect(dead_code, reason = "the first tier needs more of it")]
    pub mod support;
}

mod access;
mod argo;
mod faults;
mod flagger;
mod gateway;
mod istio;
mod plane;
mod rollouts;
mod routes;
mod slots;
mod workloads;
