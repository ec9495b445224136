//! The one form of what is kept and signed: whether bytes are written as a value would be, without writing it a second time.

use std::io::{Error, ErrorKind, Write};

use serde::Serialize;
use serde_json::Value;

use super::record::canonical;

/// Up to here every whole number is the same as a double, and written the same.
const EXACT: u64 = 1 << 53;

/// What is left of the bytes that a writer must write.
struct Expected<'a>(&'a [u8]);

impl Write for Expected<'_> {
    fn write(&mut self, written: &[u8]) -> Result<usize, Error> {
        self.0 = self.0.strip_prefix(written).ok_or(ErrorKind::InvalidData)?;
        Ok(written.len())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Whether a header or a line is written in these bytes, as [`to_line`](super::record::to_line) writes it.
pub fn is_line(line: &impl Serialize, bytes: &[u8]) -> bool {
    let mut left = Expected(bytes);
    serde_json::to_writer(&mut left, line).is_ok() && left.0.is_empty()
}

/// Whether the RFC 8785 form of a value is these bytes, as [`canonical`] writes it.
pub fn is_canonical(value: &Value, bytes: &[u8]) -> bool {
    // Where the members are in order and every number is exact, the plain form is the canonical one.
    if is_plain(value) { is_line(value, bytes) } else { canonical(value).is_ok_and(|form| form == bytes) }
}

/// Whether all numbers of a value are whole ones.
pub fn is_whole(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.is_i64() || number.is_u64(),
        Value::Array(values) => values.iter().all(is_whole),
        Value::Object(members) => members.values().all(is_whole),
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs)).is_some_and(|number| number <= EXACT),
        Value::Array(values) => values.iter().all(is_plain),
        Value::Object(members) => members.keys().is_sorted_by(|one, next| is_before(one, next)) && members.values().all(is_plain),
    }
}

/// The order of members: by the code units of UTF-16, which for most names is that of their bytes.
fn is_before(one: &str, next: &str) -> bool {
    if one.is_ascii() && next.is_ascii() { one < next } else { one.encode_utf16().lt(next.encode_utf16()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        let number = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-9_007_199_254_740_995_i64..-9_007_199_254_740_989).prop_map(Value::from),
            (9_007_199_254_740_989_i64..9_007_199_254_740_995).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
        ];
        let text = prop_oneof![any::<String>(), "[\u{0}-\u{7f}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,3}"];
        let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), number, text.clone().prop_map(Value::from)];
        leaf.prop_recursive(3, 12, 4, move |inner| {
            let members = prop::collection::vec((text.clone(), inner.clone()), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                members.prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_says_what_the_canonical_writer_says(value in values(), at in any::<prop::sample::Index>()) {
            let (form, plain) = (canonical(&value).unwrap(), serde_json::to_vec(&value).unwrap());
            for bytes in [&form, &plain] {
                prop_assert_eq!(is_canonical(&value, bytes), &form == bytes);
                prop_assert!(!is_canonical(&value, &[&bytes[..], b" "].concat()));
                prop_assert!(!is_canonical(&value, &bytes[..bytes.len() - 1]));
                let mut turned = bytes.clone();
                turned[at.index(bytes.len())] ^= 1;
                prop_assert_eq!(is_canonical(&value, &turned), form == turned);
            }
            // What was read from its canonical form is found in it again.
            let read: Value = serde_json::from_slice(&form).unwrap();
            prop_assert_eq!(is_canonical(&read, &form), canonical(&read).unwrap() == form);
        }
    }

    #[test]
    fn members_are_ordered_by_the_code_units_of_utf_16() {
        // U+10000 is two units from D800 on, before U+FFFF, although its bytes come after.
        let value: Value = serde_json::from_str("{\"\u{10000}\":1,\"\u{ffff}\":2}").unwrap();
        assert!(is_canonical(&value, "{\"\u{10000}\":1,\"\u{ffff}\":2}".as_bytes()));
        let value: Value = serde_json::from_str("{\"\u{ffff}\":2,\"\u{10000}\":1}").unwrap();
        assert!(!is_canonical(&value, "{\"\u{ffff}\":2,\"\u{10000}\":1}".as_bytes()));
    }

    #[test]
    fn a_number_that_no_double_holds_is_not_canonical() {
        for (text, holds) in [("9007199254740992", true), ("9007199254740993", false), ("-9007199254740993", false), ("1", true)] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(is_canonical(&value, text.as_bytes()), holds, "{text}");
        }
    }
}
