//! in-toto statements of what persons said about plans, in DSSE envelopes that stock tools verify.

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::NAMES;
use crate::model::approval::Decision;
use crate::model::deed::APPROVAL;
use crate::model::dossier::{Dossier, Said};
use crate::model::time::rfc3339;

/// The payload type of a statement's envelope.
pub const PAYLOAD: &str = "application/vnd.in-toto+json";
/// The type of a statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// A person looked at something and says pass or fail.
const REVIEW: &str = "https://in-toto.io/attestation/human-review/v0.1";

/// The statement of what one person said last, as the bytes that are signed.
///
/// # Errors
/// When it cannot be written in canonical form, which it can.
pub fn statement(dossier: &Dossier, said: &Said<'_>, installation: &str) -> Result<Vec<u8>, serde_json::Error> {
    let order = dossier.order.as_ref();
    let target = dossier.target.as_ref();
    let entry = said.entry;
    let decision = match said.decision {
        Decision::Approve => "pass",
        Decision::Reject | Decision::Withdraw => "fail",
    };
    let ours = json!({
        "installation": installation,
        "plan": dossier.plan.to_string(),
        "verb": dossier.verb,
        "target": target.map(ToString::to_string),
        "percent": order.and_then(|order| order.percent),
        "ticket": dossier.ticket(),
        "version": dossier.released.to.version,
        "revision": dossier.released.to.revision,
        "requester": dossier.requester,
        "person": said.person,
        "entry": entry.n,
        "at": rfc3339(&entry.at),
        "signature": {
            "format": "sshsig",
            "principal": entry.signer,
            "namespace": APPROVAL,
            "own_key": entry.is_own_key(),
            "body": Base64::encode_string(&entry.body),
            "sig": entry.sig,
        },
    });
    let statement = json!({
        "_type": STATEMENT,
        "subject": [subject(dossier)],
        "predicateType": REVIEW,
        "predicate": {
            "result": decision,
            "timestamp": entry.at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            format!("{NAMES}/approval/v1"): ours,
        },
    });
    serde_json_canonicalizer::to_vec(&statement)
}

/// What was agreed to: the artifact when its digest is known, else the plan, whose hash is its name.
fn subject(dossier: &Dossier) -> Value {
    let ordered = dossier.order.as_ref().and_then(|order| order.targets.first()?.digest.clone());
    let digest = ordered.or_else(|| dossier.released.to.digest.clone());
    let name = dossier.target.as_ref().map(|target| target.service.to_string()).unwrap_or_default();
    match digest.as_ref().and_then(|digest| sha256(digest.as_str())) {
        Some(hex) => json!({ "name": name, "digest": { "sha256": hex } }),
        None => json!({ "name": "gonogo-plan", "digest": { "sha256": dossier.plan.to_string() } }),
    }
}

/// The hexadecimal digits of a `sha256:` digest of the right length.
fn sha256(digest: &str) -> Option<String> {
    let hex = digest.strip_prefix("sha256:")?;
    (hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| hex.to_ascii_lowercase())
}

/// The identity of an Ed25519 key: SHA-256 of its `SubjectPublicKeyInfo`, in hexadecimal, as other tools name it.
pub fn key_id(public: &[u8; 32]) -> String {
    let prefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let digest = Sha256::new().chain_update(prefix).chain_update(public).finalize();
    digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The envelope on one line.
pub fn envelope(payload: &[u8], key: &str, signature: &[u8]) -> String {
    let envelope = json!({
        "payloadType": PAYLOAD,
        "payload": Base64::encode_string(payload),
        "signatures": [{ "keyid": key, "sig": Base64::encode_string(signature) }],
    });
    format!("{envelope}\n")
}
