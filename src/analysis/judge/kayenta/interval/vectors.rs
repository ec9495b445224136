//! Kayenta's MannWhitneySuite.scala, test by test.

use super::*;
use crate::analysis::judge::kayenta::tests::vector;
use crate::analysis::judge::ranks::sorted;

/// As near as the suite asks.
const NEAR: f64 = 1e-6;

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < NEAR, "{found} instead of {expected}");
}

fn sides(name: &str) -> (Vec<f64>, Vec<f64>) {
    let (baseline, canary) = vector(name);
    (sorted(&canary), sorted(&baseline))
}

#[test]
fn wilcoxon_diff_function() {
    let (canary, baseline) = sides("problem-case");
    let search = Search::of(&canary, &baseline).unwrap();
    near(search.statistic(0.0, 0.0), -1.229_416);
    assert!((search.statistic(5.0, 0.0) + 35.806_06).abs() < 1e-5);
}

#[test]
fn test_z_quant() {
    near(normal::quantile((1.0 - 0.98) / 2.0), -2.326_348);
}

#[test]
fn confidence_interval_and_estimate() {
    // At its default of 0.95; the samples are not of the fixture.
    let found = shift(&[10.0, 20.0, 30.0, 40.0], &[1.0, 2.0, 3.0, 4.0], 0.95).unwrap();
    near(found.low, 6.0);
    near(found.high, 39.0);
    near(found.estimate, 22.5);
}

#[test]
fn confidence_interval_and_estimate_problem_case() {
    let (canary, baseline) = sides("problem-case");
    let found = shift(&canary, &baseline, 0.98).unwrap();
    near(found.low, -1.480_802_893_638_610_8e-5);
    near(found.high, 1.808_255_910_873_413e-5);
    near(found.estimate, 1.808_255_910_873_413e-5);
}

#[test]
fn confidence_interval_and_estimate_tie_out_with_r() {
    let (canary, baseline) = sides("tie-out");
    let found = shift(&canary, &baseline, 0.95).unwrap();
    near(found.low, -0.500_002_521_696_696);
    near(found.high, -3.486_287_505_871_302e-5);
    assert!((found.estimate + 0.499_939_390_718_032_3).abs() < 1e-4);
}

#[test]
fn confidence_interval_and_estimate_tie_out_with_r_large() {
    let (canary, baseline) = sides("tie-out-large");
    let found = shift(&canary, &baseline, 0.98).unwrap();
    near(found.low, -0.499_917_325_054_908_7);
    near(found.high, -6.912_685_789_769_486e-6);
    assert!((found.estimate + 3.450_440_827_293_15e-5).abs() < 1e-4);
}

#[test]
fn intermediate_values() {
    let (canary, baseline) = sides("large");
    let search = Search::of(&canary, &baseline).unwrap();
    near(search.least, -3.124_999_999_999_986);
    near(search.most, 5.555_555_555_555_557);
    let z = normal::quantile((1.0 - 0.95) / 2.0);
    near(z, -1.959_963_984_540_053_6);
    for (at, level, expected) in [
        (search.least, -z, 17.090_968_923_762_254),
        (search.most, -z, -20.997_687_930_433_106),
        (search.least, z, 21.010_896_892_842_36),
        (search.most, z, -17.077_759_961_353),
    ] {
        near(search.statistic(at, level), expected);
    }
    let found = shift(&canary, &baseline, 0.95).unwrap();
    near(found.low, 3.521_755_377_702_165e-5);
    near(found.high, 2.024_564_616_623_34e-5);
    near(found.estimate, 2.627_924_304_515_565_3e-5);
    assert!(found.low > found.high, "the suite's own interval is the wrong way round, and so must ours be");
}
