//! Tests of charts: a closer look, the crosshair and what it says, the nearest mark, holes, one measure alone on the screen.

use std::sync::Arc;

use super::*;
use crate::control::chart::{Chart, Point, Side};

fn rollout_at(world: World, size: (u16, u16)) -> Desk {
    let mut desk = super::at(world, Theme::standard(), size);
    desk.press("<ret>").sees("checkout@prod  rollout");
    desk
}

fn with_points(points: impl IntoIterator<Item = Point>) -> World {
    let mut world = fixture::world();
    let mut view = (**world.target(&fixture::checkout()).unwrap()).clone();
    view.charts = vec![(fixture::name("errors"), points.into_iter().collect::<Chart>())];
    world.targets.insert_mut(view.target.clone(), Arc::new(view));
    world
}

#[test]
fn the_crosshair_tells_time_values_intervals_counts_and_the_nearest_mark() {
    let mut desk = rollout_at(fixture::world(), (120, 40));
    desk.press("left").sees("14:03:50");
    desk.sees("2.4.1 stable 0.4 % 21 of 5,250 (0.3 to 0.6)   2.5.0 canary 2.0 % 26 of 1,280 (1.4 to 3.0)");
    desk.sees("A CheckoutErrors fires 14:01:50, 2m before");
    desk.press("left left left").sees("14:03:");
    desk.press("<tab>").sees("A CheckoutErrors fires 14:01:50, at this moment");
    assert!(desk.text().lines().filter(|line| line.contains('│')).count() > 5, "the crosshair stands over its moment:\n{}", desk.text());
    desk.press("<esc>");
    assert!(!desk.text().contains('│') && desk.text().contains("checkout@prod  rollout"), "the first Esc takes the crosshair away");
    desk.press("<esc>").sees("needs you");
}

#[test]
fn a_closer_look_stands_until_it_is_live_again() {
    let mut desk = rollout_at(fixture::world(), (120, 40));
    desk.sees("errors, last 19 min");
    desk.press("+").sees("errors, last 10 min");
    desk.press("left left left left + +").sees("STANDS");
    desk.sees("errors, 2 min to 14:0");
    desk.press("=").sees("errors, last 19 min");
    desk.press("-").sees("it is all that is kept");
    desk.press("+ + + + +").sees("errors, last 30 s");
    desk.press("+").sees("no closer");
}

#[test]
fn one_measure_has_the_screen_and_the_way_back_stays_in_reach() {
    let mut desk = rollout_at(fixture::world(), (80, 24));
    desk.press("z").sees("measure 1 of 2:  [errors]  latency");
    desk.sees("R roll back");
    desk.sees("newest, 14:03:50");
    desk.press("down").sees("[latency]");
    desk.sees("too little was measured yet to draw it");
    desk.press("up left").sees("at 14:03:50");
    desk.press("<home>").sees("at 13:44:00");
    desk.sees("no data");
    desk.press("<end>").sees("newest, 14:03:50");
    desk.press("R").sees("ROLLBACK checkout@prod");
    desk.press("<esc> <esc>").sees("wished 20 %");
}

#[test]
fn what_was_not_measured_is_a_hole_and_never_a_line() {
    let point = |second: i64, value: Option<f64>| Point {
        at_ms: fixture::now().wall.timestamp_millis() - 600_000 + second * 1_000,
        stable: Side { value, of: None },
        canary: Side::default(),
    };
    // Polls that failed for two minutes left no point; later ones came without a value.
    let polled = (0..600).step_by(5).filter(|second| !(200..320).contains(second));
    let world = with_points(polled.map(|second| point(second, (!(400..500).contains(&second)).then_some(0.004))));
    let ascii = Theme::builtin("ascii").unwrap();
    let text = render::text(&world, &fixture::now(), Screen::Rollout, Some(&fixture::checkout()), (120, 40), &ascii);
    let row = text.lines().find(|line| line.contains("bbbb")).unwrap();
    let runs: Vec<&str> = row.split(|c| c != 'b').filter(|run| run.len() > 3).collect();
    assert_eq!(runs.len(), 3, "a line was drawn where nothing was measured:\n{text}");
}

#[test]
fn a_source_that_is_silent_leaves_a_hole_that_grows_at_the_end() {
    let point = |second: i64| Point {
        at_ms: fixture::now().wall.timestamp_millis() - 600_000 + second * 1_000,
        stable: Side { value: Some(0.004), of: None },
        canary: Side::default(),
    };
    let world = with_points((0..300).step_by(5).map(point));
    let ascii = Theme::builtin("ascii").unwrap();
    let text = render::text(&world, &fixture::now(), Screen::Rollout, Some(&fixture::checkout()), (120, 40), &ascii);
    let row = text.lines().find(|line| line.contains("bbbb")).unwrap();
    assert!(row.trim_end().len() < 70, "the last value was carried on:\n{text}");
    assert!(text.contains("14:03:20"), "the axis ends at the present:\n{text}");
}

#[test]
fn another_target_begins_without_a_crosshair() {
    let mut desk = rollout_at(fixture::world(), (120, 40));
    desk.press("z left").sees("at 14:03:50");
    desk.press("1 down down 3");
    assert!(!desk.text().contains("measure 1 of"), "{}", desk.text());
}

#[test]
fn charts_alone_are_drawn_with_what_the_theme_says() {
    for (theme, name) in [(Theme::standard(), "default"), (Theme::builtin("ascii").unwrap(), "ascii")] {
        for size in [(80, 24), (120, 40), (200, 60)] {
            let mut desk = super::at(fixture::world(), theme.clone(), size);
            desk.press("<ret> z <tab>");
            insta::assert_snapshot!(format!("chart-{}x{}-{name}", size.0, size.1), desk.text());
        }
    }
}
