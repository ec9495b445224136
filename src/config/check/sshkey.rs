//! Whether a line looks like a public SSH key in the OpenSSH form.

use base64ct::{Base64, Encoding as _};

/// The types whose signatures the ledger can bear.
const TYPES: &[&str] = &[
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
];

/// Says what is wrong with a key; none when its type is known and its bytes begin with that type.
pub(super) fn wrong(line: &str) -> Option<&'static str> {
    if line.contains("PRIVATE KEY") {
        return Some("is a private key");
    }
    let mut words = line.split(' ');
    let (Some(kind), Some(body)) = (words.next(), words.next()) else {
        return Some("is no public SSH key");
    };
    if !TYPES.contains(&kind) {
        return Some("has an unknown type");
    }
    let Ok(bytes) = Base64::decode_vec(body) else {
        return Some("is no base64");
    };
    let length = bytes.first_chunk::<4>().map(|length| u32::from_be_bytes(*length));
    let inner = length.and_then(|length| usize::try_from(length).ok()).and_then(|length| bytes.get(4..)?.get(..length));
    if inner != Some(kind.as_bytes()) {
        return Some("holds another type than it says");
    }
    let behind = bytes.get(4 + kind.len()..).unwrap_or_default();
    if kind == "ssh-ed25519" && behind.len() != 36 || behind.len() < 36 {
        return Some("is cut short");
    }
    None
}
