//! The ledger's lines in their final bytes: header, entries, and the bodies that are signed.

use std::borrow::Cow;

use base64ct::{Base64, Encoding as _};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fault::broken;
use super::sign::ProcessKey;
use super::tree::Hash;
use crate::model::deed::EntryKind;
use crate::model::time::rfc3339;
use crate::ports::ledger::LedgerError;

/// The format number of a body.
pub const BODY_FORMAT: u64 = 1;

/// The first line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Always `ledger/1`.
    pub gonogo: String,
    /// The installation.
    pub installation: String,
    /// `gonogo/` and the installation.
    pub origin: String,
    /// The verifier key of checkpoints.
    pub vkey: String,
}

impl Header {
    /// The header of an installation.
    pub fn new(key: &ProcessKey) -> Self {
        Self { gonogo: "ledger/1".to_owned(), installation: key.installation().to_owned(), origin: key.origin(), vkey: key.vkey() }
    }
}

/// An entry's line; its texts may lie in the bytes that it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line<S = String> {
    /// Its number.
    pub n: u64,
    /// The leaf hash of the line above, in base64.
    pub prev: S,
    /// Its time.
    pub at: S,
    /// Its kind.
    pub kind: EntryKind,
    /// Who signed.
    pub signer: S,
    /// The signed bytes, in base64.
    pub body: S,
    /// The SSHSIG blob, in base64.
    pub sig: S,
}

/// A text of a line where it lies, copied only when it was escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Piece<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl Line {
    /// Signs a body with the process key.
    pub fn sign(key: &ProcessKey, n: u64, prev: &Hash, at: &DateTime<Utc>, kind: EntryKind, body: &[u8]) -> Result<Self, LedgerError> {
        Ok(Self {
            n,
            prev: Base64::encode_string(prev),
            at: rfc3339(at),
            kind,
            signer: key.principal(),
            body: Base64::encode_string(body),
            sig: key.sshsig(kind.namespace(), body)?,
        })
    }

    /// The line of a body that a person's own key signed; the signature was checked before.
    pub fn signed_by(person: &str, blob: &[u8], n: u64, prev: &Hash, at: &DateTime<Utc>, kind: EntryKind, body: &[u8]) -> Self {
        Self {
            n,
            prev: Base64::encode_string(prev),
            at: rfc3339(at),
            kind,
            signer: person.to_owned(),
            body: Base64::encode_string(body),
            sig: Base64::encode_string(blob),
        }
    }
}

/// The bytes of a header or line, without a newline.
pub fn to_line(line: &impl Serialize) -> Result<Vec<u8>, LedgerError> {
    serde_json::to_vec(line).map_err(broken)
}

/// The RFC 8785 bytes of a body.
pub fn canonical(body: &impl Serialize) -> Result<Vec<u8>, LedgerError> {
    serde_json_canonicalizer::to_vec(body).map_err(broken)
}

/// The body of an entry about a deed, before kind-specific members are added.
pub fn about(deed: &str, installation: &str, kind: EntryKind, requester: &str, step: Option<u32>) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("deed".to_owned(), Value::from(deed));
    body.insert("format".to_owned(), Value::from(BODY_FORMAT));
    body.insert("installation".to_owned(), Value::from(installation));
    body.insert("kind".to_owned(), Value::from(kind.word()));
    body.insert("requester".to_owned(), Value::from(requester));
    body.insert("step".to_owned(), Value::from(step));
    body
}
