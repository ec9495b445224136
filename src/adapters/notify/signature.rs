//! Signatures of notices in the form of Standard Webhooks 1.0: HMAC-SHA256 over id, time and body, by a secret that both sides have.

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256};

use crate::config::secret::Secret;

/// Bytes that SHA-256 takes in at once.
const BLOCK: usize = 64;
/// The fewest bytes of a secret, by the specification.
const LEAST: usize = 24;
/// The most.
const MOST: usize = 64;

/// A key for signatures. It has no printable form.
pub struct Key(Vec<u8>);

impl Key {
    /// Reads `whsec_` and base64 of 24 to 64 bytes.
    ///
    /// # Errors
    /// Says what is wrong with the secret, without the secret.
    pub fn read(secret: &Secret) -> Result<Self, &'static str> {
        let text = secret.expose().trim();
        let text = text.strip_prefix("whsec_").unwrap_or(text);
        let bytes = Base64::decode_vec(text).map_err(|_| "the secret is not `whsec_` with base64 behind it")?;
        if (LEAST..=MOST).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err("the secret has not 24 to 64 bytes") }
    }

    /// The signature of one try.
    pub fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let head = format!("{id}.{seconds}.");
        format!("v1,{}", Base64::encode_string(&hmac(&self.0, &[head.as_bytes(), body])))
    }
}

/// HMAC (RFC 2104) with SHA-256.
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    let short = if key.len() > BLOCK { Sha256::digest(key).to_vec() } else { key.to_vec() };
    for (place, byte) in block.iter_mut().zip(&short) {
        *place = *byte;
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let mut inner = Sha256::new();
    inner.update(pad(0x36));
    for part in parts {
        inner.update(part);
    }
    let mut outer = Sha256::new();
    outer.update(pad(0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    #[test]
    fn the_vectors_of_rfc_4231_come_out() {
        let one = hmac(&[0x0b; 20], &[b"Hi ", b"There"]);
        assert_eq!(hex(&one), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        let two = hmac(b"Jefe", &[b"what do ya want for nothing?"]);
        assert_eq!(hex(&two), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let six = hmac(&[0xaa; 131], &[b"Test Using Larger Than Block-Size Key - Hash Key First"]);
        assert_eq!(hex(&six), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn a_secret_is_base64_of_24_to_64_bytes() {
        let read = |bytes: usize| Key::read(&Secret::new(format!("whsec_{}", Base64::encode_string(&vec![7; bytes])))).map(|_| ());
        assert!(read(24).is_ok() && read(64).is_ok());
        assert!(read(23).is_err() && read(65).is_err());
        assert!(Key::read(&Secret::new("whsec_not base64".to_owned())).is_err());
        let key = Key::read(&Secret::new(Base64::encode_string(&[7; 32]))).unwrap();
        assert!(key.sign("a/1", 1, b"{}").starts_with("v1,"));
        assert_ne!(key.sign("a/1", 1, b"{}"), key.sign("a/2", 1, b"{}"));
    }
}
