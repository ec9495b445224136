//! A Kubernetes cluster's API: who we are there, objects read within bounds, and changes of what still is as it was read.
//!
//! The `kube` crate reads kubeconfigs and spells requests; they leave through [`crate::adapters::http::HttpClient`] like everyone's.

mod access;
mod certificate;
mod cluster;
mod exec;
mod kind;
mod kubeconfig;
mod means;
mod object;
mod orchestrator;
mod readiness;
mod request;
mod walked;
mod workload;
mod workloads;

pub use cluster::Cluster;
pub use kind::Kind;
pub use object::{Meta, Place, condition};
pub use orchestrator::ClusterWorkloads;
pub use readiness::{Readiness, of_slices};
pub use request::{Change, Part};
pub use workload::{Images, Progress, Replicas, Revision, Workload, WorkloadKind};
pub use workloads::{Deed, Expect, Workloads};
