//! Counts as counts: bad ones of all, canary against baseline of the same interval, by the always-valid process.

use super::{At, Found, common, lasts};
use crate::analysis::evidence::power;
use crate::analysis::evidence::sequential::counts::Counts;
use crate::analysis::evidence::sequential::{Look, Standing};
use crate::analysis::judge::figure::{figure, grouped};
use crate::analysis::judge::{Classification, Measured, Samples, Shift};
use crate::model::judging::MetricRules;

/// The (bad, total) of the canary and of the baseline in one interval.
type Counted = ((f64, f64), (f64, f64));

/// One direction, looked at.
struct Way {
    look: Look,
    estimate: f64,
}

/// Judges a metric that was counted. The files may be judged again when they are longer: that costs no level.
pub(super) fn compare(rules: &MetricRules, samples: &Samples, at: At) -> Found {
    let counted = |measured: Option<Measured>| match measured {
        Some(Measured::Counts { bad, total }) if total > 0.0 => Some((bad, total)),
        Some(Measured::Counts { .. } | Measured::Value(_)) | None => None,
    };
    let pairs: Vec<Counted> =
        common(samples).into_iter().filter_map(|(canary, baseline)| counted(canary.value).zip(counted(baseline.value))).collect();
    let none = |why: String| Found { classification: Classification::Nodata, shift: None, reason: why };
    if pairs.is_empty() {
        return none("no interval has counts of both sides".to_owned());
    }
    let (more, less) = (rules.direction.minds_more(), rules.direction.minds_less());
    // Two directions share the level.
    let alpha = if more && less { at.alpha / 2.0 } else { at.alpha };
    let way = |turned: bool| {
        let mut counts = Counts::new(rules.margin)?;
        let turn = |(bad, total): (f64, f64)| if turned { (total - bad, total) } else { (bad, total) };
        for (canary, baseline) in &pairs {
            counts.take(turn(*canary), turn(*baseline));
        }
        Some(Way { look: counts.look(alpha), estimate: counts.estimate()? })
    };
    let (Some(up), Some(down)) = (way(false), way(true)) else {
        return none(format!("its margin {} is no share under 1", figure(rules.margin)));
    };
    let sum = |of: fn(&Counted) -> (f64, f64)| pairs.iter().map(of).fold((0.0, 0.0), |(bad, total), (b, t)| (bad + b, total + t));
    let (canary, baseline) = (sum(|pair| pair.0), sum(|pair| pair.1));
    let worse = |way: &Way, minded: bool| minded && way.look.standing == Standing::Fail;
    let no_worse = |way: &Way, minded: bool| !minded || way.look.standing == Standing::Pass;
    let classification = if worse(&up, more) {
        Classification::High
    } else if worse(&down, less) {
        Classification::Low
    } else if no_worse(&up, more) && no_worse(&down, less) {
        Classification::Pass
    } else {
        Classification::Early
    };
    let counts = format!("{} of {}, old {} of {}", grouped(canary.0), grouped(canary.1), grouped(baseline.0), grouped(baseline.1));
    let points = |share: f64| figure(share * 100.0);
    let bounds = format!("{} points ({} to {})", points(up.estimate), points(up.look.low), points(up.look.high));
    let margin = format!("margin {} points", points(rules.margin));
    let reason = match classification {
        Classification::High => format!("higher: {counts}; {bounds}, over the {margin}, {} intervals", pairs.len()),
        Classification::Low => format!("lower: {counts}; {bounds}, beyond the {margin}, {} intervals", pairs.len()),
        Classification::Pass => format!("no worse: {counts}; {bounds}, under the {margin}, {} intervals", pairs.len()),
        Classification::Early | Classification::Nodata | Classification::NodataFail => {
            let ways = [(&up, more), (&down, less)];
            let more = ways.iter().filter(|(_, minded)| *minded).filter_map(|(way, _)| way.look.more).max();
            let rate = baseline.0 / baseline.1;
            let each = canary.1 / count(pairs.len());
            let planned =
                || power::requests(rate + rules.margin, rate, canary.1 / baseline.1, alpha, at.power).map(|all| left(all, canary.1, each));
            let needs = match more.or_else(planned).filter(|more| *more > 0) {
                Some(more) => format!("{more} more intervals{}", lasts(samples, more)),
                None if rules.margin > 0.0 => "nobody can say how many more intervals".to_owned(),
                None => "without a margin an equal canary is never shown to be no worse".to_owned(),
            };
            format!("too early to tell: {counts}; {bounds}, {margin}, {} intervals; {needs}", pairs.len())
        }
    };
    Found { classification, shift: Some(Shift { estimate: up.estimate, low: up.look.low, high: up.look.high }), reason }
}

#[expect(clippy::cast_precision_loss, reason = "intervals are few")]
fn count(pairs: usize) -> f64 {
    pairs as f64
}

/// How many intervals are left until there are so many requests.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast stops at the ends")]
fn left(all: u64, seen: f64, each: f64) -> u64 {
    ((all as f64 - seen) / each).ceil().max(0.0) as u64
}
