//! The port to a person's key: it signs what the person has been shown, and never leaves the agent that holds it.

use serde::{Deserialize, Serialize};

use super::pending::Pending;
use crate::model::text::Text;

/// A signature by a person's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The public key, `ssh-ed25519 AAAA..`, without a comment.
    pub key: String,
    /// The SSHSIG blob.
    pub blob: Vec<u8>,
}

/// Why there is no signature. Nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum SignError {
    /// There is no agent, or it does not answer.
    #[error("failed to reach the SSH agent: {0}")]
    NoAgent(Text),
    /// The agent holds none of the keys.
    #[error("failed to find a key to sign with: {0}")]
    NoKey(Text),
    /// The agent or the person at it said no.
    #[error("the SSH agent did not sign: {0}")]
    Refused(Text),
    /// What the agent answered is no answer, or no signature of that key over those bytes.
    #[error("failed to sign with the SSH agent: {0}")]
    Broken(Text),
}

/// What holds a person's keys, such as an SSH agent.
pub trait Signer: Send + Sync {
    /// The public keys that the operator's agent can sign with, without comments.
    fn keys(&self) -> Pending<'_, Result<Vec<String>, SignError>>;

    /// Signs `bytes` as SSHSIG in `namespace` (sha512) with the first of `keys` that the agent holds.
    /// What comes back has been checked against key, namespace and bytes.
    fn sign<'a>(&'a self, keys: &'a [String], namespace: &'a str, bytes: &'a [u8]) -> Pending<'a, Result<Signed, SignError>>;
}
