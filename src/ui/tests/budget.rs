//! The widget of error budgets: what it says of a page, a gap, an old figure, and of nothing; at every width and in every theme.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::analysis::burn::history::History;
use crate::analysis::zone::Zone;
use crate::control::objectives;
use crate::control::world::ObjectiveView;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::objective::{HistoryReading, Objective, ObjectiveKey, Stretch, Tally};
use crate::model::text::Text;
use crate::ui::keymap::Keys;
use crate::ui::row::cells;
use crate::ui::scene::Scene;
use crate::ui::widgets::budget;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn objective() -> Objective {
    let count = |text: &str| crate::model::objective::Count { text: text.to_owned(), counting: crate::model::objective::Counting::Counter };
    let period = crate::model::objective::Period::Rolling(Duration::from_hours(720));
    Objective {
        name: fixture::name("availability"),
        service: fixture::name("checkout"),
        environments: vec![fixture::name("prod")],
        backend: fixture::name("prom"),
        indicator: crate::model::objective::Indicator::Bad { bad: count("bad"), total: count("total") },
        goal: 0.999,
        period,
        rules: crate::model::burn_rule::usual(period.nominal()),
        min_events: 100.0,
        min_coverage: 0.5,
        description: String::new(),
    }
}

/// An objective whose last thirty days were so: the share that failed, by the seconds before the end; none where nothing was measured.
pub(super) fn view(old_s: u64, of: impl Fn(i64) -> Option<f64>) -> ObjectiveView {
    let objective = Arc::new(objective());
    let seen = fixture::before(i64::try_from(old_s).unwrap());
    let to_s = objectives::last_end(seen.wall.timestamp(), 60);
    let from_s = to_s - 30 * DAY;
    let stretch = Stretch { from_s, to_s, step_s: 300 };
    let tallies = (0..stretch.count())
        .map(|n| {
            let before = to_s - from_s - i64::try_from(n).unwrap() * 300;
            of(before).map(|share| Tally { bad: 3_000.0 * share, total: 3_000.0, covered: 1.0 })
        })
        .collect();
    let reading = Arc::new(HistoryReading { stretch, tallies, interval_s: None, sent: Text::clean("the query"), doubt: None });
    let mut history = History::default();
    history.take(&reading);
    let key = ObjectiveKey { target: fixture::checkout(), name: objective.name.clone() };
    let mut view = ObjectiveView::new(key, objective.clone());
    view.measured = objectives::measured(&objective, &history, &Zone::UTC, seen, &reading);
    view.tried = Some(seen);
    view
}

/// A budget that burns since half an hour, so that a rule pages.
pub(super) fn burning() -> ObjectiveView {
    view(40, |before| {
        let share = match before {
            0..=1_800 => 0.04,
            900_000..=905_000 => 0.08,
            _ => 0.000_2,
        };
        Some(share)
    })
}

fn drawn(view: &ObjectiveView, width: usize, theme: &Theme) -> String {
    let (world, now, keys) = (fixture::world(), fixture::now(), Keys::default());
    let scene = Scene::new(&world, &now, theme, &keys);
    let rows = budget::rows(&scene, view, width);
    let area = Rect::new(0, 0, u16::try_from(width).unwrap(), u16::try_from(rows.len()).unwrap());
    let mut buffer = Buffer::empty(area);
    for (n, row) in rows.iter().enumerate() {
        row.draw(&mut buffer, area, u16::try_from(n).unwrap(), theme);
    }
    let line = |y: u16| (0..area.width).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<String>();
    (0..area.height).map(|y| line(y).trim_end().to_owned() + "\n").collect()
}

fn columns(view: &ObjectiveView) -> (crate::ui::theme::Role, String, String) {
    let (world, now, keys, theme) = (fixture::world(), fixture::now(), Keys::default(), Theme::ascii());
    budget::columns(&Scene::new(&world, &now, &theme, &keys), view)
}

