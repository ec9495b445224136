//! What opens a cluster: its address, whom to trust, who we are, and for how long.

use chrono::{DateTime, Utc};

use crate::adapters::http::{Credential, Trust};

/// A cluster's address with all that opens it.
#[derive(Debug, Clone)]
pub(super) struct Access {
    /// `https://host:port`, perhaps with a path.
    pub(super) url: String,
    /// The namespace of names without one.
    pub(super) namespace: String,
    /// Whom to trust, and our certificate.
    pub(super) trust: Trust,
    /// Our token or password.
    pub(super) credential: Credential,
    /// When it must be asked for anew.
    pub(super) until: Until,
}

/// How long an access is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Until the cluster knows us no more.
    Refused,
    /// It lies in a file that is written anew by others: a minute, as other clients have it.
    Minute,
    /// Until then.
    Then(DateTime<Utc>),
}
