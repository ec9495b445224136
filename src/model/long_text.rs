//! Texts of which some are very long, and say the same again and again: those are deflated (RFC 1951, in the wrapper of RFC 1950) while they
//! are made, so that they never lie in memory whole.

use std::io::{Error, Read as _, Result, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::Serialize;

/// Texts of more bytes are deflated.
const LONG: usize = 256 * 1024;
/// No text of so many bytes is read again.
const MOST: u64 = 256 << 20;

/// A text, deflated when it is long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LongText {
    /// As it is.
    Plain(String),
    /// Deflated.
    Deflated(Vec<u8>),
}

impl LongText {
    /// The JSON of a value.
    ///
    /// # Errors
    /// Its value has no JSON.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        let mut ink = Ink::default();
        serde_json::to_writer(&mut ink, value)?;
        ink.end()
    }

    /// How many bytes are kept of it.
    pub fn kept_bytes(&self) -> usize {
        match self {
            Self::Plain(text) => text.len(),
            Self::Deflated(bytes) => bytes.len(),
        }
    }

    /// The text.
    ///
    /// # Errors
    /// What was kept is damaged, or the text has 256 MiB or more.
    pub fn text(self) -> Result<String> {
        match self {
            Self::Plain(text) => Ok(text),
            Self::Deflated(bytes) => inflated(&bytes),
        }
    }
}

/// The text of deflated bytes.
///
/// # Errors
/// They are damaged, or the text has 256 MiB or more.
pub fn inflated(bytes: &[u8]) -> Result<String> {
    let mut text = String::new();
    let mut decoder = ZlibDecoder::new(bytes).take(MOST);
    decoder.read_to_string(&mut text)?;
    if decoder.limit() == 0 {
        return Err(Error::other("a text of 256 MiB or more"));
    }
    Ok(text)
}

/// Takes in a text as it is made: writers of JSON give it a few bytes at a time.
#[derive(Default)]
struct Ink {
    /// What was not deflated yet.
    plain: Vec<u8>,
    encoder: Option<ZlibEncoder<Vec<u8>>>,
}

impl Ink {
    fn end(self) -> Result<LongText> {
        let Some(mut encoder) = self.encoder else {
            return String::from_utf8(self.plain).map(LongText::Plain).map_err(Error::other);
        };
        encoder.write_all(&self.plain)?;
        encoder.finish().map(LongText::Deflated)
    }
}

impl Write for Ink {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.plain.len().saturating_add(bytes.len()) > LONG {
            // Fast: even so what a backend says of ten thousand services becomes a twentieth.
            let encoder = self.encoder.get_or_insert_with(|| ZlibEncoder::new(Vec::new(), Compression::fast()));
            encoder.write_all(&self.plain)?;
            self.plain.clear();
        }
        self.plain.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_stays_and_a_long_one_comes_back_as_it_was() {
        let short = LongText::json(&"ü".repeat(100)).unwrap();
        assert_eq!(short, LongText::Plain(format!("\"{}\"", "ü".repeat(100))));
        let words: Vec<String> = (0..60_000).map(|n| format!("service-{n:05} ü")).collect();
        let long = LongText::json(&words).unwrap();
        assert!(matches!(long, LongText::Deflated(_)) && long.kept_bytes() < 300_000, "{} bytes", long.kept_bytes());
        assert_eq!(long.text().unwrap(), serde_json::to_string(&words).unwrap());
    }

    #[test]
    fn at_the_border_nothing_is_lost() {
        for length in LONG - 4..LONG + 3 {
            let text = "x".repeat(length);
            let made = LongText::json(&text).unwrap();
            assert_eq!(matches!(made, LongText::Plain(_)), length + 2 <= LONG);
            assert_eq!(made.text().unwrap(), format!("\"{text}\""));
        }
    }

    #[test]
    fn damage_is_told() {
        let LongText::Deflated(bytes) = LongText::json(&"abc".repeat(200_000)).unwrap() else { panic!("not deflated") };
        assert!(inflated(&bytes[..bytes.len() - 1]).is_err(), "cut");
        let mut other = bytes.clone();
        let last = other.len() - 1;
        other[last] ^= 1;
        assert!(inflated(&other).is_err(), "another checksum");
        assert!(inflated(b"no zlib").is_err());
    }
}
