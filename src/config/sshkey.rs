//! Public SSH keys: which types and sizes we take signatures of, and how their bytes are read without harm.

use base64ct::{Base64, Encoding as _};
use ssh_key::PublicKey;

use crate::model::operator::KEY_TYPES;

/// The sizes of RSA keys in bits: under the first they are weak, over the second their signatures are not checked.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// Reads a public key in the OpenSSH form, `TYPE BASE64 COMMENT`.
///
/// # Errors
/// What is wrong with it, as the end of "the key ..".
pub fn read(line: &str) -> Result<PublicKey, &'static str> {
    if line.contains("PRIVATE KEY") {
        return Err("is a private key");
    }
    if line.contains(char::is_control) {
        return Err("is more than one line");
    }
    let mut words = line.split(' ');
    let (Some(kind), Some(body)) = (words.next(), words.next()) else {
        return Err("is no public SSH key");
    };
    if !KEY_TYPES.contains(&kind) {
        return Err("has an unknown type");
    }
    let bytes = Base64::decode_vec(body).map_err(|_| "is no base64")?;
    if kind_of(&bytes) != Some(kind) {
        return Err("holds another type than it says");
    }
    let key = from_bytes(&bytes).ok_or("is cut short or damaged")?;
    let rsa = key.key_data().rsa().map(ssh_key::public::RsaPublicKey::key_size);
    if rsa.is_some_and(|bits| !RSA_BITS.contains(&bits)) { Err("is an RSA key under 2048 or over 8192 bits") } else { Ok(key) }
}

/// Reads the bytes of a public key; none when they are a certificate, of a type that we do not take, or no key at all.
///
/// The type is looked at before anything is decoded: a certificate may hold a certificate, and so on until the stack ends.
pub fn from_bytes(bytes: &[u8]) -> Option<PublicKey> {
    let kind = kind_of(bytes)?;
    PublicKey::from_bytes(bytes).ok().filter(|key| key.algorithm().as_str() == kind)
}

/// The type that the bytes of a public key begin with, when it is one that we take.
pub fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let kind = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    KEY_TYPES.iter().copied().find(|known| known.as_bytes() == kind)
}
