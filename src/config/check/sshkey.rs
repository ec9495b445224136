//! Whether a line is a public SSH key in the OpenSSH form, of a type and size whose signatures the ledger can check.

use base64ct::{Base64, Encoding as _};
use ssh_key::PublicKey;

use crate::model::operator::KEY_TYPES;

/// The sizes of RSA keys in bits: under the first they are weak, over the second their signatures are not checked.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// Says what is wrong with a key.
pub(super) fn wrong(line: &str) -> Option<&'static str> {
    if line.contains("PRIVATE KEY") {
        return Some("is a private key");
    }
    if line.contains(char::is_control) {
        return Some("is more than one line");
    }
    let mut words = line.split(' ');
    let (Some(kind), Some(body)) = (words.next(), words.next()) else {
        return Some("is no public SSH key");
    };
    if !KEY_TYPES.contains(&kind) {
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
    let Ok(key) = PublicKey::from_bytes(&bytes) else {
        return Some("is cut short or damaged");
    };
    let rsa = key.key_data().rsa().map(ssh_key::public::RsaPublicKey::key_size);
    rsa.is_some_and(|bits| !RSA_BITS.contains(&bits)).then_some("is an RSA key under 2048 or over 8192 bits")
}
