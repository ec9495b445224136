//! Brent's root finder with Kayenta's stop: half of 0.0001 in the metric's own unit, whatever that unit is.
//!
//! Source of the method: R. P. Brent, "Algorithms for Minimization without Derivatives" (1973), chapter 4. Each step is the one that
//! Kayenta takes, because where it stops on a function of jumps decides verdicts there.

use std::cmp::Ordering;

/// Where it stops.
pub(super) const TOLERANCE: f64 = 1e-4;
/// No search is longer.
const LONGEST: u32 = 1001;

/// A place and the function's value there.
#[derive(Clone, Copy)]
struct Spot {
    at: f64,
    value: f64,
}

/// Zero, or next to it.
fn is_zero(value: f64) -> bool {
    value.abs() <= f64::from_bits(1)
}

/// Searches between two places, of which the function's values are known, for one where the function changes its sign.
pub(super) fn between(low: (f64, f64), high: (f64, f64), function: impl Fn(f64) -> f64) -> f64 {
    let spot = |(at, value): (f64, f64)| Spot { at, value };
    let (mut last, mut best) = (spot(low), spot(high));
    if is_zero(last.value) {
        return last.at;
    }
    if is_zero(best.value) {
        return best.at;
    }
    // The other end of the bracket.
    let mut other = last;
    for _ in 0..LONGEST {
        let before = best.at - last.at;
        if other.value.abs() < best.value.abs() {
            last = best;
            best = other;
            other = last;
        }
        let stop = 2.0 * f64::EPSILON * best.at.abs() + TOLERANCE / 2.0;
        let half = (other.at - best.at) / 2.0;
        if half.abs() <= stop || is_zero(best.value) {
            return best.at;
        }
        let mut step = half;
        if before.abs() >= stop && last.value.abs() > best.value.abs() {
            step = interpolated(last, best, other, before, stop).unwrap_or(half);
        }
        if step.abs() < stop {
            step = if step > 0.0 { stop } else { -stop };
        }
        last = best;
        let at = best.at + step;
        best = Spot { at, value: function(at) };
        if (best.value > 0.0 && other.value > 0.0) || (best.value < 0.0 && other.value < 0.0) {
            other = last;
        }
    }
    best.at
}

/// The step to where a line or a sideways parabola through what is known meets zero; none where halving is safer.
fn interpolated(last: Spot, best: Spot, other: Spot, before: f64, stop: f64) -> Option<f64> {
    let across = other.at - best.at;
    // A line when only two places are known, which is when the last one is the other end.
    let (up, down) = if last.at.partial_cmp(&other.at).is_some_and(Ordering::is_eq) {
        let slope = best.value / last.value;
        (across * slope, 1.0 - slope)
    } else {
        let (old, new, slope) = (last.value / other.value, best.value / other.value, best.value / last.value);
        let up = slope * (across * old * (old - new) - (best.at - last.at) * (new - 1.0));
        (up, (old - 1.0) * (new - 1.0) * (slope - 1.0))
    };
    let (up, down) = if up > 0.0 { (up, -down) } else { (-up, down) };
    let inside = up < 0.75 * across * down - (stop * down).abs() / 2.0 && up < (before * down / 2.0).abs();
    inside.then(|| up / down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_found_within_the_tolerance_and_the_ends_are_looked_at_first() {
        let cube = |x: f64| 2.0 - x * x * x;
        let root = between((0.0, cube(0.0)), (5.0, cube(5.0)), cube);
        assert!((root - 2_f64.cbrt()).abs() < TOLERANCE, "{root}");
        assert!((between((1.0, 0.0), (2.0, -1.0), |_| f64::NAN) - 1.0).abs() < 1e-12);
        assert!((between((1.0, 1.0), (2.0, 0.0), |_| f64::NAN) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_function_that_is_no_number_ends_the_search_too() {
        let _ = between((0.0, 1.0), (1.0, -1.0), |_| f64::NAN);
    }
}
