//! Some seeded releases, judged by gonogo and by fixed thresholds on the same streams: what `src/analysis/trial/RELEASES.md` says of a thousand.

#[path = "../../benches/releases/chance.rs"]
mod chance;
#[path = "../../benches/releases/fixed.rs"]
mod fixed;
#[path = "../../benches/releases/gonogo.rs"]
mod gonogo_;
#[path = "../../benches/releases/judges.rs"]
mod judges;
#[path = "../../benches/releases/release.rs"]
mod release;
#[path = "../../benches/releases/table.rs"]
mod table;

use judges::Came;
use release::Surroundings;
use table::Judged;

/// Seeds that nothing was chosen by.
const SEEDS: std::ops::Range<u64> = 800_000..800_028;

#[test]
fn good_releases_are_not_taken_back_and_no_bad_one_is_promoted_and_less_is_harmed_than_by_fixed_thresholds() {
    let all: Vec<Judged> = SEEDS.map(table::judged).collect();
    let tables = table::of(&all);
    let of = |judge: &str| {
        let at = table::JUDGES.iter().position(|name| *name == judge).unwrap();
        all.iter().map(move |one| (one, one.came[at])).collect::<Vec<(&Judged, Came)>>()
    };
    let gonogo = of("gonogo");
    // Where both versions drift past the limit together nothing is left to compare with after the last step.
    let falsely = |(one, came): &&(&Judged, Came)| one.fault.is_none() && came.back.is_some() && one.surroundings != Surroundings::Drifting;
    assert_eq!(gonogo.iter().filter(falsely).count(), 0, "{tables}");
    let promoted = |of: &[(&Judged, Came)]| of.iter().filter(|(one, came)| one.fault.is_some() && came.promoted.is_some()).count();
    let harmed = |of: &[(&Judged, Came)]| of.iter().map(|(_, came)| came.harmed / came.requests).sum::<f64>();
    assert_eq!(promoted(&gonogo), 0, "{tables}");
    for other in table::JUDGES.iter().filter(|name| !name.starts_with("gonogo")) {
        let other = of(other);
        assert!(promoted(&other) > 0 && harmed(&gonogo) < harmed(&other) / 10.0, "{tables}");
    }
    // It waits for a person where an hour's requests are too few to tell, and hardly elsewhere.
    let left = gonogo.iter().filter(|(one, came)| one.fault.is_none() && came.back.is_none() && came.promoted.is_none());
    let elsewhere = left.filter(|(one, _)| one.surroundings != Surroundings::LowTraffic).count();
    assert!(elsewhere <= 2, "{tables}");
}
