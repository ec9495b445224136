//! The queries of an objective: what was bad, what was all, over a window, as expressions of Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use super::lexer::{is_selector, lex, solid};
use super::promql::Template;
use crate::model::burn_rule::factor;
use crate::model::objective::{Count, Counting, Indicator, Side};

/// Expressions over one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expressions {
    /// Counts of events.
    Events {
        /// Whether `part` counts bad events; else good ones.
        bad: bool,
        /// Those events.
        part: String,
        /// All events.
        total: String,
        /// The most samples that a series has in the window; none where that cannot be asked.
        samples: Option<String>,
    },
    /// The share that was bad.
    Share(String),
}

/// The expressions of an indicator over a window such as `60s`, with the values of its placeholders.
///
/// # Errors
/// Why the query cannot be asked.
pub fn expressions(indicator: &Indicator, values: &[(String, String)], window: &str) -> Result<Expressions, String> {
    let fill = |text: &str| filled(text, values, window);
    let counted = |count: &Count| -> Result<String, String> {
        Ok(match selector_of(count) {
            Some(selector) => increase(&fill(&selector)?, window),
            None if count.counting == Counting::Rate => format!("sum({}) * {}", fill(&count.text)?, seconds(window)),
            None => format!("sum({})", fill(&count.text)?),
        })
    };
    let samples = |count: &Count| selector_of(count).map(|selector| Ok::<_, String>(most_samples(&fill(&selector)?, window))).transpose();
    Ok(match indicator {
        Indicator::Bad { bad, total } => {
            Expressions::Events { bad: true, part: counted(bad)?, total: counted(total)?, samples: samples(total)? }
        }
        Indicator::Good { good, total } => {
            Expressions::Events { bad: false, part: counted(good)?, total: counted(total)?, samples: samples(total)? }
        }
        Indicator::Histogram { buckets, under } => {
            let buckets = fill(buckets)?;
            let (within, all) = (bucket(&buckets, &ends(*under))?, bucket(&buckets, "le=\"+Inf\"")?);
            let samples = Some(most_samples(&all, window));
            Expressions::Events { bad: false, part: increase(&within, window), total: increase(&all, window), samples }
        }
        Indicator::Value { query, side, bound } => {
            let (query, past) = (fill(query)?, if *side == Side::Under { ">" } else { "<" });
            // What is no number is no value: compared with a bound it would count as good.
            Expressions::Share(format!("avg(avg_over_time((({query}) >= -Inf {past} bool {bound})[{window}:{}]))", pace(window)))
        }
        Indicator::Share { query } => Expressions::Share(format!("max({})", fill(query)?)),
    })
}

/// In how much of a window there was anything to count, as the number of looks that found something, where no counter of samples can be
/// asked; and how many looks there are.
pub fn presence(indicator: &Indicator, values: &[(String, String)], window: &str) -> Result<(String, f64), String> {
    let pace = pace(window);
    let looks = (seconds(window) / seconds(&pace)).max(1.0);
    // A rate over less than a few samples is none: five minutes hold four of the slowest that are usual.
    let inner = match indicator {
        Indicator::Value { query, .. } => format!("max(({}) >= -Inf)", filled(query, values, window)?),
        Indicator::Share { query } => format!("max(({}) >= -Inf)", filled(query, values, "300s")?),
        Indicator::Bad { total, .. } | Indicator::Good { total, .. } => format!("max({})", filled(&total.text, values, "300s")?),
        Indicator::Histogram { buckets, .. } => format!("max({})", filled(buckets, values, window)?),
    };
    Ok((format!("count_over_time(({inner})[{window}:{pace}])"), looks))
}

/// The plain selector whose increase a query is; none when it is something else.
pub fn selector_of(count: &Count) -> Option<String> {
    if count.counting == Counting::Counter {
        return Some(count.text.clone());
    }
    let within = |text: &'_ str, word: &str| -> Option<String> {
        let inner = text.trim().strip_prefix(word)?.trim_start().strip_prefix('(')?.strip_suffix(')')?;
        Some(inner.trim().to_owned())
    };
    let inner = within(&count.text, "sum")?;
    let range = within(&inner, "rate").or_else(|| within(&inner, "increase"))?;
    let selector = range.strip_suffix(']')?.trim_end().strip_suffix("$window")?.trim_end().strip_suffix('[')?.trim().to_owned();
    is_selector(&solid(&lex(&selector).ok()?)).then_some(selector)
}

fn filled(text: &str, values: &[(String, String)], window: &str) -> Result<String, String> {
    let template = Template::parse(text)?;
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in values {
        all.insert(name, BTreeSet::from([value.as_str()]));
    }
    all.insert("window", BTreeSet::from([window]));
    template.fill(&all)
}

fn increase(selector: &str, window: &str) -> String {
    format!("sum(increase({selector}[{window}]))")
}

fn most_samples(selector: &str, window: &str) -> String {
    format!("max(count_over_time({selector}[{window}]))")
}

/// The matcher of the bucket that ends at a bound, however the bound is written.
fn ends(under: f64) -> String {
    let plain = factor_exact(under);
    if plain.contains('.') { format!("le=\"{plain}\"") } else { format!("le=~\"{plain}|{plain}[.]0\"") }
}

