//! The kinds of objects that are read and changed, by group, version and plural.

use kube::core::{ApiResource, GroupVersionKind};

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A route of the Gateway API.
    HttpRoute,
    /// Istio's virtual service.
    VirtualService,
    /// Istio's rules for what stands behind a host: its subsets.
    DestinationRule,
    /// Where the endpoints of a service are.
    EndpointSlice,
    /// A pod.
    Pod,
    /// Replicas that are alike, replaced by and by.
    Deployment,
    /// Replicas with names and places of their own.
    StatefulSet,
    /// One pod on each node.
    DaemonSet,
    /// The replicas of one revision of a deployment.
    ReplicaSet,
    /// A revision of a stateful set or of a daemon set.
    ControllerRevision,
    /// A rollout of Argo Rollouts.
    Rollout,
    /// What sets the replicas of a workload by its load.
    HorizontalPodAutoscaler,
    /// A canary of Flagger.
    Canary,
    /// What a controller said of an object.
    Event,
}

impl Kind {
    const fn parts(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::HttpRoute => ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
            Self::VirtualService => ("networking.istio.io", "v1", "VirtualService", "virtualservices"),
            Self::DestinationRule => ("networking.istio.io", "v1", "DestinationRule", "destinationrules"),
            Self::EndpointSlice => ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
            Self::Pod => ("", "v1", "Pod", "pods"),
            Self::Deployment => ("apps", "v1", "Deployment", "deployments"),
            Self::StatefulSet => ("apps", "v1", "StatefulSet", "statefulsets"),
            Self::DaemonSet => ("apps", "v1", "DaemonSet", "daemonsets"),
            Self::ReplicaSet => ("apps", "v1", "ReplicaSet", "replicasets"),
            Self::ControllerRevision => ("apps", "v1", "ControllerRevision", "controllerrevisions"),
            Self::Rollout => ("argoproj.io", "v1alpha1", "Rollout", "rollouts"),
            Self::HorizontalPodAutoscaler => ("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
            Self::Canary => ("flagger.app", "v1beta1", "Canary", "canaries"),
            Self::Event => ("", "v1", "Event", "events"),
        }
    }

    /// As `kube` knows it.
    pub(super) fn resource(self) -> ApiResource {
        let (group, version, kind, plural) = self.parts();
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
    }

    /// The word for errors.
    pub fn word(self) -> &'static str {
        self.parts().2
    }

    /// As `kubectl` takes it, without doubt about the group.
    pub fn full(self) -> String {
        let (group, _, _, plural) = self.parts();
        if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
    }
}
