//! Proportions and the difference of two of them, with intervals that hold for small counts.

/// The two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// An estimate with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// Wilson's score interval of `bad` of `total`. None when nothing was counted.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
pub fn wilson(bad: f64, total: f64) -> Option<Estimate> {
    if !(bad.is_finite() && total.is_finite()) || total <= 0.0 || bad < 0.0 {
        return None;
    }
    let share = (bad / total).min(1.0);
    let z2 = Z * Z;
    let centre = share + z2 / (2.0 * total);
    let half = Z * (share * (1.0 - share) / total + z2 / (4.0 * total * total)).sqrt();
    let scale = 1.0 + z2 / total;
    Some(Estimate { value: share, low: ((centre - half) / scale).max(0.0), high: ((centre + half) / scale).min(1.0) })
}

/// Canary minus stable, each as (bad, total), with Newcombe's hybrid score interval.
///
/// Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17
/// (1998), method 10.
pub fn difference(canary: (f64, f64), stable: (f64, f64)) -> Option<Estimate> {
    let new = wilson(canary.0, canary.1)?;
    let old = wilson(stable.0, stable.1)?;
    let value = new.value - old.value;
    let low = value - ((new.value - new.low).powi(2) + (old.high - old.value).powi(2)).sqrt();
    let high = value + ((new.high - new.value).powi(2) + (old.value - old.low).powi(2)).sqrt();
    Some(Estimate { value, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn newcombe_agrees_with_his_published_example() {
        // Table II of the paper, contrast (a): 56/70 against 48/80: 0.2000, method 10 gives 0.0524 to 0.3339.
        let found = difference((56.0, 70.0), (48.0, 80.0)).unwrap();
        assert!((found.value - 0.2).abs() < 1e-9);
        assert!((found.low - 0.0524).abs() < 5e-5, "{found:?}");
        assert!((found.high - 0.3339).abs() < 5e-5, "{found:?}");
    }

    #[test]
    fn nothing_counted_is_no_estimate() {
        assert_eq!(wilson(0.0, 0.0), None);
        assert_eq!(difference((0.0, 0.0), (1.0, 10.0)), None);
    }

    proptest! {
        #[test]
        fn the_estimate_lies_in_its_interval(bad in 0_u32..1000, more in 0_u32..1000, bad2 in 0_u32..1000, more2 in 1_u32..1000) {
            prop_assume!(bad + more > 0);
            let found = difference((f64::from(bad), f64::from(bad + more)), (f64::from(bad2), f64::from(bad2 + more2))).unwrap();
            prop_assert!(found.low <= found.value + 1e-12 && found.value <= found.high + 1e-12);
            prop_assert!(found.low >= -1.0 - 1e-9 && found.high <= 1.0 + 1e-9);
        }
    }
}
