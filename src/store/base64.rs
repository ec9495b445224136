//! Base64 of what anybody may read, decoded in no more time than it needs: the one padded form, as the library's constant-time decoder takes it.

/// No digit.
const NONE: u8 = 0xff;

/// The value of each byte as a digit.
static DIGITS: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut digits = [NONE; 256];
    let mut left: &[u8] = alphabet;
    let mut value = 0;
    while let [digit, rest @ ..] = left {
        #[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
        {
            digits[*digit as usize] = value;
        }
        value += 1;
        left = rest;
    }
    digits
};

fn digit(byte: u8) -> u8 {
    DIGITS.get(usize::from(byte)).copied().unwrap_or(NONE)
}

/// The bytes that a text stands for; none when it is not the one padded form of any.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    let digits = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let (whole, last) = digits.as_chunks::<4>();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut all = 0;
    for [a, b, c, d] in whole {
        let (a, b, c, d) = (digit(*a), digit(*b), digit(*c), digit(*d));
        all |= a | b | c | d;
        bytes.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
    }
    match *last {
        [] => {}
        [a, b] => {
            let (a, b) = (digit(a), digit(b));
            all |= a | b | if b.trailing_zeros() >= 4 { 0 } else { NONE };
            bytes.push(a << 2 | b >> 4);
        }
        [a, b, c] => {
            let (a, b, c) = (digit(a), digit(b), digit(c));
            all |= a | b | c | if c.trailing_zeros() >= 2 { 0 } else { NONE };
            bytes.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2]);
        }
        [..] => return None,
    }
    // A digit is below 64, and what would be lost of the last one is nothing.
    (all < 64 && text.len().is_multiple_of(4)).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;
    use base64ct::{Base64, Encoding as _};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_takes_what_the_library_takes(bytes in prop::collection::vec(any::<u8>(), 0..70), noise in "[A-Za-z0-9+/=\u{0}-\u{ff}]{0,12}") {
            let text = Base64::encode_string(&bytes);
            prop_assert_eq!(decode(&text), Some(bytes));
            for text in [&noise, &format!("{text}{noise}"), &format!("{noise}{text}")] {
                prop_assert_eq!(decode(text), Base64::decode_vec(text).ok(), "{}", text);
            }
        }

        #[test]
        fn every_change_of_a_byte_is_told_as_the_library_tells_it(bytes in prop::collection::vec(any::<u8>(), 1..5), byte in 0_u8..128) {
            let text = Base64::encode_string(&bytes);
            for place in 0..text.len() {
                let mut changed = text.clone().into_bytes();
                changed[place] = byte;
                let changed = String::from_utf8(changed).unwrap();
                prop_assert_eq!(decode(&changed), Base64::decode_vec(&changed).ok(), "{}", changed);
            }
        }
    }

    #[test]
    fn the_shortest_texts_are_told_as_the_library_tells_them() {
        const DIGITS: &[u8] = b"AQgw/=\n";
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            texts = texts
                .iter()
                .flat_map(|text| DIGITS.iter().map(move |digit| format!("{text}{}", char::from(*digit))))
                .chain([String::new()])
                .collect();
            for text in &texts {
                assert_eq!(decode(text), Base64::decode_vec(text).ok(), "{text:?}");
            }
        }
    }
}
