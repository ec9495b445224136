//! Durations as the configuration writes them: `5s`, `1h30m`, `250ms`, `14d`.

use std::time::Duration;

/// The longest duration that is believed: ten years.
const LONGEST: u64 = 3650 * 86_400_000;

const UNITS: &[(&str, u64)] = &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a duration: whole numbers with the units d, h, m, s, ms, the larger first, none twice. None when it is none.
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut units = UNITS.iter();
    let mut total = 0_u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let (_, size) = units.by_ref().find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*size)?)?;
        rest = after;
    }
    (total <= LONGEST).then(|| Duration::from_millis(total))
}

/// Writes a duration in the form that [`parse`] reads, rounded to milliseconds.
pub fn write(span: Duration) -> String {
    let mut rest = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut out = String::new();
    for (unit, size) in UNITS {
        let count = rest.checked_div(*size).unwrap_or_default();
        if count > 0 {
            out.push_str(&format!("{count}{unit}"));
            rest = rest.saturating_sub(count.saturating_mul(*size));
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("5s", 5_000)]
    #[case("5m", 300_000)]
    #[case("1h30m", 5_400_000)]
    #[case("250ms", 250)]
    #[case("1m5ms", 60_005)]
    #[case("14d", 1_209_600_000)]
    #[case("0s", 0)]
    fn a_duration_is_read(#[case] text: &str, #[case] millis: u64) {
        assert_eq!(parse(text), Some(Duration::from_millis(millis)));
    }

    #[rstest]
    #[case("")]
    #[case("5")]
    #[case("s")]
    #[case("5 s")]
    #[case("5m1h")]
    #[case("5s5s")]
    #[case("-5s")]
    #[case("1.5s")]
    #[case("99999999999999999999s")]
    #[case("9999999d")]
    #[case("5é")]
    fn what_is_none_is_refused(#[case] text: &str) {
        assert_eq!(parse(text), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_again(millis in 0..LONGEST) {
            let span = Duration::from_millis(millis);
            proptest::prop_assert_eq!(parse(&write(span)), Some(span));
        }
    }
}
