//! The normal distribution: its upper tail and its quantiles, to some thirteen digits.

use std::f64::consts::{PI, SQRT_2};

/// Where the series of the error function gives way to the continued fraction of its complement.
const NEAR: f64 = 2.0;

/// How likely a standard normal variable is above `z`.
pub fn above(z: f64) -> f64 {
    0.5 * complement(z / SQRT_2)
}

/// The complementary error function.
fn complement(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x < 0.0 {
        return 2.0 - complement(-x);
    }
    if x < NEAR { 1.0 - near(x) } else { far(x) }
}

/// The error function by its series of positive terms, x · (2x²)ⁿ over the odd factorials.
fn near(x: f64) -> f64 {
    let square = x * x;
    let mut term = x;
    let mut sum = x;
    let mut odd = 1.0;
    while term > sum * f64::EPSILON / 4.0 {
        odd += 2.0;
        term *= 2.0 * square / odd;
        sum += term;
    }
    2.0 / PI.sqrt() * (-square).exp() * sum
}

/// The complement by its continued fraction, from the far end; for x of 2 or more sixty levels are more than enough.
fn far(x: f64) -> f64 {
    let tail = (1..=60_u32).rev().fold(0.0, |rest, level| f64::from(level) / 2.0 / (x + rest));
    (-x * x).exp() / PI.sqrt() / (x + tail)
}

/// The value that a standard normal variable is below with the chance `p`, for p between 0 and 1.
pub fn quantile(p: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p > 0.5 {
        return -quantile(1.0 - p);
    }
    // z ≤ 0 with above(-z) = p. The tail's logarithm is nearly a parabola, so Newton's steps on it settle from anywhere.
    let mut z = (-2.0 * p.ln()).sqrt().max(0.1) - 0.1;
    for _ in 0..60 {
        let tail = above(z);
        let density = (-z * z / 2.0).exp() / (2.0 * PI).sqrt();
        let step = (tail / p).ln() * tail / density;
        z += step;
        if step.abs() <= 4.0 * f64::EPSILON * z.abs().max(f64::EPSILON) {
            break;
        }
    }
    -z
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_values() {
        // R: pnorm(z, lower.tail = FALSE), qnorm(p).
        for (z, chance) in [(0.0, 0.5), (1.0, 0.158_655_253_931_457_05), (1.959_963_984_540_054, 0.025), (6.0, 9.865_876_450_376_946e-10)] {
            assert!((above(z) / chance - 1.0).abs() < 1e-12, "{z}: {}", above(z));
            assert!((above(-z) - (1.0 - chance)).abs() < 1e-15);
        }
        for (p, z) in [(0.01, -2.326_347_874_040_841), (0.025, -1.959_963_984_540_054), (0.5, 0.0), (0.999, 3.090_232_306_167_813_6)] {
            assert!((quantile(p) - z).abs() < 1e-13, "{p}: {}", quantile(p));
        }
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(quantile(1.5).is_nan() && above(f64::NAN).is_nan());
    }

    proptest! {
        #[test]
        fn the_quantile_undoes_the_tail(exponent in -250.0_f64..-0.302) {
            let p = 10_f64.powf(exponent);
            prop_assert!((above(-quantile(p)) / p - 1.0).abs() < 1e-9, "{p} {}", quantile(p));
        }
    }
}
