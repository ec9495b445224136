//! The rules of a trial: which measures of a canary are followed while its rollout runs, and what each may be worse by.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::catalog::{Service, Signal, SignalKind};
use super::name::SignalName;
use super::signal::Better;

/// What a measure is made of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MeasureKind {
    /// Bad events of all events, from raw counters; its unit is a share.
    Ratio,
    /// Events beyond a bound, of all events, from raw buckets; its unit is a share of the events. The bound is the limit,
    /// whose bucket counts in part where it ends elsewhere; without a limit the end of the bucket that the baseline's own quantile lies under.
    Histogram {
        /// The quantile, 0 to 1.
        quantile: f64,
    },
    /// A number at a time, in its own unit.
    Value {
        /// The least time between two readings that count, in seconds: what its query looks back, else what two scrapes are apart.
        apart_s: u32,
    },
}

/// How one measure is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasureRules {
    /// The signal.
    pub name: SignalName,
    /// Which way is good.
    pub better: Better,
    /// What it is made of.
    pub kind: MeasureKind,
    /// What it may be worse by than the baseline in the same time: a share for ratios and histograms, else in the unit of the values.
    pub margin: f64,
    /// The signal's own limit: what a histogram's events are counted beyond. Told beside the rest for others.
    pub limit: Option<f64>,
    /// Whether its failing alone makes the score 0.
    pub critical: bool,
    /// What it weighs in the score; with 0 it is shown, and decides nothing.
    pub weight: f64,
    /// The unit of values, for sentences.
    #[serde(default)]
    pub unit: String,
    /// After how many seconds without a sample a side has no data at the latest: after four intervals, once they are known.
    #[serde(default = "stale_after")]
    pub stale_after_s: u32,
}

/// Two minutes: what a counter's window looks back.
fn stale_after() -> u32 {
    120
}

/// How a rollout is judged while it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialRules {
    /// How often an equal canary may be called worse, or one with the margin's harm no worse, over all looks and all measures together.
    pub alpha: f64,
    /// How often harm of the margin's size is to be found: for the number of samples that a measure is said to need.
    pub power: f64,
    /// The measures.
    pub measures: Vec<MeasureRules>,
}

/// The least time between two readings of a value, in seconds: the usual scrape.
const SCRAPE_S: u32 = 15;

impl MeasureRules {
    /// The rules of a signal. Without a margin of its own a ratio may be worse by half its limit (0.005 without one), the events of a
    /// histogram by half of what its quantile leaves, a value by a tenth of its limit; a value without either decides nothing.
    pub fn of(signal: &Signal, margin: Option<f64>, weight: Option<f64>) -> Self {
        let (kind, usual) = match &signal.kind {
            SignalKind::Ratio { .. } => (MeasureKind::Ratio, Some(signal.limit.map_or(0.005, |limit| limit.abs() / 2.0))),
            SignalKind::Histogram { quantile, .. } => (MeasureKind::Histogram { quantile: *quantile }, Some((1.0 - quantile) / 2.0)),
            SignalKind::Value { query } => {
                (MeasureKind::Value { apart_s: looks_back(query).max(SCRAPE_S) }, signal.limit.map(|limit| limit.abs() / 10.0))
            }
        };
        let margin = margin.or(usual);
        // What is asked alike for both slots is one number, and nothing to compare.
        let asked_alike = |query: &str| !["$slot", "$track", "$version", "$digest"].iter().any(|placeholder| query.contains(placeholder));
        let margin = margin.filter(|_| !matches!(&signal.kind, SignalKind::Value { query } if asked_alike(query)));
        Self {
            name: signal.name.clone(),
            better: signal.better,
            kind,
            margin: margin.unwrap_or(0.0),
            limit: signal.limit,
            critical: signal.critical,
            weight: weight.unwrap_or(if margin.is_some() { 1.0 } else { 0.0 }),
            unit: signal.unit.clone(),
            stale_after_s: stale_after(),
        }
    }
}

