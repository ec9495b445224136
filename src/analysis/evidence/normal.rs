//! The normal distribution: its share below a point, and the point below which a share lies.

use std::f64::consts::TAU;

/// The share of the standard normal distribution below `z`; within 1e-14 of it, and exactly symmetric.
///
/// Source: the series of M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions" (1964), 26.2, near the middle and the
/// continued fraction there in the tails.
pub fn below(z: f64) -> f64 {
    if z.is_nan() {
        return f64::NAN;
    }
    if z > 0.0 {
        return 1.0 - below(-z);
    }
    let size = -z;
    if size > 38.5 {
        return 0.0;
    }
    let density = (-0.5 * size * size).exp() / TAU.sqrt();
    if size > 3.0 {
        let fraction = (1..=120).rev().fold(size, |below, step| size + f64::from(step) / below);
        return density / fraction;
    }
    let mut term = size;
    let mut sum = size;
    for step in 1..=60 {
        term *= size * size / f64::from(2 * step + 1);
        sum += term;
    }
    0.5 - density * sum
}

/// The point below which a share of the standard normal distribution lies. None unless the share is above 0 and below 1.
pub fn quantile(share: f64) -> Option<f64> {
    if !(share > 0.0 && share < 1.0) {
        return None;
    }
    if share > 0.5 {
        return quantile(1.0 - share).map(|z| -z);
    }
    Some(near(share).unwrap_or_else(|| halved(share)))
}

/// Newton's steps from the middle on, which fall to the point from above as the share below bends upwards there. None where they do not
/// settle within thirty.
fn near(share: f64) -> Option<f64> {
    let mut z = 0.0_f64;
    for _ in 0..30 {
        let step = (below(z) - share) * TAU.sqrt() * (0.5 * z * z).exp();
        z -= step;
        if step.abs() < 1e-15 * z.abs().max(1.0) {
            return Some(z);
        }
    }
    None
}

fn halved(share: f64) -> f64 {
    let (mut low, mut high) = (-38.5_f64, 0.0_f64);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if below(middle) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_halving_comes_to() {
        for share in [0.5, 0.499, 0.3, 0.1, 0.05, 0.025, 0.0125, 0.005, 1e-3, 1e-5, 1e-8, 1e-20, 1e-300] {
            let (found, wanted) = (quantile(share).unwrap(), halved(share));
            assert!((found - wanted).abs() <= 1e-13 * wanted.abs().max(1.0), "{share}: {found} against {wanted}");
        }
    }

    #[test]
    fn the_tables_are_met() {
        for (z, share) in [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (1.959_963_984_540_054, 0.975), (-3.5, 2.326_290_790_355_25e-4)] {
            assert!((below(z) - share).abs() < 1e-13, "{z}: {}", below(z));
        }
        assert!((below(-8.0) / 6.220_960_574_271_786e-16 - 1.0).abs() < 1e-10);
        assert!((quantile(0.975).unwrap() - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((quantile(0.001).unwrap() + 3.090_232_306_167_813).abs() < 1e-12);
        assert_eq!((quantile(0.0), quantile(1.0), quantile(f64::NAN)), (None, None, None));
    }

    #[test]
    fn it_rises_over_the_seam() {
        let points: Vec<f64> = (-4000..=4000).map(|n| below(f64::from(n) / 1000.0)).collect();
        assert!(points.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
