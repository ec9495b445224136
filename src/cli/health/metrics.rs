//! The text format of Prometheus, for what gonogo tells of itself.

use std::fmt::Write as _;

use crate::control::driver::counts::{ENDS, SpreadSeen};

/// Labels with their values.
pub type Labels = Vec<(&'static str, String)>;

/// A metric with its values, each under its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Its name, `gonogo_` and the unit at its end.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// What it holds.
    pub values: Values,
}

/// What a metric holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// How things stand.
    Gauges(Vec<(Labels, f64)>),
    /// What only grows while one process lives.
    Counters(Vec<(Labels, f64)>),
    /// How long something took, over all times.
    Seconds(SpreadSeen),
}

impl Family {
    /// A gauge with one value and no labels.
    pub fn one(name: &'static str, help: &'static str, value: f64) -> Self {
        Self::gauges(name, help, vec![(Vec::new(), value)])
    }

    /// A gauge.
    pub fn gauges(name: &'static str, help: &'static str, values: Vec<(Labels, f64)>) -> Self {
        Self { name, help, values: Values::Gauges(values) }
    }

    /// A counter with one value and no labels.
    pub fn count(name: &'static str, help: &'static str, value: u64) -> Self {
        Self::counters(name, help, [(Vec::new(), value)])
    }

    /// A counter.
    pub fn counters(name: &'static str, help: &'static str, values: impl IntoIterator<Item = (Labels, u64)>) -> Self {
        Self { name, help, values: Values::Counters(values.into_iter().map(|(labels, value)| (labels, number(value))).collect()) }
    }

    /// How long something took.
    pub fn seconds(name: &'static str, help: &'static str, seen: SpreadSeen) -> Self {
        Self { name, help, values: Values::Seconds(seen) }
    }
}

/// A count as metrics have it.
#[expect(clippy::cast_precision_loss, reason = "metrics are floating point, and nothing here comes near 2^53")]
pub fn number(count: u64) -> f64 {
    count as f64
}

/// The text of these metrics; one without a value is left out: nothing is no zero.
pub fn exposition(families: &[Family]) -> String {
    let mut text = String::new();
    for Family { name, help, values } in families {
        let (kind, values) = match values {
            Values::Gauges(values) => ("gauge", values),
            Values::Counters(values) => ("counter", values),
            Values::Seconds(seen) => {
                head(&mut text, name, help, "histogram");
                seconds(&mut text, name, seen);
                continue;
            }
        };
        if values.is_empty() {
            continue;
        }
        head(&mut text, name, help, kind);
        for (labels, value) in values {
            let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            line(&mut text, format_args!("{name}{labels} {value}"));
        }
    }
    text
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) {
    line(text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // A string takes whatever is written.
    let _ = writeln!(text, "{line}");
}

fn seconds(text: &mut String, name: &str, seen: &SpreadSeen) {
    let of = |micros: u64| number(micros) / 1e6;
    for (end, within) in ENDS.iter().zip(seen.within) {
        line(text, format_args!("{name}_bucket{{le=\"{}\"}} {within}", of(*end)));
    }
    let SpreadSeen { count, sum, .. } = *seen;
    line(text, format_args!("{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {}\n{name}_count {count}", of(sum)));
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::driver::counts::Spread;

    #[test]
    fn labels_are_escaped_and_nothing_is_no_zero() {
        let families = [
            Family::one("gonogo_x_bytes", "How many.", 1.5),
            Family::gauges("gonogo_none", "None.", Vec::new()),
            Family::counters("gonogo_y_total", "Which.", [(vec![("of", "a\"b\\c\nd".to_owned()), ("kind", "k".to_owned())], 0)]),
        ];
        assert_eq!(
            exposition(&families),
            "# HELP gonogo_x_bytes How many.\n# TYPE gonogo_x_bytes gauge\ngonogo_x_bytes 1.5\n\
             # HELP gonogo_y_total Which.\n# TYPE gonogo_y_total counter\ngonogo_y_total{of=\"a\\\"b\\\\c\\nd\",kind=\"k\"} 0\n"
        );
    }

    #[test]
    fn what_took_its_time_is_a_histogram_in_seconds() {
        let spread = Spread::default();
        for micros in [400, 1_500, 700_000] {
            spread.took(micros);
        }
        let text = exposition(&[Family::seconds("gonogo_f_seconds", "How long.", spread.seen())]);
        for line in [
            "# TYPE gonogo_f_seconds histogram",
            "gonogo_f_seconds_bucket{le=\"0.0005\"} 1",
            "gonogo_f_seconds_bucket{le=\"0.002\"} 2",
            "gonogo_f_seconds_bucket{le=\"0.5\"} 2",
            "gonogo_f_seconds_bucket{le=\"+Inf\"} 3",
            "gonogo_f_seconds_sum 0.7019",
            "gonogo_f_seconds_count 3",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}: {text}");
        }
    }
}
