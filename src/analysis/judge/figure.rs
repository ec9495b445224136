//! Numbers as sentences say them: four digits.

/// Four significant digits, without zeros at the end; powers of ten only for what is very large or very small.
pub fn figure(value: f64) -> String {
    if value.abs() <= 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return if value.is_nan() { "none".to_owned() } else { "infinite".to_owned() };
    }
    if !(1e-4..1e7).contains(&value.abs()) {
        return format!("{value:.3e}");
    }
    let magnitude = value.abs().log10().floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 7")]
    let decimals = (3.0 - magnitude).clamp(0.0, 7.0) as usize;
    let written = format!("{value:.decimals$}");
    if written.contains('.') { written.trim_end_matches('0').trim_end_matches('.').to_owned() } else { written }
}

/// A count with its thousands apart.
pub fn grouped(count: f64) -> String {
    let digits = format!("{count:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time, rounded as people say it.
pub fn span(seconds: i64) -> String {
    match seconds {
        ..=90 => format!("{seconds} s"),
        91..=5_400 => format!("{} min", (seconds + 30) / 60),
        5_401..=172_800 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", seconds.saturating_add(43_200) / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (10.438_6, "10.44"),
            (-0.5, "-0.5"),
            (0.000_123_456, "0.0001235"),
            (1e-5, "1.000e-5"),
            (123_456.0, "123456"),
            (1.5e9, "1.500e9"),
            (98.0, "98"),
            (f64::NAN, "none"),
        ] {
            assert_eq!(figure(value), expected);
        }
    }
}