impl TrialRules {
    /// The rules of a service's signals, at a level and a power.
    pub fn of(service: &Service, alpha: f64, power: f64) -> Self {
        let measure = |signal: &Signal| MeasureRules::of(signal, signal.margin, signal.weight);
        Self { alpha, power, measures: service.signals.iter().map(measure).collect() }
    }

    /// SHA-256 in lower-case hexadecimal over their RFC 8785 form: what a judgement that is kept goes by.
    pub fn digest(&self) -> String {
        // Serialising texts and finite numbers cannot fail; an empty text would still be a stable digest.
        let bytes = serde_json_canonicalizer::to_vec(self).unwrap_or_default();
        Sha256::digest(&bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// The rules of a service as its configuration has them.
    pub fn of_service(service: &Service) -> Self {
        Self::of(service, service.judge.alpha, service.judge.power)
    }
}

/// How many seconds a query looks back: the longest of its ranges (`[5m]`, `[1h:1m]`); 0 without one.
///
/// Two readings nearer to each other than that are made of the same samples.
pub fn looks_back(query: &str) -> u32 {
    let ranges = query.split('[').skip(1).filter_map(|rest| rest.split([']', ':']).next());
    ranges.filter_map(seconds).max().unwrap_or(0)
}

/// A duration in the form of a query's range, such as `1h30m`; rounded up.
fn seconds(text: &str) -> Option<u32> {
    let mut total_ms = 0_u64;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(digits)?;
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit)?;
        let each: u64 = match unit {
            "ms" => 1,
            "s" | "" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "y" => 31_536_000_000,
            _ => return None,
        };
        total_ms = total_ms.checked_add(number.parse::<u64>().ok()?.checked_mul(each)?)?;
        rest = after;
    }
    u32::try_from(total_ms.div_ceil(1_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::BackendName;

    fn signal(kind: SignalKind, limit: Option<f64>) -> Signal {
        let (name, backend) = (SignalName::new("s").unwrap(), BackendName::new("b").unwrap());
        Signal { name, kind, backend, better: Better::Lower, limit, unit: "ms".to_owned(), critical: true, margin: None, weight: None }
    }

    #[test]
    fn a_query_looks_back_by_its_longest_range() {
        for (query, wanted) in [
            ("up", 0),
            ("rate(a[5m]) / rate(b[1h30m])", 5_400),
            ("max_over_time(rate(a[30s])[2m:10s])", 120),
            ("a[1500ms]", 2),
            ("a{x=\"[\"}", 0),
            ("a[99999999999w]", 0),
        ] {
            assert_eq!(looks_back(query), wanted, "{query}");
        }
    }

    #[test]
    fn margins_without_one_come_from_the_limit() {
        let of = |kind: SignalKind, limit, margin, weight| {
            let rules = MeasureRules::of(&signal(kind, limit), margin, weight);
            (rules.margin, rules.weight)
        };
        let ratio = || SignalKind::Ratio { bad: "".into(), total: "".into() };
        let value = || SignalKind::Value { query: "rate(x{slot=\"$slot\"}[2m])".into() };
        let whole = SignalKind::Value { query: "rate(x[2m])".into() };
        assert_eq!(of(whole, Some(50.0), None, None), (0.0, 0.0), "one number for both slots is nothing to compare");
        assert_eq!(of(ratio(), Some(0.02), None, None), (0.01, 1.0));
        assert_eq!(of(ratio(), None, None, Some(3.0)), (0.005, 3.0));
        assert_eq!(of(ratio(), Some(0.02), Some(0.001), None), (0.001, 1.0));
        assert_eq!(of(value(), Some(50.0), None, None), (5.0, 1.0));
        assert_eq!(of(value(), None, None, None), (0.0, 0.0), "a value that may be worse by nobody knows what decides nothing");
        let (margin, weight) = of(SignalKind::Histogram { buckets: "".into(), quantile: 0.98 }, None, None, None);
        assert!((margin - 0.01).abs() < 1e-12 && (weight - 1.0).abs() < 1e-12);
        let rules = MeasureRules::of(&signal(value(), None), None, None);
        assert_eq!(rules.kind, MeasureKind::Value { apart_s: 120 });
    }
}