fn factor_exact(number: f64) -> String {
    let short = factor(number);
    if short.parse::<f64>().is_ok_and(|read| read.to_bits() == number.to_bits()) { short } else { format!("{number}") }
}

/// Buckets with one more matcher.
fn bucket(selector: &str, matcher: &str) -> Result<String, String> {
    if !is_selector(&solid(&lex(selector)?)) {
        return Err("buckets are read as they are, so the query must be a plain selector".to_owned());
    }
    let selector = selector.trim();
    Ok(match selector.strip_suffix('}') {
        Some(open) => {
            let open = open.trim_end().trim_end_matches(',');
            let comma = if open.ends_with('{') { "" } else { "," };
            format!("{open}{comma}{matcher}}}")
        }
        None => format!("{selector}{{{matcher}}}"),
    })
}

/// How often a value is looked at within a window: four times in the shortest, each minute in long ones.
fn pace(window: &str) -> String {
    let seconds = seconds(window);
    if seconds <= 60.0 { "15s".to_owned() } else { "60s".to_owned() }
}

/// The seconds of a window as it is written: `60s`, `5m`, `1h`, `3d`.
fn seconds(window: &str) -> f64 {
    let (number, unit) = window.split_at_checked(window.len().saturating_sub(1)).unwrap_or(("0", "s"));
    let factor = match unit {
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => 1.0,
    };
    number.parse::<f64>().unwrap_or(0.0) * factor
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn values() -> Vec<(String, String)> {
        vec![("service".to_owned(), "a.b".to_owned()), ("environment".to_owned(), "prod".to_owned())]
    }

    fn count(text: &str, counting: Counting) -> Count {
        Count { text: text.to_owned(), counting }
    }

    #[test]
    fn counters_are_summed_by_their_increase_and_a_share_is_not_asked_of_the_backend() {
        let indicator = Indicator::Bad {
            bad: count("errors{service=\"$service\"}", Counting::Counter),
            total: count("sum(rate(requests{service=\"$service\"}[$window]))", Counting::Rate),
        };
        let Expressions::Events { bad, part, total, samples } = expressions(&indicator, &values(), "60s").unwrap() else {
            panic!("events")
        };
        assert!(bad);
        assert_eq!(part, "sum(increase(errors{service=\"a.b\"}[60s]))");
        assert_eq!(total, "sum(increase(requests{service=\"a.b\"}[60s]))");
        assert_eq!(samples.unwrap(), "max(count_over_time(requests{service=\"a.b\"}[60s]))");
    }

    #[rstest]
    #[case("sum(rate(x{a=\"b\"}[$window]))", Some("x{a=\"b\"}"))]
    #[case(" sum ( increase( x [ $window ] ) ) ", Some("x"))]
    #[case("sum(rate(x[5m]))", None)]
    #[case("sum(rate(x[$window])) by (a)", None)]
    #[case("sum(rate(a[$window])) + sum(rate(b[$window]))", None)]
    #[case("sum(rate((a or b)[$window]))", None)]
    fn the_usual_form_of_sloth_is_understood_and_no_other(#[case] text: &str, #[case] selector: Option<&str>) {
        assert_eq!(selector_of(&count(text, Counting::Rate)).as_deref(), selector);
    }

    #[test]
    fn what_is_not_understood_is_asked_as_it_is_in_events() {
        let sum = count("sum(rate(a[$window])) + sum(rate(b[$window]))", Counting::Rate);
        let indicator = Indicator::Good { good: sum.clone(), total: sum };
        let Expressions::Events { bad, part, samples, .. } = expressions(&indicator, &[], "5m").unwrap() else { panic!("events") };
        assert_eq!((bad, part.as_str(), samples), (false, "sum(sum(rate(a[5m])) + sum(rate(b[5m]))) * 300", None));
        let (asked, looks) = presence(&indicator, &[], "1800s").unwrap();
        assert_eq!(asked, "count_over_time((max(sum(rate(a[300s])) + sum(rate(b[300s]))))[1800s:60s])");
        assert!((looks - 30.0).abs() < 1e-9);
    }

    #[rstest]
    #[case("d_bucket", 0.3, "d_bucket{le=\"0.3\"}")]
    #[case("d_bucket{}", 2.0, "d_bucket{le=~\"2|2[.]0\"}")]
    #[case("d_bucket{a=\"b\", }", 0.0005, "d_bucket{a=\"b\",le=\"0.0005\"}")]
    fn a_bucket_is_picked_by_its_end(#[case] selector: &str, #[case] under: f64, #[case] picked: &str) {
        assert_eq!(bucket(selector, &ends(under)).unwrap(), picked);
        assert!(bucket("rate(x[5m])", "le=\"1\"").is_err());
    }

    #[test]
    fn a_value_that_is_no_number_is_not_compared() {
        let indicator = Indicator::Value { query: "saturation".to_owned(), side: Side::Under, bound: 0.8 };
        let Expressions::Share(share) = expressions(&indicator, &[], "60s").unwrap() else { panic!("a share") };
        assert_eq!(share, "avg(avg_over_time(((saturation) >= -Inf > bool 0.8)[60s:15s]))");
    }
}
