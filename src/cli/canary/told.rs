//! A judgement as it is printed: JSON (CONTRACTS.md, "Canary judge"), and a table with a sentence each.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::analysis::judge::figure::figure;
use crate::analysis::judge::{Judged, Judgement};
use crate::cli::json::SCHEMA;

/// What stands where there is nothing.
const NONE: &str = "-";

/// The judgement as JSON.
pub fn json(judgement: &Judgement) -> Value {
    let metric = |metric: &Judged| {
        json!({
            "name": metric.name,
            "classification": metric.classification.word(),
            "critical": metric.critical,
            "u": metric.u,
            "p": metric.p,
            "shift": metric.shift.map(|shift| json!({ "estimate": shift.estimate, "low": shift.low, "high": shift.high })),
            "effect": metric.effect,
            "reason": metric.reason,
        })
    };
    json!({
        "schema": SCHEMA,
        "score": judgement.score,
        "verdict": judgement.verdict.word(),
        "metrics": judgement.metrics.iter().map(metric).collect::<Vec<_>>(),
        "also": judgement.also.as_ref().map(|also| {
            json!({ "method": also.method.word(), "verdict": also.verdict.word(), "reason": also.reason })
        }),
    })
}

/// The judgement for people.
pub fn words(judgement: &Judgement) -> String {
    let mut rows = vec![["METRIC", "CLASS", "SHIFT", "FROM", "TO", "EFFECT", "U", "P"].map(str::to_owned)];
    rows.extend(judgement.metrics.iter().map(row));
    let wide = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..8).map(wide).collect();
    let mut out = String::new();
    if !judgement.metrics.is_empty() {
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width()))));
            out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            out.push('\n');
        }
        out.push('\n');
    }
    for metric in &judgement.metrics {
        out.push_str(&format!("{}: {}\n", metric.name, metric.reason));
    }
    out.push_str(&format!("{}: {}", judgement.verdict.word().to_uppercase(), judgement.reason));
    if let Some(also) = &judgement.also {
        out.push_str(&format!("\nThe method {} says {}: {}", also.method.word(), also.verdict.word().to_uppercase(), also.reason));
    }
    out
}

fn row(metric: &Judged) -> [String; 8] {
    let number = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), figure);
    let critical = if metric.critical { " critical" } else { "" };
    let muted = if metric.muted { " muted" } else { "" };
    [
        metric.name.to_string(),
        format!("{}{critical}{muted}", metric.classification.word()),
        number(metric.shift.map(|shift| shift.estimate)),
        number(metric.shift.map(|shift| shift.low)),
        number(metric.shift.map(|shift| shift.high)),
        number(metric.effect),
        number(metric.u),
        number(metric.p),
    ]
}
