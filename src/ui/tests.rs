//! Tests of the glass as a whole: what is on it, what travels, what keys do.

use super::fixture;
use super::render;
use super::screen::Screen;
use super::theme::Theme;

#[test]
fn look() {
    for size in [(80, 24), (120, 40)] {
        for world in [fixture::world(), fixture::lost_prom()] {
            eprintln!("{}", render::text(&world, &fixture::now(), Screen::Board, None, size, &Theme::standard()));
        }
    }
}
