//! The text format of Prometheus, for what gonogo tells of itself.

/// A metric with its values, each under its labels. All are gauges: they say what one look found.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Its name, `gonogo_` and the unit at its end.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// Labels and value.
    pub values: Vec<(Vec<(&'static str, String)>, f64)>,
}

impl Family {
    /// A metric with one value and no labels.
    pub fn one(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, values: vec![(Vec::new(), value)] }
    }
}

/// The text of these metrics; one without a value is left out: nothing is no zero.
pub fn exposition(families: &[Family]) -> String {
    let mut text = String::new();
    for Family { name, help, values } in families.iter().filter(|family| !family.values.is_empty()) {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
        for (labels, value) in values {
            let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            text.push_str(&format!("{name}{labels} {value}\n"));
        }
    }
    text
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_nothing_is_no_zero() {
        let families = [
            Family::one("gonogo_x_bytes", "How many.", 1.5),
            Family { name: "gonogo_none", help: "None.", values: Vec::new() },
            Family {
                name: "gonogo_y",
                help: "Which.",
                values: vec![(vec![("of", "a\"b\\c\nd".to_owned()), ("kind", "k".to_owned())], 0.0)],
            },
        ];
        assert_eq!(
            exposition(&families),
            "# HELP gonogo_x_bytes How many.\n# TYPE gonogo_x_bytes gauge\ngonogo_x_bytes 1.5\n\
             # HELP gonogo_y Which.\n# TYPE gonogo_y gauge\ngonogo_y{of=\"a\\\"b\\\\c\\nd\",kind=\"k\"} 0\n"
        );
    }
}
