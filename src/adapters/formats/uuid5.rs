//! UUIDs of version 5 (RFC 9562, 5.5): the same name gives the same UUID. They name things; nothing rests on SHA-1 being hard to invert.

/// The namespace of URLs.
const URL: [u8; 16] = [0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

/// A namespace in which the names of one installation are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Namespace([u8; 16]);

impl Namespace {
    /// The namespace of a URL.
    pub fn of_url(url: &str) -> Self {
        Self(bytes(&URL, url))
    }

    /// The UUID of a name in it.
    pub fn uuid(&self, name: &str) -> String {
        let hex = bytes(&self.0, name).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let part = |from, to| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }
}

fn bytes(namespace: &[u8; 16], name: &str) -> [u8; 16] {
    let digest = sha1(&[namespace, name.as_bytes()].concat());
    let mut uuid = [0_u8; 16];
    for (to, from) in uuid.iter_mut().zip(digest) {
        *to = from;
    }
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut uuid;
    *version = (*version & 0x0f) | 0x50;
    *variant = (*variant & 0x3f) | 0x80;
    uuid
}

/// SHA-1 (FIPS 180-4, 6.1).
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    let bits = u64::try_from(message.len()).unwrap_or(u64::MAX).saturating_mul(8);
    padded.extend_from_slice(&bits.to_be_bytes());
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded.chunks_exact(64) {
        let mut words: Vec<u32> =
            block.chunks_exact(4).map(|four| four.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte))).collect();
        for t in 16..80 {
            let before = |back: usize| words.get(t - back).copied().unwrap_or_default();
            words.push((before(3) ^ before(8) ^ before(14) ^ before(16)).rotate_left(1));
        }
        let mut mixed = state;
        for (t, word) in words.into_iter().enumerate() {
            let [first, second, third, fourth, fifth] = mixed;
            let (chosen, constant) = match t / 20 {
                0 => ((second & third) | (!second & fourth), 0x5a82_7999_u32),
                1 => (second ^ third ^ fourth, 0x6ed9_eba1),
                2 => ((second & third) | (second & fourth) | (third & fourth), 0x8f1b_bcdc),
                _ => (second ^ third ^ fourth, 0xca62_c1d6),
            };
            let next = first.rotate_left(5).wrapping_add(chosen).wrapping_add(fifth).wrapping_add(constant).wrapping_add(word);
            mixed = [next, first, second.rotate_left(30), third, fourth];
        }
        for (sum, part) in state.iter_mut().zip(mixed) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut digest = [0_u8; 20];
    for (to, from) in digest.iter_mut().zip(state.iter().flat_map(|word| word.to_be_bytes())) {
        *to = from;
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    #[test]
    fn hashes_are_those_of_the_standard() {
        assert_eq!(hex(&sha1(b"")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let two_blocks = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(hex(&sha1(two_blocks)), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
        assert_eq!(hex(&sha1(&[b'a'; 1000])), "291e9a6c66994949b57ba5e650361e98fc36b1ba");
    }

    #[test]
    fn names_are_those_of_the_standard() {
        // As Python's uuid.uuid5 says them.
        let python = Namespace::of_url("https://www.example.com/");
        assert_eq!(Namespace(URL).uuid("https://www.example.com/"), "3d3ed9d2-aa3d-5fa6-90e8-ed662e90f559");
        assert_eq!(python.uuid("a"), "6c176c21-3622-5c34-9696-84170a0a34c3");
    }
}