#[test]
fn budgets_as_they_look() {
    let gap = view(20, |before| (before < 8 * DAY && !(600..2_000).contains(&before)).then_some(0.000_4));
    let old = view(1_200, |_| Some(0.02));
    let nothing = {
        let mut view = burning();
        view.measured = None;
        view.trouble =
            Some(PortError::new(PortErrorKind::Unreachable, &fixture::name("prom"), "read the history of an objective", "refused"));
        view
    };
    for (name, view) in [("page", burning()), ("gap", gap), ("stale", old), ("nothing", nothing)] {
        for (width, theme) in [(80, Theme::ascii()), (80, Theme::standard()), (120, Theme::standard())] {
            let text = drawn(&view, width, &theme);
            assert!(text.lines().all(|line| cells(line) <= width), "{text}");
            insta::assert_snapshot!(format!("budget-{name}-{width}-{}", theme.name), text);
        }
    }
}

#[test]
fn old_figures_fire_no_rule_and_fill_no_column() {
    let fresh = burning();
    let now = fixture::now();
    assert!(fresh.firing(&now).is_some());
    let (role, left, burn) = columns(&fresh);
    assert_eq!((role, burn.ends_with(" x"), left.ends_with(" %")), (crate::ui::theme::Role::Abnormal, true, true), "{left} {burn}");
    let old = view(1_200, |_| Some(0.5));
    assert!(old.firing(&now).is_none() && old.fresh(&now).is_none(), "P13: never on stale data");
    assert_eq!(columns(&old), (crate::ui::theme::Role::Stale, "~".to_owned(), "~".to_owned()));
    let (world, keys, theme) = (fixture::world(), Keys::default(), Theme::ascii());
    let scene = Scene::new(&world, &now, &theme, &keys);
    let area = Rect::new(0, 0, 100, 1);
    let mut buffer = Buffer::empty(area);
    budget::compact(&scene, &old, 12, 100).draw(&mut buffer, area, 0, &theme);
    let row: String = buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect();
    assert!(row.contains("STALE") && !row.contains("left"), "{row}");
    let slept = Moment { boot: crate::model::time::Boot(now.boot.0 + 1_000_000), ..now };
    assert!(fresh.firing(&slept).is_none(), "a quarter of an hour of sleep makes it old though the wall's clock did not move");
}

#[test]
fn the_columns_of_a_list_say_over_how_long_as_it_is_configured() {
    let week = {
        let mut view = burning();
        let mut objective = (*view.objective).clone();
        objective.period = crate::model::objective::Period::Rolling(Duration::from_hours(168));
        objective.rules.retain(|rule| rule.long.as_secs() != 3_600 && rule.short.as_secs() != 3_600);
        view.objective = Arc::new(objective);
        view
    };
    let heading = |views: &[&ObjectiveView]| budget::Spans::of(views.iter().copied()).heading();
    assert_eq!(heading(&[&burning()]).trim(), "budget 30d burn 1h");
    assert_eq!(heading(&[&week]).trim(), "budget 7d burn 30m");
    // Where they differ each figure says its own, under a heading that says none.
    let (month, world, now, keys, theme) = (burning(), fixture::world(), fixture::now(), Keys::default(), Theme::ascii());
    let both = [&month, &week];
    let spans = budget::Spans::of(both.into_iter());
    assert_eq!(spans.heading().split_whitespace().collect::<Vec<_>>(), ["budget", "burn"]);
    let rows = both.map(|view| spans.row(&Scene::new(&world, &now, &theme, &keys), view).1);
    assert!(rows[0].contains(" % 30d") && rows[0].ends_with(" x 1h"), "{rows:?}");
    assert!(rows[1].contains(" 7d") && rows[1].ends_with(" 30m"), "{rows:?}");
    assert!(rows.iter().all(|row| cells(row) == spans.width()), "{rows:?}");
}
