//! The beta distribution: bounds of a share that was counted, and of the share beyond an order statistic.

/// The logarithm of the gamma function for positive arguments, within 1e-13 of it.
///
/// Source: M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions" (1964), 6.1 (recurrence and Stirling's series).
pub fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0_f64);
    while x < 12.0 {
        product *= x;
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse * (1.0 / 1680.0 - inverse / 1188.0)))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - product.ln()
}

/// The logarithm of the number of ways to choose `of` from `all`; minus infinity when there is none.
pub fn ln_choose(all: f64, of: f64) -> f64 {
    if of < 0.0 || of > all {
        return f64::NEG_INFINITY;
    }
    ln_gamma(all + 1.0) - ln_gamma(of + 1.0) - ln_gamma(all - of + 1.0)
}

/// The share of a beta distribution with positive parameters below `x`.
///
/// Source: the continued fraction of the NIST Digital Library of Mathematical Functions, section 8.17, from the side where it is short.
pub fn below(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (a * x.ln() + b * (-x).ln_1p() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp();
    if x <= (a + 1.0) / (a + b + 2.0) { front / a / fraction(x, a, b) } else { 1.0 - front / b / fraction(1.0 - x, b, a) }
}

/// The denominator `1 + d1/(1 + d2/(1 + ..))`, from its end; more terms for greater parameters.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let mut under = 1.0;
    let mut step = 40.0 + 4.0 * a.max(b).sqrt().floor();
    while step > 0.0 {
        let even = a + 2.0 * step;
        let of_even = step * (b - step) * x / ((even - 1.0) * even);
        let before = step - 1.0;
        let odd = a + 2.0 * before;
        let of_odd = -(a + before) * (a + b + before) * x / (odd * (odd + 1.0));
        under = 1.0 + of_even / under;
        under = 1.0 + of_odd / under;
        step -= 1.0;
    }
    under
}

/// The point below which `share` of a beta distribution lies: 0 when `a` is 0, 1 when `b` is 0 (the ends of Clopper and Pearson).
pub fn quantile(share: f64, a: f64, b: f64) -> f64 {
    if a <= 0.0 {
        return 0.0;
    }
    if b <= 0.0 {
        return 1.0;
    }
    near(share, a, b).and_then(|near| cell(near, share, a, b)).unwrap_or_else(|| halved(share, a, b))
}

/// The same by fifty halvings, each of which costs what one step of [`near`] does.
fn halved(share: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if below(middle, a, b) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Where Newton's steps settle, but for what [`below`] itself is not sure of, kept between the ends that are known, from the mean on. None where they do not within twenty.
fn near(share: f64, a: f64, b: f64) -> Option<f64> {
    let whole = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    let (mut low, mut high, mut at) = (0.0_f64, 1.0_f64, a / (a + b));
    for _ in 0..20 {
        let excess = below(at, a, b) - share;
        if excess < 0.0 {
            low = at;
        } else {
            high = at;
        }
        let density = ((a - 1.0) * at.ln() + (b - 1.0) * (-at).ln_1p() + whole).exp();
        let next = at - excess / density;
        if (next - at).abs() < 1e-14 {
            return Some(next);
        }
        at = if next > low && next < high { next } else { f64::midpoint(low, high) };
    }
    None
}

/// The middle of the interval of 2^-50 at or beside a point in which the share is passed: what the halvings come to. None where it is not there.
fn cell(near: f64, share: f64, a: f64, b: f64) -> Option<f64> {
    let width = 0.5_f64.powi(50);
    let first = (near / width).floor();
    let ends = |at: f64| (at * width, (at + 1.0) * width);
    let found = [first, first - 1.0, first + 1.0]
        .into_iter()
        .map(ends)
        .find(|(low, high)| below(*low, a, b) < share && below(*high, a, b) >= share);
    found.map(|(low, high)| f64::midpoint(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factorials_are_met() {
        let mut factorial = 1.0_f64;
        for n in 1..=30 {
            factorial *= f64::from(n);
            assert!((ln_gamma(f64::from(n) + 1.0) - factorial.ln()).abs() < 1e-12, "{n}");
        }
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-12);
        assert!((ln_choose(40.0, 20.0).exp() / 137_846_528_820.0 - 1.0).abs() < 1e-11);
    }

    #[test]
    fn it_is_the_binomial_tail() {
        for (n, k, x) in [(10, 3, 0.2_f64), (40, 39, 0.9), (200, 12, 0.05), (7, 1, 0.5), (1000, 60, 0.05)] {
            let tail: f64 = (k..=n)
                .map(|hits: i32| {
                    (ln_choose(f64::from(n), f64::from(hits)) + f64::from(hits) * x.ln() + f64::from(n - hits) * (-x).ln_1p()).exp()
                })
                .sum();
            let found = below(x, f64::from(k), f64::from(n - k + 1));
            assert!((found - tail).abs() < 1e-10, "{n} {k} {x}: {found} against {tail}");
            assert!((quantile(tail, f64::from(k), f64::from(n - k + 1)) - x).abs() < 1e-7);
        }
    }

    #[test]
    fn it_is_what_halving_comes_to() {
        for share in [1e-6, 0.0125, 0.025, 0.5, 0.95, 0.9875, 0.999_99] {
            for (a, b) in [(1.0, 10.0), (0.5, 0.5), (3.0, 998.0), (51.0, 950.0), (998.0, 3.0), (1.0, 100_000.0), (40.0, 1.0), (2.0, 2.0)] {
                let (found, wanted) = (quantile(share, a, b), halved(share, a, b));
                assert!((found - wanted).abs() <= 2e-15, "{share} {a} {b}: {found} against {wanted}");
            }
        }
    }

    #[test]
    fn nothing_of_ten_is_at_most_a_quarter_and_a_bit() {
        // The rule of Clopper and Pearson for no hit: 1 - (alpha / 2) ^ (1 / n).
        assert!((quantile(0.975, 1.0, 10.0) - (1.0 - 0.025_f64.powf(0.1))).abs() < 1e-9);
        assert!(quantile(0.025, 0.0, 11.0).abs() < 1e-12);
    }
}
