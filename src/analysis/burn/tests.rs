//! The workbook's figures, and what must hold for every history.

mod backtest;
mod gaps;
mod workbook;

use std::time::Duration;

use super::history::History;
use crate::model::objective::{Count, Counting, HistoryReading, Indicator, Objective, Period, Stretch, Tally};
use crate::model::text::Text;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// An objective with the usual rules.
fn objective(goal: f64, period: Period) -> Objective {
    let count = |text: &str| Count { text: text.to_owned(), counting: Counting::Counter };
    Objective {
        name: "availability".parse().unwrap(),
        service: "checkout".parse().unwrap(),
        environments: vec!["prod".parse().unwrap()],
        backend: "prom".parse().unwrap(),
        indicator: Indicator::Bad { bad: count("bad"), total: count("total") },
        goal,
        period,
        rules: crate::model::burn_rule::usual(period.nominal()),
        min_events: 0.0,
        min_coverage: 0.5,
        description: String::new(),
    }
}

fn days(count: u64) -> Period {
    Period::Rolling(Duration::from_secs(count * 86_400))
}

/// A history from 0 on, whose stretches come of their beginning.
fn history(to_s: i64, step_s: u32, of: impl Fn(i64) -> Option<Tally>) -> History {
    let stretch = Stretch { from_s: 0, to_s, step_s };
    let tallies = (0..to_s / i64::from(step_s)).map(|n| of(n * i64::from(step_s))).collect();
    let mut history = History::default();
    history.take(&HistoryReading { stretch, tallies, interval_s: None, sent: Text::empty(), doubt: None });
    history
}

/// `total` events, of which this share is bad, all of it measured.
#[expect(clippy::unnecessary_wraps, reason = "beside what was not measured")]
fn whole(total: f64, share: f64) -> Option<Tally> {
    Some(Tally { bad: total * share, total, covered: 1.0 })
}
